"""Backtracking along a direction until the filter accepts, with second-order corrections.

A trial point must reduce the infeasibility theta or the barrier objective phi. Where theta is small and the
direction promises descent, phi must satisfy Armijo's condition instead (Waechter and Biegler 2006, algorithm A).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.factorization import Factorization
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import total
from lagrange.newton.barrier import Barrier, Iterate, fraction_to_boundary
from lagrange.newton.filter import PHI_MARGIN, THETA_MARGIN, Filter

ARMIJO = 1e-8  # eta_phi
SWITCH_PHI, SWITCH_THETA = 2.3, 1.1  # s_phi, s_theta
SMALL_THETA = 1e-4  # theta_min relative to the start
SMALLEST_STEP = 1e-14
STEP_MARGIN = 0.05  # gamma_alpha
CORRECTIONS = 4
CORRECTION_PROGRESS = 0.99  # kappa_soc
ROUNDING = 10 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Step:
    """An accepted step and the point it leads to."""

    alpha: float
    largest: float  # the fraction to the boundary it started from
    dv: Vector
    dy: Vector
    dd: Vector
    v: Vector
    d: Vector
    f: float
    h: Vector
    theta: float  # ||h||_1


@dataclass(frozen=True)
class Progress:
    """What the search needs to know of the current iterate: two numbers, a slope, and the scale of theta."""

    theta: float
    phi: float
    slope: float
    small_theta: float


def search(
    program: StandardProgram,
    barrier: Barrier,
    it: Iterate,
    dv: Vector,
    dy: Vector,
    now: Progress,
    mu: float,
    tau: float,
    filter: Filter,
    factorization: Factorization,
    r_v: Vector,
) -> Step | None:
    """The first acceptable step of largest * 2^-k, or None; adds the current point to the filter if needed.

    Parameters
    ----------
    factorization, r_v
        Of the system that gave (dv, dy): corrections change its second right-hand side only.
    """
    dd = barrier.steps(dv)
    largest = fraction_to_boundary(it.d, dd, tau)
    smallest = _smallest_step(now) * STEP_MARGIN
    alpha = largest
    first = True
    while alpha >= max(smallest, SMALLEST_STEP * largest):
        step = trial(program, it, dv, dy, dd, alpha, largest)
        if step is not None:
            if _acceptable(step.theta, barrier.value(step.f, step.d, mu), alpha, now, filter):
                return step
            if first and step.theta >= now.theta and it.h.size:
                step = _second_order_correction(program, barrier, it, step, now, mu, tau, filter, factorization, r_v)
                if step is not None:
                    return step
        first = False
        alpha *= 0.5
    return None


def _second_order_correction(
    program: StandardProgram,
    barrier: Barrier,
    it: Iterate,
    rejected: Step,
    now: Progress,
    mu: float,
    tau: float,
    filter: Filter,
    factorization: Factorization,
    r_v: Vector,
) -> Step | None:
    # The full step left the constraint manifold: aim again, at h(v + dv) + alpha h(v).
    residual = it.h
    theta_before = math.inf
    for _ in range(CORRECTIONS):
        if rejected.theta > CORRECTION_PROGRESS * theta_before:
            return None
        theta_before = rejected.theta
        residual = rejected.alpha * residual + rejected.h
        dv, dy = factorization.solve(r_v, -residual)
        dd = barrier.steps(dv)
        alpha = fraction_to_boundary(it.d, dd, tau)
        step = trial(program, it, dv, dy, dd, alpha, alpha)
        if step is None:
            return None
        if _acceptable(step.theta, barrier.value(step.f, step.d, mu), rejected.largest, now, filter):
            return step
        rejected = step
    return None


def trial(
    program: StandardProgram, it: Iterate, dv: Vector, dy: Vector, dd: Vector, alpha: float, largest: float
) -> Step | None:
    """The point at alpha along the direction; None where a function is not finite."""
    v = it.v + alpha * dv
    f, h = program.values(v)
    theta = total(h)
    if not math.isfinite(f + theta):
        return None
    return Step(alpha, largest, dv, dy, dd, v, it.d + alpha * dd, f, h, theta)


def _acceptable(theta: float, phi: float, alpha: float, now: Progress, filter: Filter) -> bool:
    slack = ROUNDING * abs(now.phi)
    if not math.isfinite(phi) or not filter.accepts(theta, phi - slack):
        return False
    armijo = phi - now.phi - slack <= ARMIJO * alpha * now.slope
    if now.theta <= now.small_theta and _promises_descent(now, alpha):
        return armijo
    less_violated = theta < now.theta and theta <= (1.0 - THETA_MARGIN) * now.theta
    accepted = less_violated or phi - slack <= now.phi - PHI_MARGIN * now.theta
    if accepted and not (armijo and _promises_descent(now, alpha)):
        filter.add(now.theta, now.phi)
    return accepted


def _promises_descent(now: Progress, alpha: float) -> bool:
    # alpha (-phi')^s_phi > theta^s_theta
    return now.slope < 0.0 and alpha * (-now.slope) ** SWITCH_PHI > now.theta**SWITCH_THETA


def _smallest_step(now: Progress) -> float:
    if now.slope >= 0.0:
        return THETA_MARGIN
    smallest = min(THETA_MARGIN, PHI_MARGIN * now.theta / -now.slope)
    if now.theta <= now.small_theta:
        smallest = min(smallest, now.theta**SWITCH_THETA / (-now.slope) ** SWITCH_PHI)
    return smallest
