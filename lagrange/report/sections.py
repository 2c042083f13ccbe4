"""The content of a report as sections of words, tables and figures, in the order of the reader's questions."""

from __future__ import annotations

import math

from lagrange.report.about import Absent
from lagrange.report.content import Content, Side
from lagrange.report.move_sections import curves, elasticities, envelope, tornado, verified, what_if
from lagrange.report.section import (
    Figure,
    Grid,
    Section,
    both_sides,
    finite_or_none,
    grid,
    limit,
    of_many,
    ranges_left_out,
    some,
)  # fmt: skip
from lagrange.report.sentences import answer_sentence, bound_sentence, price_sentences
from lagrange.report.tables import RESIDUAL_DIGITS, Row, counted, number, unit_text

MOST_BARS = 24  # of the multipliers


def sections(content: Content, with_geometry: bool = False) -> tuple[Section, ...]:
    """All sections; that of the what-if panel has no tables, since it moves."""
    found = [
        _answer(content),
        _variables(content),
        _constraints(content),
        *([_geometry(content)] if with_geometry else []),
        _conditions(content),
        _multipliers(content),
        what_if(content),
        *([] if isinstance(content.sensitivities, Absent) else _moves(content)),
        _convergence(content),
        _computation(content),
    ]
    return tuple(found)


def _moves(content: Content) -> list[Section]:
    return [elasticities(content), tornado(content), envelope(content), curves(content), verified(content)]


def _answer(content: Content) -> Section:
    answer = content.answer
    sentences = [answer_sentence(answer, content.variables)]
    if answer.success:
        sentences.append(answer.headline)
    sentences += answer.remarks
    grids: tuple[Grid, ...] = ()
    if not isinstance(answer.conflict, Absent):
        conflict = answer.conflict
        sentences.append(conflict.message)
        rows = tuple(
            (name, "not enough" if math.isnan(alone) else alone, None if math.isnan(together) else together)
            for name, alone, together in zip(
                conflict.names, conflict.repair_alone, conflict.repair_together, strict=True
            )
        )
        headers = ("in conflict", "change of its side, if it alone moves", "change in the smallest repair together")
        grids = (Grid("What cannot be met together, and what would repair it", headers, rows),)
    return Section("answer", "The answer", tuple(sentences), grids)


def _variables(content: Content) -> Section:
    headers = ("name", "unit", "value", "lower", "upper", "bound multiplier", "reduced cost", "state", "description")
    rows: list[Row] = []
    for row in content.variables:
        rows.append(
            (
                row.about.name,
                unit_text(row.about.unit) or None,
                row.value,
                finite_or_none(row.lower),
                finite_or_none(row.upper),
                finite_or_none(row.multiplier) if row.multiplier else None,
                both_sides(row.sides[0].left, row.sides[0].right) if row.sides else None,
                row.state or None,
                row.about.text or None,
            )
        )
    sentences = [sentence for row in content.variables for sentence in bound_sentence(row, content.answer)]
    grids = (grid("Variables at the solution", headers, rows), *_bound_ranges(content))
    notes = of_many(len(rows), "variables", "solution.x")
    notes += _two_prices([side for row in content.variables for side in row.sides])
    notes += ranges_left_out(content.not_ranged.bounds, "active bound")
    return Section("variables", "Variables", tuple(notes), grids, listed=some(sentences))


def _constraints(content: Content) -> Section:
    if not content.constraints:
        return Section("constraints", "Constraints", ("The problem has no constraints besides bounds.",))
    headers = ("name", "unit", "lower", "value", "upper", "slack", "multiplier", "shadow price", "state", "description")
    rows: list[Row] = []
    ranges: list[Row] = []
    for row in content.constraints:
        felt = next((side for side in row.sides if side.price), row.sides[0] if row.sides else None)
        rows.append(
            (
                row.about.name,
                unit_text(row.about.unit) or None,
                finite_or_none(row.lower),
                row.value,
                finite_or_none(row.upper),
                finite_or_none(row.slack),
                finite_or_none(row.multiplier),
                None if felt is None or math.isnan(row.multiplier) else both_sides(felt.left, felt.right),
                row.state or None,
                row.about.text or None,
            )
        )
        ranges += [_range_row(row.about.name, side) for side in row.sides if not math.isnan(side.decrease)]
    sentences = [
        sentence
        for row in sorted(content.constraints, key=lambda row: not row.state)
        for sentence in price_sentences(row, content.answer)
    ]
    grids = [grid("Constraints at the solution", headers, rows)]
    if ranges:
        grids.append(
            grid(
                "How far each side can move while the same constraints stay active, and what ends it",
                RANGE_HEADERS,
                ranges,
            )
        )
    notes = of_many(len(rows), "rows", "solution.result.c and solution.multipliers")
    if not isinstance(content.sensitivities, Absent) and content.sensitivities.ranges:
        notes.append(content.sensitivities.ranges)
    notes += _two_prices([side for row in content.constraints for side in row.sides])
    notes += ranges_left_out(content.not_ranged.sides, "row")
    return Section("constraints", "Constraints", tuple(notes), tuple(grids), listed=some(sentences))


RANGE_HEADERS = (
    "name", "side", "value", "price", "allowable decrease", "allowable increase", "ends below with", "ends above with",
)  # fmt: skip


