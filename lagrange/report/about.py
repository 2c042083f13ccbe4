"""A name with its meaning and unit, what is absent, and derivatives to both sides: small records of all of a report."""

from __future__ import annotations

import math
from dataclasses import dataclass

Numbers = tuple[float, ...]

SAME = 1e-9  # derivatives to both sides that differ by less, relative, are one


def two_sided(left: float, right: float) -> float:
    """The derivative, nan where the sides differ.

    Examples
    --------
    >>> two_sided(1.0, 1.0 + 1e-15), two_sided(1.0, 2.0)
    (1.000000000000001, nan)
    """
    is_same = left == right or (
        math.isfinite(left - right) and abs(left - right) <= SAME * max(abs(left), abs(right), SAME)
    )
    return right if is_same else math.nan


@dataclass(frozen=True)
class Absent:
    """Why something is not there, in a sentence."""

    reason: str


@dataclass(frozen=True)
class About:
    """A name, what it means, and its unit; the last two are empty where not given."""

    name: str
    text: str
    unit: str
