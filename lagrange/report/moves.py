"""How a solution moves with its parameters, for a report: slopes, elasticities, and the problem solved again."""

from __future__ import annotations

import math

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.report.content import (
    About,
    Absent,
    Bar,
    Curve,
    Curves,
    Elasticities,
    Parameter,
    Sensitivities,
    Slope,
    Tornado,
    Verified,
    two_sided,
)
from lagrange.report.understood import Understood
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.sensitivity.ranging import NO_LIMIT, Ranging
from lagrange.sensitivity.sensitivity import Sensitivity

SHARE = 0.1  # of a parameter, or of 1 where it is zero: how far the bars of the tornado move it
POINTS = 13  # of a curve, on either side of the solution and at it
MOST_BARS, MOST_CURVES = 20, 8
# What is shown of a parameter: beyond the ends of its band, but not too far.
BEYOND, LEAST, MOST, UNLIMITED, SHORT_OF_ZERO = 1.25, 0.1, 5.0, 0.5, 0.95
AT_ZERO = 1e-9  # ends of ranges below this, relative to the value, are zero
LONGEST_EVENT = 80  # characters
MOST_ELASTIC = 1e9  # beyond it the result is zero to rounding, and nothing is a percentage of it
ROUNDING = 1e-12  # elasticities below this, relative to the largest, are zero

NO_PARAMETERS = "The problem has no parameters."


def sensitivities(solution: Understood, sensitivity: Sensitivity, ranges: Ranging | Absent) -> Sensitivities | Absent:
    """Slopes and ranges of every parameter; absent without parameters, and where the solution has no sensitivity."""
    result = solution.result
    layout = result.program.parameters
    if not layout.size:
        return Absent(NO_PARAMETERS)
    if sensitivity.kind == "undefined":
        return Absent(f"How the solution moves is undefined: {sensitivity.reason}")
    parameters = []
    for j, name in enumerate(layout.names()):
        left, right = (_slope(solution, sensitivity, j, side) for side in (-1.0, 1.0))
        value = float(result.p[j])
        found = None if isinstance(ranges, Absent) else ranges.parameters[name]
        lower, upper = (math.nan, math.nan) if found is None else (_end(found.lower, value), _end(found.upper, value))
        events = ("", "") if found is None else (event_text(found.lower_event), event_text(found.upper_event))
        described = solution.descriptions.parameter(name)
        about = About(name, described.text, described.unit)
        parameters.append(Parameter(about, value, lower, upper, *events, left, right, span(value, lower, upper)))
    first_order = "Ends of ranges are by first order only: JAX cannot follow the functions."
    return Sensitivities(
        kind=sensitivity.kind,
        reason=sensitivity.reason,
        exact=sensitivity.exact,
        ranges=ranges.reason if isinstance(ranges, Absent) else "" if ranges.corrected else first_order,
        parameters=tuple(parameters),
        hessian=tuple(map(tuple, (result.program.sign * sensitivity.flat_objective_hessian()).tolist())),
    )


def elasticities(solution: Understood, moved: Sensitivities | Absent) -> Elasticities | Absent:
    """Of the objective, every variable and every multiplier that is not zero, with respect to every parameter."""
    if isinstance(moved, Absent):
        return moved
    result = solution.result
    names = ["objective", *result.program.variable_names, *(f"price of {name}" for name in result.program.row_names)]
    values = [result.objective, *result.x.tolist(), *result.y.tolist()]
    rows, table = [], []
    for k, (name, value) in enumerate(zip(names, values, strict=True)):
        if value == 0.0:  # nothing is a percentage of zero
            continue
        entries = [
            two_sided(_entry(item.left, k), _entry(item.right, k)) * item.value / value for item in moved.parameters
        ]
        known = [abs(entry) for entry in entries if not math.isnan(entry)]
        if known and max(known) < MOST_ELASTIC:
            rows.append(name)
            table.append(tuple(entries))
    if not rows:
        return Absent("No elasticity exists here: derivatives differ from side to side, or the results are zero.")
    largest = max((abs(entry) for row in table for entry in row if math.isfinite(entry)), default=0.0)
    table = [tuple(0.0 if abs(entry) <= ROUNDING * largest else entry for entry in row) for row in table]
    return Elasticities(tuple(rows), tuple(item.about.name for item in moved.parameters), tuple(table))


def tornado(solution: Understood, moved: Sensitivities | Absent) -> Tornado | Absent:
    """The objective re-solved with each parameter SHARE lower and higher; the most influential parameters only."""
    if isinstance(moved, Absent):
        return moved
    shown = _by_influence(moved)[:MOST_BARS]
    bars = []
    for j in shown:
        item = moved.parameters[j]
        step = SHARE * (abs(item.value) or 1.0)
        low, low_remark = _value_at(solution, j, item.value - step)
        high, high_remark = _value_at(solution, j, item.value + step)
        bars.append(Bar(item.about, item.value - step, item.value + step, low, high, low_remark, high_remark))
    base = solution.result.objective
    bars.sort(key=lambda bar: -np.nanmax(np.abs([bar.low - base, bar.high - base, 0.0])))
    return Tornado(SHARE, base, tuple(bars), len(moved.parameters) - len(shown))


