"""Which ranges a report shows: those of the parameters, right sides and active bounds that matter most."""

from __future__ import annotations

import math

import numpy as np

from lagrange.report.about import Absent
from lagrange.report.content import LeftOut
from lagrange.report.motion import Sensitivities
from lagrange.report.understood import Understood
from lagrange.result import bound_name
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.sensitivity.ranging import Ranging
from lagrange.sensitivity.sensitivity import Sensitivity

MOST_RANGED = 12  # of parameters, of constraint rows and of active bounds


def ranges_of(
    solution: Understood, sensitivity: Sensitivity, moved: Sensitivities | Absent
) -> tuple[Ranging | Absent, LeftOut]:
    """The ranges of the numbers that move the objective most, and how many have none here."""
    groups = parameters_by_influence(moved), rows_by_influence(solution), bounds_by_influence(solution)
    wanted = [name for group in groups for name in group[:MOST_RANGED]]
    left_out = LeftOut(*(max(0, len(group) - MOST_RANGED) for group in groups))
    try:
        return sensitivity.ranging(wanted), left_out
    except NotDifferentiable as error:
        text = str(error).rstrip(".")
        return Absent(f"{text[0].upper()}{text[1:]}."), LeftOut(0, 0, 0)


def parameters_by_influence(moved: Sensitivities | Absent) -> list[str]:
    """Names of the parameters, the most influential first."""
    return [] if isinstance(moved, Absent) else [moved.parameters[j].about.name for j in moved.by_influence]


def rows_by_influence(solution: Understood) -> list[str]:
    """Names of the constraint rows with a side: first those whose price times side is large, then by their slack."""
    result = solution.result
    lower, upper = result.sides
    side = np.where(result.active_rows < 0, lower, upper)
    size = np.where(np.isfinite(side) & (side != 0.0), np.abs(side), 1.0)
    slack = np.minimum(result.c - lower, upper - result.c) / np.maximum(1.0, np.abs(result.c))
    places = [i for i in range(result.program.m) if math.isfinite(lower[i]) or math.isfinite(upper[i])]
    places.sort(key=lambda i: (not result.active_rows[i], -abs(result.y[i]) * size[i], slack[i]))
    return [result.program.row_names[i] for i in places]


def bounds_by_influence(solution: Understood) -> list[str]:
    """Names of the active bounds, those of the largest price times size of the variable first."""
    result = solution.result
    places = np.flatnonzero(result.active_bounds).tolist()
    places.sort(key=lambda i: -abs(result.z[i]) * (abs(result.x[i]) or 1.0))
    return [bound_name(result.program.variable_names[i], float(result.active_bounds[i])) for i in places]
