"""The active-set phase: full Newton steps on the KKT conditions, one quadratic program each.

It opens a solve, as long as every full step makes progress from the user's x0 (many problems need nothing else), and
it ends one, from where the barrier phase has led: there it converges quadratically to rounding, with exact zeros for
inactive multipliers. It has no globalization of its own: what it cannot do is left to the barrier phase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.residuals import stationarity_scale
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import finite, highest, largest, lowest, total
from lagrange.model.standard_form import StandardForm
from lagrange.newton.barrier import Iterate
from lagrange.newton.monitor import Monitor
from lagrange.newton.quadratic_program import Linearization, bound_multipliers, solve_quadratic_program

CONTRACTION = 0.1  # Newton converges quadratically here: a residual that falls slower is a slow step
SLOW_STEPS = 1  # slow steps allowed before an ending is given up
VIOLATION_CONTRACTION = 0.5  # a step of an ending that does not halve the violation is not worth derivatives
OPENING_CONTRACTION = 0.5  # progress of an opening: the violation is halved, ...
ARMIJO = 1e-4  # ... or the objective falls by this share of its slope and the violation does not grow
ON_THE_BOUND = 1e-8  # distances below this, relative, start an opening as active
FEASIBLE = 1e-6  # violations below this do not count in an opening
OBJECTIVE_ROUNDING = 1e-10  # relative changes of the objective below this are no rise
LARGEST_STEPS = 24
LEFT_OVER = 1e-6  # multipliers of inactive rows below this are dropped before an ending
NONE = np.zeros(1)  # bound multipliers are sums of the other terms
ROUNDING = 1e-13  # relative residual at which nothing is left to gain


@dataclass(frozen=True)
class ActivePoint:
    """A KKT point in the scaled standard form with its active set."""

    x: Vector
    y: Vector  # (m,) multipliers of all rows
    z: Vector  # (bounds,) multipliers of the bound list, zero where inactive
    active: Mask  # (bounds,) which bounds are active


def guess(it: Iterate) -> Mask:
    """Active where the multiplier exceeds the distance: on the central path d z = mu, one of them is large."""
    return np.asarray(it.z > it.d)


def opening(program: StandardProgram, x: Vector, monitor: Monitor, tol: float) -> tuple[bool, ActivePoint]:
    """Full steps from x while they make progress: whether they reached a KKT point, and the last good point."""
    form = program.form
    at = _linearize(program, form.within_bounds(x), np.zeros(form.m))
    if at is None:
        nowhere = np.zeros(form.index.size)
        return False, ActivePoint(form.within_bounds(x), np.zeros(form.m), nowhere, nowhere > 0)
    return _full_steps(program, at, np.asarray(at.d <= ON_THE_BOUND * program.bound_sizes), monitor, tol, ending=False)


def polish(
    program: StandardProgram, x: Vector, y: Vector, active: Mask, monitor: Monitor, tol: float
) -> ActivePoint | None:
    """The KKT point near (x, y), starting from this guess of the active set; None where Newton does not contract."""
    # What the barrier leaves on inactive rows has no part in the Lagrangian.
    form = program.form
    pressing = (np.arange(form.m) < form.equalities) | (np.abs(y) > LEFT_OVER)
    pressing[form.index[active & (form.index >= form.n)] - form.n + form.equalities] = True
    at = _linearize(program, x, np.where(pressing, y, 0.0))
    if at is None:
        return None
    converged, point = _full_steps(program, at, active, monitor, tol, ending=True)
    return point if converged else None


def _full_steps(
    program: StandardProgram, at: Linearization, active: Mask, monitor: Monitor, tol: float, ending: bool
) -> tuple[bool, ActivePoint]:
    form = program.form
    best: ActivePoint | None = None
    before, slow, slow_at_the_end, stopped = np.inf, 0, 0, False
    for _ in range(LARGEST_STEPS):
        z = bound_multipliers(form, at.g + at.y.dot(at.J), at.y, active)
        error = _error(program, at, z, active)
        if error <= tol and error < before:
            best = ActivePoint(at.x, at.y, z, active)
        slow += error > CONTRACTION * before
        slow_at_the_end += best is not None and error > CONTRACTION * before
        done = error <= ROUNDING or slow_at_the_end > SLOW_STEPS or (best is not None and error >= before)
        if done or stopped or (ending and slow > SLOW_STEPS):
            break
        before = error
        # An opening may take a compromise: whether it makes progress is seen afterwards.
        step = solve_quadratic_program(form, at, active, compromise=not ending)
        if step is None:
            break
        x, y, active_after = step
        values = _values(program, x)
        if values is None or not (_approaches if ending else _progresses)(form, at, active, x, values, tol):
            break
        following = _linearize(program, x, y, values)
        if following is None:
            break
        at, active = following, active_after
        objective, violation = program.user_objective(at.f), _violation(form, at.c, at.d)
        stopped = not monitor.record("active set", program.full_x(x), objective, violation, error)
    if best is not None:
        return True, best
    return False, ActivePoint(at.x, at.y, bound_multipliers(form, at.g + at.y.dot(at.J), at.y, active), active)


Values = tuple[float, Vector, Vector]  # f, c and the distances d


def _values(program: StandardProgram, x: Vector) -> Values | None:
    form = program.form
    f, c = program.objective_and_rows(x)
    if not math.isfinite(f + total(c)):
        return None
    return f, c, form.distances(np.concatenate([x, c[form.equalities :]]))


def _linearize(program: StandardProgram, x: Vector, y: Vector, values: Values | None = None) -> Linearization | None:
    values = values or _values(program, x)
    if values is None:
        return None
    g, J, W = program.derivatives(x, y)
    if not finite(g, J, W):
        return None
    return Linearization(x, y, *values, g, J, W)


def _approaches(form: StandardForm, at: Linearization, active: Mask, x: Vector, values: Values, tol: float) -> bool:
    """An ending: the step at least halves the violation, counting what active bounds still had to go."""
    before = max(_violation(form, at.c, at.d), largest(at.d[active]))
    return _violation(form, values[1], values[2]) <= max(VIOLATION_CONTRACTION * before, tol)


def _progresses(form: StandardForm, at: Linearization, active: Mask, x: Vector, values: Values, tol: float) -> bool:
    """An opening: the violation is halved, or it does not grow and the objective falls as its slope promises."""
    before, after = _total_violation(form, at.c, at.d), _total_violation(form, values[1], values[2])
    slope = float(at.g.dot(x - at.x))
    falls = slope < 0.0 and values[0] <= at.f + ARMIJO * slope
    # Meeting the constraints better may cost what they are worth: multipliers times violation.
    allowed = OBJECTIVE_ROUNDING * abs(at.f) + total(at.y) * before
    stays = max(before, after) <= FEASIBLE and values[0] <= at.f + allowed
    halved = before > tol and after <= OPENING_CONTRACTION * before
    return halved or (falls and after <= max(before, tol)) or stays


def _total_violation(form: StandardForm, c: Vector, d: Vector) -> float:
    return total(c[: form.equalities]) + total(np.minimum(d, 0.0))


def _violation(form: StandardForm, c: Vector, d: Vector) -> float:
    return max(largest(c[: form.equalities]), -lowest(d, 0.0))


def _error(program: StandardProgram, at: Linearization, z: Vector, active: Mask) -> float:
    """The largest relative KKT residual in the user's units: what the verdict will be based on."""
    form = program.form
    typical = program.scaling.objective * program.scaling.typical_gradient
    force = at.g + at.y.dot(at.J)
    size = stationarity_scale(at.g, at.J, at.y, NONE, typical)
    value = max(program.scaling.objective * program.scaling.typical_value, abs(at.f))
    dual = np.concatenate([force, -at.y[form.equalities :]]) - form.scatter(z)
    equations = at.c[: form.equalities]
    error = max(
        largest(dual) / size,
        largest(equations / program.equation_sizes),
        largest(at.y[: form.equalities] * equations) / value,
    )
    if z.size:
        gap = np.where(active, np.abs(at.d), -at.d) / program.bound_sizes
        error = max(error, highest(gap), -lowest(z) / size, largest(z * at.d) / value)
    return error
