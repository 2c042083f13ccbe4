"""One solve by the feasible path from end to end: land, scale, follow the path, leave saddles, verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lagrange.blame import not_finite
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.scaling import StandardProgram, gradient_scaling
from lagrange.landing import PHASE as LANDING
from lagrange.landing import Landed, has_room, land, landing_definition
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Definition, bind
from lagrange.model.reductions import largest, total
from lagrange.model.settings import Settings
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.active_set_phase import ActivePoint
from lagrange.newton.barrier_phase import FIRST_MU, End, Outcome
from lagrange.newton.feasible_ending import feasible_ending
from lagrange.newton.feasible_path import feasible_path
from lagrange.newton.monitor import IterationRecord, Monitor
from lagrange.newton.retraction import Retraction
from lagrange.newton.second_order import LEAVING_STEPS, PENALTY
from lagrange.remedies import LEAVINGS, RESTART_MU, TIGHTEN, TIGHTENINGS
from lagrange.result import Evaluations, Result
from lagrange.solve import unmoved, warm_guess
from lagrange.verdict import Judged, failed_at_start, judge, verdict

Derive = Callable[[Definition, Any, Any], tuple[Derivatives, Vector, Vector]]
"""(definition, x0, p) -> derivatives of the program bound at x0, flat x0, flat p."""


def solve_on_manifold(
    definition: Definition,
    derive: Derive,
    x0: Any,
    p: Any,
    settings: Settings,
    show: Callable[[str], None] = print,
    callback: Callable[[IterationRecord], object] | None = None,
    warm: Result | None = None,
) -> Result:
    """Solve the problem of this definition from x0 without leaving the manifold of its equality constraints.

    The objective is looked at for the first time at the landed point. Where there is none, the result tells which
    constraints are in the way; it belongs to the program that was landed on, and its objective is nan.

    Parameters
    ----------
    derive : callable
        Binds a definition at a point and derives its functions.
    show, warm
        As for `lagrange.solve.solve`.
    """
    monitor = Monitor(settings, show, callback)
    ground = _Ground(definition, derive, p, monitor)
    landed, x_tree = ground.land(x0)
    if landed.failure is not None:
        return _with_calls(landed.failure, ground.calls)
    derivatives, x, p_flat = derive(definition, x_tree, p)
    program, evaluation = derivatives.program, Evaluation(derivatives, p_flat)
    bounds, sides = program.bound_sides(p_flat), program.row_sides(p_flat)
    values = evaluation.values(x)
    jacobian, hessian = evaluation.derivatives(x, np.eye(1 + program.m)[0])
    problem = not_finite(program, x, values, jacobian, hessian, "the landed x")
    if problem:
        return failed_at_start(evaluation, x, values, bounds, sides, monitor, problem)
    standard = StandardProgram(evaluation, bounds, sides, gradient_scaling(x, values, jacobian, hessian, sides))
    free = x[standard.form.free]
    try:
        outcome, judged = _search(standard, free, monitor, ground, warm)
    except KeyboardInterrupt:
        monitor.stop = StopReason.STOPPED_BY_USER
        outcome = Outcome(End.STOPPED, None, _best_so_far(standard, free, monitor))
        judged = judge(standard, outcome, settings.tol, around=False)
    result = verdict(standard, outcome, judged, monitor, jacobian)
    return _with_calls(result, [*ground.calls, result.evaluations])


class _Ground:
    """The manifold as a place to land on: from x0, and again from beside a saddle on a bound."""

    def __init__(self, definition: Definition, derive: Derive, p: Any, monitor: Monitor) -> None:
        self.p, self.derive, self.monitor = p, derive, monitor
        self.equations = landing_definition(definition, p, with_inequalities=False)
        self.all_rows = landing_definition(definition, p, with_inequalities=True)
        self.calls: list[Evaluations] = []

    def land(self, x: Any) -> tuple[Landed, Any]:
        """The landed point, flat and like x: on the equations alone, then on all rows if inequalities ask for it."""
        landed, tree, p_flat = self._land(self.equations, x)
        if landed.failure is None and len(self.equations.constraints) < len(self.all_rows.constraints):
            program = bind(self.all_rows, tree, self.p)
            if not has_room(program, landed.x, p_flat):
                landed, tree, _ = self._land(self.all_rows, tree)
        return landed, tree

    def _land(self, definition: Definition, x: Any) -> tuple[Landed, Any, Vector]:
        derivatives, x_flat, p_flat = self.derive(definition, x, self.p)
        landed = land(derivatives, x_flat, p_flat, self.monitor)
        self.calls += landed.calls
        return landed, derivatives.program.variables.unflatten(landed.x), p_flat


@dataclass
class _Plan:
    """From where the path is followed next."""

    x: Vector
    mu: float = FIRST_MU
    z: Vector | None = None


def _search(
    standard: StandardProgram, x: Vector, monitor: Monitor, ground: _Ground, warm: Result | None
) -> tuple[Outcome, Judged]:
    tol = inner = monitor.settings.tol
    plan, leavings, tightenings = _Plan(x), 0, 0
    outcome = _open(standard, x, monitor, warm)
    while True:
        outcome = outcome or feasible_path(standard, plan.x, monitor, inner, plan.mu, plan.z)
        judged = judge(standard, outcome, tol, around=False)
        if outcome.end not in (End.POLISHED, End.CONVERGED):
            return outcome, judged
        it = outcome.iterate
        if judged.bend is None and it is not None and tightenings < TIGHTENINGS:
            # The scaled problem is solved, but the user's is not: solve it more sharply.
            tightenings += 1
            inner *= TIGHTEN
            plan = _Plan(it.v[: standard.form.n], inner, it.z)
        elif judged.bend is not None and judged.bend.kind is PointKind.SADDLE_OR_MAXIMUM and leavings < LEAVINGS:
            leavings += 1
            beside = _beside(standard, judged.point, judged.bend.direction)
            if beside is None or monitor.stop is not None:
                return outcome, judged
            landed, _ = ground.land(standard.evaluation.program.variables.unflatten(standard.full_x(beside)))
            if landed.failure is not None:
                return outcome, judged
            plan = _Plan(landed.x[standard.form.free], RESTART_MU)
        else:
            return outcome, judged
        outcome = None


def _open(standard: StandardProgram, x: Vector, monitor: Monitor, warm: Result | None) -> Outcome | None:
    """What can be had without following the path."""
    if not standard.form.n:
        return Outcome(End.CONVERGED, None, unmoved(standard, x))
    if monitor.settings.max_iterations == 0:
        monitor.stop = StopReason.ITERATION_LIMIT
    if monitor.stop is None and warm is not None:
        y, active = warm_guess(standard, warm)
        point = feasible_ending(standard, x, y, active, monitor, monitor.settings.tol)
        if point is not None:
            return Outcome(End.POLISHED, None, point)
    return None if monitor.stop is None else Outcome(End.STOPPED, None, unmoved(standard, x))


def _beside(standard: StandardProgram, point: ActivePoint, direction: Vector) -> Vector | None:
    """The point of the manifold above x +- step direction with the lowest f + nu |violated rows|; None without any."""
    form = standard.form
    x, penalty = point.x, 1.0 + PENALTY * largest(point.y)
    low, high = (side[: form.n] for side in form.limits())
    _, J, _ = standard.derivatives(x, point.y)
    retract = Retraction(standard, J, low, high)
    best, best_value = None, np.inf
    for step in LEAVING_STEPS:
        for sign in (1.0, -1.0):
            trial = retract(form.within_bounds(x + sign * step * max(1.0, largest(x)) * direction))
            if trial is None:
                continue
            f, c = standard.objective_and_rows(trial)
            outside = np.minimum(0.0, form.distances(np.concatenate([trial, c[form.equalities :]])))
            value = f + penalty * total(outside)
            if value < best_value:
                best, best_value = trial, value
    return best


def _best_so_far(standard: StandardProgram, x: Vector, monitor: Monitor) -> ActivePoint:
    # The recorded point of the path with the smallest residuals: the landing was elsewhere.
    path = [entry for entry in monitor.history if entry.phase != LANDING]
    if not path:
        return unmoved(standard, x)
    best = min(path, key=lambda entry: entry.stationarity)
    return unmoved(standard, best.x[standard.form.free])


def _with_calls(result: Result, calls: list[Evaluations]) -> Result:
    # The landings count too.
    return replace(
        result,
        evaluations=Evaluations(
            sum(each.values for each in calls),
            sum(each.derivatives for each in calls),
            sum(each.seconds for each in calls),
        ),
    )
