"""The verdict on a point that somebody else found: another solver, or a guess.

The point is not moved. Its multipliers, where none are given, are those that fit best,

    min | g + J_E'y_E - G'z |^2 + | D z |^2,  z >= 0,      G the inward gradients of the sides, D the room to them

in units of their own, over the sides that are not far away: a side pays for its multiplier with the room it leaves, so
that slack against multiplier decides what is active. Then the same fit on the active sides alone, and, where the
multipliers are not unique, those of least norm. What follows is the verdict of `solve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.blame import not_finite
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.scaling import StandardProgram, gradient_scaling
from lagrange.kkt.null_space import RANK_TOLERANCE, RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.program import Program
from lagrange.model.reductions import finite, largest
from lagrange.model.settings import Settings
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.active_set_phase import ActivePoint
from lagrange.newton.barrier_phase import End, Outcome
from lagrange.newton.monitor import Monitor
from lagrange.optimality.active_set import KINDS_WITH_MULTIPLIERS, LOOSEST, ROUNDING, active_set, elsewhere
from lagrange.optimality.conditions import conditions
from lagrange.optimality.elastic import system_of
from lagrange.optimality.multiplier_polyhedron import MultiplierPolyhedron
from lagrange.optimality.words import number
from lagrange.preflight_record import named
from lagrange.result import Result
from lagrange.verdict import failed_at_start, judge, verdict

DEFAULT_TOLERANCE = 1e-6  # what other solvers reach with the tolerances and bound relaxations they come with
LOST = 1e-2  # singular values that fall below this share of those nearby are lost
STATIONARY = 1e-6  # gradient of the violation below this, relative, is zero
STEPS = 100  # of nonnegative least squares, per side


@dataclass(frozen=True)
class _Sides:
    """The bound list of a standard form at a point: inward gradients, and the room to each side."""

    gradients: Vector  # (bounds, n)
    room: Vector  # (bounds,), in units of their own

    @property
    def lengths(self) -> Vector:
        lengths = np.linalg.norm(self.gradients, axis=1)
        return np.where(lengths > 0.0, lengths, 1.0)

    def active(self, pressure: Vector) -> Mask:
        """Where the pressure exceeds the room; sides out of reach are not active, however large the force."""
        return np.asarray(((pressure > self.room) & (self.room <= LOOSEST)) | (self.room <= ROUNDING))


def examine(derivatives: Derivatives, x: Vector, p: Vector, y: Vector | None, tol: float) -> Result:
    """The `Result` of the point x with multipliers y of the rows (m,), or those that fit best where None.

    The multipliers of bounds are what stationarity leaves over where x is at a bound.
    """
    program, evaluation = derivatives.program, Evaluation(derivatives, p)
    monitor = Monitor(Settings(tol=tol), print, None)
    bounds, sides = program.bound_sides(p), program.row_sides(p)
    objective_only = np.eye(1 + program.m)[0]
    values, (jacobian, hessian) = evaluation.values(x), evaluation.derivatives(x, objective_only)
    problem = not_finite(program, x, values, jacobian, hessian, "x")
    if problem:
        return failed_at_start(evaluation, x, values, bounds, sides, monitor, problem)
    # Typical sizes are those of a point nearby: at x gradients may vanish.
    near = elsewhere(derivatives, x, p)
    if near is None or not finite(*evaluation.derivatives(near, objective_only)):
        near = x
    jacobian_near, hessian = evaluation.derivatives(near, objective_only)
    scaling = gradient_scaling(near, evaluation.values(near), jacobian_near, hessian, sides)
    standard = StandardProgram(evaluation, bounds, sides, scaling)
    # Variables that should be fixed are where the point has them.
    standard.form = replace(standard.form, x_fixed=np.where(bounds[0] == bounds[1], x, 0.0))

    def judged(point: ActivePoint) -> tuple[Result, str]:
        # Where gradients do not vanish or cancel at this x only, large multipliers are no sign of missing ones.
        end = End.CONVERGED if _lose_rank(standard, point, jacobian, jacobian_near) else End.POLISHED
        outcome = Outcome(end, None, point)
        found = judge(standard, outcome, tol)
        result = verdict(standard, outcome, found, monitor, jacobian_near)
        return replace(result, stop=StopReason.CONVERGED, polished=False), found.remark

    point = _fitted(standard, x) if y is None else _with_multipliers(standard, x, y)
    result, remark = judged(point)
    if y is None and result.kind in KINDS_WITH_MULTIPLIERS:
        active = active_set(evaluation, result)
        polyhedron = MultiplierPolyhedron(active)
        if polyhedron.exists and polyhedron.null.shape[1]:
            # Of many multipliers, those of least norm.
            least = active.spread(polyhedron.least_norm(), program.m + program.n)[: program.m]
            other, _ = judged(_with_multipliers(standard, x, least))
            result = other if other.kind in KINDS_WITH_MULTIPLIERS else result
    if result.kind in (PointKind.MINIMUM_NOT_STRICT, PointKind.SADDLE_OR_MAXIMUM):
        return _decided(evaluation, result)
    if result.kind is not PointKind.NOT_STATIONARY:
        return result
    kind: PointKind = PointKind.NOT_STATIONARY
    violated = _violated(evaluation, x) if result.residuals.relative_feasibility > tol else ()
    if violated:
        if _violation_is_stationary(result, jacobian):
            kind = PointKind.INFEASIBLE_STATIONARY
        reason = f"Violated: {named(violated)}."
    else:
        lost = y is None and _lose_rank(standard, point, jacobian, jacobian_near)
        if lost:
            kind, violated = PointKind.FRITZ_JOHN, tuple(result.active_names())
        reason = f"Involved: {named(violated)}." if lost else remark or _imbalance(result, jacobian, y is None)
    message = f"{kind.label[0].upper()}{kind.label[1:]}. {reason} {kind.advice}"
    return replace(result, kind=kind, blame=violated, message=message)


def flat_multipliers(program: Program, multipliers: Mapping[str, Any]) -> Vector:
    """y (m,) from multipliers by constraint name.

    Raises
    ------
    ValueError
        Where a constraint is missing, unknown, or has another shape, by name.
    """
    expected = {function.name: function.shape for function in program.constraints}
    if set(multipliers) != set(expected):
        missing, unknown = sorted(set(expected) - set(multipliers)), sorted(set(multipliers) - set(expected))
        raise ValueError(f"multipliers must name every constraint: missing {missing}, unknown {unknown}")
    parts = [np.asarray(multipliers[name], dtype=np.float64) for name in expected]
    for part, (name, shape) in zip(parts, expected.items(), strict=True):
        if part.shape != shape:
            raise ValueError(f"the multiplier of {name!r} has shape {part.shape}, expected {shape}")
    return np.concatenate([np.empty(0), *(part.ravel() for part in parts)])


def _sides(standard: StandardProgram, x: Vector, J: Vector) -> _Sides:
    form = standard.form
    _, c = standard.objective_and_rows(x)
    gradients = form.sign[:, None] * np.concatenate([np.eye(form.n), J[form.equalities :]])[form.index]
    distances = form.distances(np.concatenate([x, c[form.equalities :]]))
    reach = np.linalg.norm(gradients, axis=1) * max(1.0, largest(x))
    return _Sides(gradients, np.maximum(distances, 0.0) / np.maximum(standard.bound_sizes, reach))


def _fitted(standard: StandardProgram, x: Vector) -> ActivePoint:
    form = standard.form
    x = x[form.free]
    g, J, _ = standard.derivatives(x, np.zeros(form.m))
    sides, equations = _sides(standard, x, J), J[: form.equalities]
    size = _size(standard, g)
    unit, tangent = sides.gradients / sides.lengths[:, None], RangeNullSpace(equations).Z
    near, pressure = sides.room <= LOOSEST, np.zeros(sides.room.size)
    pressure[near] = _nonnegative_fit(unit[near] @ tangent, g @ tangent / size, sides.room[near])
    active = sides.active(pressure)
    z = np.zeros(active.size)
    z[active] = _nonnegative_fit(unit[active] @ tangent, g @ tangent / size, np.zeros(int(active.sum())))
    z *= size / sides.lengths
    y = -form.scatter(z)[form.n :]
    y_equations = np.linalg.lstsq(equations.T, z @ sides.gradients - g, rcond=None)[0]
    return ActivePoint(x, np.concatenate([y_equations, y]), z, active)


def _decided(evaluation: Evaluation, result: Result) -> Result:
    """The same with the kind that the second-order check on the critical cone gives, for all multipliers."""
    kind: PointKind = {
        True: PointKind.STRICT_MINIMUM,
        False: PointKind.SADDLE_OR_MAXIMUM,
        None: PointKind.MINIMUM_NOT_STRICT,
    }[conditions(evaluation, result).second_order.holds]
    if kind is result.kind:
        return result
    _, _, others = result.message.replace(result.kind.advice, "").partition(". ")
    advice = "" if kind.is_minimum else kind.advice
    sentences = [f"{kind.label[0].upper()}{kind.label[1:]}.", advice, others.strip()]
    return replace(result, kind=kind, success=kind.is_minimum, message=" ".join(filter(None, sentences)))


def _size(standard: StandardProgram, g: Vector) -> float:
    return max(largest(g), standard.scaling.objective * standard.scaling.typical_gradient)


def _nonnegative_fit(G: Vector, g: Vector, penalty: Vector) -> Vector:
    """min | g - G'z |^2 + | penalty * z |^2 over z >= 0."""
    if not penalty.size or not largest(g):
        return np.zeros(penalty.size)
    A = np.vstack([G.T, np.diag(penalty)])
    z, _ = scipy.optimize.nnls(A, np.concatenate([g, np.zeros(penalty.size)]), maxiter=STEPS * penalty.size)
    return np.asarray(z)


