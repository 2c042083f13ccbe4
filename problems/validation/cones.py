"""The answer of CVXPY's conic solver to a story problem, and CVXPY's own derivatives of it (by diffcp)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.constraints.zero import Equality
from scipy import sparse

from problems.collection import Array
from problems.cvxpy_model import CvxpyModel
from problems.validation.answer import Answer, leaves, of_bounds
from problems.validation.parameters import NARROW, Move, extrapolated

TOLERANCES = (1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8)
"""Asked of the conic solver, in turn until it has an answer; errors in x are about the root of the gap it leaves."""
REDUCED_TOLERANCE = 1e-8
"""Accepted where rounding keeps it from the tolerance; not so below diffcp, which takes no inaccurate answer."""
GAP = ("tol_gap_abs", "tol_gap_rel", "tol_feas")
SEMIDEFINITE = "semidefinite"
MODE = "dense"
"""Of diffcp, which solves its linear system by LSQR unless told otherwise, and less exactly."""
OF_SCS = {"eps": 1e-12, "max_iters": 100_000}
"""Options of the solver below diffcp."""
UNFINISHED = KeyError
"""What diffcp raises for an answer that its solver calls inaccurate."""
NOT_SAYABLE = RuntimeError
"""What CVXPY raises where NumPy's functions meet a parameter: the story's model needs its number."""


@dataclass(frozen=True)
class WithParameters:
    """A CVXPY problem with parameters in it; once it is solved, its derivatives can be asked for."""

    problem: cp.Problem
    x: Mapping[str, cp.Expression]
    parameters: Mapping[str, cp.Parameter]

    def derivative(self, move: Move) -> Answer:
        """Along a move of these parameters. CVXPY differentiates no multipliers."""
        along = leaves(move.along)
        for key, parameter in self.parameters.items():
            parameter.delta = along[key]
        self.problem.derivative()
        value = change(self.problem.objective.expr) + self._partial(move)
        return Answer(np.reshape(value, ()), {key: change(expression) for key, expression in self.x.items()}, {})

    def _partial(self, move: Move) -> Array:
        # Of the objective, x held: CVXPY has no name for it.
        at = {key: parameter.value for key, parameter in self.parameters.items()}
        along = leaves(move.along)

        def objective(step: float) -> Array:
            for key, parameter in self.parameters.items():
                parameter.value = at[key] + step * along[key]
            return np.asarray(self.problem.objective.expr.value)

        steps = [relative * move.size for relative in NARROW]
        partial = extrapolated([(objective(step) - objective(-step)) / (2 * step) for step in steps])
        for key, parameter in self.parameters.items():
            parameter.value = at[key]
        return partial


def solve_by_scs(problem: cp.Problem) -> None:
    """As exactly as SCS can: a first-order solver, which ends at rounding where it is given the time."""
    with _inaccuracy_allowed():
        problem.solve(solver=cp.SCS, **OF_SCS)
    _check(problem)


def solve_by_clarabel(problem: cp.Problem) -> None:
    """As exactly as Clarabel can: an interior-point solver, whose errors in x are about the root of its gap."""
    for tolerance in TOLERANCES:
        with _inaccuracy_allowed(), suppress(cp.SolverError):
            problem.solve(
                solver=cp.CLARABEL,
                **dict.fromkeys(GAP, tolerance),
                **{f"reduced_{name}": REDUCED_TOLERANCE for name in GAP},
            )
            break
    _check(problem)


def solve_with_derivatives(problem: cp.Problem) -> None:
    """By diffcp, told to be exact, and to factorize its linear system.

    Around SCS; where that does not come to an end around Clarabel, to the smallest tolerance that it reaches.
    """
    with _inaccuracy_allowed():
        problem.solve(solver=cp.DIFFCP, requires_grad=True, solve_method="SCS", mode=MODE, **OF_SCS)
    if problem.status == cp.OPTIMAL:
        return
    for tolerance in TOLERANCES:
        with suppress(UNFINISHED):
            solve_around_clarabel(problem, tolerance)
            return
    raise ArithmeticError(f"diffcp reaches no tolerance of {TOLERANCES[-1]:g}")


def solve_around_clarabel(problem: cp.Problem, tolerance: float) -> None:
    """By diffcp around the other solver that it knows."""
    options = dict.fromkeys(GAP, tolerance)
    with _inaccuracy_allowed():
        problem.solve(solver=cp.DIFFCP, requires_grad=True, solve_method="CLARABEL", mode=MODE, **options)


def solve_as_it_comes(problem: cp.Problem) -> None:
    """By diffcp, told nothing."""
    with _inaccuracy_allowed():
        problem.solve(requires_grad=True)


@contextmanager
def _inaccuracy_allowed() -> Iterator[None]:
    # The tolerances are smaller than rounding allows here and there; what is left is what the page reports.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate|Solved/Inaccurate")
        yield


def _check(problem: cp.Problem) -> None:
    if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        raise ArithmeticError(f"the conic solver ends with {problem.status}")


def answer_at(story: ModuleType, p: Any, solve: Callable[[cp.Problem], None] = solve_by_scs) -> Answer:
    """At any p.

    Raises
    ------
    ArithmeticError
        Where there is none.
    """
    known: CvxpyModel = story.cvxpy_model(p)
    solve(known.model)
    x = {key: np.asarray(expression.value, dtype=float) for key, expression in known.variables.items()}
    rows = {name: multiplier(constraint) for name, constraint in known.constraints.items()}
    bounds = {of_bounds(key): bound_multiplier(known.bounds.get(key), array) for key, array in x.items()}
    return Answer(np.asarray(known.model.value, dtype=float), x, rows | bounds)


def multiplier(constraint: cp.Constraint) -> Array:
    """The multiplier y of L = f + y . c from CVXPY's dual value of `c == rhs`, `c <= hi` or `c >= lo`.

    CVXPY keeps `c >= lo` as lo <= c: a constant first argument tells a lower side, whose multiplier is negative here.
    """
    dual = np.reshape(np.asarray(constraint.dual_value, dtype=float), constraint.shape)
    lower = not isinstance(constraint, Equality) and constraint.args[0].is_constant()
    return -dual if lower else dual


def with_parameters(story: ModuleType, p: Any, keys: frozenset[str], mode: str = MODE) -> WithParameters | None:
    """The story's model with CVXPY parameters in the place of these numbers; None where that is not DPP."""
    parameters = {
        key: cp.Parameter(value.shape, value=value, nonneg=bool((value >= 0).all()))
        for key, value in leaves(p).items()
        if key in keys
    }
    try:
        known: CvxpyModel = story.cvxpy_model(_replaced(p, parameters))
    except NOT_SAYABLE:
        return None
    if not known.model.is_dcp(dpp=True):
        return None
    return WithParameters(known.model, known.variables, parameters)


