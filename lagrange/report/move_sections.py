"""Sections about what happens when parameters move."""

from __future__ import annotations

import math

from lagrange.report.content import Absent, Content
from lagrange.report.section import Figure, Section, both_sides, finite_or_none, grid, limit, some
from lagrange.report.sentences import label, quantity, range_sentence
from lagrange.report.tables import RESIDUAL_DIGITS, Row, counted, number, unit_text

PERCENT = 100.0
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
    items = [] if moved.ranges else [range_sentence(row) for row in moved.parameters]
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
        for row in moved.parameters
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
    sentence = "Percent of change of each row for one percent more of each column; empty where it does not exist."
    rows: list[Row] = [
        (name, *map(finite_or_none, entries)) for name, entries in zip(found.rows, found.values, strict=True)
    ]
    size = f"{counted(len(found.rows), 'result')} with respect to {counted(len(found.columns), 'parameter')}"
    alt = f"Heat map of the elasticities of {size}."
    table = grid("Elasticities", ("", *found.columns), rows)
    return Section("elasticities", title, (sentence,), (), (Figure("elasticities", alt),), (table,))


def tornado(content: Content) -> Section:
    title = "Which parameters matter most?"
    found = content.tornado
    if isinstance(found, Absent):
        return Section("tornado", title, (found.reason,))
    share = f"{PERCENT * found.share:g} %"
    sentences = [f"The problem was solved again with each parameter {share} lower and {share} higher."]
    sentences += [
        f"{bar.about.name} at {quantity(value, bar.about.unit)}: no verified solution ({remark})."
        for bar in found.bars
        for value, remark in ((bar.low_value, bar.low_remark), (bar.high_value, bar.high_remark))
        if remark
    ]
    if found.left_out:
        sentences.append(f"{counted(found.left_out, 'less influential parameter')} not shown.")
    rows: list[Row] = [
        (bar.about.name, bar.low_value, bar.high_value, finite_or_none(bar.low), found.base, finite_or_none(bar.high))
        for bar in found.bars
    ]
    headers = ("parameter", "low", "high", "objective at low", "base", "objective at high")
    alt = f"Tornado chart: the objective with each parameter {share} lower and higher, the longest bar first."
    return Section(
        "tornado", title, tuple(sentences), (), (Figure("tornado", alt),), (grid("Re-solved", headers, rows),)
    )


def curves(content: Content) -> Section:
    title = "Value against each parameter"
    found = content.curves
    if isinstance(found, Absent):
        return Section("curves", title, (found.reason,))
    sentences = [
        "The problem was solved again along each parameter. In the figures the straight line is the tangent at the "
        "solution, and the band is where the same constraints stay active."
    ]
    if found.left_out:
        sentences.append(f"{counted(found.left_out, 'less influential parameter')} not shown.")
    objective = content.answer.objective
    figures = tuple(
        Figure(f"curve-{k}", f"Optimal {label(objective)} against {label(item.about)}, with tangent and validity band.")
        for k, item in enumerate(found.curves)
    )
    details = tuple(
        grid(
            f"Re-solved along {item.about.name}",
            (label(item.about), label(objective)),
            [(point, finite_or_none(value)) for point, value in zip(item.points, item.values, strict=True)],
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
    rows: list[Row] = [
        (
            trial.parameter,
            trial.step,
            trial.predicted,
            trial.actual,
            number(trial.x_error, RESIDUAL_DIGITS),
            "" if math.isnan(trial.order) else f"{trial.order:.1f}",
            {True: "agrees", False: "DIFFERS", None: trial.remark}[trial.holds],
        )
        for trial in found.trials
    ]
    headers = ("parameter", "step", "predicted", "re-solved", "error of x", "order of the error", "verdict")
    caption = "Change of the objective, predicted and re-solved (an error of order 2 is right)"
    return Section("verified", title, (verdict,), (grid(caption, headers, rows),))
