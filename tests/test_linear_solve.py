"""Linear solves: checked answers, adjoint, derivatives, and verdicts that do not depend on units."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lagrange.implicit.linear_solve import DENSE_LIMIT, dense_inverse, equilibration, inverse, solve
from lagrange.model.named_pytree import Vector

EPS = np.finfo(float).eps


@jax.jit
def applied(A: Any, b: Any) -> Any:
    inverted = inverse(lambda v: A @ v, b)
    return inverted.apply(b), inverted.apply_transposed(b), inverted.sign


def in_float64(A: Vector, b: Vector) -> list[Vector]:
    with jax.enable_x64(True):
        return [np.asarray(each) for each in applied(A, b)]


def random(seed: int, n: int = 4) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n)), rng.normal(size=n)


@pytest.mark.parametrize("seed", range(6))
def test_inverse_transposed_and_sign(seed: int) -> None:
    A, b = random(seed)
    x, y, sign = in_float64(A, b)
    np.testing.assert_allclose(x, np.linalg.solve(A, b), rtol=1e-10)
    np.testing.assert_allclose(y, np.linalg.solve(A.T, b), rtol=1e-10)
    assert sign == np.linalg.slogdet(A)[0]


def rank_deficient(seed: int) -> Vector:
    A, _ = random(seed)
    A[3] = A[0] - 2 * A[1]
    return A


SINGULAR = {
    "zero": np.zeros((4, 4)),
    "zero row": np.diag([1.0, 2.0, 0.0, 3.0]),
    "equal rows": np.ones((4, 4)) + np.diag([0.0, 0.0, 1.0, 2.0]),
    "combination": rank_deficient(0),
    "combination too": rank_deficient(1),
    "magic": np.array([[16.0, 2, 3, 13], [5, 11, 10, 8], [9, 7, 6, 12], [4, 14, 15, 1]]),
    "nan": np.diag([1.0, np.nan, 1.0, 1.0]),
    "inf": np.diag([1.0, np.inf, 1.0, 1.0]),
}


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("name", SINGULAR)
def test_singular_is_nan(name: str, scale: float) -> None:
    x, y, sign = in_float64(scale * SINGULAR[name], np.arange(1.0, 5.0))
    assert np.isnan(x).all() and np.isnan(y).all()
    assert sign == 0 or name in ("nan", "inf")


@pytest.mark.parametrize("seed", range(5))
def test_units_do_not_decide(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = 10.0 ** rng.integers(-9, 10, size=(2, 4))
    A, b = random(seed)
    x, y, sign = in_float64(rows[:, None] * A * columns, rows * b)
    np.testing.assert_allclose(x, np.linalg.solve(A, b) / columns, rtol=1e-8)
    assert sign == np.linalg.slogdet(A)[0] and np.isfinite(y).all()
    x, y, sign = in_float64(rows[:, None] * rank_deficient(seed) * columns, b)
    assert np.isnan(x).all() and np.isnan(y).all() and sign == 0


def test_ill_conditioned_but_regular_is_solved() -> None:
    hilbert = 1.0 / (np.arange(4)[:, None] + np.arange(4) + 1)
    x, _, sign = in_float64(hilbert, hilbert @ np.ones(4))
    np.testing.assert_allclose(x, 1.0, rtol=1e-10)
    assert sign == 1
    x, _, _ = in_float64(np.diag([1.0, 1.0, 1.0, 0.0]) + 1e-10 * np.ones((4, 4)), np.ones(4))
    assert np.isfinite(x).all()


def test_equilibration_brings_rows_and_columns_to_size_one() -> None:
    A = np.array([[1e-8, 3e5, 0.0], [7e12, 1.0, 0.0], [1e-3, 0.0, 0.0]])
    with jax.enable_x64(True):
        rows, columns = (np.asarray(each) for each in equilibration(jnp, jnp.asarray(A)))
    scaled = np.abs(rows[:, None] * A * columns)
    assert ((scaled.max(axis=0) > 0.5) & (scaled.max(axis=0) <= 1.0))[:2].all() and columns[2] == 1.0
    assert scaled.max() <= 1.0
    np.testing.assert_array_equal(np.log2(rows), np.round(np.log2(rows)))  # powers of two: no rounding


def of_data(theta: Any) -> Any:
    A = jnp.array([[2.0 + theta[0], theta[1]], [theta[0] * theta[1], 3.0]])
    return solve(lambda v: A @ v, jnp.array([1.0, theta[1]]))


def in_closed_form(theta: Any) -> Any:
    a, b, c, d = 2.0 + theta[0], theta[1], theta[0] * theta[1], 3.0
    return jnp.array([d - b * theta[1], a * theta[1] - c]) / (a * d - b * c)


def test_solve_is_differentiated_twice_both_ways() -> None:
    theta = np.array([0.4, -0.7])
    with jax.enable_x64(True):
        value, forward, adjoint, second = jax.jit(
            lambda t: (of_data(t), jax.jacfwd(of_data)(t), jax.jacrev(of_data)(t), jax.hessian(of_data)(t))
        )(theta)
        np.testing.assert_allclose(value, in_closed_form(theta), rtol=1e-14)
        for first in (forward, adjoint):
            np.testing.assert_allclose(first, jax.jacfwd(in_closed_form)(theta), rtol=1e-13)
        np.testing.assert_allclose(second, jax.hessian(in_closed_form)(theta), rtol=1e-12)


def test_vmap_leaves_regular_lanes_alone() -> None:
    A = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)])
    with jax.enable_x64(True):
        x = jax.vmap(lambda A: solve(lambda v: A @ v, jnp.ones(2)))(jnp.asarray(A))
    np.testing.assert_array_equal(x, [[1.0, 1.0], [np.nan, np.nan], [0.5, 0.5]])


# Beyond DENSE_LIMIT: GMRES ---------------------------------------------------------------------------------

N = DENSE_LIMIT + 20


def large(v: Any) -> Any:  # diagonally dominant, not symmetric
    return 3.0 * v - jnp.roll(v, 1) + 0.5 * jnp.roll(v, -2)


def test_gmres_against_dense_numpy() -> None:
    eye = np.eye(N)
    A = 3.0 * eye - np.roll(eye, 1, axis=0) + 0.5 * np.roll(eye, -2, axis=0)
    b = np.random.default_rng(0).normal(size=N)
    with jax.enable_x64(True):
        inverted = jax.jit(lambda b: inverse(large, b)[:2][0](b))(b)
        x, pull = jax.vjp(jax.jit(lambda b: solve(large, b)), jnp.asarray(b))
        adjoint = pull(jnp.asarray(b))[0]
    np.testing.assert_allclose(inverted, np.linalg.solve(A, b), atol=1e-9)
    np.testing.assert_allclose(x, np.linalg.solve(A, b), atol=1e-9)
    np.testing.assert_allclose(adjoint, np.linalg.solve(A.T, b), atol=1e-9)


def test_gmres_that_does_not_converge_is_nan() -> None:
    b = np.random.default_rng(0).normal(size=N)
    with jax.enable_x64(True):
        # a Laplacian on a ring has the constants for its null space, and b is not orthogonal to them
        singular = jax.jit(lambda b: solve(lambda v: 2 * v - jnp.roll(v, 1) - jnp.roll(v, -1), b))(b)
        zero = jax.jit(lambda b: solve(lambda v: 0.0 * v, b))(b)
        trivial = jax.jit(lambda b: solve(large, 0.0 * b))(b)
    assert np.isnan(singular).all() and np.isnan(zero).all()
    np.testing.assert_array_equal(trivial, 0.0)


def test_the_inverse_of_a_numpy_matrix_has_the_same_answers() -> None:
    random = np.random.default_rng(1)
    A = random.normal(size=(5, 5)) * np.array([1e-6, 1.0, 1e3, 1.0, 1e-2])[:, None]
    b = random.normal(size=5)
    found = dense_inverse(A)
    assert np.allclose(A @ found.apply(b), b)
    assert np.allclose(A.T @ found.apply_transposed(b), b)
    assert found.sign == np.sign(np.linalg.det(A))
    singular, undefined = dense_inverse(np.ones((2, 2))), dense_inverse(np.array([[np.nan]]))
    assert singular.sign == 0.0 and np.isnan(singular.apply(np.ones(2))).all()
    assert np.isnan(undefined.sign) and np.isnan(undefined.apply_transposed(np.ones(1))).all()
