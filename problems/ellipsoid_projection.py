"""Ellipsoid projection: the point on the Earth right below a satellite.

Navigation needs the foot of the perpendicular from a satellite to the Earth's reference ellipsoid; its
distance is the satellite's height. In coordinates fixed to the Earth, in thousands of km:

    minimize    |x - satellite|^2                                       [(1000 km)^2]
    subject to  (x1/a)^2 + (x2/a)^2 + (x3/b)^2 = 1                      [no unit]

with the half axes a and b of the World Geodetic System 1984. The equation is not convex: the farthest
point of the Earth is stationary, too. Source: classical (Lagrange's multiplier rule in geodesy); the half
axes are those of WGS 84. Known answer: x_i = satellite_i / (1 + y / a_i^2) with the multiplier y, the
largest root of one scalar equation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

HALF_AXES = np.array([6.378137, 6.378137, 6.356752314245])  # equator, equator, pole [1000 km]

problem = lg.Problem(
    minimize=lambda x, p: np.sum((x - p["satellite"]) ** 2),
    subject_to={"on the ellipsoid": lg.equals(lambda x: np.sum((x / HALF_AXES) ** 2), 1.0)},
    describe={
        "objective": "squared height of the satellite [(1000 km)^2]",
        "x": "point on the Earth [1000 km]",
        "satellite": "[1000 km]",
    },
)
p = {"satellite": np.array([3.2, -14.5, 21.8])}  # about the orbit of a navigation satellite [1000 km]
x0 = np.array([3.0, -3.0, 3.0])


def _multiplier(p: dict[str, Any]) -> float:
    """The root y > 0 of |x(y)| = 1 in the ellipsoid's norm; it exists for every point outside."""

    def outside(y: float) -> float:
        return float(np.sum((p["satellite"] * HALF_AXES / (HALF_AXES**2 + y)) ** 2) - 1)

    # x(y) lies inside once y exceeds the longest half axis times the satellite's distance.
    largest = float(np.max(HALF_AXES) * np.linalg.norm(p["satellite"]))
    return float(brentq(outside, 0.0, largest, xtol=1e-14))


def known_x(p: dict[str, Any]) -> np.ndarray:
    """From x - satellite + y x / a^2 = 0."""
    return np.asarray(p["satellite"] / (1 + _multiplier(p) / HALF_AXES**2))


def known_objective(p: dict[str, Any]) -> float:
    """Height squared."""
    return float(np.sum((known_x(p) - p["satellite"]) ** 2))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The root of the scalar equation."""
    return {"on the ellipsoid": _multiplier(p)}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """Convex with all of the Earth instead of its surface: the nearest point is the same."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    x = cp.Variable(3)
    # 2 norm has the gradient of norm^2 where the norm is 1: the same multiplier.
    constraints = {"on the ellipsoid": 2 * cp.norm(cp.multiply(1 / HALF_AXES, x)) <= 2.0}
    model = cp.Problem(cp.Minimize(cp.sum_squares(x - p["satellite"])), list(constraints.values()))
    return CvxpyModel(model, {"x": x}, constraints, bounds={})
