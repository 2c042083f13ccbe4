"""A CVXPY problem with parameters, through `from_cvxpy` and this package, against CVXPY's answers and derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cvxpy as cp
import numpy as np

import lagrange as lg
from problems.collection import Array
from problems.validation import cones
from problems.validation.answer import Answer, Differences, derivative_differences, differences, largest
from problems.validation.parameters import WIDE, Move, by_solving_again, contracted, moves_of
from problems.validation.small_programs import program

if TYPE_CHECKING:
    from lagrange.sensitivity.sensitivity import Sensitivity


@dataclass(frozen=True)
class Translated:
    """All differences of one small program."""

    name: str
    kind: str
    value: float
    moves: int
    answer: Differences
    """From SCS; of the multipliers, those that CVXPY calls dual values."""
    resolved: Differences
    """Of the derivatives, from central differences of SCS's answers."""
    own: Differences
    """Of the derivatives, from CVXPY's own."""


@dataclass(frozen=True)
class Solved:
    """A CVXPY problem solved by this package."""

    problem: cp.Problem
    solution: lg.Solution
    answer: Answer

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """Of the solution."""
        return self.solution.sensitivity()

    def derivative(self, move: Move) -> Answer:
        """Of the value and of CVXPY's variables."""
        s = self.sensitivity
        x = {v.name(): contracted(s.x[v.name()], move.along) for v in self.problem.variables()}
        return Answer(contracted(s.objective, move.along), x, {})


def solved(problem: cp.Problem) -> Solved:
    """Translated, solved, and its answer written back, so that values and dual values are CVXPY's to read."""
    model = lg.from_cvxpy(problem)
    solution = model.problem.solve(model.x0, model.p)
    if not solution.success:
        raise ArithmeticError(solution.message)
    model.unpack(solution)
    return Solved(problem, solution, _answer(problem))


def parameters_of(problem: cp.Problem) -> dict[str, Any]:
    """By name, as this package takes them."""
    return {each.name(): each.value if each.ndim else float(each.value) for each in problem.parameters()}


def with_own_derivatives(problem: cp.Problem) -> cones.WithParameters:
    """Solved by CVXPY so that its own derivatives can be asked for."""
    cones.solve_with_derivatives(problem)
    x = {variable.name(): variable for variable in problem.variables()}
    return cones.WithParameters(problem, x, {each.name(): each for each in problem.parameters()})


def measure(name: str) -> Translated:
    """Solve one of the small programs by both, and compare."""
    problem = program(name)
    kind, p = cones.kind(problem), parameters_of(problem)
    ours = solved(problem)
    moves = moves_of(p)
    derivatives = [ours.derivative(move) for move in moves]
    answer = _by_cones(problem, p)
    resolved = [by_solving_again(lambda at: _by_cones(problem, at, False), p, move, WIDE) for move in moves]
    _set(problem, p)
    own = with_own_derivatives(problem)

    def compared(others: list[Answer]) -> Differences:
        return largest(
            [
                derivative_differences(found, other, ours.answer, move.size)
                for found, other, move in zip(derivatives, others, moves, strict=True)
            ]
        )

    return Translated(
        name,
        kind,
        float(ours.answer.value),
        len(moves),
        differences(ours.answer, answer),
        compared(resolved),
        compared([own.derivative(move) for move in moves]),
    )


def _by_cones(problem: cp.Problem, p: dict[str, Any], duals: bool = True) -> Answer:
    _set(problem, p)
    cones.solve_by_scs(problem)
    return _answer(problem, duals)


def _set(problem: cp.Problem, p: dict[str, Any]) -> None:
    for each in problem.parameters():
        each.value = p[each.name()]


def _answer(problem: cp.Problem, duals: bool = True) -> Answer:
    x = {variable.name(): np.asarray(variable.value, dtype=float) for variable in problem.variables()}
    rows = {f"dual value {k}": _flat(constraint) for k, constraint in enumerate(problem.constraints) if duals}
    return Answer(np.asarray(problem.value, dtype=float), x, rows)


def _flat(constraint: cp.Constraint) -> Array:
    # That of a cone has several parts.
    parts = constraint.dual_value if isinstance(constraint.dual_value, list) else [constraint.dual_value]
    return np.concatenate([np.ravel(part) for part in parts]).astype(float)
