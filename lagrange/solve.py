"""One solve from end to end: scale, barrier phase, active-set phase, and then the truth about the point.

The verdict never comes from the loop: `success` means that the unscaled KKT residuals at the returned point were
computed afresh and are within tolerance, that multipliers exist, and that no negative curvature was found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.scaling import Scaling, StandardProgram, gradient_scaling
from lagrange.kkt.dependence import dependent_groups
from lagrange.kkt.residuals import Residuals, kkt_residuals
from lagrange.model.named_pytree import Vector
from lagrange.model.settings import Settings
from lagrange.model.status import PointKind, StopReason
from lagrange.newton import active_set_phase
from lagrange.newton.barrier import Barrier, Iterate
from lagrange.newton.barrier_phase import (
    FIRST_MU,
    BarrierOutcome,
    End,
    barrier_phase,
    least_squares_multipliers,
    starting_point,
)
from lagrange.newton.fritz_john import without_multipliers
from lagrange.newton.monitor import IterationRecord, Monitor
from lagrange.newton.second_order import active_jacobian, curvature, leave
from lagrange.result import Evaluations, Result, bound_name

RESTART_MU = 1e-4  # barrier parameter after leaving a saddle
LEAVINGS = 5  # saddles left at most
TIGHTENINGS = 3  # times the barrier's tolerance is tightened when the unscaled residuals are not met
TIGHTEN = 0.01
BLAMED = 1e-3  # shares of the largest contribution that earn a name


@dataclass(frozen=True)
class _Candidate:
    """A primal-dual point in the scaled standard form, with its active bounds."""

    x: Vector
    y: Vector
    z: Vector
    active: Vector
    polished: bool


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
    warm : Result or None
        A solution of a nearby problem: its multipliers and active set are tried first.
    """
    program = derivatives.program
    evaluation = Evaluation(derivatives, p)
    monitor = Monitor(settings, show, callback)
    bounds, sides = program.bound_sides(p), program.row_sides(p)
    x0 = np.where(bounds[0] == bounds[1], bounds[0], x0)
    weights = np.ones(1 + program.m)
    values = evaluation.values(x0)
    jacobian, hessian = evaluation.derivatives(x0, weights)
    bad = _not_finite(derivatives, x0, values, jacobian, hessian)
    if bad:
        return _failed_at_start(evaluation, x0, values, bounds, sides, monitor, bad)
    standard = StandardProgram(evaluation, bounds, sides, gradient_scaling(jacobian))
    if not standard.form.n:
        return _verdict(
            standard, BarrierOutcome(End.CONVERGED, _at_fixed(standard)), monitor, bounds, sides, jacobian
        )
    try:
        outcome = _search(standard, x0, monitor, bounds, sides, jacobian, warm)
    except KeyboardInterrupt:
        monitor.stop = StopReason.STOPPED_BY_USER
        outcome = BarrierOutcome(End.STOPPED, _best_so_far(standard, x0, monitor))
    return _verdict(standard, outcome, monitor, bounds, sides, jacobian)


def _search(
    standard: StandardProgram,
    x0: Vector,
    monitor: Monitor,
    bounds: tuple[Vector, Vector],
    sides: tuple[Vector, Vector],
    jacobian: Vector,
    warm: Result | None,
) -> BarrierOutcome:
    form, tol = standard.form, monitor.settings.tol
    if warm is not None:
        outcome = _from_warm(standard, x0, monitor, warm)
        if outcome is not None:
            return outcome
    if monitor.settings.max_iterations == 0:
        monitor.stop = StopReason.ITERATION_LIMIT
        return BarrierOutcome(End.STOPPED, starting_point(standard, x0[form.free]))
    it, mu, inner = starting_point(standard, x0[form.free]), FIRST_MU, tol
    leavings = tightenings = 0
    while True:
        outcome = barrier_phase(standard, it, monitor, inner, mu)
        if outcome.end not in (End.POLISHED, End.CONVERGED):
            return outcome
        point = _candidate(standard, outcome)
        residuals = _residuals(standard, point, bounds, sides)[0]
        if not residuals.within(tol) and outcome.end is End.CONVERGED and tightenings < TIGHTENINGS:
            tightenings, inner, it, mu = tightenings + 1, inner * TIGHTEN, outcome.iterate, inner * TIGHTEN
            continue
        if leavings < LEAVINGS and residuals.within(tol):
            bend = curvature(standard, point.x, point.y, point.z, point.active)
            if bend.kind is PointKind.SADDLE_OR_MAXIMUM:
                leavings += 1
                it = starting_point(standard, leave(standard, point.x, point.y, bend.direction))
                it = Iterate(it.v, it.y, RESTART_MU / it.d, it.d, it.f, it.h)
                mu = RESTART_MU
                continue
        return outcome


