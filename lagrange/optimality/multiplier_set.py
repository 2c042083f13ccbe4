"""All multipliers of a solution, not only the ones a solver happened to return, by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.derivatives.evaluation import Evaluation
from lagrange.model.status import PointKind
from lagrange.optimality.active_set import active_set
from lagrange.optimality.multiplier_polyhedron import MultiplierPolyhedron
from lagrange.optimality.words import number, page
from lagrange.preflight_record import named
from lagrange.result import Result

SAME = 1e-7  # ends of an interval that differ by less, relative, are one value

NO_MULTIPLIER = (
    "No Lagrange multiplier exists here: the gradients of the active constraints cannot balance the objective, so "
    "that no shadow price is defined. Reformulate the constraints whose gradients vanish or cancel, for example by "
    "replacing g(x)^3 >= 0 with g(x) >= 0."
)
NOT_A_SOLUTION = "The point does not satisfy the first-order conditions: multipliers belong to solutions."


@dataclass(frozen=True)
class MultiplierRange:
    """One active constraint or bound: its multiplier over the set, of least norm, and in the solution."""

    name: str
    low: float
    high: float
    least_norm: float
    returned: float

    @property
    def invariant(self) -> bool:
        """True where all multipliers agree."""
        size = max(abs(self.low), abs(self.high))  # infinite where the interval is unbounded
        return math.isfinite(size) and self.high - self.low <= SAME * size


@dataclass(frozen=True)
class MultiplierSet:
    """The set {(y, z): grad f + J'y + z = 0, right signs, zero where inactive} at one point. Print it.

    Unique exactly where the strict Mangasarian-Fromovitz condition holds (Kyparisis 1985, "On uniqueness of
    Kuhn-Tucker multipliers in nonlinear programming", Math. Program. 32); bounded exactly where that of Mangasarian
    and Fromovitz does (Gauvin 1977).

    Attributes
    ----------
    exists : bool
        False where no multiplier exists; then the intervals are nan, and `advice` says what to do.
    unique : bool
    dimension : int
        0 where unique, -1 where the set is empty.
    interval : dict
        By constraint name: (lowest, highest) multiplier, each shaped like the constraint, infinite where unbounded.
    bound_interval : tuple
        (lowest, highest) multipliers of the bounds, each like x.
    least_norm, bound_least_norm
        The multipliers with the smallest sum of squares: by constraint name, and like x.
    invariant : tuple of str
        Names of rows and active bounds whose multiplier is the same in the whole set.
    ranges : tuple of MultiplierRange
        The same for the active constraints and bounds, one by one.
    advice : str
    """

    exists: bool
    unique: bool
    dimension: int
    interval: dict[str, tuple[Any, Any]]
    bound_interval: tuple[Any, Any]
    least_norm: dict[str, Any]
    bound_least_norm: Any
    invariant: tuple[str, ...]
    ranges: tuple[MultiplierRange, ...]
    advice: str

    def __str__(self) -> str:
        if not self.exists:
            return page("Multipliers: none", [], "", [self.advice])
        head = "Multipliers: unique" if self.unique else f"Multipliers: not unique, a set of dimension {self.dimension}"
        rows = [("active constraint", "lowest", "highest", "least norm", "returned")]
        rows += [
            (item.name, number(item.low), number(item.high), number(item.least_norm), number(item.returned))
            for item in self.ranges
        ]
        return page(head, rows, "lrrrr", [self.advice] if self.advice else [])


def multiplier_set(evaluation: Evaluation, result: Result) -> MultiplierSet:
    """The multipliers of a result, with an evaluation of the same program at the same parameters."""
    program = result.program
    active = active_set(evaluation, result)
    polyhedron = MultiplierPolyhedron(active)
    entries = program.m + program.n
    if polyhedron.exists:
        low, high = polyhedron.intervals()
        least = polyhedron.least_norm()
        dimension = polyhedron.dimension(low, high)
    else:
        low = high = least = np.full(len(active.names), np.nan)
        dimension = -1
    ranges = tuple(
        MultiplierRange(name, *map(float, numbers))
        for name, *numbers in zip(active.names, low, high, least, active.multipliers, strict=True)
    )
    lows, highs, leasts = (active.spread(values, entries) for values in (low, high, least))
    if not polyhedron.exists:
        lows, highs, leasts = (np.full(entries, np.nan) for _ in range(3))
    varying = {item.name for item in ranges if not item.invariant}
    bounds = [name for name, place in zip(active.names, active.places, strict=True) if place >= program.m]
    invariant = [name for name in [*program.row_names, *bounds] if name not in varying] if polyhedron.exists else []
    by_low, by_high = (program.by_constraint(ends[: program.m]) for ends in (lows, highs))
    return MultiplierSet(
        exists=polyhedron.exists,
        unique=dimension == 0,
        dimension=dimension,
        interval={name: (by_low[name], by_high[name]) for name in by_low},
        bound_interval=(
            program.variables.unflatten(lows[program.m :]),
            program.variables.unflatten(highs[program.m :]),
        ),
        least_norm=program.by_constraint(leasts[: program.m]),
        bound_least_norm=program.variables.unflatten(leasts[program.m :]),
        invariant=tuple(invariant),
        ranges=ranges,
        advice=_advice(result, polyhedron.exists, ranges),
    )


def _advice(result: Result, exists: bool, ranges: tuple[MultiplierRange, ...]) -> str:
    if not exists:
        return NO_MULTIPLIER if result.kind is PointKind.FRITZ_JOHN else NOT_A_SOLUTION
    varying = [item for item in ranges if not item.invariant]
    if not varying:
        return ""
    infinite = [item.name for item in varying if not np.isfinite([item.low, item.high]).all()]
    limits = f" Without limit: {named(infinite)}." if infinite else ""
    return (
        f"The gradients of {named([item.name for item in varying])} are linearly dependent: only combinations of their "
        f"multipliers are determined, and the price of one constraint depends on the direction of the change.{limits}"
    )
