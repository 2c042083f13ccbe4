"""Brachistochrone: the slide on which a child arrives first, built of straight boards.

A slide leads from the edge of a platform to a point `drop` below and `span` away. It is made of twelve
straight boards; friction is left out. Board i ends (i/12)^2 of the drop below the platform, so that every
board adds the same speed, and how far it reaches across is free:

    minimize    sum 2 length_i / (speed at its top + speed at its end)     [s]
    subject to  sum(width_i) = span                                        [m]

with speed = sqrt(2 gravity depth): on a straight board it grows evenly. The shadow price of the span is
the time that one more metre takes. Source: Johann Bernoulli, Acta Eruditorum (June 1696, May 1697), who
solved it by this very division into layers, as the path of light: by Snell's law the sine of a board's
angle to the vertical is in proportion to its mean speed. Known answer: the factor of that proportion is the
root of one scalar equation (the boards must reach the span). With many boards the slide becomes the
cycloid, and the time angle * sqrt(wheel radius / gravity).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

BOARDS = 12


def heights(boards: int, p: dict[str, Any]) -> Any:
    """How far every board goes down [m]."""
    return p["drop"] * np.diff(np.linspace(0.0, 1.0, boards + 1) ** 2)


def mean_speeds(boards: int, p: dict[str, Any]) -> Any:
    """Mean of the speeds at both ends of every board [m/s]."""
    final_speed = np.sqrt(2 * p["gravity"] * p["drop"])
    return final_speed * (np.arange(boards) + 0.5) / boards


def time(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """How long the slide takes [s]."""
    boards = len(x["width"])
    lengths = np.sqrt(x["width"] ** 2 + heights(boards, p) ** 2)
    return np.sum(lengths / mean_speeds(boards, p))


def start(boards: int, p: dict[str, Any]) -> dict[str, Any]:
    """A straight slide."""
    return {"width": p["span"] / p["drop"] * heights(boards, p)}


problem = lg.Problem(
    minimize=time,
    subject_to={"span": lg.equals(lambda x: np.sum(x["width"]), lambda p: p["span"])},
    describe={
        "objective": "time on the slide [s]",
        "width": "how far a board reaches across [m]",
        "span": "how far the slide reaches across [m]",
        "drop": "how far the slide goes down [m]",
        "gravity": "[m/s^2]",
    },
)
p = {"drop": 3.0, "span": 3.0, "gravity": 9.81}  # m, m, m/s^2
x0 = start(BOARDS, p)


def _widths(time_per_metre: float, p: dict[str, Any]) -> Any:
    """The boards' widths by Snell's law: width / length = time_per_metre * mean speed."""
    sine = time_per_metre * mean_speeds(BOARDS, p)
    return heights(BOARDS, p) * sine / np.sqrt(1 - sine**2)


def _time_per_metre(p: dict[str, Any]) -> float:
    """The factor at which the boards reach the span; at the largest one the last board would lie flat."""
    largest = 1 / float(np.max(mean_speeds(BOARDS, p)))
    return float(brentq(lambda factor: np.sum(_widths(factor, p)) - p["span"], 0.0, largest * (1 - 1e-12), xtol=1e-16))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Boards that keep Snell's law."""
    return {"width": _widths(_time_per_metre(p), p)}


def known_objective(p: dict[str, Any]) -> float:
    """Time on those boards."""
    return float(time(known_x(p), p))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Minus the time that one more metre of span takes."""
    return {"span": -_time_per_metre(p)}


def limit_objective(p: dict[str, Any]) -> float:
    """Time on the cycloid, the slide without corners [s]; with a span above pi/2 drops it would dip below its end."""

    def missing_span(angle: float) -> float:
        # The point of a rolling wheel, with the radius at which it is `drop` below where it started.
        return float(p["drop"] * (angle - np.sin(angle)) / (1 - np.cos(angle)) - p["span"])

    angle = brentq(missing_span, 1e-3, np.pi, xtol=1e-14)
    return float(angle * np.sqrt(p["drop"] / (1 - np.cos(angle)) / p["gravity"]))


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A sum of norms, said directly."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    width = cp.Variable(BOARDS)
    lengths = cp.norm(cp.vstack([width, heights(BOARDS, p)]), axis=0)
    constraints = {"span": cp.sum(width) == p["span"]}
    model = cp.Problem(cp.Minimize((1 / mean_speeds(BOARDS, p)) @ lengths), list(constraints.values()))
    return CvxpyModel(model, {"width": width}, constraints, bounds={})
