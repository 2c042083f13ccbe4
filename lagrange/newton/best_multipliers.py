"""Where active gradients depend on each other: the multipliers that curve up most along a direction.

A direction d shows a saddle only if d'W(y)d < 0 for every multiplier y (Nocedal and Wright 2006, theorem 12.5, needs a
multiplier for each d; Ben-Tal 1980, J. Optim. Theory Appl. 31). W is linear in y, and the multipliers are a polyhedron:

    maximize  d'W(y + N u)d   over u   subject to   signs of y + N u,        A'N = 0
"""

from __future__ import annotations

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import RANK_TOLERANCE
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest

FARTHEST = 1e3  # change of a multiplier, relative to the largest, where the polyhedron has no end
ROUNDING = 1e-12  # multipliers below this, relative to the largest, are zero


def best_multipliers(
    program: StandardProgram, x: Vector, y: Vector, z: Vector, active: Mask, d: Vector
) -> tuple[Vector, Vector]:
    """(y, z) of the multipliers with the largest d'W d, in the scaled standard form."""
    form = program.form
    _, J, W = program.derivatives(x, y)
    entries = np.flatnonzero(active)
    on_row = form.index[entries] >= form.n
    rows = np.concatenate([np.arange(form.equalities), form.index[entries[on_row]] - form.n + form.equalities])
    bounds = form.index[entries[~on_row]]
    A = np.concatenate([J[rows], np.eye(form.n)[bounds]])
    _, sizes, V = np.linalg.svd(A.T, full_matrices=True)
    null = V[int((sizes > RANK_TOLERANCE * sizes[:1]).sum()) :].T

    # Multipliers of c and x are -sign z: z of all active entries as a function of u.
    order = np.concatenate([entries[on_row], entries[~on_row]])
    of_z = -form.sign[order, None] * null[form.equalities :]
    slope = np.empty(null.shape[1])
    for j in range(slope.size):
        moved = y.copy()
        moved[rows] += null[: rows.size, j]
        slope[j] = d @ (program.derivatives(x, moved)[2] - W) @ d
    reach = FARTHEST * max(1.0, largest(y), largest(z))
    found = scipy.optimize.linprog(-slope, A_ub=-of_z, b_ub=np.maximum(z[order], 0.0), bounds=(-reach, reach))
    if found.x is None:
        return y, z
    best_y, best_z = y.copy(), z.copy()
    best_y[rows] += null[: rows.size] @ found.x
    best_z[order] = np.maximum(z[order] + of_z @ found.x, 0.0)
    return _without_rounding(best_y), _without_rounding(best_z)


def _without_rounding(multipliers: Vector) -> Vector:
    # At a corner of the polyhedron some are zero: what is left of them must not pass for curvature.
    return np.where(np.abs(multipliers) <= ROUNDING * largest(multipliers), 0.0, multipliers)
