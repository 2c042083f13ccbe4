"""One solve from end to end: scale, open with full Newton steps, barrier phase, active-set phase, verdict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lagrange.blame import not_finite
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.scaling import StandardProgram, gradient_scaling
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import finite
from lagrange.model.settings import Settings
from lagrange.model.standard_form import standard_form
from lagrange.model.status import PointKind, StopReason
from lagrange.newton import active_set_phase
from lagrange.newton.active_set_phase import ActivePoint
from lagrange.newton.barrier import Barrier
from lagrange.newton.barrier_phase import End, Outcome, barrier_phase
from lagrange.newton.monitor import IterationRecord, Monitor
from lagrange.newton.starting_point import starting_point
from lagrange.remedies import REMEDIES, Attempt
from lagrange.result import Result
from lagrange.verdict import Judged, failed_at_start, judge, verdict

SAME_OBJECTIVE = 1e-13  # relative differences below this are rounding


def solve(
    derivatives: Derivatives,
    x0: Vector,
    p: Vector,
    settings: Settings,
    show: Callable[[str], None] = print,
    callback: Callable[[IterationRecord], object] | None = None,
    warm: Result | None = None,
) -> Result:
    """Solve the program of these derivatives from x0 at parameters p.

    Parameters
    ----------
    show : callable
        Takes the lines of the progress table.
    warm : Result or None
        A solution of a nearby problem: its multipliers and active set are tried first.
    """
    return solve_watched(derivatives, x0, p, Monitor(settings, show, callback), warm)


def solve_watched(
    derivatives: Derivatives, x0: Vector, p: Vector, monitor: Monitor, warm: Result | None = None
) -> Result:
    """The same under this monitor, which has the settings."""
    program = derivatives.program
    evaluation = Evaluation(derivatives, p)
    bounds, sides = program.bound_sides(p), program.row_sides(p)
    x0 = np.where(bounds[0] == bounds[1], bounds[0], x0)
    values = evaluation.values(x0)
    objective_only = np.concatenate([[1.0], np.zeros(program.m)])
    jacobian, hessian = evaluation.derivatives(x0, objective_only)
    problem = not_finite(program, x0, values, jacobian, hessian)
    if problem and np.isnan(p).any():
        problem = f"The parameter {program.parameters.names()[np.isnan(p).argmax()]} is nan. {problem}"
    if problem:
        # A function may be undefined on or beyond a bound; the solver starts inside anyway.
        inside = _inside(x0, bounds)
        values = evaluation.values(inside)
        jacobian, hessian = evaluation.derivatives(inside, objective_only)
        if not finite(values, jacobian, hessian):
            return failed_at_start(evaluation, x0, evaluation.values(x0), bounds, sides, monitor, problem)
        x0 = inside
    standard = StandardProgram(evaluation, bounds, sides, gradient_scaling(x0, values, jacobian, hessian, sides))
    x = x0[standard.form.free]
    try:
        outcome, judged = _search(standard, x, monitor, warm)
    except KeyboardInterrupt:
        monitor.stop = StopReason.STOPPED_BY_USER
        outcome = Outcome(End.STOPPED, None, _best_so_far(standard, x, monitor))
        judged = judge(standard, outcome, monitor.settings.tol)
    return verdict(standard, outcome, judged, monitor, jacobian)


def _inside(x: Vector, bounds: tuple[Vector, Vector]) -> Vector:
    form = standard_form(*bounds, np.empty(0), np.empty(0))
    inside = form.x_fixed.copy()
    inside[form.free] = Barrier(form).interior(x[form.free])
    return inside


def _search(standard: StandardProgram, x: Vector, monitor: Monitor, warm: Result | None) -> tuple[Outcome, Judged]:
    opened, last = _open(standard, x, monitor, warm)
    if opened is None:
        return _attempts(standard, monitor, last)
    outcome, judged = _attempts(standard, monitor, last, opened)
    if outcome is opened and monitor.stop is None and _is_doubtful(judged):
        # Full steps may end in a corner where the objective is flat: see where the barrier phase leads.
        again = _attempts(standard, monitor, x)
        f, f_again = float(judged.seen.values[0]), float(again[1].seen.values[0])
        if again[1].bend is not None and f_again <= f + SAME_OBJECTIVE * max(1.0, abs(f)):
            return again
    return outcome, judged


def _attempts(
    standard: StandardProgram, monitor: Monitor, x: Vector, outcome: Outcome | None = None
) -> tuple[Outcome, Judged]:
    """The barrier phase from x, or what the opening has led to, with all the remedies that help."""
    tol = monitor.settings.tol
    attempt = Attempt(starting_point(standard, x) if outcome is None else None, tol)
    left = dict(REMEDIES)
    while True:
        if outcome is None:
            assert attempt.it is not None
            outcome = barrier_phase(standard, attempt.it, monitor, attempt.tol, attempt.mu, attempt.relaxation)
        judged = judge(standard, outcome, tol)
        for remedy in left:
            following = remedy(standard, attempt, outcome, judged) if left[remedy] else None
            if following is not None:
                left[remedy] -= 1
                break
        else:
            return outcome, judged
        attempt, outcome = following, None


def _is_doubtful(judged: Judged) -> bool:
    return judged.bend is not None and judged.bend.weak and judged.bend.kind is PointKind.MINIMUM_NOT_STRICT


def _open(standard: StandardProgram, x: Vector, monitor: Monitor, warm: Result | None) -> tuple[Outcome | None, Vector]:
    """What can be had without the barrier phase: an outcome or None, and the x to go on from."""
    tol = monitor.settings.tol
    if not standard.form.n:
        return Outcome(End.CONVERGED, None, unmoved(standard, x)), x
    if monitor.settings.max_iterations == 0:
        monitor.stop = StopReason.ITERATION_LIMIT
        return Outcome(End.STOPPED, None, unmoved(standard, x)), x
    if warm is not None:
        y, active = warm_guess(standard, warm)
        point = active_set_phase.polish(standard, standard.form.within_bounds(x), y, active, monitor, tol)
        if point is not None:
            return Outcome(End.POLISHED, None, point), x
    if monitor.stop is not None:
        return Outcome(End.STOPPED, None, unmoved(standard, x)), x
    converged, last = active_set_phase.opening(standard, x, monitor, tol)
    if converged:
        return Outcome(End.POLISHED, None, last), last.x
    return None if monitor.stop is None else Outcome(End.STOPPED, None, last), last.x


def warm_guess(standard: StandardProgram, warm: Result) -> tuple[Vector, Mask]:
    """Multipliers and active set of a solution of a nearby problem, in the scaled standard form."""
    form, scaling = standard.form, standard.scaling
    if warm.x.size != form.x_fixed.size or warm.y.size != scaling.rows.size:
        raise ValueError("warm must be a solution of the same problem: it has other variables or constraints")
    y = np.nan_to_num(warm.y * scaling.objective / scaling.rows)[form.rows]
    sides = np.concatenate([warm.active_bounds[form.free], warm.active_rows[form.rows[form.equalities :]]])
    return y, np.asarray(sides[form.index] == -form.sign)


def unmoved(standard: StandardProgram, x: Vector) -> ActivePoint:
    """x within its bounds, without multipliers."""
    form = standard.form
    none = np.zeros(form.index.size)
    return ActivePoint(form.within_bounds(x), np.zeros(form.m), none, none > 0)


def _best_so_far(standard: StandardProgram, x: Vector, monitor: Monitor) -> ActivePoint:
    # The recorded point with the smallest residuals.
    if not monitor.history:
        return unmoved(standard, x)
    best = min(monitor.history, key=lambda entry: max(entry.infeasibility, entry.stationarity))
    return unmoved(standard, best.x[standard.form.free])
