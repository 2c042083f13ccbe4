"""x*(p), multipliers and value as JAX functions: transformations, second order, NaN where no derivative exists."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg

NEAREST = lg.Problem(lambda x, p: (x - p) ** 2, bounds=(0, None))
DISK = lg.Problem(lambda x, p: (x - p) @ (x - p), {"disk": lg.at_most(lambda x: x @ x, 1.0)})


def on_disk(p: jax.Array) -> jax.Array:
    return DISK.argmin(p, x0=np.array([0.1, 0.2]))


def test_against_closed_forms() -> None:
    # p / |p| outside the disk: derivative (I - u u') / |p|
    with jax.enable_x64(True):
        p = jnp.array([1.2, 0.9])
        u = np.array([0.8, 0.6])
        expected = (np.eye(2) - np.outer(u, u)) / 1.5
        assert np.allclose(on_disk(p), u, atol=1e-12)
        for derivative in (jax.jacfwd(on_disk), jax.jacrev(on_disk), jax.jit(jax.jacrev(on_disk))):
            assert np.allclose(derivative(p), expected, atol=1e-10)
        # Second order, against the normalization itself.
        second = jax.jacfwd(jax.jacrev(on_disk))(p)
        assert np.allclose(second, jax.hessian(lambda p: p / jnp.linalg.norm(p))(p), atol=1e-9)


def test_vmap_equals_a_loop() -> None:
    with jax.enable_x64(True):
        points = jnp.array([[1.2, 0.9], [0.1, 0.2], [-3.0, 0.5]])
        batch = jax.vmap(jax.jacrev(on_disk))(points)
        assert np.allclose(batch, np.stack([jax.jacrev(on_disk)(p) for p in points]))
        assert np.allclose(batch[1], np.eye(2))


def test_value_and_multipliers() -> None:
    # V = (|p| - 1)^2, lambda = |p| - 1
    with jax.enable_x64(True):
        p = jnp.array([1.2, 0.9])
        value = lambda p: DISK.optimal_value(p, x0=[0.1, 0.2])  # noqa: E731
        u = np.array([0.8, 0.6])
        assert np.isclose(value(p), 0.25)
        assert np.allclose(jax.grad(value)(p), 2 * 0.5 * u)
        assert np.allclose(jax.hessian(value)(p), jax.hessian(lambda p: (jnp.linalg.norm(p) - 1) ** 2)(p), atol=1e-9)
        multiplier = lambda p: DISK.optimal_multipliers(p, x0=[0.1, 0.2])["disk"]  # noqa: E731
        assert np.isclose(multiplier(p), 0.5)
        assert np.allclose(jax.grad(multiplier)(p), u)


def test_maximize_and_pytrees() -> None:
    problem = lg.Problem(
        maximize=lambda x, p: p["a"] * jnp.log(x["u"]) + p["b"] * jnp.log(x["v"]),
        subject_to={"budget": lg.equals(lambda x, p: x["u"] + p["price"] * x["v"], lambda p: p["income"])},
        bounds=(1e-6, None),
    )
    with jax.enable_x64(True):
        p = {"a": 0.3, "b": 0.7, "price": 2.0, "income": 10.0}
        tree = jax.tree.map(jnp.asarray, p)
        demand = jax.jacrev(lambda p: problem.argmin(p, x0={"u": 1.0, "v": 1.0}))(tree)
        # Cobb-Douglas: u = a / (a + b) income, v = b / (a + b) income / price
        assert np.isclose(demand["u"]["income"], 0.3)
        assert np.isclose(demand["v"]["price"], -0.7 * 10 / 4)
        assert np.isclose(demand["u"]["a"], 0.7 * 10)
        gain = jax.grad(lambda p: problem.optimal_value(p, x0={"u": 1.0, "v": 1.0}))(tree)
        assert np.isclose(gain["income"], 1.0 / 10)


def test_nan_where_no_derivative_exists() -> None:
    with jax.enable_x64(True):
        f = lambda p: NEAREST.argmin(p, x0=1.0)  # noqa: E731
        slopes = jax.vmap(jax.grad(f))(jnp.array([1.0, 0.0, -1.0]))
        assert np.allclose(slopes[jnp.array([0, 2])], [1.0, 0.0])
        assert np.isnan(slopes[1])
        assert np.isclose(f(0.0), 0.0)  # the value is there
        flat = lg.Problem(lambda x, p: x**4 - p * x)
        assert np.isnan(jax.grad(lambda p: flat.argmin(p, x0=0.5))(0.0))
        twice = lg.Problem(
            lambda x, p: (x - 3) ** 2,
            {"a": lg.at_most(lambda x: x, lambda p: p), "b": lg.at_most(lambda x: 2 * x, 2.0)},
        )
        assert np.isnan(jax.grad(lambda p: twice.argmin(p, x0=0.0))(1.0))


def test_an_infeasible_problem_is_nan_with_a_warning() -> None:
    problem = lg.Problem(
        lambda x, p: x**2, {"a": lg.equals(lambda x: x, 1.0), "b": lg.equals(lambda x: x, lambda p: p)}
    )
    with jax.enable_x64(True), pytest.warns(lg.ImplicitFunctionWarning):
        slope = jax.grad(lambda p: problem.argmin(p, x0=0.0))(2.0)
        jax.effects_barrier()
    assert np.isnan(slope)


def test_single_precision() -> None:
    slope = jax.grad(lambda p: NEAREST.argmin(p, x0=1.0))(2.0)
    assert slope.dtype == jnp.float32
    assert np.isclose(slope, 1.0)


def test_a_layer_inside_a_loss_is_trained() -> None:
    with jax.enable_x64(True):
        target = jnp.array([0.6, 0.8])
        loss = jax.jit(jax.value_and_grad(lambda p: jnp.sum((on_disk(p) - target) ** 2)))
        p = jnp.array([2.0, 0.5])
        for _ in range(60):
            value, slope = loss(p)
            p = p - 2.0 * slope
        assert value < 1e-6


def test_a_kink_that_the_solver_reaches_with_a_multiplier_of_rounding() -> None:
    # The cap on the second asset is met exactly by the portfolio without caps. Some starts end with 0 for its
    # multiplier, others with 1e-13: the derivative exists for none.
    deviation = np.array([4.0, 9.0, 15.0])
    correlation = np.array([[1.0, 0.2, 0.1], [0.2, 1.0, 0.5], [0.1, 0.5, 1.0]])
    covariance, mean = correlation * np.outer(deviation, deviation), np.array([2.0, 4.0, 6.0])
    problem = lg.Problem(
        lambda w: w @ covariance @ w,
        {
            "budget": lg.equals(lambda w: w.sum(), 1.0),
            "return": lg.at_least(lambda w: mean @ w, 4.0),
            "cap": lg.at_most(lambda w: w, lambda p: p),
        },
    )
    third = np.full(3, 1 / 3)
    kink = float(problem.solve(third, 0.9).x[1])
    with jax.enable_x64(True):
        for start in (third, problem.solve(third, 0.9).x, problem.solve(third, 0.8 * kink).x):
            slope = jax.jacrev(lambda p, start=start: problem.argmin(p, x0=start))(kink)
            assert np.isnan(slope).all()


def test_which_sides_are_equal_is_seen_at_the_parameters_themselves() -> None:
    # Bounds that would be equal, or reversed, where all parameters are one.
    boxed = lg.Problem(lambda x, p: (x - p["target"]) ** 2, bounds=lambda p: (p["low"], p["high"] - 0.5))
    banded = lg.Problem(
        lambda x, p: (x - p["target"]) ** 2,
        {"band": lg.between(lambda p: p["low"], lambda x: x, lambda p: p["high"])},
    )
    with jax.enable_x64(True):
        for problem in (boxed, banded):
            inside = {"low": 0.0, "high": 10.0, "target": 3.0}
            slopes = jax.grad(lambda p, problem=problem: problem.argmin(p, x0=0.5))(inside)
            assert slopes == {"low": 0.0, "high": 0.0, "target": 1.0}
            below = inside | {"low": 5.0}
            slopes = jax.grad(lambda p, problem=problem: problem.optimal_value(p, x0=0.5))(below)
            assert np.allclose([slopes["low"], slopes["high"], slopes["target"]], [4.0, 0.0, -4.0])
            # Equal sides, and an equality whose multiplier is zero.
            pinned = {"low": 2.0, "high": 2.5 if problem is boxed else 2.0, "target": 2.0}
            slopes = jax.grad(lambda p, problem=problem: problem.argmin(p, x0=2.0))(pinned)
            assert np.isclose(slopes["low"] + slopes["high"], 1.0) and slopes["target"] == 0.0


def test_the_first_call_may_be_inside_jit() -> None:
    fresh = lg.Problem(lambda x, p: (x - p) ** 2, bounds=(0.0, None))
    with jax.enable_x64(True):
        assert np.isclose(jax.jit(jax.grad(lambda p: fresh.argmin(p, x0=1.0) ** 2))(3.0), 6.0)


def test_a_missing_parameter_is_named_before_jax_is_asked() -> None:
    problem = lg.Problem(lambda x, p: (x - p["target"]) ** 2, {"cap": lg.at_most(lambda x: x, lambda p: p["cap"])})
    with pytest.raises(KeyError, match="cap"):
        problem.argmin({"target": 1.0, "lid": 2.0}, x0=0.0)


def test_bounds_that_cross_have_no_solution() -> None:
    problem = lg.Problem(lambda x, p: (x - 1) ** 2, bounds=lambda p: (p["low"], p["high"]))
    with jax.enable_x64(True):
        assert np.isclose(problem.argmin({"low": 0.0, "high": 3.0}, x0=0.5), 1.0)
        with pytest.warns(lg.ImplicitFunctionWarning):
            x = problem.argmin({"low": 4.0, "high": 3.0}, x0=0.5)
            jax.effects_barrier()
        assert np.isnan(x)