def kind(problem: cp.Problem) -> str:
    """What the conic solver is given, in words."""
    data = problem.get_problem_data(cp.CLARABEL)[0]
    cones = {
        SEMIDEFINITE: data["dims"].psd,
        "exponential cone": data["dims"].exp,
        "second-order cone": data["dims"].soc,
    }
    bent = data.get("P") is not None and data["P"].nnz
    return next((name for name, dims in cones.items() if dims), "quadratic" if bent else "linear")


def bound_multiplier(pair: tuple[cp.Constraint | None, cp.Constraint | None] | None, x: Array) -> Array:
    """Lower (negative) plus upper (positive) multiplier of the bounds of x; zero where there are none."""
    sides = [multiplier(bound) for bound in pair or () if bound is not None]
    return np.asarray(sum(sides, np.zeros(x.shape)))


def change(expression: cp.Expression) -> Array:
    """Of an expression, from the changes of its variables that CVXPY has left in their `delta`."""
    # CVXPY's gradients are transposed (a number where both are scalars), all arrays are taken column by column
    total = np.zeros(expression.size)
    for variable, gradient in expression.grad.items():
        matrix = np.reshape(gradient.toarray() if sparse.issparse(gradient) else gradient, (variable.size, -1))
        total = total + matrix.T @ np.ravel(variable.delta, order="F")
    return np.reshape(total, expression.shape, order="F")


def _replaced(p: Any, parameters: Mapping[str, cp.Parameter], path: str = "") -> Any:
    if isinstance(p, Mapping):
        return {key: _replaced(value, parameters, f"{path}.{key}" if path else str(key)) for key, value in p.items()}
    return parameters.get(path, p)