def _from_warm(standard: StandardProgram, x0: Vector, monitor: Monitor, warm: Result) -> BarrierOutcome | None:
    form, scaling = standard.form, standard.scaling
    if warm.x.size != x0.size or warm.y.size != scaling.rows.size:
        raise ValueError("warm must be a solution of the same problem: it has other variables or constraints")
    y = (warm.y * scaling.objective / np.where(scaling.rows > 0, scaling.rows, 1.0))[form.rows]
    sides = np.concatenate([warm.active_bounds[form.free], warm.active_rows[form.rows[form.equalities :]]])
    active = np.asarray(sides[form.index] == -form.sign)
    x = x0[form.free]
    f, c = standard.objective_and_rows(x)
    v = np.concatenate([x, c[form.equalities :]])
    barrier = Barrier(form)
    it = Iterate(v, y, np.zeros(form.index.size), barrier.distances(v), f, c)
    point = active_set_phase.polish(standard, it, active, monitor, monitor.settings.tol)
    return None if point is None else BarrierOutcome(End.POLISHED, it, point)


def _candidate(standard: StandardProgram, outcome: BarrierOutcome) -> _Candidate:
    if outcome.polished is not None:
        point = outcome.polished
        return _Candidate(point.x, point.y, point.z, point.active, True)
    form, it = standard.form, outcome.iterate
    x = it.v[: form.n].copy()
    on_x = form.index < form.n
    # The barrier works on bounds relaxed by 1e-8; the answer obeys the bounds as given.
    for mask, clip in ((on_x & (form.sign > 0), np.maximum), (on_x & (form.sign < 0), np.minimum)):
        x[form.index[mask]] = clip(x[form.index[mask]], form.bound[mask])
    return _Candidate(x, it.y, it.z, active_set_phase.guess(it), False)


def _residuals(
    standard: StandardProgram, point: _Candidate, bounds: tuple[Vector, Vector], sides: tuple[Vector, Vector]
) -> tuple[Residuals, Vector, Vector, Vector, Vector, Vector]:
    """Residuals at the user's scale, with x, F, the Jacobian of F, y and z that they were computed from."""
    evaluation = standard.evaluation
    x = standard.full_x(point.x)
    y, z = standard.unscaled_multipliers(point.y, point.z)
    values = evaluation.values(x)
    jacobian, _ = evaluation.derivatives(x, np.concatenate([[1.0], y]))
    fixed = bounds[0] == bounds[1]
    z = np.where(fixed, -(jacobian[0] + jacobian[1:].T @ y), z)
    residuals = kkt_residuals(values[0], values[1:], jacobian[0], jacobian[1:], x, y, z, bounds, sides)
    return residuals, x, values, jacobian, y, z


