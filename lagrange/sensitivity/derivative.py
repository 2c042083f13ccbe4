"""Two-sided derivatives of the solution, entry by entry, where they exist.

Strict complementarity, unique multipliers and curvature: one linear solve gives them all. Else a derivative exists
where the one-sided ones along +t and -t are each other's negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.directional import change
from lagrange.sensitivity.not_differentiable import NotDifferentiable

AGREEMENT = 1e-7  # relative difference of two one-sided derivatives that is rounding
NOTHING = 1e-11  # entries that differ by less, relative to the largest of all, are the same whatever their size


@dataclass(frozen=True)
class Derivative:
    """Derivatives with respect to c directions; entries that do not exist are nan.

    Attributes
    ----------
    x : (n, c);  multipliers : (k, c) of the active constraints;  value : (c,) of the signed objective
    """

    x: Vector
    multipliers: Vector
    value: Vector


def derivative(system: ActiveSystem, dp: Vector, dside: Vector) -> Derivative:
    """The derivative along the columns of dp (q, c) and dside (k, c)."""
    active = system.active
    value = system.at.slope @ dp - active.multipliers @ dside
    if system.curved and system.unique and active.strong.all():
        x, multipliers = system.solve(-(system.at.G @ dp), dside - system.at.r @ dp)
        return Derivative(x, multipliers, value)
    found = Derivative(
        np.full((system.result.x.size, value.size), np.nan),
        np.full((len(active.names), value.size), np.nan),
        np.full(value.size, np.nan),
    )
    for j in range(value.size):
        both = _two_sided(system, dp[:, j], dside[:, j])
        if both is not None:
            found.x[:, j], found.multipliers[:, j], found.value[j] = both
        elif system.curved:
            found.value[j] = _value(system, dp[:, j], dside[:, j])
    return found


def _value(system: ActiveSystem, dp: Vector, dside: Vector) -> float:
    # The value may have a derivative where x has none: all multipliers may give the same.
    shift = system.at.r @ dp - dside
    up, down = system.polyhedron.extreme(shift)[0], -system.polyhedron.extreme(-shift)[0]
    of_constraints = float(_agreed(np.array([up]), np.array([-down]))[0]) if np.isfinite([up, down]).all() else np.nan
    return float(system.at.direct @ dp) + of_constraints


def _two_sided(system: ActiveSystem, dp: Vector, dside: Vector) -> tuple[Vector, Vector, float] | None:
    try:
        forward, backward = change(system, dp, dside), change(system, -dp, -dside)
    except NotDifferentiable:
        return None
    return (
        _agreed(forward.x, backward.x),
        _agreed(forward.multipliers, backward.multipliers),
        float(_agreed(np.array([forward.value]), np.array([backward.value]))[0]),
    )


def _agreed(forward: Vector, backward: Vector) -> Vector:
    # Each entry in its own size: those of a gap in metres must not hide behind those of a power in watts.
    own = np.maximum(np.abs(forward), np.abs(backward))
    agree = np.abs(forward + backward) <= np.maximum(AGREEMENT * own, NOTHING * np.nanmax(own, initial=0.0))
    return np.where(agree, (forward - backward) / 2.0, np.nan)
