"""Isoperimetric problem: how much land can Dido fence off along the coast?

Dido was granted as much land as an ox hide would enclose; she cut it into a long strip and took land on a
straight coast, where no strip was needed. The strip is laid out in twelve equal straight pieces, from the
point (0, 0) of the coast over eleven corners to another point of the coast:

    maximize    area between the strip and the coast                      [km^2]
    subject to  (12 length of piece i)^2 <= strip^2,  i = 1, ..., 12      [km^2]

Source: classical (Virgil, Aeneid I, 365-368; Zenodorus, about 200 BC, for the regular polygon). Known
answer, in closed form: mirrored at the coast the strip is a regular polygon of 24 sides, so the land is
strip^2 / (4 pieces tan(pi / (2 pieces))); with many pieces it becomes the half disc, strip^2 / (2 pi).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lagrange as lg

PIECES = 12


def corners(x: dict[str, Any]) -> tuple[Any, Any]:
    """Along the coast and inland, of all ends of the pieces [km]; the first and the last lie on the coast."""
    return np.hstack([0.0, x["along"]]), np.hstack([0.0, x["inland"], 0.0])


def land(x: dict[str, Any]) -> Any:
    """Area under the pieces, trapezoid by trapezoid [km^2]."""
    along, inland = corners(x)
    return np.sum(np.diff(along) * (inland[1:] + inland[:-1]) / 2)


def squares_of_strip(x: dict[str, Any]) -> Any:
    """Squared length of the whole strip, by every piece of it [km^2]."""
    along, inland = corners(x)
    return len(x["along"]) ** 2 * (np.diff(along) ** 2 + np.diff(inland) ** 2)


def start(pieces: int, p: dict[str, Any]) -> dict[str, Any]:
    """A low arch, half as wide as the strip is long."""
    part = np.linspace(0.0, 1.0, pieces + 1)[1:]
    return {"along": p["strip"] / 2 * part, "inland": (p["strip"] * part * (1 - part))[:-1]}


problem = lg.Problem(
    maximize=land,
    subject_to={"pieces": lg.at_most(squares_of_strip, lambda p: p["strip"] ** 2)},
    describe={
        "objective": "land [km^2]",
        "along": "place of a corner along the coast [km]",
        "inland": "place of a corner inland [km]",
        "pieces": "squared length of a strip of such pieces [km^2]",
        "strip": "length of the strip [km]",
    },
)
p = {"strip": 4.0}  # km
x0 = start(PIECES, p)


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Half of a regular polygon around the middle of the fenced coast."""
    angle = np.pi * np.arange(PIECES + 1) / PIECES
    radius = p["strip"] / (2 * PIECES * np.sin(np.pi / (2 * PIECES)))
    return {"along": radius * (1 - np.cos(angle))[1:], "inland": radius * np.sin(angle)[1:-1]}


def known_objective(p: dict[str, Any]) -> float:
    """Half of the regular polygon's area."""
    return float(p["strip"] ** 2 / (4 * PIECES * np.tan(np.pi / (2 * PIECES))))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The land is in proportion to strip^2, and all pieces have the same part in it."""
    return {"pieces": np.full(PIECES, known_objective(p) / p["strip"] ** 2 / PIECES)}


def limit_objective(p: dict[str, Any]) -> float:
    """Land that a strip without corners encloses [km^2]."""
    return float(p["strip"] ** 2 / (2 * np.pi))