def curves(solution: Understood, moved: Sensitivities | Absent) -> Curves | Absent:
    """The objective re-solved along the most influential parameters."""
    if isinstance(moved, Absent):
        return moved
    shown = _by_influence(moved)[:MOST_CURVES]
    return Curves(tuple(curve(solution, moved, j) for j in shown), len(moved.parameters) - len(shown))


def curve(solution: Understood, moved: Sensitivities, j: int) -> Curve:
    """The objective re-solved along parameter j."""
    item = moved.parameters[j]
    inside = [end for end in (item.lower, item.upper) if item.span[0] < end < item.span[1]]
    half = POINTS // 2 + 1
    points = sorted(
        {*np.linspace(item.span[0], item.value, half), *np.linspace(item.value, item.span[1], half), *inside}
    )
    values = [
        solution.result.objective if point == item.value else _value_at(solution, j, float(point))[0]
        for point in points
    ]
    return Curve(
        item.about,
        item.value,
        solution.result.objective,
        tuple(map(float, points)),
        tuple(values),
        item.left.objective,
        item.right.objective,
        item.lower,
        item.upper,
        item.lower_event,
        item.upper_event,
    )


def verified(solution: Understood, sensitivity: Sensitivity, most: int) -> Verified | Absent:
    """Predicted against re-solved."""
    size = solution.result.p.size
    if size > most:
        return Absent(f"There are {size} parameters: ask for this check by solution.sensitivity().verify().")
    try:
        found = sensitivity.verify()
    except NotDifferentiable as error:
        return Absent(f"There is no prediction to check: {error}")
    except Exception as error:  # of the user's functions, or sides that cross, at other parameters
        return Absent(f"The problem could not be solved at other parameters: {type(error).__name__}: {error}")
    return Verified(found.holds, found.trials)


def span(value: float, lower: float, upper: float) -> tuple[float, float]:
    """What is shown around a value whose range has these ends, on the same side of zero.

    Examples
    --------
    >>> span(10.0, 8.0, float("inf"))
    (7.5, 15.0)
    """
    size = abs(value) or 1.0
    down, up = _width(value - lower, size), _width(upper - value, size)
    if value > 0.0:
        down = min(down, SHORT_OF_ZERO * value)
    elif value < 0.0:
        up = min(up, -SHORT_OF_ZERO * value)
    return value - down, value + up


def event_text(event: str) -> str:
    """What ends a range, without the advice that an error gives; empty where there is no end."""
    return "" if event == NO_LIMIT else event if len(event) <= LONGEST_EVENT else event.partition(": ")[0]


def _end(end: float, value: float) -> float:
    return 0.0 if abs(end) <= AT_ZERO * abs(value) else end


def _width(room: float, size: float) -> float:
    if not 0.0 < room < math.inf:  # no end, none known, or a kink right here
        return UNLIMITED * size
    return min(max(BEYOND * room, LEAST * size), MOST * size)


def _slope(solution: Understood, sensitivity: Sensitivity, j: int, side: float) -> Slope:
    program, result = solution.result.program, solution.result
    move = np.zeros(result.p.size)
    move[j] = side
    try:
        found = sensitivity.direction(program.parameter_tree(move))
    except NotDifferentiable as error:
        return Slope(math.nan, (math.nan,) * program.n, (math.nan,) * program.m, str(error))
    x = side * program.variables.flatten(found.x, "x")
    blocks = [np.ravel(value) for value in found.multipliers.values()]
    y = side * np.concatenate([np.empty(0), *blocks])
    return Slope(side * found.objective + 0.0, _numbers(x), _numbers(y), "")


def _entry(slope: Slope, k: int) -> float:
    """Of (objective, x, multipliers)."""
    if k == 0:
        return slope.objective
    return slope.x[k - 1] if k <= len(slope.x) else slope.multipliers[k - 1 - len(slope.x)]


def _by_influence(moved: Sensitivities) -> list[int]:
    """Places of the parameters, those that move the objective most, per percent, first."""

    def influence(j: int) -> float:
        item = moved.parameters[j]
        slopes = [abs(slope.objective) for slope in (item.left, item.right) if not math.isnan(slope.objective)]
        return -max(slopes, default=math.inf) * (abs(item.value) or 1.0)

    return sorted(range(len(moved.parameters)), key=influence)


def _value_at(solution: Understood, j: int, value: float) -> tuple[float, str]:
    """The objective solved again with parameter j at another value; nan and a remark where there is none."""
    result, settings = solution.result, solution.settings
    p: Vector = result.p.copy()
    p[j] = value
    options = {} if settings is None else {"tol": settings.tol, "method": settings.method}
    try:
        there = solution.problem.solve(solution.x, result.program.parameter_tree(p), warm=solution, **options)
    except Exception as error:  # of the user's functions, or sides that cross, at these parameters
        return math.nan, f"{type(error).__name__}: {error}"
    return (float(there.objective), "") if there.success else (math.nan, there.kind.label)


def _numbers(vector: Vector) -> tuple[float, ...]:
    return tuple((vector + 0.0).tolist())
