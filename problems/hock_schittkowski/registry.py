"""The decorator that turns a few lines of formulas into an entry of the collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from problems.collection import Array, BenchmarkProblem

PROBLEMS: dict[str, BenchmarkProblem] = {}
"""Every problem by name, "HS1" to "HS119", in the order of the book."""

inf = np.inf

Formulas = Callable[[Array], Any]
"""x -> f(x) for a problem with bounds only, else x -> (f(x), c(x)), c an array or a tuple of scalars."""


def example(
    number: int,
    *,
    x0: ArrayLike,
    best: float,
    lower: ArrayLike = -inf,
    upper: ArrayLike = inf,
    inequalities: int = 0,
    equalities: int = 0,
    between: tuple[ArrayLike, ArrayLike] | None = None,
    smooth: bool = True,
    note: str = "",
) -> Callable[[Formulas], BenchmarkProblem]:
    """Register the decorated formulas as problem `number` of the book.

    As in the book, the first `inequalities` rows of c read c_i(x) >= 0 and the next `equalities` rows
    c_i(x) = 0. Problems whose rows have two sides give all of them at once: between=(lower, upper).
    Scalar bounds hold for every variable.
    """

    def register(formulas: Formulas) -> BenchmarkProblem:
        start = np.array(x0, dtype=float)
        if between is None:
            row_lower = np.zeros(inequalities + equalities)
            row_upper = np.concatenate([np.full(inequalities, inf), np.zeros(equalities)])
        else:
            sides = [np.asarray(side, dtype=float) for side in between]
            row_lower, row_upper = (side.copy() for side in np.broadcast_arrays(*sides))
        name = f"HS{number}"
        objective, constraints = (formulas, None) if row_lower.size == 0 else split(formulas)
        PROBLEMS[name] = BenchmarkProblem(
            name=name,
            objective=objective,
            x0=start,
            lower=np.broadcast_to(np.asarray(lower, dtype=float), start.shape).copy(),
            upper=np.broadcast_to(np.asarray(upper, dtype=float), start.shape).copy(),
            constraints=constraints,
            constraint_lower=row_lower,
            constraint_upper=row_upper,
            best=float(best),
            source=f"Hock and Schittkowski (1981), problem {number}; CUTEst {name}",
            smooth=smooth,
            note=note,
        )
        return PROBLEMS[name]

    return register


def split(formulas: Formulas) -> tuple[Callable[[Array], float], Callable[[Array], Array]]:
    """Two functions, f(x) and c(x), from one that returns both."""

    def objective(x: Array) -> float:
        value: float = formulas(x)[0]
        return value

    def constraints(x: Array) -> Array:
        rows = formulas(x)[1]
        stacked: Array = np.stack(rows) if isinstance(rows, tuple) else rows
        return stacked

    return objective, constraints
