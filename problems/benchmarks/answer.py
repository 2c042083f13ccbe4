"""What every solver of the comparison is asked to return, and the settings they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from problems.collection import Array

TOLERANCE = 1e-8
MAX_ITERATIONS = 300


@dataclass(frozen=True)
class Answer:
    """What one solve returned."""

    x: Array
    success: bool
    """The solver says that x is a solution."""
    no_multiplier: bool
    """The solver says that x is a solution at which no multiplier exists (a Fritz John point)."""
    iterations: int
    evaluations: int
    """At how many points, one after another, f and c were evaluated."""
    status: str


Run: TypeAlias = Callable[[], Answer]
"""One solve from the problem's start, of a model that is already set up."""