def _with_multipliers(standard: StandardProgram, x: Vector, y: Vector) -> ActivePoint:
    form, scaling = standard.form, standard.scaling
    x = x[form.free]
    y = (y * scaling.objective / scaling.rows)[form.rows]
    g, J, _ = standard.derivatives(x, y)
    sides = _sides(standard, x, J)
    # What presses: the force on variables, the multiplier on rows.
    pull = form.sign * np.concatenate([g + y @ J, -y[form.equalities :]])[form.index]
    active = sides.active(pull * sides.lengths / _size(standard, g))
    return ActivePoint(x, y, np.where(active, np.maximum(pull, 0.0), 0.0), active)


def _violated(evaluation: Evaluation, x: Vector) -> tuple[str, ...]:
    system = system_of(evaluation, x)
    values = system.values(x)
    return tuple(side.name for side in system.sides if not side.is_met(values[side.place]))


def _violation_is_stationary(result: Result, jacobian: Vector) -> bool:
    """Whether no small move within the bounds lowers the sum of squares of the violations of the rows."""
    lower, upper = result.sides
    violation = np.maximum(result.c - upper, 0.0) + np.minimum(result.c - lower, 0.0)
    slope = violation @ jacobian[1:]
    low, high = result.bounds
    blocked = ((result.x <= low) & (slope > 0.0)) | ((result.x >= high) & (slope < 0.0))
    size = largest(violation) * largest(jacobian[1:].ravel())
    within = bool(((result.x >= low) & (result.x <= high)).all())
    return within and largest(np.where(blocked, 0.0, slope)) <= STATIONARY * size


