"""`Solution`: the other door. A `Result` in the user's structure and names, with a table to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lagrange.derivatives.evaluation import Evaluation
from lagrange.kkt.residuals import Residuals
from lagrange.model.description import Descriptions
from lagrange.model.named_pytree import Vector
from lagrange.model.settings import Settings
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.monitor import IterationRecord
from lagrange.optimality.conditions import Conditions, conditions
from lagrange.optimality.dependent_constraints import DependentConstraints, dependent_constraints
from lagrange.optimality.multiplier_set import MultiplierSet, multiplier_set
from lagrange.result import Evaluations, Result
from lagrange.sensitivity.sensitivity import Sensitivity, sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
        Why the iteration ended.
    kind : PointKind
        What the point is; of a maximization, as of the minimization of -f.
    success : bool
        True only where the unscaled KKT residuals were verified and no negative curvature was found.
    message : str
        Verdict and advice in words, with names.
    residuals : Residuals
        Unscaled stationarity, feasibility, complementarity.
    active : list of str
        Names of the active constraints and bounds.
    iterations : int
        Newton systems solved.
    evaluations : Evaluations
        How often functions and derivatives were evaluated.
    time : float
        Seconds.
    history : tuple of IterationRecord
        One record of each iteration.
    result : Result
        The same on flat vectors.
    settings : Settings or None
        Of the solve; None where there was none.
    descriptions : Descriptions
        What names mean, as given to the problem.
    """

    def __init__(self, problem: Problem, result: Result, settings: Settings | None = None) -> None:
        self.problem = problem
        self.result = result
        self.settings = settings

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
        return self.result.program.by_constraint(-self.result.program.sign * self.result.y + 0.0)

    @property
    def bound_multipliers(self) -> Any:
        return self.result.program.variables.unflatten(self.result.z.copy())

    @property
    def descriptions(self) -> Descriptions:
        return self.problem.descriptions

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

    def conditions(self) -> Conditions:
        """Which conditions hold here: LICQ, MFCQ, strict complementarity, second order; by what margin, and why.

        Returns
        -------
        Conditions
            Print it. Each is a `Check` with `holds` (True, False, or None for "cannot decide"), `margin`, `detail`.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x, p: (x[0] - p) ** 2, bounds=(0.0, None))
        >>> check = problem.solve([1.0], 0.0).conditions().strict_complementarity
        >>> check.holds, check.detail
        (False, 'lower bound of x[0] is active with a multiplier of zero.')
        """
        return conditions(self._evaluation(), self.result)

    def multiplier_set(self) -> MultiplierSet:
        """All multipliers of this point: whether they exist and are unique, their intervals, the ones of least norm.

        Returns
        -------
        MultiplierSet
            Print it.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x: (x[0] - 2.0) ** 2, subject_to={
        ...     "one": lg.at_most(lambda x: x[0], 1.0), "two": lg.at_most(lambda x: 2.0 * x[0], 2.0)})
        >>> found = problem.solve([0.0]).multiplier_set()
        >>> found.unique, found.dimension, [round(end, 6) for end in found.interval["two"]]
        (False, 1, [0.0, 1.0])
        """
        return multiplier_set(self._evaluation(), self.result)

    def dependent_constraints(self) -> DependentConstraints:
        """The active constraints that depend linearly on each other here: which follows from which, or contradicts it.

        Returns
        -------
        DependentConstraints
            Print it.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x: x @ x, subject_to={
        ...     "sum": lg.equals(lambda x: x.sum(), 1.0), "twice": lg.equals(lambda x: 2 * x.sum(), 2.0)})
        >>> [group.sentence for group in problem.solve([0.0, 0.0]).dependent_constraints().groups]
        ['twice follows from the others: it can be dropped.']
        """
        return dependent_constraints(self._evaluation(), self.result)

    def sensitivity(self) -> Sensitivity:
        """How x, multipliers and objective move with parameters, right sides and bounds, and how far that holds.

        Returns
        -------
        Sensitivity
            `x`, `multipliers`, `objective` (nested like `jax.jacobian`), `kind`, `direction(dp)`, `predict(p)`,
            `elasticity`, `ranging()`, `verify()`.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x: x @ x, subject_to={
        ...     "sum": lg.equals(lambda x: x.sum(), lambda p: p["total"])})
        >>> s = problem.solve([0.0, 0.0], {"total": 2.0}).sensitivity()
        >>> s.kind, s.x["total"].round(6).tolist(), round(s.objective["total"], 6)
        ('smooth', [0.5, 0.5], 2.0)
        """

        def resolve(p: Vector) -> Result:
            return self.problem.solve(self.x, self.result.program.parameter_tree(p), warm=self).result

        return sensitivity(self.problem.parametric(self.problem.derivatives_of(self.result)), self.result, resolve)

    def report(self, file: str | Path, *, title: str | None = None) -> Path:
        """Write a report: the answer, prices in words, conditions, ranges, elasticities, what happens if, all checked.

        Parameters
        ----------
        file : str or Path
            Its ending says which: ".html" (one file that needs nothing else, with figures and sliders), ".md", ".txt",
            or ".json" (`lagrange.report.rendering.record` says how).
        title : str or None
            Default: the name of the file.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        ValueError
            For another ending.

        Examples
        --------
        >>> import tempfile
        >>> import lagrange as lg
        >>> solution = lg.Problem(minimize=lambda x: (x[0] - 2.0) ** 2, bounds=(None, 1.0)).solve([0.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     text = solution.report(f"{folder}/bounded.txt").read_text()
        >>> "upper bound of x[0]" in text
        True
        """
        from lagrange.report.rendering import write_report

        return write_report(self, file, title)

    def plot_geometry(self, ax: Axes | None = None) -> Axes:
        """For two variables: levels, feasible set, constraint curves, and the gradients in balance at the solution.

        Parameters
        ----------
        ax : matplotlib axes or None
            None, here and in the other plots, for those of a new figure.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            Unless there are two variables.
        """
        from lagrange.report.solution_plots import plot_geometry

        return plot_geometry(self, ax)

    def plot_multipliers(self, ax: Axes | None = None) -> Axes:
        """Bars of the multipliers of the active constraints, with the interval of each where they are not unique."""
        from lagrange.report.solution_plots import plot_multipliers

        return plot_multipliers(self, ax)

    def plot_tornado(self, ax: Axes | None = None) -> Axes:
        """The objective, solved again with each parameter 10 % lower and higher.

        Raises
        ------
        ValueError
            Where the problem has no parameters or the solution no sensitivity; so do the next two.
        """
        from lagrange.report.solution_plots import plot_tornado

        return plot_tornado(self, ax)

    def plot_value(self, parameter: str | None = None, ax: Axes | None = None) -> Axes:
        """The optimal objective against one parameter, by name, with its tangent and the band where it is valid."""
        from lagrange.report.solution_plots import plot_value

        return plot_value(self, parameter, ax)

    def plot_elasticities(self, ax: Axes | None = None) -> Axes:
        """Heat map: percent of objective, variables and prices per percent of each parameter."""
        from lagrange.report.solution_plots import plot_elasticities

        return plot_elasticities(self, ax)

    def plot_convergence(self, ax: Axes | None = None) -> Axes:
        """Infeasibility and stationarity over the iterations."""
        from lagrange.report.solution_plots import plot_convergence

        return plot_convergence(self, ax)

    def _evaluation(self) -> Evaluation:
        return self.result.evaluation(self.problem.derivatives_of(self.result))

    def __str__(self) -> str:
        from lagrange.report.text import solution_text

        return solution_text(self)

    def __repr__(self) -> str:
        return str(self)
