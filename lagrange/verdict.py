"""The truth about the point where a search ended.

It never comes from the loop: `success` means that the unscaled KKT residuals at the returned point were computed
afresh and are within tolerance, that multipliers exist, and that no negative curvature was found.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from lagrange.blame import conflict, not_finite, ray, violated
from lagrange.derivatives.evaluation import Evaluation
from lagrange.derivatives.scaling import StandardProgram
from lagrange.kinks import kinks
from lagrange.kkt.dependence import dependent_groups
from lagrange.kkt.residuals import Residuals, kkt_residuals
from lagrange.model.named_pytree import Mask, Vector, point_text
from lagrange.model.reductions import largest
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.active_set_phase import ActivePoint, guess
from lagrange.newton.barrier_phase import End, Outcome
from lagrange.newton.fritz_john import without_multipliers
from lagrange.newton.monitor import Monitor
from lagrange.newton.second_order import Curvature, active_jacobian, curvature
from lagrange.result import Evaluations, Result, bound_name

ON_THE_BOUND = 1e-12  # distances below this, relative, are rounding
KINK = (
    "The residuals are small, but there is a kink in {} here: the slope jumps, and what is computed of it is no "
    "derivative. Instead of max(a, b) <= c write a <= c and b <= c; instead of minimizing max(a, b) minimize t with "
    "t >= a and t >= b; or start elsewhere."
)
MODEST = 1e2  # multipliers in the scaled problem up to here are no sign that there are none ...
EXPLODED = 1e10  # ... and beyond they are, whatever the residuals
AT_REST = 1e-6  # multipliers below this, relative to the largest, have no part in the Fritz John test


@dataclass(frozen=True)
class Examined:
    """A candidate in the user's units, with functions evaluated afresh."""

    x: Vector
    y: Vector
    z: Vector
    values: Vector  # (signed f, c)
    jacobian: Vector
    hessian: Vector  # of f + y . c
    residuals: Residuals


@dataclass(frozen=True)
class Judged:
    """A candidate, its residuals, and its curvature where it is stationary."""

    point: ActivePoint
    seen: Examined
    bend: Curvature | None
    remark: str = ""  # why the residuals alone do not make it stationary
    kinks: tuple[str, ...] = ()  # the functions whose derivatives tell nothing here


def candidate(standard: StandardProgram, outcome: Outcome) -> ActivePoint:
    """The point to be judged: the active-set phase's, or the barrier's moved within the bounds as given."""
    if outcome.point is not None:
        return outcome.point
    it = outcome.iterate
    assert it is not None
    return ActivePoint(standard.form.within_bounds(it.v[: standard.form.n]), it.y, it.z, guess(it))


def examine(standard: StandardProgram, point: ActivePoint) -> Examined:
    """Evaluate everything at the point and compute the unscaled residuals."""
    evaluation, bounds = standard.evaluation, standard.bounds
    x = standard.full_x(point.x)
    y, z = standard.unscaled_multipliers(point.y, point.z)
    values = evaluation.values(x)
    jacobian, hessian = evaluation.derivatives(x, np.concatenate([[1.0], y]))
    # The multipliers of fixed variables are what stationarity leaves over.
    z = np.where(bounds[0] == bounds[1], -(jacobian[0] + jacobian[1:].T @ y), z)
    scaling = standard.scaling
    typical = scaling.typical_gradient, scaling.typical_value, scaling.row_sizes
    residuals = kkt_residuals(
        float(values[0]),
        values[1:],
        jacobian[0],
        jacobian[1:],
        x,
        y,
        z,
        bounds,
        standard.sides,
        *typical,
    )
    return Examined(x, y, z, values, jacobian, hessian, residuals)


def judge(standard: StandardProgram, outcome: Outcome, tol: float, around: bool = True) -> Judged:
    """Examine the candidate of an outcome; look at the curvature where it is stationary.

    Parameters
    ----------
    around : whether functions may be called beside the point: for kinks, and where curvature decides nothing
    """
    point = candidate(standard, outcome)
    seen = examine(standard, point)
    # What lies exactly on its bound is active too, though its multiplier be zero.
    form = standard.form
    _, c = standard.objective_and_rows(point.x)
    d = form.distances(np.concatenate([point.x, c[form.equalities :]]))
    point = replace(point, active=point.active | (np.abs(d) <= ON_THE_BOUND * standard.bound_sizes))
    if not standard.form.n or not seen.residuals.within(tol):
        return Judged(point, seen, None)
    rows, _ = _active_sides(standard, point.active)
    matters = np.concatenate([[1.0], rows]) != 0.0
    kinked = kinks(standard, seen.x, seen.values, seen.jacobian, matters) if around else ()
    if kinked:
        return Judged(point, seen, None, KINK.format(" and ".join(kinked)), kinked)
    bend = curvature(standard, point.x, point.y, point.z, point.active, around)
    if bend.kind is PointKind.NOT_STATIONARY:
        remark = (
            f"The residuals are small, but the next Newton step would still change x by {bend.step_left:.2g} "
            f"relative to its size: the objective may go on without end, or reach its limit only at infinity."
        )
        return Judged(point, seen, None, remark)
    return Judged(point, seen, bend)


