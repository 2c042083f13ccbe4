"""`Sensitivity`: how the solution, its multipliers and its value move when parameters, right sides and bounds move.

    dw/dp = -F_w^-1 F_p,      dV/dp = Lambda_p,      d2V/dp2 = [dx; I]' Lambda'' [dx; I]        w = (x, lambda)

Each number is given only where it exists: two-sided derivatives that do not exist raise `NotDifferentiable`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.result import Result
from lagrange.sensitivity.active_system import ActiveSystem, active_system
from lagrange.sensitivity.comparative_statics import (
    ComparativeStatics,
    LeChatelier,
    comparative_statics,
    le_chatelier,
)
from lagrange.sensitivity.covariance import Covariance, covariance
from lagrange.sensitivity.derivative import Derivative, derivative
from lagrange.sensitivity.directional import Change, change
from lagrange.sensitivity.kind import SMOOTH, UNDEFINED, kind_of
from lagrange.sensitivity.named_derivatives import SCALAR, NamedDerivatives
from lagrange.sensitivity.not_differentiable import guarded
from lagrange.sensitivity.overview import overview
from lagrange.sensitivity.parametric_program import ParametricProgram
from lagrange.sensitivity.ranging import Ranging, ranging
from lagrange.sensitivity.responses import Direction, Elasticity, Prediction, SideDerivatives
from lagrange.sensitivity.verification import STEP, Resolve, Verification, verify

ROUNDING = 1e-14  # variables below this, relative to the largest, are zero


class Sensitivity:
    """Sensitivities of one solution. Made by `Solution.sensitivity`.

    Attributes
    ----------
    kind : str
        "smooth": everything exists. "one-sided": a constraint is weakly active, some derivatives differ from side to
        side. "multipliers not unique": active constraints depend on each other. "undefined": the second-order condition
        fails, or the point is no verified solution.
    reason : str
        Why, with names.
    exact : bool
        False where derivatives with respect to the parameters are finite differences.
    """

    def __init__(
        self, system: ActiveSystem | None, result: Result, parametric: ParametricProgram, resolve: Resolve
    ) -> None:
        self._system, self._result = system, result
        self._program, self._parametric, self._resolve = result.program, parametric, resolve
        self.kind, self.reason = kind_of(system, result)
        self._named = NamedDerivatives(result.program, system, self.kind, self.reason)
        self.exact = system is None or system.at.exact

    @property
    def x(self) -> Any:
        """dx/dp: a pytree like x of pytrees like p; a plain array for plain x and p.

        Raises
        ------
        NotDifferentiable
            Where it does not exist: for dicts on reading the entry, else at once.
        """
        found = self._by_parameters
        return self._named.guarded(found.x, self._program.variables, self._program.parameters)

    @property
    def multipliers(self) -> Mapping[str, Any]:
        """d multipliers / dp by constraint name: pytrees like p, leaves of the constraint's shape + the parameter's.

        Raises
        ------
        NotDifferentiable
        """
        rows = self._named.spread(self._by_parameters.multipliers)[: self._program.m]
        layouts = self._named.constraint_layouts
        blocks = np.split(rows, np.cumsum([layout.size for layout in layouts.values()])[:-1]) if layouts else []
        parameters = self._program.parameters
        return self._named.by_name(
            {name: (block, layout, parameters) for (name, layout), block in zip(layouts.items(), blocks, strict=True)}
        )

    @property
    def bound_multipliers(self) -> Any:
        """d bound_multipliers / dp: a pytree like x of pytrees like p."""
        rows = self._named.spread(self._by_parameters.multipliers)[self._program.m :]
        return self._named.guarded(rows, self._program.variables, self._program.parameters)

    @property
    def objective(self) -> Any:
        """dV/dp, like p: the derivative of the optimal objective as stated (the envelope theorem)."""
        return self._named.like_p(self._program.sign * self._by_parameters.value)

    @property
    def objective_hessian(self) -> Any:
        """d2V/dp2: a pytree like p of pytrees like p."""
        parameters = self._program.parameters
        return self._named.guarded(self._program.sign * self.flat_objective_hessian(), parameters, parameters)

    @property
    def elasticity(self) -> Elasticity:
        """Percent of x and of the objective per percent of each parameter."""
        self._named.check_parameters()
        p, x, program = self._result.p, self._result.x, self._program
        size, value = float(np.abs(x).max()), self._result.objective
        nothing = np.abs(x) <= ROUNDING * size
        if abs(value) <= ROUNDING * self._result.residuals.stationarity_scale * size:
            value = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            of_x = np.where(nothing[:, None], np.nan, self._by_parameters.x * p / x[:, None])
            of_value = program.sign * self._by_parameters.value * p / value
        exists = np.isfinite(self._by_parameters.x)
        return Elasticity(
            x=guarded(of_x, exists, program.variables, program.parameters, self._named.explain),
            objective=self._named.like_p(of_value) if value else self._named.like_p(np.full(p.size, np.nan)),
        )

    @functools.cached_property
    def sides(self) -> SideDerivatives:
        """Derivatives of x and the objective with respect to the right sides of the constraints, as written."""
        program = self._program
        x, value = self._by_sides
        by_x, by_value, start = {}, {}, 0
        for name, layout in self._named.constraint_layouts.items():
            block = slice(start, start + layout.size)
            by_x[name] = x[:, block], program.variables, layout
            by_value[name] = value[None, block], SCALAR, layout
            start += layout.size
        return SideDerivatives(self._named.by_name(by_x), self._named.by_name(by_value))

    @functools.cached_property
    def bounds(self) -> SideDerivatives:
        """Derivatives of x and the objective with respect to the bound that a variable rests on, by variable name."""
        program = self._program
        x, value = (part[..., program.m :] for part in self._by_sides)
        names = program.variable_names
        return SideDerivatives(
            self._named.by_name({name: (x[:, [i]], program.variables, SCALAR) for i, name in enumerate(names)}),
            self._named.by_name({name: (value[None, [i]], SCALAR, SCALAR) for i, name in enumerate(names)}),
        )

    @property
    def shadow_prices(self) -> dict[str, tuple[Any, Any]]:
        """(left, right) derivatives of the objective with respect to each right side, by constraint name.

        The two differ where multipliers are not unique; infinite where the problem becomes infeasible on that side.
        """
        left, right = self._valid_system().prices
        lefts, rights = (self._program.by_constraint(ends[: self._program.m] + 0.0) for ends in (left, right))
        return {name: (lefts[name], rights[name]) for name in lefts}

    def direction(self, dp: Any) -> Direction:
        """One-sided derivatives when the parameters move along dp (like p): they exist at kinks too.

        Raises
        ------
        NotDifferentiable
            The problem becomes infeasible along dp, or the second-order condition fails.
        """
        self._named.check_parameters()
        flat = self._program.parameters.flatten(dp, "dp")
        return self._direction(change(self._valid_system(), flat, np.zeros(len(self._named.active_names))))

    def predict(self, p: Any) -> Prediction:
        """The solution at parameters p by Taylor's formula: x and multipliers to first order, the objective to second.

        At a kink the one-sided derivative along p - p0 is used.
        """
        self._named.check_parameters()
        flat = self._program.parameters.flatten(p, "p")
        moved = flat != self._result.p  # infinite ones may stay as they are
        dp = np.zeros(flat.size)
        dp[moved] = flat[moved] - self._result.p[moved]
        return self._prediction(dp)

    def ranging(self, names: str | Sequence[str] | None = None) -> Ranging:
        """How far each parameter, right side and active bound can move with the same active set, and what ends it.

        Parameters
        ----------
        names : str or sequence of str
            Of parameters, constraints, active bounds ("volume", "demand[2]", "upper bound of height"), or of what they
            belong to ("demand", "height"); default all. Each end is a path to follow: ask for few where there are many.

        Returns
        -------
        Ranging
            Print it. Ends are located on the path of the solution; by first order only where JAX cannot follow the
            functions (`corrected` is False).

        Raises
        ------
        NotDifferentiable
            The kind is "undefined".
        ValueError
            For a name of nothing that can move.
        """
        return ranging(self._valid_system(), self._parametric.derivatives, names)

    def verify(self, step: float = STEP) -> Verification:
        """Predicted against re-solved: every parameter is moved by +-step, relative, and the problem solved again.

        Returns
        -------
        Verification
            Print it; `holds` is True where all that could be judged agrees.

        Raises
        ------
        NotDifferentiable
            The kind is "undefined".
        """
        return verify(self._valid_system(), self._resolve, step)

    def comparative_statics(self) -> ComparativeStatics:
        """Signs of dx/dp, and dV/dp split into the objective's own part and the part through the constraints.

        Raises
        ------
        NotDifferentiable
            The kind is "undefined".
        """
        return comparative_statics(self._valid_system(), self._by_parameters)

    def le_chatelier(self, hold: str | Sequence[str] = (), free: str | Sequence[str] = ()) -> LeChatelier:
        """dx/dp beside the one with variables or inactive constraints held, or active ones freed at their price.

        Parameters
        ----------
        hold, free : name or names
            Of variables and constraint rows ("labour", "budget"); to be freed also bounds ("lower bound of labour").

        Raises
        ------
        NotDifferentiable
            The kind is not "smooth".
        ValueError
            For names that do not fit.
        """
        if self.kind != SMOOTH:
            raise self._named.explain()
        self._named.check_parameters()
        hold, free = ([names] if isinstance(names, str) else names for names in (hold, free))
        return le_chatelier(self._valid_system(), hold, free)

    def covariance(self, observations: int | None = None, *, variance: float | None = None) -> Covariance:
        """Covariance of x for a least-squares problem: the objective is a sum of squared residuals.

        Parameters
        ----------
        observations : int
            Number of residuals, to estimate their variance; or
        variance : float
            the variance of one residual, where it is known.

        Raises
        ------
        NotDifferentiable
            The kind is "undefined".
        ValueError
            Not exactly one of the two is given, or the problem is a maximization.
        """
        return covariance(self._valid_system(), observations, variance)

    def flat_objective_hessian(self) -> Vector:
        """d2V/dp2 of the signed objective on flat parameters, nan where it does not exist."""
        if self._system is None:
            return np.full((self._result.p.size,) * 2, np.nan)
        at, dx = self._system.at, self._by_parameters.x
        # [dx; I]' [ W  G; G'  Lambda_pp ] [dx; I], since A dx = -r
        cross = at.G.T @ dx
        return at.second + cross + cross.T + dx.T @ at.W @ dx

    def __str__(self) -> str:
        return overview(self._system, self._result, self.kind, self.reason, self._by_parameters)

    __repr__ = __str__

    @functools.cached_property
    def _by_parameters(self) -> Derivative:
        q, n = self._result.p.size, self._result.x.size
        if self._system is None or self.kind == UNDEFINED:
            k = len(self._named.active_names)
            value = np.full(q, np.nan)
            return Derivative(np.full((n, q), np.nan), np.full((k, q), np.nan), value)
        return derivative(self._system, np.eye(q), np.zeros((len(self._named.active_names), q)))

    @functools.cached_property
    def _by_sides(self) -> tuple[Vector, Vector]:
        # Columns for all rows and variables; zero for what is inactive.
        n, m = self._result.x.size, self._program.m
        x, value = np.zeros((n, m + n)), np.zeros(m + n)
        if self._system is None or self.kind == UNDEFINED:
            return x * np.nan, value * np.nan
        k = len(self._named.active_names)
        found = derivative(self._system, np.zeros((self._result.p.size, k)), np.eye(k))
        places = self._system.active.places
        x[:, places], value[places] = found.x, self._program.sign * found.value
        return x, value + 0.0

    def _prediction(self, dp: Vector) -> Prediction:
        system = self._valid_system()
        moved = change(system, dp, np.zeros(len(self._named.active_names)))
        curvature = moved.bend if np.isfinite(moved.bend) else 0.0
        program, result = self._program, self._result
        y = result.y + self._named.spread(moved.multipliers[:, None])[: program.m, 0]
        return Prediction(
            x=program.variables.tree(result.x + moved.x),
            multipliers=program.by_constraint(y),
            objective=result.objective + program.sign * (moved.value + 0.5 * curvature),
        )

    def _direction(self, moved: Change) -> Direction:
        program = self._program
        multipliers = self._named.spread(moved.multipliers[:, None])[:, 0]
        return Direction(
            x=program.variables.tree(moved.x + 0.0),
            multipliers=program.by_constraint(multipliers[: program.m]),
            bound_multipliers=program.variables.tree(multipliers[program.m :]),
            objective=program.sign * moved.value,
        )

    def _valid_system(self) -> ActiveSystem:
        if self._system is None or self.kind == UNDEFINED:
            raise self._named.explain()
        return self._system


def sensitivity(parametric: ParametricProgram, result: Result, resolve: Resolve) -> Sensitivity:
    """The sensitivities of a result; `resolve` solves the problem at other parameters."""
    system = None
    if result.success:
        evaluation = result.evaluation(parametric.derivatives)
        system = active_system(evaluation, parametric.source(result.x, result.p), result)
    return Sensitivity(system, result, parametric, resolve)
