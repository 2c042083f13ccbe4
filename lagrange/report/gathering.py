"""A solution as the content of a report: asks the floors below for everything and computes nothing of its own."""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Iterable
from importlib import metadata
from typing import Any

import numpy as np

from lagrange.model.description import Description
from lagrange.model.named_pytree import Vector
from lagrange.report import tables
from lagrange.report.about import About, Absent
from lagrange.report.content import (
    Answer,
    Computation,
    Condition,
    Conflict,
    ConstraintRow,
    Content,
    Iteration,
    MultiplierRow,
    Multipliers,
    Side,
    VariableRow,
)
from lagrange.report.moves import elasticities, envelope, event_text, sensitivities, verified, with_ranges
from lagrange.report.ranges import ranges_of
from lagrange.report.resolved import curves, tornado
from lagrange.report.tables import KINDS_WITH_MULTIPLIERS
from lagrange.report.understood import Understood
from lagrange.result import bound_name
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.sensitivity.ranging import Range, Ranging
from lagrange.sensitivity.sensitivity import Sensitivity

MOST_CONFLICTING = 60  # variables and rows above which a conflict is not searched for unasked
PACKAGES = ("lagrange", "numpy", "scipy", "jax")


def gather(solution: Understood, title: str) -> Content:
    """Everything a report says about a solution."""
    sensitivity = solution.sensitivity()
    moved = sensitivities(solution, sensitivity)
    ranges, not_ranged = ranges_of(solution, sensitivity, moved)
    moved = moved if isinstance(moved, Absent) else with_ranges(moved, ranges)
    return Content(
        title=title,
        answer=answer(solution),
        variables=variables(solution, ranges),
        constraints=constraints(solution, sensitivity, ranges),
        conditions=conditions(solution),
        multipliers=multipliers(solution),
        dependent=dependences(solution),
        sensitivities=moved,
        not_ranged=not_ranged,
        elasticities=elasticities(solution, moved),
        tornado=tornado(solution, moved),
        envelope=envelope(sensitivity, moved),
        curves=curves(solution, moved),
        verified=verified(solution, sensitivity, moved),
        convergence=convergence(solution),
        computation=computation(solution),
    )


def answer(solution: Understood) -> Answer:
    """What was found, or what went wrong and who is to blame."""
    result = solution.result
    objective = solution.descriptions.objective
    return Answer(
        success=result.success,
        kind=result.kind.name,
        stop=result.stop.name,
        headline=tables.headline(solution),
        remarks=tables.remarks(solution),
        maximize=result.program.sign < 0,
        objective=About("objective", objective.text, objective.unit),
        value=result.objective,
        blame=result.blame,
        conflict=_conflict(solution),
    )


def variables(solution: Understood, ranges: Ranging | Absent) -> tuple[VariableRow, ...]:
    """One row per element of x."""
    result = solution.result
    table = tables.variables(solution)
    lower, upper = result.bounds
    known = result.kind in KINDS_WITH_MULTIPLIERS
    low, high = _bound_intervals(solution) if known else (result.z, result.z)
    rows = []
    for i, name in enumerate(result.program.variable_names):
        side = float(result.active_bounds[i])
        sides: tuple[Side, ...] = ()
        if known and side:
            label = bound_name(name, side)
            found = None if isinstance(ranges, Absent) else ranges.bounds.get(label)
            value, kind = (upper[i], "upper bound") if side > 0 else (lower[i], "lower bound")
            prices = _prices(float(result.program.sign), float(low[i]), float(high[i]))
            sides = (_side(kind, float(value), prices, found),)
        rows.append(
            VariableRow(
                about=_about(name, solution.descriptions.variable(name)),
                value=_number(table, "value", i),
                lower=float(lower[i]),
                upper=float(upper[i]),
                multiplier=float(result.z[i]) if known else math.nan,
                state=_text(table, "state", i),
                sides=sides,
            )
        )
    return tuple(rows)


def constraints(solution: Understood, sensitivity: Sensitivity, ranges: Ranging | Absent) -> tuple[ConstraintRow, ...]:
    """One row per row of the constraints, each with its finite sides."""
    result = solution.result
    table = tables.constraints(solution)
    lower, upper = result.sides
    known = result.kind in KINDS_WITH_MULTIPLIERS
    lefts, rights = _side_prices(solution, sensitivity)
    rows = []
    for i, name in enumerate(result.program.row_names):
        ends = [("lower limit", lower[i], -1.0), ("upper limit", upper[i], 1.0)]
        ends = [("right side", upper[i], result.active_rows[i])] if lower[i] == upper[i] else ends
        sides = []
        for kind, value, sign in ends:
            if not np.isfinite(value):
                continue
            active = known and sign == result.active_rows[i] != 0
            prices = (float(lefts[i]), float(rights[i])) if active else (0.0, 0.0) if known else (math.nan, math.nan)
            sides.append(_side(kind, float(value), prices, _row_range(ranges, name, kind)))
        rows.append(
            ConstraintRow(
                about=_about(name, solution.descriptions.constraint(name)),
                lower=float(lower[i]),
                value=_number(table, "value", i),
                upper=float(upper[i]),
                slack=_number(table, "slack", i),
                multiplier=_number(table, "multiplier", i) if known else math.nan,
                state=_text(table, "state", i),
                sides=tuple(sides),
            )
        )
    return tuple(rows)


