"""Fixed points: values from elsewhere, gradients by other ways, constant memory, and no number where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.special

import lagrange as lg

SOLVERS = ["anderson", "newton", "picard"]
LONG = 400  # iterations after which the layers below stand still in float64


def layer_weights(n: int, norm: float = 0.8, seed: int = 0) -> dict[str, np.ndarray]:
    """W with this largest singular value, and b."""
    generator = np.random.default_rng(seed)
    W = generator.normal(size=(n, n))
    return {"W": W * (norm / np.linalg.norm(W, 2)), "b": generator.normal(size=n)}


def layer(z: Any, theta: Any) -> Any:
    return jnp.tanh(theta["W"] @ z + theta["b"])


def lambert(z: Any, theta: Any) -> Any:
    """z = theta exp(-z): Lambert's W, with W' = W / (theta (1 + W)) and W'' = -W^2 (2 + W) / (theta^2 (1 + W)^3)."""
    return theta * jnp.exp(-z)


def jax_tree(tree: Any, dtype: Any = None) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), tree)


def observed_orders(steps: np.ndarray, errors: list[float]) -> np.ndarray:
    return np.diff(np.log(errors)) / np.diff(np.log(steps))


@contextmanager
def nothing_found() -> Iterator[None]:
    """What runs inside must warn that it has no value."""
    with pytest.warns(lg.ImplicitFunctionWarning, match="did not converge"):
        yield
        jax.effects_barrier()


# --- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_lambert_w(solver: str) -> None:
    z = lg.fixed_point(lambert, 0.5, 1.0, solver)
    for theta in [0.1, 1.0, 2.0]:
        assert z(theta) == pytest.approx(scipy.special.lambertw(theta).real, rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_linear_system(solver: str) -> None:
    theta = layer_weights(12)
    z = lg.fixed_point(lambda z, t: t["W"] @ z + t["b"], np.zeros(12), theta, solver)
    np.testing.assert_allclose(z(theta), np.linalg.solve(np.eye(12) - theta["W"], theta["b"]), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_as_scipy_finds_it(solver: str) -> None:
    theta = layer_weights(20)
    expected = scipy.optimize.fixed_point(
        lambda z: np.tanh(theta["W"] @ z + theta["b"]), np.zeros(20), method="iteration", xtol=1e-14, maxiter=2000
    )
    np.testing.assert_allclose(lg.fixed_point(layer, np.zeros(20), theta, solver)(theta), expected, atol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_kepler(solver: str) -> None:
    anomaly = lg.fixed_point(lambda E, t: t["M"] + t["e"] * jnp.sin(E), 1.0, {"M": 1.0, "e": 0.5}, solver)
    expected = scipy.optimize.brentq(lambda E: E - 0.7 * np.sin(E) - 2.0, 0.0, np.pi, xtol=1e-15, rtol=1e-15)
    assert anomaly({"M": 2.0, "e": 0.7}) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("solver", ["anderson", "newton"])
@pytest.mark.parametrize("slope", [-3.0, 1.5])
def test_without_contraction(solver: str, slope: float) -> None:
    z = lg.fixed_point(lambda z, t: t * z + 1.0, 0.0, slope, solver)
    assert z(slope) == pytest.approx(1.0 / (1.0 - slope), rel=1e-9)
    assert z.derivative(slope) == pytest.approx(1.0 / (1.0 - slope) ** 2, rel=1e-9)


def test_two_precisions() -> None:
    theta = layer_weights(10)
    z = lg.fixed_point(layer, np.zeros(10), theta)
    exact = z(theta)
    assert exact.dtype == np.float64
    for compute in (z, jax.jit(z)):
        single = compute(jax_tree(theta))
        assert single.dtype == jnp.float32
        np.testing.assert_allclose(single, exact, atol=1e-4)
    with jax.enable_x64(True):
        double = jax.jit(z)(jax_tree(theta))
        assert double.dtype == jnp.float64
        np.testing.assert_allclose(double, exact, atol=1e-10)
    assert not jax.config.jax_enable_x64


def test_tolerance_is_the_relative_residual() -> None:
    theta = layer_weights(10)
    for tol in [1e-2, 1e-6, 1e-12]:
        z = lg.fixed_point(layer, np.zeros(10), theta, tol=tol)(theta)
        g = np.tanh(theta["W"] @ z + theta["b"])
        assert np.linalg.norm(g - z) <= tol * np.linalg.norm(g)


# --- derivatives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["anderson", "newton"])
def test_derivative_of_a_linear_system(solver: str) -> None:
    n = 5
    theta = layer_weights(n)
    z = lg.fixed_point(lambda z, t: t["W"] @ z + t["b"], np.zeros(n), theta, solver)
    inverse = np.linalg.inv(np.eye(n) - theta["W"])
    # dz_i / dW_jk = (I - W)^-1_ij z_k
    expected = {"b": inverse, "W": np.einsum("ij,k->ijk", inverse, inverse @ theta["b"])}
    found = [z.derivative(theta)]
    with jax.enable_x64(True):
        found += [jax.jit(jax.jacrev(z))(jax_tree(theta)), jax.jit(jax.jacfwd(z))(jax_tree(theta))]
    for derivative in found:
        for key in expected:
            np.testing.assert_allclose(derivative[key], expected[key], rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("solver", ["anderson", "newton"])
def test_gradient_is_that_of_the_unrolled_iteration(solver: str) -> None:
    theta = layer_weights(8)
    z = lg.fixed_point(layer, np.zeros(8), theta, solver)

    def unrolled(theta: Any) -> Any:
        last, _ = jax.lax.scan(lambda z, _: (layer(z, theta), None), jnp.zeros(8), None, length=LONG)
        return jnp.sum(jnp.sin(last))

    with jax.enable_x64(True):
        theta = jax_tree(theta)
        implicit = jax.jit(jax.grad(lambda theta: jnp.sum(jnp.sin(z(theta)))))(theta)
        backpropagated = jax.jit(jax.grad(unrolled))(theta)
    for key in theta:
        np.testing.assert_allclose(implicit[key], backpropagated[key], rtol=1e-8, atol=1e-9)


def test_adjoint_is_the_transpose_of_forward() -> None:
    theta, generator = layer_weights(30), np.random.default_rng(1)
    z = lg.fixed_point(layer, np.zeros(30), theta)
    dtheta, v = {key: generator.normal(size=leaf.shape) for key, leaf in theta.items()}, generator.normal(size=30)
    forward, adjoint = z.jvp(theta, dtheta), z.vjp(theta, v)
    assert v @ forward == pytest.approx(sum(np.sum(adjoint[key] * dtheta[key]) for key in theta), rel=1e-12)
    with jax.enable_x64(True):
        along = jax.jit(lambda t, dt: jax.jvp(z, (t,), (dt,))[1])(jax_tree(theta), jax_tree(dtheta))
        against = jax.jit(lambda t, v: jax.vjp(z, t)[1](v)[0])(jax_tree(theta), jnp.asarray(v))
    np.testing.assert_allclose(along, forward, rtol=1e-8, atol=1e-10)
    for key in theta:
        np.testing.assert_allclose(against[key], adjoint[key], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("solver", ["anderson", "newton"])
def test_three_derivatives_of_lambert_w(solver: str) -> None:
    z, theta = lg.fixed_point(lambert, 0.5, 1.0, solver, tol=1e-15 if solver != "newton" else None), 1.3
    w = scipy.special.lambertw(theta).real
    second = -(w**2) * (2.0 + w) / (theta**2 * (1.0 + w) ** 3)
    third = w**3 * (2.0 * w**2 + 8.0 * w + 9.0) / (theta**3 * (1.0 + w) ** 5)
    assert z.derivative(theta) == pytest.approx(w / (theta * (1.0 + w)), rel=1e-12)
    twice = jax.grad(jax.grad(z))
    with jax.enable_x64(True):
        reverse, forward, thrice = jax.jit(
            lambda t: (twice(t), jax.jvp(jax.grad(z), (t,), (1.0,))[1], jax.grad(twice)(t))
        )(theta)
    assert float(reverse) == pytest.approx(second, rel=1e-10)
    assert float(forward) == pytest.approx(second, rel=1e-10)
    assert float(thrice) == pytest.approx(third, rel=1e-10)


@pytest.mark.parametrize("order", [1, 2])
def test_central_differences_come_nearer_by_their_square(order: int) -> None:
    theta, generator = layer_weights(6, norm=0.9), np.random.default_rng(2)
    z = lg.fixed_point(layer, np.zeros(6), theta, tol=1e-14)
    direction = {key: generator.normal(size=leaf.shape) for key, leaf in theta.items()}
    steps = 2.0 ** -np.arange(4, 9)

    def along(t: Any) -> Any:
        return jnp.sum(z(jax.tree.map(lambda a, d: a + t * d, theta, direction)) ** 3)

    derivative = along if order == 1 else jax.grad(along)
    with jax.enable_x64(True):
        exact = jax.grad(derivative)(0.0)
        compiled = jax.jit(derivative)
        errors = [abs(float((compiled(h) - compiled(-h)) / (2 * h) - exact)) for h in steps]
    np.testing.assert_allclose(observed_orders(steps, errors), 2.0, atol=0.2)


@pytest.mark.parametrize("solver", ["anderson", "newton"])
def test_vmap_is_a_loop(solver: str) -> None:
    theta = layer_weights(4)
    z = lg.fixed_point(layer, np.zeros(4), theta, solver)
    inputs = np.random.default_rng(3).normal(size=(6, 4))

    def loss(b: Any) -> Any:
        return jnp.sum(z({"W": jnp.asarray(theta["W"]), "b": b}) ** 2)

    with jax.enable_x64(True):
        values, gradients = jax.jit(jax.vmap(jax.value_and_grad(loss)))(jnp.asarray(inputs))
        one = jax.jit(jax.value_and_grad(loss))
        for b, value, gradient in zip(inputs, values, gradients, strict=True):
            expected, slope = one(jnp.asarray(b))
            assert value == pytest.approx(float(expected), rel=1e-8)
            np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-9)
            assert float(expected) == pytest.approx(np.sum(z({"W": theta["W"], "b": b}) ** 2), rel=1e-8)


@pytest.mark.parametrize("solver", ["anderson", "newton"])
def test_many_unknowns(solver: str) -> None:
    """Beyond the limit of dense factorization: GMRES, against LAPACK on the full matrix."""
    n = 600
    theta = layer_weights(n, norm=0.7)
    z = lg.fixed_point(layer, np.zeros(n), theta, solver)
    v = np.random.default_rng(4).normal(size=n)
    with jax.enable_x64(True):
        gradient, value = jax.jit(jax.grad(lambda theta: ((x := z(theta)) @ v, x), has_aux=True))(jax_tree(theta))
    point = np.asarray(value)
    np.testing.assert_allclose(np.tanh(theta["W"] @ point + theta["b"]), point, atol=1e-9)
    slope = 1.0 - point**2
    adjoint = np.linalg.solve((np.eye(n) - slope[:, None] * theta["W"]).T, v) * slope
    np.testing.assert_allclose(gradient["b"], adjoint, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(gradient["W"], np.outer(adjoint, point), rtol=1e-6, atol=1e-8)


def test_memory_does_not_depend_on_iterations() -> None:
    theta = jax_tree(layer_weights(32), jnp.float32)

    def memory(loss: Callable[[Any], Any]) -> int:
        return jax.jit(jax.grad(loss)).lower(theta).compile().memory_analysis().temp_size_in_bytes

    def implicit(iterations: int) -> int:
        z = lg.fixed_point(layer, np.zeros(32), theta, max_iterations=iterations)
        return memory(lambda theta: jnp.sum(z(theta) ** 2))

    def unrolled(iterations: int) -> int:
        def loss(theta: Any) -> Any:
            z, _ = jax.lax.scan(lambda z, _: (layer(z, theta), None), jnp.zeros(32), None, length=iterations)
            return jnp.sum(z**2)

        return memory(loss)

    assert implicit(10) == implicit(1000) > 0
    assert unrolled(1000) > 50 * unrolled(10)  # what would be measured if iterates were kept


# --- no value -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theta", [1.0, 1.5])
def test_picard_does_not_converge(theta: float) -> None:
    z = lg.fixed_point(lambda z, t: t * z + 1.0, 0.0, 0.5, "picard")
    with pytest.raises(lg.NotConverged, match=r"after 500 iterations of picard.*Raise max_iterations"):
        z(theta)
    for ask in (z.derivative, z.contraction, lambda t: z.jvp(t, 1.0), lambda t: z.vjp(t, 1.0), z.regularity):
        with pytest.raises(lg.NotConverged):
            ask(theta)
    with pytest.raises(lg.NotConverged):
        z(jnp.asarray(theta))  # JAX arrays outside of transformations
    for transformed in (jax.jit(z), jax.grad(z), jax.jit(jax.grad(z)), jax.jacfwd(z)):
        with nothing_found():
            assert np.isnan(transformed(theta))


def test_too_few_iterations() -> None:
    theta = layer_weights(10)
    z = lg.fixed_point(layer, np.zeros(10), theta, "picard", max_iterations=3)
    with pytest.raises(lg.NotConverged, match="after 3 iterations of picard"):
        z(theta)
    with nothing_found():
        assert np.isnan(jax.jit(z)(jax_tree(theta))).all()


def test_one_of_a_batch_has_no_value() -> None:
    z = lg.fixed_point(lambda z, t: t * z + 1.0, 0.0, 0.5, "picard")
    with nothing_found():
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(z)))(jnp.asarray([0.5, 2.0, -0.5]))
    np.testing.assert_allclose(values, [2.0, np.nan, 1.0 / 1.5], rtol=1e-4)
    np.testing.assert_allclose(slopes, [4.0, np.nan, 1.0 / 1.5**2], rtol=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_fixed_point_at_all(solver: str) -> None:
    """z = z + theta has g_z = 1 everywhere, and a solution for theta = 0 only."""
    z = lg.fixed_point(lambda z, t: z + t, 1.0, 0.1, solver)
    with pytest.raises(lg.NotConverged):
        z(1.0)
    with nothing_found():
        assert np.isnan(jax.jit(z)(1.0))


@pytest.mark.parametrize("solver", ["anderson", "newton"])
def test_derivative_of_the_identity(solver: str) -> None:
    """Every z is a fixed point of z = z: there may be a value, but there is no derivative."""
    z = lg.fixed_point(lambda z, t: z + 0.0 * t, np.ones(3), 1.0, solver)
    for ask in (z.derivative, lambda t: z.jvp(t, 1.0), lambda t: z.vjp(t, np.ones(3))):
        with pytest.raises((lg.NotConverged, lg.NotRegular), match="singular"):
            ask(1.0)
    for transformed in (jax.jit(jax.jacrev(z)), jax.jit(jax.jacfwd(z))):
        if solver == "newton":
            with nothing_found():
                derivative = transformed(1.0)
        else:
            derivative = transformed(1.0)
        assert np.isnan(derivative).all()


@pytest.mark.parametrize(("solver", "thetas"), [("newton", [0.0, -0.1]), ("picard", [0.0])])
def test_fold(solver: str, thetas: list[float]) -> None:
    """z = z + theta - z^2: two fixed points +-sqrt(theta) meet at 0, where g_z = 1, and beyond there is none."""
    z = lg.fixed_point(lambda z, t: z + t - z**2, 0.5, 0.1, solver)
    assert z(0.25) == pytest.approx(0.5, rel=1e-9)
    with jax.enable_x64(True):
        gradient = jax.jit(jax.grad(z))
        for theta in thetas:
            with pytest.raises(lg.NotConverged):
                z.derivative(theta)
            with nothing_found():
                assert np.isnan(gradient(theta))


def test_beyond_the_fold_by_picard() -> None:
    z = lg.fixed_point(lambda z, t: z + t - z**2, 0.5, 0.1, "picard")
    with pytest.raises(lg.NotConverged):
        z(-0.1)


def test_fold_by_anderson() -> None:
    z = lg.fixed_point(lambda z, t: z + t - z**2, 0.5, 0.1)
    with pytest.raises((lg.NotConverged, lg.NotRegular)):
        z.derivative(0.0)


# --- evidence of contraction ----------------------------------------------------------------------------------------


def test_contraction_of_a_shear() -> None:
    """Norm 3.05 and spectral radius 1/2: Picard converges though the map stretches."""
    A = np.array([[0.5, 3.0], [0.0, 0.4]])
    z = lg.fixed_point(lambda z, t: jnp.asarray(A) @ z + t, np.zeros(2), np.ones(2), "picard")
    found = z.contraction(np.ones(2))
    # |A|^2 is the larger root of  x^2 - (sum of squares) x + det^2 = 0
    squares, determinant = np.sum(A**2), 0.5 * 0.4
    assert found.norm == pytest.approx(np.sqrt((squares + np.sqrt(squares**2 - 4 * determinant**2)) / 2), rel=1e-12)
    assert found.spectral_radius == pytest.approx(0.5, rel=1e-12)
    assert not found.contracts
    assert (found.same, found.others, found.unique) == (found.starts, 0, None)
    assert "does not contract" in str(found) and "Picard's iteration converges" in str(found)


def test_contraction_of_the_cosine() -> None:
    z = lg.fixed_point(lambda z, t: t * jnp.cos(z), 0.5, 1.0)
    dottie = scipy.optimize.brentq(lambda z: z - np.cos(z), 0.0, 1.0, xtol=1e-15)
    found = z.contraction(1.0, starts=5)
    assert found.norm == found.spectral_radius == pytest.approx(np.sin(dottie), rel=1e-9)
    assert found.contracts and found.starts == 5 and found.unique is None
    assert str(found).startswith("g contracts at the fixed point: norm 0.674, spectral radius 0.674")


@pytest.mark.parametrize("solver", SOLVERS)
def test_two_attractors(solver: str) -> None:
    """z = tanh(2 z) has the fixed points 0 and +-0.9575."""
    z = lg.fixed_point(lambda z, t: jnp.tanh(t * z), 1.0, 2.0, solver)
    upper = scipy.optimize.brentq(lambda z: z - np.tanh(2.0 * z), 0.5, 1.0, xtol=1e-15)
    assert z(2.0) == pytest.approx(upper, rel=1e-9)
    found = z.contraction(2.0, starts=12)
    assert found.norm == pytest.approx(2.0 * (1.0 - upper**2), rel=1e-8)
    assert found.contracts and found.others > 0 and found.unique is False
    assert found == z.contraction(2.0, starts=12)  # seeded
    assert f"{found.others} to another fixed point" in str(found)


def test_contraction_of_many_unknowns() -> None:
    n = 600
    theta = layer_weights(n, norm=0.9)
    z = lg.fixed_point(layer, np.zeros(n), theta)
    found, point = z.contraction(theta, starts=2), z(theta)
    derivative = (1.0 - point**2)[:, None] * theta["W"]
    assert found.norm == pytest.approx(np.linalg.norm(derivative, 2), rel=1e-8)
    assert found.spectral_radius == pytest.approx(np.abs(np.linalg.eigvals(derivative)).max(), rel=1e-6)


def test_residuals_of_picard() -> None:
    """|g(z) - z| of a linear g with g_z = c shrinks by c at each iteration."""
    z = lg.fixed_point(lambda z, t: 0.5 * z + t, np.zeros(3), np.ones(3), "picard", tol=1e-9)
    seen = z.residuals(np.ones(3))
    k = np.arange(seen.size)
    # z_k = 2 (1 - 2^-k), g(z_k) - z_k = 2^-k, g(z_k) = 2 - 2^-k
    np.testing.assert_allclose(seen, 0.5**k / (2.0 - 0.5**k), rtol=1e-6)
    assert seen[-1] <= 1e-9 < seen[-2]


def test_anderson_needs_fewer_iterations() -> None:
    theta = layer_weights(50, norm=1.2, seed=5)
    anderson, picard = (lg.fixed_point(layer, np.zeros(50), theta, solver).residuals(theta) for solver in SOLVERS[::2])
    assert anderson[0] == picard[0]
    assert anderson.size < picard.size
    # A linear system of n <= 5 unknowns is solved in n + 1 iterations, as by GMRES (Walker and Ni, theorem 2.2).
    theta = layer_weights(3)
    linear = lg.fixed_point(lambda z, t: t["W"] @ z + t["b"], np.zeros(3), theta, tol=1e-6)
    assert linear.residuals(theta).size - 1 <= 5


# --- arguments ------------------------------------------------------------------------------------------------------


class Weights(NamedTuple):
    rate: Any
    target: Any


def towards(z: Any, theta: Weights) -> Any:
    """Components drawn to the target, each at its own rate, in plain NumPy."""
    return {
        "position": z["position"] + theta.rate * (theta.target["position"] - z["position"]),
        "speed": np.where(z["speed"] > 1e3, 0.0, z["speed"] * (1 - theta.rate) + theta.rate * theta.target["speed"]),
    }


@pytest.mark.parametrize("solver", ["anderson", "picard"])
def test_pytrees_and_plain_numpy(solver: str) -> None:
    start = {"position": np.zeros((2, 2)), "speed": 0.0}
    theta = Weights(0.5, {"position": np.arange(4.0).reshape(2, 2), "speed": 7.0})
    z = lg.fixed_point(towards, start, theta, solver)
    found = z(theta)
    np.testing.assert_allclose(found["position"], theta.target["position"], atol=1e-9)
    assert found["speed"] == pytest.approx(7.0) and np.shape(found["speed"]) == ()
    derivative = z.derivative(theta)
    np.testing.assert_allclose(derivative["position"].target["position"], np.eye(4).reshape(2, 2, 2, 2), atol=1e-9)
    np.testing.assert_allclose(derivative["speed"].rate, 0.0, atol=1e-9)
    total = jax.jit(jax.grad(lambda theta: jnp.sum((found := z(theta))["position"]) + found["speed"]))
    gradient = total(jax_tree(theta, jnp.float32))
    assert isinstance(gradient, Weights)
    np.testing.assert_allclose(gradient.target["position"], np.ones((2, 2)), rtol=1e-4)
    np.testing.assert_allclose(gradient.target["speed"], 1.0, rtol=1e-4)


def test_names_in_messages() -> None:
    z = lg.fixed_point(lambda z, t: {"left": z["right"] + t, "right": z["left"]}, {"left": 1.0, "right": 2.0}, 0.1)
    with pytest.raises(lg.NotConverged, match=r"no fixed point of <lambda> was found: \|g\(z\) - z\| is"):
        z(1.0)
    z = lg.fixed_point(layer, np.zeros(2), layer_weights(2))
    with pytest.raises(ValueError, match="theta b has shape"):
        z({"W": np.eye(2), "b": np.zeros(3)})
    with pytest.raises(ValueError, match="theta has entries 'W', expected 'W', 'b'"):
        z({"W": np.eye(2)})
    with pytest.raises(ValueError, match="theta must be finite"):
        z({"W": np.eye(2), "b": np.array([0.0, np.nan])})
    with pytest.raises(ValueError, match="v has shape"):
        z.vjp(layer_weights(2), np.ones(3))


def no_return(z: Any, theta: Any) -> None:
    np.sin(z)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(solver="aitken"), ValueError, "solver must be one of 'anderson', 'newton', 'picard', got 'aitken'"),
        (dict(tol=0.0), ValueError, "tol must be a number between 0 and 1 or None, got 0.0"),
        (dict(tol=2.0), ValueError, "tol must be a number between 0 and 1"),
        (dict(tol=np.nan), ValueError, "tol must be a number between 0 and 1"),
        (dict(max_iterations=0), ValueError, "max_iterations must be a positive integer, got 0"),
        (dict(max_iterations=10.0), ValueError, "max_iterations must be a positive integer, got 10.0"),
        (dict(g=3), TypeError, "the first argument must be a function, got 3"),
        (dict(g=no_return), TypeError, "no_return returned None: does it end with a return statement"),
        (dict(g=lambda z, t: np.zeros(3)), ValueError, r"must return values like z.*\(3,\), but z0 is z \(2,\)"),
        (dict(g=lambda z, t: z[0]), ValueError, r"must return values like z: it returns <lambda> \(\)"),
        pytest.param(
            *(dict(g=lambda z, t: {"z": z}), ValueError, "must return values like z"),
        ),
        (dict(g=lambda z, t: z + 1j), TypeError, "must hold real numbers"),
        (dict(g=lambda z, t: z / (t - t)), ValueError, r"<lambda>\[0\] is nan at \(z\[0\] = 0, z\[1\] = 0\), \(theta"),
        (dict(z0=[]), ValueError, "z0 is empty: there is nothing to solve for"),
        (dict(z0=[np.inf, 1.0]), ValueError, r"z0 must be finite, but it is \(z\[0\] = inf"),
        (dict(z0="start"), TypeError, "z must hold real numbers, got 'start' of type str"),
        (dict(theta=np.nan), ValueError, "theta0 must be finite"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    right: dict[str, Any] = dict(g=lambda z, t: t * z, z0=np.zeros(2), theta=0.5)
    with pytest.raises(error, match=message), np.errstate(all="ignore"):
        lg.fixed_point(**right | arguments)


def test_newton_has_no_residuals() -> None:
    z = lg.fixed_point(lambert, 0.5, 1.0, "newton")
    with pytest.raises(ValueError, match='take solver="anderson" or "picard"'):
        z.residuals(1.0)


def test_an_error_of_g_comes_through() -> None:
    def g(z: Any, theta: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        lg.fixed_point(g, 1.0, 2.0)
    assert "raised by g at z0 = 1" in caught.value.__notes__[0]


def test_fold_of_many_unknowns() -> None:
    # Beyond the dense limit too: z = z + t - z^2 has a fold at t = 0, where the iteration ends a little beside it.
    n = 600
    z = lg.fixed_point(lambda z, t: z + t - z**2, np.full(n, 0.5), 0.1)
    for ask in (lambda: z.jvp(0.0, 1.0), lambda: z.vjp(0.0, np.ones(n))):
        with pytest.raises((lg.NotConverged, lg.NotRegular)):
            ask()
    with jax.enable_x64(True):
        slope = jax.jit(jax.grad(lambda t: z(t).sum()))
        assert np.isnan(slope(0.0))
        # z = sqrt(t), dz/dt = 1 / (2 sqrt(t))
        assert slope(0.04) == pytest.approx(n * 2.5, rel=1e-6)
