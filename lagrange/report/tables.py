"""What a solution is, as plain data: sentences, tables of named rows, and a record for machines.

Nothing is solved or judged here: every entry is read from the solution. How it looks is the business of the
files that render it.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lagrange.model.description import Description, Descriptions
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.status import PointKind
from lagrange.result import Result, bound_name

Cell = str | float | None  # None is empty
Row = tuple[Cell, ...]

DIGITS = 6  # significant digits of numbers in the tables
RESIDUAL_DIGITS = 2
SECONDS_DIGITS = 3
FIRST_ROWS, LAST_ROWS = 10, 3  # what is shown of a long array
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
NOTHING = 1e-18  # variables this much smaller than the largest are rounding, shown as 0
NO_PRICE = 1e-15  # multipliers this much smaller than the largest are rounding, shown as 0
ROUNDING = 1e-12  # a slack this much smaller than its side and its value is rounding, shown as 0

# At other points the numbers a solver holds for multipliers balance nothing, so that no table shows them.
KINDS_WITH_MULTIPLIERS = (
    PointKind.STRICT_MINIMUM,
    PointKind.MINIMUM_NOT_STRICT,
    PointKind.SADDLE_OR_MAXIMUM,
)


class Solved(Protocol):
    """What the reports read: a `lagrange.Solution`."""

    @property
    def result(self) -> Result: ...
    @property
    def descriptions(self) -> Descriptions: ...
    @property
    def x(self) -> Any: ...
    @property
    def p(self) -> Any: ...
    @property
    def bound_multipliers(self) -> Any: ...
    @property
    def multipliers(self) -> dict[str, Any]: ...
    @property
    def shadow_prices(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Table:
    """Rows under headers.

    Attributes
    ----------
    title : str
    headers : tuple of str
    rows : tuple of rows, each as long as `headers`
        The first cell is the name.
    blocks : tuple of int
        Numbers of consecutive rows that belong together, adding up to all rows: one per array, and one for
        neighbouring scalars. Each is abbreviated by itself.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    blocks: tuple[int, ...]

    def column(self, header: str) -> list[Cell]:
        """The cells under one header."""
        return [row[self.headers.index(header)] for row in self.rows]

    def abbreviated(self, first: int = FIRST_ROWS, last: int = LAST_ROWS) -> Table:
        """The same with the middle of every long block replaced by one row such as "... 37 more".

        Examples
        --------
        >>> table = Table("Variables", ("name",), tuple((f"x[{i}]",) for i in range(50)), (50,))
        >>> [row[0] for row in table.abbreviated(first=2, last=1).rows]
        ['x[0]', 'x[1]', '... 47 more', 'x[49]']
        """
        rows: list[Row] = []
        blocks = []
        rest = iter(self.rows)
        for size in self.blocks:
            block = list(itertools.islice(rest, size))
            hidden = size - first - last
            if hidden > 1:  # one row takes no more room than the words about it
                words: Row = (f"... {hidden} more", *[None] * (len(self.headers) - 1))
                block = [*block[:first], words, *block[-last:]]
            rows += block
            blocks.append(len(block))
        return Table(self.title, self.headers, tuple(rows), tuple(blocks))

    def without(self, headers: Iterable[str]) -> Table:
        """The same without these columns."""
        dropped = set(headers)
        kept = [i for i, header in enumerate(self.headers) if header not in dropped]
        rows = tuple(tuple(row[i] for i in kept) for row in self.rows)
        return Table(self.title, tuple(self.headers[i] for i in kept), rows, self.blocks)


def number(value: float, digits: int = DIGITS) -> str:
    """A number as people write it.

    Examples
    --------
    >>> number(1.0000000000000002), number(-0.0), number(1234567.0), number(float("nan"))
    ('1', '0', '1.23457e+06', 'nan')
    """
    return "0" if value == 0 else f"{value:.{digits}g}"


def unit_text(unit: str) -> str:
    """A unit as it is printed.

    Examples
    --------
    >>> unit_text("kN/cm^2"), unit_text("m s^-1")
    ('kN/cm²', 'm s⁻¹')
    """
    return re.sub(r"\^(-?\d+)", lambda found: found[1].translate(SUPERSCRIPTS), unit)


