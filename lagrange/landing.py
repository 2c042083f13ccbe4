"""Landing: the way from the user's x0 onto the manifold of the equality constraints, inside the bounds.

    minimize  sum_i ((x_i - x0_i) / size_i)^2 / 2   subject to the equality constraints and the bounds

is a program like any other, solved by the default method. The user's objective has no part in it and is not called,
and neither are constraints without equality rows, unless they are landed on too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lagrange.derivatives.evaluation import Block, Derivatives, Evaluation
from lagrange.derivatives.scaling import Scaling, StandardProgram
from lagrange.derivatives.supplied import supplied
from lagrange.model.constraint import Constraint
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.program import Definition, Program, float64_in_jax
from lagrange.model.settings import NEWTON_KKT
from lagrange.model.status import StopReason
from lagrange.newton.monitor import Monitor
from lagrange.newton.retraction import ON_MANIFOLD, Retraction, equations, relative_violation
from lagrange.result import Evaluations, Result
from lagrange.solve import solve_watched

PHASE = "landing"
TOLERANCE = 1e-10  # of a landing; the rest is rounding, which a retraction removes
FEASIBLE = 1e-8  # relative violation that counts as landed
# How far inside bounds and rows to land, relative to max(1, |side|) and to the width of the interval: as far as the
# barrier phase starts, less where that is impossible, and up to the sides themselves where there is no interior.
ROOM, LITTLE_ROOM, NO_ROOM = 1e-2, 1e-4, 0.0
BESIDE = 1e-2  # relative size of the move off an axis of symmetry
WIDEST = 100.0  # widths of boxes count as sizes up to this, relative to max(1, |x0|)
LARGEST_TRY = 40  # iterations of an attempt with room


def _nothing(x: Any) -> float:
    return 0.0


DISTANCE = supplied(_nothing, jacobian=_nothing, hessian=_nothing)
"""Stands for the distance in a definition: `land` puts the real one in, which changes with every x0."""


@dataclass(frozen=True)
class Landed:
    """A point on the manifold, or the result that says why there is none."""

    x: Vector
    calls: tuple[Evaluations, ...]
    failure: Result | None = None


class LandingMonitor(Monitor):
    """Counts a landing as a part of the whole solve. The objective is not known there: it is recorded as nan."""

    def __init__(self, whole: Monitor, limit: int | None) -> None:
        settings = replace(whole.settings, tol=TOLERANCE, method=NEWTON_KKT)
        super().__init__(settings, print, None)  # the whole prints and calls back
        self.whole, self.left, self.gave_up = whole, limit, False
        self.history, self.started = whole.history, whole.started

    def record(
        self,
        phase: str,
        x: Vector,
        objective: float,
        infeasibility: float,
        stationarity: float,
        mu: float = 0.0,
        delta: float = 0.0,
        step: float = 1.0,
    ) -> bool:
        """Note one iteration of the landing in the history of the whole solve."""
        go_on = self.whole.record(PHASE, x, math.nan, infeasibility, stationarity, mu, delta, step)
        self.stop = self.whole.stop
        if self.left is not None and go_on:
            self.left -= 1
            self.gave_up = self.left <= 0
            self.stop = StopReason.ITERATION_LIMIT if self.gave_up else None
        return go_on and not self.gave_up


def landing_definition(definition: Definition, p: Any, with_inequalities: bool) -> Definition:
    """The constraints with equality rows at p, or all constraints, with the distance for an objective."""
    kept = {
        name: constraint
        for name, constraint in definition.constraints.items()
        if with_inequalities or has_equations(constraint, p)
    }
    return replace(definition, objective=DISTANCE, maximize=False, constraints=kept)


def has_equations(constraint: Constraint, p: Any) -> bool:
    """True where some row has equal sides at p."""
    if constraint.equality:
        return True
    sides = constraint.lower, constraint.upper
    if p is None and any(callable(side) for side in sides):
        return False  # refused later, by name
    with float64_in_jax():
        lower, upper = (np.asarray(side(p) if callable(side) else side) for side in sides)
    return bool(np.any(lower == upper))


def land(derivatives: Derivatives, x0: Vector, p: Vector, monitor: Monitor) -> Landed:
    """The point nearest to x0 on the manifold, with room to its bounds and rows where there is room."""
    program = derivatives.program
    start = _moved_inside(program, x0, p)
    if has_room(program, start, p):
        return Landed(start, ())
    bounds, sides = program.bound_sides(p), program.row_sides(p)
    has_inside = any((np.isfinite(side) & (pair[0] != pair[1])).any() for pair in (bounds, sides) for side in pair)
    calls: tuple[Evaluations, ...] = ()
    # A start on an axis of symmetry may be a saddle of the violation: the last attempt begins beside it.
    alternating = 1.0 - 2.0 * (np.arange(x0.size) % 2)
    beside = x0 + BESIDE * np.maximum(1.0, np.abs(x0)) * alternating
    for room, begin in ((ROOM, x0), (LITTLE_ROOM, x0), (NO_ROOM, x0), (NO_ROOM, beside)):
        if room and not has_inside:
            continue
        landing = LandingMonitor(monitor, LARGEST_TRY if room else None)
        narrowed = replace(_towards(derivatives, x0, bounds), program=_narrowed(program, p, room))
        result = solve_watched(narrowed, begin, p, landing)
        calls = (*calls, result.evaluations)
        if result.residuals.relative_feasibility <= FEASIBLE:
            x = _refined(narrowed, result.x, p)
            if x is not None:
                return Landed(x, calls)
        monitor.stop = monitor.stop or (None if landing.gave_up else landing.stop)
        if monitor.stop is not None or result.stop is StopReason.NOT_FINITE:
            break
    return Landed(result.x, calls, _failure(result, program))


def has_room(program: Program, x: Vector, p: Vector) -> bool:
    """True where x is on the manifold already, with a little room to bounds and inequality rows."""
    c = np.concatenate([np.empty(0), *(program.evaluate(function, x, p) for function in program.constraints)])
    lower, upper = program.row_sides(p)
    equal = lower == upper
    violation = np.abs(c[equal] - lower[equal]) / np.maximum(1.0, np.abs(lower[equal]))
    low, high = narrowed(lower, upper, LITTLE_ROOM)
    inside = (c[~equal] >= low[~equal]) & (c[~equal] <= high[~equal])
    return bool((violation <= ON_MANIFOLD).all() and inside.all() and _within(x, program.bound_sides(p)).all())


def narrowed(lower: Vector, upper: Vector, room: float) -> tuple[Vector, Vector]:
    """Sides moved towards each other by room * min(max(1, |side|), width); equal sides stay.

    Examples
    --------
    >>> import numpy as np
    >>> narrowed(np.array([0.0, 2.0]), np.array([np.inf, 2.0]), 0.01)
    (array([0.01, 2.  ]), array([inf,  2.]))
    """
    width = upper - lower
    with np.errstate(invalid="ignore"):
        low = lower + np.where(np.isfinite(lower), room * np.minimum(np.maximum(1.0, np.abs(lower)), width), 0.0)
        high = upper - np.where(np.isfinite(upper), room * np.minimum(np.maximum(1.0, np.abs(upper)), width), 0.0)
    return low, high


def _within(x: Vector, bounds: tuple[Vector, Vector]) -> Mask:
    low, high = narrowed(*bounds, LITTLE_ROOM)
    return np.asarray((x >= low) & (x <= high))


def _moved_inside(program: Program, x: Vector, p: Vector) -> Vector:
    bounds = program.bound_sides(p)
    low, high = narrowed(*bounds, ROOM)
    return np.where(_within(x, bounds), x, np.minimum(np.maximum(x, low), high))


def _narrowed(program: Program, p: Vector, room: float) -> Program:
    """The program with this much room inside its bounds and rows."""
    bounds = tuple(program.variables.unflatten(side) for side in narrowed(*program.bound_sides(p), room))
    lower, upper = (program.by_constraint(side) for side in narrowed(*program.row_sides(p), room))
    constraints = {
        name: Constraint(constraint.function, lower[name], upper[name])
        for name, constraint in program.definition.constraints.items()
    }
    return replace(program, definition=replace(program.definition, bounds=bounds, constraints=constraints))


def _towards(derivatives: Derivatives, x0: Vector, bounds: tuple[Vector, Vector]) -> Derivatives:
    # sum_i ((x_i - x0_i) / size_i)^2 / 2
    weights = 1.0 / _sizes(x0, bounds) ** 2
    distance = Block(
        slice(0, 1),
        value=lambda x, p: np.array([0.5 * weights.dot((x - x0) ** 2)]),
        jacobian=lambda x, p: (weights * (x - x0))[None],
        hessian=lambda x, p, y: y[0] * np.diag(weights),
    )
    return replace(derivatives, blocks=(distance, *derivatives.blocks[1:]))


def _sizes(x0: Vector, bounds: tuple[Vector, Vector]) -> Vector:
    # What a move of a variable is relative to: its value and, within reason, the width of its box.
    values, width = np.maximum(1.0, np.abs(x0)), bounds[1] - bounds[0]
    return np.maximum(values, np.where(np.isfinite(width), np.minimum(width, WIDEST * values), 0.0))


def _refined(derivatives: Derivatives, x: Vector, p: Vector) -> Vector | None:
    """x, which is on the manifold to about 1e-8, to rounding; None where that is impossible."""
    program, evaluation = derivatives.program, Evaluation(derivatives, p)
    bounds, sides = program.bound_sides(p), program.row_sides(p)
    standard = StandardProgram(evaluation, bounds, sides, Scaling(1.0, np.ones(program.m)))
    form = standard.form
    low, high = (side[: form.n] for side in form.limits())
    free = x[form.free]
    _, J, _ = standard.derivatives(free, np.zeros(form.m), objective_weight=0.0)
    # Variables on their bounds stay there; where the others cannot do it alone, all may move.
    off_bounds = (free > low) & (free < high)
    for moving in (off_bounds, None):
        landed = Retraction(standard, J, low, high, moving)(free)
        if landed is not None:
            return standard.full_x(landed)
    violation = relative_violation(standard, equations(standard, free))
    return standard.full_x(free) if violation <= ON_MANIFOLD else None


def _failure(result: Result, program: Program) -> Result:
    """The result of a landing that failed, as one of the user's problem: its objective was never called."""
    residuals = replace(result.residuals, stationarity=math.nan, complementarity=math.nan)
    remark = "The objective was not called: no point that satisfies the constraints was found to start from."
    nan = math.nan
    return replace(
        result,
        program=program,
        objective=nan,
        y=np.full(program.m, nan),
        z=np.full(program.n, nan),
        sides=program.row_sides(result.p),
        bounds=program.bound_sides(result.p),
        residuals=residuals,
        success=False,
        message=f"{result.message} {remark}",
    )
