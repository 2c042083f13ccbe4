"""Newton's method where it contracts, and the path that it follows: the low-level pieces on flat arrays."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lagrange.implicit.continuation import Path, follow
from lagrange.implicit.newton import Equations, Root, jax_backend, linearized, newton


def by_newton(F: Equations, start: Any, p: Any) -> Root:
    return newton(jax_backend(), lambda w: linearized(F, w, p), start)


@jax.jit
def square_roots(starts: Any, p: Any) -> Any:
    return jax.vmap(lambda start: by_newton(lambda w, p: w**2 - p, start[None], p))(starts)


def test_newton_accepts_only_where_it_contracts() -> None:
    with jax.enable_x64(True):
        root = square_roots(np.array([1.4, 1.0, 1e6, -1.5, 1e-3, 0.0]), 2.0)
    w, converged = np.asarray(root.w)[:, 0], np.asarray(root.converged)
    # 1e6 halves itself at each step and 1e-3 is thrown to 1000: no contraction by four; 0 is singular
    np.testing.assert_array_equal(converged, [True, True, False, True, False, False])
    np.testing.assert_allclose(w[[0, 1, 3]], [2**0.5, 2**0.5, -(2**0.5)], rtol=1e-15)
    assert root.finite[0] and root.finite[1]


def test_newton_says_no_where_there_is_no_root() -> None:
    with jax.enable_x64(True):
        root = square_roots(np.array([1.0, 0.1, 5.0]), -1.0)
    assert not np.asarray(root.converged).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_newton_says_no_where_the_residual_is_not_finite(bad: float) -> None:
    with jax.enable_x64(True):
        root = jax.jit(lambda w, p: by_newton(lambda w, p: w - p, w, p))(np.array([1.0]), bad)
    assert not root.converged and not root.finite


def test_newton_takes_one_step_on_linear_equations() -> None:
    A, b = np.array([[2.0, 1.0], [1.0, -3.0]]), np.array([1.0, 2.0])
    with jax.enable_x64(True):
        root = jax.jit(lambda w, p: by_newton(lambda w, p: A @ w - p, w, p))(np.array([1e6, -1e6]), b)
    assert root.converged
    np.testing.assert_allclose(root.w, np.linalg.solve(A, b), rtol=1e-12)


def numbers(path: Path) -> Path:
    """The same in NumPy: comparisons outside of enable_x64 would be in float32."""
    return Path(*(np.asarray(entry) for entry in path))


@jax.jit
def circle(p0: Any, p1: Any) -> Path:
    return follow(lambda y, x: x**2 + y**2 - 1, jnp.sqrt(1 - p0**2)[None], p0, p1)


def test_path_that_arrives() -> None:
    with jax.enable_x64(True):
        path = numbers(circle(0.0, 0.999))
    assert numbers(path).arrived and path.finite and path.remaining == 0.0
    assert path.w[0] == pytest.approx(np.sqrt(1 - 0.999**2), rel=1e-12)
    assert 1 < int(path.steps) < 60


def test_path_to_where_it_is() -> None:
    with jax.enable_x64(True):
        path = numbers(circle(0.6, 0.6))
    assert numbers(path).arrived and path.w[0] == pytest.approx(0.8, rel=1e-15) and int(path.steps) == 1


def test_path_that_ends_at_a_fold() -> None:
    with jax.enable_x64(True):
        path = numbers(circle(0.0, 4.0))
    assert not path.arrived and path.finite
    assert path.remaining == pytest.approx(0.75, abs=1e-12)
    assert 0.0 < path.w[0] < 1e-5


def test_path_that_ends_where_nothing_is_finite() -> None:
    with jax.enable_x64(True):
        log = jax.jit(lambda w, p0, p1: follow(lambda w, p: w - jnp.log(p), w, p0, p1))
        path, at_zero = numbers(log(np.zeros(1), 1.0, -1.0)), numbers(log(np.zeros(1), 1.0, 0.0))
    assert not path.arrived
    assert path.remaining == pytest.approx(0.5, abs=1e-9)
    assert not at_zero.arrived


def test_linear_paths_take_one_step() -> None:
    with jax.enable_x64(True):
        path = jax.jit(lambda w, p0, p1: follow(lambda w, p: 3.0 * w - p, w, p0, p1))(
            np.zeros(2), np.zeros(2), np.ones(2)
        )
    assert numbers(path).arrived and int(path.steps) == 1
    np.testing.assert_allclose(path.w, 1 / 3, rtol=1e-15)


def test_parameters_are_any_pytree() -> None:
    def F(w: Any, p: Any) -> Any:
        return jnp.array([w[0] ** 2 - p["a"], w[1] * p["b"][0] - p["b"][1]])

    start, end = ({"a": a, "b": np.array([a, 1.0])} for a in (1.0, 9.0))
    with jax.enable_x64(True):
        path = jax.jit(lambda w, p0, p1: follow(F, w, p0, p1))(np.ones(2), start, end)
    assert numbers(path).arrived
    np.testing.assert_allclose(path.w, [3.0, 1 / 9], rtol=1e-14)


def test_float32_keeps_its_type() -> None:
    path = numbers(circle(np.float32(0.0), np.float32(0.6)))
    assert path.w.dtype == path.remaining.dtype == np.float32
    assert numbers(path).arrived and path.w[0] == pytest.approx(0.8, rel=1e-6)
    assert not numbers(circle(np.float32(0.0), np.float32(1.5))).arrived


def test_lanes_of_a_vmap_end_on_their_own() -> None:
    with jax.enable_x64(True):
        path = jax.jit(jax.vmap(lambda x: circle(0.0, x)))(np.array([0.5, 2.0, -0.9, -1.25]))
    np.testing.assert_array_equal(np.asarray(path.remaining) == 0.0, [True, False, True, False])
    np.testing.assert_allclose(np.asarray(path.remaining)[[1, 3]], [0.5, 0.2], atol=1e-12)
    np.testing.assert_allclose(np.asarray(path.w)[[0, 2], 0], np.sqrt([0.75, 0.19]), rtol=1e-12)


def test_determinant_that_changes_its_sign_twice_is_seen() -> None:
    # w cos(p) = sin(p): tan(p) has two poles between 0 and 6, where cos has its sign again
    with jax.enable_x64(True):
        path = jax.jit(lambda w, p0, p1: follow(lambda w, p: w * jnp.cos(p) - jnp.sin(p), w, p0, p1))(
            np.zeros(1), 0.0, 6.0
        )
    assert not numbers(path).arrived
