"""Sections about what happens when parameters move."""

from __future__ import annotations

import math

from lagrange.preflight_record import named
from lagrange.report.about import Absent
from lagrange.report.content import Content
from lagrange.report.motion import Bar
from lagrange.report.ranges import MOST_RANGED
from lagrange.report.resolved import ANOTHER
from lagrange.report.section import Figure, Section, both_sides, finite_or_none, grid, limit, parameters_left_out, some
from lagrange.report.sentences import label, quantity, range_sentence
from lagrange.report.tables import RESIDUAL_DIGITS, Row, counted, number, unit_text

PERCENT = 100.0
MOST_CELLS = (24, 12)  # rows and columns of the elasticities
NOISE = 1e-15  # changes of the objective below this, relative, are zero
ROUNDING = 1e-12  # parts of a slope below this, relative, are zero
NOTHING_MOVES = "So there are no elasticities, no tornado chart, no value curves, and no predictions to check."


def what_if(content: Content) -> Section:
    title = "What if a parameter moves?"
    moved = content.sensitivities
    if isinstance(moved, Absent):
        return Section("what-if", title, (moved.reason, NOTHING_MOVES))
    sentences = [f"How the solution moves: {moved.kind}. {moved.reason[0].upper()}{moved.reason[1:]}"]
    if not moved.exact:
        sentences.append("Derivatives in the parameters are finite differences: JAX cannot follow the functions.")
    if moved.ranges:
        sentences.append(moved.ranges)
    shown = [moved.parameters[j] for j in sorted(moved.by_influence[:MOST_RANGED])]
    sentences += parameters_left_out(len(moved.parameters) - len(shown), "solution.sensitivity().ranging(names)")
    known = [row for row in shown if row.is_ranged]
    items = [range_sentence(row) for row in known]
    rows: list[Row] = [
        (
            row.about.name,
            unit_text(row.about.unit) or None,
            row.value,
            limit(row.lower),
            limit(row.upper),
            both_sides(row.left.objective, row.right.objective),
            row.lower_event,
            row.upper_event,
        )
        for row in shown
    ]
    headers = (
        "parameter", "unit", "value", "from", "to", "slope of the objective", "ends below with", "ends above with",
    )  # fmt: skip
    grids = (grid("Parameters and their ranges", headers, rows),)
    return Section("what-if", title, tuple(sentences), grids, listed=some(items))


def elasticities(content: Content) -> Section:
    title = "What moves what? Elasticities"
    found = content.elasticities
    if isinstance(found, Absent):
        return Section("elasticities", title, (found.reason,))
    every, found = found, found.largest(*MOST_CELLS)
    sentences = ["Percent of change of each row for one percent more of each column; empty where it does not exist."]
    if len(every.rows) > len(found.rows) or len(every.columns) > len(found.columns):
        sentences.append(
            f"Shown are the largest: {len(found.rows)} of {counted(len(every.rows), 'result')}, {len(found.columns)} "
            f"of {counted(len(every.columns), 'parameter')}. All are in solution.sensitivity().elasticity."
        )
    rows: list[Row] = [
        (name, *map(finite_or_none, entries)) for name, entries in zip(found.rows, found.values, strict=True)
    ]
    size = f"{counted(len(found.rows), 'result')} with respect to {counted(len(found.columns), 'parameter')}"
    alt = f"Heat map of the elasticities of {size}."
    table = grid("Elasticities", ("", *found.columns), rows)
    return Section("elasticities", title, tuple(sentences), (), (Figure("elasticities", alt),), (table,))


def tornado(content: Content) -> Section:
    title = "Which parameters matter most?"
    found = content.tornado
    if isinstance(found, Absent):
        return Section("tornado", title, (found.reason,))
    share = f"{PERCENT * found.share:g} %"
    sentences = [f"The problem was solved again with each parameter {share} lower and {share} higher."]
    if all(math.isnan(value) for bar in found.bars for value in (bar.low, bar.high)):
        sentences.append("There is no verified solution at any of these: no parameter can move so far alone.")
        return Section("tornado", title, tuple(sentences))
    items = [sentence for bar in found.bars for sentence in _remarks(bar)]
    sentences += parameters_left_out(found.left_out, "solution.problem.solve(solution.x, p)")
    rows: list[Row] = [
        (bar.about.name, bar.low_value, bar.high_value, finite_or_none(bar.low), found.base, finite_or_none(bar.high))
        for bar in found.bars
    ]
    headers = ("parameter", "low", "high", "objective at low", "base", "objective at high")
    alt = f"Tornado chart: the objective with each parameter {share} lower and higher, the longest bar first."
    table = grid("Re-solved", headers, rows)
    return Section("tornado", title, tuple(sentences), (), (Figure("tornado", alt),), (table,), some(items))