def conditions(solution: Understood) -> tuple[Condition, ...]:
    """The conditions by plain names; none where no function could be evaluated."""
    if not _finite(solution):
        return ()
    found = solution.conditions()
    return (
        Condition("Independent gradients", "LICQ", found.licq),
        Condition("A direction strictly inside", "MFCQ", found.mfcq),
        Condition("Every active inequality presses", "strict complementarity", found.strict_complementarity),
        Condition("Curvature", "second order", found.second_order),
    )


def multipliers(solution: Understood) -> Multipliers:
    """The set of multipliers."""
    if not _finite(solution):
        return Multipliers(-1, "There are no multipliers at a point where functions are not finite.", ())
    found = solution.multiplier_set()
    rows = tuple(MultiplierRow(item.name, item.low, item.high, item.least_norm, item.returned) for item in found.ranges)
    return Multipliers(found.dimension, found.advice, rows if found.exists else ())


def dependences(solution: Understood) -> Any:
    """Groups of dependent active constraints."""
    return solution.dependent_constraints().groups if _finite(solution) else ()


def convergence(solution: Understood) -> tuple[Iteration, ...]:
    """The history, line by line."""
    return tuple(
        Iteration(
            item.iteration,
            item.phase,
            item.objective,
            item.infeasibility,
            item.stationarity,
            item.step,
        )
        for item in solution.result.history
    )


def computation(solution: Understood) -> Computation:
    """Method, tolerance, effort, residuals and versions."""
    result, settings = solution.result, solution.settings
    return Computation(
        method="" if settings is None else settings.method,
        tolerance=math.nan if settings is None else settings.tol,
        iterations=result.iterations,
        value_evaluations=result.evaluations.values,
        derivative_evaluations=result.evaluations.derivatives,
        seconds=result.seconds,
        seconds_in_functions=result.evaluations.seconds,
        residuals=tables.residuals(solution),
        versions={"python": platform.python_version()} | dict(_versions(PACKAGES)),
        made=datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
    )


def _conflict(solution: Understood) -> Conflict | Absent:
    result = solution.result
    size = result.program.n + result.program.m
    if result.kind.name != "INFEASIBLE_STATIONARY":
        return Absent("There is no conflict to explain.")
    if size > MOST_CONFLICTING:
        return Absent("Ask for the conflict by problem.explain_infeasibility(solution.x, solution.p).")
    found = solution.problem.explain_infeasibility(solution.x, solution.p)
    if not found.conflict:
        return Absent(found.message)
    alone = (found.repair_alone[name] for name in found.conflict)
    return Conflict(
        found.message,
        found.conflict,
        tuple(math.nan if change is None else float(change) for change in alone),
        tuple(float(found.repair.get(name, math.nan)) for name in found.conflict),
    )


def _side_prices(solution: Understood, sensitivity: Sensitivity) -> tuple[Vector, Vector]:
    """(left, right) prices of all rows, flat; from the multipliers where there is no sensitivity."""
    try:
        found = sensitivity.shadow_prices
    except NotDifferentiable:
        prices = -solution.result.program.sign * solution.result.y + 0.0
        return prices, prices
    left, right = (np.concatenate([np.empty(0), *(np.ravel(pair[k]) for pair in found.values())]) for k in range(2))
    return left, right


def _bound_intervals(solution: Understood) -> tuple[Vector, Vector]:
    found = solution.multiplier_set()
    if not found.exists:
        return solution.result.z, solution.result.z
    layout = solution.result.program.variables
    return layout.flatten(found.bound_interval[0], "z"), layout.flatten(found.bound_interval[1], "z")


def _prices(sign: float, low: float, high: float) -> tuple[float, float]:
    # V'(+side) = max of -lambda, V'(-side) = max of lambda
    return -sign * high + 0.0, -sign * low + 0.0


def _side(kind: str, value: float, prices: tuple[float, float], found: Range | None) -> Side:
    if found is None:
        return Side(kind, value, *prices, math.nan, math.nan, "", "")
    # At a kink each way begins with another active set: the range is that of the side on which it is walked.
    kink = [f"kink here: {found.kink}"] if found.kink else []
    texts = (event_text(event) for event in (found.lower_event, found.upper_event))
    events = ("; ".join([text, *kink] if text else kink) for text in texts)
    return Side(kind, value, *prices, found.decrease, found.increase, *events)


def _row_range(ranges: Ranging | Absent, name: str, kind: str) -> Range | None:
    if isinstance(ranges, Absent):
        return None
    labels = {"lower limit": f"{name} (lower)", "upper limit": f"{name} (upper)"}
    return ranges.sides.get(labels.get(kind, name)) or ranges.sides.get(name)


def _about(name: str, description: Description) -> About:
    return About(name, description.text, description.unit)


def _finite(solution: Understood) -> bool:
    result = solution.result
    return bool(np.isfinite([result.objective, *result.c, *result.x]).all()) and result.stop.name != "NOT_FINITE"


def _text(table: tables.Table, header: str, row: int) -> str:
    return "" if header not in table.headers else str(table.column(header)[row] or "")


def _number(table: tables.Table, header: str, row: int) -> float:
    cell = table.column(header)[row] if header in table.headers else None
    return cell if isinstance(cell, float) else math.nan


def _versions(packages: Iterable[str]) -> Iterable[tuple[str, str]]:
    for package in packages:
        try:
            yield package, metadata.version(package)
        except metadata.PackageNotFoundError:
            yield package, "not installed: run from its source"
