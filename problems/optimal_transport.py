"""Optimal transport: moving the soil of cuttings to the embankments along a new road.

Five cuttings along a road give soil, six embankments need as much in all. Moving a tonne over a distance
costs its square, since long hauls block the road for the others. Which cutting should serve which
embankment?

    minimize    sum_ij plan_ij (cutting_i - embankment_j)^2     [kt km^2]
    subject to  sum_j plan_ij = supply_i                        [kt]
                sum_i plan_ij = demand_j                        [kt]
                plan >= 0

A linear program. Supplies and demands have the same total, so one of the eleven equations follows from
the others: the multipliers of `supply` and `demand` are not unique (a constant may be added to those of
`supply` and taken from those of `demand`), and only supply and demand that stay balanced can be changed.
The plan and the multipliers of the bounds are unique. Source: classical (G. Monge 1781, L. Kantorovich
1942); for the line see C. Villani, Topics in Optimal Transportation (2003), chapter 2. The figures are
illustrative. Known answer, in closed form: on a line, with a convex cost, the hauls never cross: the
first tonne goes to the first place that needs one, and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

CUTTING = np.array([0.6, 2.1, 3.7, 6.2, 8.4])  # km along the road
EMBANKMENT = np.array([0.2, 1.5, 3.1, 4.8, 7.0, 9.3])  # km along the road
COST = (CUTTING[:, None] - EMBANKMENT[None, :]) ** 2  # km^2

problem = lg.Problem(
    minimize=lambda plan: np.sum(COST * plan),
    subject_to={
        "supply": lg.equals(lambda plan: np.sum(plan, axis=1), lambda p: p["supply"]),
        "demand": lg.equals(lambda plan: np.sum(plan, axis=0), lambda p: p["demand"]),
    },
    bounds=(0.0, None),
    describe={
        "objective": "weight times squared distance [kt km^2]",
        "x": "[kt]",
        "supply": "of a cutting [kt]",
        "demand": "of an embankment [kt]",
    },
)
p = {
    "supply": np.array([22.0, 31.0, 18.0, 40.0, 29.0]),  # kt (1000 tonnes), 140 in all
    "demand": np.array([15.0, 24.0, 27.0, 20.0, 36.0, 18.0]),  # kt (1000 tonnes), 140 in all
}
x0 = np.outer(p["supply"], p["demand"]) / np.sum(p["supply"])


def known_x(p: dict[str, Any]) -> np.ndarray:
    """Soil in order: entry (i, j) is the overlap of the i-th supply and the j-th demand laid end to end."""
    supply_end, demand_end = np.cumsum(p["supply"])[:, None], np.cumsum(p["demand"])[None, :]
    supply_start, demand_start = supply_end - p["supply"][:, None], demand_end - p["demand"][None, :]
    overlap = np.minimum(supply_end, demand_end) - np.maximum(supply_start, demand_start)
    return np.asarray(np.maximum(0.0, overlap))


def known_objective(p: dict[str, Any]) -> float:
    """Cost of that plan."""
    return float(np.sum(COST * known_x(p)))


def known_bound_multipliers(p: dict[str, Any]) -> np.ndarray:
    """Minus the reduced cost: cost_ij + u_i + v_j + z_ij = 0, where z vanishes on the hauls that are used."""
    used = np.argwhere(known_x(p) > 0)
    # Ten hauls fix u and v up to the constant that does not matter here: the least-norm choice will do.
    rows = np.zeros((len(used), CUTTING.size + EMBANKMENT.size))
    rows[np.arange(len(used)), used[:, 0]] = 1
    rows[np.arange(len(used)), CUTTING.size + used[:, 1]] = 1
    prices = np.linalg.lstsq(rows, -COST[used[:, 0], used[:, 1]], rcond=None)[0]
    reduced = -(COST + prices[: CUTTING.size, None] + prices[None, CUTTING.size :])
    return np.where(known_x(p) > 0, 0.0, reduced)


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A linear program, said directly; its multipliers are not unique, so none are compared."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    plan = cp.Variable(COST.shape)
    marginals = [cp.sum(plan, axis=1) == p["supply"], cp.sum(plan, axis=0) == p["demand"]]
    lower = plan >= 0
    model = cp.Problem(cp.Minimize(cp.sum(cp.multiply(COST, plan))), [*marginals, lower])
    return CvxpyModel(model, {"x": plan}, constraints={}, bounds={"x": (lower, None)})
