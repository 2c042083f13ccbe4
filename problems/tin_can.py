"""Tin can: which can of a given volume takes the least sheet metal?

A cannery wants a closed cylinder that holds `volume` (330 cm^3, a drinks can) and fits under a shelf of
12 cm. The sheet metal is the area of the two lids and of the side:

    minimize    2 pi radius (radius + height)       [cm^2]
    subject to  pi radius^2 height = volume         [cm^3]
                height <= 12                        [cm]

Source: classical. Known answer, in closed form: while the shelf is high enough the best can is as high as
it is wide, height = 2 radius, so radius = (volume / 2 pi)^(1/3); a can of more than about 1357 cm^3 touches
the shelf, and then its radius is sqrt(volume / (12 pi)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

SHELF = 12.0  # cm


def area(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """Sheet metal of lids and side [cm^2]."""
    return 2 * np.pi * x["radius"] * (x["radius"] + x["height"])


def volume(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """What the can holds [cm^3]."""
    return np.pi * x["radius"] ** 2 * x["height"]


problem = lg.Problem(
    minimize=area,
    subject_to={
        "volume": lg.equals(volume, lambda p: p["volume"]),
        "shelf": lg.at_most(lambda x, p: x["height"], SHELF),
    },
    bounds={"radius": (0, None), "height": (0, None)},
    describe={
        "objective": "sheet metal [cm^2]",
        "radius": "[cm]",
        "height": "[cm]",
        "volume": "[cm^3]",
        "shelf": "[cm]",
    },
)
x0 = {"radius": 3.0, "height": 10.0}
p = {"volume": 330.0}


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """As high as wide, unless that does not fit under the shelf."""
    radius = (p["volume"] / (2 * np.pi)) ** (1 / 3)
    if 2 * radius <= SHELF:
        return {"radius": radius, "height": 2 * radius}
    return {"radius": np.sqrt(p["volume"] / (np.pi * SHELF)), "height": SHELF}


def known_objective(p: dict[str, Any]) -> float:
    """Area of the best can."""
    return float(area(known_x(p), p))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Stationarity in the radius gives `volume`, stationarity in the height then gives `shelf`."""
    radius, height = known_x(p)["radius"], known_x(p)["height"]
    return {
        "volume": -(2 * radius + height) / (radius * height),
        "shelf": np.pi * radius * (2 * radius - height) / height,
    }


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """The geometric program in its convex form, u = log(radius) and v = log(height)."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    u, v = cp.Variable(), cp.Variable()
    height = cp.exp(v)
    # volume * log(pi r^2 h) has the gradient of pi r^2 h where the equation holds: the same multiplier.
    constraints = {
        "volume": p["volume"] * (np.log(np.pi) + 2 * u + v) == p["volume"] * np.log(p["volume"]),
        "shelf": height <= SHELF,
    }
    model = cp.Problem(cp.Minimize(2 * np.pi * (cp.exp(2 * u) + cp.exp(u + v))), list(constraints.values()))
    return CvxpyModel(model, {"radius": cp.exp(u), "height": height}, constraints, bounds={})
