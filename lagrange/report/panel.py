"""What the what-if panel of a report needs: sliders, slopes and curvature, as data for the script in the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lagrange.report.about import Absent
from lagrange.report.content import Content
from lagrange.report.motion import Curve, Parameter
from lagrange.report.ranges import MOST_RANGED
from lagrange.report.sentences import quantity
from lagrange.report.tables import counted, number, unit_text

STEPS = 200  # of a slider from end to end
MOST_RESULTS = 40
PERCENT = 100.0


@dataclass(frozen=True)
class Slider:
    """One parameter: whole steps down and up from its value, and the valid part of its track in percent."""

    place: int
    name: str
    text: str
    unit: str
    value: float
    step: float
    down: int
    up: int
    valid_from: float
    valid_to: float
    here: float
    is_ranged: bool
    ends: str


@dataclass(frozen=True)
class Panel:
    """Sliders, the names of what they move, and the numbers for the script."""

    sliders: tuple[Slider, ...]
    results: tuple[tuple[str, str, str], ...]  # name, unit, value in words
    left_out: str
    has_units: bool
    data: dict[str, Any]


def panel(content: Content) -> Panel | None:
    """The panel of a report; None where the solution has no slopes."""
    moved = content.sensitivities
    if isinstance(moved, Absent):
        return None
    moving = [j for j in moved.by_influence if math.isfinite(moved.parameters[j].influence)]
    shown = sorted(moving[:MOST_RANGED])
    if not shown:
        return None
    sliders = tuple(_slider(j, moved.parameters[j]) for j in shown)
    sizes = [max(_moves(moved.parameters[j], i) for j in shown) for i in range(len(content.variables))]
    rows = sorted(sorted(range(len(sizes)), key=lambda i: -sizes[i])[:MOST_RESULTS])
    objective = content.answer.objective
    results = [("objective", objective.unit, content.answer.value)]
    results += [
        (content.variables[i].about.name, content.variables[i].about.unit, content.variables[i].value) for i in rows
    ]
    hessian = [[moved.hessian[i][j] for j in shown] for i in shown]
    curves = () if isinstance(content.curves, Absent) else content.curves.curves
    solved = {item.about.name: item for item in curves}
    data = {
        "results": [value for _, _, value in results],
        "smooth": moved.kind == "smooth",
        "unit": unit_text(objective.unit),
        "hessian": hessian if all(math.isfinite(entry) for row in hessian for entry in row) else None,
        "parameters": [
            {
                "name": slider.name,
                "unit": unit_text(slider.unit),
                "value": slider.value,
                "step": slider.step,
                "lower": item.lower,
                "upper": item.upper,
                "lower_event": item.lower_event,
                "upper_event": item.upper_event,
                "left": [item.left.objective, *(item.left.x[i] for i in rows)],
                "right": [item.right.objective, *(item.right.x[i] for i in rows)],
                "points": solved[slider.name].points if slider.name in solved else (),
                "values": _continued(solved[slider.name]) if slider.name in solved else (),
            }
            for slider, item in ((slider, moved.parameters[slider.place]) for slider in sliders)
        ],
    }
    return Panel(
        sliders,
        tuple((name, unit_text(unit), number(value)) for name, unit, value in results),
        _left_out(len(moved.parameters) - len(shown), len(content.variables) - len(rows)),
        any(unit for _, unit, _ in results),
        data,
    )


def _slider(place: int, item: Parameter) -> Slider:
    low, high = item.span
    step = (high - low) / STEPS
    down, up = round((item.value - low) / step), round((high - item.value) / step)

    def share(value: float) -> float:
        steps = (value - item.value) / step
        return PERCENT * (min(max(steps, -down), up) + down) / (down + up)

    lower = -math.inf if math.isnan(item.lower) else item.lower
    upper = math.inf if math.isnan(item.upper) else item.upper
    ends = [
        f"below {quantity(lower, item.about.unit)}: {item.lower_event}" if math.isfinite(lower) else "",
        f"above {quantity(upper, item.about.unit)}: {item.upper_event}" if math.isfinite(upper) else "",
    ]
    return Slider(
        place,
        item.about.name,
        item.about.text,
        unit_text(item.about.unit),
        item.value,
        step,
        down,
        up,
        round(share(lower), 2),
        round(share(upper), 2),
        round(share(item.value), 2),
        not math.isnan(item.lower + item.upper) or math.isinf(item.upper),
        "; ".join(filter(None, ends)) or ("the range is not known" if math.isnan(item.lower) else "no limit"),
    )


def _left_out(parameters: int, variables: int) -> str:
    words = [
        f"{counted(count, noun)} {kind}"
        for count, noun, kind in (
            (parameters, "parameter", "of less influence"),
            (variables, "variable", "moved less"),
        )
        if count
    ]
    return f"Not shown: {' and '.join(words)}." if words else ""


def _continued(curve: Curve) -> tuple[float, ...]:
    """The values re-solved; nan where they are not those of this solution."""
    return tuple(math.nan if remark else value for value, remark in zip(curve.values, curve.remarks, strict=True))


def _moves(item: Parameter, i: int) -> float:
    slopes = [abs(slope.x[i]) for slope in (item.left, item.right) if not math.isnan(slope.x[i])]
    return max(slopes, default=0.0) * (abs(item.value) or 1.0)
