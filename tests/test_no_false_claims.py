"""Points that are nearly what they are taken for: degenerate rows, constant objectives, many weakly active bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind


@pytest.mark.parametrize("power", [3, 4])
def test_a_flat_end_at_a_bound_is_not_strict(power: int) -> None:
    solution = lg.Problem(lambda x: x[0] ** power, bounds=(0.0, 2.0)).solve([0.0])
    assert solution.success and solution.kind is PointKind.MINIMUM_NOT_STRICT
    assert abs(solution.x[0]) <= 1e-12


def test_no_derivative_where_the_curvature_vanishes() -> None:
    # x(p) = (p / 4)^(1/3) for p > 0, and 0 for p < 0.
    problem = lg.Problem(lambda x, p: x[0] ** 4 - p * x[0], bounds=(0.0, 2.0))
    assert problem.solve([0.0], 0.0).sensitivity().kind == "undefined"


def test_huge_multipliers_that_balance_are_no_multipliers() -> None:
    # x^2 = 0 holds at 0 only, where its gradient vanishes.
    problem = lg.Problem(lambda x: -x[0], {"h": lg.equals(lambda x: x[0] ** 2, 0.0)}, (0.0, 2.0))
    solution = problem.solve([1.0])
    assert not solution.success and solution.kind is PointKind.FRITZ_JOHN


@pytest.mark.parametrize(
    ("row", "start"),
    [(lambda x: x[1] - (1 - x[0]) ** 3, [0.64, 0.27]), (lambda x: x[0] * x[1] - 1.0, [3.0, 3.0])],
)
def test_a_constant_objective_is_least_everywhere(row: Any, start: list[float]) -> None:
    solution = lg.Problem(lambda x: 0.0 * x[0], {"c": lg.at_most(row, 0.0)}, (0.0, 3.0)).solve(start)
    assert solution.success and solution.kind is PointKind.MINIMUM_NOT_STRICT


def test_a_way_down_between_many_weakly_active_bounds() -> None:
    # At 0 three of ten variables together curve down; no one and no two of them do.
    Q = np.random.default_rng(171).standard_normal((10, 10))
    Q = (Q + Q.T) / 2
    np.fill_diagonal(Q, np.abs(Q.diagonal()) + 1)
    solution = lg.Problem(lambda x: x @ Q @ x + (x**4).sum(), bounds=(0.0, None)).solve(np.zeros(10))
    assert solution.success and solution.objective < -1e-4


def test_zero_to_rounding_has_no_size_of_its_own() -> None:
    # Both rows keep x0 x1 from making the objective negative: 0 is least.
    rows = {"a": lg.at_most(lambda x: x[0] + x[0] ** 2, 0.0), "b": lg.at_most(lambda x: x[1] - x[2] ** 2, 0.0)}
    problem = lg.Problem(lambda x: 100 * x[1] ** 2 + x[2] ** 2 + x[0] * x[1], rows, (-1.0, 1.0))
    solution = problem.solve(np.random.default_rng(18).standard_normal(3))
    assert solution.success and abs(solution.objective) <= 1e-8


def test_multipliers_of_zero_are_multipliers() -> None:
    # The gradient of the objective vanishes in the limit, as that of the row does.
    problem = lg.Problem(lambda x: (x[0] - x[1]) ** 2, {"h": lg.at_most(lambda x: x[0] * x[1], 0.0)}, (0.0, None))
    solution = problem.solve([1.1, 0.5])
    assert solution.success and solution.kind is not PointKind.FRITZ_JOHN