def _remarks(bar: Bar) -> list[str]:
    low, high = (quantity(value, bar.about.unit) for value in (bar.low_value, bar.high_value))
    if bar.low_remark == bar.high_remark:
        return [f"{bar.about.name} at {low} and at {high}: {bar.low_remark}."] if bar.low_remark else []
    remarks = (low, bar.low_remark), (high, bar.high_remark)
    return [f"{bar.about.name} at {value}: {remark}." for value, remark in remarks if remark]


def envelope(content: Content) -> Section:
    title = "Why does the objective move?"
    found = content.envelope
    if isinstance(found, Absent):
        return Section("envelope", title, (found.reason,))
    sentences = [
        "A parameter moves the objective in two ways: directly, and by moving constraints, each at its price. That the "
        "variables move with it adds nothing, to first order: that is the envelope theorem.",
        *parameters_left_out(found.left_out, "solution.sensitivity().comparative_statics()"),
    ]
    rows: list[Row] = [
        (
            item.about.name,
            unit_text(item.about.unit) or None,
            _without_rounding(item.direct, item.total),
            _without_rounding(item.through_constraints, item.total),
            item.total,
        )
        for item in found.shares
    ]
    headers = ("parameter", "unit", "directly", "through the constraints", "slope of the objective")
    table = grid("The slope of the objective in two parts", headers, rows)
    return Section("envelope", title, tuple(sentences), (table,))


def _without_rounding(part: float, whole: float) -> float:
    return 0.0 if abs(part) <= ROUNDING * abs(whole) else part


def curves(content: Content) -> Section:
    title = "Value against each parameter"
    found = content.curves
    if isinstance(found, Absent):
        return Section("curves", title, (found.reason,))
    if not found.curves:
        return Section("curves", title, ("Along no parameter alone is there another verified solution.",))
    sentences = [
        "The problem was solved again along each parameter. In the figures the straight line is the tangent at the "
        "solution, and the band is where the same constraints stay active."
    ]
    if found.alone:
        sentences.append(f"Along {named(found.alone)} there is no other verified solution: not drawn.")
    if any(remark == ANOTHER for item in found.curves for remark in item.remarks):
        sentences.append(
            "Hollow points are other local solutions: on the way there this one ends, or the solver has left it. The "
            "tangent and the band say nothing about them."
        )
    if any(math.isnan(value) for item in found.curves for value in item.values):
        sentences.append("Where a curve ends early there is no verified solution beyond.")
    sentences += parameters_left_out(found.left_out, "solution.plot_value(name)")
    objective = content.answer.objective
    figures = tuple(
        Figure(f"curve-{k}", f"Optimal {label(objective)} against {label(item.about)}, with tangent and validity band.")
        for k, item in enumerate(found.curves)
    )
    details = tuple(
        grid(
            f"Re-solved along {item.about.name}",
            (label(item.about), label(objective), "remark"),
            [
                (point, finite_or_none(value), remark or None)
                for point, value, remark in zip(item.points, item.values, item.remarks, strict=True)
            ],
        )
        for item in found.curves
    )
    return Section("curves", title, tuple(sentences), (), figures, details)


def verified(content: Content) -> Section:
    title = "Are the predictions true?"
    found = content.verified
    if isinstance(found, Absent):
        return Section("verified", title, (found.reason,))
    verdict = {
        True: "Every prediction that could be judged agrees with the problem solved again.",
        False: "Some predictions DIFFER from the problem solved again: do not rely on them.",
        None: "No prediction could be judged: see the remarks.",
    }[found.holds]
    noise = NOISE * max(1.0, abs(content.answer.value))
    rows: list[Row] = [
        (
            trial.parameter,
            trial.step,
            _beyond(noise, trial.predicted),
            _beyond(noise, trial.actual),
            "" if math.isnan(trial.x_error) else number(_beyond(NOISE, trial.x_error) or 0.0, RESIDUAL_DIGITS),
            "" if math.isnan(trial.order) else f"{trial.order:.1f}",
            {True: "agrees", False: "DIFFERS", None: trial.remark}[trial.holds],
        )
        for trial in found.trials
    ]
    headers = ("parameter", "step", "predicted", "re-solved", "error of x", "order of the error", "verdict")
    ordered = any(not math.isnan(trial.order) for trial in found.trials)
    caption = f"Change of the objective, predicted and re-solved{' (an error of order 2 is right)' if ordered else ''}"
    return Section("verified", title, (verdict,), (grid(caption, headers, rows),))


def _beyond(noise: float, value: float) -> float | None:
    """None for what does not exist, 0 for what is noise."""
    return None if math.isnan(value) else value if abs(value) > noise else 0.0
