"""Second-order conditions at a stationary point, and the way out of a saddle.

On the tangent space Z of the active constraints, the reduced Hessian Z'WZ decides: positive definite at a strict
minimum, a negative eigenvalue at a saddle or maximum, whose eigenvector leads downhill
(Nocedal and Wright 2006, theorems 12.5 and 12.6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.status import PointKind

CURVATURE_TOLERANCE = 1e-7  # eigenvalues below this, relative to the largest entry of W, are undecided
STRONGLY_ACTIVE = 1e-8  # multipliers above this, relative to the largest, keep a constraint active
LEAVING_STEPS = (1.0, 1e-1, 1e-2, 1e-3)  # relative to max(1, |x|)


@dataclass(frozen=True)
class Curvature:
    """The verdict on the second-order conditions and, at a saddle, the direction that leads down.

    `smallest` is the smallest eigenvalue of the reduced Hessian on the tangent space of all active
    constraints, relative to the largest entry of the Hessian; inf at a vertex.
    """

    kind: PointKind
    smallest: float
    direction: Vector
    independent: bool  # the gradients of all active constraints are linearly independent


def curvature(program: StandardProgram, x: Vector, y: Vector, z: Vector, active: Mask) -> Curvature:
    """Examine a stationary point (x, y, z) with these active bounds of the scaled standard form."""
    _, J, W = program.derivatives(x, y)
    scale = max(1.0, np.abs(y).max(initial=0.0), np.abs(z).max(initial=0.0))
    strong = active & (z > STRONGLY_ACTIVE * scale)
    A = active_jacobian(program, J, active)
    basis = RangeNullSpace(A)
    independent = basis.rank == A.shape[0]
    smallest, direction = _smallest_eigenpair(basis.Z, W)
    if smallest < -CURVATURE_TOLERANCE:
        return Curvature(PointKind.SADDLE_OR_MAXIMUM, smallest, direction, independent)
    if (strong == active).all():
        kind = PointKind.STRICT_MINIMUM if smallest > CURVATURE_TOLERANCE else PointKind.MINIMUM_NOT_STRICT
        return Curvature(kind, smallest, direction, independent)
    # Weakly active constraints may be left to one side: the critical cone lies between two tangent spaces.
    wide_smallest, wide_direction = _smallest_eigenpair(RangeNullSpace(active_jacobian(program, J, strong)).Z, W)
    if wide_smallest > CURVATURE_TOLERANCE:
        return Curvature(PointKind.STRICT_MINIMUM, smallest, direction, independent)
    if wide_smallest < -CURVATURE_TOLERANCE:
        form = program.form
        moved = np.concatenate([wide_direction, J[form.equalities :] @ wide_direction])
        rates = (form.sign * moved[form.index])[active & ~strong]
        for sign in (1.0, -1.0):
            if (sign * rates >= -STRONGLY_ACTIVE).all():
                return Curvature(PointKind.SADDLE_OR_MAXIMUM, wide_smallest, sign * wide_direction, independent)
    return Curvature(PointKind.MINIMUM_NOT_STRICT, smallest, direction, independent)


def leave(program: StandardProgram, x: Vector, y: Vector, direction: Vector) -> Vector:
    """A point along +-direction with the lowest f + nu ||h||: where to start again."""
    form = program.form
    penalty = 1.0 + 10.0 * np.abs(y).max(initial=0.0)
    size = max(1.0, float(np.abs(x).max()))
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
    """Rows of all equalities, active inequalities and active bounds over the free variables."""
    form = program.form
    on_row, on_x = active & (form.index >= form.n), active & (form.index < form.n)
    rows = np.concatenate([np.arange(form.equalities), form.index[on_row] - form.n + form.equalities])
    return np.concatenate([J[rows], np.eye(form.n)[form.index[on_x]]])


def _smallest_eigenpair(Z: Vector, W: Vector) -> tuple[float, Vector]:
    if not Z.shape[1]:
        return np.inf, np.zeros(Z.shape[0])
    values, vectors = np.linalg.eigh(Z.T @ W @ Z)
    scale = float(np.abs(W).max())
    return (float(values[0]) / scale if scale else 0.0), Z @ vectors[:, 0]
