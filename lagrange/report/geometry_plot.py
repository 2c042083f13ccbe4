"""The plane of two variables as a drawing: levels, feasible set, constraints, and forces in balance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lagrange.report.axes import SIZE, legend, name_axis, shortened, style
from lagrange.report.geometry import Contour, Geometry
from lagrange.report.palette import BAD, GOOD, INK, MUTED, ONE, OTHER
from lagrange.report.tables import unit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = 11
SHADE = 0.14  # opacity of the feasible set
FLAT = 1e-6  # a gradient that changes the objective less than this across the window, relative, is rounding
NEAR = 0.08  # of the window: no label of a level stands so close to the solution
ARROW = 0.27  # longest arrow, of the width of the window
AXIS, LEGEND_ROW = 0.4, 0.19  # inches: the name of the lower axis, and one row of the legend
OTHERS_NAMED = 4  # levels, feasible set, iterations, solution
MOST_NAMED = 5  # constraint curves in the legend
Dash = Literal["-", "--", "-.", ":"]
DASHES: tuple[Dash, ...] = ("-", "--", "-.", ":")


def geometry_size(plane: Geometry) -> tuple[float, float]:
    """Inches of a figure: a square, with a legend of two columns below it."""
    named = min(len(plane.contours), MOST_NAMED) + min(len(plane.forces), 1 + MOST_NAMED)
    return SIZE[0], SIZE[0] + AXIS + LEGEND_ROW * math.ceil((named + OTHERS_NAMED) / 2)


def draw_geometry(plane: Geometry, ax: Axes) -> Axes:
    """Level lines, feasible set, constraint curves, the path of the solve, and the balance of gradients."""
    entries = _draw_set(plane, ax)
    first, second = plane.axes
    low, high = _levels(plane.levels)
    if low < high:
        levels = np.linspace(low, high, LEVELS)
        drawn = ax.contour(first, second, plane.levels, levels=levels, colors=MUTED.color, linewidths=0.7)
        for text in ax.clabel(drawn, levels[::3], fontsize="x-small", fmt="%.4g"):
            text.set_clip_on(False)  # else a label at the edge loses digits
            text.set_visible(not _is_near(text.get_position(), plane))
        entries.insert(0, (_line(MUTED.color, 0.7), f"objective {unit_text(plane.objective.unit)}".rstrip()))
    path = np.array([point for point in plane.path if _inside(point, plane)])
    if len(path) > 1:
        steps = ax.plot(path[:, 0], path[:, 1], ".:", color=INK.color, linewidth=0.9, markersize=4)[0]
        entries.append((steps, "iterations"))
    entries += _draw_forces(plane, ax)
    solution = ax.plot(*plane.solution, "D", color=INK.color, markersize=6, zorder=6)[0]
    entries.append((solution, "solution" if plane.is_verified else "point returned"))
    ax.set_xlim(first[0], first[-1])
    ax.set_ylim(second[0], second[-1])
    ax.set_box_aspect(1)
    ax.set_anchor("N")
    name_axis(ax, "x", plane.names[0])
    name_axis(ax, "y", plane.names[1])
    legend(ax, entries, loc="upper center", bbox_to_anchor=(0.46, -0.16), ncols=2, fontsize="small", borderaxespad=0.0)
    style(ax, "")
    return ax


def _draw_set(plane: Geometry, ax: Axes) -> list[tuple[Any, str]]:
    from matplotlib.patches import Patch

    first, second = plane.axes
    entries: list[tuple[Any, str]] = []
    if plane.feasible is not None and plane.feasible.any():
        ax.contourf(first, second, plane.feasible.astype(float), levels=[0.5, 1.5], colors=[GOOD.color], alpha=SHADE)
        entries.append((Patch(facecolor=GOOD.color, alpha=SHADE), "inequalities met"))
    shown = [item for item in plane.contours if _crosses(item)]
    shown.sort(key=lambda item: not item.is_active)
    for k, item in enumerate(shown):
        color, width = (BAD.color, 1.8) if item.is_active else (GOOD.color, 1.0)
        dash = DASHES[k % len(DASHES)]
        ax.contour(first, second, item.values, levels=[0.0], colors=color, linewidths=width, linestyles=dash)
        if k < MOST_NAMED:
            entries.append((_line(color, width, dash), shortened(item.name)))
    return entries


def _draw_forces(plane: Geometry, ax: Axes) -> list[tuple[Any, str]]:
    """Arrows that add up to zero, as they look on these axes: square to the curves, whatever the units."""
    widths = np.array([axis[-1] - axis[0] for axis in plane.axes])
    vectors = [np.array(force.vector) * widths**2 for force in plane.forces]
    longest = max((float(np.linalg.norm(vector / widths)) for vector in vectors), default=0.0)
    low, high = _levels(plane.levels)
    if not (np.isfinite(longest) and longest > FLAT * (high - low)):
        return []
    entries: list[tuple[Any, str]] = []
    start = np.array(plane.solution)
    for k, (force, vector) in enumerate(zip(plane.forces, vectors, strict=True)):
        color = ONE.color if k == 0 else OTHER.color
        style_of = {"arrowstyle": "-|>", "color": color, "linewidth": 2.0, "shrinkA": 0, "shrinkB": 0}
        tip = (start + ARROW / longest * vector).tolist()
        ax.annotate("", (tip[0], tip[1]), plane.solution, arrowprops=style_of, zorder=5, annotation_clip=False)
        if k <= MOST_NAMED:
            entries.append((_line(color, 2.0), shortened(force.name)))
    return entries


def _line(color: str, width: float, dash: Dash = "-") -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=color, linewidth=width, linestyle=dash)


def _levels(values: Any) -> tuple[float, float]:
    """The range of the objective without its extremes, which would leave the rest without a line."""
    known = np.asarray(values.compressed() if hasattr(values, "compressed") else values.ravel())
    if not known.size:
        return 0.0, 0.0
    low, high = np.quantile(known, [0.0, 0.95])
    return float(low), float(high)


def _crosses(item: Contour) -> bool:
    return bool(item.values.min() < 0.0 < item.values.max())


def _is_near(point: tuple[float, float], plane: Geometry) -> bool:
    """Whether a label there would stand under the solution."""
    sizes = (axis[-1] - axis[0] for axis in plane.axes)
    return all(abs(value - here) < NEAR * size for value, here, size in zip(point, plane.solution, sizes, strict=True))


def _inside(point: tuple[float, float], plane: Geometry) -> bool:
    return all(axis[0] <= value <= axis[-1] for value, axis in zip(point, plane.axes, strict=True))
