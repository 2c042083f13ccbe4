"""What sections of a report are made of: tables, figures, sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lagrange.report.content import two_sided
from lagrange.report.tables import FIRST_ROWS, LAST_ROWS, Cell, Row, number

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
    kept = [k for k in range(len(headers)) if k == 0 or any(row[k] not in (None, "") for row in rows)]
    cells = [tuple(row[k] for k in kept) for row in rows]
    if len(cells) > MOST_LISTED:
        hidden = len(cells) - FIRST_ROWS - LAST_ROWS
        words: Row = (f"... {hidden} more", *[None] * (len(kept) - 1))
        cells = [*cells[:FIRST_ROWS], words, *cells[-LAST_ROWS:]]
    return Grid(caption, tuple(headers[k] for k in kept), tuple(cells))


def some(sentences: list[str]) -> tuple[str, ...]:
    """The first sentences, and how many more there are."""
    more = len(sentences) - MOST_SENTENCES
    rest = (f"The tables have {more} more.",) if more > 0 else ()
    return (*sentences[:MOST_SENTENCES], *rest)


def finite_or_none(value: float | None) -> float | None:
    """A number for a table; empty where there is none."""
    return value if value is not None and math.isfinite(value) else None


def with_infinity(value: float) -> Cell:
    """A number for a table, which may be infinite."""
    return None if math.isnan(value) else number(value) if math.isinf(value) else value


def limit(value: float) -> Cell:
    """An end of a range for a table."""
    return "no limit" if math.isinf(value) else finite_or_none(value)


def both_sides(left: float, right: float) -> Cell:
    """One number where both sides agree, else both."""
    if not math.isnan(two_sided(left, right)):
        return two_sided(left, right)
    shown = ("none" if math.isnan(value) else number(value) for value in (left, right))
    return " | ".join(shown)