def verdict(
    standard: StandardProgram, outcome: Outcome, judged: Judged, monitor: Monitor, jacobian_at_start: Vector
) -> Result:
    """The `Result` of a search that ended with this outcome."""
    program, tol = standard.evaluation.program, monitor.settings.tol
    point, seen, bend = judged.point, judged.seen, judged.bend
    polished = outcome.end is End.POLISHED
    active_rows, active_bounds = _active_sides(standard, point.active)
    kind = PointKind.NOT_STATIONARY
    blame: tuple[str, ...] = ()
    dependent: tuple[tuple[str, ...], ...] = ()
    if outcome.end is End.INFEASIBLE_STATIONARY and outcome.iterate is not None:
        kind, blame = PointKind.INFEASIBLE_STATIONARY, conflict(standard, outcome.iterate)
    elif outcome.end is End.UNBOUNDED:
        kind, blame = PointKind.UNBOUNDED, ray(program.variable_names, seen.x)
    elif not standard.form.n:
        within = seen.residuals.within(tol)
        kind = PointKind.STRICT_MINIMUM if within else PointKind.INFEASIBLE_STATIONARY
        blame = violated(program.row_names, seen.values[1:], standard.sides, tol)
    elif (
        _is_doubtful(outcome, judged)
        and seen.residuals.relative_feasibility <= math.sqrt(tol)
        and _no_multipliers(standard, seen, active_rows, jacobian_at_start)
    ):
        kind, blame = PointKind.FRITZ_JOHN, tuple(_names(standard, active_rows, active_bounds))
    elif bend is not None:
        kind = bend.kind
        if not bend.independent:
            _, J, _ = standard.derivatives(point.x, point.y)
            A = active_jacobian(standard, J, point.active)
            dependent = tuple(dependent_groups(A, _names_in_order(standard, point.active)))
    stop = _stop_reason(outcome, monitor, kind)
    remark = judged.remark
    if stop is StopReason.NOT_FINITE:
        remark = not_finite(program, seen.x, seen.values, seen.jacobian, seen.hessian, "x") or (
            f"A function is not finite just beyond x = ({point_text(program.variable_names, seen.x)})."
        )
    return Result(
        program=program,
        x=seen.x,
        p=standard.evaluation.p,
        objective=float(seen.values[0]) * program.sign,
        c=seen.values[1:],
        sides=standard.sides,
        bounds=standard.bounds,
        y=seen.y + 0.0,  # no negative zeros
        z=seen.z + 0.0,
        active_rows=active_rows,
        active_bounds=active_bounds,
        residuals=seen.residuals,
        stop=stop,
        kind=kind,
        success=kind.is_minimum,
        message=_message(stop, kind, dependent, blame, remark, program.sign),
        dependent=dependent,
        blame=blame,
        iterations=monitor.iterations,
        evaluations=_counts(standard.evaluation),
        seconds=time.perf_counter() - monitor.started,
        history=tuple(monitor.history),
        polished=polished,
        derivatives=(seen.jacobian, seen.hessian),
    )


def _is_doubtful(outcome: Outcome, judged: Judged) -> bool:
    """Multipliers that balance the gradient only because they are huge, or that do not: there may be none."""
    size = largest(judged.point.y)
    if judged.bend is not None and size <= MODEST:
        return False
    return outcome.end in (End.CONVERGED, End.NO_PROGRESS) or size > EXPLODED


def failed_at_start(
    evaluation: Evaluation,
    x: Vector,
    values: Vector,
    bounds: tuple[Vector, Vector],
    sides: tuple[Vector, Vector],
    monitor: Monitor,
    problem: str,
) -> Result:
    """The `Result` of a solve that could not start, for the reason that the sentence `problem` gives."""
    program = evaluation.program
    nan = math.nan
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
        residuals=Residuals(nan, nan, nan, 1.0, nan, 1.0),
        stop=stop,
        kind=kind,
        success=False,
        message=f"{problem} {_message(stop, kind, (), ())}",
        dependent=(),
        blame=(),
        iterations=0,
        evaluations=_counts(evaluation),
        seconds=time.perf_counter() - monitor.started,
        history=(),
        polished=False,
    )


