"""What sections of a report are made of: tables, figures, sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lagrange.report.about import two_sided
from lagrange.report.tables import FIRST_ROWS, LAST_ROWS, Cell, Row, counted, number

MOST_SENTENCES = 8  # about prices or ranges; the table says the rest
MOST_LISTED = 60  # rows of a table; of more, the first and last few


@dataclass(frozen=True)
class Grid:
    """A table: text cells are words, numbers stand right, None is empty."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Figure:
    """A figure by its key, and what it shows in words."""

    key: str
    alt: str


@dataclass(frozen=True)
class Section:
    """One question and its answer: sentences, then a list of them; `details` are the numbers behind the figures."""

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    figures: tuple[Figure, ...] = ()
    details: tuple[Grid, ...] = ()
    listed: tuple[str, ...] = ()


def grid(caption: str, headers: tuple[str, ...], rows: list[Row]) -> Grid:
    """Without columns that are empty, and without the middle of very long tables."""
    if len(rows) > MOST_LISTED:
        words: Row = (f"... {len(rows) - FIRST_ROWS - LAST_ROWS} more", *[None] * (len(headers) - 1))
        rows = [*rows[:FIRST_ROWS], words, *rows[-LAST_ROWS:]]
    kept = [k for k in range(len(headers)) if k == 0 or any(row[k] not in (None, "") for row in rows)]
    cells = (tuple(row[k] for k in kept) for row in rows)
    return Grid(caption, tuple(headers[k] for k in kept), tuple(cells))


def some(sentences: list[str]) -> tuple[str, ...]:
    """The first sentences, and how many more there are."""
    more = len(sentences) - MOST_SENTENCES
    rest = (f"The tables have {more} more.",) if more > 0 else ()
    return (*sentences[:MOST_SENTENCES], *rest)


def of_many(count: int, noun: str, ask: str) -> list[str]:
    """A sentence about a table that shows some of its rows; nothing where it shows all."""
    shown = FIRST_ROWS + LAST_ROWS
    return [f"The table shows {shown} of {count} {noun}: all are in {ask}."] if count > MOST_LISTED else []


def parameters_left_out(count: int, ask: str) -> list[str]:
    """A sentence about what matters less than what is shown, and how to get it; nothing where nothing is left out."""
    return [f"{counted(count, 'parameter')} of less influence left out: ask for {ask}."] if count else []


def ranges_left_out(count: int, noun: str) -> list[str]:
    """The same about ranges."""
    ask = "solution.sensitivity().ranging(names)"
    return [f"The ranges of {counted(count, noun)} of less influence are left out: ask for {ask}."] if count else []


def finite_or_none(value: float | None) -> float | None:
    """A number for a table; empty where there is none."""
    return value if value is not None and math.isfinite(value) else None


def limit(value: float) -> Cell:
    """An end of a range for a table."""
    return "no limit" if math.isinf(value) else finite_or_none(value)


def both_sides(left: float, right: float) -> Cell:
    """One number where both sides agree, else both; none where the problem becomes infeasible or nothing is known."""
    if not math.isnan(two_sided(left, right)):
        return two_sided(left, right)
    left, right = (value if math.isfinite(value) else math.nan for value in (left, right))
    if math.isnan(left) and math.isnan(right):
        return "none"
    return " | ".join("none" if math.isnan(value) else number(value) for value in (left, right))
