"""CVXPY's smooth problem as a program of `lagrange`, evaluated by CVXPY's differentiation engine.

CVXPY lays arrays out column by column, `lagrange` row by row and by name, so variables and rows are permuted between:

    x_cvxpy = x[columns],   c_cvxpy = c[rows]
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.constraints.nonpos import Inequality, NonNeg, NonPos
from cvxpy.constraints.zero import Equality, Zero
from cvxpy.reductions.solvers.nlp_solvers.nlp_solver import Oracles
from cvxpy.reductions.utilities import lower_equality, lower_ineq_to_nonneg
from numpy.typing import NDArray

from lagrange.derivatives.automatic import CompiledFunctions
from lagrange.derivatives.evaluation import Derivatives
from lagrange.interfaces.cvxpy_atoms import dense, evaluate
from lagrange.interfaces.cvxpy_bounds import bounds_of
from lagrange.interfaces.cvxpy_leaves import refused_attribute, start
from lagrange.interfaces.cvxpy_names import distinct, short, shortened
from lagrange.interfaces.cvxpy_norms import norm_of_zero
from lagrange.interfaces.cvxpy_powers import OneSidedPowers, one_sided_powers
from lagrange.model.constraint import Constraint
from lagrange.model.named_pytree import Layout, Vector, layout_of
from lagrange.model.program import Definition, Program, UserFunction, float64_in_jax

Places = NDArray[np.intp]

HELD = 1e-4  # what is less than this may be held by a bound of zero
BEYOND = 1e-6  # what is less than zero by more than this is negative


@dataclass(frozen=True)
class SmoothProgram:
    """A problem of constraints `expression == 0` and `expression >= 0`, and how its answer is read.

    Attributes
    ----------
    smooth : cvxpy.Problem
        As CVXPY hands it over.
    problem : cvxpy.Problem
        Minimize, with constraints of the types Zero and NonNeg.
    layout : Layout
        Of x as a dict by variable name.
    columns, rows : where the entries of CVXPY's x and c lie in ours
    unlimited : where each constraint has an infinite right side, which limits nothing
    x0, lower, upper : in CVXPY's order
    powers : see `cvxpy_powers`
    """

    smooth: cp.Problem
    problem: cp.Problem
    names: tuple[str, ...]
    layout: Layout
    columns: Places
    rows: Places
    unlimited: tuple[NDArray[np.bool_], ...]
    x0: Vector
    lower: Vector
    upper: Vector
    powers: OneSidedPowers

    @property
    def variable_ids(self) -> tuple[int, ...]:
        return tuple(variable.id for variable in self.problem.variables())

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(variable.size for variable in self.problem.variables())

    @functools.cached_property
    def convex(self) -> bool:
        """True where the constraints are known to describe a convex set."""
        return all(constraint.is_dcp() for constraint in self.problem.constraints)

    @property
    def reversed_bounds(self) -> str:
        """The first variable whose bounds exclude each other, or "".

        No solve is needed to see that such a problem is infeasible.
        """
        wrong = np.flatnonzero(self.to_lagrange(self.lower) > self.to_lagrange(self.upper))
        return self.layout.names()[wrong[0]] if wrong.size else ""

    def to_lagrange(self, x: Vector) -> Vector:
        """x in our order, from CVXPY's."""
        permuted = np.empty_like(x)
        permuted[self.columns] = x
        return permuted

    def to_cvxpy(self, x: Vector) -> Vector:
        """x in CVXPY's order, from ours."""
        return x[self.columns]

    def variable_values(self, x: Vector) -> dict[int, Any]:
        """The values of CVXPY's variables by id."""
        parts = _split(self.to_cvxpy(x), self.problem.variables())
        return {
            variable.id: part.reshape(variable.shape, order="F")
            for variable, part in zip(self.problem.variables(), parts, strict=True)
        }

    def beyond_power(self, x: Vector) -> str:
        """An argument that is negative at x, though CVXPY's power may be defined for x >= 0 only, or ""."""
        values = self._values(x)
        with float64_in_jax():
            wrong = [item for item in self.powers.doubtful if np.min(evaluate(item, values)) < -BEYOND]
        return shortened(str(wrong[0])) if wrong else ""

    def held_by_no_weight(self, x: Vector) -> bool:
        """True where CVXPY's smooth form of a geometric mean holds an entry without a weight at zero."""
        values = self._values(x)
        with float64_in_jax():
            return any(np.min(evaluate(item, values)) < HELD for item in self.powers.unweighted)

    def norm_of_zero(self, x: Vector) -> str:
        """A sentence that names a norm that is about zero at x, or ""."""
        return norm_of_zero(self.smooth, self._values(x))

    def _values(self, x: Vector) -> dict[int, Any]:
        return self.variable_values(x) | {item.id: dense(item.value) for item in self.problem.parameters()}

    def dual_values(self, y: Vector | None) -> dict[int, Any]:
        """The dual values of CVXPY's constraints by id; None, which erases older ones, where there are no multipliers.

        CVXPY's Lagrangian is f + dual . (lhs - rhs) for `lhs == rhs` and for `lhs <= rhs`. Here the rows are
        lhs - rhs = 0 and rhs - lhs >= 0 in f + y . c, so dual = y for the first and dual = -y for the second.
        """
        constraints = self.problem.constraints
        if y is None:
            return {constraint.id: None for constraint in constraints}
        duals: dict[int, Any] = {}
        for constraint, part in zip(constraints, _split(y[self.rows], constraints), strict=True):
            value = (part if isinstance(constraint, Zero) else 0.0 - part).reshape(constraint.shape, order="F")
            # One that is given twice has two multipliers, which count for it together.
            duals[constraint.id] = duals[constraint.id] + value if constraint.id in duals else value
        return duals

    def derivatives(self) -> Derivatives:
        """The evaluators of the program.

        CVXPY would keep its engine between solves and update the parameters in it. But some of its reductions write the
        values of parameters into the smooth problem, so the engine is built anew for every solve.
        """
        problem = self.problem
        engine = Engine(problem, self.columns, self.rows, by_columns(self.unlimited).astype(bool))
        functions = [UserFunction("objective", "objective", engine.call(slice(0, 1), self.layout, ()), False, ())]
        constraints: dict[str, Constraint] = {}
        start = 1
        for constraint, name, unlimited in zip(problem.constraints, self.names, self.unlimited, strict=True):
            call = engine.call(slice(start, start + constraint.size), self.layout, constraint.shape)
            start += constraint.size
            functions.append(UserFunction("constraint", name, call, False, constraint.shape))
            is_equality = isinstance(constraint, Zero)
            lower = np.where(unlimited, -np.inf, 0.0)
            constraints[name] = Constraint(call, lower, 0.0 if is_equality else np.inf, is_equality)
        bounds = tuple(self.layout.unflatten(self.to_lagrange(side)) for side in (self.lower, self.upper))
        definition = Definition(functions[0].call, False, constraints, bounds)
        program = Program(definition, self.layout, Layout(None, (), ()), tuple(functions), 1.0)
        compiled = CompiledFunctions(engine.values, engine.derivatives)
        all_rows: Any = np.arange(start)
        return Derivatives(program, compiled, all_rows, (), np.ones(start))


