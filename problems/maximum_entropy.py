"""Maximum entropy: the least prejudiced guess of a die, given only its mean.

A die has been thrown many times; all that is known is that the average was 4.5 and not the 3.5 of a fair
die. Which probabilities should be assigned to the six faces? Those that assume nothing else, that is, of
largest entropy:

    maximize    - sum q_i log q_i          [nats]
    subject to  sum q_i = 1
                sum i q_i = mean           [spots]
                q >= 0

Source: E. T. Jaynes, "Information Theory and Statistical Mechanics", Physical Review 106 (1957), 620-630;
the die is the example of his Brandeis lectures (1962). Known answer: q_i is proportional to exp(t i), with
the one number t at which the mean is right (found here as the root of one scalar equation). For a mean of
4.5 the probabilities are 0.0543, 0.0788, 0.1142, 0.1654, 0.2398, 0.3475 and the entropy is 1.6136.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

FACES = np.arange(1.0, 7.0)  # spots
STEEPEST = 50.0  # exp(STEEPEST i) puts all probability on one face: t lies between -STEEPEST and STEEPEST

problem = lg.Problem(
    maximize=lambda probability: -np.sum(probability * np.log(probability)),
    subject_to={
        "probabilities": lg.equals(lambda probability: np.sum(probability), 1.0),
        "mean": lg.equals(lambda probability: FACES @ probability, lambda p: p["mean"]),
    },
    bounds=(0.0, None),
    describe={
        "objective": "entropy [nats]",
        **{f"x[{i}]": f"probability of a {face:g}" for i, face in enumerate(FACES)},
        "probabilities": "of all faces together",
        "mean": "of a throw [spots]",
    },
)
x0 = np.full(6, 1 / 6)
p = {"mean": 4.5}


def _distribution(tilt: float) -> np.ndarray:
    """Probabilities proportional to exp(tilt * face)."""
    weights = np.exp(tilt * FACES - np.max(tilt * FACES))
    return np.asarray(weights / np.sum(weights))


def _tilt(p: dict[str, Any]) -> float:
    """The tilt whose distribution has the wanted mean."""
    return float(brentq(lambda tilt: FACES @ _distribution(tilt) - p["mean"], -STEEPEST, STEEPEST, xtol=1e-15))


def known_x(p: dict[str, Any]) -> np.ndarray:
    """Exponential in the number of spots."""
    return _distribution(_tilt(p))


def known_objective(p: dict[str, Any]) -> float:
    """log(sum_i exp(t i)) - t mean, the entropy of that distribution."""
    tilt = _tilt(p)
    return float(np.log(np.sum(np.exp(tilt * FACES))) - tilt * p["mean"])


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """From log q_i + 1 + y1 + y2 i = 0."""
    tilt = _tilt(p)
    return {"probabilities": np.log(np.sum(np.exp(tilt * FACES))) - 1, "mean": -tilt}


def known_bound_multipliers(p: dict[str, Any]) -> np.ndarray:
    """No face is impossible."""
    return np.zeros(FACES.size)


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A concave maximization, said directly; the entropy itself keeps the probabilities positive."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    probability = cp.Variable(FACES.size)
    constraints = {"probabilities": cp.sum(probability) == 1.0, "mean": FACES @ probability == p["mean"]}
    model = cp.Problem(cp.Maximize(cp.sum(cp.entr(probability))), list(constraints.values()))
    return CvxpyModel(model, {"x": probability}, constraints, bounds={})
