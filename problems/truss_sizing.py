"""Truss sizing: the lightest three-bar truss that carries a slanted load.

Three bars hang from a ceiling at -1 m, 0 and +1 m and meet 1 m below it, where a load pulls at 45 degrees,
in line with the first bar. The two outer bars have the same cross-section. Which cross-sections use the
least material, if no bar may be stressed beyond `strength` in tension or compression?

    minimize    2 sqrt(2) L outer + L middle                                    [cm^3]
    subject to  load/2 (1/outer + 1/(outer + sqrt(2) middle)) <= strength       [kN/cm^2]  loaded bar
                load / (outer + sqrt(2) middle)               <= strength       [kN/cm^2]  middle bar
                load/2 (1/(outer + sqrt(2) middle) - 1/outer) >= -strength      [kN/cm^2]  far bar
                outer, middle >= 0                                              [cm^2]

The stresses come from the two equations of equilibrium of the joint with linear elastic bars. Source: L.
A. Schmit, "Structural design by systematic synthesis", Second Conference on Electronic Computation, ASCE
(1960), with the symmetric bars that became the benchmark of structural optimization: volume 263.8958 for
a load of 2 and a strength of 2. Known answer, in closed form: only the loaded bar is at its limit, and
outer = (3 + sqrt(3))/6, middle = 1/sqrt(6), both times load / strength.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

LENGTH = 100.0  # of the middle bar [cm]
OUTER_UNIT, MIDDLE_UNIT = (3 + np.sqrt(3)) / 6, 1 / np.sqrt(6)  # best areas for load = strength [cm^2]


def material(x: dict[str, Any]) -> Any:
    """Volume of the three bars [cm^3]; the outer ones are sqrt(2) times as long."""
    return LENGTH * (2 * np.sqrt(2) * x["outer"] + x["middle"])


def loaded_bar(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """Tension in the bar in line with the load [kN/cm^2]."""
    return p["load"] / 2 * (1 / x["outer"] + 1 / (x["outer"] + np.sqrt(2) * x["middle"]))


def middle_bar(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """Tension in the middle bar [kN/cm^2]."""
    return p["load"] / (x["outer"] + np.sqrt(2) * x["middle"])


def far_bar(x: dict[str, Any], p: dict[str, Any]) -> Any:
    """Stress in the bar square to the load, negative because it is compressed [kN/cm^2]."""
    return p["load"] / 2 * (1 / (x["outer"] + np.sqrt(2) * x["middle"]) - 1 / x["outer"])


problem = lg.Problem(
    minimize=material,
    subject_to={
        "loaded bar": lg.at_most(loaded_bar, lambda p: p["strength"]),
        "middle bar": lg.at_most(middle_bar, lambda p: p["strength"]),
        "far bar": lg.at_least(far_bar, lambda p: -p["strength"]),
    },
    bounds={"outer": (0, None), "middle": (0, None)},
    describe={
        "objective": "material [cm^3]",
        "outer": "cross-section of both outer bars [cm^2]",
        "middle": "cross-section of the middle bar [cm^2]",
        "loaded bar": "tension in the bar in line with the load [kN/cm^2]",
        "middle bar": "tension in the middle bar [kN/cm^2]",
        "far bar": "stress in the bar square to the load [kN/cm^2]",
        "load": "pull at the joint [kN]",
        "strength": "largest stress allowed [kN/cm^2]",
    },
)
x0 = {"outer": 5.0, "middle": 5.0}
p = {"load": 50.0, "strength": 20.0}  # kN, kN/cm^2


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """The areas grow with the load over the strength."""
    scale = p["load"] / p["strength"]
    return {"outer": scale * OUTER_UNIT, "middle": scale * MIDDLE_UNIT}


def known_objective(p: dict[str, Any]) -> float:
    """Volume of those bars."""
    return float(material(known_x(p)))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The volume is proportional to 1 / strength, so its derivative is -volume / strength."""
    return {"loaded bar": known_objective(p) / p["strength"], "middle bar": 0.0, "far bar": 0.0}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """All bars are needed."""
    return {"outer": 0.0, "middle": 0.0}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """Convex in the areas, but for the far bar, whose stress is always smaller than the loaded bar's."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    outer, middle = cp.Variable(), cp.Variable()
    stiffness = outer + np.sqrt(2) * middle
    constraints = {
        "loaded bar": p["load"] / 2 * (cp.inv_pos(outer) + cp.inv_pos(stiffness)) <= p["strength"],
        "middle bar": p["load"] * cp.inv_pos(stiffness) <= p["strength"],
    }
    lower = {"outer": outer >= 0, "middle": middle >= 0}
    volume = LENGTH * (2 * np.sqrt(2) * outer + middle)
    model = cp.Problem(cp.Minimize(volume), [*constraints.values(), *lower.values()])
    bounds = {name: (constraint, None) for name, constraint in lower.items()}
    return CvxpyModel(model, {"outer": outer, "middle": middle}, constraints, bounds)