def _lose_rank(standard: StandardProgram, point: ActivePoint, jacobian: Vector, jacobian_near: Vector) -> bool:
    """Whether active gradients vanish or cancel at this x only: then no multipliers need exist at a minimum."""
    form = standard.form
    of_rows = point.active & (form.index >= form.n)
    rows = np.concatenate([np.arange(form.equalities), form.index[of_rows] - form.n + form.equalities])
    rows, bounds = form.rows[rows], form.index[point.active & (form.index < form.n)]
    here, near = (
        np.concatenate([matrix[1:][rows][:, form.free], np.eye(form.n)[bounds]]) for matrix in (jacobian, jacobian_near)
    )
    if not here.size:
        return False
    lengths = np.linalg.norm(near, axis=1)
    lengths = np.where(lengths > 0.0, lengths, 1.0)[:, None]
    singular, singular_near = (np.linalg.svd(matrix / lengths, compute_uv=False) for matrix in (here, near))
    rank = int((singular_near > RANK_TOLERANCE * singular_near[0]).sum())
    return bool(rank and singular[rank - 1] <= LOST * singular_near[rank - 1])


def _imbalance(result: Result, jacobian: Vector, fitted: bool) -> str:
    found = result.residuals
    force = jacobian[0] + result.y @ jacobian[1:] + result.z
    j = int(np.abs(force).argmax())
    which = "the multipliers that fit best" if fitted else "the multipliers given"
    if found.stationarity / found.stationarity_scale >= found.complementarity / found.complementarity_scale:
        variable = result.program.variable_names[j]
        return f"With {which}, the gradient of the Lagrangian is {number(float(force[j]))} with respect to {variable}."
    return f"With {which}, a multiplier times its slack is {number(found.complementarity)}."
