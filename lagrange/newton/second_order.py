"""Second-order conditions at a stationary point, and the way out of a saddle.

On the tangent space Z of the active constraints, the reduced Hessian Z'WZ decides: positive definite at a strict
minimum, a negative eigenvalue at a saddle or maximum, whose eigenvector leads downhill
(Nocedal and Wright 2006, theorems 12.5 and 12.6). The same eigenvalues give the Newton step that is still left: where
it is long, small residuals are no sign of a solution (exp(-x) at x = 20).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.critical_cone import (
    CURVATURE_TOLERANCE,
    cone_curvatures,
    curves_down,
    curves_up,
    eigenpairs,
    is_rounding,
    size_of_terms,
    step_left,
)
from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.model.status import PointKind
from lagrange.newton.best_multipliers import best_multipliers
from lagrange.newton.flat_descent import flat_descent

STRONGLY_ACTIVE = 1e-8  # multipliers above this, relative to the largest, keep a constraint active
LARGEST_STEP_LEFT = 1e-2  # a Newton step longer than this, relative to max(1, |x|), is a point still on its way
SETTLED_STEP = 1e-6  # after a step shorter than this the Hessian is taken for constant
SAME_CURVATURE = 0.9  # share of the smallest eigenvalue that must be left after the step
MULTIPLIERS_TRIED = 5  # where they are not unique
PENALTY = 10.0  # weight of the violation, in multipliers, when a way down is chosen
LEAVING_STEPS = (1.0, 1e-1, 1e-2, 1e-3)  # relative to max(1, |x|)


@dataclass(frozen=True)
class Curvature:
    """The verdict on the second-order conditions and, at a saddle, the direction that leads down.

    Attributes
    ----------
    kind : PointKind
    direction : (n,) over the free variables; zero except at a saddle
    independent : the gradients of all active constraints are linearly independent
    step_left : size of the Newton step from here, relative to max(1, |x|)
    weak : some active constraint has a multiplier of zero
    """

    kind: PointKind
    direction: Vector
    independent: bool
    step_left: float
    weak: bool


def curvature(
    program: StandardProgram, x: Vector, y: Vector, z: Vector, active: Mask, around: bool = True
) -> Curvature:
    """Examine a point with small residuals and these active bounds, in the scaled standard form.

    Where curvature decides nothing, the objective is asked `around` the point, if that may be.
    """
    found = _with_best_multipliers(program, x, y, z, active, MULTIPLIERS_TRIED)
    if found.kind is not PointKind.MINIMUM_NOT_STRICT or not around:
        return found
    _, J, W = program.derivatives(x, y)
    down = flat_descent(program, x, active_jacobian(program, J, _strong(active, y, z)), W)
    return found if down is None else replace(found, kind=PointKind.SADDLE_OR_MAXIMUM, direction=down)


def _with_best_multipliers(
    program: StandardProgram, x: Vector, y: Vector, z: Vector, active: Mask, tries: int
) -> Curvature:
    # Where the active gradients depend on each other, the curvature along a direction is that with the best multipliers
    # for it; so many are tried.
    found = _with_multipliers(program, x, y, z, active)
    if found.independent or found.kind is not PointKind.SADDLE_OR_MAXIMUM:
        return found
    d = found.direction
    other = best_multipliers(program, x, y, z, active, d)
    before, after = (program.derivatives(x, multipliers)[2] for multipliers in (y, other[0]))
    zero = CURVATURE_TOLERANCE * max(size_of_terms(d[:, None], W) for W in (before, after))
    best = float(d @ after @ d)
    if best < -zero:
        return found
    if best <= zero or not tries:
        return replace(found, kind=PointKind.MINIMUM_NOT_STRICT, direction=np.zeros(x.size))
    return _with_best_multipliers(program, x, *other, active, tries - 1)


def _with_multipliers(program: StandardProgram, x: Vector, y: Vector, z: Vector, active: Mask) -> Curvature:
    g, J, W = program.derivatives(x, y)
    nowhere = np.zeros(x.size)
    strong = _strong(active, y, z)
    A = active_jacobian(program, J, active)
    basis = RangeNullSpace(A)
    independent = basis.rank == A.shape[0]
    values, vectors = eigenpairs(basis.Z, W)
    residual = g + y.dot(J) - program.form.scatter(z)[: x.size]
    step = step_left(values, vectors, W, residual, CURVATURE_TOLERANCE)
    left = largest(step) / max(1.0, largest(x))
    weak = bool((strong != active).any())

    def certain(d: Vector) -> bool:
        return not is_rounding(d, W, lambda moved: program.derivatives(program.form.within_bounds(moved), y)[2], x)

    if left > LARGEST_STEP_LEFT and certain(step):
        return Curvature(PointKind.NOT_STATIONARY, nowhere, independent, left, weak)
    if values.size and values[0] < -CURVATURE_TOLERANCE and certain(vectors[:, 0]):
        return Curvature(PointKind.SADDLE_OR_MAXIMUM, vectors[:, 0], independent, left, weak)
    hidden = curves_down(A, W, x)
    if hidden is not None and certain(hidden):
        return Curvature(PointKind.SADDLE_OR_MAXIMUM, hidden, independent, left, weak)
    if weak:
        # Weakly active constraints may be left to one side: the critical cone has faces to be searched.
        down = _down_the_cone(program, J, W, active, strong)
        if down is not None and certain(down):
            return Curvature(PointKind.SADDLE_OR_MAXIMUM, down, independent, left, weak)
        A = active_jacobian(program, J, strong)
        values, vectors = eigenpairs(RangeNullSpace(A).Z, W)
    curved = not values.size or values[0] > CURVATURE_TOLERANCE or curves_up(A, W, x)
    strict = curved and (not values.size or certain(vectors[:, 0]))
    # What the barrier left on inactive bounds is part of the way that is still to go.
    beside = g + y.dot(J) - program.form.scatter(np.where(active, z, 0.0))[: x.size]
    step = step_left(values, vectors, W, beside, CURVATURE_TOLERANCE)
    if strict and values.size and largest(step) > SETTLED_STEP * max(1.0, largest(x)):
        _, _, W_after = program.derivatives(program.form.within_bounds(x + step), y)
        lowest = vectors[:, 0]
        strict = bool(lowest.dot(W_after).dot(lowest) >= SAME_CURVATURE * lowest.dot(W).dot(lowest))
    kind = PointKind.STRICT_MINIMUM if strict else PointKind.MINIMUM_NOT_STRICT
    return Curvature(kind, nowhere, independent, left, weak)


def _strong(active: Mask, y: Vector, z: Vector) -> Mask:
    return np.asarray(active & (z > STRONGLY_ACTIVE * max(1.0, largest(y), largest(z))))


def leave(program: StandardProgram, x: Vector, y: Vector, direction: Vector) -> Vector:
    """A point along +-direction with the lowest f + nu ||h||: where to start again."""
    form = program.form
    penalty = 1.0 + PENALTY * largest(y)
    size = max(1.0, largest(x))
    best, best_value = x, np.inf
    for sign in (1.0, -1.0):
        for step in LEAVING_STEPS:
            trial = form.within_bounds(x + sign * step * size * direction)
            f, c = program.objective_and_rows(trial)
            slack = np.concatenate([trial, c[form.equalities :]])
            outside = np.maximum(0.0, -form.distances(slack)).sum() + np.abs(c[: form.equalities]).sum()
            value = f + penalty * outside
            if np.isfinite(value) and value < best_value:
                best, best_value = trial, value
    return best


def active_jacobian(program: StandardProgram, J: Vector, active: Mask) -> Vector:
    """Gradients of all equalities, active inequalities and active bounds over the free variables, of length 1."""
    form = program.form
    on_row, on_x = active & (form.index >= form.n), active & (form.index < form.n)
    rows = np.concatenate([np.arange(form.equalities), form.index[on_row] - form.n + form.equalities])
    A = np.concatenate([J[rows], np.eye(form.n)[form.index[on_x]]])
    lengths = np.sqrt((A * A).sum(axis=1))
    return np.asarray(A / np.where(lengths > 0.0, lengths, 1.0)[:, None])


def _down_the_cone(program: StandardProgram, J: Vector, W: Vector, active: Mask, strong: Mask) -> Vector | None:
    """A direction of negative curvature in the critical cone, searched for on its faces; None if none is found."""
    form, weak = program.form, active & ~strong
    outward = -form.sign[weak, None] * np.concatenate([np.eye(form.n), J[form.equalities :]])[form.index[weak]]
    held = active_jacobian(program, J, strong)
    return next((down for _, down in cone_curvatures(W, held, outward, below=-CURVATURE_TOLERANCE)), None)
