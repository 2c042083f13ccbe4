"""The plots of a solution: gather what one drawing needs, and draw it on axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lagrange.preflight_record import named
from lagrange.report.about import About, Absent
from lagrange.report.axes import axes_or_new
from lagrange.report.gathering import convergence, multipliers
from lagrange.report.geometry import geometry
from lagrange.report.geometry_plot import draw_geometry, geometry_size
from lagrange.report.motion import Sensitivities
from lagrange.report.moves import elasticities, sensitivities, with_ranges
from lagrange.report.plots import (
    bars_size,
    draw_convergence,
    draw_curve,
    draw_elasticities,
    draw_multipliers,
    draw_tornado,
    heat_map_size,
)
from lagrange.report.resolved import curve, tornado
from lagrange.report.understood import Understood

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Found = TypeVar("Found")


def plot_geometry(solution: Understood, ax: Axes | None) -> Axes:
    """See `Solution.plot_geometry`."""
    plane = geometry(solution)
    if plane is None:
        count = solution.result.program.n
        raise ValueError(f"plot_geometry draws the plane of two variables at a finite point; this problem has {count}")
    return draw_geometry(plane, axes_or_new(ax, geometry_size(plane)))


def plot_multipliers(solution: Understood, ax: Axes | None) -> Axes:
    """See `Solution.plot_multipliers`."""
    found = multipliers(solution)
    if not found.rows:
        raise ValueError(found.advice or "no constraint is active: there is no multiplier other than zero")
    return draw_multipliers(found, axes_or_new(ax, bars_size(found.rows)))


def plot_tornado(solution: Understood, ax: Axes | None) -> Axes:
    """See `Solution.plot_tornado`."""
    found = _there(tornado(solution, _moved(solution)))
    return draw_tornado(found, _objective(solution), axes_or_new(ax, bars_size(found.bars)))


def plot_value(solution: Understood, parameter: str | None, ax: Axes | None) -> Axes:
    """See `Solution.plot_value`."""
    moved = _moved(solution)
    names = [item.about.name for item in moved.parameters]
    if parameter is None and len(names) == 1:
        parameter = names[0]
    if parameter not in names:
        raise ValueError(f"plot_value takes the name of a parameter, one of {named(names)}; got {parameter!r}")
    moved = with_ranges(moved, solution.sensitivity().ranging(parameter))
    return draw_curve(curve(solution, moved, names.index(parameter)), _objective(solution), axes_or_new(ax))


def plot_elasticities(solution: Understood, ax: Axes | None) -> Axes:
    """See `Solution.plot_elasticities`."""
    found = _there(elasticities(solution, _moved(solution)))
    return draw_elasticities(found, axes_or_new(ax, heat_map_size(found)))


def plot_convergence(solution: Understood, ax: Axes | None) -> Axes:
    """See `Solution.plot_convergence`."""
    history = convergence(solution)
    if not history:
        raise ValueError("there is no history: the point was not found by a solve")
    return draw_convergence(history, axes_or_new(ax))


def _moved(solution: Understood) -> Sensitivities:
    return _there(sensitivities(solution, solution.sensitivity()))


def _there(found: Found | Absent) -> Found:
    if isinstance(found, Absent):
        raise ValueError(found.reason)
    return found


def _objective(solution: Understood) -> About:
    return About("objective", "", solution.descriptions.objective.unit)
