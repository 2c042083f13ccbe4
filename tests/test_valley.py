"""Minima that are not isolated: factors of a matrix, which may be scaled against each other.

    minimize |A - X Y|^2,  or  sum A log(A / X Y) - A + X Y,   subject to X, Y >= 0,   where A = X* Y*

The least value is 0, at all (X D, D^-1 Y) with D > 0 diagonal: curvature vanishes along the valley, and the barrier
drifts in it.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind

TOL = 1e-8  # the default
ENOUGH = 60  # iterations; a general interior-point method that follows the drift takes hundreds


def squares(A: Any, T: Any) -> Any:
    return jnp.sum((A - T) ** 2)


def divergence(A: Any, T: Any) -> Any:
    return jnp.sum(A * jnp.log(A / T) - A + T)


@pytest.mark.parametrize("distance", [squares, divergence])
@pytest.mark.parametrize("shape", [(2, 2, 1), (6, 4, 1), (8, 5, 2)])
@pytest.mark.parametrize("seed", range(5))
def test_factors_of_a_matrix(distance: Any, shape: tuple[int, int, int], seed: int) -> None:
    n, m, k = shape
    random = np.random.default_rng(seed)
    A = random.random((n, k)) @ random.random((k, m))
    problem = lg.Problem(lambda x: distance(A, x["X"] @ x["Y"]), bounds=(0.0, None))
    solution = problem.solve({"X": random.random((n, k)), "Y": random.random((k, m))}, max_iterations=ENOUGH)
    assert solution.success and abs(solution.objective) <= 1e-12
    assert np.allclose(solution.x["X"] @ solution.x["Y"], A, rtol=0, atol=1e-6)
    # The valley is there, and is not called a strict minimum.
    assert solution.kind is PointKind.MINIMUM_NOT_STRICT


@pytest.mark.parametrize("seed", [*range(6), 22, 36])
def test_a_product_with_a_factor_of_zero(seed: int) -> None:
    # Where one sum of a column is zero the product is least, and flat. What rounding leaves of that zero is a factor of
    # the curvature along the valley, up or down or beside a residual, and says nothing.
    random = np.random.default_rng(seed)
    A = random.random((4, 2))
    start = {"X": random.random((2, 3)), "t": random.random(3)}
    alone = lg.Problem(lambda X: jnp.prod(jnp.sum(A @ X, axis=0)), bounds=(0.0, 1.0))
    copied = lg.Problem(
        lambda v: jnp.prod(v["t"]),
        {"sum": lg.equals(lambda v: v["t"] - jnp.sum(A @ v["X"], axis=0), 0.0)},
        ({"X": 0.0, "t": -np.inf}, {"X": 1.0, "t": np.inf}),
    )
    for solution in (alone.solve(start["X"]), copied.solve(start)):
        assert solution.success and abs(solution.objective) <= TOL
        assert solution.kind is PointKind.MINIMUM_NOT_STRICT and solution.conditions().second_order.holds is None


def test_a_flat_corner_is_left() -> None:
    # At x = 0 the slope is zero and nothing presses on the bound, yet the objective falls from there: -x^3 until x = 1.
    problem = lg.Problem(lambda x: -(x**3) + 0.75 * x**4, bounds=(0.0, None))
    assert problem.solve(1e-3).x == pytest.approx(1.0, abs=1e-8)
