"""The way back onto the manifold of the equality constraints, by chord Newton in the normal space.

    A Y u = -h(x),    x <- x + Y u,        h(x) = c_E(x) - b_E

A and its bases belong to a nearby point of the manifold: by the implicit function theorem x -> x + Y u is a chart
there, and u is found without a new derivative. No function but the equality constraints is called on the way.
"""

from __future__ import annotations

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest

ON_MANIFOLD = 1e-11  # relative violation up to which a point counts as on the manifold
EXACT = 1e-15  # ... and below which nothing is left to gain
CONTRACTION = 0.3  # a correction that leaves more than this share of the violation ends the retraction
LARGEST_CORRECTIONS = 25
ROUNDING_STEPS = 2  # corrections that may fail to contract where only rounding is left
EPS = float(np.finfo(np.float64).eps)
TERMS = 4.0 * EPS  # rounding of a row, relative to the size of its terms
BOUND_ROUNDING = 1e-13  # relative excess over a bound that is cut off instead of refused


class Retraction:
    """Takes points near x onto the manifold, within bounds.

    Parameters
    ----------
    J : (m, n) Jacobian at a point of the manifold, equality rows first
    low, high : (n,) bounds that corrections must respect
    moving : the variables that corrections may change; None for all
    """

    def __init__(
        self, program: StandardProgram, J: Vector, low: Vector, high: Vector, moving: Mask | None = None
    ) -> None:
        form = program.form
        self.program, self.low, self.high = program, low, high
        self.lowest, self.highest = low - _rounding(low), high + _rounding(high)
        self.A = J[: form.equalities]
        self.moving = np.ones(form.n, dtype=bool) if moving is None else moving
        self.basis = RangeNullSpace(self.A if moving is None else self.A[:, moving])

    def __call__(self, x: Vector) -> Vector | None:
        """The point of the manifold above x in the normal space; None where the corrections do not contract."""
        if not self.A.shape[0]:
            return x
        sizes = self.program.equation_sizes
        # Far out, the rounding of the terms is larger than the tolerance.
        enough = max(ON_MANIFOLD, largest(TERMS * np.abs(self.A).dot(np.abs(x)) / sizes))
        nearest, smallest, before, at_rounding = x, np.inf, np.inf, 0
        for _ in range(LARGEST_CORRECTIONS):
            h = equations(self.program, x)
            violation = largest(h / sizes)
            if violation < smallest:
                nearest, smallest = x, violation
            if not violation <= CONTRACTION * before:  # nan too
                at_rounding += 1
                if not violation <= enough or at_rounding > ROUNDING_STEPS:
                    break
            before = violation
            following = self._corrected(x, h) if violation > EXACT else None
            if following is None:
                break
            x = following
        return nearest if smallest <= enough else None

    def _corrected(self, x: Vector, h: Vector) -> Vector | None:
        corrected = x.copy()
        corrected[self.moving] -= self.basis.Y.dot(self.basis.normal_coordinates(h))
        if (corrected < self.lowest).any() or (corrected > self.highest).any():
            return None
        return np.minimum(np.maximum(corrected, self.low), self.high)


def equations(program: StandardProgram, x: Vector) -> Vector:
    """Scaled c_E(x) - b_E, without calling the other functions."""
    form = program.form
    rows = form.rows[: form.equalities]
    values = program.evaluation.some_values(program.full_x(x), 1 + rows)
    return np.asarray(values * program.scaling.rows[rows] - form.right_sides)


def relative_violation(program: StandardProgram, h: Vector) -> float:
    """The largest violation of an equality, divided by max(1, |right side|) in the user's units."""
    return largest(h[: program.form.equalities] / program.equation_sizes)


def _rounding(bound: Vector) -> Vector:
    return np.asarray(BOUND_ROUNDING * np.maximum(1.0, np.abs(np.where(np.isfinite(bound), bound, 0.0))))
