"""The barrier phase: a primal-dual interior-point method with a filter line search.

Waechter and Biegler (2006), "On the implementation of an interior-point filter line-search algorithm for
large-scale nonlinear programming", Math. Program. 106. From anywhere it finds the neighbourhood of a solution and
the active set; as soon as its guess of the active set has settled, the active-set phase is tried from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import NullSpaceFactorization, RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import finite, highest, largest, lowest
from lagrange.newton import active_set_phase
from lagrange.newton.active_set_phase import ActivePoint
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
from lagrange.newton.direction import InertiaCorrection
from lagrange.newton.filter import Filter
from lagrange.newton.line_search import SMALL_THETA, Progress, Step, search, trial
from lagrange.newton.monitor import Monitor
from lagrange.newton.restoration import Restored, restore
from lagrange.newton.starting_point import LARGEST_FIRST_MULTIPLIER, with_multipliers

FIRST_MU = 0.1
LARGEST_THETA = 1e4  # theta_max relative to the start
PRESSING = 1e-8  # multipliers of active bounds above this, in the scaled problem, are positive
TRY_ACTIVE_SET = 1.0  # error below which the active-set phase is tried ...
TRY_AGAIN = 0.01  # ... and, once refused, again after this decrease of the error, ...
PATIENCE = 10  # ... or after so many iterations: in a valley of minima the barrier drifts and the error stays
ROUNDING = 10 * float(np.finfo(np.float64).eps)
STANDSTILL = 1e-10  # relative moves below this do not count as progress after a failed search
SHORT_STEP, SHORT_STEPS = 0.05, 6  # so many steps this short ask for restoration
NEGLIGIBLE_VIOLATION = 1e-6
SMALLEST_DISTANCE = 1e-15
EXPLODED = 1e6  # multipliers beyond this at an infeasible point ask for restoration
FAR_AWAY = 1e13  # |x| or -f beyond this is taken for infinity where the constraints are met ...
TOO_FAR = 1e20  # ... and is given up beyond this where they are not
RAY_ROUNDING = 1e-10  # relative rounding of the rows far away
LOOSE_FEASIBILITY = 1e-4
NEARLY_FEASIBLE = 1e-2  # violations below this share of tol cannot be restored further
TINY_STEPS = 5
STALL_DELTA, STALL_GROWTH, STALL_TRIES = 1e-4, 10.0, 10


class End(Enum):
    """How a phase ended."""

    POLISHED = auto()  # the active-set phase was accepted
    CONVERGED = auto()  # the barrier's own test holds
    INFEASIBLE_STATIONARY = auto()
    UNBOUNDED = auto()
    NOT_FINITE = auto()
    NO_PROGRESS = auto()
    STOPPED = auto()  # the monitor has the reason


@dataclass(frozen=True)
class Outcome:
    """The end, the last iterate, and the point of the active-set phase where that had the last word."""

    end: End
    iterate: Iterate | None
    point: ActivePoint | None = None


@dataclass
class _Memory:
    """What the loop remembers from one iteration to the next."""

    mu: float
    filter: Filter
    small_theta: float
    first_f: float
    inertia: InertiaCorrection = field(default_factory=InertiaCorrection)
    basis: RangeNullSpace | None = None
    try_below: float = TRY_ACTIVE_SET
    waited: int = 0  # iterations since the active-set phase was tried
    resting: ActivePoint | None = None  # a KKT point that rests on bounds without pressing on them
    smallest_delta: float = 0.0
    short_steps: int = 0
    tiny_steps: int = 0
    stalls: int = 0


@dataclass(frozen=True)
class _Local:
    """Derivatives at the iterate, the dual residual without bounds, and the errors."""

    g: Vector
    J: Vector
    W: Vector
    primal_dual: Vector  # (g + J'y, -y_I)
    errors: Errors
    theta: float


def barrier_phase(
    program: StandardProgram,
    it: Iterate,
    monitor: Monitor,
    tol: float,
    mu: float = FIRST_MU,
    relaxation: float = BOUND_RELAXATION,
) -> Outcome:
    """Iterate from `it` until the KKT conditions hold to `tol`, or a named end; bounds are relaxed by `tol` at most."""
    form = program.form
    barrier = Barrier(form, min(tol, relaxation))
    # The bounds may be relaxed less than in the phase that `it` comes from.
    it = replace(it, d=np.maximum(barrier.distances(it.v), SMALLEST_DISTANCE * np.maximum(1.0, np.abs(form.bound))))
    scale = max(1.0, it.theta)
    memory = _Memory(
        mu=mu if form.index.size else tol / SOLVED_FACTOR,
        filter=Filter(LARGEST_THETA * scale),
        small_theta=SMALL_THETA * scale,
        first_f=it.f,
    )
    while True:
        local = _local(program, it)
        if local is None:
            return Outcome(End.NOT_FINITE, it)
        ended = _ended(program, it, local, memory, monitor, tol)
        if ended is not None:
            return ended
        while local.errors.total(memory.mu) <= SOLVED_FACTOR * memory.mu and memory.mu > tol / SOLVED_FACTOR:
            _decrease(memory, tol)
        factorization = NullSpaceFactorization(
            local.W, form.scatter(form.sign * it.z / it.d), local.J, form.equalities, basis=memory.basis
        )
        memory.basis = factorization.basis
        if not memory.inertia.apply(factorization, memory.smallest_delta):
            return Outcome(End.NOT_FINITE, it)
        step, now = _step(program, barrier, it, local, factorization, memory)
        if local.theta > NEGLIGIBLE_VIOLATION and largest(it.y) > EXPLODED:
            step = None  # where rows conflict, their multipliers grow without limit: look at the violation alone
        following: Iterate | Outcome
        if step is not None:
            if step.alpha * highest(np.abs(step.dv) / (1.0 + np.abs(it.v))) > STANDSTILL:
                memory.smallest_delta, memory.stalls = 0.0, 0
            elif memory.smallest_delta:
                memory.stalls += 1
                if memory.stalls > STALL_TRIES:
                    return Outcome(End.NO_PROGRESS, it)
            following = _accept(barrier, it, step, memory.mu)
        elif memory.tiny_steps and local.errors.primal <= NEGLIGIBLE_VIOLATION:
            # Only rounding is left to be gained in this barrier problem.
            if memory.mu <= tol / SOLVED_FACTOR:
                return Outcome(End.NO_PROGRESS, it)
            _decrease(memory, tol)
            following = it
        elif local.errors.primal <= NEARLY_FEASIBLE * tol or not it.h.size:
            memory.stalls += 1
            if memory.stalls > STALL_TRIES:
                return Outcome(End.NO_PROGRESS, it)
            memory.smallest_delta = max(STALL_DELTA, STALL_GROWTH * memory.inertia.last)
            following = it
        else:
            memory.filter.add(now.theta, now.phi)
            following = _restored(program, barrier, it, memory, monitor)
            if isinstance(following, Outcome):
                return following
            it = following
            continue  # the restoration has kept its own record
        it = following
        x, objective, alpha = program.full_x(it.v[: form.n]), program.user_objective(it.f), step.alpha if step else 0.0
        stationarity, delta = local.errors.dual, factorization.delta
        if not monitor.record("barrier", x, objective, it.theta, stationarity, memory.mu, delta, alpha):
            return Outcome(End.STOPPED, it)


def _local(program: StandardProgram, it: Iterate) -> _Local | None:
    form = program.form
    g, J, W = program.derivatives(it.v[: form.n], it.y)
    if not finite(g, J, W):
        return None
    force = it.y.dot(J)
    force += g
    primal_dual = np.concatenate([force, -it.y[form.equalities :]]) if form.size > form.n else force
    dual = primal_dual - form.scatter(it.z) if it.z.size else primal_dual
    return _Local(g, J, W, primal_dual, kkt_errors(dual, it), it.theta)


def _ended(
    program: StandardProgram, it: Iterate, local: _Local, memory: _Memory, monitor: Monitor, tol: float
) -> Outcome | None:
    """Converged, finished by the active-set phase, or unbounded; None to go on."""
    x, errors = it.v[: program.form.n], local.errors
    error = errors.total(0.0)
    memory.waited += 1
    impatient = memory.waited > PATIENCE and error <= TRY_ACTIVE_SET
    if error <= tol or (it.z.size and (impatient or error <= memory.try_below)):
        point = active_set_phase.polish(program, x, it.y, active_set_phase.guess(it), monitor, tol)
        # Early on, a point that rests on bounds without pressing on them may be a flat corner: go on for a while.
        if point is not None and (error <= tol or lowest(point.z[point.active]) > PRESSING):
            return Outcome(End.POLISHED, it, point)
        if impatient and memory.resting is not None and program.objective_and_rows(memory.resting.x)[0] <= it.f:
            return Outcome(End.POLISHED, it, memory.resting)
        memory.resting = point
        if monitor.stop is not None:
            return Outcome(End.STOPPED, it)
        memory.try_below, memory.waited = min(memory.try_below, TRY_AGAIN * error), 0
    if error <= tol and errors.dual <= 1.0:
        return Outcome(End.CONVERGED, it)
    if largest(x) > FAR_AWAY or it.f < -FAR_AWAY:
        # A row counts as met up to the rounding of its terms.
        rounding = RAY_ROUNDING * (np.abs(local.J).dot(np.abs(x)) + np.abs(it.h))
        met = bool((np.abs(it.h) <= LOOSE_FEASIBILITY + rounding).all())
        if met and it.f < memory.first_f:
            return Outcome(End.UNBOUNDED, it)
        if largest(x) > TOO_FAR or it.f < -TOO_FAR:
            return Outcome(End.NO_PROGRESS, it)
    return None


def _step(
    program: StandardProgram,
    barrier: Barrier,
    it: Iterate,
    local: _Local,
    factorization: NullSpaceFactorization,
    memory: _Memory,
) -> tuple[Step | None, Progress]:
    """The Newton step of the barrier problem as far as the filter accepts it, or None."""
    form, mu = program.form, memory.mu
    force = barrier.force(it.d, mu)
    r_v = form.scatter(force) - local.primal_dual if it.z.size else -local.primal_dual
    dv, dy = factorization.solve(r_v, -it.h)
    tau = max(SMALLEST_TAU, 1.0 - mu)
    # slope = grad phi . dv
    dd = barrier.steps(dv)
    slope = float(local.g.dot(dv[: form.n])) - float(force.dot(dd))
    now = Progress(local.theta, barrier.value(it.f, it.d, mu), slope, memory.small_theta)
    if highest(np.abs(dv) / (1.0 + np.abs(it.v))) < ROUNDING:
        # x stands still, but y and z may not: take the step without a search, a few times.
        memory.tiny_steps += 1
        alpha = fraction_to_boundary(it.d, dd, tau)
        return (trial(program, it, dv, dy, dd, alpha, alpha) if memory.tiny_steps <= TINY_STEPS else None), now
    memory.tiny_steps = 0
    step = search(program, barrier, it, dv, dy, now, mu, tau, memory.filter, factorization, r_v)
    is_short = step is not None and step.alpha < SHORT_STEP * step.largest and local.theta > NEGLIGIBLE_VIOLATION
    memory.short_steps = memory.short_steps + 1 if is_short else 0
    if memory.short_steps >= SHORT_STEPS:
        memory.short_steps = 0
        return None, now
    return step, now


def _accept(barrier: Barrier, it: Iterate, step: Step, mu: float) -> Iterate:
    y = it.y + step.alpha * step.dy
    if not it.z.size:
        return Iterate(step.v, y, it.z, it.d, step.f, step.h)
    # dz = (mu - z dd) / d - z, with its own fraction to the boundary
    dz = (mu - it.z * step.dd) / it.d - it.z
    z = it.z + fraction_to_boundary(it.z, dz, max(SMALLEST_TAU, 1.0 - mu)) * dz
    return Iterate(step.v, y, barrier.corridor(z, step.d, mu), step.d, step.f, step.h)


def _restored(
    program: StandardProgram, barrier: Barrier, it: Iterate, memory: _Memory, monitor: Monitor
) -> Iterate | Outcome:
    restoration = restore(program, barrier, it, memory.mu, memory.filter, monitor)
    it = restoration.iterate
    if restoration.end is Restored.INFEASIBLE_STATIONARY:
        return Outcome(End.INFEASIBLE_STATIONARY, it)
    if restoration.end is Restored.FAILED:
        return Outcome(End.NO_PROGRESS, it)
    if restoration.end is Restored.STOPPED:
        return Outcome(End.STOPPED, it)
    z = it.z if largest(it.z) <= LARGEST_FIRST_MULTIPLIER else np.ones(it.z.size)
    return with_multipliers(program, replace(it, z=z))


def _decrease(memory: _Memory, tol: float) -> None:
    # A smaller barrier parameter is a new problem: the filter starts afresh.
    memory.mu = max(tol / SOLVED_FACTOR, min(MU_LINEAR * memory.mu, float(memory.mu**MU_POWER)))
    memory.filter.clear()
