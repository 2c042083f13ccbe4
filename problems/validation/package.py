"""The answer of this package to a story problem, and its derivatives, from the public face alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg
from problems.collection import Array
from problems.validation.answer import Answer, leaves, of_bounds
from problems.validation.parameters import Move, contracted

if TYPE_CHECKING:
    from lagrange.sensitivity.sensitivity import Sensitivity

SMOOTH = "smooth"
"""The kind of a sensitivity whose derivatives exist to both sides."""


def solved(story: ModuleType) -> lg.Solution:
    """At the story's start and parameters, with the defaults of `solve`; it must be a verified success."""
    solution: lg.Solution = story.problem.solve(story.x0, story.p)
    if not solution.success:
        raise ArithmeticError(f"{story.__name__}: {solution.message}")
    return solution


def answer(solution: lg.Solution) -> Answer:
    """Value, variables and multipliers."""
    return _answer(solution.objective, solution.x, solution.multipliers, solution.bound_multipliers)


def derivatives(solution: lg.Solution, moves: Iterable[Move]) -> list[Answer]:
    """Along each move; one-sided where the multipliers are not unique (those that do not exist are NaN)."""
    s = solution.sensitivity()
    return [_derivative(solution, s, move) for move in moves]


def _derivative(solution: lg.Solution, s: Sensitivity, move: Move) -> Answer:
    if s.kind != SMOOTH:
        d = s.direction(move.along)
        return _answer(d.objective, d.x, d.multipliers, d.bound_multipliers)
    multipliers = {name: contracted(s.multipliers[name], move.along) for name in solution.multipliers}
    return Answer(
        contracted(s.objective, move.along),
        _by_key(s.x, solution.x, move.along),
        multipliers | _bounds(_by_key(s.bound_multipliers, solution.x, move.along)),
    )


def _answer(value: Any, x: Any, multipliers: Mapping[str, Any], bound_multipliers: Any) -> Answer:
    rows = {name: np.asarray(y, dtype=float) for name, y in multipliers.items()}
    return Answer(np.asarray(value, dtype=float), leaves(x), rows | _bounds(leaves(bound_multipliers)))


def _bounds(by_key: dict[str, Array]) -> dict[str, Array]:
    return {of_bounds(key): array for key, array in by_key.items()}


def _by_key(derivatives: Any, x: Any, along: Any, path: str = "") -> dict[str, Array]:
    # `derivatives` is a tree like x whose leaves are trees like p
    if not isinstance(x, Mapping):
        return {path or "x": contracted(derivatives, along)}
    found: dict[str, Array] = {}
    for key, value in x.items():
        found |= _by_key(derivatives[key], value, along, f"{path}.{key}" if path else str(key))
    return found
