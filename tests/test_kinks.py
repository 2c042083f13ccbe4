"""Kinks: a point where a slope jumps is not judged by derivatives, whatever JAX makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind

SUM = {"sum": lg.equals(lambda x: x[0] + x[1], 1.0)}


@pytest.mark.parametrize(
    ("function", "rows", "start"),
    [
        # A minimum along the row: 1 + 3 |t| - 2 t^2. Half of each slope balances it.
        (lambda x: -3 * np.max(x) + x @ x, SUM, [0.0, 0.0]),
        (lambda x: -np.maximum(x[0], -x[0]) + x[0] ** 2, {}, [0.0]),
        (lambda x: -np.abs(x[0]) + x[0] + x[0] ** 2, {}, [0.0]),
        (lambda x: -3 * np.clip(x[0], 0, 5) + 1.5 * x[0] + 0.1 * x[0] ** 2, {}, [0.0]),
        (lambda x: 1e3 + 1e-1 * (np.maximum(x[0], -x[0]) + x[0] ** 2), {}, [0.0]),
        (lambda x: x[1], {"tip": lg.at_least(lambda x: x[1] - np.maximum(x[0], -x[0]), 0.0)}, [0.0, 0.0]),
    ],
)
def test_a_kink_is_no_success(function: Any, rows: dict[str, lg.Constraint], start: list[float]) -> None:
    problem = lg.Problem(function, rows)
    solution = problem.solve(start)
    assert not solution.success and solution.kind is PointKind.NOT_STATIONARY
    assert f"a kink in {'constraint' if 'tip' in rows else 'objective'}" in solution.message
    assert not problem.examine(solution.x).success


def test_no_derivative_is_given_at_a_kink() -> None:
    # Soft thresholding: x = 0 for |p| <= 1/2, where the mean of the slopes would give dx/dp = 1.
    problem = lg.Problem(lambda x, p: (x[0] - p) ** 2 + np.maximum(x[0], -x[0]))
    solution = problem.solve([0.0], 0.0)
    assert not solution.success and solution.sensitivity().kind == "undefined"


@pytest.mark.parametrize(
    ("function", "bounds", "answer"),
    [
        (lambda x: np.abs(x[0]) + (x[0] - 1) ** 2, (-5.0, 5.0), 0.5),  # the kink is elsewhere
        (lambda x: np.maximum(x[0], 0.0) ** 2 + (x[0] - 0.0) ** 2, None, 0.0),  # the curvature jumps, not the slope
        (lambda x: np.abs(x[0]) + x[0], (0.0, 3.0), 0.0),  # on a bound: only one side is feasible
        (lambda x: 1e3 * np.cosh(30 * (x[0] - 2.0)), None, 2.0),  # steep and smooth
        (lambda x: 1e-3 * (x[0] - 1e6) ** 2, None, 1e6),
    ],
)
def test_what_is_smooth_there_is_solved(function: Any, bounds: Any, answer: float) -> None:
    solution = lg.Problem(function, bounds=bounds).solve([0.75])
    assert solution.success, solution.message
    assert solution.x[0] == pytest.approx(answer, abs=1e-6)


def test_functions_that_are_defined_on_one_side_of_a_constraint_only() -> None:
    # min (x - 2)^2 over x0 <= 1, where the function raises beyond: looking beside the answer must not lose it.
    def value(x: Any) -> float:
        if x[0] > 1.0 + 1e-7:
            raise ValueError("beyond the table")
        return float((x[0] - 2.0) ** 2)

    given = lg.supplied(value, jacobian=lambda x: 2 * (x - 2.0), hessian=lambda x: np.array([[2.0]]))
    solution = lg.Problem(given, {"cap": lg.at_most(lambda x: x[0], 1.0)}).solve([0.0])
    assert solution.success and solution.x[0] == pytest.approx(1.0, abs=1e-8)
