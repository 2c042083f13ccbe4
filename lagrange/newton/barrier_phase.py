"""The barrier phase: a primal-dual interior-point method with a filter line search.

Waechter and Biegler (2006), "On the implementation of an interior-point filter line-search algorithm for
large-scale nonlinear programming", Math. Program. 106. From anywhere it finds the neighbourhood of a solution and
the active set; as soon as its guess of the active set has settled, the active-set phase is tried from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import finite, highest, largest
from lagrange.newton import active_set_phase
from lagrange.newton.active_set_phase import ActivePoint
from lagrange.newton.barrier import BOUND_RELAXATION, Barrier, Iterate, fraction_to_boundary, kkt_errors
from lagrange.newton.direction import InertiaCorrection
from lagrange.newton.filter import Filter
from lagrange.newton.line_search import SMALL_THETA, Progress, Step, search, trial
from lagrange.newton.monitor import Monitor
from lagrange.newton.restoration import Restored, restore

FIRST_MU = 0.1
MU_LINEAR, MU_POWER = 0.2, 1.5  # kappa_mu, theta_mu
SOLVED_FACTOR = 10.0  # kappa_epsilon: a barrier problem is solved to 10 mu
SMALLEST_TAU = 0.99
LARGEST_THETA = 1e4  # theta_max relative to the start
LARGEST_FIRST_MULTIPLIER = 1e3
TRY_ACTIVE_SET = 1.0  # error below which the active-set phase is tried ...
TRY_AGAIN = 0.01  # ... and, once refused, again after this decrease of the error
ROUNDING = 10 * float(np.finfo(np.float64).eps)
SHORT_STEP, SHORT_STEPS = 0.05, 6  # so many steps this short ask for restoration
NEGLIGIBLE_VIOLATION = 1e-6
FAR_AWAY = 1e15  # |x| or -f beyond this is taken for infinity
LOOSE_FEASIBILITY = 1e-4
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


def starting_point(program: StandardProgram, x: Vector) -> Iterate:
    """x moved inside its bounds, slacks at the rows, z = 1, and least-squares multipliers y."""
    form = program.form
    barrier = Barrier(form)
    _, c = program.objective_and_rows(x)
    v = barrier.interior(np.concatenate([x, np.where(np.isfinite(c), c, 0.0)[form.equalities :]]))
    _, c = program.objective_and_rows(v[: form.n])
    v = barrier.interior(np.concatenate([v[: form.n], np.where(np.isfinite(c), c, 0.0)[form.equalities :]]))
    f, h = program.values(v)
    z = np.ones(form.index.size)
    it = Iterate(v, np.zeros(form.m), z, barrier.distances(v), f, h)
    return replace(it, y=least_squares_multipliers(program, it))


def least_squares_multipliers(program: StandardProgram, it: Iterate) -> Vector:
    """y that minimizes the dual residual at this point; zero where it is larger than 1e3 (of no use then)."""
    form = program.form
    if not form.m:
        return it.y
    g, J, _ = program.derivatives(it.v[: form.n], np.zeros(form.m), 0.0)
    if not finite(g, J):
        return np.zeros(form.m)
    on_slacks = np.concatenate([np.zeros(form.n), np.ones(form.size - form.n)])
    factorization = NullSpaceFactorization(np.eye(form.n), on_slacks, J, form.equalities)
    factorization.regularize(0.0)
    target = np.concatenate([g, np.zeros(form.size - form.n)]) - form.scatter(it.z)
    _, y = factorization.solve(-target, np.zeros(form.m))
    usable = finite(y) and largest(y) <= LARGEST_FIRST_MULTIPLIER
    return y if usable else np.zeros(form.m)


def barrier_phase(program: StandardProgram, it: Iterate, monitor: Monitor, tol: float, mu: float = FIRST_MU) -> Outcome:
    """Iterate from `it` until the KKT conditions hold to `tol`, or a named end."""
    form = program.form
    barrier = Barrier(form, min(tol, BOUND_RELAXATION))
    n, equalities, bounds = form.n, form.equalities, form.index.size
    if not bounds:
        mu = tol / SOLVED_FACTOR
    small_theta, theta_max = SMALL_THETA * max(1.0, it.theta), LARGEST_THETA * max(1.0, it.theta)
    filter = Filter(theta_max)
    inertia = InertiaCorrection()
    basis = None
    try_below = TRY_ACTIVE_SET
    short_steps = tiny_steps = stalls = 0
    smallest_delta = 0.0
    while True:
        g, J, W = program.derivatives(it.v[:n], it.y)
        if not finite(g, J, W):
            return Outcome(End.NOT_FINITE, it)
        force = it.y.dot(J)
        force += g
        primal_dual = np.concatenate([force, -it.y[equalities:]]) if form.size > n else force
        errors = kkt_errors(primal_dual - form.scatter(it.z) if bounds else primal_dual, it)
        error, theta = errors.total(0.0), it.theta
        if (bounds and error <= try_below) or error <= tol:
            point = active_set_phase.polish(program, it.v[:n], it.y, active_set_phase.guess(it), monitor, tol)
            if point is not None:
                return Outcome(End.POLISHED, it, point)
            if monitor.stop is not None:
                return Outcome(End.STOPPED, it)
            try_below = TRY_AGAIN * error
        if error <= tol and errors.dual <= 1.0:
            return Outcome(End.CONVERGED, it)
        far = largest(it.v[:n]) > FAR_AWAY or it.f < -FAR_AWAY
        if far and errors.primal <= LOOSE_FEASIBILITY * max(1.0, largest(it.v)):
            return Outcome(End.UNBOUNDED, it)

        while errors.total(mu) <= SOLVED_FACTOR * mu and mu > tol / SOLVED_FACTOR:
            mu = _smaller(mu, tol)
            filter.clear()

        # Newton direction of the barrier problem.
        sigma = form.scatter(form.sign * it.z / it.d)
        factorization = NullSpaceFactorization(W, sigma, J, equalities, basis=basis)
        basis = factorization.basis
        if not inertia.apply(factorization, smallest_delta):
            return Outcome(End.NOT_FINITE, it)
        barrier_force = barrier.force(it.d, mu)
        r_v = form.scatter(barrier_force) - primal_dual if bounds else -primal_dual
        dv, dy = factorization.solve(r_v, -it.h)
        tau = max(SMALLEST_TAU, 1.0 - mu)

        # slope = grad phi . dv
        slope = float(g.dot(dv[:n])) - float(barrier_force.dot(barrier.steps(dv)))
        now = Progress(theta, barrier.value(it.f, it.d, mu), slope, small_theta)
        step = None
        largest_move = highest(np.abs(dv) / (1.0 + np.abs(it.v)))
        if largest_move < ROUNDING:
            # The step is rounding: take it without a search, twice at most.
            tiny_steps += 1
            step = _full_step(program, barrier, it, dv, dy, tau)
            if tiny_steps > 1 or step is None:
                if mu > tol / SOLVED_FACTOR and errors.primal <= NEGLIGIBLE_VIOLATION:
                    mu = _smaller(mu, tol)
                    filter.clear()
                elif errors.primal <= NEGLIGIBLE_VIOLATION:
                    return Outcome(End.NO_PROGRESS, it)
                else:
                    step = None
        else:
            tiny_steps = 0
            step = search(program, barrier, it, dv, dy, now, mu, tau, filter, factorization, r_v)
        if step is not None and step.alpha < SHORT_STEP * step.largest and theta > NEGLIGIBLE_VIOLATION:
            short_steps += 1
        else:
            short_steps = 0
        if step is None or short_steps >= SHORT_STEPS:
            short_steps = 0
            if errors.primal <= 1e-2 * tol or not it.h.size:
                stalls += 1
                smallest_delta = max(STALL_DELTA, STALL_GROWTH * inertia.last)
                if stalls > STALL_TRIES:
                    return Outcome(End.NO_PROGRESS, it)
                if not monitor.record("barrier", program.full_x(it.v[:n]), _objective(program, it.f), theta,
                                      errors.dual, mu, factorization.delta, 0.0):  # fmt: skip
                    return Outcome(End.STOPPED, it)
                continue
            filter.add(now.theta, now.phi)
            restored = restore(program, barrier, it, mu, filter, monitor)
            it = restored.iterate
            if restored.end is Restored.INFEASIBLE_STATIONARY:
                return Outcome(End.INFEASIBLE_STATIONARY, it)
            if restored.end is Restored.FAILED:
                return Outcome(End.NO_PROGRESS, it)
            if restored.end is Restored.STOPPED:
                return Outcome(End.STOPPED, it)
            z = it.z if it.z.max(initial=0.0) <= LARGEST_FIRST_MULTIPLIER else np.ones(bounds)
            it = replace(it, z=z)
            it = replace(it, y=least_squares_multipliers(program, it))
            continue
        smallest_delta, stalls = 0.0, 0
        it = _accept(program, barrier, it, step, mu, tau)
        if not monitor.record("barrier", program.full_x(it.v[:n]), _objective(program, it.f), step.theta,
                              errors.dual, mu, factorization.delta, step.alpha):  # fmt: skip
            return Outcome(End.STOPPED, it)


def _accept(program: StandardProgram, barrier: Barrier, it: Iterate, step: Step, mu: float, tau: float) -> Iterate:
    if not it.z.size:
        return Iterate(step.v, it.y + step.alpha * step.dy, it.z, it.d, step.f, step.h)
    # dz = (mu - z dd) / d - z, with its own fraction to the boundary
    dz = (mu - it.z * step.dd) / it.d - it.z
    z = it.z + fraction_to_boundary(it.z, dz, tau) * dz
    return Iterate(step.v, it.y + step.alpha * step.dy, barrier.corridor(z, step.d, mu), step.d, step.f, step.h)


def _full_step(
    program: StandardProgram, barrier: Barrier, it: Iterate, dv: Vector, dy: Vector, tau: float
) -> Step | None:
    dd = barrier.steps(dv)
    alpha = fraction_to_boundary(it.d, dd, tau)
    return trial(program, it, dv, dy, dd, alpha, alpha)


def _smaller(mu: float, tol: float) -> float:
    return max(tol / SOLVED_FACTOR, min(MU_LINEAR * mu, float(mu**MU_POWER)))


def _objective(program: StandardProgram, f: float) -> float:
    return float(f / program.scaling.objective * program.evaluation.program.sign)
