"""The problem solved again at other parameters, for a report: the bars of a tornado, and values along a parameter.

Each solve starts from the solution before it, in small steps, so that it follows one branch of local solutions. Where a
way back from there does not lead to where it came from, the solver has gone over to another local solution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lagrange.report.about import Absent
from lagrange.report.motion import Bar, Curve, Curves, Sensitivities, Tornado
from lagrange.report.understood import Understood

SHARE = 0.1  # of a parameter, or of 1 where it is zero: how far the bars of the tornado move it
POINTS = 13  # of a curve, on either side of the solution and at it
STEPS = 2  # of the way from one point to the next
SHORT_OF_THE_END = 0.98  # of the way to the end of a range, where functions may be infinite
MOST_BARS, MOST_CURVES = 20, 8
SAME_VALUE = 1e-3, 1e-6  # values that differ by less, relative to the step and to their size, are one
ANOTHER = "another local solution"


@dataclass(frozen=True)
class Resolved:
    """The objective at another value of a parameter; nan where there is no solution.

    `remark` is empty where the solution there continues the one of the report.
    """

    point: float
    objective: float
    remark: str


def tornado(solution: Understood, moved: Sensitivities | Absent) -> Tornado | Absent:
    """The objective re-solved with each parameter SHARE lower and higher; the most influential parameters only."""
    if isinstance(moved, Absent):
        return moved
    shown = moved.by_influence[:MOST_BARS]
    bars = []
    for j in shown:
        item = moved.parameters[j]
        step = SHARE * (abs(item.value) or 1.0)
        low, high = (_followed(solution, j, [item.value + side * step])[0] for side in (-1.0, 1.0))
        bars.append(Bar(item.about, low.point, high.point, low.objective, high.objective, low.remark, high.remark))
    base = solution.result.objective
    bars.sort(key=lambda bar: -np.nanmax(np.abs([bar.low - base, bar.high - base, 0.0])))
    return Tornado(SHARE, base, tuple(bars), len(moved.parameters) - len(shown))


def curves(solution: Understood, moved: Sensitivities | Absent) -> Curves | Absent:
    """The objective re-solved along the most influential parameters."""
    if isinstance(moved, Absent):
        return moved
    shown = moved.by_influence[:MOST_CURVES]
    found = [curve(solution, moved, j) for j in shown]
    drawn = [item for item in found if np.isfinite(item.values).sum() > 1]
    alone = [item.about.name for item in found if item not in drawn]
    return Curves(tuple(drawn), tuple(alone), len(moved.parameters) - len(shown))


def curve(solution: Understood, moved: Sensitivities, j: int) -> Curve:
    """The objective re-solved along parameter j."""
    item = moved.parameters[j]
    inside = [
        item.value + SHORT_OF_THE_END * (end - item.value)
        for end in (item.lower, item.upper)
        if item.span[0] < end < item.span[1]
    ]
    half = POINTS // 2 + 1
    points = {*np.linspace(item.span[0], item.value, half), *np.linspace(item.value, item.span[1], half), *inside}
    below = _followed(solution, j, sorted((point for point in points if point < item.value), reverse=True))
    above = _followed(solution, j, sorted(point for point in points if point > item.value))
    found = [*below[::-1], Resolved(item.value, solution.result.objective, ""), *above]
    return Curve(
        item.about,
        item.value,
        solution.result.objective,
        tuple(float(entry.point) for entry in found),
        tuple(entry.objective for entry in found),
        tuple(entry.remark for entry in found),
        item.left.objective,
        item.right.objective,
        item.lower,
        item.upper,
        item.lower_event,
        item.upper_event,
    )


def _followed(solution: Understood, j: int, points: Sequence[float]) -> list[Resolved]:
    """The objective at these values of parameter j, the nearest first."""
    found: list[Resolved] = []
    here, at, continues = solution, float(solution.result.p[j]), True
    for point in points:
        there, remark = _solved_on_the_way(here, j, at, point)
        if there is None:
            found.append(Resolved(point, math.nan, f"no verified solution: {remark}"))
            continues = False
            continue
        continues = continues and _leads_back(there, here, j, point, at)
        found.append(Resolved(point, float(there.result.objective), "" if continues else ANOTHER))
        here, at = there, point
    return found


def _leads_back(there: Understood, here: Understood, j: int, point: float, at: float) -> bool:
    back, _ = _solved_on_the_way(there, j, point, at)
    if back is None:
        return True
    value, step = here.result.objective, abs(there.result.objective - here.result.objective)
    of_step, of_value = SAME_VALUE
    # Where the value is nearly zero, what a change of x by its own size would change it by.
    size = max(abs(value), step, here.result.residuals.stationarity_scale * float(np.abs(here.result.x).max()))
    return abs(back.result.objective - value) <= of_step * step + of_value * size


def _solved_on_the_way(here: Understood, j: int, start: float, end: float) -> tuple[Understood | None, str]:
    """The solution with parameter j at `end`, reached in small steps or at once; None and why where there is none."""
    there = here
    for value in np.linspace(start, end, STEPS + 1)[1:]:
        found, _ = _solved(there, j, float(value))
        if found is None:
            return _solved(here, j, end)
        there = found
    return there, ""


def _solved(here: Understood, j: int, value: float) -> tuple[Understood | None, str]:
    result, settings = here.result, here.settings
    p = result.p.copy()
    p[j] = value
    options = {} if settings is None else {"tol": settings.tol, "method": settings.method}
    try:
        there: Understood = here.problem.solve(here.x, result.program.parameter_tree(p), warm=here, **options)
    except Exception as error:  # of the user's functions, or sides that cross, at these parameters
        return None, f"{type(error).__name__}: {error}"
    return (there, "") if there.result.success else (None, there.result.kind.label)
