"""Sensitivities against re-solves: derivatives of x, multipliers and value, by the order of the error.

The central difference of two re-solves at p +- h has an error of order h^2: where the derivative is right, halving h
divides the difference by four, until the accuracy of the solves is reached.
"""

from __future__ import annotations

import importlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.sensitivity.kind import NOT_UNIQUE, SMOOTH
from problems.hock_schittkowski import PROBLEMS

STEPS = (1e-2, 5e-3, 2.5e-3)
FINER = (1.0, 1e-2, 1e-4)  # tried in this order until the active set stays within the steps
TIGHT = 1e-10
SOLVED_TO = 1e-10  # accuracy of re-solves, relative, below which differences are rounding / h
LOWEST_ORDER = 1.6
FOLDER = Path(__file__).parents[1] / "problems"
STORIES = sorted(path.stem for path in FOLDER.glob("*.py") if "problem = lg.Problem" in path.read_text())
DEPENDENT = "optimal_transport"  # supplies and demands have the same sum: one row follows from the others
PARAMETERS = 3  # looked at in each problem


def flat(solution: lg.Solution) -> tuple[Any, Any, float]:
    result = solution.result
    return result.x, np.concatenate([result.y, result.z]), result.objective


def assert_by_slope(problem: lg.Problem, solution: lg.Solution, j: int) -> None:
    """The derivatives with respect to element j of p are those of re-solves."""
    s = solution.sensitivity()
    assert s.kind == SMOOTH, s.reason
    program, p = solution.result.program, solution.result.p
    found = s._by_parameters
    dx, dy, dv = found.x[:, j], s._named.spread(found.multipliers)[:, j], program.sign * found.value[j]
    bend = program.sign * s.flat_objective_hessian()[j, j]
    size = abs(p[j]) or 1.0
    errors: list[list[float]] = []
    for step in (finer * step for finer in FINER for step in STEPS):
        if len(errors) == len(STEPS):
            break
        h = step * size
        there = [
            problem.solve(
                solution.x, program.parameter_tree(p + sign * h * np.eye(p.size)[j]), warm=solution, tol=TIGHT
            )
            for sign in (1.0, -1.0)
        ]
        if not all(
            (r.result.active_rows == solution.result.active_rows).all()
            and (r.result.active_bounds == solution.result.active_bounds).all()
            for r in there
        ):
            errors = []  # a kink within the step: a smaller one is needed
            continue
        (x1, y1, v1), (x0, y0, v0) = map(flat, there)
        rounding = SOLVED_TO / h
        errors.append(
            [
                _relative((x1 - x0) / (2 * h), dx, np.abs(x1).max(), rounding),
                _relative((y1 - y0) / (2 * h), dy, np.abs(y1).max(initial=1.0), rounding),
                _relative(np.array([(v1 - v0) / (2 * h)]), np.array([dv]), abs(v1), rounding),
                _relative(
                    np.array([(v1 - 2 * solution.objective + v0) / h**2]), np.array([bend]), abs(v1), rounding / h
                ),
            ]
        )
    assert errors, "the active set changes within every step: choose a smaller one"
    for quantity, sequence in zip(("x", "multipliers", "value", "second"), np.array(errors).T, strict=True):
        small = sequence[-1] <= 1e-6
        falls = len(sequence) > 1 and all(b == 0.0 or np.log2(a / b) >= LOWEST_ORDER for a, b in pairwise(sequence))
        assert small or falls, (quantity, sequence)


def _relative(difference: Any, derivative: Any, level: float, rounding: float) -> float:
    """Largest error relative to the derivative; zero where it is within the rounding of the re-solves."""
    error = np.abs(difference - derivative).max(initial=0.0)
    size = max(np.abs(derivative).max(initial=0.0), 1e-3 * level, 1e-12)
    return 0.0 if error <= rounding * max(1.0, level) else float(error / size)


@pytest.mark.parametrize("name", STORIES)
def test_story_problems(name: str) -> None:
    module = importlib.import_module(f"problems.{name}")
    p = getattr(module, "p", None)
    if p is None:
        pytest.skip("the problem has no parameters")
    solution = module.problem.solve(module.x0, p, tol=TIGHT)
    assert solution.kind.is_minimum, solution.message
    if name == DEPENDENT:
        assert solution.sensitivity().kind == NOT_UNIQUE
        return
    for j in range(min(PARAMETERS, solution.result.p.size)):
        assert_by_slope(module.problem, solution, j)


def with_parameters(record: Any) -> lg.Problem:
    """The problem with p[0] times a linear term in the objective and p[1] times fixed numbers in the rows."""
    n = record.x0.size
    tilt = np.cos(1.0 + np.arange(n))
    constraints = {}
    if record.constraints is not None:
        lift = np.sin(1.0 + np.arange(record.constraint_lower.size))
        constraints["c"] = lg.between(
            record.constraint_lower, lambda x, p: record.constraints(x) + p[1] * lift, record.constraint_upper
        )
    return lg.Problem(
        lambda x, p: record.objective(x) + p[0] * (tilt @ x), constraints, bounds=(record.lower, record.upper)
    )


# Strict minima with strict complementarity, one from each kind of the collection.
NUMBERS = [
    1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 18, 19, 21, 22, 23, 27, 28, 29, 31, 33, 34, 35, 36,
    37, 38, 39, 40, 42, 43, 48, 50, 51, 52, 53, 60, 61, 63, 64, 65, 66, 71, 72, 76, 77, 78, 79, 80, 81, 100, 113,
]  # fmt: skip
HOCK_SCHITTKOWSKI = [f"HS{number}" for number in NUMBERS]


@pytest.mark.parametrize("name", HOCK_SCHITTKOWSKI)
def test_hock_schittkowski(name: str) -> None:
    record = PROBLEMS[name]
    problem = with_parameters(record)
    solution = problem.solve(record.x0, np.zeros(2), tol=TIGHT)
    for j in range(2):
        assert_by_slope(problem, solution, j)