def _stop_reason(outcome: Outcome, monitor: Monitor, kind: PointKind) -> StopReason:
    limited = monitor.stop in (StopReason.ITERATION_LIMIT, StopReason.TIME_LIMIT)
    if monitor.stop is not None and not (limited and kind.is_minimum):  # the last allowed step may arrive
        return monitor.stop
    if outcome.end is End.NOT_FINITE:
        return StopReason.NOT_FINITE
    return StopReason.NO_PROGRESS if kind is PointKind.NOT_STATIONARY else StopReason.CONVERGED


def _message(
    stop: StopReason,
    kind: PointKind,
    dependent: tuple[tuple[str, ...], ...],
    blame: tuple[str, ...],
    remark: str = "",
    sign: float = 1.0,
) -> str:
    label = kind.label.replace("minimum", "maximum") if kind.is_minimum and sign < 0.0 else kind.label
    sentences = [f"{label[0].upper()}{label[1:]}."]
    if blame:
        sentences.append(f"{'The ray' if kind is PointKind.UNBOUNDED else 'Involved'}: {', '.join(blame)}.")
    if remark:
        sentences.append(remark)
    if stop is not StopReason.CONVERGED:
        sentences.append(f"Stopped: {stop.label}. {stop.advice}")
    if not kind.is_minimum:
        sentences.append(kind.advice.replace("falls", "rises") if sign < 0.0 else kind.advice)
    for first, *others in dependent:
        if others:
            sentences.append(
                f"{first} depends linearly on {', '.join(others)}: their multipliers are not unique. A right side may "
                f"have two prices: sensitivity().shadow_prices."
            )
        else:
            sentences.append(f"The gradient of {first} is zero here: its multiplier is not determined.")
    return " ".join(sentences)


def _active_sides(standard: StandardProgram, active: Mask) -> tuple[Vector, Vector]:
    # -1, 0, +1 for the user's rows and variables; equalities and fixed variables count as +1.
    form, bounds = standard.form, standard.bounds
    rows, on_bounds = np.zeros(standard.scaling.rows.size), np.zeros(form.x_fixed.size)
    rows[form.rows[: form.equalities]] = 1.0
    index, side = form.index[active], -form.sign[active]
    on_x = index < form.n
    on_bounds[form.free[index[on_x]]] = side[on_x]
    rows[form.rows[index[~on_x] - form.n + form.equalities]] = side[~on_x]
    on_bounds[bounds[0] == bounds[1]] = 1.0
    return rows, on_bounds


def _names(standard: StandardProgram, active_rows: Vector, active_bounds: Vector) -> list[str]:
    program = standard.evaluation.program
    return [name for name, side in zip(program.row_names, active_rows, strict=True) if side] + [
        bound_name(name, side) for name, side in zip(program.variable_names, active_bounds, strict=True) if side
    ]


def _names_in_order(standard: StandardProgram, active: Mask) -> list[str]:
    # In the order of `active_jacobian`: equalities, active inequality rows, active bounds of free variables.
    form, program = standard.form, standard.evaluation.program
    on_row, on_x = active & (form.index >= form.n), active & (form.index < form.n)
    rows = np.concatenate([np.arange(form.equalities), form.index[on_row] - form.n + form.equalities])
    names = [program.row_names[i] for i in form.rows[rows]]
    return names + [
        bound_name(program.variable_names[form.free[form.index[k]]], -form.sign[k]) for k in np.flatnonzero(on_x)
    ]


def _no_multipliers(standard: StandardProgram, seen: Examined, active_rows: Vector, jacobian_at_start: Vector) -> bool:
    # The Fritz John test on every row and bound that is active or carries weight, turned so that the
    # multipliers of inequalities are nonnegative.
    y, z = seen.y, seen.z
    largest = max(np.abs(y).max(initial=0.0), np.abs(z).max(initial=0.0))
    if not largest > 0.0:
        return False
    rows = np.flatnonzero((np.abs(y) > AT_REST * largest) | (active_rows != 0))
    variables = np.flatnonzero(np.abs(z) > AT_REST * largest)
    multipliers = np.concatenate([y[rows], z[variables]])
    unit = np.eye(z.size)[variables]
    signs = np.where(multipliers < 0.0, -1.0, 1.0)
    A = np.concatenate([seen.jacobian[1:][rows], unit])
    before = np.abs(np.concatenate([jacobian_at_start[1:][rows], unit])).max(axis=1, initial=0.0)
    equality = np.concatenate(
        [standard.sides[0][rows] == standard.sides[1][rows], np.zeros(variables.size, dtype=bool)]
    )
    return without_multipliers(seen.jacobian[0], signs[:, None] * A, signs * multipliers, equality, before)


def _counts(evaluation: Evaluation) -> Evaluations:
    return Evaluations(evaluation.value_calls, evaluation.derivative_calls, evaluation.seconds)
