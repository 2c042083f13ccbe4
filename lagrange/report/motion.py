"""How a solution moves with its parameters, as plain records: slopes, ranges, elasticities, re-solved values."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.report.about import About, Numbers, two_sided
from lagrange.sensitivity.verification import Trial


@dataclass(frozen=True)
class Slope:
    """Derivatives on one side of a parameter, with respect to it; nan, and a reason, where they do not exist."""

    objective: float
    x: Numbers
    multipliers: Numbers
    reason: str


@dataclass(frozen=True)
class Parameter:
    """One element of p: how far it can move with the same active set, slopes to both sides, and the span shown.

    `kink` tells which sides are active below it only, or above; empty where it has no range or no such side.
    """

    about: About
    value: float
    lower: float
    upper: float
    lower_event: str
    upper_event: str
    kink: str
    left: Slope
    right: Slope
    span: tuple[float, float]

    @property
    def is_ranged(self) -> bool:
        """Whether it is known how far it can move."""
        return not (math.isnan(self.lower) or math.isnan(self.upper))

    @property
    def influence(self) -> float:
        """How much the objective moves when it moves by its own size; infinite where no slope exists."""
        slopes = [abs(slope.objective) for slope in (self.left, self.right) if not math.isnan(slope.objective)]
        return max(slopes, default=math.inf) * (abs(self.value) or 1.0)

    @property
    def has_kink(self) -> bool:
        """Whether some derivative differs from side to side, or exists on one side only."""
        pairs = zip((self.left.objective, *self.left.x), (self.right.objective, *self.right.x), strict=True)
        return any(math.isnan(two_sided(left, right)) for left, right in pairs)


@dataclass(frozen=True)
class Sensitivities:
    """How the solution moves with its parameters; `hessian` is d2 objective / dp2, nan where it does not exist."""

    kind: str
    reason: str
    exact: bool
    ranges: str  # why the ranges are missing or by first order only; else empty
    parameters: tuple[Parameter, ...]
    hessian: tuple[Numbers, ...]

    @property
    def by_influence(self) -> list[int]:
        """Places of the parameters, those that move the objective most first."""
        return sorted(range(len(self.parameters)), key=lambda j: -self.parameters[j].influence)


@dataclass(frozen=True)
class Elasticities:
    """Percent of each row per percent of each column; nan where it does not exist."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[Numbers, ...]

    def largest(self, rows: int, columns: int) -> Elasticities:
        """Only these many rows and columns, in their order: the first row, and those with the largest entries."""
        values = np.array(self.values).reshape(len(self.rows), len(self.columns))
        kept = [0, *(1 + k for k in _largest(values[1:], 1, rows - 1))]
        across = _largest(values, 0, columns)
        return Elasticities(
            tuple(self.rows[i] for i in kept),
            tuple(self.columns[j] for j in across),
            tuple(map(tuple, values[np.ix_(kept, across)].tolist())),
        )


def _largest(values: Vector, axis: int, most: int) -> list[int]:
    sizes = np.nan_to_num(np.abs(values)).max(axis=axis, initial=0.0)
    return sorted(np.argsort(-sizes, kind="stable")[:most].tolist())


@dataclass(frozen=True)
class Share:
    """dV/dp of one parameter, split by the envelope theorem: f_p of the objective itself, and multipliers times c_p."""

    about: About
    direct: float
    through_constraints: float
    total: float


@dataclass(frozen=True)
class Envelope:
    """Why the objective moves: the most influential parameters first; `left_out` counts parameters."""

    shares: tuple[Share, ...]
    left_out: int


@dataclass(frozen=True)
class Bar:
    """The objective re-solved with one parameter low and high; nan where there is no solution.

    A remark says so, and where the value is that of another local solution.
    """

    about: About
    low_value: float
    high_value: float
    low: float
    high: float
    low_remark: str
    high_remark: str


@dataclass(frozen=True)
class Tornado:
    """Bars, the longest first. `share` is the relative change of each parameter, `left_out` counts parameters."""

    share: float
    base: float
    bars: tuple[Bar, ...]
    left_out: int


@dataclass(frozen=True)
class Curve:
    """The objective re-solved along one parameter, its slopes at the solution, and the band of the same active set.

    `remarks` has an entry for each point: empty where the solution there continues this one.
    """

    about: About
    base: float
    base_value: float
    points: Numbers
    values: Numbers
    remarks: tuple[str, ...]
    left: float
    right: float
    lower: float
    upper: float
    lower_event: str
    upper_event: str


@dataclass(frozen=True)
class Curves:
    """One curve per parameter, the most influential first; along those in `alone` there is no other solution."""

    curves: tuple[Curve, ...]
    alone: tuple[str, ...]
    left_out: int


@dataclass(frozen=True)
class Verified:
    """Predicted against re-solved."""

    holds: bool | None
    trials: tuple[Trial, ...]
