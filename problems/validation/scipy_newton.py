"""The answer of SciPy to a story problem: SLSQP from the story's start, then a root of its optimality conditions.

    F(x, y_A) = (grad f + J_A' y_A,  c_A - side) = 0

for the active rows and bounds A that SLSQP has left, by MINPACK's hybrid method; signs of the multipliers and all
other sides are checked afterwards. It shares the functions and their exact derivatives with the package (the tests
compare those with differences), and nothing of its solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize, root

from lagrange.derivatives.evaluation import Evaluation
from problems.collection import Array
from problems.validation.answer import Answer, leaves, of_bounds

Indices: TypeAlias = NDArray[np.intp]

FTOL, ITERATIONS = 1e-14, 1000
"""Of SLSQP."""
ACTIVE = 1e-6
"""A side is active that is nearer than this, relative."""
SOLVED = 1e-9
"""Residual of the optimality conditions, relative to the largest gradient entry, and violation of sides and signs."""


@dataclass(frozen=True)
class Conditions:
    """The optimality conditions of a story at p, on flat arrays: the bounds are rows n of c, after the constraints."""

    story: ModuleType
    p: Any

    @cached_property
    def evaluation(self) -> Evaluation:
        """The story's functions at p."""
        derivatives, _, p = self.story.problem.prepare(self.story.x0, self.p)
        return Evaluation(derivatives, p)

    @cached_property
    def sides(self) -> tuple[Array, Array]:
        """Lower and upper, of constraints and bounds."""
        program, p = self.evaluation.program, self.evaluation.p
        rows, bounds = program.row_sides(p), program.bound_sides(p)
        return np.concatenate([rows[0], bounds[0]]), np.concatenate([rows[1], bounds[1]])

    def rows(self, x: Array) -> Array:
        """Constraints and variables."""
        return np.concatenate([self.evaluation.values(x)[1:], x])

    def derivatives(self, x: Array, y: Array) -> tuple[Array, Array, Array]:
        """Gradient of f, Jacobian of the rows, Hessian of f + y . rows."""
        weights = np.append(1.0, y[: self.evaluation.program.m])
        jacobian, hessian = self.evaluation.derivatives(x.copy(), weights)
        return jacobian[0], np.vstack([jacobian[1:], np.eye(x.size)]), hessian


@dataclass(frozen=True)
class Active:
    """Which rows are active at which value, with an estimate of x and of all multipliers to start from."""

    rows: Indices
    upper: NDArray[np.bool_]
    """Whether it is the upper side."""
    x: Array
    y: Array


def active_at(story: ModuleType, p: Any) -> Active:
    """What SLSQP leaves."""
    conditions = Conditions(story, p)
    lower, upper = conditions.sides
    x = _by_slsqp(conditions)
    gradient, jacobian, _ = conditions.derivatives(x, np.zeros(lower.size))
    values = conditions.rows(x)
    scale = np.maximum(1.0, np.abs(values))
    at_upper, at_lower = values >= upper - ACTIVE * scale, values <= lower + ACTIVE * scale
    rows = np.flatnonzero(at_upper | at_lower)
    y = np.zeros(lower.size)
    y[rows] = np.linalg.lstsq(jacobian[rows].T, -gradient, rcond=None)[0]
    return Active(rows, at_upper[rows], x, y)


def answer_at(story: ModuleType, p: Any, active: Active) -> Answer:
    """At p, where these rows must still be the active ones."""
    conditions = Conditions(story, p)
    lower, upper = conditions.sides
    rows, n = active.rows, active.x.size
    side = np.where(active.upper, upper[rows], lower[rows])

    def residual(unknowns: Array) -> tuple[Array, Array]:
        x, y = unknowns[:n], np.zeros(lower.size)
        y[rows] = unknowns[n:]
        gradient, jacobian, hessian = conditions.derivatives(x, y)
        matrix = np.block([[hessian, jacobian[rows].T], [jacobian[rows], np.zeros((rows.size, rows.size))]])
        return np.concatenate([gradient + jacobian.T @ y, conditions.rows(x)[rows] - side]), matrix

    unknowns = np.concatenate([active.x, active.y[rows]])
    unknowns = root(residual, unknowns, jac=True, options={"xtol": np.finfo(float).eps}).x
    x, y = unknowns[:n], np.zeros(lower.size)
    y[rows] = unknowns[n:]
    _check(conditions, x, y, residual(unknowns)[0])
    program = conditions.evaluation.program
    multipliers = {name: np.asarray(rows) for name, rows in program.by_constraint(y[: program.m]).items()}
    bounds = {of_bounds(key): array for key, array in leaves(program.variables.tree(y[program.m :])).items()}
    value = np.asarray(program.sign * conditions.evaluation.values(x)[0])
    return Answer(value, leaves(program.variables.tree(x)), multipliers | bounds)


def _by_slsqp(conditions: Conditions) -> Array:
    _, x0, _ = conditions.story.problem.prepare(conditions.story.x0, conditions.p)
    m = conditions.evaluation.program.m
    lower, upper = (side[:m] for side in conditions.sides)
    none = np.zeros(m + x0.size)

    def part(kind: str, rows: Indices, sign: float, side: Array) -> dict[str, Any]:
        return {
            "type": kind,
            "fun": lambda x: sign * (conditions.rows(x)[:m][rows] - side[rows]),
            "jac": lambda x: sign * conditions.derivatives(x, none)[1][:m][rows],
        }

    equal = lower == upper
    parts = [
        part("eq", np.flatnonzero(equal), 1.0, lower),
        part("ineq", np.flatnonzero(~equal & np.isfinite(lower)), 1.0, lower),
        part("ineq", np.flatnonzero(~equal & np.isfinite(upper)), -1.0, upper),
    ]
    found = minimize(
        lambda x: float(conditions.evaluation.values(x)[0]),
        x0,
        jac=lambda x: conditions.derivatives(x, none)[0],
        method="SLSQP",
        bounds=Bounds(*(side[m:] for side in conditions.sides)),
        constraints=[entry for entry in parts if entry["fun"](x0).size],
        options={"ftol": FTOL, "maxiter": ITERATIONS},
    )
    return np.asarray(found.x)


def _check(conditions: Conditions, x: Array, y: Array, residual: Array) -> None:
    lower, upper = conditions.sides
    gradient = conditions.derivatives(x, y)[0]
    values = conditions.rows(x)
    scale, steepest = np.maximum(1.0, np.abs(values)), max(1.0, float(np.abs(gradient).max()))
    outside = np.maximum(lower - values, values - upper) / scale
    wrong = np.where(lower == upper, 0.0, np.where(values - lower < upper - values, y, -y)) / steepest
    for what, error in (("residual", np.abs(residual) / steepest), ("side", outside), ("sign", wrong)):
        if error.max() > SOLVED:
            raise ArithmeticError(f"{conditions.story.__name__}: SciPy's answer has a {what} of {error.max():.1e}")
