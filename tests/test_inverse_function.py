"""Inverse functions against inverses known in closed form."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg
from lagrange.model.named_pytree import Vector


def square(x: Any) -> Any:  # z^2
    return np.array([x[0] ** 2 - x[1] ** 2, 2 * x[0] * x[1]])


def square_root(y: Any) -> Any:
    r = jnp.hypot(y[0], y[1])
    return jnp.array([jnp.sqrt((r + y[0]) / 2), jnp.sign(y[1]) * jnp.sqrt((r - y[0]) / 2)])


def exponential(x: Any) -> Any:  # exp(z)
    return np.array([np.exp(x[0]) * np.cos(x[1]), np.exp(x[0]) * np.sin(x[1])])


def logarithm(y: Any) -> Any:
    return jnp.array([jnp.log(jnp.hypot(y[0], y[1])), jnp.arctan2(y[1], y[0])])


def shear(x: Any) -> Any:
    return np.array([x[0] + np.sin(x[1]), x[1], x[2] + x[0] ** 2])


def unsheared(y: Any) -> Any:
    x0 = y[0] - jnp.sin(y[1])
    return jnp.array([x0, y[1], y[2] - x0**2])


def softplus(x: Any) -> Any:
    return np.log1p(np.exp(x))


# f, x0, where y is asked, the inverse
MAPS: dict[str, tuple[Callable[[Any], Any], Any, Any, Callable[[Any], Any]]] = {
    "square": (square, np.array([1.0, 1.0]), np.array([-3.0, 4.0]), square_root),
    "exponential": (exponential, np.array([0.0, 0.5]), np.array([-2.0, 0.7]), logarithm),
    "shear": (shear, np.zeros(3), np.array([1.0, -2.0, 0.5]), unsheared),
    "softplus": (softplus, np.array([0.0, 1.0]), np.array([0.1, 3.0]), lambda y: jnp.log(jnp.expm1(y))),
    "cube": (lambda x: x**3 / 3, 1.0, 9.0, lambda y: (3 * y) ** (1 / 3)),
    "logit": (lambda x: 1 / (1 + np.exp(-x)), 0.0, 0.9, lambda y: jnp.log(y / (1 - y))),
}


@functools.cache
def inverse(name: str) -> lg.InverseFunction:
    return lg.inverse_function(*MAPS[name][:2])


def assert_second_order(f: Callable[[Any], Any], at: Any, step: Any, derivative: Vector) -> None:
    """Central differences of f approach the derivative along step with the second power of the step."""
    steps = np.logspace(0.0, -1.0, 5)
    errors = [np.abs((f(at + h * step) - f(at - h * step)) / (2 * h) - derivative).max() for h in steps]
    if max(errors) < 1e-12:
        return
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 1.9 < slope < 2.1, (slope, errors)


@pytest.mark.parametrize("name", MAPS)
def test_inverse(name: str) -> None:
    f, x0, y, closed = MAPS[name]
    finv = inverse(name)
    x = finv(y)
    with jax.enable_x64(True):
        truth, slope = np.asarray(closed(y)), np.asarray(jax.jacobian(closed)(jnp.asarray(y)))
        forward = np.asarray(jax.jacobian(f if name == "cube" else _jax(f))(jnp.asarray(truth)))
        second = np.asarray(jax.jit(jax.jacfwd(jax.jacrev(finv)))(jnp.asarray(y)))
        closed_second = np.asarray(jax.hessian(closed)(jnp.asarray(y)))
    np.testing.assert_allclose(x, truth, rtol=1e-13)
    np.testing.assert_allclose(finv(f(np.asarray(x0))), x0, atol=1e-13)
    np.testing.assert_allclose(f(np.asarray(x)), y, atol=1e-12)  # round trip
    D = np.atleast_2d(finv.derivative(y))
    np.testing.assert_allclose(D, np.atleast_2d(slope), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(D, np.linalg.inv(np.atleast_2d(forward)), rtol=1e-12, atol=1e-13)
    assert finv.log_abs_det_derivative(y) == pytest.approx(np.linalg.slogdet(D)[1], rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(second, closed_second, rtol=1e-10, atol=1e-11)
    direction = 0.01 * np.ones(np.shape(y))
    assert_second_order(
        lambda y: (
            np.asarray(finv.derivative(y)) @ np.atleast_1d(direction) if np.ndim(y) else finv.derivative(y) * 0.01
        ),
        y,
        direction,
        second @ direction @ direction if np.ndim(y) else second * 1e-4,
    )


def _jax(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The Jacobian's function in jax.numpy: the maps above, written once more."""
    return {
        square: lambda x: jnp.array([x[0] ** 2 - x[1] ** 2, 2 * x[0] * x[1]]),
        exponential: lambda x: jnp.exp(x[0]) * jnp.array([jnp.cos(x[1]), jnp.sin(x[1])]),
        shear: lambda x: jnp.array([x[0] + jnp.sin(x[1]), x[1], x[2] + x[0] ** 2]),
        softplus: lambda x: jnp.log1p(jnp.exp(x)),
    }.get(f, lambda x: 1 / (1 + jnp.exp(-x)))


