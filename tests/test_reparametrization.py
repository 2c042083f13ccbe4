"""Quantiles and inverses as implicit functions: reparametrization gradients and log-determinants of densities.

F(z; p) = u   =>   dz/dp = -(dF/dp) / pdf(z)      (Figurnov, Mohamed and Mnih 2018, equation 6)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
from jax.scipy.special import gammainc, gammaln, i0e

import lagrange as lg

# Tanh-sinh quadrature on (0, 1) (Takahasi and Mori 1974): powers at either end do no harm.
ABSCISSAE = np.linspace(-4.5, 4.5, 145)
LOG_NODES = -np.log1p(np.exp(-np.pi * np.sinh(ABSCISSAE)))
NODES = np.exp(LOG_NODES)
WEIGHTS = (ABSCISSAE[1] - ABSCISSAE[0]) * np.pi * np.cosh(ABSCISSAE) * NODES * NODES[::-1]


def gamma_equation(z: Any, p: Any) -> Any:
    return gammainc(p["a"], z / p["scale"]) - p["u"]


def beta_equation(z: Any, p: Any) -> Any:
    a, b = p["a"], p["b"]
    log_density = (a - 1) * (jnp.log(z) + LOG_NODES) + (b - 1) * jnp.log1p(-z * NODES)
    log_constant = gammaln(a + b) - gammaln(a) - gammaln(b)
    return z * jnp.sum(WEIGHTS * jnp.exp(log_density + log_constant)) - p["u"]


def von_mises_equation(z: Any, p: Any) -> Any:
    density = jnp.exp(p["kappa"] * (jnp.cos(z * NODES) - 1)) / (2 * jnp.pi * i0e(p["kappa"]))
    return 0.5 + z * jnp.sum(WEIGHTS * density) - p["u"]


def gamma_quantile(p: dict[str, float]) -> float:
    return float(p["scale"] * scipy.special.gammaincinv(p["a"], p["u"]))


def beta_quantile(p: dict[str, float]) -> float:
    return float(scipy.special.betaincinv(p["a"], p["b"], p["u"]))


def von_mises_quantile(p: dict[str, float]) -> float:
    # SciPy's von Mises quantile is accurate to 1e-8 only; its distribution function is inverted here.
    kappa, u = p["kappa"], p["u"]
    integral = scipy.integrate.quad

    def cdf(z: float) -> float:
        value, _ = integral(
            lambda t: np.exp(kappa * (np.cos(t) - 1)) / (2 * np.pi * scipy.special.i0e(kappa)), 0, z, epsabs=1e-14
        )
        return 0.5 + float(value)

    return float(scipy.optimize.brentq(lambda z: cdf(z) - u, -np.pi, np.pi, xtol=1e-14, rtol=1e-14))


CASES = {
    "gamma": (gamma_equation, 1.0, dict(a=1.0, scale=1.0, u=1 - np.exp(-1.0)), gamma_quantile, scipy.stats.gamma),
    "beta": (beta_equation, 0.5, dict(a=1.0, b=1.0, u=0.5), beta_quantile, scipy.stats.beta),
    "von Mises": (von_mises_equation, 0.0, dict(kappa=1.0, u=0.5), von_mises_quantile, scipy.stats.vonmises),
}
POINTS = [
    ("gamma", dict(a=2.5, scale=1.0, u=0.3)),
    ("gamma", dict(a=0.4, scale=3.0, u=0.6)),
    ("gamma", dict(a=30.0, scale=0.5, u=0.95)),
    ("beta", dict(a=2.0, b=3.0, u=0.2)),
    ("beta", dict(a=0.5, b=1.5, u=0.6)),
    ("beta", dict(a=12.0, b=4.0, u=0.9)),
    ("von Mises", dict(kappa=2.0, u=0.8)),
    ("von Mises", dict(kappa=8.0, u=0.05)),
]


@pytest.fixture(scope="module")
def quantiles() -> dict[str, lg.ImplicitFunction]:
    return {name: lg.implicit_function(F, z0, p0) for name, (F, z0, p0, _, _) in CASES.items()}


@pytest.mark.parametrize(("name", "p"), POINTS)
def test_quantiles_are_scipys(quantiles: dict[str, lg.ImplicitFunction], name: str, p: dict[str, float]) -> None:
    shapes = {key: value for key, value in p.items() if key != "u"}
    assert quantiles[name](p) == pytest.approx(CASES[name][3](p), rel=1e-10)
    assert CASES[name][4](**shapes).cdf(quantiles[name](p)) == pytest.approx(p["u"], rel=1e-6)


@pytest.mark.parametrize(("name", "p"), POINTS)
def test_slope_in_u_is_one_over_the_density(
    quantiles: dict[str, lg.ImplicitFunction], name: str, p: dict[str, float]
) -> None:
    shapes = {key: value for key, value in p.items() if key != "u"}
    density = CASES[name][4](**shapes).pdf(quantiles[name](p))
    assert quantiles[name].derivative(p)["u"] == pytest.approx(1.0 / density, rel=1e-8)


@pytest.mark.parametrize(("name", "p"), POINTS)
def test_central_differences_of_scipy_come_nearer_by_their_square(
    quantiles: dict[str, lg.ImplicitFunction], name: str, p: dict[str, float]
) -> None:
    derivative, quantile = quantiles[name].derivative(p), CASES[name][3]
    steps = 2.0 ** -np.arange(4, 8)
    for key in p.keys() - {"u"}:

        def difference(h: float, key: str = key) -> float:
            return (quantile(p | {key: p[key] * (1 + h)}) - quantile(p | {key: p[key] * (1 - h)})) / (2 * h * p[key])

        errors = np.array([abs(difference(h) - derivative[key]) for h in steps])
        if key == "scale":  # linear: no error but rounding
            assert errors.max() <= 1e-11 * abs(derivative[key])
            continue
        np.testing.assert_allclose(np.diff(np.log(errors)) / np.diff(np.log(steps)), 2.0, atol=0.15)


@pytest.mark.parametrize("u", [0.05, 0.5, 0.9])
def test_exponential_distribution(quantiles: dict[str, lg.ImplicitFunction], u: float) -> None:
    """Gamma(1, scale): z = -scale log(1 - u)."""
    p = dict(a=1.0, scale=2.5, u=u)
    assert quantiles["gamma"](p) == pytest.approx(-2.5 * np.log1p(-u), rel=1e-12)
    assert quantiles["gamma"].derivative(p)["scale"] == pytest.approx(-np.log1p(-u), rel=1e-12)
    assert quantiles["gamma"].derivative(p)["u"] == pytest.approx(2.5 / (1 - u), rel=1e-11)


@pytest.mark.parametrize("u", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("a", [0.7, 1.0, 4.0])
def test_power_distribution(quantiles: dict[str, lg.ImplicitFunction], a: float, u: float) -> None:
    """Beta(a, 1): z = u^(1/a), dz/da = -z log(u) / a^2; Beta(1, b): z = 1 - (1 - u)^(1/b)."""
    p = dict(a=a, b=1.0, u=u)
    assert quantiles["beta"](p) == pytest.approx(u ** (1 / a), rel=1e-11)
    assert quantiles["beta"].derivative(p)["a"] == pytest.approx(-(u ** (1 / a)) * np.log(u) / a**2, rel=1e-10)
    p = dict(a=1.0, b=a, u=u)
    slope = (1 - u) ** (1 / a) * np.log1p(-u) / a**2
    assert quantiles["beta"].derivative(p)["b"] == pytest.approx(slope, rel=1e-9)


def test_uniform_on_the_circle(quantiles: dict[str, lg.ImplicitFunction]) -> None:
    """Von Mises at kappa -> 0: density (1 + kappa cos z) / (2 pi) + ..., so dz/dkappa = -sin z at kappa = 0."""
    derivative = quantiles["von Mises"].derivative(dict(kappa=1e-9, u=0.7))
    assert derivative["kappa"] == pytest.approx(-np.sin(0.4 * np.pi), rel=1e-8)
    assert derivative["u"] == pytest.approx(2 * np.pi, rel=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_gradient_of_an_expectation(quantiles: dict[str, lg.ImplicitFunction], name: str) -> None:
    """The mean over u of d(z^2)/dp, by vmap and Gauss-Legendre nodes, is the derivative of the exact mean."""
    z = quantiles[name]
    nodes, weights = np.polynomial.legendre.leggauss(24)
    s, weights = (nodes + 1) / 2, weights / 2
    # Gentle at both ends, where the quantiles of Gamma and Beta are not smooth.
    u, weights = (
        (s, weights) if name == "von Mises" else (s**3 * (10 - 15 * s + 6 * s**2), weights * 30 * (s - s**2) ** 2)
    )
    shapes = {"gamma": dict(a=3.0, scale=1.0), "beta": dict(a=2.0, b=3.0), "von Mises": dict(kappa=1.0)}
    p: dict[str, float] = shapes[name]
    with jax.enable_x64(True):

        def mean(p: Any) -> Any:
            moment = (lambda x: 1 - jnp.cos(x)) if name == "von Mises" else jnp.square
            return jnp.sum(weights * jax.vmap(lambda u: moment(z({**p, "u": u})))(jnp.asarray(u)))

        gradient = jax.jit(jax.grad(mean))(p)
    if name == "gamma":  # a (a + 1) scale^2
        expected = dict(a=7.0, scale=24.0)
    elif name == "beta":  # a (a + 1) / ((a + b) (a + b + 1))
        expected = dict(a=5 / 30 - 6 * 11 / 900, b=-6 * 11 / 900)
    else:  # 1 - I1 / I0
        ratio = scipy.special.i1(1.0) / scipy.special.i0(1.0)
        expected = dict(kappa=-(1 - ratio - ratio**2))
    for key, value in expected.items():
        assert float(gradient[key]) == pytest.approx(value, rel=1e-4)


def test_single_precision_and_jit(quantiles: dict[str, lg.ImplicitFunction]) -> None:
    p = dict(a=2.5, scale=1.0, u=0.3)
    value, gradient = jax.jit(jax.value_and_grad(quantiles["gamma"]))(p)
    assert value.dtype == gradient["a"].dtype == jnp.float32
    assert float(value) == pytest.approx(gamma_quantile(p), rel=1e-5)
    assert float(gradient["a"]) == pytest.approx(quantiles["gamma"].derivative(p)["a"], rel=1e-4)


def test_no_quantile_above_one(quantiles: dict[str, lg.ImplicitFunction]) -> None:
    p = dict(a=2.5, scale=1.0, u=1.5)
    with pytest.raises((lg.NotRegular, lg.NotConverged)):
        quantiles["gamma"](p)
    with pytest.warns(lg.ImplicitFunctionWarning):
        value = jax.jit(quantiles["gamma"])(p)
        jax.effects_barrier()
    assert np.isnan(value)


# --- log |det| of an inverse ----------------------------------------------------------------------------------------


def polar(x: Any) -> Any:
    """(radius, angle) to the plane: |det| = radius."""
    return jnp.stack([x[0] * jnp.cos(x[1]), x[0] * jnp.sin(x[1])])


def shear(x: Any) -> Any:
    return np.array([[2.0, 1.0], [0.0, -3.0]]) @ x + np.array([1.0, 5.0])


@pytest.mark.parametrize(
    ("f", "x0", "y", "expected"),
    [
        (shear, np.zeros(2), np.array([4.0, -2.0]), lambda y: -jnp.log(6.0) + 0.0 * y[0]),
        (np.exp, 0.0, 2.5, lambda y: -jnp.log(y)),
        (np.exp, np.zeros(3), np.array([0.5, 1.0, 4.0]), lambda y: -jnp.sum(jnp.log(y))),
        (polar, np.array([1.0, 0.3]), np.array([-1.0, 2.0]), lambda y: -0.5 * jnp.log(y @ y)),
        (lambda x: x**3 + x, 1.0, 10.0, lambda y: -jnp.log(13.0) + 0.0 * y),
    ],
    ids=["affine", "exp", "exp of three", "polar", "cubic"],
)
def test_log_abs_det(f: Callable[[Any], Any], x0: Any, y: Any, expected: Callable[[Any], Any]) -> None:
    finv = lg.inverse_function(f, x0)
    found = finv.log_abs_det_derivative(y)
    assert isinstance(found, float)
    assert found == pytest.approx(float(expected(jnp.asarray(y))), rel=1e-6, abs=1e-6)
    with jax.enable_x64(True):
        y = jnp.asarray(y)
        assert float(expected(y)) == pytest.approx(found, rel=1e-12, abs=1e-12)
        assert float(finv.log_abs_det_derivative(y)) == pytest.approx(found, rel=1e-12, abs=1e-12)
        assert float(jax.jit(finv.log_abs_det_derivative)(y)) == pytest.approx(found, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(
    ("f", "x0", "y", "expected"),
    [
        (shear, np.zeros(2), np.array([4.0, -2.0]), lambda y: np.zeros(2)),
        (np.exp, np.zeros(3), np.array([0.5, 1.0, 4.0]), lambda y: -1.0 / y),
        (polar, np.array([1.0, 0.3]), np.array([-1.0, 2.0]), lambda y: -y / (y @ y)),
        # -d log f'(x) / dy = -f''(x) / f'(x)^2 at x = 2
        (lambda x: x**3 + x, 1.0, np.array(10.0), lambda y: -12.0 / 13.0**2),
    ],
    ids=["affine", "exp", "polar", "cubic"],
)
def test_gradient_of_log_abs_det(f: Callable[[Any], Any], x0: Any, y: Any, expected: Callable[[Any], Any]) -> None:
    finv = lg.inverse_function(f, x0)
    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(finv.log_abs_det_derivative))(jnp.asarray(y))
    np.testing.assert_allclose(gradient, expected(y), rtol=1e-10, atol=1e-12)


def test_densities_integrate_to_one() -> None:
    """The density of f(x), x standard normal, over y on a grid: the trapezoidal rule is exact to rounding here."""

    def f(x: Any) -> Any:
        return x + 0.5 * jnp.tanh(2.0 * x)

    finv = lg.inverse_function(f, 0.0)
    with jax.enable_x64(True):
        y = jnp.linspace(-9.0, 9.0, 181)
        x, log_slope = jax.jit(jax.vmap(lambda y: (finv(y), finv.log_abs_det_derivative(y))))(y)
        density = np.exp(-0.5 * x**2 + log_slope) / np.sqrt(2 * np.pi)
        np.testing.assert_allclose(f(x), y, atol=1e-12)
    assert float(np.sum(density)) * 0.1 == pytest.approx(1.0, abs=1e-10)


def test_log_abs_det_where_there_is_none() -> None:
    finv = lg.inverse_function(lambda x: x**2, 1.0)
    with pytest.raises(lg.NotRegular, match="fold"):
        finv.log_abs_det_derivative(-1.0)
    with pytest.warns(lg.ImplicitFunctionWarning):
        value = jax.jit(finv.log_abs_det_derivative)(-1.0)
        jax.effects_barrier()
    assert np.isnan(value)