class Engine:
    """F(x) = (f, c), its Jacobian and the Hessian of w . F by CVXPY's engine, dense and in our order."""

    def __init__(self, problem: cp.Problem, columns: Places, rows: Places, unlimited: NDArray[np.bool_]) -> None:
        try:
            self.oracles = Oracles(problem, verbose=False)
        except (NotImplementedError, ValueError) as error:
            raise cp.SolverError(
                f"CVXPY's differentiation engine cannot take this problem: {error}. "
                f"lagrange.from_cvxpy(problem) does not use it and may."
            ) from error
        self.columns, self.rows, self.unlimited = columns, rows, unlimited
        jacobian, hessian = self.oracles.jacobianstructure(), self.oracles.hessianstructure()
        self.jacobian_places = 1 + rows[jacobian[0]], columns[jacobian[1]]
        self.hessian_places = columns[hessian[0]], columns[hessian[1]]

    def values(self, x: Vector, p: Vector) -> Vector:
        """F(x), shape (1 + m,); there are no p: CVXPY's parameters have their values inside the engine."""
        u = x[self.columns]
        result = np.empty(1 + self.rows.size)
        result[0] = self.oracles.objective(u)
        result[1 + self.rows] = np.where(self.unlimited, 0.0, self.oracles.constraints(u))
        return result

    def derivatives(self, x: Vector, p: Vector, weights: Vector) -> tuple[Vector, Vector]:
        """Jacobian of F, shape (1 + m, n), and Hessian of weights . F, shape (n, n)."""
        self.values(x, p)  # the engine differentiates at the point of its last values
        u = x[self.columns]
        jacobian = np.zeros((weights.size, x.size))
        jacobian[0, self.columns] = self.oracles.gradient(u)
        jacobian[self.jacobian_places] = self.oracles.jacobian(u)
        hessian = np.zeros((x.size, x.size))
        entries = self.oracles.hessian(u, weights[1:][self.rows], float(weights[0]))
        hessian[self.hessian_places] = entries
        hessian[self.hessian_places[::-1]] = entries
        return jacobian, hessian

    def call(self, rows: slice, layout: Layout, shape: tuple[int, ...]) -> Callable[[Any], Any]:
        """These rows of F as a function of x by name."""
        return lambda x: self.values(layout.flatten(x, "x"), np.empty(0))[rows].reshape(shape)


