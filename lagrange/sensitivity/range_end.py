"""One end of a range: how far a number can move one way until the active set changes, and what happens there.

First order: slacks and multipliers change linearly, and the first that reaches zero ends the range; exact for linear
programs. Corrected: the solution is followed as an implicit function of the moving number with the active set held, and
the event is located on the path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.derivatives.evaluation import Derivatives
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.program import CrossedSides
from lagrange.model.reductions import largest
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.directional import Change, change
from lagrange.sensitivity.event import ActiveSides, event_name, event_values
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.sensitivity.solution_path import Place, SolutionPath

NO_LIMIT = "no limit"
NOT_DETERMINED = "not determined: the multipliers are not unique"
NOT_FINITE = "a function is not finite beyond"
SINGULAR = "the solution ends: its KKT matrix becomes singular"
NOT_FOLLOWED = "not followed further: no event so far, and the solution bends more and more"
MOST_STEPS = 300  # of the march along one path
FARTHEST = 1e3  # moves beyond this, relative to max(1, |value|) and to the first-order end, are no limit
FIRST_STEP, GROWTH = 0.25, 1.5  # of the march along the path, relative to the first-order estimate
BEYOND = 1.1  # a step goes at most so far, in the time to the next crossing by linear extrapolation
SHORTEST = 1e-3  # such a step, relative to the one before
CLOSE = 0.02  # to where the path ends, relative: the last piece is not divided
STILL = 1e-12  # rates below this, relative to the size of an event function, are zero
SMALLEST_SIZE = 1e-3  # of an event function along the path, relative to that of its terms
TOLERANCE = 1e-10  # event functions above minus this, relative, have not been crossed
AT_ITS_END = 1e-6  # event functions that have fallen below this, relative, where the path ends, end it
LOCATED = 1e-12  # relative accuracy of an event on the path
SMALLEST_SCALE = 1e-3  # of an unknown, relative to the largest of its kind: below, rounding would pass for motion
AT_ZERO = 1e-9  # ends below this, relative to the move, are zero


@dataclass(frozen=True)
class Move:
    """A number that can move: name and value, and the change of parameters (q,) and sides (m + n,) per unit of it."""

    name: str
    value: float
    dp: Vector
    dside: Vector


@dataclass(frozen=True)
class End:
    """One end of a range.

    Attributes
    ----------
    first_order, corrected : float
        Where it is.
    event : str
        What happens there.
    held : (m + n,) of -1, 0, 1, or None
        Which sides are active on the way; None where there is no way.
    """

    first_order: float
    corrected: float
    event: str
    held: Vector | None = None


def end_of(move: Move, sign: float, system: ActiveSystem, derivatives: Derivatives) -> End:
    """The end of a range above (sign 1) or below (-1); corrected only where the derivatives are exact."""
    dp, dside = sign * move.dp, sign * move.dside
    try:
        moved = change(system, dp, dside[system.active.places])
    except NotDifferentiable as error:
        return End(move.value, move.value, error.cause or str(error))
    if not moved.determined:
        return End(math.nan, math.nan, NOT_DETERMINED)
    held, size = _held(system, moved), max(1.0, abs(move.value))
    w = np.concatenate([system.result.x, system.active.spread(moved.limit, dside.size)])
    now = event_values(derivatives, held, system.result.p, np.zeros(dside.size), w).ravel()
    terms = _sizes_of_terms(system)
    slope = _rates(system, moved, dp, dside, held)
    slope = np.where(size * np.abs(slope) <= STILL * terms, 0.0, slope)
    first, index = _first_crossing(now, slope)
    if not system.at.exact:
        found = first, event_name(derivatives, held, index) if np.isfinite(first) else NO_LIMIT
    else:
        typical = first if 0.0 < first < math.inf else size
        scale = _scale(system, moved, w, typical)
        path = SolutionPath(derivatives, system.source, system.result.p, dp, dside, held, scale)
        sizes = np.maximum(np.where(np.isfinite(now), np.abs(now), 0.0), typical * np.abs(slope))
        found = _march(_Events(path, now, np.maximum(sizes, SMALLEST_SIZE * terms)), Place(0.0, w), first, size)
    return End(_place(move.value, sign * first), _place(move.value, sign * found[0]), found[1], held.sides)


def _place(value: float, moved: float) -> float:
    end = value + moved
    return 0.0 if abs(end) <= AT_ZERO * abs(moved) < math.inf else end


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
    multipliers = system.active.spread(moved.rates, values.size)
    return np.concatenate([values - lower, upper - values, held.sides * multipliers])


def _sizes_of_terms(system: ActiveSystem) -> Vector:
    # What the event functions are differences of, in their own units: a slack of value and side, a multiplier of the
    # terms of grad L.
    program, result = system.result.program, system.result
    jacobian, _ = system.evaluation.derivatives(result.x, np.zeros(1 + program.m))
    lengths = np.concatenate([np.linalg.norm(jacobian[1:], axis=1), np.ones(program.n)])
    values = np.abs(np.concatenate([result.c, result.x]))
    sides = (np.abs(np.concatenate(pair)) for pair in zip(result.sides, result.bounds, strict=True))
    slacks = [np.maximum(values, np.where(np.isfinite(side), side, 0.0)) for side in sides]
    pressures = system.active.size / np.where(lengths > 0.0, lengths, 1.0)
    pressures[system.active.places] = system.active.units
    return np.concatenate([*(np.where(slack > 0.0, slack, 1.0) for slack in slacks), pressures])


def _scale(system: ActiveSystem, moved: Change, w: Vector, t: float) -> Vector:
    # What each unknown is, and what it changes by: a small multiplier that runs off to infinity must not hide behind
    # large variables.
    n = system.result.program.n
    rates = np.concatenate([moved.x, system.active.spread(moved.rates, w.size - n)])
    size = np.abs(w) + t * np.abs(rates)
    floors = [SMALLEST_SCALE * largest(part) or 1.0 for part in (size[:n], size[n:])]
    return np.asarray(np.maximum(size, np.repeat(floors, [n, w.size - n])))


def _first_crossing(now: Vector, slope: Vector) -> tuple[float, int]:
    falls = (slope < 0.0) & np.isfinite(now)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.where(falls, np.maximum(now, 0.0) / -slope, np.inf)
    index = int(times.argmin())
    return float(times[index]), index


class _Events:
    """The event functions along a path, relative to their sizes, and the places where they are known."""

    def __init__(self, path: SolutionPath, now: Vector, sizes: Vector) -> None:
        self._path, self._start, self._scale = path, now, sizes

    def advance(self, here: Place, t: float) -> Place:
        return self._path.advance(here, t)

    def at(self, place: Place) -> Vector | None:
        """The event functions; None where the sides have crossed each other."""
        try:
            found = event_values(self._path.derivatives, self._path.held, *self._path.setting(place.t), place.w)
        except CrossedSides:
            return None
        return np.asarray(found.ravel() / self._scale)

    def name(self, index: int) -> str:
        return event_name(self._path.derivatives, self._path.held, index)

    def negative(self, values: Vector | None) -> Mask:
        """Which event functions have been crossed; where the sides have crossed each other, all that there are."""
        return np.isfinite(self._start) if values is None else values < -TOLERANCE

    def fallen(self, values: Vector | None) -> int | None:
        """The event function that has come down to zero; None where none has."""
        if values is None:
            return None
        fell = np.where(self._start / self._scale > AT_ITS_END, values, np.inf)
        index = int(fell.argmin())
        return index if fell[index] <= AT_ITS_END else None


def _march(path: _Events, start: Place, first: float, size: float) -> tuple[float, str]:
    """Along the path until an event function is negative, then locate the earliest zero: where, and what it is.

    The functions are seen at both ends and in the middle of steps over which the path is nearly its tangents, and no
    step goes far beyond the next crossing that the last two ends foretell.
    """
    farthest = FARTHEST * max(size, first if np.isfinite(first) else 0.0)
    step = FIRST_STEP * (first if 0.0 < first < np.inf else size)
    here, values, end = start, path.at(start), None
    for _ in range(MOST_STEPS):
        if here.t > farthest:
            return math.inf, NO_LIMIT
        if end is not None and end.t - here.t <= CLOSE * end.t:
            return _at_the_end(path, here, end)
        there = path.advance(here, here.t + step)
        if there.t != here.t + step:
            end = there
            step = min(step, (end.t - here.t) / 2.0)
            continue
        if there.steps > 1:
            step /= 2.0
            continue
        middle = path.advance(here, here.t + step / 2.0)
        for place in (middle, there):
            if path.negative(path.at(place)).any():
                return _earliest(path, here, place)
        before, values = values, path.at(there)
        here, step = there, min(GROWTH * step, max(BEYOND * _foretold(before, values, step), SHORTEST * step))
    return here.t, NOT_FOLLOWED


def _foretold(before: Vector | None, now: Vector | None, step: float) -> float:
    """The time to the next crossing, by the line through the last two values of each event function."""
    if before is None or now is None:
        return math.inf
    known = np.isfinite(before) & np.isfinite(now)
    left, fall = np.maximum(now[known], 0.0), before[known] - now[known]
    falls = fall > TOLERANCE
    return float((left[falls] / fall[falls]).min(initial=math.inf)) * step


def _at_the_end(path: _Events, here: Place, end: Place) -> tuple[float, str]:
    values = path.at(end)
    if path.negative(values).any():
        return _earliest(path, here, end)
    ended_by = path.fallen(values)
    if ended_by is not None:
        return end.t, path.name(ended_by)
    return end.t, SINGULAR if end.finite else NOT_FINITE


def _earliest(path: _Events, here: Place, there: Place) -> tuple[float, str]:
    # The zero of the smallest event function that is negative there: its place, and which one it is.
    known = [here, there]
    crossed = path.negative(path.at(there))

    def smallest(t: float) -> float:
        place = max((place for place in known if place.t <= t), key=lambda place: place.t)
        if place.t != t:
            place = path.advance(place, t)
            known.append(place)
        values = path.at(place)
        # Where the path stops short of t, t is beyond its end.
        return -1.0 if values is None or place.t != t else float(values[crossed].min())

    zero = here.t
    if smallest(here.t) > 0.0:
        zero = scipy.optimize.brentq(smallest, here.t, there.t, xtol=LOCATED * there.t, rtol=LOCATED)
    nearest = max((place for place in known if place.t <= zero), key=lambda place: place.t)
    values = path.at(nearest)
    index = 0 if values is None else int(np.where(crossed, values, np.inf).argmin())
    return float(zero), path.name(index)
