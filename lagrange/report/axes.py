"""Axes to draw on: made where the user gives none, and how all of them look."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lagrange.report.about import About
from lagrange.report.palette import INK, MUTED, RULE
from lagrange.report.sentences import label, quantity
from lagrange.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (5.0, 3.4)  # inches; text of a drawing this wide reads well on a phone too
LONGEST = 32  # characters of a name on an axis


def axes_or_new(ax: Axes | None, size: tuple[float, float] = SIZE) -> Axes:
    """These axes, or those of a new pyplot figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, made = plt.subplots(figsize=size, layout="constrained")
    return made


def style(ax: Axes, grid: str = "both") -> None:
    """Quiet axes: no box, a faint grid along "x", "y", "both" or "" axes."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(MUTED.color)
    ax.tick_params(colors=MUTED.color, labelcolor=INK.color)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(True, axis=grid, color=RULE.color, linewidth=0.6)  # type: ignore[arg-type]


def name_axis(ax: Axes, which: str, about: About) -> None:
    """Name and unit along "x" or "y"."""
    setter = ax.set_xlabel if which == "x" else ax.set_ylabel
    setter(plain(label(about)), color=INK.color, parse_math=False)


def title(ax: Axes, text: str) -> None:
    """A title, in which nothing is markup."""
    ax.set_title(plain(text), color=INK.color, parse_math=False, fontsize="medium", loc="left")


def name_ticks(ax: Axes, which: str, names: Sequence[str], **text: Any) -> None:
    """One name per place 0, 1, 2, ... along "x" or "y"."""
    setter = ax.set_xticks if which == "x" else ax.set_yticks
    setter(range(len(names)), [shortened(plain(name)) for name in names], parse_math=False, **text)


def legend(ax: Axes, entries: Sequence[tuple[Any, str]], **options: Any) -> None:
    """A legend of (drawn thing, label)."""
    shown = [(handle, plain(text)) for handle, text in entries]
    if not shown:
        return
    drawn = ax.legend([handle for handle, _ in shown], [text for _, text in shown], frameon=False, **options)
    for text in drawn.get_texts():
        text.set_parse_math(False)
        text.set_color(INK.color)


def plain(text: str) -> str:
    r"""Text in which nothing is markup or control: matplotlib hides labels that start with an underscore.

    Examples
    --------
    >>> plain("a\nb") == r"a\nb", plain("_hidden").endswith("_hidden")
    (True, True)
    """
    shown = "".join(char for char in printable(text) if unicodedata.category(char) != "Cn")
    return f"\u200b{shown}" if shown.startswith("_") else shown


def shortened(text: str) -> str:
    """Names too long for an axis lose their middle.

    Examples
    --------
    >>> shortened("a rather long name of a constraint[12]")
    'a rather long n…a constraint[12]'
    """
    if len(text) <= LONGEST:
        return text
    half = (LONGEST - 1) // 2
    return f"{text[:half].rstrip()}…{text[-half - 1 :].lstrip()}"


def moved_to(about: About, value: float) -> str:
    """Where a parameter is, without its name where that is too long.

    Examples
    --------
    >>> moved_to(About("volume", "", "cm^3"), 330.0), moved_to(About("price of housing", "", "$/(m^2 month)"), 20.0)
    ('volume = 330 cm³', 'here: 20 $/(m² month)')
    """
    amount = quantity(value, about.unit)
    text = f"{about.name} = {amount}"
    return text if len(text) <= LONGEST else f"here: {amount}"
