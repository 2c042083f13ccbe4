"""Newton directions: the KKT system of one iterate, factorized with the inertia of a minimum.

[ W + Sigma + delta   J' ] [dv]     [ grad phi + J'y ]
[ J                   0  ] [dy] = - [ h              ],      Sigma = z / d
"""

from __future__ import annotations

from dataclasses import dataclass

from lagrange.kkt.factorization import Factorization

FIRST_DELTA = 1e-4
SMALLEST_DELTA = 1e-20
LARGEST_DELTA = 1e40
FIRST_GROWTH = 100.0
GROWTH = 8.0
SHRINK = 1.0 / 3.0


@dataclass
class InertiaCorrection:
    """The primal regularization delta and its memory (Waechter and Biegler 2006, algorithm IC)."""

    last: float = 0.0

    def apply(self, factorization: Factorization, smallest: float = 0.0) -> bool:
        """Raise delta until the inertia is that of a minimum; False where no delta does it (not finite).

        Parameters
        ----------
        smallest : float
            Where delta starts; positive when the step of the uncorrected system was of no use.
        """
        delta = smallest
        while not factorization.regularize(delta):
            if delta == 0.0:
                delta = max(SMALLEST_DELTA, SHRINK * self.last) if self.last else FIRST_DELTA
            else:
                delta *= GROWTH if self.last else FIRST_GROWTH
            if delta > LARGEST_DELTA:
                return False
        if delta:
            self.last = delta
        return True