def headline(solution: Solved) -> str:
    """The answer in one sentence; after a failure what went wrong, what is to blame and what to do."""
    result = solution.result
    if not result.success:
        return result.message
    label = result.kind.label[0].upper() + result.kind.label[1:]
    if result.program.sign < 0:
        label = label.replace("minimum", "maximum")
    verified = "verified" if result.kind is PointKind.STRICT_MINIMUM else "first-order conditions verified"
    return f"{label}, {verified}: {_objective_and_iterations(solution)}."


def remarks(solution: Solved) -> tuple[str, ...]:
    """Sentences that follow the headline: reservations of a success, the objective of a failure."""
    result = solution.result
    if not result.success:
        return (f"The point returned: {_objective_and_iterations(solution)}.",)
    _, _, beyond_the_kind = result.message.partition(". ")
    advice = result.kind.advice if result.kind is PointKind.MINIMUM_NOT_STRICT else ""
    return tuple(sentence for sentence in (advice, beyond_the_kind) if sentence)


def variables(solution: Solved) -> Table:
    """One row per element of x: unit, value, bounds, bound multiplier where there is any, state, and description."""
    result = solution.result
    lower, upper = result.bounds
    states: list[Cell] = [
        _state(result, (bound_name(name, -1.0), bound_name(name, 1.0)), side, "fixed" if fixed else "")
        for name, side, fixed in zip(result.program.variable_names, result.active_bounds, lower == upper, strict=True)
    ]
    shows_multipliers = result.kind in KINDS_WITH_MULTIPLIERS and bool(result.z.any())
    columns: dict[str, list[Cell]] = {
        "name": list(result.program.variable_names),
        **_described(map(solution.descriptions.variable, result.program.variable_names)),
        "value": _without_rounding(result.x.tolist(), NOTHING),
        "lower": _finite_or_empty(lower),
        "upper": _finite_or_empty(upper),
        "bound multiplier": result.z.tolist() if shows_multipliers else [],
        "state": states,
    }
    return _table("Variables", columns, _blocks(result.program.variables.shapes))


def constraints(solution: Solved) -> Table:
    """One row per constraint row: sides, value, slack to the nearest side, multipliers, state, unit and description."""
    result = solution.result
    lower, upper = result.sides
    side, slack, is_met = _nearest(result.c, lower, upper)
    if result.success:  # what is left of the slack of active rows is the residual, told below the table
        is_met |= (result.active_rows != 0.0) & (np.abs(slack) <= result.residuals.feasibility)
    states: list[Cell] = [
        _state(result, (name,), sign, "equality" if equal else "")
        for name, sign, equal in zip(result.program.row_names, result.active_rows, lower == upper, strict=True)
    ]
    shows_multipliers = result.kind in KINDS_WITH_MULTIPLIERS
    columns: dict[str, list[Cell]] = {
        "name": list(result.program.row_names),
        **_described(map(solution.descriptions.constraint, result.program.row_names)),
        "lower": _finite_or_empty(lower),
        "value": np.where(is_met, side, result.c).tolist(),
        "upper": _finite_or_empty(upper),
        "slack": [None if math.isinf(entry) else entry for entry in np.where(is_met, 0.0, slack).tolist()],
        "multiplier": _without_rounding(_flat(solution.multipliers), NO_PRICE) if shows_multipliers else [],
        "shadow price": _without_rounding(_flat(solution.shadow_prices), NO_PRICE) if shows_multipliers else [],
        "state": states,
    }
    return _table("Constraints", columns, _blocks(function.shape for function in result.program.constraints))


def residuals(solution: Solved) -> dict[str, float]:
    """The unscaled KKT residuals by name."""
    found = solution.result.residuals
    return {
        "stationarity": found.stationarity,
        "feasibility": found.feasibility,
        "complementarity": found.complementarity,
    }


def trust(solution: Solved) -> str:
    """The residuals in one line."""
    found = (f"{name} {number(value, RESIDUAL_DIGITS)}" for name, value in residuals(solution).items())
    line = f"{', '.join(found)} (unscaled)"
    return line[0].upper() + line[1:]


def effort(solution: Solved) -> str:
    """Iterations, evaluations and time in one line."""
    result = solution.result
    counts = result.evaluations
    return (
        f"{counted(result.iterations, 'iteration')}, {counts.values} function and {counts.derivatives} "
        f"derivative evaluations, {number(result.seconds, SECONDS_DIGITS)} s"
    )


