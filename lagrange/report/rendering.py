"""A report as a file: HTML, Markdown, text or JSON, from the same content in the same order."""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import json
import math
import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lagrange.derivatives.derivative_report import aligned
from lagrange.report.axes import SIZE
from lagrange.report.content import Content
from lagrange.report.figures import figures, svg
from lagrange.report.gathering import gather
from lagrange.report.geometry import geometry
from lagrange.report.panel import panel
from lagrange.report.section import Grid
from lagrange.report.sections import sections
from lagrange.report.tables import Cell, number
from lagrange.report.text import printable
from lagrange.report.understood import Understood

if TYPE_CHECKING:
    from jinja2 import Environment

FORMAT_VERSION = 1
WIDTH = 100  # of sentences in text files
LONG = 24  # characters of a cell that may be wrapped
SCRIPT = "what_if.js"
NUMBER = re.compile(r"[-+]?(\d+\.?\d*(e[-+]\d+)?|inf)")
MARKDOWN_SIGNS = re.compile(r"([\\`*_<>|\[\]#$~&])")
# "</script>" inside data would end it: nothing in it looks like markup.
UNSAFE_IN_SCRIPTS = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def write_report(solution: Understood, file: str | Path, title: str | None = None) -> Path:
    """Write the report of a solution in the format that the name of the file asks for; see `Solution.report`.

    Raises
    ------
    ValueError
        For another ending, with those there are.
    """
    path = Path(file)
    render = RENDERERS.get(path.suffix.lower())
    if render is None:
        raise ValueError(f"a report is a file that ends in {', '.join(RENDERERS)}; got {str(file)!r}")
    path.write_text(render(solution, path.stem.replace("_", " ") if title is None else title), encoding="utf-8")
    return path


def html(solution: Understood, title: str) -> str:
    """One page that needs nothing else: styles, figures, data and script are inside, and it may load nothing."""
    content, plane = gather(solution, title), geometry(solution)
    found = sections(content, plane is not None)
    drawings = figures(content, plane)
    alts = {figure.key: figure.alt for section in found for figure in section.figures}
    made = {key: svg(*drawings[key], key, alts[key]) for key in alts}
    moving = panel(content)
    environment = _environment(autoescape=True)
    script = _source(environment, SCRIPT)
    return environment.get_template("report.html").render(
        content=content,
        sections=found,
        figures=made,
        wide={key for key, (_, size) in drawings.items() if size[0] > SIZE[0]},
        panel=moving,
        data="" if moving is None else script_data(moving.data),
        script=script,
        # The only script that may run is ours, by its hash: one that slipped through as text would not.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def markdown(solution: Understood, title: str) -> str:
    """The same as Markdown: tables with bars."""
    environment = _environment(autoescape=False, finalize=_markdown_cell)
    content = gather(solution, title)
    return environment.get_template("report.md").render(content=content, sections=sections(content))


def text(solution: Understood, title: str) -> str:
    """The same as plain text."""
    environment = _environment(autoescape=False)
    content = gather(solution, title)
    return environment.get_template("report.txt").render(content=content, sections=sections(content))


def document(solution: Understood, title: str) -> str:
    """The same for machines; see `record`."""
    return json.dumps(record(gather(solution, title)), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def record(content: Content) -> dict[str, Any]:
    """The content as dicts, lists, text and numbers, under the field names of `lagrange.report.content` and `motion`.

    Numbers are numbers; what does not exist is None; infinite ones are the text "inf" and "-inf". A part that does not
    exist is {"reason": why}. "format" is "lagrange report", and "version" changes with the meaning of a field.
    """
    return {"format": "lagrange report", "version": FORMAT_VERSION, **plain(content)}


def plain(entry: Any) -> Any:
    """Records as dicts and numbers as JSON has them.

    Examples
    --------
    >>> plain({"a": (1.5, float("nan"), float("inf"))})
    {'a': [1.5, None, 'inf']}
    """
    if dataclasses.is_dataclass(entry):
        return {field.name: plain(getattr(entry, field.name)) for field in dataclasses.fields(entry)}
    if isinstance(entry, Mapping):
        return {str(key): plain(value) for key, value in entry.items()}
    if isinstance(entry, (tuple, list)):
        return [plain(value) for value in entry]
    if entry is None or isinstance(entry, (bool, str, int)):
        return entry
    value = float(entry)
    return value if math.isfinite(value) else None if math.isnan(value) else str(value)


def script_data(data: Any) -> str:
    """JSON that can stand inside a script element, whatever text it holds.

    Examples
    --------
    >>> script_data({"name": "</script>"})
    '{"name": "\\\\u003c/script\\\\u003e"}'
    """
    return json.dumps(plain(data), allow_nan=False).translate(UNSAFE_IN_SCRIPTS)


def escaped_markdown(line: str) -> str:
    r"""Text in which no sign means markup, on one line.

    Examples
    --------
    >>> print(escaped_markdown("a_b | <i>"))
    a\_b \| \<i\>
    """
    return MARKDOWN_SIGNS.sub(r"\\\1", printable(line))


def cell_text(cell: Cell) -> str:
    """A cell as text."""
    return "" if cell is None else number(cell) if isinstance(cell, float) else printable(cell)


def is_numeric(grid: Grid, column: int) -> bool:
    """Whether a column holds numbers, besides a word here and there."""
    cells = [cell for row in grid.rows if (cell := row[column]) not in (None, "")]
    numbers = sum(isinstance(cell, float) or NUMBER.fullmatch(cell) is not None for cell in cells)
    return bool(cells) and 2 * (numbers + cells.count("no limit")) >= len(cells)


def is_wordy(grid: Grid, column: int) -> bool:
    """Whether a column holds sentences, which may be wrapped."""
    return any(len(cell_text(row[column])) > LONG for row in grid.rows)


def grid_text(grid: Grid) -> str:
    """A table as aligned text."""
    rows = [tuple(map(printable, grid.headers)), *(tuple(map(cell_text, row)) for row in grid.rows)]
    alignment = "".join("r" if is_numeric(grid, k) else "l" for k in range(len(grid.headers)))
    return f"{printable(grid.caption)}\n\n{aligned(rows, alignment)}"


def wrapped(sentence: str) -> str:
    """A sentence on lines that still read well."""
    return textwrap.fill(printable(sentence), WIDTH)


def _markdown_cell(value: Any) -> Any:
    # Everything that a template writes is escaped, except what it marks as made by itself.
    from markupsafe import Markup

    return (
        str(value) if isinstance(value, Markup) else escaped_markdown(cell_text(value) if value is None else str(value))
    )


@functools.cache
def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


@functools.cache
def _environment(autoescape: bool, finalize: Callable[[Any], Any] | None = None) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("lagrange.report"),
        autoescape=autoescape,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"cell": cell_text, "aligned": grid_text, "wrapped": wrapped, "own": Markup}
    made.tests |= {"numeric": is_numeric, "wordy": is_wordy}
    return made


RENDERERS: dict[str, Callable[[Understood, str], str]] = {
    ".html": html,
    ".md": markdown,
    ".txt": text,
    ".json": document,
}
"""By the ending of the file."""
