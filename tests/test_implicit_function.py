"""Implicit functions against closed forms and SciPy: values, first and second derivatives, JAX's transformations."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.optimize import brentq
from scipy.special import lambertw

import lagrange as lg
from lagrange.model.named_pytree import Vector

X = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.5], [1.0, 4.0]])
Y = np.array([1.0, 2.5, 3.0, 6.0])


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Gas:
    pressure: Any
    temperature: Any


@dataclass(frozen=True)
class Case:
    """F(w, p) = 0 through w0 (or near it) at p0, asked at p; the truth as a closed form in jax.numpy or from SciPy."""

    F: Callable[[Any, Any], Any]
    w0: Any
    p0: Any
    p: Any
    closed: Callable[[Any], Any] | None = None
    truth: Callable[[Any], Any] | None = None
    step: float = 1e-2  # largest step of the differences, relative to the size of p


# The systems ---------------------------------------------------------------------------------------------


def kepler(E: Any, p: Any) -> Any:
    return E - p["e"] * np.sin(E) - p["M"]


def colebrook(f: Any, p: Any) -> Any:
    return 1 / np.sqrt(f) + 2 * np.log10(p["roughness"] / 3.7 + 2.51 / (p["Re"] * np.sqrt(f)))


def binding(w: Any, p: Any) -> Any:
    # A + B <=> AB with equilibrium constant K
    return {
        "A": w["a"] + w["ab"] - p["A"],
        "B": w["b"] + w["ab"] - p["B"],
        "law": w["ab"] - p["K"] * w["a"] * w["b"],
    }


def bound(p: Any) -> Any:
    s = p["A"] + p["B"] + 1 / p["K"]
    ab = (s - jnp.sqrt(s**2 - 4 * p["A"] * p["B"])) / 2
    return {"a": p["A"] - ab, "b": p["B"] - ab, "ab": ab}


def circle_and_parabola(w: Any, p: Any) -> Any:
    return [w.x**2 + w.y**2 - p[0] ** 2, w.y - p[1] * w.x**2]


def circle_meets_parabola(p: Any) -> Any:
    y = (jnp.sqrt(1 + 4 * p[1] ** 2 * p[0] ** 2) - 1) / (2 * p[1])
    return Point(jnp.sqrt(y / p[1]), y)


def two_by_two(w: Any, p: Any) -> Any:
    return np.array([[2 + p[0], p[1]], [p[1], 3 * p[0]]]) @ w - np.array([1.0, p[0]])


def by_cramer(p: Any) -> Any:
    det = (2 + p[0]) * 3 * p[0] - p[1] ** 2
    return jnp.array([3 * p[0] - p[0] * p[1], (2 + p[0]) * p[0] - p[1]]) / det


def polar(w: Any, p: Any) -> Any:
    return w["r"] * np.cos(w["angle"]) - p[0], w["r"] * np.sin(w["angle"]) - p[1]


def eigenpair(w: Any, p: Any) -> Any:
    A = np.array([[p[0], 1.0, 0.5], [1.0, p[1], -0.3], [0.5, -0.3, 4.0]])
    return {"pair": A @ w["v"] - w["value"] * w["v"], "norm": w["v"] @ w["v"] - 1}


def lowest_eigenpair(p: Any) -> Any:
    values, vectors = np.linalg.eigh(np.array([[p[0], 1.0, 0.5], [1.0, p[1], -0.3], [0.5, -0.3, 4.0]]))
    return {"v": vectors[:, 0] * np.sign(vectors[0, 0]), "value": values[0]}


def van_der_waals(V: Any, gas: Any) -> Any:
    return (gas.pressure + 3 / V**2) * (3 * V - 1) - 8 * gas.temperature


def largest_volume(gas: Any) -> float:
    roots = np.roots([3 * gas.pressure, -(gas.pressure + 8 * gas.temperature), 9.0, -3.0])
    return float(roots[abs(roots.imag) < 1e-9].real.max())


def normal_equations(w: Any, p: Any) -> Any:
    return X.T @ (X @ w - p["y"]) + p["ridge"] * w


def ridge_regression(p: Any) -> Any:
    return jnp.linalg.solve(X.T @ X + p["ridge"] * jnp.eye(2), X.T @ p["y"])


CASES = {
    "circle": Case(lambda y, x: x**2 + y**2 - 1, 1.0, 0.0, 0.6, lambda x: jnp.sqrt(1 - x**2)),
    "sphere": Case(
        lambda z, p: z**2 + p @ p - 1, 1.0, np.zeros(2), np.array([0.3, -0.6]), lambda p: jnp.sqrt(1 - p @ p)
    ),
    "Kepler": Case(
        kepler,
        0.0,
        {"M": 0.0, "e": 0.1},
        {"M": 1.2, "e": 0.6},
        truth=lambda p: brentq(lambda E: E - p["e"] * np.sin(E) - p["M"], 0, 4, xtol=1e-15, rtol=1e-15),
    ),
    "cubic": Case(
        lambda y, p: y**3 + y - p, 0.0, 0.0, 2.5, lambda p: 2 / 3**0.5 * jnp.sinh(jnp.arcsinh(1.5 * 3**0.5 * p) / 3)
    ),
    "Colebrook": Case(
        colebrook,
        0.03,
        {"Re": 4000.0, "roughness": 1e-3},
        {"Re": 1e5, "roughness": 2e-4},
        truth=lambda p: brentq(lambda f: colebrook(f, p), 1e-3, 1.0, xtol=1e-16, rtol=1e-15),
    ),
    "Lambert W": Case(lambda w, p: w * np.exp(w) - p, 0.0, 0.0, 2.0, truth=lambda p: lambertw(p).real),
    "exponential": Case(lambda w, p: np.exp(w) - p, np.zeros(1), np.ones(1), np.array([3.0]), jnp.log),
    "binding": Case(
        binding,
        {"a": 0.5, "b": 0.5, "ab": 0.5},
        {"A": 1.0, "B": 1.0, "K": 1.0},
        {"A": 1.0, "B": 2.0, "K": 5.0},
        bound,
    ),
    "two curves": Case(circle_and_parabola, Point(1.0, 1.0), (1.4, 1.0), (2.0, 0.5), circle_meets_parabola),
    "linear": Case(two_by_two, np.zeros(2), np.array([1.0, 0.0]), np.array([1.5, 0.8]), by_cramer),
    "polar": Case(
        polar,
        {"r": 1.0, "angle": 0.0},
        (1.0, 0.0),
        (-0.5, 1.0),
        lambda p: {"r": jnp.hypot(p[0], p[1]), "angle": jnp.arctan2(p[1], p[0])},
    ),
    "eigenpair": Case(
        eigenpair,
        {"v": np.array([0.8, -0.6, 0.0]), "value": 0.0},
        np.array([0.0, 1.0]),
        np.array([-1.0, 2.0]),
        truth=lowest_eigenpair,
    ),
    "van der Waals": Case(van_der_waals, 3.0, Gas(1.0, 1.5), Gas(0.6, 1.1), truth=largest_volume),
    "normal equations": Case(
        normal_equations, np.zeros(2), {"y": Y, "ridge": 0.0}, {"y": Y[::-1].copy(), "ridge": 0.7}, ridge_regression
    ),
}


def flat(tree: Any) -> Vector:
    return np.asarray(ravel_pytree(tree)[0], dtype=np.float64)


def matrix_of(nested: Any, w: Any, p: Any) -> Vector:
    """A derivative nested like `jax.jacobian` as one matrix."""
    outer = jax.tree.structure(w).flatten_up_to(nested)
    rows = []
    for block, leaf in zip(outer, jax.tree.leaves(w), strict=True):
        inner = jax.tree.structure(p).flatten_up_to(block)
        rows.append(np.hstack([np.reshape(part, (np.size(leaf), -1)) for part in inner]))
    return np.vstack(rows)


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(1e-300, np.abs(expected).max(initial=0)))


def assert_second_order(f: Callable[[Vector], Vector], at: Vector, step: Vector, derivative: Vector) -> None:
    """(f(at + h step) - f(at - h step)) / 2h differs from the derivative along step by O(h^2), over a decade of h."""
    steps = np.logspace(0.0, -1.0, 5)
    size = max(1e-300, np.abs(derivative).max())
    errors = [np.abs((f(at + h * step) - f(at - h * step)) / (2 * h) - derivative).max() / size for h in steps]
    if max(errors) < 1e-10:  # nothing but rounding: f is linear or quadratic along the step
        return
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 1.9 < slope < 2.1, (slope, errors)


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivatives(name: str) -> None:
    case = CASES[name]
    with jax.enable_x64(True):
        w = lg.implicit_function(case.F, case.w0, case.p0)
        p = jax.tree.map(np.asarray, case.p)
        v, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.asarray(leaf, float), case.p))
        v = np.asarray(v)

        def of_vector(v: Any) -> Any:
            return ravel_pytree(w(unravel(v)))[0]

        def numbers(v: Vector) -> Vector:  # without JAX's transformations
            return flat(w(jax.tree.map(np.asarray, unravel(v))))

        # value
        value = w(case.p)
        assert jax.tree.structure(value) == jax.tree.structure(case.w0)
        assert np.abs(flat(case.F(value, p))).max() <= 1e-12 * max(1.0, np.abs(flat(value)).max())
        truth = (case.closed or case.truth)(case.p)  # type: ignore[misc]
        assert_close(flat(value), flat(truth), 1e-12)

        # first derivative: forward, adjoint and ours, jit and plain
        jitted, forward, adjoint = jax.jit(
            lambda v: (of_vector(v), jax.jacfwd(of_vector)(v), jax.jacrev(of_vector)(v))
        )(v)
        assert_close(jitted, flat(value), 1e-14)
        assert_close(forward, adjoint, 1e-12)
        assert_close(matrix_of(w.derivative(case.p), value, case.p), forward, 1e-12)
        rng = np.random.default_rng(1)
        dv, u = rng.normal(size=v.size), rng.normal(size=flat(value).size)
        to_w = ravel_pytree(jax.tree.map(lambda leaf: jnp.asarray(leaf, float), value))[1]
        assert_close(flat(w.jvp(case.p, jax.tree.map(np.asarray, unravel(jnp.asarray(dv))))), forward @ dv, 1e-12)
        assert_close(flat(w.vjp(case.p, jax.tree.map(np.asarray, to_w(jnp.asarray(u))))), u @ forward, 1e-12)
        direction = case.step * np.where(v == 0.0, 1.0, np.abs(v)) * np.sign(dv)
        assert_second_order(numbers, v, direction, forward @ direction)

        # second derivative
        second = np.asarray(jax.jit(jax.jacfwd(jax.jacrev(of_vector)))(v))
        assert_close(second, second.swapaxes(1, 2), 1e-11)

        def slopes(v: Vector) -> Vector:
            at = jax.tree.map(np.asarray, unravel(v))
            return matrix_of(w.derivative(at), value, case.p) @ direction

        assert_second_order(slopes, v, direction, second @ direction @ direction)

        # closed forms
        if case.closed is not None:
            closed = case.closed

            def closed_of_vector(v: Any) -> Any:
                return ravel_pytree(closed(unravel(v)))[0]

            assert_close(forward, jax.jacfwd(closed_of_vector)(v), 1e-12)
            assert_close(second, jax.hessian(closed_of_vector)(v), 1e-11)


def test_closed_second_derivatives_of_kepler_and_lambert() -> None:
    E = lg.implicit_function(kepler, 0.0, {"M": 0.0, "e": 0.1})
    W = lg.implicit_function(lambda w, p: w * np.exp(w) - p, 0.0, 0.0)
    with jax.enable_x64(True):
        anomaly = brentq(lambda E: E - 0.6 * np.sin(E) - 1.2, 0, 4, xtol=1e-15, rtol=1e-15)
        first, second = jax.jit(lambda M: (jax.grad(f := lambda M: E({"M": M, "e": 0.6}))(M), jax.hessian(f)(M)))(1.2)
        assert_close(first, 1 / (1 - 0.6 * np.cos(anomaly)), 1e-13)
        assert_close(second, -0.6 * np.sin(anomaly) / (1 - 0.6 * np.cos(anomaly)) ** 3, 1e-12)
        w = lambertw(2.0).real
        assert_close(jax.hessian(W)(2.0), -np.exp(-2 * w) * (w + 2) / (1 + w) ** 3, 1e-12)


# JAX's transformations -----------------------------------------------------------------------------------

CIRCLE = lg.implicit_function(lambda y, x: x**2 + y**2 - 1, 1.0, 0.0)


def test_derivative_is_nested_like_a_jacobian() -> None:
    w = lg.implicit_function(binding, CASES["binding"].w0, CASES["binding"].p0)
    with jax.enable_x64(True):
        p = {name: jnp.asarray(value) for name, value in CASES["binding"].p.items()}
        expected, ours = jax.jit(jax.jacobian(w))(p), w.derivative(CASES["binding"].p)
    assert jax.tree.structure(ours) == jax.tree.structure(expected)
    for leaf, other in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        assert_close(leaf, other, 1e-12)


def test_vmap_equals_a_loop_and_jit_no_jit() -> None:
    x = np.linspace(-0.9, 0.9, 7)
    with jax.enable_x64(True):
        mapped, slopes = jax.jit(jax.vmap(jax.value_and_grad(CIRCLE)))(x)
        assert mapped.dtype == np.float64
        assert_close(mapped, [CIRCLE(each) for each in x], 1e-15)
        assert_close(slopes, [CIRCLE.derivative(each) for each in x], 1e-14)
        assert_close(jax.jit(CIRCLE)(0.6), 0.8, 1e-15)


def test_float32_outside_of_enable_x64() -> None:
    value, slope = jax.jit(jax.value_and_grad(CIRCLE))(jnp.float32(0.6))
    assert value.dtype == slope.dtype == np.float32
    assert_close(value, 0.8, 1e-6)
    assert_close(slope, -0.75, 1e-6)
    assert CIRCLE(jnp.float32(0.6)).dtype == np.float32
    assert type(CIRCLE(np.float32(0.6))) is float
    assert type(CIRCLE(0)) is float
    assert jax.config.jax_enable_x64 is False


@pytest.mark.parametrize("transform", [jax.jit, jax.grad, lambda f: jax.jit(jax.grad(f)), jax.hessian])
def test_no_value_inside_of_jax_is_nan_with_a_warning(transform: Any) -> None:
    with pytest.warns(lg.ImplicitFunctionWarning, match="has no value here"):
        assert np.isnan(transform(CIRCLE)(1.5))
        jax.effects_barrier()


def test_other_lanes_of_a_vmap_are_untouched() -> None:
    x = jnp.array([0.6, 1.5, 0.0, -0.8, -3.0])
    with pytest.warns(lg.ImplicitFunctionWarning):
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(CIRCLE)))(x)
        jax.effects_barrier()
    np.testing.assert_allclose(values, [0.8, np.nan, 1.0, 0.6, np.nan], atol=1e-6)
    np.testing.assert_allclose(slopes, [-0.75, np.nan, 0.0, 4 / 3, np.nan], atol=1e-5)


def test_values_inside_make_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jax.jit(jax.vmap(CIRCLE))(jnp.array([0.1, 0.2]))
        jax.effects_barrier()


# Many unknowns -------------------------------------------------------------------------------------------


def test_six_hundred_unknowns_against_dense_numpy() -> None:
    # -w'' + w^3 = p on a grid: beyond DENSE_LIMIT the systems are solved by GMRES
    n = 600
    rng = np.random.default_rng(0)
    tridiagonal = 3.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)

    def F(w: Any, p: Any) -> Any:
        neighbours = np.concatenate([w[1:], np.zeros(1)]) + np.concatenate([np.zeros(1), w[:-1]])
        return 3.0 * w - neighbours + w**3 - p

    truth, p = rng.normal(size=n), np.empty(n)
    p = tridiagonal @ truth + truth**3
    w = lg.implicit_function(F, np.zeros(n), np.zeros(n))
    assert_close(w(p), truth, 1e-9)
    inverse = np.linalg.inv(tridiagonal + np.diag(3 * truth**2))
    dp, v = rng.normal(size=n), rng.normal(size=n)
    assert_close(w.jvp(p, dp), inverse @ dp, 1e-8)
    assert_close(w.vjp(p, v), inverse.T @ v, 1e-8)
    with jax.enable_x64(True):
        value, pull = jax.vjp(w, jnp.asarray(p))
        assert_close(value, truth, 1e-9)
        assert_close(pull(jnp.asarray(v))[0], inverse.T @ v, 1e-8)
