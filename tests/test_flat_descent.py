"""Stationary points without curvature: left where the objective falls from them, kept where it does not."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind

BOX = (-2.0, 2.0)


def test_an_inflection_is_no_solution() -> None:
    problem = lg.Problem(maximize=lambda x: x**3)
    assert problem.solve(0.0).kind is PointKind.UNBOUNDED


@pytest.mark.parametrize(
    ("function", "start", "answer"),
    [
        (lambda x: x[0] ** 3, [0.0], [-2.0]),
        (lambda x: -(x[0] ** 4), [0.0], None),
        (lambda x: (x[0] - 1.0) ** 3, [1.5], [-2.0]),
        (lambda x: (x[0] - 1.0) ** 5 + (x[1] - 0.5) ** 2, [1.0, 0.5], [-2.0, 0.5]),
        (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, [0.0, 0.0], None),  # the monkey saddle
        (lambda x: 1e6 + 1e3 * (x[0] ** 3 + x[1] ** 2), [0.0, 0.0], [-2.0, 0.0]),
        (lambda x: 1e-6 * (x[0] ** 3 + x[1] ** 2), [0.0, 0.0], [-2.0, 0.0]),
    ],
)
def test_a_flat_point_is_left(function: Any, start: list[float], answer: list[float] | None) -> None:
    solution = lg.Problem(function, bounds=BOX).solve(start)
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    if answer is not None:
        assert np.allclose(solution.x, answer, rtol=0, atol=1e-6)
    assert solution.objective < function(np.array(start)) - 1e-9


def test_along_a_linear_row() -> None:
    problem = lg.Problem(lambda x: x[0] ** 3 + x[1] ** 3, {"tie": lg.equals(lambda x: x[0] - 2 * x[1], 0.0)}, BOX)
    assert np.allclose(problem.solve([0.0, 0.0]).x, [-2.0, -1.0], rtol=0, atol=1e-8)


def test_a_corner_that_does_not_press_is_left_without_the_barrier() -> None:
    solution = lg.Problem(lambda x: -(x[0] ** 3) + x[1], bounds=([0.0, 0.0], [3.0, 1.0])).solve([0.0, 0.0])
    assert np.allclose(solution.x, [3.0, 0.0], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("function", "start"),
    [
        (lambda x: x[0] ** 4 + x[1] ** 2, [1.0, 1.0]),
        (lambda x: jnp.sum(x**4), [0.0, 0.0]),
        (lambda x: (x @ x - 1.0) ** 2, [0.3, 0.4]),
        (lambda x: 0.0 * x[0] + 3.0, [0.3]),
        (lambda x: 1e6 + (x[0] - 1.0) ** 4 + 1e-3 * (x[1] - 3.0) ** 4, [0.3, 0.4]),
        (lambda x: (x[0] * x[1] - 1.0) ** 2, [1.5, 1.5]),
        (lambda x: (x[0] - x[1]) ** 4, [1.0, -1.0]),
    ],
)
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_flat_minima_are_kept(function: Any, start: list[float], unit: float) -> None:
    solution = lg.Problem(lambda x: unit * function(x)).solve(start)
    assert solution.success and solution.kind is PointKind.MINIMUM_NOT_STRICT
