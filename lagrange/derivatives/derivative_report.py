"""What a check of derivatives found, as a record and as a table to read."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

OBJECTIVE = "objective"  # the name of its row
ENTRIES_SHOWN = 12
WIDTH = 110  # of sentences


@dataclass(frozen=True)
class WrongDerivative:
    """One derivative that disagrees with differences.

    Attributes
    ----------
    function, row : title of the function, "constraint 'ring'", and name of the row, "ring[1]"
    variables : the variable, or both of a second derivative
    given, differences : the value that the solver uses, and the one by differences
    """

    function: str
    row: str
    variables: tuple[str, ...]
    given: float
    differences: float

    @property
    def order(self) -> int:
        """1 for first, 2 for second derivatives."""
        return len(self.variables)

    @property
    def relative_error(self) -> float:
        """Disagreement over the larger of the two values."""
        return abs(self.given - self.differences) / max(abs(self.given), abs(self.differences))

    @property
    def label(self) -> str:
        """ "d ring[1] / d x[0]"."""
        return _label(self.row, self.variables)


@dataclass(frozen=True)
class Kink:
    """A derivative that differs to the left and to the right of x along the last of `variables`."""

    function: str
    row: str
    variables: tuple[str, ...]
    left: float
    right: float

    @property
    def order(self) -> int:
        """1 where the function has a kink, 2 where its first derivative has one."""
        return len(self.variables)

    @property
    def sentence(self) -> str:
        """Where, and by how much."""
        (row,) = in_words([self.row])
        sides = f"{self.left:.6g} to the left, {self.right:.6g} to the right"
        if self.order == 1:
            row = "The objective" if self.row == OBJECTIVE else row
            return f"{row} is not differentiable here with respect to {self.variables[0]}: slope {sides}."
        first, along = self.variables
        return (
            f"The derivative of {row} with respect to {first} has a kink here along {along}: second derivative {sides}."
        )


@dataclass(frozen=True)
class FunctionCheck:
    """One function: where its first and second derivatives come from, and how each fared, in a word."""

    title: str
    rows: int
    sources: tuple[str, str]
    outcomes: tuple[str, str]


@dataclass(frozen=True)
class DerivativeReport:
    """The derivatives that the solver uses, compared with differences. Print it.

    Attributes
    ----------
    functions : one `FunctionCheck` each, the objective first
    entries : the wrong derivatives
    kinks : where one-sided derivatives differ at x; of order 2 they are no error
    obstacles : sentences about what could not be compared: values that are not finite, shapes that do not fit
    verdicts : everything that was found, in sentences; empty where all is right
    """

    functions: tuple[FunctionCheck, ...]
    entries: tuple[WrongDerivative, ...]
    kinks: tuple[Kink, ...]
    obstacles: tuple[str, ...]
    verdicts: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True where nothing is wrong: no wrong entry, no kink of a function, no obstacle."""
        return not (self.entries or self.obstacles or any(kink.order == 1 for kink in self.kinks))

    def __str__(self) -> str:
        return "\n\n".join([self.tables(), *(["\n".join(map(_bullet, self.verdicts))] if self.verdicts else [])])

    def tables(self) -> str:
        """The numbers without the sentences."""
        parts = [self._headline(), aligned(_function_rows(self.functions), "lrll")]
        if self.entries:
            parts.append(aligned(_entry_rows(self.entries), "lrrr"))
            if len(self.entries) > ENTRIES_SHOWN:
                parts[-1] += f"\n... and {len(self.entries) - ENTRIES_SHOWN} more in .entries"
        return "\n\n".join(parts)

    def _headline(self) -> str:
        if self.ok:
            return "Derivatives: all agree with differences"
        found = [
            (len(self.entries), "wrong derivative", "wrong derivatives"),
            (sum(kink.order == 1 for kink in self.kinks), "kink", "kinks"),
            (len(self.obstacles), "obstacle", "obstacles"),
        ]
        return "Derivatives: " + ", ".join(f"{k} {one if k == 1 else many}" for k, one, many in found if k)


def in_words(rows: Sequence[str]) -> list[str]:
    """Names of rows as they stand in a sentence.

    Examples
    --------
    >>> in_words(["objective", "ring[1]"])
    ['the objective', 'ring[1]']
    """
    return ["the objective" if row == OBJECTIVE else row for row in rows]


def _function_rows(functions: Sequence[FunctionCheck]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("function", "rows", "first derivatives", "second derivatives")]
    for item in functions:
        cells = [f"{source}: {outcome}" for source, outcome in zip(item.sources, item.outcomes, strict=True)]
        rows.append((item.title, str(item.rows), *cells))
    return rows


def _entry_rows(entries: Sequence[WrongDerivative]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("wrong derivative", "given", "by differences", "relative error")]
    rows += [
        (item.label, f"{item.given:.6g}", f"{item.differences:.6g}", f"{item.relative_error:.1e}")
        for item in entries[:ENTRIES_SHOWN]
    ]
    return rows


def _bullet(sentence: str) -> str:
    return textwrap.fill(sentence, WIDTH, initial_indent="* ", subsequent_indent="  ")


def _label(row: str, variables: tuple[str, ...]) -> str:
    order = "" if len(variables) == 1 else str(len(variables))
    return f"d{order} {row} / {' '.join(f'd {name}' for name in variables)}"


def aligned(rows: Sequence[Sequence[str]], alignment: str) -> str:
    """Aligned columns, "l" or "r" each, under a rule; the first row is the head."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(alignment))]
    lines = [
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, alignment, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
