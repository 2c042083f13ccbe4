"""An answer by name: value, variables and multipliers of one problem, whoever found them; and how two of them differ.

The derivative of an answer along a change of the parameters has the same parts, so it is an `Answer` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from problems.collection import Array

SMALLEST_SCALE = 1e-2
"""Smaller values are compared as if they were so large: an exact zero has no scale of its own."""


@dataclass(frozen=True)
class Answer:
    """What a solver says of one problem, or the derivative of that along a change of its parameters.

    A reference may know less than all: keys that it lacks are not compared.
    """

    value: Array
    """Of the objective as stated; shape ()."""
    x: dict[str, Array]
    """By the keys of the story's x, those of dicts inside dicts joined by dots; "x" where x is an array."""
    multipliers: dict[str, Array]
    """By the names of the constraints, and by `of_bounds(key)` for the bounds of x."""


@dataclass(frozen=True)
class Differences:
    """How far an answer is from a reference: each the largest, relative, over the keys that the reference has.

    NaN where the reference knows nothing; infinite where the answer does not, but the reference does.
    """

    value: float
    x: float
    multipliers: float

    @property
    def largest(self) -> float:
        """Of the three, those left out that are NaN; NaN where all are."""
        return float(np.fmax(np.fmax(self.value, self.x), self.multipliers))


def of_bounds(key: str) -> str:
    """The name of the multipliers of a variable's bounds."""
    return f"bounds of {key}"


def leaves(values: Any, path: str = "") -> dict[str, Array]:
    """The arrays of a dict of dicts, by their keys joined with dots; an array alone goes by "x".

    Examples
    --------
    >>> leaves({"a": 1.0, "b": {"c": 2.0}})
    {'a': array(1.), 'b.c': array(2.)}
    """
    if not isinstance(values, Mapping):
        return {path or "x": np.asarray(values, dtype=float)}
    found: dict[str, Array] = {}
    for key, value in values.items():
        found |= leaves(value, f"{path}.{key}" if path else str(key))
    return found


def combined(function: Callable[..., Array], *answers: Answer) -> Answer:
    """The answer whose every array is a function of the arrays that these have in its place."""
    first = answers[0]
    return Answer(
        function(*(answer.value for answer in answers)),
        {key: function(*(answer.x[key] for answer in answers)) for key in first.x},
        {key: function(*(answer.multipliers[key] for answer in answers)) for key in first.multipliers},
    )


def differences(answer: Answer, reference: Answer) -> Differences:
    """Of an answer from a reference, every array relative to the largest entry that it has in the reference."""
    return _differences(answer, reference, lambda _: SMALLEST_SCALE)


def derivative_differences(derivative: Answer, reference: Answer, answer: Answer, size: float) -> Differences:
    """The same for derivatives with respect to a parameter of this size.

    A derivative that is zero, or nearly, is measured against the one that would change the quantity by a
    hundredth when the parameter doubles.
    """
    return _differences(
        derivative,
        reference,
        lambda array: SMALLEST_SCALE * max(SMALLEST_SCALE, float(np.abs(array).max())) / size,
        answer,
    )


def largest(several: list[Differences]) -> Differences:
    """Of each kind the largest; NaN where all are, or none is given."""
    table = np.array([[each.value, each.x, each.multipliers] for each in several]).reshape(-1, 3)
    return Differences(*(float(np.nanmax(column)) if np.isfinite(column).any() else np.nan for column in table.T))


def _differences(
    answer: Answer, reference: Answer, smallest: Callable[[Array], float], level: Answer | None = None
) -> Differences:
    level = level or reference

    def difference(found: Array, expected: Array, at: Array) -> float:
        if np.shape(found) != np.shape(expected):
            raise ValueError(f"shapes {np.shape(found)} and {np.shape(expected)}")
        known = np.isfinite(expected)
        if not known.any():
            return np.nan
        error = np.abs(found - expected)[known]
        scale = max(float(np.abs(expected[known]).max()), smallest(at))
        return float(np.where(np.isnan(error), np.inf, error).max()) / scale

    def over_keys(found: dict[str, Array], expected: dict[str, Array], at: dict[str, Array]) -> float:
        return float(
            np.fmax.reduce([difference(found[key], expected[key], at[key]) for key in expected], initial=np.nan)
        )

    return Differences(
        difference(answer.value, reference.value, level.value),
        over_keys(answer.x, reference.x, level.x),
        over_keys(answer.multipliers, reference.multipliers, level.multipliers),
    )
