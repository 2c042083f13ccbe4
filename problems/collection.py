"""The record of one problem of a benchmark collection: functions, bounds, start, best known value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lagrange as lg

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class BenchmarkProblem:
    """minimize objective(x)  subject to  constraint_lower <= constraints(x) <= constraint_upper,
    lower <= x <= upper.

    A side that is absent is -inf or +inf; an equality has equal sides.
    """

    name: str
    """As its collection calls it, for example "HS71"."""
    objective: Callable[[Array], float]
    """f(x) in plain NumPy, for x of shape (n,)."""
    x0: Array
    """The collection's starting point, shape (n,); it may violate bounds and constraints."""
    lower: Array
    upper: Array
    constraints: Callable[[Array], Array] | None
    """c(x) of shape (m,), or None where there is none."""
    constraint_lower: Array
    constraint_upper: Array
    best: float
    """The best known objective value."""
    source: str
    """Where the problem and its best value come from."""
    smooth: bool = True
    """False: the functions have jumps or kinks, and a smooth solver is not expected to succeed."""
    note: str = ""
    """What a reader of a result should know: other local minima, a missing multiplier, changed data."""

    @property
    def n(self) -> int:
        """The number of variables."""
        return self.x0.size

    @property
    def m(self) -> int:
        """The number of constraint rows, bounds not counted."""
        return self.constraint_lower.size

    def problem(self) -> lg.Problem:
        """The same as a `lagrange.Problem`; its one constraint, of shape (m,), is named "c"."""
        import lagrange as lg

        subject_to = {}
        if self.constraints is not None:
            subject_to["c"] = lg.between(self.constraint_lower, self.constraints, self.constraint_upper)
        return lg.Problem(minimize=self.objective, subject_to=subject_to, bounds=(self.lower, self.upper))
