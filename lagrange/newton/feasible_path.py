"""The feasible path: Newton's method on the manifold of the equality constraints (the generalized reduced gradient).

    x+ = retraction of x + alpha dx,    dx in the tangent space:  A dx = 0

Every iterate satisfies the equalities, and slacks follow their rows, s = c_I(x): the line search looks at the barrier
objective alone. With the least-squares multipliers y, Z'(W + Sigma)Z is the Hessian of the barrier objective in the
chart of the retraction, so full steps converge quadratically without second-order corrections
(Gabay 1982, "Minimizing a differentiable function over a differential manifold", J. Optim. Theory Appl. 37;
Abadie and Carpentier 1969; Drud 1994, "CONOPT").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import NullSpaceFactorization, RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import finite, largest, lowest
from lagrange.newton import active_set_phase
from lagrange.newton.barrier import (
    BOUND_RELAXATION,
    MU_LINEAR,
    MU_POWER,
    SMALLEST_TAU,
    SOLVED_FACTOR,
    Barrier,
    Errors,
    Iterate,
    fraction_to_boundary,
    kkt_errors,
)
from lagrange.newton.barrier_phase import (
    FAR_AWAY,
    FIRST_MU,
    PRESSING,
    STALL_DELTA,
    STALL_GROWTH,
    STALL_TRIES,
    TRY_ACTIVE_SET,
    TRY_AGAIN,
    End,
    Outcome,
)
from lagrange.newton.direction import InertiaCorrection
from lagrange.newton.feasible_ending import feasible_ending
from lagrange.newton.monitor import Monitor
from lagrange.newton.retraction import Retraction, relative_violation

PHASE = "on manifold"
ARMIJO = 1e-4
CORRECTIONS = 2  # for the curvature of inequality rows, at every length of the step
SMALLEST_STEP = 1e-12
ROUNDING = 10 * float(np.finfo(np.float64).eps)  # relative changes of the barrier objective below this are no rise
INSIDE = 1e-6  # bounds nearer than this at the start are relaxed, so that an interior exists


@dataclass
class _Memory:
    """What the loop remembers from one iteration to the next."""

    mu: float
    inertia: InertiaCorrection = field(default_factory=InertiaCorrection)
    try_below: float = TRY_ACTIVE_SET
    smallest_delta: float = 0.0
    stalls: int = 0


@dataclass(frozen=True)
class _Local:
    """Derivatives at the iterate, whose y is that of least squares, and the errors."""

    g: Vector
    J: Vector
    W: Vector
    basis: RangeNullSpace  # of the equality rows
    force: Vector  # g + J'y
    errors: Errors


def feasible_path(
    program: StandardProgram, x: Vector, monitor: Monitor, tol: float, mu: float = FIRST_MU, z: Vector | None = None
) -> Outcome:
    """Iterate from x, a point of the manifold inside its bounds, until the KKT conditions hold to `tol` or a named end.

    Parameters
    ----------
    z : multipliers of the bound list to start with; mu / d where None

    In the history, `infeasibility` is the largest violation of an equality, divided by max(1, |right side|).
    """
    form = program.form
    f, c = program.objective_and_rows(x)
    v = np.concatenate([x, c[form.equalities :]])
    barrier = Barrier(form, _relaxation(program, v))
    low, high = (side[: form.n] for side in replace(form, bound=barrier.bound).limits())
    d = barrier.distances(v)
    it = Iterate(v, np.zeros(form.m), mu / d if z is None else z, d, f, _on_rows(program, c))
    first_f = f
    memory = _Memory(mu if form.index.size else tol / SOLVED_FACTOR)
    while True:
        it, local = _localized(program, it)
        if local is None:
            return Outcome(End.NOT_FINITE, it)
        ended = _ended(program, it, local, memory, monitor, tol, first_f)
        if ended is not None:
            return ended
        while local.errors.total(memory.mu) <= SOLVED_FACTOR * memory.mu and memory.mu > tol / SOLVED_FACTOR:
            memory.mu = max(tol / SOLVED_FACTOR, min(MU_LINEAR * memory.mu, float(memory.mu**MU_POWER)))
        factorization = NullSpaceFactorization(
            local.W, form.scatter(form.sign * it.z / it.d), local.J, form.equalities, basis=local.basis
        )
        if not memory.inertia.apply(factorization, memory.smallest_delta):
            return Outcome(End.NOT_FINITE, it)
        following, alpha = _step(program, barrier, it, local, factorization, memory.mu, (low, high))
        if following is not None:
            it, memory.smallest_delta, memory.stalls = following, 0.0, 0
        else:
            # The model is worth little here: shorten the step by a larger delta, a few times.
            memory.stalls += 1
            if memory.stalls > STALL_TRIES:
                return Outcome(End.NO_PROGRESS, it)
            memory.smallest_delta = max(STALL_DELTA, STALL_GROWTH * memory.inertia.last)
        violation = relative_violation(program, it.h)
        x, objective = program.full_x(it.v[: form.n]), program.user_objective(it.f)
        if not monitor.record(PHASE, x, objective, violation, local.errors.dual, memory.mu, factorization.delta, alpha):
            return Outcome(End.STOPPED, it)


def _relaxation(program: StandardProgram, v: Vector) -> float:
    # None where the start is well inside; else as in the barrier phase, and twice what is violated.
    nearest = lowest(program.form.distances(v) / program.bound_sizes)
    return 0.0 if nearest > INSIDE else max(BOUND_RELAXATION, -2.0 * nearest)


def _on_rows(program: StandardProgram, c: Vector) -> Vector:
    # Slacks are the values of their rows: only equalities can be violated.
    h = np.zeros(c.size)
    h[: program.form.equalities] = c[: program.form.equalities]
    return h


def _localized(program: StandardProgram, it: Iterate) -> tuple[Iterate, _Local | None]:
    """The iterate with least-squares multipliers of the equalities, and what is known there."""
    form = program.form
    n, equalities = form.n, form.equalities
    bound_force = form.scatter(it.z)
    # Stationarity in the slacks:  -y_I = D'z.
    y = it.y.copy()
    y[equalities:] = -bound_force[n:]
    g, J, W = program.derivatives(it.v[:n], y)
    if not finite(g, J, W):
        return it, None
    basis = RangeNullSpace(J[:equalities])
    if equalities:
        # y_E minimizes | g + J'y - D'z |; W is linear in y and has to be taken again.
        y[:equalities] = basis.multipliers(-(g + y[equalities:].dot(J[equalities:]) - bound_force[:n]))
        g, J, W = program.derivatives(it.v[:n], y)
    force = g + y.dot(J)
    it = replace(it, y=y)
    return it, _Local(g, J, W, basis, force, kkt_errors(force - bound_force[:n], it))


def _ended(
    program: StandardProgram,
    it: Iterate,
    local: _Local,
    memory: _Memory,
    monitor: Monitor,
    tol: float,
    first_f: float,
) -> Outcome | None:
    """Converged, finished by the active-set ending, or unbounded; None to go on."""
    x, error = it.v[: program.form.n], local.errors.total(0.0)
    if error <= tol or (it.z.size and error <= memory.try_below):
        point = feasible_ending(program, x, it.y, active_set_phase.guess(it), monitor, tol)
        # Early on, a point that rests on bounds without pressing on them may be a flat corner: go on.
        if point is not None and (error <= tol or lowest(point.z[point.active]) > PRESSING):
            return Outcome(End.POLISHED, it, point)
        if monitor.stop is not None:
            return Outcome(End.STOPPED, it)
        memory.try_below = TRY_AGAIN * error
    if error <= tol and local.errors.dual <= 1.0:
        return Outcome(End.CONVERGED, it)
    if largest(x) > FAR_AWAY or it.f < -FAR_AWAY:
        return Outcome(End.UNBOUNDED if it.f < first_f else End.NO_PROGRESS, it)
    return None


def _step(
    program: StandardProgram,
    barrier: Barrier,
    it: Iterate,
    local: _Local,
    factorization: NullSpaceFactorization,
    mu: float,
    within: tuple[Vector, Vector],
) -> tuple[Iterate | None, float]:
    """The next iterate and the fraction of the tangent step taken; None where no fraction is any good."""
    form = program.form
    n, equalities = form.n, form.equalities
    force = barrier.force(it.d, mu)
    r_v = form.scatter(force) - np.concatenate([local.force, -it.y[equalities:]])
    dv, _ = factorization.solve(r_v, np.zeros(form.m))
    dd = barrier.steps(dv)
    slope = float(local.g.dot(dv[:n])) - float(force.dot(dd))
    tau = max(SMALLEST_TAU, 1.0 - mu)
    value = barrier.value(it.f, it.d, mu)
    rounding = ROUNDING * abs(value)
    retract = Retraction(program, local.J, *within)
    alpha = fraction_to_boundary(it.d, dd, tau)
    smallest = SMALLEST_STEP * alpha
    while alpha >= smallest:
        step = alpha * dv
        for _ in range(1 + CORRECTIONS):
            trial = _trial(program, barrier, it, step, retract)
            if trial is None:
                break
            change = barrier.value(trial.f, trial.d, mu) - value
            if math.isfinite(change) and change <= ARMIJO * alpha * slope + rounding:
                # dz = (mu - z dd) / d - z, with its own fraction to the boundary
                dz = (mu - it.z * dd) / it.d - it.z
                z = it.z + fraction_to_boundary(it.z, dz, tau) * dz
                return replace(trial, z=barrier.corridor(z, trial.d, mu)), alpha
            # Inequality rows that bend away from their linear model are corrected within the tangent space:
            # A w = 0,  J_I w - w_s = s + alpha ds - c_I(x+)
            bent = np.zeros(form.m)
            bent[equalities:] = it.v[n:] + alpha * dv[n:] - trial.v[n:]
            if largest(bent) <= rounding:
                break
            w, _ = factorization.solve(np.zeros(form.size), bent)
            step = step + w
        alpha *= 0.5
    return None, 0.0


def _trial(
    program: StandardProgram, barrier: Barrier, it: Iterate, step: Vector, retract: Retraction
) -> Iterate | None:
    """The point of the manifold at this step, its multipliers still the old ones; None where there is none."""
    form = program.form
    x = retract(it.v[: form.n] + step[: form.n])
    if x is None:
        return None
    f, c = program.objective_and_rows(x)
    if not (math.isfinite(f) and finite(c)):
        return None
    v = np.concatenate([x, c[form.equalities :]])
    return Iterate(v, it.y, it.z, barrier.distances(v), f, _on_rows(program, c))
