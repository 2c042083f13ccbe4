"""The figures of a report as SVG: text stays text, colours follow the page, nothing is loaded from elsewhere."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from lagrange.report.about import Absent
from lagrange.report.axes import SIZE
from lagrange.report.content import Content
from lagrange.report.geometry import Geometry
from lagrange.report.geometry_plot import draw_geometry, geometry_size
from lagrange.report.palette import themed
from lagrange.report.plots import (
    bars_size,
    draw_convergence,
    draw_curve,
    draw_elasticities,
    draw_multipliers,
    draw_tornado,
    heat_map_size,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Size = tuple[float, float]
Draw = Callable[["Axes"], "Axes"]

DECIMALS = re.compile(r"(\.\d\d)\d+")  # of coordinates: the page is some hundred of them wide
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text, in the font of the page
    "svg.hashsalt": "lagrange",  # the same drawing is the same file
    "text.usetex": False,
    "font.size": 10.0,
    "font.family": "sans-serif",
    "hatch.linewidth": 0.8,
}


def figures(content: Content, plane: Geometry | None) -> dict[str, tuple[Draw, Size]]:
    """By key, how to draw every figure that this content has, and its size in inches."""
    objective = content.answer.objective
    found: dict[str, tuple[Draw, Size]] = {}
    if plane is not None:
        found["geometry"] = (lambda ax: draw_geometry(plane, ax)), geometry_size(plane)
    if content.multipliers.rows:
        found["multipliers"] = (
            (lambda ax: draw_multipliers(content.multipliers, ax)),
            bars_size(content.multipliers.rows),
        )
    elasticities, tornado, curves = content.elasticities, content.tornado, content.curves
    if not isinstance(elasticities, Absent):
        found["elasticities"] = (lambda ax: draw_elasticities(elasticities, ax)), heat_map_size(elasticities)
    if not isinstance(tornado, Absent):
        found["tornado"] = (lambda ax: draw_tornado(tornado, objective, ax)), bars_size(tornado.bars)
    if not isinstance(curves, Absent):
        for k, item in enumerate(curves.curves):
            found[f"curve-{k}"] = functools.partial(draw_curve, item, objective), SIZE
    if len(content.convergence) > 1:
        found["convergence"] = (lambda ax: draw_convergence(content.convergence, ax)), SIZE
    return found


def svg(draw: Draw, size: Size, key: str, alt: str) -> str:
    """One drawing as an inline SVG element with a title for those who cannot see it; ids start with its key."""
    import matplotlib
    from matplotlib.figure import Figure

    # From the defaults, whatever the style of the session.
    defaults: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if not k.startswith("backend")}
    with matplotlib.rc_context(defaults | SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return themed(_inline(file.getvalue(), key, alt))


def _inline(text: str, key: str, alt: str) -> str:
    """The svg element alone, without ids that nothing refers to: several drawings stand in one page."""
    body = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r"\s+", " ", re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL))
    used = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", body)
    body = re.sub(r'( id="|xlink:href="#|url\(#)', lambda found: f"{found[1]}{key}-", body)
    # Fonts of the page; the sizes and anchors of the drawing.
    body = re.sub(r" font-family: [^;\"]+;", "", body)
    body = re.sub(r"<style.*?</style>", "", body)
    body = re.sub(r' (?:d|x|y|points|transform)="[^"]*"', lambda found: DECIMALS.sub(r"\1", found[0]), body)
    head_end = body.index(">")
    box = re.search(r'viewBox="[^"]*"', body[:head_end])
    assert box is not None
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    label = f'role="img" aria-label={quoteattr(alt)} stroke-linejoin="round"'
    return f"<svg {names} {box[0]} {label}><title>{escape(alt)}</title>{body[head_end + 1 :]}".replace("> <", "><")