def _verdict(
    standard: StandardProgram,
    outcome: BarrierOutcome,
    monitor: Monitor,
    bounds: tuple[Vector, Vector],
    sides: tuple[Vector, Vector],
    jacobian_at_start: Vector,
) -> Result:
    form, program, tol = standard.form, standard.evaluation.program, monitor.settings.tol
    point = _candidate(standard, outcome)
    residuals, x, values, jacobian, y, z = _residuals(standard, point, bounds, sides)
    within = residuals.within(tol)
    active_rows, active_bounds = _active_sides(standard, point.active, bounds)
    dependent: list[tuple[str, ...]] = []
    blame: tuple[str, ...] = ()
    kind = PointKind.NOT_STATIONARY
    if outcome.end is End.INFEASIBLE_STATIONARY:
        kind = PointKind.INFEASIBLE_STATIONARY
        blame = _conflict(standard, outcome.iterate)
    elif outcome.end is End.UNBOUNDED:
        kind = PointKind.UNBOUNDED
        blame = _ray(program.variable_names, x)
    elif residuals.relative_feasibility <= np.sqrt(tol) and np.isfinite(residuals.stationarity):
        if not point.polished and _fritz_john(standard, point, jacobian, jacobian_at_start, active_rows, y, z):
            kind = PointKind.FRITZ_JOHN
            blame = tuple(_names(program.row_names, program.variable_names, active_rows, active_bounds))
        elif within:
            kind = PointKind.STRICT_MINIMUM
            if form.n:
                kind = curvature(standard, point.x, point.y, point.z, point.active).kind
    if within and kind is not PointKind.FRITZ_JOHN and form.n:
        _, J, _ = standard.derivatives(point.x, point.y)
        dependent = dependent_groups(
            active_jacobian(standard, J, point.active), _active_names(standard, point.active)
        )
    stop = _stop_reason(outcome, monitor, kind)
    success = kind.is_minimum
    if not form.n and not within:
        kind = PointKind.INFEASIBLE_STATIONARY
        blame = _violated(program.row_names, values[1:], sides, tol)
    return Result(
        program=program,
        x=x,
        p=standard.evaluation.p,
        objective=float(values[0]) * program.sign,
        c=values[1:],
        sides=sides,
        bounds=bounds,
        y=y,
        z=z,
        active_rows=active_rows,
        active_bounds=active_bounds,
        residuals=residuals,
        stop=stop,
        kind=kind,
        success=success,
        message=_message(stop, kind, success, tuple(dependent), blame),
        dependent=tuple(dependent),
        blame=blame,
        iterations=monitor.iterations,
        evaluations=_counts(standard.evaluation),
        seconds=time.perf_counter() - monitor.started,
        history=tuple(monitor.history),
        polished=point.polished,
    )


def _stop_reason(outcome: BarrierOutcome, monitor: Monitor, kind: PointKind) -> StopReason:
    if monitor.stop is not None:
        return monitor.stop
    if outcome.end is End.NOT_FINITE:
        return StopReason.NOT_FINITE
    if outcome.end is End.NO_PROGRESS and not kind.is_minimum:
        return StopReason.NO_PROGRESS
    return StopReason.CONVERGED


def _message(
    stop: StopReason,
    kind: PointKind,
    success: bool,
    dependent: tuple[tuple[str, ...], ...],
    blame: tuple[str, ...],
    detail: str = "",
) -> str:
    sentences = [f"{kind.label[0].upper()}{kind.label[1:]}."]
    if kind is PointKind.UNBOUNDED:
        sentences.append(f"The ray: {', '.join(blame)}.")
    elif blame:
        sentences.append(f"Involved: {', '.join(blame)}.")
    if detail:
        sentences.append(detail)
    if not success:
        if stop is not StopReason.CONVERGED:
            sentences.append(f"Stopped: {stop.label}. {stop.advice}")
        sentences.append(kind.advice)
    for group in dependent:
        if len(group) > 1:
            sentences.append(
                f"{group[0]} is linearly dependent on {', '.join(group[1:])}: their multipliers are not unique."
            )
        else:
            sentences.append(f"The gradient of {group[0]} is zero here: its multiplier is not determined.")
    return " ".join(sentences)


