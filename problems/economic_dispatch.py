"""Economic dispatch: which power station should produce how much?

Three steam units, one on coal and two on oil, share a demand of 850 MW. Each burns H(P) = a + b P + c P^2
of fuel [MBtu/h] when it produces P [MW], at its fuel's price, within its limits:

    minimize    sum price_i (a_i + b_i P_i + c_i P_i^2)     [$/h]
    subject to  sum P_i = demand                            [MW]
                smallest_i <= P_i <= largest_i              [MW]

The shadow price of the demand is the system's marginal price lambda [$/MWh]. Source: A. J. Wood and B. F.
Wollenberg, Power Generation, Operation and Control, chapter on economic dispatch: the three-unit example.
With coal at 1.1 $/MBtu the book's answer is 393.2, 334.6 and 122.2 MW at 9.148 $/MWh; with coal at 0.9
$/MBtu, as here, the coal unit runs at its limit. Known answer: every unit runs where its marginal cost is
lambda, or at the limit nearest to that; lambda is the root of one scalar equation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

UNITS = ("coal", "large oil", "small oil")
FUEL = {"coal": "coal", "large oil": "oil", "small oil": "oil"}
CONSTANT = {"coal": 510.0, "large oil": 310.0, "small oil": 78.0}  # a [MBtu/h]
LINEAR = {"coal": 7.20, "large oil": 7.85, "small oil": 7.97}  # b [MBtu/MWh]
QUADRATIC = {"coal": 0.00142, "large oil": 0.00194, "small oil": 0.00482}  # c [MBtu/(MW^2 h)]
LIMITS = {"coal": (150.0, 600.0), "large oil": (100.0, 400.0), "small oil": (50.0, 200.0)}  # MW


def cost(power: dict[str, Any], p: dict[str, Any]) -> Any:
    """Money spent on fuel [$/h]."""
    return sum(
        p["price"][FUEL[unit]] * (CONSTANT[unit] + LINEAR[unit] * power[unit] + QUADRATIC[unit] * power[unit] ** 2)
        for unit in UNITS
    )


def production(power: dict[str, Any]) -> Any:
    """Power of all units together [MW]."""
    return sum(power[unit] for unit in UNITS)


problem = lg.Problem(
    minimize=cost,
    subject_to={"demand": lg.equals(production, lambda p: p["demand"])},
    bounds=LIMITS,
    describe={
        "objective": "cost of fuel [$/h]",
        **{unit: f"power of the {unit} unit [MW]" for unit in UNITS},
        "demand": "power of all units together [MW]",
        "price": "price of fuel [$/MBtu]",
    },
)
x0 = {"coal": 400.0, "large oil": 300.0, "small oil": 150.0}
p = {"demand": 850.0, "price": {"coal": 0.9, "oil": 1.0}}  # MW, $/MBtu


def _dispatch(marginal_price: float, p: dict[str, Any]) -> dict[str, Any]:
    """What every unit produces at a marginal price [$/MWh]."""
    return {
        unit: np.clip((marginal_price / p["price"][FUEL[unit]] - LINEAR[unit]) / (2 * QUADRATIC[unit]), *LIMITS[unit])
        for unit in UNITS
    }


def _marginal_cost(unit: str, power: float, p: dict[str, Any]) -> float:
    """Cost of one more MWh from this unit [$/MWh]."""
    return float(p["price"][FUEL[unit]] * (LINEAR[unit] + 2 * QUADRATIC[unit] * power))


def _marginal_price(p: dict[str, Any]) -> float:
    """The price at which the units produce the demand."""
    lowest = min(_marginal_cost(unit, LIMITS[unit][0], p) for unit in UNITS)
    highest = max(_marginal_cost(unit, LIMITS[unit][1], p) for unit in UNITS)
    return float(brentq(lambda price: production(_dispatch(price, p)) - p["demand"], lowest, highest, xtol=1e-14))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Production at the marginal price."""
    return _dispatch(_marginal_price(p), p)


def known_objective(p: dict[str, Any]) -> float:
    """Its cost."""
    return float(cost(known_x(p), p))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Minus the marginal price."""
    return {"demand": -_marginal_price(p)}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """By how much a unit at a limit is cheaper (upper limit) or dearer (lower) than the marginal price."""
    price, power = _marginal_price(p), known_x(p)
    return {unit: price - _marginal_cost(unit, power[unit], p) for unit in UNITS}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A quadratic program, said directly."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    power = {unit: cp.Variable() for unit in UNITS}
    constraints = {"demand": cp.sum(list(power.values())) == p["demand"]}
    bounds = {unit: (power[unit] >= LIMITS[unit][0], power[unit] <= LIMITS[unit][1]) for unit in UNITS}
    limits = [limit for pair in bounds.values() for limit in pair]
    spent = [
        p["price"][FUEL[unit]]
        * (CONSTANT[unit] + LINEAR[unit] * power[unit] + QUADRATIC[unit] * cp.square(power[unit]))
        for unit in UNITS
    ]
    model = cp.Problem(cp.Minimize(cp.sum(spent)), [*constraints.values(), *limits])
    return CvxpyModel(model, dict(power), constraints, dict(bounds))
