"""What a report says, as plain records of numbers and names: no words of its own, nothing about how it looks.

What does not exist at a solution is `Absent`, with the reason in a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from lagrange.optimality.check import Check
from lagrange.optimality.dependent_constraints import Dependence
from lagrange.report.about import About, Absent, Numbers, two_sided
from lagrange.report.motion import Curves, Elasticities, Envelope, Sensitivities, Tornado, Verified


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
class LeftOut:
    """How many numbers have no range in the report, because others matter more."""

    parameters: int
    sides: int
    bounds: int


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
    not_ranged: LeftOut
    elasticities: Elasticities | Absent
    tornado: Tornado | Absent
    envelope: Envelope | Absent
    curves: Curves | Absent
    verified: Verified | Absent
    convergence: tuple[Iteration, ...]
    computation: Computation