def _active_sides(
    standard: StandardProgram, active: Vector, bounds: tuple[Vector, Vector]
) -> tuple[Vector, Vector]:
    form = standard.form
    rows, on_bounds = np.zeros(standard.scaling.rows.size), np.zeros(form.x_fixed.size)
    rows[form.rows[: form.equalities]] = 1.0
    index, side = form.index[active], -form.sign[active]
    on_x = index < form.n
    on_bounds[form.free[index[on_x]]] = side[on_x]
    rows[form.rows[index[~on_x] - form.n + form.equalities]] = side[~on_x]
    on_bounds[bounds[0] == bounds[1]] = 1.0
    return rows, on_bounds


def _names(
    row_names: list[str], variable_names: list[str], active_rows: Vector, active_bounds: Vector
) -> list[str]:
    return [name for name, side in zip(row_names, active_rows, strict=True) if side] + [
        bound_name(name, side) for name, side in zip(variable_names, active_bounds, strict=True) if side
    ]


def _active_names(standard: StandardProgram, active: Vector) -> list[str]:
    # In the order of `active_jacobian`: equalities, active inequality rows, active bounds.
    form, program = standard.form, standard.evaluation.program
    on_row, on_x = active & (form.index >= form.n), active & (form.index < form.n)
    rows = np.concatenate([np.arange(form.equalities), form.index[on_row] - form.n + form.equalities])
    names = [program.row_names[i] for i in form.rows[rows]]
    return names + [
        bound_name(program.variable_names[form.free[form.index[k]]], -form.sign[k]) for k in np.flatnonzero(on_x)
    ]


def _fritz_john(
    standard: StandardProgram,
    point: _Candidate,
    jacobian: Vector,
    jacobian_at_start: Vector,
    active_rows: Vector,
    y: Vector,
    z: Vector,
) -> bool:
    # Rows turned so that multipliers of inequalities are nonnegative; every bound and row that is not at rest.
    scale = max(np.abs(y).max(initial=0.0), np.abs(z).max(initial=0.0))
    if not scale:
        return False
    rows = np.flatnonzero((np.abs(y) > 1e-6 * scale) | (active_rows != 0))
    variables = np.flatnonzero(np.abs(z) > 1e-6 * scale)
    signs = np.concatenate([np.where(y[rows] < 0, -1.0, 1.0), np.where(z[variables] < 0, -1.0, 1.0)])
    A = np.concatenate([jacobian[1:][rows], np.eye(z.size)[variables]])
    before = np.abs(np.concatenate([jacobian_at_start[1:][rows], np.eye(z.size)[variables]])).max(axis=1)
    equality = np.concatenate(
        [np.isin(rows, standard.form.rows[: standard.form.equalities]), np.zeros(variables.size, dtype=bool)]
    )
    return without_multipliers(
        jacobian[0], signs[:, None] * A, signs * np.concatenate([y[rows], z[variables]]), equality, before
    )


def _conflict(standard: StandardProgram, it: Iterate) -> tuple[str, ...]:
    # The certificate J'h = gamma D'z: rows and bounds with a share in it.
    form, program = standard.form, standard.evaluation.program
    share = np.abs(it.h) / np.abs(it.h).max()
    names = [program.row_names[form.rows[i]] for i in np.flatnonzero(share > BLAMED)]
    on_x = (form.index < form.n) & (it.z > BLAMED * np.abs(it.y).max()) & (it.z > it.d)
    names += [
        bound_name(program.variable_names[form.free[form.index[k]]], -form.sign[k]) for k in np.flatnonzero(on_x)
    ]
    return tuple(names)


def _ray(names: list[str], x: Vector) -> tuple[str, ...]:
    direction = x / np.abs(x).max()
    return tuple(f"{names[i]} {direction[i]:+.3g}" for i in np.flatnonzero(np.abs(direction) > BLAMED))


