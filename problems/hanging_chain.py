"""Hanging chain: the shape of a chain of rigid links between two hooks of equal height.

Twelve links of equal length hang between two hooks; the weight sits in the eleven joints. The chain comes
to rest where its potential energy is smallest:

    minimize    weight * sum(height of the joints)                    [J]
    subject to  (length of link i)^2 = link^2,  i = 1, ..., 12        [m^2]

A multiplier is the tension of its link divided by twice the link's length. Source: classical (the
catenary of Huygens, Leibniz and Johann Bernoulli, 1691; this is its discrete form). Known answer: the
horizontal pull H is the same in all links, the vertical one grows by `weight` from joint to joint, so the
links' directions follow from H, the root of one scalar equation (the chain must span the distance of the
hooks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

LINKS = 12
JOINTS = LINKS - 1


def link_lengths_squared(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """Squared length of every link [m^2]; the hooks are at (0, 0) and (span, 0)."""
    across = np.diff(np.hstack([0.0, x["across"], p["span"]]))
    height = np.diff(np.hstack([0.0, x["height"], 0.0]))
    return across**2 + height**2


problem = lg.Problem(
    minimize=lambda x, p: p["weight"] * np.sum(x["height"]),
    subject_to={"links": lg.equals(link_lengths_squared, lambda p: p["link"] ** 2)},
    describe={
        "objective": "potential energy [J]",
        "across": "place of a joint [m]",
        "height": "of a joint [m]",
        "links": "squared length of a link [m^2]",
        "span": "distance of the hooks [m]",
        "link": "length of a link [m]",
        "weight": "of a joint [N]",
    },
)
p = {"span": 4.0, "link": 0.4, "weight": 10.0}  # m, m, N per joint
position = np.linspace(0.0, 1.0, LINKS + 1)[1:-1]
x0 = {"across": p["span"] * position, "height": -np.sin(np.pi * position)}


def _pulls(p: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Horizontal and vertical pull in every link [N], the vertical one symmetric about the middle."""
    vertical = p["weight"] * (np.arange(LINKS) - (LINKS - 1) / 2)

    def missing_span(horizontal: float) -> float:
        return float(np.sum(p["link"] * horizontal / np.hypot(horizontal, vertical)) - p["span"])

    # The span grows with H from none to that of the straight chain: bracket the root by doubling.
    largest = p["weight"]
    while missing_span(largest) < 0:
        largest *= 2
    horizontal = brentq(missing_span, 0.0, largest, xtol=1e-14)
    return np.full(LINKS, horizontal), vertical


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Joints reached by walking along the links, each in the direction of its pull."""
    horizontal, vertical = _pulls(p)
    step = p["link"] / np.hypot(horizontal, vertical)
    return {"across": np.cumsum(step * horizontal)[:-1], "height": np.cumsum(step * vertical)[:-1]}


def known_objective(p: dict[str, Any]) -> float:
    """Potential energy [J]."""
    return float(p["weight"] * np.sum(known_x(p)["height"]))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Tension over twice the length."""
    return {"links": np.hypot(*_pulls(p)) / (2 * p["link"])}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """Convex when a link may also be shorter than its length, which a hanging chain never makes use of."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    across, height = cp.Variable(JOINTS), cp.Variable(JOINTS)
    steps_across = cp.diff(cp.hstack([0.0, across, p["span"]]))
    steps_in_height = cp.diff(cp.hstack([0.0, height, 0.0]))
    lengths = cp.norm(cp.vstack([steps_across, steps_in_height]), axis=0)
    # 2 link length has the gradient of length^2 where the length is link: the same multiplier.
    constraints = {"links": 2 * p["link"] * lengths <= 2 * p["link"] ** 2}
    model = cp.Problem(cp.Minimize(p["weight"] * cp.sum(height)), list(constraints.values()))
    return CvxpyModel(model, {"across": across, "height": height}, constraints, bounds={})
