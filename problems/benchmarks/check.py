"""An independent verdict on x alone: no solver's own multipliers, residuals or scaling are used.

    feasibility       largest violation of a side or bound, divided by max(1, |side|)
    stationarity      largest | grad f + A'w | over max(1, |grad f|, largest |A_k w_k|); the rows of A are the
                      gradients of the sides that are active, turned outwards, and w >= 0 (free for
                      equalities) are the least-squares multipliers
    complementarity   largest | w_k slack_k | over max(1, |f|): by how much the objective would change, to
                      first order, if that side were met exactly

Which sides are active is not known: each of a few tolerances is tried, and x passes if it passes for one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from problems.benchmarks.oracle import Oracle
from problems.collection import Array

ACTIVE = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
"""Slacks, divided by max(1, |side|), that count as active: one after another."""
OBJECTIVE_TOLERANCE = 1e-5
"""A relative difference of the objective that matters."""


@dataclass(frozen=True)
class Check:
    """How good x is; see the top of the file."""

    objective: float
    feasibility: float
    balances: tuple[tuple[float, float], ...]
    """Stationarity and complementarity for each tolerance of `ACTIVE`."""
    above_best: float
    """(f - best) / max(1, |best|)."""

    def passes(self, tol: float) -> bool:
        """Feasible and stationary within tol, the objective right to tol or `OBJECTIVE_TOLERANCE`."""
        right = max(tol, OBJECTIVE_TOLERANCE)
        return self.feasibility <= tol and any(
            stationarity <= tol and complementarity <= right for stationarity, complementarity in self.balances
        )

    @property
    def local(self) -> bool:
        """Worse than the best known objective by more than `OBJECTIVE_TOLERANCE`."""
        return self.above_best > OBJECTIVE_TOLERANCE


@dataclass(frozen=True)
class _Sides:
    """Every finite side of a row or bound as slack >= 0; an equality is one side with a free multiplier."""

    slack: Array
    """(k,), relative to max(1, |side|); negative where violated. For an equality -|c - side|."""
    size: Array
    """(k,), max(1, |side|)."""
    normals: Array
    """(k, n), gradients of the rows, pointing out of the feasible set."""
    free: Array
    """(k,), True for equalities."""


def check(oracle: Oracle, x: Array) -> Check:
    """The verdict on x, of shape (n,)."""
    record = oracle.record
    f = float(record.objective(x))
    sides = _sides(oracle, x)
    gradient = oracle.gradient(x)
    if not (np.isfinite(f) and np.isfinite(sides.slack).all() and np.isfinite(sides.normals).all()):
        return Check(f, np.inf, (), np.inf)
    balances = tuple(_balance(f, gradient, sides, tol) for tol in ACTIVE)
    feasibility = float(np.maximum(0.0, -sides.slack).max(initial=0.0))
    return Check(f, feasibility, balances, (f - record.best) / max(1.0, abs(record.best)))


def _sides(oracle: Oracle, x: Array) -> _Sides:
    record = oracle.record
    rows = np.empty(0) if record.constraints is None else np.asarray(record.constraints(x), dtype=float)
    values = np.concatenate([x, rows])
    lower = np.concatenate([record.lower, record.constraint_lower])
    upper = np.concatenate([record.upper, record.constraint_upper])
    gradients = np.concatenate([np.eye(record.n), oracle.jacobian(x)])
    equal = lower == upper
    above, below = np.isfinite(lower) & ~equal, np.isfinite(upper) & ~equal
    size = np.maximum(1.0, np.abs(np.concatenate([lower[equal], lower[above], upper[below]])))
    slack = np.concatenate([-np.abs(values - lower)[equal], (values - lower)[above], (upper - values)[below]])
    return _Sides(
        slack / size,
        size,
        np.concatenate([gradients[equal], -gradients[above], gradients[below]]),
        np.arange(slack.size) < equal.sum(),
    )


def _balance(f: float, gradient: Array, sides: _Sides, tol: float) -> tuple[float, float]:
    """Stationarity and complementarity when the sides with slack <= tol are active."""
    size = np.abs(gradient).max(initial=1.0)
    active = sides.slack <= tol
    normals, free = sides.normals[active], sides.free[active]
    norms = np.linalg.norm(normals, axis=1)
    keep = norms > 0.0  # a zero gradient balances nothing
    if not keep.any():
        return float(np.abs(gradient).max() / size), 0.0
    units = normals[keep] / norms[keep, None]
    # minimize || grad f + A'w ||, with unit rows so that no row is favoured
    bounds = np.where(free[keep], -np.inf, 0.0), np.full(keep.sum(), np.inf)
    w = lsq_linear(units.T, -gradient, bounds, method="bvls", tol=np.finfo(float).eps).x
    terms = np.abs(units * w[:, None]).max()
    residual = np.abs(gradient + units.T @ w).max()
    slack = (sides.slack * sides.size)[active][keep]
    products = np.abs(w / norms[keep] * slack)
    return float(residual / max(size, terms)), float(products.max() / max(1.0, abs(f)))
