"""Markowitz portfolio: the least risky mix of assets that earns a wanted return.

A saver splits a budget among six kinds of assets, sells nothing short, puts at most 40 % of one unit of
money into any of them, and asks for the mix with the smallest variance of the yearly return among those
that are expected to earn at least `wanted_return`:

    minimize    w' C w                     [variance of the yearly return]
    subject to  sum(w) = budget            [fraction of the wealth]
                r' w >= wanted_return      [per year]
                0 <= w <= 0.4

Expected returns, volatilities and correlations are illustrative yearly figures, not a market's history.
Source: H. Markowitz, "Portfolio Selection", The Journal of Finance 7 (1952), 77-91. Known answer: which
limits hold with equality is stated below; given those, the optimality conditions are linear equations,
solved here by elimination (valid as long as the parameters do not change which limits hold).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

ASSETS = ("government bonds", "corporate bonds", "home shares", "foreign shares", "property", "gold")
EXPECTED_RETURN = np.array([0.025, 0.040, 0.080, 0.095, 0.065, 0.030])  # per year
VOLATILITY = np.array([0.04, 0.07, 0.16, 0.21, 0.12, 0.18])  # standard deviation of the yearly return
CORRELATION = np.array(
    [
        [1.00, 0.55, -0.10, -0.15, 0.05, 0.15],
        [0.55, 1.00, 0.30, 0.25, 0.30, 0.10],
        [-0.10, 0.30, 1.00, 0.75, 0.55, 0.00],
        [-0.15, 0.25, 0.75, 1.00, 0.50, 0.05],
        [0.05, 0.30, 0.55, 0.50, 1.00, 0.05],
        [0.15, 0.10, 0.00, 0.05, 0.05, 1.00],
    ]
)
COVARIANCE = CORRELATION * np.outer(VOLATILITY, VOLATILITY)
LARGEST_SHARE = 0.4

problem = lg.Problem(
    minimize=lambda weights: weights @ COVARIANCE @ weights,
    subject_to={
        "budget": lg.equals(lambda weights: np.sum(weights), lambda p: p["budget"]),
        "expected return": lg.at_least(lambda weights: EXPECTED_RETURN @ weights, lambda p: p["wanted_return"]),
    },
    bounds=(0.0, LARGEST_SHARE),
    describe={
        "objective": "variance of the yearly return",
        **{f"x[{i}]": f"share of {asset}" for i, asset in enumerate(ASSETS)},
        "budget": "all shares together",
        "expected return": "of the whole mix [per year]",
        "wanted_return": "[per year]",
    },
)
x0 = np.full(len(ASSETS), 1 / len(ASSETS))
p = {"budget": 1.0, "wanted_return": 0.075}

FULL = np.array([False, False, False, False, True, False])  # assets held at LARGEST_SHARE for this p
EMPTY = np.array([True, False, False, False, False, True])  # assets not held at all for this p


def _solution(p: dict[str, Any]) -> tuple[np.ndarray, float, float]:
    """Weights and the multipliers of budget and return: 2 C w + y1 1 + y2 r = 0 on the assets in between."""
    between = ~(FULL | EMPTY)
    weights = np.where(FULL, LARGEST_SHARE, 0.0)
    rows = np.vstack([np.ones(len(ASSETS)), EXPECTED_RETURN])
    size = int(between.sum())
    kkt = np.zeros((size + 2, size + 2))
    kkt[:size, :size] = 2 * COVARIANCE[np.ix_(between, between)]
    kkt[size:, :size] = rows[:, between]
    kkt[:size, size:] = rows[:, between].T
    right_side = np.concatenate(
        [-2 * (COVARIANCE @ weights)[between], [p["budget"], p["wanted_return"]] - rows @ weights]
    )
    unknowns = np.linalg.solve(kkt, right_side)
    weights[between] = unknowns[:size]
    return weights, float(unknowns[size]), float(unknowns[size + 1])


def known_x(p: dict[str, Any]) -> np.ndarray:
    """Best weights."""
    return _solution(p)[0]


def known_objective(p: dict[str, Any]) -> float:
    """Variance of the best mix."""
    weights = known_x(p)
    return float(weights @ COVARIANCE @ weights)


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """By elimination, with the weights."""
    _, budget, expected_return = _solution(p)
    return {"budget": budget, "expected return": expected_return}


def known_bound_multipliers(p: dict[str, Any]) -> np.ndarray:
    """What is left of stationarity, -(2 C w + y1 1 + y2 r), for the assets at a limit."""
    weights, budget, expected_return = _solution(p)
    left = -(2 * COVARIANCE @ weights + budget + expected_return * EXPECTED_RETURN)
    return np.where(FULL | EMPTY, left, 0.0)


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A quadratic program, said directly."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    weights = cp.Variable(len(ASSETS))
    constraints = {
        "budget": cp.sum(weights) == p["budget"],
        "expected return": EXPECTED_RETURN @ weights >= p["wanted_return"],
    }
    lower, upper = weights >= 0, weights <= LARGEST_SHARE
    model = cp.Problem(cp.Minimize(cp.quad_form(weights, COVARIANCE)), [*constraints.values(), lower, upper])
    return CvxpyModel(model, {"x": weights}, constraints, {"x": (lower, upper)})