def test_log_abs_det_and_its_gradient() -> None:
    # |det d sqrt(y)/dy| = 1 / (4 |y|), so the gradient of its logarithm is -y / |y|^2
    finv, y = inverse("square"), np.array([-3.0, 4.0])
    assert finv.log_abs_det_derivative(y) == pytest.approx(-np.log(20.0), rel=1e-13)
    with jax.enable_x64(True):
        value, gradient = jax.jit(jax.value_and_grad(finv.log_abs_det_derivative))(jnp.asarray(y))
        assert finv.log_abs_det_derivative(jnp.asarray(y)).dtype == np.float64
    np.testing.assert_allclose(value, -np.log(20.0), rtol=1e-13)
    np.testing.assert_allclose(gradient, -y / 25.0, rtol=1e-11)
    single = finv.log_abs_det_derivative(jnp.asarray(y, jnp.float32))
    assert single.dtype == np.float32 and single == pytest.approx(-np.log(20.0), rel=1e-6)


def test_dictionaries_in_and_out() -> None:
    def f(x: Any) -> Any:
        return {"sum": x["a"] + x["b"], "product": x["a"] * x["b"]}

    finv = lg.inverse_function(f, {"a": 3.0, "b": 1.0})
    x = finv({"sum": 7.0, "product": 10.0})
    assert x == {"a": pytest.approx(5.0), "b": pytest.approx(2.0)}
    # d(a)/d(sum) = a / (a - b), d(a)/d(product) = -1 / (a - b)
    slopes = finv.derivative({"sum": 7.0, "product": 10.0})
    assert slopes["a"] == {"sum": pytest.approx(5 / 3), "product": pytest.approx(-1 / 3)}
    assert finv.log_abs_det_derivative({"sum": 7.0, "product": 10.0}) == pytest.approx(-np.log(3.0))
    with pytest.raises(lg.NotRegular) as caught:  # equal roots: sum^2 = 4 product
        finv({"sum": 4.0, "product": 10.0})
    assert caught.value.p["sum"] ** 2 == pytest.approx(4 * caught.value.p["product"], abs=1e-8)
    with pytest.raises(ValueError, match=r"'sum', 'product'|'product', 'sum'"):
        finv({"sum": 1.0})


def test_x_plus_half_a_sine() -> None:
    finv = lg.inverse_function(lambda x: x + np.sin(x) / 2, 1.0)
    for x in (-20.0, -1.0, 0.0, np.pi, 50.0):
        assert finv(x + np.sin(x) / 2) == pytest.approx(x, abs=1e-12)
        assert finv.derivative(x + np.sin(x) / 2) == pytest.approx(1 / (1 + np.cos(x) / 2), rel=1e-12)


def test_around_the_origin() -> None:
    log = lg.inverse_function(exponential, np.zeros(2))
    for angle in np.linspace(0, 4 * np.pi, 9)[1:]:  # two turns: a helix, never closed
        log = log.move_to(np.array([np.cos(angle), np.sin(angle)]))
        np.testing.assert_allclose(log.w0, [0.0, angle], atol=1e-12)
    assert isinstance(log, lg.InverseFunction)


@pytest.mark.parametrize(
    ("f", "x0"),
    [(square, np.zeros(2)), (lambda x: x**2, 0.0), (lambda x: x**3, 0.0), (lambda x: x[0] + 0 * x, np.ones(2))],
    ids=["z^2", "x^2", "x^3", "rank one"],
)
def test_critical_points_are_refused(f: Any, x0: Any) -> None:
    with pytest.raises(lg.NotRegular) as caught:
        lg.inverse_function(f, x0)
    np.testing.assert_array_equal(caught.value.w, x0)


@pytest.mark.parametrize(("f", "values"), [(lambda x: x[:1], 1), (lambda x: np.array([x[0], x[1], x[0]]), 3)])
def test_not_square(f: Any, values: int) -> None:
    with pytest.raises(ValueError, match=f"has {values} values for 2 elements of x"):
        lg.inverse_function(f, np.ones(2))


def test_outside_of_the_range() -> None:
    with pytest.raises((lg.NotRegular, lg.NotConverged)):
        lg.inverse_function(np.exp, 0.0)(-1.0)
    with pytest.raises((lg.NotRegular, lg.NotConverged)):
        inverse("logit")(1.5)
    with pytest.raises((lg.NotRegular, lg.NotConverged)):
        inverse("softplus")(np.array([1.0, -1.0]))
    with pytest.raises(lg.NotRegular, match=r"y\[0\] = "):
        lg.inverse_function(square, np.array([1.0, 0.0])).log_abs_det_derivative(np.array([-1.0, 0.0]))
