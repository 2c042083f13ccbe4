"""Geodesic: a rubber band on a globe finds the shortest way from London to Tokyo.

A thin rubber band is pinned to a globe at both cities and held on its surface. Thought of as beads with
equal springs between them, it comes to rest where its elastic energy is smallest:

    minimize    stiffness/2 pieces sum |piece i|^2                  [J]
    subject to  |bead i|^2 = radius^2,  i = 1, ..., pieces - 1      [m^2]

(pieces in a row are softer than one piece: each has `pieces` times the stiffness of the band). The energy
is stiffness/2 length^2 of the band, so the shortest way has the least of it; and unlike the length itself
it keeps the beads apart. A multiplier is the force of the globe on its bead over twice the radius, with
the sign turned. Source: classical (shortest ways on a surface: Johann Bernoulli and Euler, 1728). Known
answer, in closed form: equal steps along the great circle through the cities, seen under the angle
angle/pieces each; with many pieces the length becomes radius * angle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lagrange as lg

PIECES = 8
AXES = ("x", "y", "z")  # through 0 N 0 E, through 0 N 90 E, through the north pole


def place(city: dict[str, Any], p: dict[str, Any]) -> dict[str, Any]:
    """A city on the globe [m]."""
    latitude, longitude = np.deg2rad(city["latitude"]), np.deg2rad(city["longitude"])
    return {
        "x": p["radius"] * np.cos(latitude) * np.cos(longitude),
        "y": p["radius"] * np.cos(latitude) * np.sin(longitude),
        "z": p["radius"] * np.sin(latitude),
    }


def squares_of_pieces(bead: dict[str, Any], p: dict[str, Any]) -> Any:
    """Squared length of every piece of the band [m^2]."""
    london, tokyo = place(p["London"], p), place(p["Tokyo"], p)
    return sum(np.diff(np.hstack([london[axis], bead[axis], tokyo[axis]])) ** 2 for axis in AXES)


def energy(bead: dict[str, Any], p: dict[str, Any]) -> Any:
    """Elastic energy of the band [J]."""
    squares = squares_of_pieces(bead, p)
    return p["stiffness"] / 2 * len(squares) * np.sum(squares)


def start(pieces: int, p: dict[str, Any]) -> dict[str, Any]:
    """Beads along the straight line on a map of latitude and longitude."""
    part = np.linspace(0.0, 1.0, pieces + 1)[1:-1]
    way = {name: p["London"][name] + part * (p["Tokyo"][name] - p["London"][name]) for name in p["London"]}
    return place(way, p)


problem = lg.Problem(
    minimize=energy,
    subject_to={
        "on the globe": lg.equals(lambda bead: sum(bead[axis] ** 2 for axis in AXES), lambda p: p["radius"] ** 2)
    },
    describe={
        "objective": "elastic energy of the band [J]",
        **{axis: f"place of a bead along {axis} [m]" for axis in AXES},
        "on the globe": "squared distance from the globe's centre [m^2]",
        "radius": "of the globe [m]",
        "stiffness": "of the band [N/m]",
        "London": "[degrees]",
        "Tokyo": "[degrees]",
    },
)
p = {
    "radius": 0.16,  # m
    "stiffness": 20.0,  # N/m
    "London": {"latitude": 51.51, "longitude": -0.13},  # degrees
    "Tokyo": {"latitude": 35.68, "longitude": 139.69},
}
x0 = start(PIECES, p)


def angle_between_cities(p: dict[str, Any]) -> float:
    """The angle under which the cities are seen from the globe's centre [rad]."""
    london, tokyo = place(p["London"], p), place(p["Tokyo"], p)
    return float(np.arccos(sum(london[axis] * tokyo[axis] for axis in AXES) / p["radius"] ** 2))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Equal steps along the great circle."""
    london, tokyo, angle = place(p["London"], p), place(p["Tokyo"], p), angle_between_cities(p)
    part = np.arange(1, PIECES) / PIECES
    from_london, from_tokyo = np.sin((1 - part) * angle) / np.sin(angle), np.sin(part * angle) / np.sin(angle)
    return {axis: from_london * london[axis] + from_tokyo * tokyo[axis] for axis in AXES}


def known_objective(p: dict[str, Any]) -> float:
    """Energy of a band of that many equal chords."""
    length = 2 * PIECES * p["radius"] * np.sin(angle_between_cities(p) / (2 * PIECES))
    return float(p["stiffness"] / 2 * length**2)


def limit_objective(p: dict[str, Any]) -> float:
    """Energy of a band that lies on the great circle everywhere [J]."""
    return float(p["stiffness"] / 2 * (p["radius"] * angle_between_cities(p)) ** 2)


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """From stiffness pieces (2 bead - neighbours) + 2 y bead = 0: neighbours add up to 2 cos(step) bead."""
    step = angle_between_cities(p) / PIECES
    return {"on the globe": np.full(PIECES - 1, -p["stiffness"] * PIECES * (1 - np.cos(step)))}
