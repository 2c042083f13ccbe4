"""Constrained logistic regression: the risk of a rocket's seals, fitted under a certified limit.

Before its last flight the Space Shuttle Challenger's type of booster had flown 23 times with known damage
to the rubber seals. The probability of damage is modelled as 1 / (1 + exp(-logit)), with a logit that is
linear in the launch temperature. Fitted freely, the risk at 75 F comes out at 8.6 %; what does the fit
look like if tests have shown that it is at most `certified_risk` (5 %) there, and what does that
knowledge cost?

    minimize    sum log(1 + exp(logit_i)) - damage_i logit_i      [minus log likelihood, nats]
    subject to  risk at 75 F <= certified_risk                    [probability]

with logit = level + slope (temperature - 70 F) / 10 F. The free fit's logit is 15.0429 - 0.2322
temperature.

Source: the data are those of S. Dalal, E. Fowlkes and B. Hoadley, "Risk analysis of the space shuttle",
Journal of the American Statistical Association 84 (1989), 945-957; the certified limit is invented here.
Known answer: the limit is reached, so that `level` follows from `slope`, and the slope is the root of one
scalar equation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

# Launch temperature [F] and damage (1) or none (0), flight by flight.
TEMPERATURE = [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58]
DAMAGE = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1])
WARMTH = (np.array(TEMPERATURE) - 70) / 10  # tens of degrees above 70 F
CERTIFIED_WARMTH = (75 - 70) / 10
STEEPEST = 20.0  # the best slope lies between -STEEPEST and STEEPEST


def misfit(x: dict[str, Any]) -> Any:
    """Minus the log likelihood of the 23 flights."""
    logits = x["level"] + x["slope"] * WARMTH
    return np.sum(np.logaddexp(0.0, logits) - DAMAGE * logits)


def risk_when_warm(x: dict[str, Any]) -> Any:
    """Probability of damage at 75 F."""
    return 1 / (1 + np.exp(-(x["level"] + x["slope"] * CERTIFIED_WARMTH)))


problem = lg.Problem(
    minimize=misfit,
    subject_to={"certified risk": lg.at_most(risk_when_warm, lambda p: p["certified_risk"])},
    describe={
        "objective": "minus the log likelihood [nats]",
        "level": "logit at 70 F",
        "slope": "change of the logit over 10 F",
        "certified risk": "probability of damage at 75 F",
        "certified_risk": "largest probability of damage at 75 F",
    },
)
x0 = {"level": -1.0, "slope": 0.0}
p = {"certified_risk": 0.05}


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """On the line where the risk at 75 F is the certified one, the derivative along the line vanishes."""

    def level(slope: float) -> float:
        return float(logit(p["certified_risk"]) - slope * CERTIFIED_WARMTH)

    def derivative(slope: float) -> float:
        return float((expit(level(slope) + slope * WARMTH) - DAMAGE) @ (WARMTH - CERTIFIED_WARMTH))

    slope = brentq(derivative, -STEEPEST, STEEPEST, xtol=1e-14)
    return {"level": level(slope), "slope": slope}


def known_objective(p: dict[str, Any]) -> float:
    """Misfit of that line."""
    return float(misfit(known_x(p)))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Stationarity in the level; the risk r has the derivative r (1 - r) there."""
    x, risk = known_x(p), p["certified_risk"]
    level_gradient = np.sum(expit(x["level"] + x["slope"] * WARMTH) - DAMAGE)
    return {"certified risk": -level_gradient / (risk * (1 - risk))}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """Convex once the limit is put on the logit, in which it is linear."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    level, slope, risk = cp.Variable(), cp.Variable(), p["certified_risk"]
    logits = level + slope * WARMTH
    # r (1 - r) logit has the gradient of the risk where the risk is r: the same multiplier.
    scale = risk * (1 - risk)
    constraints = {"certified risk": scale * (level + slope * CERTIFIED_WARMTH) <= scale * logit(risk)}
    # log(1 + exp(t)) - t is log(1 + exp(-t)): a flight with damage enters with the sign of its logit turned.
    cost = cp.sum(cp.logistic(cp.multiply(1 - 2 * DAMAGE, logits)))
    model = cp.Problem(cp.Minimize(cost), list(constraints.values()))
    return CvxpyModel(model, {"level": level, "slope": slope}, constraints, bounds={})
