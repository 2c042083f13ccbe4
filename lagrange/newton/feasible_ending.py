"""The ending of a feasible path: the active-set phase, with every full step taken back onto the manifold.

Each step solves one quadratic program; what it moves off the equality constraints, a retraction brings back, with the
variables at active bounds held. Active inequalities need no retraction: Newton meets them quadratically. It ends at
rounding, with exact zeros for inactive multipliers, and has called no function off the manifold but the equalities.
"""

from __future__ import annotations

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.residuals import kkt_residuals
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import finite
from lagrange.newton.active_set_phase import ActivePoint
from lagrange.newton.monitor import Monitor
from lagrange.newton.quadratic_program import Linearization, bound_multipliers, solve_quadratic_program
from lagrange.newton.retraction import Retraction, relative_violation

PHASE = "active set"
CONTRACTION = 0.1  # Newton converges quadratically here: a residual that falls slower is a slow step
SLOW_STEPS = 1  # slow steps allowed before the ending is given up
ROUNDING = 1e-13  # relative residual at which nothing is left to gain


def feasible_ending(
    program: StandardProgram, x: Vector, y: Vector, active: Mask, monitor: Monitor, tol: float
) -> ActivePoint | None:
    """The KKT point near (x, y), from this guess of the active set; None where Newton does not contract.

    Signs of multipliers and inactive rows are part of the residual that decides.
    """
    form = program.form
    best: ActivePoint | None = None
    before, slow, stopped = np.inf, 0, False
    at = _linearize(program, x, y)
    while at is not None:
        z = bound_multipliers(form, at.g + at.y.dot(at.J), at.y, active)
        error = _relative_error(program, at, z)
        if error <= tol and error < before:
            best = ActivePoint(at.x, at.y, z, active)
        slow += error > CONTRACTION * before
        done = error <= ROUNDING or slow > SLOW_STEPS or (best is not None and error >= before)
        if done or stopped or not np.isfinite(error):
            break
        before = error
        step = solve_quadratic_program(form, at, active)
        if step is None:
            break
        x, y, active = step
        retracted = _retraction(program, at.J, active)(form.within_bounds(x))
        at = None if retracted is None else _linearize(program, retracted, y)
        if at is not None:
            violation = relative_violation(program, at.c)
            stopped = not monitor.record(PHASE, program.full_x(at.x), program.user_objective(at.f), violation, error)
    return best


def _retraction(program: StandardProgram, J: Vector, active: Mask) -> Retraction:
    form = program.form
    low, high = (side[: form.n] for side in form.limits())
    moving = np.ones(form.n, dtype=bool)
    held = form.index[active]
    moving[held[held < form.n]] = False
    return Retraction(program, J, low, high, moving)


def _linearize(program: StandardProgram, x: Vector, y: Vector) -> Linearization | None:
    form = program.form
    f, c = program.objective_and_rows(x)
    if not (np.isfinite(f) and finite(c)):
        return None
    g, J, W = program.derivatives(x, y)
    if not finite(g, J, W):
        return None
    d = form.distances(np.concatenate([x, c[form.equalities :]]))
    return Linearization(x, y, f, c, d, g, J, W)


def _relative_error(program: StandardProgram, at: Linearization, z: Vector) -> float:
    """The largest relative KKT residual in the user's units: what the verdict will be based on."""
    form, scaling = program.form, program.scaling
    y_user, z_user = program.unscaled_multipliers(at.y, z)
    scale = scaling.rows[form.rows]
    c = at.c.copy()
    c[: form.equalities] += form.right_sides
    residuals = kkt_residuals(
        at.f / scaling.objective,
        c / scale,
        at.g / scaling.objective,
        at.J / scale[:, None],
        at.x,
        y_user[form.rows],
        z_user[form.free],
        (program.bounds[0][form.free], program.bounds[1][form.free]),
        (program.sides[0][form.rows], program.sides[1][form.rows]),
        scaling.typical_gradient,
        scaling.typical_value,
        np.broadcast_to(scaling.row_sizes, scaling.rows.shape)[form.rows],
    )
    wrong = float(-z.min(initial=0.0)) / scaling.objective / residuals.stationarity_scale
    return max(residuals.relative, wrong) if np.isfinite(residuals.relative) else np.inf
