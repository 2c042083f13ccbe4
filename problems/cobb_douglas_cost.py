"""Cobb-Douglas cost: the cheapest way for a firm to make a given output.

A firm makes `output` tonnes a day from labour, machines and energy. Its technology has slightly decreasing
returns to scale (the exponents add up to 0.875):

    minimize    sum price_i input_i                                      [$ per day]
    subject to  2 labour^0.5 machines^0.25 energy^0.125 >= output        [tonnes per day]
                labour, machines, energy >= 0                            [hours, hours, MWh per day]

The shadow price of the output is the marginal cost; dx/d(price) holds the conditional factor demands'
slopes. Source: C. W. Cobb and P. H. Douglas, American Economic Review 18 (1928), supplement, 139-165; the
cost function is a textbook example (H. Varian, Microeconomic Analysis, chapter on cost minimization). The
figures are illustrative. Known answer, in closed form: input i takes the fraction exponent_i / 0.875 of
the cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

PRODUCTIVITY = 2.0  # output from one unit of every input [tonnes per day]
EXPONENT = {"labour": 0.5, "machines": 0.25, "energy": 0.125}
RETURNS = 0.875  # returns to scale: the sum of the exponents


def cost(amount: dict[str, Any], p: dict[str, Any]) -> Any:
    """Money spent on all inputs [$ per day]."""
    return sum(p["price"][name] * amount[name] for name in EXPONENT)


def production(amount: dict[str, Any]) -> Any:
    """Output made from these inputs."""
    return (
        PRODUCTIVITY
        * amount["labour"] ** EXPONENT["labour"]
        * amount["machines"] ** EXPONENT["machines"]
        * amount["energy"] ** EXPONENT["energy"]
    )


problem = lg.Problem(
    minimize=cost,
    subject_to={"output": lg.at_least(production, lambda p: p["output"])},
    bounds=(0.0, None),
    describe={
        "objective": "cost of all inputs [$/day]",
        "labour": "[h/day]",
        "machines": "[h/day]",
        "energy": "[MWh/day]",
        "output": "[t/day]",
        "price": "[$/h]",
        "price.energy": "[$/MWh]",
    },
)
x0 = {"labour": 50.0, "machines": 50.0, "energy": 20.0}
p = {"output": 60.0, "price": {"labour": 25.0, "machines": 18.0, "energy": 80.0}}


def known_objective(p: dict[str, Any]) -> float:
    """Cost function: returns (output / A)^(1/returns) prod (price_i / exponent_i)^(exponent_i / returns)."""
    prices = np.prod([(p["price"][name] / a) ** (a / RETURNS) for name, a in EXPONENT.items()])
    return float(RETURNS * (p["output"] / PRODUCTIVITY) ** (1 / RETURNS) * prices)


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Every input takes its fixed fraction of the cost."""
    total = known_objective(p)
    return {name: a / RETURNS * total / p["price"][name] for name, a in EXPONENT.items()}


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Minus the marginal cost, the derivative of the cost function in the output."""
    return {"output": -known_objective(p) / (RETURNS * p["output"])}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Every input is used."""
    return dict.fromkeys(EXPONENT, 0.0)


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """The technology is a weighted geometric mean of the inputs and a fixed 1 of weight 1 - RETURNS."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    amount = {name: cp.Variable() for name in EXPONENT}
    factors = cp.hstack([*amount.values(), 1.0])
    weights = [*EXPONENT.values(), 1 - RETURNS]
    constraints = {"output": PRODUCTIVITY * cp.geo_mean(factors, weights) >= p["output"]}
    spent = cp.sum([p["price"][name] * amount[name] for name in EXPONENT])
    model = cp.Problem(cp.Minimize(spent), list(constraints.values()))
    return CvxpyModel(model, dict(amount), constraints, bounds={})
