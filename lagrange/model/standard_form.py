"""The standard form of a program: equalities, slacks and one list of bounds.

    minimize f(x)  subject to  h(v) = 0,  d(v) >= 0,        v = (x, s)

    h(v) = [ c_E(x) - b_E ]        d_k(v) = sign_k * (v[index_k] - bound_k)
           [ c_I(x) - s   ]

Fixed variables (equal bounds) are taken out of x, rows without any side out of c. Every finite side of a
variable or of a slack is one entry k of the bound list: a single vector of distances d and one of
multipliers z > 0, so that the whole barrier is a handful of array operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lagrange.model.named_pytree import Vector

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class StandardForm:
    """Index data that takes a program to its standard form and back.

    Attributes
    ----------
    free : indices of the variables that are solved for
    x_fixed : (n,) values of all variables at their bounds where fixed, else 0
    rows : rows of c in standard order: equalities first, then inequalities
    equalities : number of equality rows
    right_sides : (equalities,) values b_E
    index, sign, bound : the bound list over v = (x[free], s)
    """

    free: Indices
    x_fixed: Vector
    rows: Indices
    equalities: int
    right_sides: Vector
    index: Indices
    sign: Vector
    bound: Vector

    @property
    def n(self) -> int:
        """Number of free variables."""
        return self.free.size

    @property
    def m(self) -> int:
        """Number of rows with at least one side."""
        return self.rows.size

    @property
    def size(self) -> int:
        """Length of v = (x, s)."""
        return self.free.size + self.rows.size - self.equalities

    @property
    def total_rows(self) -> int:
        """Equality rows plus bound entries: the number of multipliers."""
        return self.rows.size + self.index.size

    def distances(self, v: Vector) -> Vector:
        """d(v): how far v is from every bound; negative where it is violated."""
        return self.sign * (v[self.index] - self.bound)

    def limits(self) -> tuple[Vector, Vector]:
        """Lower and upper bounds of v, infinite where absent."""
        low, high = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        lower = self.sign > 0
        low[self.index[lower]] = self.bound[lower]
        high[self.index[~lower]] = self.bound[~lower]
        return low, high

    def within_bounds(self, x: Vector) -> Vector:
        """The free variables x moved to the nearest point within their bounds."""
        low, high = self.limits()
        return np.minimum(np.maximum(x, low[: self.n]), high[: self.n])

    def scatter(self, z: Vector) -> Vector:
        """D'z: bound multipliers z > 0 gathered on v, with the sign of the gradient of d."""
        return np.bincount(self.index, self.sign * z, self.size).astype(np.float64, copy=False)


def standard_form(lower: Vector, upper: Vector, row_lower: Vector, row_upper: Vector) -> StandardForm:
    """The standard form of a program with these bounds and sides (infinite where absent).

    Examples
    --------
    >>> import numpy as np
    >>> form = standard_form(np.array([0.0, 1.0]), np.array([np.inf, 1.0]), np.array([2.0]), np.array([2.0]))
    >>> form.free, form.equalities, form.bound
    (array([0]), 1, array([0.]))
    """
    fixed = lower == upper
    free = np.flatnonzero(~fixed)
    equal = row_lower == row_upper
    inequality = ~equal & (np.isfinite(row_lower) | np.isfinite(row_upper))
    rows = np.concatenate([np.flatnonzero(equal), np.flatnonzero(inequality)])
    low = np.concatenate([lower[free], row_lower[inequality]])
    high = np.concatenate([upper[free], row_upper[inequality]])
    has_low, has_high = np.flatnonzero(np.isfinite(low)), np.flatnonzero(np.isfinite(high))
    return StandardForm(
        free=free,
        x_fixed=np.where(fixed, lower, 0.0),
        rows=rows,
        equalities=int(equal.sum()),
        right_sides=row_lower[equal],
        index=np.concatenate([has_low, has_high]),
        sign=np.concatenate([np.ones(has_low.size), -np.ones(has_high.size)]),
        bound=np.concatenate([low[has_low], high[has_high]]),
    )
