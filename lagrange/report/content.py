"""What a report says, as plain records of numbers and names: no words of its own, nothing about how it looks.

What does not exist at a solution is `Absent`, with the reason in a sentence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lagrange.optimality.check import Check
from lagrange.optimality.dependent_constraints import Dependence
from lagrange.sensitivity.verification import Trial

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


@dataclass(frozen=True)
class Conflict:
    """Constraints that cannot be met together: one row each with what to add to its side; nan where that is no help."""

    message: str
    names: tuple[str, ...]
    repair_alone: Numbers
    repair_together: Numbers


@dataclass(frozen=True)
class Answer:
    """What was found, or what went wrong; `maximize` is the sense of the problem."""

    success: bool
    kind: str
    stop: str
    headline: str
    remarks: tuple[str, ...]
    maximize: bool
    objective: About
    value: float
    blame: tuple[str, ...]
    conflict: Conflict | Absent


@dataclass(frozen=True)
class Side:
    """One right side, limit or bound: its price from the left and from the right, and how far it can move.

    Attributes
    ----------
    kind : str
        "right side", "lower limit", "upper limit", "lower bound" or "upper bound".
    left, right : float
        Derivative of the objective as stated with respect to the value; nan where there is none.
    decrease, increase : float
        Allowable, with the same active set; nan where not known.
    decrease_event, increase_event : str
        What ends it.
    """

    kind: str
    value: float
    left: float
    right: float
    decrease: float
    increase: float
    decrease_event: str
    increase_event: str

    @property
    def price(self) -> float:
        """The two-sided one; nan where the sides differ."""
        return two_sided(self.left, self.right)


@dataclass(frozen=True)
class VariableRow:
    """One element of x. `lower`, `upper` are infinite where absent; `sides` are its active bounds."""

    about: About
    value: float
    lower: float
    upper: float
    multiplier: float
    state: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class ConstraintRow:
    """One row of the constraints. `slack` is nan where it has no side."""

    about: About
    lower: float
    value: float
    upper: float
    slack: float
    multiplier: float
    state: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Condition:
    """One condition, by its plain name and its short one."""

    name: str
    short: str
    check: Check


@dataclass(frozen=True)
class MultiplierRow:
    """One active constraint: the interval of its multiplier, the one of least norm, and the one returned."""

    name: str
    low: float
    high: float
    least_norm: float
    returned: float


@dataclass(frozen=True)
class Multipliers:
    """The set of multipliers; `dimension` is 0 where they are unique."""

    dimension: int
    advice: str
    rows: tuple[MultiplierRow, ...]


@dataclass(frozen=True)
class Slope:
    """Derivatives on one side of a parameter, with respect to it; nan, and a reason, where they do not exist."""

    objective: float
    x: Numbers
    multipliers: Numbers
    reason: str


@dataclass(frozen=True)
class Parameter:
    """One element of p: how far it can move with the same active set, slopes to both sides, and the span shown."""

    about: About
    value: float
    lower: float
    upper: float
    lower_event: str
    upper_event: str
    left: Slope
    right: Slope
    span: tuple[float, float]

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


@dataclass(frozen=True)
class Elasticities:
    """Percent of each row per percent of each column; nan where it does not exist."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[Numbers, ...]


@dataclass(frozen=True)
class Bar:
    """The objective re-solved with one parameter low and high; nan, with a remark, where there is no solution."""

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
    """The objective re-solved along one parameter, its slopes at the solution, and the band of the same active set."""

    about: About
    base: float
    base_value: float
    points: Numbers
    values: Numbers
    left: float
    right: float
    lower: float
    upper: float
    lower_event: str
    upper_event: str


@dataclass(frozen=True)
class Curves:
    """One curve per parameter, the most influential first."""

    curves: tuple[Curve, ...]
    left_out: int


@dataclass(frozen=True)
class Verified:
    """Predicted against re-solved."""

    holds: bool | None
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Iteration:
    """One line of the history."""

    iteration: int
    phase: str
    objective: float
    infeasibility: float
    stationarity: float
    step: float


@dataclass(frozen=True)
class Computation:
    """How it was computed. `method` and `tolerance` are empty and nan for a point that was examined, not solved."""

    method: str
    tolerance: float
    iterations: int
    value_evaluations: int
    derivative_evaluations: int
    seconds: float
    seconds_in_functions: float
    residuals: dict[str, float]
    versions: dict[str, str]
    made: str


@dataclass(frozen=True)
class Content:
    """All of a report, in the order of the reader's questions."""

    title: str
    answer: Answer
    variables: tuple[VariableRow, ...]
    constraints: tuple[ConstraintRow, ...]
    conditions: tuple[Condition, ...]
    multipliers: Multipliers
    dependent: tuple[Dependence, ...]
    sensitivities: Sensitivities | Absent
    elasticities: Elasticities | Absent
    tornado: Tornado | Absent
    curves: Curves | Absent
    verified: Verified | Absent
    convergence: tuple[Iteration, ...]
    computation: Computation
