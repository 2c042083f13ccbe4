"""Newton's method on the KKT system of a guessed active set: the equality-constrained end of a solve.

    grad f + A'y = 0,   A = rows of the active constraints;   active bounds are held exactly

It converges quadratically to rounding, with exact zeros for inactive multipliers, and its result is accepted
only if multipliers have the right signs, no inactive row is violated, and the reduced Hessian is positive definite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.model.named_pytree import Vector
from lagrange.newton.barrier import Iterate
from lagrange.newton.monitor import Monitor

CONTRACTION = 0.1  # Newton converges quadratically here: a residual that falls slower refutes the guess
SLOW_STEPS = 1  # steps that may contract less
LARGEST_STEPS = 12
ROUNDING = 1e-13  # relative residual at which nothing is left to gain
WRONG_SIGN = 1e-9  # multipliers of the wrong sign below this, relative to the largest, count as zero
VIOLATED = 1e-12  # violations of inactive bounds below this, relative to the bound, count as rounding
GUESS_CHANGES = 3


@dataclass(frozen=True)
class ActivePoint:
    """A KKT point of the equality problem of an active set, in the scaled standard form."""

    x: Vector
    y: Vector  # (m,) multipliers of all rows
    z: Vector  # (bounds,) multipliers of the bound list, zero where inactive
    active: Vector  # (bounds,) which bounds are active


def guess(it: Iterate) -> Vector:
    """Active where the multiplier exceeds the distance: on the central path d z = mu, one of them is large."""
    return np.asarray(it.z > it.d)


def polish(
    program: StandardProgram, it: Iterate, active: Vector, monitor: Monitor, tol: float
) -> ActivePoint | None:
    """The KKT point near the iterate, starting from this guess of the active set; None where Newton fails.

    The guess is corrected after every step: bounds that the step violates become active, active bounds with a
    multiplier of the wrong sign are dropped (Hintermueller, Ito and Kunisch 2002: a semismooth Newton method).
    """
    form = program.form
    n, equalities = form.n, form.equalities
    x, y = it.v[:n], it.y
    best: ActivePoint | None = None
    before, slow = np.inf, 0
    for _ in range(LARGEST_STEPS):
        if np.bincount(form.index[active], minlength=form.size).max(initial=0) > 1:
            return best  # both sides of one interval cannot be active
        held, on_row = active & (form.index < n), active & (form.index >= n)
        rows = np.concatenate([np.arange(equalities), form.index[on_row] - n + equalities])
        moving = np.setdiff1d(np.arange(n), form.index[held])
        x, kept = x.copy(), np.zeros(form.m)
        x[form.index[held]] = form.bound[held]
        kept[rows] = y[rows]
        y = kept

        f, c = program.objective_and_rows(x)
        g, J, W = program.derivatives(x, y)
        force = g + J.T @ y
        residual = c[rows]
        residual[equalities:] -= form.bound[on_row]
        scale = max(1.0, float((np.abs(g) + np.abs(J).T @ np.abs(y)).max()))
        error = max(
            np.abs(force[moving]).max(initial=0.0) / scale,
            np.abs(residual).max(initial=0.0),
            np.abs(y[rows] * residual).max(initial=0.0) / max(1.0, abs(f)),
        )
        if not (np.isfinite(error) and np.isfinite(f) and np.isfinite(c).all() and np.isfinite(W).all()):
            return best
        point = _point(program, x, y, force, active)
        corrected = _corrected(program, point, np.concatenate([x, c[equalities:]]))
        right = bool((corrected == active).all())
        if right and error <= tol and error < before:
            best = point
        slow += error > CONTRACTION * before
        if slow > SLOW_STEPS or (right and error <= ROUNDING) or (best is not None and error >= before):
            break
        before = error
        if not right and error <= CORRECT_BELOW * before:
            active = corrected
            continue
        if not moving.size:
            break
        factorization = NullSpaceFactorization(W[np.ix_(moving, moving)], np.zeros(moving.size), J[rows][:, moving],
                                               rows.size)  # fmt: skip
        if not factorization.regularize(0.0):
            return None
        dx, dy = factorization.solve(-force[moving], -residual)
        x, y = x.copy(), y.copy()
        x[moving] += dx
        y[rows] += dy
        objective = f / program.scaling.objective * program.evaluation.program.sign
        if not monitor.record("active set", program.full_x(x), objective, float(np.abs(residual).sum()), error):
            return best
    return best


def _point(program: StandardProgram, x: Vector, y: Vector, force: Vector, active: Vector) -> ActivePoint:
    # Stationarity in x and s:  D'z = (grad f + J'y, -y_I)  on the active entries.
    form = program.form
    target = np.concatenate([force, -y[form.equalities :]])
    z = np.where(active, form.sign * target[form.index], 0.0)
    return ActivePoint(x, y, z, active)
