"""Sphere projection: where is a diving robot, once a beacon has told its distance?

By counting its own way a robot under water believes to be at `reckoned`. The sound of a beacon then tells
its distance, far more exactly. Which place at that distance is nearest to where it believes to be?

    minimize    |place - reckoned|^2                   [m^2]
    subject to  |place - beacon|^2 = distance^2        [m^2]

The robot believes to be nearer to the beacon than it is: seen from inside, the sphere is not convex, and
the multiplier is negative. The far side of the sphere is stationary, too. Source: classical (Euclid,
Elements III, propositions 7 and 8: the line through the centre holds the shortest and the longest way to
a circle). Known answer, in closed form: the place lies on the ray from the beacon through `reckoned`, at
`distance`, and the multiplier is |reckoned - beacon| / distance - 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lagrange as lg

AXES = ("east", "north", "depth")


def square_of_way(place: dict[str, Any], other: dict[str, Any]) -> Any:
    """Squared distance of two places [m^2]."""
    return sum((place[axis] - other[axis]) ** 2 for axis in AXES)


problem = lg.Problem(
    minimize=lambda place, p: square_of_way(place, p["reckoned"]),
    subject_to={
        "distance": lg.equals(lambda place, p: square_of_way(place, p["beacon"]), lambda p: p["distance"] ** 2)
    },
    describe={
        "objective": "squared way from the reckoned place [m^2]",
        **dict.fromkeys(AXES, "[m]"),
        "constraint distance": "squared distance from the beacon [m^2]",
        "parameter distance": "from the beacon, told by the sound [m]",
        "beacon": "place of the beacon [m]",
        "reckoned": "where the robot believes to be [m]",
    },
)
x0 = {"east": 0.0, "north": -200.0, "depth": 50.0}
p = {
    "distance": 250.0,  # m, told by the sound
    "beacon": {"east": 20.0, "north": 40.0, "depth": 30.0},  # m
    "reckoned": {"east": 180.0, "north": -80.0, "depth": 90.0},  # m, 208.8 m from the beacon
}


def _reckoned_distance(p: dict[str, Any]) -> float:
    """How far from the beacon the robot believes to be [m]."""
    return float(np.sqrt(square_of_way(p["reckoned"], p["beacon"])))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """From the beacon in the direction of `reckoned`."""
    stretch = p["distance"] / _reckoned_distance(p)
    return {axis: p["beacon"][axis] + stretch * (p["reckoned"][axis] - p["beacon"][axis]) for axis in AXES}


def known_objective(p: dict[str, Any]) -> float:
    """Square of what is missing along the ray."""
    return float((p["distance"] - _reckoned_distance(p)) ** 2)


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """From place - reckoned + y (place - beacon) = 0."""
    return {"distance": _reckoned_distance(p) / p["distance"] - 1}