def _range_row(name: str, side: Side) -> Row:
    price = both_sides(side.left, side.right)
    ends = side.decrease_event, side.increase_event
    return (name, side.kind, side.value, price, limit(side.decrease), limit(side.increase), *ends)


def _two_prices(sides: list[Side]) -> list[str]:
    differ = any(math.isnan(side.price) and math.isfinite(side.left + side.right) for side in sides)
    halved = any(math.isfinite(side.left) != math.isfinite(side.right) for side in sides)
    words = "Where two prices stand, the left one is that of less, the right one that of more"
    return [f"{words}{'; none where there is no solution on that side' if halved else ''}."] if differ or halved else []


def _bound_ranges(content: Content) -> tuple[Grid, ...]:
    rows = [
        _range_row(row.about.name, side)
        for row in content.variables
        for side in row.sides
        if not math.isnan(side.decrease)
    ]
    caption = "How far each active bound can move while the same constraints stay active, and what ends it"
    return (grid(caption, RANGE_HEADERS, rows),) if rows else ()


def _geometry(content: Content) -> Section:
    alt = (
        "The plane of the two variables: level lines of the objective, the feasible set shaded, the constraint curves, "
        "and at the solution the gradient of the objective, balanced by those of the active constraints."
    )
    return Section("geometry", "The picture", (), (), (Figure("geometry", alt),))


def _conditions(content: Content) -> Section:
    if not content.conditions:
        return Section("conditions", "Can it be trusted?", ("Conditions cannot be checked: a function is not finite.",))
    rows: list[Row] = [
        (f"{item.name} ({item.short})", item.check.answer, finite_or_none(item.check.margin), item.check.detail)
        for item in content.conditions
    ]
    residuals = ", ".join(
        f"{name} {number(value, RESIDUAL_DIGITS)}" for name, value in content.computation.residuals.items()
    )
    sentence = f"Residuals of the first-order conditions, unscaled: {residuals}."
    headers = ("condition", "holds", "margin", "why")
    return Section(
        "conditions", "Can it be trusted?", (sentence,), (grid("Conditions at the solution", headers, rows),)
    )


def _multipliers(content: Content) -> Section:
    found = content.multipliers
    grids: list[Grid] = []
    if found.dimension < 0:
        sentences = [found.advice]
    elif not found.rows:
        sentences = ["No constraint is active: there is no multiplier other than zero."]
    elif found.dimension == 0:
        sentences = ["The multipliers are unique: every shadow price means the same on both sides."]
    else:
        sentences = [f"The multipliers are not unique: they form a set of dimension {found.dimension}.", found.advice]
        rows: list[Row] = [
            (row.name, limit(row.low), limit(row.high), row.least_norm, row.returned) for row in found.rows
        ]
        headers = ("active constraint", "lowest", "highest", "least norm", "returned")
        grids.append(grid("All multipliers of this solution", headers, rows))
    if content.dependent:
        groups: list[Row] = [(item.equation, item.verdict, item.sentence) for item in content.dependent]
        titles = ("dependence of gradients", "verdict", "what it means")
        grids.append(grid("Dependent constraints", titles, groups))
    figures: tuple[Figure, ...] = ()
    if len(found.rows) > MOST_BARS:
        sentences.append(f"The figure shows the {MOST_BARS} largest of {len(found.rows)}.")
    if found.rows:
        alt = "Bars: the multiplier of every active constraint" + (
            ", with the interval of all its possible values." if found.dimension else "."
        )
        figures = (Figure("multipliers", alt),)
    return Section("multipliers", "Multipliers", tuple(filter(None, sentences)), tuple(grids), figures)


def _convergence(content: Content) -> Section:
    title = "How did it get there?"
    if not content.convergence:
        return Section("convergence", title, ("There is no iteration to show.",))
    rows: list[Row] = [
        (
            float(item.iteration),
            item.phase,
            item.objective,
            number(item.infeasibility, RESIDUAL_DIGITS),
            number(item.stationarity, RESIDUAL_DIGITS),
            item.step,
        )
        for item in content.convergence
    ]
    headers = ("iteration", "phase", "objective", "infeasibility", "stationarity", "step")
    alt = "Infeasibility and stationarity over the iterations, on a logarithmic scale."
    last = content.convergence[-1]
    sentence = (
        f"{counted(last.iteration, 'iteration')}. Residuals are of the scaled problem, as seen on the way; those of "
        f"the point returned stand above."
    )
    table = grid("History", headers, rows)
    if len(rows) == 1:  # one point is no curve
        return Section("convergence", title, (sentence,), (table,))
    return Section("convergence", title, (sentence,), (), (Figure("convergence", alt),), (table,))


def _computation(content: Content) -> Section:
    found = content.computation
    rows: list[Row] = []
    if found.method:
        rows += [("method", found.method), ("tolerance", number(found.tolerance))]
    rows += [
        ("iterations", str(found.iterations)),
        ("function evaluations", str(found.value_evaluations)),
        ("derivative evaluations", str(found.derivative_evaluations)),
        ("time", f"{number(found.seconds, 3)} s, of which {number(found.seconds_in_functions, 3)} s in the functions"),
        *((f"version of {name}", version) for name, version in found.versions.items()),
        ("report made", found.made),
    ]
    grid = Grid("Method, effort and versions", ("what", "value"), tuple(rows))
    return Section("computation", "How it was computed", (), (grid,))
