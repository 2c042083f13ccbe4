"""Robot arm: reach a point with three joints, bending the arm as little as possible.

A flat arm has three links in a row: upper arm, forearm and hand. Angles are measured from the link before;
the shoulder's from the horizontal. Which posture brings the tip to the target with the least bending of
elbow and wrist?

    minimize    (elbow^2 + wrist^2) / 2         [rad^2]
    subject to  tip across = target across      [m]
                tip height = target height      [m]
                -2/3 pi <= shoulder, wrist <= 2/3 pi,  0 <= elbow <= 5/6 pi    [rad]

Two equations for three angles: one degree of freedom is left, as in every redundant arm. The elbow does not
bend backwards; if it did, the mirror image would be as good. Source: a standard exercise of robotics (J.
Craig, Introduction to Robotics, the planar three-link arm). Known answer, in closed form for a hand as long
as the upper arm: by symmetry elbow and wrist bend alike, and the links are three sides of a trapezoid whose
fourth is the way to the target: distance = forearm + 2 upper cos(elbow).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import lagrange as lg

LIMITS = {  # rad
    "shoulder": (-2 / 3 * np.pi, 2 / 3 * np.pi),
    "elbow": (0.0, 5 / 6 * np.pi),
    "wrist": (-2 / 3 * np.pi, 2 / 3 * np.pi),
}


def tip(angle: dict[str, Any], p: dict[str, Any]) -> tuple[Any, Any]:
    """Across and height of the end of the hand; the shoulder is at (0, 0) [m]."""
    upper = angle["shoulder"]
    fore = upper + angle["elbow"]
    hand = fore + angle["wrist"]
    link = p["link"]
    across = link["upper"] * np.cos(upper) + link["fore"] * np.cos(fore) + link["hand"] * np.cos(hand)
    height = link["upper"] * np.sin(upper) + link["fore"] * np.sin(fore) + link["hand"] * np.sin(hand)
    return across, height


problem = lg.Problem(
    minimize=lambda angle: (angle["elbow"] ** 2 + angle["wrist"] ** 2) / 2,
    subject_to={
        "target across": lg.equals(lambda angle, p: tip(angle, p)[0], lambda p: p["target"]["across"]),
        "target height": lg.equals(lambda angle, p: tip(angle, p)[1], lambda p: p["target"]["height"]),
    },
    bounds=LIMITS,
    describe={
        "objective": "half the sum of the squared bends [rad^2]",
        **dict.fromkeys(LIMITS, "angle of the joint [rad]"),
        "target across": "[m]",
        "target height": "[m]",
        "link": "length [m]",
        "target": "[m]",
    },
)
x0 = {"shoulder": 0.0, "elbow": 0.5, "wrist": 0.1}
p = {
    "link": {"upper": 0.3, "fore": 0.25, "hand": 0.3},  # m
    "target": {"across": 0.4, "height": 0.3},  # m
}


def _way(p: dict[str, Any]) -> tuple[float, float]:
    """Distance [m] and direction [rad] of the target."""
    target = p["target"]
    return float(np.hypot(target["across"], target["height"])), float(np.arctan2(target["height"], target["across"]))


def _bend(p: dict[str, Any]) -> float:
    """Angle of elbow and wrist, to the left [rad]."""
    distance, _ = _way(p)
    return float(np.arccos((distance - p["link"]["fore"]) / (2 * p["link"]["upper"])))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """The trapezoid: the forearm is parallel to the way to the target."""
    bend, (_, direction) = _bend(p), _way(p)
    return {"shoulder": direction - bend, "elbow": bend, "wrist": bend}


def known_objective(p: dict[str, Any]) -> float:
    """Two equal bends."""
    return _bend(p) ** 2


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Minus the derivative of bend^2 in the target, which changes along the way to it only."""
    bend, (_, direction) = _bend(p), _way(p)
    per_distance = bend / (p["link"]["upper"] * np.sin(bend))
    return {"target across": per_distance * np.cos(direction), "target height": per_distance * np.sin(direction)}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """No joint is at a limit."""
    return {"shoulder": 0.0, "elbow": 0.0, "wrist": 0.0}