def _violated(names: list[str], c: Vector, sides: tuple[Vector, Vector], tol: float) -> tuple[str, ...]:
    outside = np.maximum(sides[0] - c, c - sides[1])
    return tuple(names[i] for i in np.flatnonzero(outside > tol))


def _not_finite(
    derivatives: Derivatives, x: Vector, values: Vector, jacobian: Vector, hessian: Vector
) -> str:
    """A sentence that names the first function value or derivative at x0 that is not finite; "" if all are."""
    program = derivatives.program
    titles = [program.objective.title, *(f"constraint {name!r}" for name in program.row_names)]
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        return f"{titles[wrong[0]]} is {values[wrong[0]]} at x0 = {_at(program.variable_names, x)}."
    places = np.argwhere(~np.isfinite(jacobian))
    if places.size:
        i, j = places[0]
        return (
            f"the derivative of {titles[i]} with respect to {program.variable_names[j]} is {jacobian[i, j]} "
            f"at x0 = {_at(program.variable_names, x)}."
        )
    places = np.argwhere(~np.isfinite(hessian))
    if places.size:
        i, j = places[0]
        names = program.variable_names
        return f"the second derivative with respect to {names[i]} and {names[j]} is not finite at x0 = {_at(names, x)}."
    return ""


def _at(names: list[str], x: Vector) -> str:
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in list(zip(names, x, strict=True))[:8])
    return shown + (", ..." if len(names) > 8 else "")


def _failed_at_start(
    evaluation: Evaluation,
    x: Vector,
    values: Vector,
    bounds: tuple[Vector, Vector],
    sides: tuple[Vector, Vector],
    monitor: Monitor,
    what: str,
) -> Result:
    program = evaluation.program
    nan = float("nan")
    residuals = Residuals(nan, nan, nan, 1.0, nan, 1.0)
    stop, kind = StopReason.NOT_FINITE, PointKind.NOT_STATIONARY
    return Result(
        program=program,
        x=x,
        p=evaluation.p,
        objective=float(values[0]) * program.sign,
        c=values[1:],
        sides=sides,
        bounds=bounds,
        y=np.full(program.m, nan),
        z=np.full(program.n, nan),
        active_rows=np.zeros(program.m),
        active_bounds=np.zeros(program.n),
        residuals=residuals,
        stop=stop,
        kind=kind,
        success=False,
        message=_message(stop, kind, False, (), (), what[0].upper() + what[1:]),
        dependent=(),
        blame=(),
        iterations=0,
        evaluations=_counts(evaluation),
        seconds=time.perf_counter() - monitor.started,
        history=(),
        polished=False,
    )


def _counts(evaluation: Evaluation) -> Evaluations:
    return Evaluations(evaluation.value_calls, evaluation.derivative_calls, evaluation.seconds)


def _at_fixed(standard: StandardProgram) -> Iterate:
    form = standard.form
    f, c = standard.objective_and_rows(np.empty(0))
    v = c[form.equalities :]
    h = c.copy()
    h[form.equalities :] = 0.0
    return Iterate(v, np.zeros(form.m), np.zeros(form.index.size), form.distances(v), f, h)


def _best_so_far(standard: StandardProgram, x0: Vector, monitor: Monitor) -> Iterate:
    # The recorded point with the smallest residuals.
    form = standard.form
    x = x0
    if monitor.history:
        x = min(monitor.history, key=lambda entry: max(entry.infeasibility, entry.stationarity)).x
    f, c = standard.objective_and_rows(x[form.free])
    v = Barrier(form).interior(np.concatenate([x[form.free], c[form.equalities :]]))
    h = c.copy()
    h[form.equalities :] -= v[form.n :]
    it = Iterate(v, np.zeros(form.m), np.zeros(form.index.size), Barrier(form).distances(v), f, h)
    y = least_squares_multipliers(standard, it)
    return Iterate(v, y, it.z, it.d, f, h)


__all__ = ["Scaling", "solve"]
