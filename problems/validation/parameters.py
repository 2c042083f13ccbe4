"""Changes of a problem's parameters, and derivatives of answers along them by solving again.

    x'(p) dp = lim (x(p + t dp) - x(p - t dp)) / 2t

The limit is taken as Ridders does: central differences of halved steps, extrapolated, and of all extrapolations the
one that its neighbours confirm best. No derivative enters, and the package's answer has no say in the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from problems.collection import Array
from problems.validation.answer import Answer, combined, leaves

NARROW = (1e-3, 5e-4, 2.5e-4, 1.25e-4)
"""Steps relative to the size of the parameter, for answers that are exact to rounding."""
WIDE = (2e-2, 1e-2, 5e-3, 2.5e-3)
"""The same for answers with errors, which differences divide by the step. Each is half of the one before."""
FEWEST = 3
"""Steps needed for a limit that others confirm."""
ORDER = 4.0
"""Halving the step divides the first term of the error of a central difference by so much, the next by its square."""


@dataclass(frozen=True)
class Move:
    """A direction in which parameters are changed."""

    name: str
    """Of the parameter: "price.coal", "noise[3]"."""
    along: Any
    """Like p."""
    size: float
    """Of the parameter, or 1 where it is zero."""


def moves_of(p: Any) -> list[Move]:
    """One for each number in p."""
    found = []
    for key, value in leaves(p).items():
        for index in np.ndindex(value.shape):
            along = {other: np.zeros_like(array) for other, array in leaves(p).items()}
            along[key][index] = 1.0
            name = key + (str(list(index)) if index else "")
            found.append(Move(name, _like(p, along), abs(float(value[index])) or 1.0))
    return found


def exchange(p: dict[str, Any], one: str, i: int, other: str, j: int) -> Move:
    """Entry i of one parameter and entry j of another grow together."""
    along = {key: np.zeros_like(value) for key, value in leaves(p).items()}
    along[one][i] = along[other][j] = 1.0
    return Move(f"{one}[{i}] and {other}[{j}]", _like(p, along), float(min(p[one][i], p[other][j])))


def moved(p: Any, along: Any, by: float) -> Any:
    """p + by * along."""
    if isinstance(p, Mapping):
        return {key: moved(value, along[key], by) for key, value in p.items()}
    return p + by * along


def contracted(derivative: Any, along: Any) -> Array:
    """The derivative along a direction, from arrays whose last axes are those of the parameters."""
    if isinstance(along, Mapping):
        return np.asarray(sum(contracted(derivative[key], entry) for key, entry in along.items()))
    return np.asarray(np.tensordot(derivative, along, axes=np.ndim(along)))


def by_solving_again(answer_at: Callable[[Any], Answer], p: Any, move: Move, relative_steps: Sequence[float]) -> Answer:
    """The derivative of the answers along a move, extrapolated from both sides of p.

    `answer_at` raises ArithmeticError where there is no answer; steps that reach so far are left out.
    """
    pairs: list[tuple[Answer, Answer]] = []
    steps: list[float] = []
    for step in sorted(relative * move.size for relative in relative_steps):
        try:
            pairs.insert(0, (answer_at(moved(p, move.along, step)), answer_at(moved(p, move.along, -step))))
        except ArithmeticError:
            break
        steps.insert(0, step)
    if len(steps) < FEWEST:
        raise ArithmeticError(f"no answers near enough along {move.name}")
    central = [
        combined(lambda up, down, step=step: (up - down) / (2 * step), *pair)
        for step, pair in zip(steps, pairs, strict=True)
    ]
    return Answer(
        extrapolated([each.value for each in central]),
        _together([each.x for each in central]),
        _together([each.multipliers for each in central]),
    )


def _together(central: list[dict[str, Array]]) -> dict[str, Array]:
    # One choice for all arrays, each relative to its largest entry: single numbers agree by chance too often.
    last = central[-1]
    scales = {key: _size(array) or 1.0 for key, array in last.items()}
    if not last:
        return {}
    limit = extrapolated([np.concatenate([np.ravel(each[key] / scales[key]) for key in last]) for each in central])
    parts = np.split(limit, np.cumsum([array.size for array in last.values()])[:-1])
    return {key: scales[key] * part.reshape(last[key].shape) for key, part in zip(last, parts, strict=True)}


def extrapolated(central: list[Array]) -> Array:
    """The limit of central differences of halved steps.

    Examples
    --------
    >>> steps = [0.1, 0.05, 0.025]
    >>> float(extrapolated([np.array((np.exp(h) - np.exp(-h)) / (2 * h)) for h in steps]).round(10))
    1.0
    """
    table = [[central[0]]]
    best, smallest = central[-1], np.inf
    for k in range(1, len(central)):
        row = [central[k]]
        for j in range(k):
            row.append(row[j] + (row[j] - table[k - 1][j]) / (ORDER ** (j + 1) - 1))
            error = max(_size(row[-1] - row[j]), _size(row[-1] - table[k - 1][j]))
            if error < smallest:
                best, smallest = row[-1], error
        table.append(row)
    return best


def _size(array: Array) -> float:
    return float(np.abs(array).max(initial=0.0))


def _like(p: Any, flat: Mapping[str, Array], path: str = "") -> Any:
    if isinstance(p, Mapping):
        return {key: _like(value, flat, f"{path}.{key}" if path else str(key)) for key, value in p.items()}
    array = flat[path or "x"]
    return array if array.ndim else float(array)
