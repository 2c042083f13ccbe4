"""Geometric program: the cheapest box to ferry gravel across a river.

400 cubic yards of gravel must be ferried in an open box; every trip costs 10 cents. The two ends of the
box cost 20 dollars a square yard; the sides and the bottom are made of scrap that costs nothing, but
there are only 4 square yards of it:

    minimize    trip_cost gravel / (length width height) + 2 end_cost width height     [$]
    subject to  2 length height + length width <= scrap                                [square yards]
                length, width, height >= 0                                             [yards]

Source: after the gravel box of R. Duffin, E. Peterson and C. Zener, Geometric Programming (1967). Known
answer, in closed form: the terms' exponents fix the fractions of the cost whatever the prices are: two
thirds go to the ferry and one third to the ends; the scrap goes half to the sides, half to the bottom.
For the figures above the box is 2 by 1 by 1/2 yards, and 60 dollars are spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel


def cost(box: dict[str, Any], p: dict[str, Any]) -> Any:
    """Ferry plus ends [$]."""
    ferry = p["trip_cost"] * p["gravel"] / (box["length"] * box["width"] * box["height"])
    return ferry + 2 * p["end_cost"] * box["width"] * box["height"]


def sides_and_bottom(box: dict[str, Any]) -> Any:
    """Scrap used [square yards]."""
    return 2 * box["length"] * box["height"] + box["length"] * box["width"]


problem = lg.Problem(
    minimize=cost,
    subject_to={"scrap": lg.at_most(sides_and_bottom, lambda p: p["scrap"])},
    bounds=(0.0, None),
    describe={
        "objective": "cost of ferry and ends [$]",
        "length": "[yd]",
        "width": "[yd]",
        "height": "[yd]",
        "scrap": "for sides and bottom [yd^2]",
        "gravel": "[yd^3]",
        "trip_cost": "[$]",
        "end_cost": "[$/yd^2]",
    },
)
x0 = {"length": 1.0, "width": 1.0, "height": 1.0}
p = {"gravel": 400.0, "trip_cost": 0.10, "end_cost": 20.0, "scrap": 4.0}  # yd^3, $, $/yd^2, yd^2


def known_objective(p: dict[str, Any]) -> float:
    """The cost at the known box."""
    return float(cost(known_x(p), p))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """From width = 2 height, length width = scrap / 2, and a ferry twice as dear as the ends.

    The last says gravel trip_cost / (length width height) = 4 end_cost width height; put the others in.
    """
    # 2 gravel trip_cost / (scrap height) = 8 end_cost height^2
    height = np.cbrt(p["gravel"] * p["trip_cost"] / (4 * p["scrap"] * p["end_cost"]))
    return {"length": p["scrap"] / (4 * height), "width": 2 * height, "height": height}


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The cost is proportional to scrap^(-2/3), so its derivative is -2/3 cost / scrap."""
    return {"scrap": 2 / 3 * known_objective(p) / p["scrap"]}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The box has a size."""
    return {"length": 0.0, "width": 0.0, "height": 0.0}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """The convex form: every term is the exponential of a linear function of the sizes' logarithms."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    log_length, log_width, log_height = cp.Variable(), cp.Variable(), cp.Variable()
    ferry = p["trip_cost"] * p["gravel"] * cp.exp(-log_length - log_width - log_height)
    ends = 2 * p["end_cost"] * cp.exp(log_width + log_height)
    scrap = 2 * cp.exp(log_length + log_height) + cp.exp(log_length + log_width)
    constraints = {"scrap": scrap <= p["scrap"]}
    model = cp.Problem(cp.Minimize(ferry + ends), list(constraints.values()))
    logarithms = {"length": log_length, "width": log_width, "height": log_height}
    variables = {name: cp.exp(logarithm) for name, logarithm in logarithms.items()}
    return CvxpyModel(model, variables, constraints, bounds={})
