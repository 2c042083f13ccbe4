"""The known answer of a story problem: formulas, scalar equations or published digits, written by hand."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from problems.validation.answer import Answer, leaves, of_bounds
from problems.validation.parameters import Move

NOT_A_FUNCTION_OF = {"robot_arm": "link"}
"""Parameters for one value of which alone the closed form holds: the hand must be as long as the upper arm."""


def answer_at(story: ModuleType, p: Any) -> Answer:
    """At any p near the story's own, as far as the story knows."""
    multipliers = {name: np.asarray(y, dtype=float) for name, y in _known(story, "known_multipliers", p, {}).items()}
    bounds = leaves(_known(story, "known_bound_multipliers", p, {}))
    return Answer(
        np.asarray(_known(story, "known_objective", p, np.nan), dtype=float),
        leaves(_known(story, "known_x", p, {})),
        multipliers | {of_bounds(key): array for key, array in bounds.items()},
    )


def is_a_function_of(story: ModuleType, move: Move) -> bool:
    """Whether the known answer can be followed along a move."""
    excluded = NOT_A_FUNCTION_OF.get(story.__name__.rpartition(".")[2])
    return callable(getattr(story, "known_x", None)) and (excluded is None or not move.name.startswith(excluded))


def _known(story: ModuleType, name: str, p: Any, missing: Any) -> Any:
    value = getattr(story, name, missing)
    return value(p) if callable(value) else value
