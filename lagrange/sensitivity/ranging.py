"""Ranging: how far each parameter, right side and bound can move until the active set changes, and what ends it.

First order: slacks and multipliers change linearly, and the first that reaches zero ends the range; exact for linear
programs. Corrected: the solution is followed as an implicit function of the moving number with the active set held, and
the event is located on the path.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.derivatives.derivative_report import aligned
from lagrange.derivatives.evaluation import Derivatives
from lagrange.implicit.system import System
from lagrange.model.named_pytree import Vector
from lagrange.model.standard_form import Indices
from lagrange.result import bound_name
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.directional import Change, change
from lagrange.sensitivity.event import ActiveSides, event_name, event_values
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.sensitivity.solution_path import Place, SolutionPath

NO_LIMIT = "no limit"
FARTHEST = 1e8  # moves beyond this, relative to max(1, |value|), are no limit
FIRST_STEP, GROWTH = 0.25, 1.5  # of the march along the path, relative to the first-order estimate
STILL = 1e-12  # rates below this, relative, are zero
TOLERANCE = 1e-10  # event functions above minus this, relative, have not been crossed
LOCATED = 1e-13  # relative accuracy of an event on the path


@dataclass(frozen=True)
class End:
    """One end of a range: where, by first order and corrected, and what happens there."""

    first_order: float
    corrected: float
    event: str


@dataclass(frozen=True)
class Range:
    """How far one number can move with the same active set.

    Attributes
    ----------
    name : str
        "volume", "upper bound of height".
    value : float
    lower, upper : float
        Ends of the interval, corrected; infinite where there is none.
    lower_event, upper_event : str
        What happens there: "shelf becomes active", "volume is released", "no limit".
    first_order : (float, float)
        The same ends by linear extrapolation.
    """

    name: str
    value: float
    lower: float
    upper: float
    lower_event: str
    upper_event: str
    first_order: tuple[float, float]

    @property
    def decrease(self) -> float:
        """Allowable decrease."""
        return self.value - self.lower

    @property
    def increase(self) -> float:
        """Allowable increase."""
        return self.upper - self.value


@dataclass(frozen=True)
class Move:
    """A number that can move: name and value, and the change of parameters (q,) and sides (m + n,) per unit of it."""

    name: str
    value: float
    dp: Vector
    dside: Vector


@dataclass(frozen=True)
class Ranging:
    """Ranges of all parameters and right sides. Print it.

    Attributes
    ----------
    parameters : {name of each element of p: Range}
    sides : {name of each constraint row: Range}
        Of its right side as written; rows between two sides have one entry for each, "load (lower)", "load (upper)".
    bounds : {name: Range} of the bounds that are active
    corrected : bool
        False where JAX cannot follow the functions: then the ends are those of first order.
    """

    parameters: dict[str, Range]
    sides: dict[str, Range]
    bounds: dict[str, Range]
    corrected: bool

    def __str__(self) -> str:
        rows = [("name", "value", "from", "to", "ends below with", "ends above with")]
        for group in (self.parameters, self.sides, self.bounds):
            rows += [
                (r.name, _number(r.value), _number(r.lower), _number(r.upper), r.lower_event, r.upper_event)
                for r in group.values()
            ]
        return aligned(rows, "lrrrll")


def ranging(system: ActiveSystem, derivatives: Derivatives, kkt: System | None) -> Ranging:
    """All ranges at the solution of an active system."""
    program, result = derivatives.program, system.result
    m, n, q = program.m, program.n, result.p.size
    nothing_p, nothing_side = np.zeros(q), np.zeros(m + n)
    parameters = {
        name: range_of(Move(name, float(value), unit, nothing_side), system, derivatives, kkt)
        for name, value, unit in zip(program.parameters.names(), result.p, np.eye(q), strict=True)
    }
    names = program.row_names + [""] * n
    values = np.concatenate([result.c, result.x])
    lower, upper = (np.concatenate(pair) for pair in zip(result.sides, result.bounds, strict=True))
    sides: dict[str, Range] = {}
    bounds: dict[str, Range] = {}
    signs = np.full(m + n, np.nan)
    signs[system.active.places] = system.active.signs
    for k in range(m + n):
        ends = [(lower[k], -1.0), (upper[k], 1.0)] if lower[k] != upper[k] else [(upper[k], 0.0)]
        finite = [(float(end), sign) for end, sign in ends if np.isfinite(end)]
        for end, sign in finite:
            is_active = signs[k] == sign
            if k >= m and not is_active:
                continue
            name = names[k] if k < m else bound_name(program.variable_names[k - m], sign)
            label = f"{name} ({'lower' if sign < 0 else 'upper'})" if k < m and len(finite) > 1 else name
            move = Move(label, end, nothing_p, np.eye(m + n)[k])
            found = (
                range_of(move, system, derivatives, kkt)
                if is_active
                else _of_inactive(move, sign, float(values[k]), name)
            )
            (sides if k < m else bounds)[label] = found
    return Ranging(parameters, sides, bounds, kkt is not None)


def _of_inactive(move: Move, sign: float, reached: float, name: str) -> Range:
    # The solution does not feel an inactive side until it touches it.
    event = f"{name} becomes active"
    ends = (reached, math.inf) if sign > 0 else (-math.inf, reached)
    events = (event, NO_LIMIT) if sign > 0 else (NO_LIMIT, event)
    return Range(move.name, move.value, *ends, *events, ends)


def _number(value: float) -> str:
    return f"{value:.6g}"


def range_of(move: Move, system: ActiveSystem, derivatives: Derivatives, kkt: System | None) -> Range:
    """The range of one number; corrected only where the KKT conditions can be followed (kkt is given)."""
    above = _end(move, 1.0, system, derivatives, kkt)
    below = _end(move, -1.0, system, derivatives, kkt)
    return Range(
        name=move.name,
        value=move.value,
        lower=move.value - below.corrected,
        upper=move.value + above.corrected,
        lower_event=below.event,
        upper_event=above.event,
        first_order=(move.value - below.first_order, move.value + above.first_order),
    )


def _end(move: Move, sign: float, system: ActiveSystem, derivatives: Derivatives, kkt: System | None) -> End:
    dp, dside = sign * move.dp, sign * move.dside
    try:
        moved = change(system, dp, dside[system.active.places])
    except NotDifferentiable as error:
        return End(0.0, 0.0, str(error))
    if np.isnan(moved.multipliers).any():
        return End(math.nan, math.nan, "not determined: the multipliers are not unique")
    held = _held(system, moved)
    w = np.concatenate([system.result.x, system.result.y, system.result.z])
    slope = _rates(system, moved, dp, dside, held)
    now = event_values(derivatives, held, system.result.p, np.zeros(dside.size), w).ravel()
    first, index = _first_crossing(now, slope)
    if kkt is None:
        return End(first, first, event_name(derivatives, held, index) if np.isfinite(first) else NO_LIMIT)
    path = SolutionPath(kkt, system.result.p, dp, dside, held)
    corrected, event = _located(path, derivatives, Place(0.0, w), now, first, max(1.0, abs(move.value)))
    return End(first, corrected, event)


def _held(system: ActiveSystem, moved: Change) -> ActiveSides:
    size = system.result.program.m + system.result.program.n
    sides, equality = np.zeros(size), np.zeros(size, dtype=bool)
    active = system.active
    sides[active.places[moved.held]] = np.where(active.signs == 0.0, 1.0, active.signs)[moved.held]
    equality[active.places] = active.equality
    return ActiveSides(sides, equality)


def _rates(system: ActiveSystem, moved: Change, dp: Vector, dside: Vector, held: ActiveSides) -> Vector:
    # d/dt of the event functions, in their order.
    program, result, at = system.result.program, system.result, system.at
    jacobian, _ = system.evaluation.derivatives(result.x, np.zeros(1 + program.m))
    values = np.concatenate([jacobian[1:] @ moved.x + at.rows[1:] @ dp, moved.x])
    lower = np.concatenate([at.sides.row_lower @ dp, at.sides.lower @ dp]) + np.where(held.sides < 0, dside, 0.0)
    upper = np.concatenate([at.sides.row_upper @ dp, at.sides.upper @ dp]) + np.where(held.sides > 0, dside, 0.0)
    multipliers = np.zeros(values.size)
    multipliers[system.active.places] = moved.multipliers
    size = STILL * max(1.0, float(np.abs(moved.x).max(initial=0.0)))
    rates = np.concatenate([values - lower, upper - values, held.sides * multipliers])
    return np.where(np.abs(rates) <= size, 0.0, rates)


def _first_crossing(now: Vector, slope: Vector) -> tuple[float, int]:
    falls = (slope < 0.0) & np.isfinite(now)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(falls, np.maximum(now, 0.0) / -slope, np.inf)
    index = int(times.argmin())
    return float(times[index]), index


def _located(
    path: SolutionPath, derivatives: Derivatives, start: Place, now: Vector, first: float, size: float
) -> tuple[float, str]:
    """March along the path until an event function is negative, then locate the earliest zero."""
    scale = np.maximum(1.0, np.abs(np.where(np.isfinite(now), now, 1.0)))

    def events(place: Place) -> Vector:
        try:
            return event_values(derivatives, path.held, *path.setting(place.t), place.w).ravel()
        except ValueError:  # the sides have crossed each other
            return np.full(now.size, -np.inf)

    step = FIRST_STEP * (first if 0.0 < first <= FARTHEST * size else size)
    here = start
    while here.t <= FARTHEST * size:
        goal = here.t + step
        there = path.advance(here, goal)
        crossed = np.flatnonzero(events(there) < -TOLERANCE * scale)
        if crossed.size:
            return _earliest(path, derivatives, here, there, crossed, events)
        if there.t != goal:
            if not there.finite:
                return there.t, "a function is not finite beyond"
            return there.t, "the solution ends: its KKT matrix becomes singular"
        here, step = there, GROWTH * step
    return math.inf, NO_LIMIT


def _earliest(
    path: SolutionPath,
    derivatives: Derivatives,
    here: Place,
    there: Place,
    crossed: Indices,
    events: Callable[[Place], Vector],
) -> tuple[float, str]:
    zeros = []
    for index in crossed.tolist():

        def function(t: float, index: int = index) -> float:
            place = there if t == there.t else path.advance(here, t)
            return float(events(place)[index])

        zero = (
            scipy.optimize.brentq(function, here.t, there.t, xtol=LOCATED * max(there.t, LOCATED), rtol=1e-14)
            if function(here.t) > 0.0
            else here.t
        )
        zeros.append((float(zero), index))
    t, index = min(zeros)
    return t, event_name(derivatives, path.held, int(index))
