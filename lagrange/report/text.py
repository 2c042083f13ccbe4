"""A solution as text for the terminal: rendered by `rich`, readable without colour."""

from __future__ import annotations

import io
import shutil
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lagrange.report import tables
from lagrange.report.tables import Cell, Solved, Table, number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

WIDEST = 100  # columns of text that still read well
NAME_WIDTH = 20  # columns below which names are not squeezed to make room for numbers
GAP = 2  # spaces between columns
WORDS = ("name", "unit", "state", "description")  # columns of text; the others hold numbers
# What other columns say too gives way, in this order, where the terminal is narrow.
GIVES_WAY = ("description", "multiplier", "slack", "unit", "upper", "lower")
# Line breaks, terminal codes and halves of characters: shown as escapes, since they would break the table.
UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})

GOOD, BAD, HEADER, STATE, FAINT = "bold green", "red", "bold", "cyan", "dim"


def solution_text(solution: Solved, width: int | None = None) -> str:
    """The solution as text without colour codes, for `width` columns (default: those of the terminal)."""
    from rich.console import Console

    columns = shutil.get_terminal_size().columns if width is None else width
    console = Console(
        file=io.StringIO(),
        width=min(columns, WIDEST),
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        print_solution(solution, console)
    return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))


def print_solution(solution: Solved, console: Console) -> None:
    """Print the solution to a `rich` console, in its colours and at its width.

    The order is that of the reader's questions: what is the answer, what are x and the constraints, can it be
    trusted, what did it take.
    """
    _say(console, tables.headline(solution), GOOD if solution.result.success else BAD)
    for remark in tables.remarks(solution):
        _say(console, remark)
    for table in (tables.variables(solution), tables.constraints(solution)):
        if table.rows:
            _show(console, table)
    console.line()
    _say(console, tables.trust(solution), FAINT)
    _say(console, tables.effort(solution), FAINT)


def printable(text: str) -> str:
    r"""The text with line breaks and terminal codes as visible escapes.

    Examples
    --------
    >>> printable("a\nb") == r"a\nb"
    True
    """
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) in UNPRINTABLE else character
        for character in text
    )


def _say(console: Console, sentence: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(printable(sentence), style=style))


def _show(console: Console, table: Table) -> None:
    table = table.abbreviated()
    texts = {header: _texts(header, table.column(header)) for header in table.headers}
    dropped = _dropped(texts, console.width)
    table = table.without(dropped)
    console.line()
    _say(console, table.title, HEADER)
    # Rather too wide for the terminal than a number that has lost its digits.
    console.print(_rich_table(table, texts), width=max(console.width, _width(texts, dropped)), crop=False)
    if dropped:
        _say(console, f"(no room for {', '.join(dropped)})", FAINT)


def _rich_table(table: Table, texts: dict[str, list[str]]) -> RichTable:
    """Every cell becomes a `Text`, in which markup such as "[bold]" means nothing."""
    from rich.box import Box
    from rich.table import Table as RichTable
    from rich.text import Text

    # Lines of a box: top, header, rule under the header, rows, and four that are not drawn here.
    rule_under_header = Box("    \n    \n----\n    \n    \n    \n    \n    \n", ascii=True)
    padding = (0, GAP - 1, 0, 0)  # the box itself puts one space between columns
    drawn = RichTable(box=rule_under_header, show_edge=False, pad_edge=False, padding=padding, header_style=HEADER)
    for header in table.headers:
        title = Text(_stacked(header), justify="left" if header in WORDS else "right")
        drawn.add_column(title, no_wrap=header != "name", overflow="fold", vertical="bottom")
    for i, row in enumerate(table.rows):
        drawn.add_row(
            *(
                Text(texts[header][i], style=_style(header, cell))
                for header, cell in zip(table.headers, row, strict=True)
            )
        )
    return drawn


def _style(header: str, cell: Cell) -> str:
    if header == "state":
        return BAD if cell == "in conflict" else STATE
    return BAD if header == "slack" and isinstance(cell, float) and cell < 0 else ""


def _stacked(header: str) -> str:
    return header.replace(" ", "\n")


def _texts(header: str, cells: list[Cell]) -> list[str]:
    """Cells as text; numbers padded on both sides, so that decimal points align and end under the header."""
    if header in WORDS:
        return [printable(str(cell or "")) for cell in cells]
    texts = ["" if cell is None else number(cell) if isinstance(cell, float) else cell for cell in cells]
    tails = [len(_tail(text)) for text in texts]
    longest = max(tails, default=0)
    padded = [text + " " * (longest - tail) for text, tail in zip(texts, tails, strict=True)]
    width = max(map(len, [*_stacked(header).split("\n"), *padded]))
    return [text.rjust(width) for text in padded]


def _tail(text: str) -> str:
    """What follows the integer digits: ".5e-07"; nothing for "nan" and an empty cell."""
    return text.lstrip("-0123456789") if text[-1:].isdigit() else ""


def _dropped(texts: dict[str, list[str]], width: int) -> list[str]:
    """The headers that have to give way so that the rest fits, as few as possible."""
    candidates = [header for header in GIVES_WAY if header in texts]
    for count in range(len(candidates) + 1):
        if _width(texts, candidates[:count]) <= width:
            return candidates[:count]
    return candidates


def _width(texts: dict[str, list[str]], dropped: Iterable[str]) -> int:
    """Columns that the table needs at least, with its names squeezed to NAME_WIDTH."""
    from rich.cells import cell_len

    total = 0
    for header in texts.keys() - set(dropped):
        widest = max(map(cell_len, [*_stacked(header).split("\n"), *texts[header]]))
        total += GAP + (min(widest, NAME_WIDTH) if header == "name" else widest)
    return total
