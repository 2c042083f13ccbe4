"""`Solution`: the other door. A `Result` in the user's structure and names, with a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lagrange.kkt.residuals import Residuals
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.monitor import IterationRecord
from lagrange.result import Evaluations, Result

if TYPE_CHECKING:
    from lagrange.problem import Problem


class Solution:
    """The verified answer of one solve. Print it.

    Attributes
    ----------
    x, p
        Like x0 and p.
    objective : float
        As stated, for minimize and maximize alike.
    multipliers : dict
        y by constraint name, shaped like the constraint; L = f + y . c + z . x, f negated for maximize.
    shadow_prices : dict
        d objective / d right side, by constraint name: -y for minimize, +y for maximize.
    bound_multipliers
        z, like x: negative at an active lower bound, positive at an active upper bound.
    stop : StopReason
    kind : PointKind
    success : bool
        True only where the unscaled KKT residuals were verified and no negative curvature was found.
    message : str
    residuals : Residuals
        Unscaled stationarity, feasibility, complementarity.
    active : list of str
        Names of the active constraints and bounds.
    iterations : int
        Newton systems solved.
    evaluations : Evaluations
    time : float
        Seconds.
    history : tuple of IterationRecord
    result : Result
        The same on flat vectors.
    """

    def __init__(self, problem: Problem, result: Result) -> None:
        self.problem = problem
        self.result = result

    @property
    def x(self) -> Any:
        return self.result.program.variables.unflatten(self.result.x.copy())

    @property
    def p(self) -> Any:
        return self.result.program.parameter_tree(self.result.p.copy())

    @property
    def objective(self) -> float:
        return self.result.objective

    @property
    def multipliers(self) -> dict[str, Any]:
        return self.result.program.by_constraint(self.result.y.copy())

    @property
    def shadow_prices(self) -> dict[str, Any]:
        return self.result.program.by_constraint(-self.result.program.sign * self.result.y)

    @property
    def bound_multipliers(self) -> Any:
        return self.result.program.variables.unflatten(self.result.z.copy())

    @property
    def stop(self) -> StopReason:
        return self.result.stop

    @property
    def kind(self) -> PointKind:
        return self.result.kind

    @property
    def success(self) -> bool:
        return self.result.success

    @property
    def message(self) -> str:
        return self.result.message

    @property
    def residuals(self) -> Residuals:
        return self.result.residuals

    @property
    def active(self) -> list[str]:
        return self.result.active_names()

    @property
    def iterations(self) -> int:
        return self.result.iterations

    @property
    def evaluations(self) -> Evaluations:
        return self.result.evaluations

    @property
    def time(self) -> float:
        return self.result.seconds

    @property
    def history(self) -> tuple[IterationRecord, ...]:
        return self.result.history

    def __str__(self) -> str:
        from lagrange.report.text import solution_text

        return solution_text(self)

    def __repr__(self) -> str:
        return str(self)