def smooth_program(smooth: cp.Problem) -> SmoothProgram:
    """The program of a smooth problem, at the values that its variables have.

    Raises
    ------
    cvxpy.SolverError
        Where the problem has no variables, one that is not real, or a constraint that is neither an equality nor an
        inequality, by name.
    """
    powers = one_sided_powers(smooth)
    constraints = [*smooth.constraints, *(argument >= 0 for argument in powers.certain)]
    names = distinct(short(str(constraint), f"constraint {i}") for i, constraint in enumerate(constraints))
    problem = cp.Problem(smooth.objective, [_lowered(constraint) for constraint in constraints])
    variables = problem.variables()
    if not variables:
        raise cp.SolverError("The problem has no variables: there is nothing to solve for.")
    for variable in variables:
        # CVXPY would leave out that a variable is an integer.
        if refused_attribute(variable):
            raise cp.SolverError(
                f"Solver 'LAGRANGE' takes real variables, but {variable.name()} has the attribute "
                f"{refused_attribute(variable)}."
            )
    # Bounds, x and the engine must agree on the order of the variables: all take that of the lowered problem.
    keys = distinct(variable.name() for variable in variables)
    layout = layout_of({key: np.zeros(variable.shape) for key, variable in zip(keys, variables, strict=True)}, "x")
    places = layout.unflatten(np.arange(layout.size))
    bounds = [bounds_of(variable) for variable in variables]
    return SmoothProgram(
        smooth=smooth,
        problem=problem,
        names=names,
        powers=powers,
        layout=layout,
        columns=by_columns([places[key] for key in keys]).astype(np.intp),
        rows=_row_places(problem.constraints),
        unlimited=tuple(map(_unlimited, constraints)),
        x0=by_columns(start(variable.value, *sides) for variable, sides in zip(variables, bounds, strict=True)),
        lower=by_columns(lower for lower, _ in bounds),
        upper=by_columns(upper for _, upper in bounds),
    )


def _lowered(constraint: cp.Constraint) -> cp.Constraint:
    if isinstance(constraint, Equality):
        return lower_equality(constraint)
    if isinstance(constraint, Inequality):
        return lower_ineq_to_nonneg(constraint)
    if isinstance(constraint, NonPos):
        return NonNeg(-constraint.args[0], constr_id=constraint.id)
    if isinstance(constraint, Zero | NonNeg):
        return constraint
    hint = " (a variable with the attribute PSD or NSD has one)" if isinstance(constraint, cp.constraints.PSD) else ""
    raise cp.SolverError(
        f"Solver 'LAGRANGE' takes equalities and inequalities, but {constraint} is of type "
        f"{type(constraint).__name__}{hint}."
    )


def _unlimited(constraint: cp.Constraint) -> NDArray[np.bool_]:
    """Where an inequality is x <= inf or -inf <= x."""
    unlimited = np.zeros(constraint.shape, dtype=bool)
    if isinstance(constraint, Inequality):
        lhs, rhs = constraint.args
        unlimited |= np.isneginf(dense(lhs.value)) if lhs.is_constant() else False
        unlimited |= np.isposinf(dense(rhs.value)) if rhs.is_constant() else False
    return unlimited


def by_columns(arrays: Iterable[Any]) -> Vector:
    """All entries of the arrays, each array column by column, as CVXPY has them."""
    return np.concatenate([np.empty(0), *(np.ravel(array, order="F") for array in arrays)])


def _row_places(constraints: list[cp.Constraint]) -> Places:
    places, start = [], 0
    for constraint in constraints:
        places.append(np.arange(start, start + constraint.size).reshape(constraint.shape))
        start += constraint.size
    return by_columns(places).astype(np.intp)


def _split(vector: Vector, parts: list[Any]) -> list[Vector]:
    return np.split(vector, np.cumsum([part.size for part in parts])[:-1]) if parts else []
