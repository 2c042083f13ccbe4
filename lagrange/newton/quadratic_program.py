"""The quadratic program of one Newton step, solved by the primal-dual active-set method.

    minimize  g'dx + dx'W dx / 2   subject to  c + J dx within its sides,  x + dx within its bounds

Each trial set of active constraints gives one KKT system; a violated bound becomes active, a multiplier of the wrong
sign leaves, until the set no longer changes (Hintermueller, Ito and Kunisch 2002, "The primal-dual active set
strategy as a semismooth Newton method", SIAM J. Optim. 13). Started from a good guess it needs one or two systems;
where it cycles, or meets negative curvature, it says so and the caller has another method.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.kkt.null_space import RANK_TOLERANCE, NullSpaceFactorization
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.model.standard_form import StandardForm

SET_CHANGES = 6  # active sets tried in one quadratic program
NEGLIGIBLE = 1e-12  # violations and multipliers of the wrong sign below this, relative, do not change the active set
CONTRADICTION = 1e-8  # residual of active rows, relative, that their dependence leaves over
FLAT = 1e-8  # curvature above minus this, relative to the Hessian, counts as flat and is regularized


@dataclass(frozen=True)
class Linearization:
    """Functions and derivatives of the scaled standard form at one point."""

    x: Vector
    y: Vector
    f: float
    c: Vector  # c_E - b_E, then c_I
    d: Vector  # distances of (x, c_I) to the bounds, negative where violated
    g: Vector
    J: Vector
    W: Vector  # Hessian of f + y . c


def bound_multipliers(form: StandardForm, gradient: Vector, y: Vector, active: Mask) -> Vector:
    """z on the bound list from stationarity in x and in the slacks; zero where inactive."""
    return np.asarray(form.sign * np.concatenate([gradient, -y[form.equalities :]])[form.index] * active)


def solve_quadratic_program(
    form: StandardForm, at: Linearization, active: Mask, compromise: bool = False
) -> tuple[Vector, Vector, Mask] | None:
    """x + dx, the new multipliers y and the active set, starting from this guess; None where the method fails.

    With `compromise`, active rows that contradict each other are no failure: as many as are independent are met.
    Without it, the start is near a solution, and flat directions are regularized: the steps along them are short.
    """
    n, equalities = form.n, form.equalities
    tried: set[bytes] = set()
    for _ in range(SET_CHANGES):
        key = active.tobytes()
        index, bound = form.index[active], form.bound[active]
        if key in tried or len(set(index.tolist())) < index.size:
            return None  # a cycle, or both sides of one interval
        tried.add(key)
        on_x = index < n
        held, at_bound, on_row = index[on_x], bound[on_x], ~on_x
        rows = np.concatenate([np.arange(equalities), index[on_row] - n + equalities])
        # Held variables go to their bounds; the moving ones follow from the KKT system of the active rows.
        is_moving = np.ones(n, dtype=bool)
        is_moving[held] = False
        moving = is_moving.nonzero()[0]
        dx, y = np.zeros(n), np.zeros(form.m)
        dx[held] = at_bound - at.x[held]
        y[rows] = at.y[rows]
        if moving.size:
            A = at.J[rows]
            residual = at.c[rows]
            residual[equalities:] -= bound[on_row]
            W = at.W if moving.size == n else at.W[moving[:, None], moving]
            if moving.size < n:
                A_moving = A[:, moving]
                # A row that only held variables enter has no say here; what is left of it is rounding.
                A_moving[np.abs(A_moving).max(axis=1, initial=0.0) <= RANK_TOLERANCE * np.abs(A).max(axis=1)] = 0.0
            else:
                A_moving = A
            factorization = NullSpaceFactorization(W, None, A_moving, rows.size)
            # Along a valley of minima the curvature is as small as the gradient is, of either sign.
            force = at.g + at.y.dot(at.J)
            valley = largest(force[moving]) / max(1.0, largest(at.x))
            flat = 0.0 if compromise else max(FLAT * (largest(W.ravel()) or 1.0), valley)
            if not factorization.regularize(0.0) and not (flat and factorization.regularize(flat)):
                return None
            force = at.g + y.dot(at.J) + at.W.dot(dx)
            dx[moving], dy = factorization.solve(-force[moving], -(residual + A.dot(dx)))
            y[rows] += dy
        z = bound_multipliers(form, at.g + y.dot(at.J) + at.W.dot(dx), y, active)
        d = at.d + form.sign * np.concatenate([dx, at.J[equalities:].dot(dx)])[form.index]
        corrected = _corrected(active, z, d, form.bound)
        if corrected.tobytes() == key:
            # Dependent rows may contradict each other: then this is no solution.
            left = max(largest(at.c[:equalities] + at.J[:equalities].dot(dx)), largest(d[active]))
            if not compromise and left > CONTRADICTION * max(1.0, largest(at.c), largest(bound)):
                return None
            x = at.x + dx
            x[held] = at_bound
            return x, y, active
        active = corrected
    return None


def _corrected(active: Mask, z: Vector, d: Vector, bound: Vector) -> Mask:
    if not active.size:
        return active
    violated = d < -NEGLIGIBLE * np.maximum(1.0, np.abs(bound))
    wrong = z < -NEGLIGIBLE * max(1.0, largest(z))
    return np.asarray((active & ~wrong) | (violated & ~active))
