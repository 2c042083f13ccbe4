"""Analytic centre: run a plant as far as possible from all of its limits at once.

Three products are made at rates that must each stay above a contracted smallest rate, and together they may
not use more steam than the boiler gives. Within these four limits any operating point is allowed; the plant
manager wants the one with the best margins everywhere, whatever the units of the limits:

    maximize    sum log(rate_margin_i) + log(steam_margin)
    subject to  rate - rate_margin = smallest_rate                   [t/h]
                steam_per_tonne . rate + steam_margin = steam        [MW]
                rate_margin, steam_margin >= 0

Measuring a margin in another unit only adds a constant to the objective. Source: S. Boyd and L.
Vandenberghe, Convex Optimization (2004), section 8.5; the figures are illustrative. Known answer, in
closed form: the limits enclose a simplex, and the analytic centre of a simplex is its centroid. Of the
steam that the smallest rates leave, every product gets a quarter and a quarter stays unused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

STEAM_PER_TONNE = np.array([0.8, 1.5, 2.4])  # MWh of steam per tonne of each product
NUMBER_OF_LIMITS = 4

problem = lg.Problem(
    maximize=lambda x: np.sum(np.log(x["rate_margin"])) + np.log(x["steam_margin"]),
    subject_to={
        "smallest rates": lg.equals(lambda x: x["rate"] - x["rate_margin"], lambda p: p["smallest_rate"]),
        "steam": lg.equals(lambda x: STEAM_PER_TONNE @ x["rate"] + x["steam_margin"], lambda p: p["steam"]),
    },
    bounds={"rate_margin": (0.0, None), "steam_margin": (0.0, None)},
    describe={
        "objective": "sum of the logarithms of all margins",
        "rate": "of a product [t/h]",
        "rate_margin": "above the smallest rate [t/h]",
        "steam_margin": "below the steam there is [MW]",
        "smallest rates": "rate without its margin [t/h]",
        "smallest_rate": "contracted [t/h]",
        "steam": "that the boiler gives [MW]",
    },
)
x0 = {"rate": np.full(3, 3.0), "rate_margin": np.ones(3), "steam_margin": 1.0}
p = {"smallest_rate": np.array([2.0, 1.0, 0.5]), "steam": 12.0}  # t/h, MW


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """The steam that the smallest rates leave, in four equal parts."""
    part = (p["steam"] - STEAM_PER_TONNE @ p["smallest_rate"]) / NUMBER_OF_LIMITS
    rate_margin = part / STEAM_PER_TONNE
    return {"rate": p["smallest_rate"] + rate_margin, "rate_margin": rate_margin, "steam_margin": part}


def known_objective(p: dict[str, Any]) -> float:
    """Sum of the logarithms of the margins."""
    x = known_x(p)
    return float(np.sum(np.log(x["rate_margin"])) + np.log(x["steam_margin"]))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """From -1 / rate_margin - y = 0 and -1 / steam_margin + y = 0."""
    x = known_x(p)
    return {"smallest rates": -1 / x["rate_margin"], "steam": 1 / x["steam_margin"]}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """No margin vanishes."""
    return {"rate": np.zeros(3), "rate_margin": np.zeros(3), "steam_margin": 0.0}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A concave maximization, said directly; the logarithm itself keeps the margins positive."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    rate, rate_margin, steam_margin = cp.Variable(3), cp.Variable(3), cp.Variable()
    constraints = {
        "smallest rates": rate - rate_margin == p["smallest_rate"],
        "steam": STEAM_PER_TONNE @ rate + steam_margin == p["steam"],
    }
    margins = cp.sum(cp.log(rate_margin)) + cp.log(steam_margin)
    model = cp.Problem(cp.Maximize(margins), list(constraints.values()))
    variables = {"rate": rate, "rate_margin": rate_margin, "steam_margin": steam_margin}
    return CvxpyModel(model, variables, constraints, bounds={})
