"""Drawings of what a report says: each takes a plain record and axes, and returns the axes.

Nothing is computed here. Colours are those of `palette`, so that a report can exchange them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lagrange.report.about import About, two_sided
from lagrange.report.axes import SIZE, legend, moved_to, name_axis, name_ticks, plain, shortened, style
from lagrange.report.content import Iteration, Multipliers
from lagrange.report.motion import Bar, Curve, Elasticities, Tornado
from lagrange.report.palette import BAD, GOOD, INK, MUTED, ONE, OTHER, PAPER, RULE
from lagrange.report.sentences import label
from lagrange.report.tables import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAD, ROW, NAMES, COLUMN = 1.25, 0.34, 1.7, 0.58  # inches: axes and legend, one row; names beside columns, a column
BAR = 0.62  # height of a bar, of the distance between two
FAINTEST, STRONGEST = 0.06, 0.5  # opacity of the cells of a heat map: text stays readable on it
SMALLEST = 1e-17  # residuals below this, 0 among them, are drawn here
MOST_CELLS = (24, 12)  # rows and columns of a heat map
LEAST_SHOWN = 0.005  # with a sign, of its numbers
BAND = 0.12  # opacity
BEYOND = 1.3  # times the largest multiplier: where an infinite interval is cut, with an arrow
NO_EFFECT = 1e-12  # changes of the objective below this, relative, are rounding
ROOM_FOR_PHASE = 0.2  # of the iterations, for its name
DIGITS = 4  # significant, of numbers in drawings
ROOM_FOR_NUMBERS = 0.38  # beside the bars, of the width of all bars


def bars_size(bars: Sequence[object]) -> tuple[float, float]:
    """Inches of a figure of horizontal bars."""
    return SIZE[0], HEAD + ROW * min(len(bars), MOST_CELLS[0])


def heat_map_size(found: Elasticities) -> tuple[float, float]:
    """Inches of a heat map."""
    rows, columns = (min(len(names), most) for names, most in zip((found.rows, found.columns), MOST_CELLS, strict=True))
    return max(SIZE[0], NAMES + COLUMN * columns), HEAD + ROW * rows


def draw_tornado(tornado: Tornado, objective: About, ax: Axes) -> Axes:
    """Bars from the objective with a parameter low to that with it high, the longest on top."""
    from matplotlib.patches import Patch

    places = range(len(tornado.bars))
    ends = [value for bar in tornado.bars for value in (bar.low, bar.high) if math.isfinite(value)]
    lowest, highest = min([tornado.base, *ends]), max([tornado.base, *ends])
    room = ROOM_FOR_NUMBERS * (highest - lowest or abs(tornado.base) or 1.0)
    for place, bar in zip(places, tornado.bars, strict=True):
        for value, other, parameter, role, hatch in (
            (bar.low, bar.high, bar.low_value, OTHER, "////"),
            (bar.high, bar.low, bar.high_value, ONE, ""),
        ):
            if not math.isfinite(value) or _no_bar(bar, tornado.base):
                continue
            ax.barh(
                place, value - tornado.base, BAR, tornado.base, facecolor=role.color, alpha=0.75, hatch=hatch,
                edgecolor=PAPER.color, linewidth=0,
            )  # fmt: skip
            # Both on one side: the shorter one is told by the table, its number would stand on the longer bar.
            hides = math.isfinite(other) and (value - tornado.base) * (other - tornado.base) >= 0.0
            if hides and abs(value - tornado.base) < abs(other - tornado.base):
                continue
            right = value > tornado.base or (value == tornado.base and role is ONE)
            text = number(parameter, DIGITS)
            ax.annotate(
                text, (value, place), (4 if right else -4, 0), textcoords="offset points", va="center",
                ha="left" if right else "right", color=INK.color, fontsize="small",
            )  # fmt: skip
        words = _no_bar(bar, tornado.base)
        if words:
            ax.annotate(
                words, (tornado.base, place), (4, 0), textcoords="offset points", va="center", color=INK.color,
                fontsize="small",
            )  # fmt: skip
    ax.axvline(tornado.base, color=INK.color, linewidth=1.0)
    name_ticks(ax, "y", [label(bar.about) for bar in tornado.bars])
    ax.set_ylim(len(tornado.bars) - 0.4, -0.6)
    ax.set_xlim(lowest - room, highest + room)
    _few_ticks(ax, "x")
    name_axis(ax, "x", objective)
    share = f"{100 * tornado.share:g} %"
    entries = [
        (Patch(facecolor=OTHER.color, alpha=0.75, hatch="////", edgecolor=PAPER.color), f"parameter −{share}"),
        (Patch(facecolor=ONE.color, alpha=0.75), f"parameter +{share}"),
    ]
    legend(ax, entries, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    style(ax, "x")
    return ax


def draw_curve(curve: Curve, objective: About, ax: Axes) -> Axes:
    """The objective re-solved along a parameter, its tangent, and the band where the same constraints stay active."""
    points, values = np.array(curve.points), np.array(curve.values)
    left_end, right_end = float(points[0]), float(points[-1])
    band = (max(curve.lower, left_end), min(curve.upper, right_end))
    entries: list[tuple[Any, str]] = []
    if not (math.isnan(curve.lower) or math.isnan(curve.upper)):
        shaded = ax.axvspan(*band, facecolor=GOOD.color, alpha=BAND, linewidth=0)
        entries.append((shaded, "same constraints active"))
        for end, is_shown in ((curve.lower, curve.lower > left_end), (curve.upper, curve.upper < right_end)):
            if is_shown:
                ax.axvline(end, color=BAD.color, linewidth=1.0, linestyle=":")
    continues = np.array([not remark for remark in curve.remarks])
    own = np.where(continues, values, np.nan)
    solved = ax.plot(points, own, "o-", color=MUTED.color, markersize=3.5, linewidth=1.0)[0]
    entries.append((solved, "re-solved"))
    others = ~continues & np.isfinite(values)
    if others.any():
        hollow = ax.plot(
            points[others], values[others], "o", color=OTHER.color, markersize=5.0, markerfacecolor="none"
        )[0]
        entries.append((hollow, "another local solution"))
    tangents = []
    for slope, end in ((curve.left, left_end), (curve.right, right_end)):
        if math.isfinite(slope):
            at = [curve.base, end]
            tangents += ax.plot(at, [curve.base_value, curve.base_value + slope * (end - curve.base)], color=ONE.color)
    if tangents:
        is_smooth = not math.isnan(two_sided(curve.left, curve.right))
        entries.append((tangents[0], "tangent" if is_smooth else "one-sided tangents"))
    here = ax.plot([curve.base], [curve.base_value], "D", color=INK.color, markersize=5.5)[0]
    entries.append((here, moved_to(curve.about, curve.base)))
    known = values[np.isfinite(values)]
    size = max(1.0, abs(curve.base_value))
    if known.size and np.ptp(known) <= NO_EFFECT * size:  # else rounding would fill the picture
        ax.set_ylim(curve.base_value - size, curve.base_value + size)
    name_axis(ax, "x", curve.about)
    name_axis(ax, "y", objective)
    _few_ticks(ax, "x")
    _few_ticks(ax, "y")
    legend(ax, entries, loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2, fontsize="small")
    style(ax)
    return ax


def draw_elasticities(found: Elasticities, ax: Axes) -> Axes:
    """A heat map with its numbers: percent of each row per percent of each column."""
    from matplotlib.patches import Rectangle

    found = found.largest(*MOST_CELLS)
    shown = np.array(found.values).reshape(len(found.rows), len(found.columns))
    largest = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 1.0
    for (i, j), value in np.ndenumerate(shown):
        known = bool(np.isfinite(value))
        strength = FAINTEST + (STRONGEST - FAINTEST) * abs(value) / (largest or 1.0) if known else 0.0
        role = ONE if known and value > 0 else OTHER if known and value < 0 else RULE
        ax.add_patch(
            Rectangle(
                (j - 0.5, i - 0.5), 1, 1, facecolor=role.color, alpha=strength if value != 0 else 0.0, linewidth=0
            )
        )
        text = "–" if not known else "0" if not value else f"{value:+.2f}" if abs(value) >= LEAST_SHOWN else "0.00"
        ax.text(j, i, text.replace("-", "−"), ha="center", va="center", color=INK.color, fontsize="small")
    ax.set_xlim(-0.5, len(found.columns) - 0.5)
    ax.set_ylim(len(found.rows) - 0.5, -0.5)
    name_ticks(ax, "y", found.rows)
    names = found.columns
    is_crowded = max((len(shortened(name)) for name in names), default=0) * len(names) > 36
    tilt = {"rotation": 50, "ha": "left", "rotation_mode": "anchor"} if is_crowded else {}
    name_ticks(ax, "x", names, **tilt)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    style(ax, "")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel("percent per percent of the parameter", color=MUTED.color, fontsize="small")
    return ax


def draw_multipliers(found: Multipliers, ax: Axes) -> Axes:
    """Bars of the multipliers, with the interval of each where they are not unique."""
    rows = sorted(found.rows, key=lambda row: -abs(row.returned))[: MOST_CELLS[0]]
    entries: list[tuple[Any, str]] = []
    for place, row in enumerate(rows):
        role = ONE if row.returned >= 0 else OTHER
        hatch = "" if row.returned >= 0 else "////"
        ax.barh(
            place, row.returned, BAR, facecolor=role.color, alpha=0.75, hatch=hatch, edgecolor=PAPER.color, linewidth=0
        )
    finite = [value for row in rows for value in (row.low, row.high, row.returned, 0.0) if math.isfinite(value)]
    reach = max(map(abs, finite), default=1.0) or 1.0
    if found.dimension > 0:
        for place, row in enumerate(rows):
            low, high = (
                value if math.isfinite(value) else math.copysign(BEYOND * reach, value) for value in (row.low, row.high)
            )
            drawn = ax.plot([low, high], [place, place], color=INK.color, linewidth=1.4, marker="|", markersize=9)[0]
            for end, at in ((row.low, low), (row.high, high)):
                if math.isinf(end):
                    ax.plot([at], [place], marker=">" if end > 0 else "<", color=INK.color, markersize=6)
            if place == 0:
                entries.append((drawn, "all possible values"))
    ax.axvline(0.0, color=INK.color, linewidth=1.0)
    name_ticks(ax, "y", [row.name for row in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel("multiplier", color=INK.color)
    _few_ticks(ax, "x")
    legend(ax, entries, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    style(ax, "x")
    return ax


def draw_convergence(history: Sequence[Iteration], ax: Axes) -> Axes:
    """Infeasibility and stationarity over the iterations."""
    from matplotlib.ticker import MaxNLocator

    numbers = [item.iteration for item in history]
    entries: list[tuple[Any, str]] = []
    for values, marker, role, text in (
        ([item.infeasibility for item in history], "o", ONE, "infeasibility"),
        ([item.stationarity for item in history], "s", OTHER, "stationarity"),
    ):
        shown = np.maximum(np.abs(values), SMALLEST)
        entries.append((ax.semilogy(numbers, shown, f"{marker}-", color=role.color, markersize=4)[0], text))
    labelled = -math.inf
    for before, item in itertools.pairwise(history):
        if item.phase != before.phase:
            ax.axvline(item.iteration - 0.5, color=MUTED.color, linewidth=0.8, linestyle="--")
            if item.iteration - labelled >= ROOM_FOR_PHASE * len(history):
                ax.annotate(
                    plain(item.phase), (item.iteration - 0.5, 1.0), (3, -9), xycoords=("data", "axes fraction"),
                    textcoords="offset points", fontsize="small", color=MUTED.color,
                )  # fmt: skip
                labelled = item.iteration
    ax.set_xlabel("iteration", color=INK.color)
    ax.set_ylabel("residual (scaled)", color=INK.color)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlim(numbers[0] - 0.5, numbers[-1] + 0.5)
    legend(ax, entries, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize="small")
    style(ax)
    return ax


def _no_bar(bar: Bar, base: float) -> str:
    """Why there is nothing to draw; empty where there is."""
    known = [value for value in (bar.low, bar.high) if math.isfinite(value)]
    if not known:
        return "no solution"
    return "no effect" if all(abs(value - base) <= NO_EFFECT * max(1.0, abs(base)) for value in known) else ""


def _few_ticks(ax: Axes, which: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(5))