def counted(count: int, noun: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> counted(1, "iteration"), counted(9, "iteration")
    ('1 iteration', '9 iterations')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def record(solution: Solved) -> dict[str, Any]:
    """The solution for machines: dicts, lists, text, numbers, booleans; None where a number is not finite.

    x, p and the bound multipliers keep the user's structure; dataclasses and NamedTuples become dicts.
    """
    result = solution.result
    return {
        "success": result.success,
        "kind": result.kind.name,
        "stop": result.stop.name,
        "message": result.message,
        "objective": _plain(result.objective),
        "x": _plain(solution.x),
        "p": _plain(solution.p),
        "multipliers": _plain(solution.multipliers),
        "shadow_prices": _plain(solution.shadow_prices),
        "bound_multipliers": _plain(solution.bound_multipliers),
        "residuals": _plain(residuals(solution)),
        "active": result.active_names(),
        "dependent": [list(group) for group in result.dependent],
        "blame": list(result.blame),
        "iterations": result.iterations,
        "evaluations": {"values": result.evaluations.values, "derivatives": result.evaluations.derivatives},
        "seconds": result.seconds,
    }


def _objective_and_iterations(solution: Solved) -> str:
    result, unit = solution.result, solution.descriptions.objective.unit
    value = f"{number(result.objective)} {unit_text(unit)}".rstrip()
    return f"objective {value} after {counted(result.iterations, 'iteration')}"


def _described(found: Iterable[Description]) -> dict[str, list[Cell]]:
    described = list(found)
    return {
        "unit": [unit_text(item.unit) or None for item in described],
        "description": [item.text or None for item in described],
    }


def _state(result: Result, names: tuple[str, ...], side: float, always: str) -> str | None:
    """Why this row or variable deserves a look: in a conflict, fixed, an equality, at a side, or None."""
    if result.kind is PointKind.INFEASIBLE_STATIONARY:
        return "in conflict" if any(name in result.blame for name in names) else None
    return always or {-1.0: "at lower", 1.0: "at upper"}.get(float(side))


def _table(title: str, columns: dict[str, list[Cell]], blocks: tuple[int, ...]) -> Table:
    """The columns that say anything, as a table; name and value always do."""
    kept = {
        header: cells
        for header, cells in columns.items()
        if header in ("name", "value") or any(cell is not None for cell in cells)
    }
    if "description" in kept:  # the longest goes last
        kept["description"] = kept.pop("description")
    return Table(title, tuple(kept), tuple(zip(*kept.values(), strict=True)), blocks)


def _blocks(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    sizes: list[int] = []
    for are_scalars, group in itertools.groupby(shapes, key=lambda shape: shape == ()):
        members = [math.prod(shape) for shape in group]
        sizes += [len(members)] if are_scalars else members
    return tuple(sizes)


def _finite_or_empty(side: Vector) -> list[Cell]:
    return [value if math.isfinite(value) else None for value in side.tolist()]


def _nearest(c: Vector, lower: Vector, upper: Vector) -> tuple[Vector, Vector, Mask]:
    """(nearest side, distance to it, negative outside, whether that is rounding); infinite where there is no side."""
    with np.errstate(invalid="ignore"):  # an infinite value at an absent side
        to_lower, to_upper = c - lower, upper - c
    slack = np.minimum(to_lower, to_upper)
    side = np.where(to_lower < to_upper, lower, upper)
    rounding = ROUNDING * np.maximum(1.0, np.maximum(np.abs(c), np.abs(side)))
    return side, slack, np.isfinite(slack) & (np.abs(slack) <= rounding)


def _without_rounding(numbers: Sequence[Cell], share: float) -> list[Cell]:
    """With 0 for what is less than this share of the largest."""
    known = np.array(numbers, dtype=float)
    size = np.abs(known[np.isfinite(known)]).max(initial=0.0)
    return [0.0 if abs(entry) <= share * size else entry for entry in known.tolist()]


def _flat(by_constraint: dict[str, Any]) -> list[Cell]:
    return [float(entry) for value in by_constraint.values() for entry in np.ravel(value)]


def _plain(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {str(key): _plain(value) for key, value in tree.items()}
    if hasattr(tree, "_asdict"):  # a NamedTuple
        return _plain(tree._asdict())
    if dataclasses.is_dataclass(tree):
        return {field.name: _plain(getattr(tree, field.name)) for field in dataclasses.fields(tree)}
    if isinstance(tree, (list, tuple)) or np.ndim(tree):
        return [_plain(entry) for entry in tree]
    return tree if tree is None else float(tree) if math.isfinite(tree) else None
