"""Water filling: how to share transmit power among channels of unequal noise.

A radio sends over eight parallel channels. A channel with noise n that gets power w carries
log2(1 + w / n) bits per use. Share `total_power` so that the sum is largest:

    maximize    sum log2(1 + power / noise)     [bits per use]
    subject to  sum(power) <= total_power       [mW]
                power >= 0

Source: S. Boyd and L. Vandenberghe, Convex Optimization (2004), example 5.2; in information theory,
T. Cover and J. Thomas, Elements of Information Theory, the chapter on the Gaussian channel. The noise
levels are illustrative. Known answer, in closed form: pour the power like water over the noise levels;
power = max(0, level - noise), and channels noisier than the level stay dry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel


def capacity(power: Any, p: dict[str, Any]) -> Any:
    """Bits per use of all channels together."""
    return np.sum(np.log2(1 + power / p["noise"]))


problem = lg.Problem(
    maximize=capacity,
    subject_to={"total power": lg.at_most(lambda power: np.sum(power), lambda p: p["total_power"])},
    bounds=(0.0, None),
    describe={
        "objective": "capacity of all channels [bits per use]",
        "x": "power of a channel [mW]",
        "total power": "power of all channels [mW]",
        "total_power": "most power of all channels [mW]",
        "noise": "noise of a channel [mW]",
    },
)
p = {"total_power": 10.0, "noise": np.array([0.8, 1.1, 1.7, 2.3, 2.9, 3.8, 5.2, 6.5])}  # mW
x0 = np.full(8, 1.0)


def water_level(p: dict[str, Any]) -> float:
    """The level at which the poured power is the total power [mW]."""
    noise = np.sort(p["noise"])
    # levels[k - 1] is the level when exactly the k quietest channels are wet.
    levels = (p["total_power"] + np.cumsum(noise)) / np.arange(1, noise.size + 1)
    wet = int(np.sum(levels > noise))
    return float(levels[wet - 1])


def known_x(p: dict[str, Any]) -> np.ndarray:
    """Depth of the water over each channel."""
    return np.asarray(np.maximum(0.0, water_level(p) - p["noise"]))


def known_objective(p: dict[str, Any]) -> float:
    """Capacity at the water level."""
    return float(np.sum(np.log2(np.maximum(1.0, water_level(p) / p["noise"]))))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The common slope of all wet channels [bits per use per mW]."""
    return {"total power": 1 / (np.log(2) * water_level(p))}


def known_bound_multipliers(p: dict[str, Any]) -> np.ndarray:
    """How far the slope of a dry channel falls short of the common one (negative: lower bounds)."""
    return np.asarray(np.minimum(0.0, 1 / p["noise"] - 1 / water_level(p)) / np.log(2))


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A concave maximization, said directly."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    power = cp.Variable(p["noise"].size)
    constraints = {"total power": cp.sum(power) <= p["total_power"]}
    lower = power >= 0
    bits = cp.sum(cp.log1p(cp.multiply(1 / p["noise"], power))) / np.log(2)
    model = cp.Problem(cp.Maximize(bits), [*constraints.values(), lower])
    return CvxpyModel(model, {"x": power}, constraints, {"x": (lower, None)})
