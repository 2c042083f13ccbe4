"""Consumer choice: what does a household buy, given its income and the prices?

A household needs a minimum of food, housing and transport before it gets any satisfaction at all, and
shares what is left of its income by fixed tastes (Stone-Geary utility):

    maximize    sum taste_i log(amount_i - need_i)     [utility]
    subject to  sum price_i amount_i <= income         [$ per month]
                amount_i >= need_i                     [kg of food, m^2, km, per month]

The multiplier of the budget is the marginal utility of income; dx/dp holds the demand functions' slopes.
Source: R. C. Geary, Review of Economic Studies 18 (1950), 65-66; R. Stone, Economic Journal 64 (1954),
511-527. The figures are illustrative. Known answer, in closed form, the linear expenditure system: of the
income left after all needs are paid, the fraction taste_i goes to good i.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

TASTE = {"food": 0.30, "housing": 0.45, "transport": 0.25}  # adds up to one
NEED = {"food": 60.0, "housing": 40.0, "transport": 200.0}  # kg, m^2, km per month


def utility(amount: dict[str, Any]) -> Any:
    """Satisfaction from what is bought above the needs."""
    return sum(TASTE[good] * np.log(amount[good] - NEED[good]) for good in TASTE)


def expenditure(amount: dict[str, Any], p: dict[str, Any]) -> Any:
    """Money spent [$ per month]."""
    return sum(p["price"][good] * amount[good] for good in TASTE)


problem = lg.Problem(
    maximize=utility,
    subject_to={"income": lg.at_most(expenditure, lambda p: p["income"])},
    bounds={good: (need, None) for good, need in NEED.items()},
    describe={
        "objective": "utility",
        "food": "[kg/month]",
        "housing": "[m^2]",
        "transport": "[km/month]",
        "income": "what is spent at most [$/month]",
        "price.food": "[$/kg]",
        "price.housing": "rent [$/(m^2 month)]",
        "price.transport": "[$/km]",
    },
)
x0 = {"food": 70.0, "housing": 50.0, "transport": 300.0}
p = {"income": 3000.0, "price": {"food": 6.0, "housing": 20.0, "transport": 0.4}}  # $ per month; $ per kg, m^2, km


def _left_income(p: dict[str, Any]) -> float:
    """Income left after all needs are paid."""
    return float(p["income"] - expenditure(NEED, p))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Needs, plus the taste's fraction of the income that is left."""
    left = _left_income(p)
    return {good: NEED[good] + TASTE[good] * left / p["price"][good] for good in TASTE}


def known_objective(p: dict[str, Any]) -> float:
    """Indirect utility."""
    left = _left_income(p)
    return float(sum(TASTE[good] * np.log(TASTE[good] * left / p["price"][good]) for good in TASTE))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Marginal utility of income (the tastes add up to one)."""
    return {"income": 1 / _left_income(p)}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Every good is bought above its need."""
    return dict.fromkeys(TASTE, 0.0)


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A concave maximization, said directly; the logarithm itself keeps the amounts above the needs."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    amount = {good: cp.Variable() for good in TASTE}
    spent = cp.sum([p["price"][good] * amount[good] for good in TASTE])
    constraints = {"income": spent <= p["income"]}
    satisfaction = cp.sum([TASTE[good] * cp.log(amount[good] - NEED[good]) for good in TASTE])
    model = cp.Problem(cp.Maximize(satisfaction), list(constraints.values()))
    return CvxpyModel(model, dict(amount), constraints, bounds={})
