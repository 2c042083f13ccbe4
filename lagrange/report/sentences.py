"""Sentences about the content of a report: prices in words and units, ranges, what a reader asks first."""

from __future__ import annotations

import math

from lagrange.report.content import About, Answer, ConstraintRow, Parameter, Side, VariableRow
from lagrange.report.tables import number, unit_text

LISTED = 4  # variables named in the first sentence


def quantity(value: float, unit: str) -> str:
    """A number with its unit.

    Examples
    --------
    >>> quantity(330.0, "cm^3"), quantity(0.5, "")
    ('330 cm³', '0.5')
    """
    return f"{number(value)} {unit_text(unit)}".rstrip()


def label(about: About) -> str:
    """A name with its unit: what stands on an axis."""
    return f"{about.name} [{unit_text(about.unit)}]" if about.unit else about.name


def answer_sentence(answer: Answer, variables: tuple[VariableRow, ...]) -> str:
    """The answer in one sentence; after a failure what went wrong."""
    if not answer.success:
        return answer.headline
    best = "largest" if answer.maximize else "smallest"
    what = answer.objective.text or answer.objective.name
    found = f"The {best} {what} found is {quantity(answer.value, answer.objective.unit)}"
    shown = [f"{row.about.name} = {quantity(row.value, row.about.unit)}" for row in variables[:LISTED]]
    more = f" and {len(variables) - LISTED} more" if len(variables) > LISTED else ""
    return f"{found}, at {', '.join(shown)}{more}."


def price_sentences(row: ConstraintRow, answer: Answer) -> list[str]:
    """What each side of a constraint costs, in words and units; nothing at points without multipliers."""
    return [_price(row.about, side, answer) for side in row.sides if not math.isnan(side.left)]


def bound_sentence(row: VariableRow, answer: Answer) -> list[str]:
    """What the active bound of a variable costs."""
    return [_price(row.about, side, answer) for side in row.sides if not math.isnan(side.left)]


def range_sentence(row: Parameter) -> str:
    """How far a parameter can move with the same active constraints."""
    name, unit = row.about.name, row.about.unit
    if math.isnan(row.lower) or math.isnan(row.upper):
        return f"{name}: the range is not known."
    kink = "there is a kink here; on either side " if row.has_kink else ""
    if math.isinf(row.lower) and math.isinf(row.upper):
        return f"{name}: {kink}the same constraints stay active however far it moves."
    lower = "" if math.isinf(row.lower) else f" from {quantity(row.lower, unit)} ({row.lower_event})"
    upper = "" if math.isinf(row.upper) else f" up to {quantity(row.upper, unit)} ({row.upper_event})"
    return f"{name}: {kink}the same constraints stay active{lower}{upper}."


def change_text(rate: float, answer: Answer) -> str:
    """What a change of the objective by `rate` means: "costs 0.5 $", "raises the objective by 0.5"."""
    unit = answer.objective.unit
    if not unit:
        return f"{'raises' if rate > 0 else 'lowers'} the objective by {number(abs(rate))}"
    good = (rate > 0) == answer.maximize
    verb = ("gains" if good else "loses") if answer.maximize else ("saves" if good else "costs")
    return f"{verb} {quantity(abs(rate), unit)}"


def _price(about: About, side: Side, answer: Answer) -> str:
    unit = unit_text(about.unit) or "unit"
    by = f"1 {unit_text(about.unit)}".rstrip()
    more = f"One more {unit} of {about.name}" if side.kind == "right side" else None
    raising = more or f"Raising the {side.kind} of {about.name} by {by}"
    if side.price == 0.0:
        return _idle(about, side)
    if not math.isnan(side.price):
        return f"{raising} {change_text(side.price, answer)}."
    fewer = f"one {unit} less" if more else f"lowering it by {by}"
    return f"{raising} {_one_sided(side.right, answer)}; {fewer} {_one_sided(-side.left, answer)}."


def _one_sided(rate: float, answer: Answer) -> str:
    if math.isinf(rate):
        return "makes the problem infeasible"
    return "changes nothing" if rate == 0.0 else change_text(rate, answer)


def _idle(about: About, side: Side) -> str:
    if side.kind == "right side" or "bound" in side.kind:
        return f"The {side.kind} of {about.name} costs nothing, to first order."
    room, stays = (side.decrease, "above") if side.kind.startswith("upper") else (side.increase, "below")
    if math.isnan(room) or room == 0.0:
        return f"The {side.kind} of {about.name} costs nothing."
    end = side.value - room if stays == "above" else side.value + room
    return f"The {side.kind} of {about.name} costs nothing as long as it stays {stays} {quantity(end, about.unit)}."
