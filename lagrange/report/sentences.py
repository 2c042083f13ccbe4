"""Sentences about the content of a report: prices in words and units, ranges, what a reader asks first."""

from __future__ import annotations

import math

from lagrange.report.about import About
from lagrange.report.content import Answer, ConstraintRow, Side, VariableRow
from lagrange.report.motion import Parameter
from lagrange.report.tables import number, unit_text

LISTED = 4  # variables named in the first sentence
SMALLEST_STEP = 1e-6  # of which a price is told


def quantity(value: float, unit: str) -> str:
    """A number with its unit; a unit that starts with a number is a factor.

    Examples
    --------
    >>> quantity(330.0, "cm^3"), quantity(0.5, ""), quantity(22.0, "1000 t")
    ('330 cm³', '0.5', '22 × 1000 t')
    """
    times = " × " if unit[:1].isdigit() else " "
    return f"{number(value)}{times}{unit_text(unit)}".rstrip()


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
    if row.left.reason and row.right.reason:
        return f"{name} cannot move alone: {row.upper_event or row.right.reason}."
    what = f": {row.kink}" if row.kink else ""
    kink = f"there is a kink here{what}; on either side " if row.has_kink else ""
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
    step = _step(side)
    by = quantity(step, about.unit)
    if side.kind == "right side":
        unit = unit_text(about.unit) or "unit"
        one = f"{unit} of {about.name}" if step == 1.0 else f"of {about.name}"
        raising, lowering = ("One more", f"one {unit} less") if step == 1.0 else (f"{by} more", f"{by} less")
        raising = f"{raising} {one}"
    else:
        raising, lowering = f"Raising the {side.kind} of {about.name} by {by}", f"lowering it by {by}"
    if side.price == 0.0:
        return _idle(about, side)
    if not math.isnan(side.price):
        return f"{raising} {change_text(step * side.price, answer)}."
    return f"{raising} {_one_sided(step * side.right, answer)}; {lowering} {_one_sided(-step * side.left, answer)}."


def _step(side: Side) -> float:
    """A change to tell the price of: 1, or the power of ten below that for which it holds to first order."""
    room = min((end for end in (side.decrease, side.increase) if end > 0.0), default=1.0)
    return 10.0 ** math.floor(math.log10(room)) if SMALLEST_STEP <= room < 1.0 else 1.0


def _one_sided(rate: float, answer: Answer) -> str:
    if math.isinf(rate):
        return "makes the problem infeasible"
    return "changes nothing" if rate == 0.0 else change_text(rate, answer)


def _idle(about: About, side: Side) -> str:
    if side.kind == "right side" or "bound" in side.kind:
        return f"The {side.kind} of {about.name} costs nothing, to first order."
    room, stays = (side.decrease, "above") if side.kind.startswith("upper") else (side.increase, "below")
    if not 0.0 < room < math.inf:  # nothing is known beyond, or a kink is here
        return f"The {side.kind} of {about.name} costs nothing, to first order."
    end = side.value - room if stays == "above" else side.value + room
    return f"The {side.kind} of {about.name} costs nothing as long as it stays {stays} {quantity(end, about.unit)}."
