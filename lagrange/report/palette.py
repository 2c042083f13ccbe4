"""Colours by their role, and drawings that follow the colours of the page they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """One use of colour: its name in the style sheet, and its value on white."""

    variable: str
    color: str


INK = Role("ink", "#1b1f24")  # text, the solution
MUTED = Role("muted", "#57606b")  # axes, level lines
RULE = Role("rule", "#d0d7df")  # grid lines
ONE = Role("one", "#0a58ca")  # the first of two: high, positive, tangent
OTHER = Role("other", "#b3541e")  # the second of two: low, negative
GOOD = Role("good", "#1a7f38")  # feasible, valid
BAD = Role("bad", "#c0202f")  # what ends it
PAPER = Role("paper", "#fdfdfe")  # hatches on bars
ROLES = (PAPER, INK, MUTED, RULE, ONE, OTHER, GOOD, BAD)


def themed(svg: str) -> str:
    """A drawing whose colours of a role follow the style sheet of the page; on its own it looks as before.

    Examples
    --------
    >>> themed('<path style="stroke: #1b1f24"/>')
    '<path style="stroke: var(--ink, #1b1f24)"/>'
    """
    for role in ROLES:
        svg = re.sub(re.escape(role.color), f"var(--{role.variable}, {role.color})", svg, flags=re.IGNORECASE)
    return svg
