"""Feasibility restoration: reduce the constraint violation when the filter finds no step.

    minimize  ||h(v)||^2 / (2 gamma) + zeta / 2 ||(v - v_R) / max(1, |v_R|)||^2 - mu sum log d

By Newton's method on its KKT system with multipliers lambda = h / gamma, through the same factorization: objective
weight 0 and dual regularization gamma. It ends where the filter accepts the point again, or at a stationary point
of the violation: then the constraints cannot be met near here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.model.named_pytree import Vector
from lagrange.newton.barrier import (
    MU_LINEAR,
    MU_POWER,
    SMALLEST_TAU,
    SOLVED_FACTOR,
    Barrier,
    Iterate,
    fraction_to_boundary,
)
from lagrange.newton.direction import InertiaCorrection
from lagrange.newton.filter import Filter
from lagrange.newton.monitor import Monitor

PENALTY = 1e3  # rho: largest size of the multipliers lambda
REQUIRED_DECREASE = 0.9  # of the violation, before the filter is asked
ARMIJO = 1e-4
ROUNDING = 1e-15
SMALLEST_STEP = 1e-12
SMALLEST_MU = 1e-11
STATIONARY = 1e-6  # relative gradient of the violation
VIOLATED = 1e-6  # a violation below this is no proof of infeasibility
SMALL_MU = 1e-3
STUCK_MOVE, STUCK_STEPS = 1e-7, 10  # so many steps that move x so little end it


class Restored(Enum):
    """How a restoration ended."""

    FEASIBLE_ENOUGH = auto()
    INFEASIBLE_STATIONARY = auto()
    FAILED = auto()
    STOPPED = auto()


@dataclass(frozen=True)
class Restoration:
    """The end of a restoration and its last iterate (multipliers are the caller's business)."""

    end: Restored
    iterate: Iterate


def restore(
    program: StandardProgram, barrier: Barrier, it: Iterate, mu: float, filter: Filter, monitor: Monitor
) -> Restoration:
    """Reduce the violation from the iterate `it` until the filter accepts the point."""
    form = program.form
    n, equalities = form.n, form.equalities
    reference = it.v
    weights = 1.0 / np.maximum(1.0, np.abs(reference)) ** 2
    theta_start, mu_outer = it.theta, mu
    mu = max(mu, float(np.abs(it.h).max()))
    gamma = float(np.linalg.norm(it.h)) / PENALTY
    v, d, z, f, h = it.v, it.d, np.minimum(it.z, PENALTY), it.f, it.h
    inertia = InertiaCorrection()
    stuck = 0
    while True:
        y = h / gamma
        _, J, W = program.derivatives(v[:n], y, objective_weight=0.0)
        pull = np.concatenate([J.T @ h, -h[equalities:]])  # gradient of ||h||^2 / 2
        proximal = math.sqrt(mu) * weights * (v - reference)
        # Stationary point of the violation itself?  J'h - gamma D'z = 0 with d z = 0.
        size = float(np.linalg.norm(h))
        bound_force = gamma * z
        stationarity = float(np.abs(pull - form.scatter(bound_force)).max()) / size
        complementarity = float((d * bound_force).max(initial=0.0)) / size
        if max(stationarity, complementarity) <= STATIONARY and np.abs(h).max() > VIOLATED and mu <= SMALL_MU:
            return Restoration(Restored.INFEASIBLE_STATIONARY, Iterate(v, y, z, d, f, h))
        # Smaller barrier parameter once this barrier problem is solved to 10 mu.
        error = max(
            float(np.abs(pull / gamma + proximal - form.scatter(z)).max()),
            float(np.abs(d * z - mu).max(initial=0.0)),
        )
        while error <= SOLVED_FACTOR * mu and mu > SMALLEST_MU:
            mu = max(SMALLEST_MU, min(MU_LINEAR * mu, mu**MU_POWER))
            gamma = float(np.linalg.norm(h)) / PENALTY
        y = h / gamma
        sigma = np.bincount(form.index, z / d, form.size)
        diagonal = sigma + math.sqrt(mu) * weights
        factorization = NullSpaceFactorization(W, diagonal, J, equalities, gamma=gamma)
        if not inertia.apply(factorization):
            return Restoration(Restored.FAILED, Iterate(v, y, z, d, f, h))
        proximal = math.sqrt(mu) * weights * (v - reference)
        gradient = proximal - form.scatter(barrier.force(d, mu))
        # [ W + D + Sigma   J'     ] [dv]     [ gradient + J'y ]
        # [ J               -gamma ] [dy] = - [ h - gamma y    ]   with y = h / gamma: second residual 0
        dv, _ = factorization.solve(-(gradient + pull / gamma), np.zeros(h.size))
        slope = float((gradient + pull / gamma) @ dv)
        dd = barrier.steps(dv)
        tau = max(SMALLEST_TAU, 1.0 - mu)
        dz = mu / d - z - z / d * dd

        def merit(h: Vector, v: Vector, d: Vector, mu: float = mu, gamma: float = gamma) -> float:
            moved = v - reference
            return barrier.value(
                float(h @ h) / (2.0 * gamma) + 0.5 * math.sqrt(mu) * float(weights @ (moved * moved)), d, mu
            )

        value, alpha = merit(h, v, d), fraction_to_boundary(d, dd, tau)
        while True:
            v_new, d_new = v + alpha * dv, d + alpha * dd
            f_new, h_new = program.values(v_new)
            if np.isfinite(f_new) and np.isfinite(h_new).all():
                change = merit(h_new, v_new, d_new) - value
                if change <= ARMIJO * alpha * slope + ROUNDING * abs(value):
                    break
            alpha *= 0.5
            if alpha < SMALLEST_STEP:
                end = (
                    Restored.INFEASIBLE_STATIONARY
                    if stationarity <= math.sqrt(STATIONARY) and np.abs(h).max() > VIOLATED
                    else Restored.FAILED
                )
                return Restoration(end, Iterate(v, y, z, d, f, h))
        z = z + fraction_to_boundary(z, dz, tau) * dz
        v, d, f, h = v_new, d_new, f_new, h_new
        z = barrier.corridor(z, d, mu)
        now = Iterate(v, h / gamma, z, d, f, h)
        if not monitor.record(
            "restoration",
            program.full_x(v[:n]),
            program.user_objective(f),
            now.theta,
            stationarity,
            mu,
            factorization.delta,
            alpha,
        ):
            return Restoration(Restored.STOPPED, now)
        if now.theta <= REQUIRED_DECREASE * theta_start and filter.accepts(now.theta, barrier.value(f, d, mu_outer)):
            return Restoration(Restored.FEASIBLE_ENOUGH, now)
        stuck = stuck + 1 if alpha * float(np.abs(dv / (1.0 + np.abs(v))).max()) < STUCK_MOVE else 0
        if now.theta == 0.0 or stuck >= STUCK_STEPS:
            return Restoration(Restored.FAILED, now)
