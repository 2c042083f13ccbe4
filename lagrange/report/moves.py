"""How a solution moves with its parameters, for a report: slopes, ranges, elasticities, and the check of them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.report.about import About, Absent, two_sided
from lagrange.report.motion import (
    Elasticities,
    Envelope,
    Parameter,
    Sensitivities,
    Share,
    Slope,
    Verified,
)
from lagrange.report.understood import Understood
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.sensitivity.range_end import NO_LIMIT
from lagrange.sensitivity.ranging import Ranging
from lagrange.sensitivity.sensitivity import Sensitivity

MOST_SHARES = 12  # of the envelope theorem
MOST_VERIFIED = 100  # parameters: each takes four solves
# What is shown of a parameter: beyond the ends of its band, but not too far.
BEYOND, LEAST, MOST, UNLIMITED, SHORT_OF_ZERO = 1.25, 0.1, 5.0, 0.5, 0.95
LONGEST_EVENT = 80  # characters
MOST_ELASTIC = 1e4  # beyond it the result is zero but for rounding, or so near zero that percentages say nothing
ROUNDING = 1e-12  # elasticities below this, relative to the largest, are zero

NO_PARAMETERS = "The problem has no parameters."


def sensitivities(solution: Understood, sensitivity: Sensitivity) -> Sensitivities | Absent:
    """Slopes of every parameter; absent without parameters, and where the solution has no sensitivity."""
    result = solution.result
    layout = result.program.parameters
    if not layout.size:
        return Absent(NO_PARAMETERS)
    if sensitivity.kind == "undefined":
        return Absent(f"How the solution moves is undefined: {sensitivity.reason}")
    parameters = []
    for j, name in enumerate(layout.names()):
        right = _slope(solution, sensitivity, j, 1.0)
        left = right if sensitivity.kind == "smooth" else _slope(solution, sensitivity, j, -1.0)
        value = float(result.p[j])
        described = solution.descriptions.parameter(name)
        parameters.append(
            Parameter(
                about=About(name, described.text, described.unit),
                value=value,
                lower=math.nan,
                upper=math.nan,
                lower_event="",
                upper_event="",
                kink="",
                left=left,
                right=right,
                span=span(value, math.nan, math.nan),
            )
        )
    return Sensitivities(
        kind=sensitivity.kind,
        reason=sensitivity.reason,
        exact=sensitivity.exact,
        ranges="",
        parameters=tuple(parameters),
        hessian=tuple(map(tuple, (result.program.sign * sensitivity.flat_objective_hessian()).tolist())),
    )


def with_ranges(moved: Sensitivities, ranges: Ranging | Absent) -> Sensitivities:
    """The same with the ranges there are."""
    if isinstance(ranges, Absent):
        return replace(moved, ranges=ranges.reason)
    parameters = []
    for item in moved.parameters:
        found = ranges.parameters.get(item.about.name)
        if found is not None:
            item = replace(
                item,
                lower=found.lower,
                upper=found.upper,
                lower_event=event_text(found.lower_event),
                upper_event=event_text(found.upper_event),
                kink=found.kink,
                span=span(item.value, found.lower, found.upper),
            )
        parameters.append(item)
    first_order = "Ends of ranges are by first order only: JAX cannot follow the functions."
    return replace(moved, ranges="" if ranges.corrected else first_order, parameters=tuple(parameters))


def envelope(sensitivity: Sensitivity, moved: Sensitivities | Absent) -> Envelope | Absent:
    """dV/dp of the most influential parameters, split into the objective's own part and that of the constraints."""
    if isinstance(moved, Absent):
        return moved
    found = sensitivity.comparative_statics().envelope
    shown = [moved.parameters[j].about for j in moved.by_influence[:MOST_SHARES]]
    shares = [Share(about, *found[about.name]) for about in shown if not math.isnan(found[about.name][2])]
    if not shares:
        return Absent("The slope of the objective differs from side to side: it has no single split.")
    return Envelope(tuple(shares), len(moved.parameters) - len(shares))


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


def verified(solution: Understood, sensitivity: Sensitivity, moved: Sensitivities | Absent) -> Verified | Absent:
    """Predicted against re-solved."""
    if isinstance(moved, Absent):
        return moved
    size = solution.result.p.size
    if size > MOST_VERIFIED:
        return Absent(f"There are {size} parameters: ask for this check by solution.sensitivity().verify().")
    try:
        found = sensitivity.verify()
    except NotDifferentiable as error:
        return Absent(f"There is no prediction to check: {error.cause or error}.")
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


def _numbers(vector: Vector) -> tuple[float, ...]:
    return tuple((vector + 0.0).tolist())
