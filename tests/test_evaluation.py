"""Evaluation: one F = (f, c) whatever the source of the derivatives, counted, remembered, and in float64."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.evaluation import Evaluation

X = np.array([0.6, 1.4, -0.8])
WEIGHTS = np.array([1.3, -0.7, 2.1])
EXACT, DIFFERENCES = 1e-12, 1e-5  # tolerances of derivatives by their source
Source = Callable[..., Any]


def f(x: Any) -> Any:
    return x[0] ** 2 * x[1] + np.exp(x[2])


def f_gradient(x: Any) -> Any:
    return np.array([2 * x[0] * x[1], x[0] ** 2, np.exp(x[2])])


def f_hessian(x: Any) -> Any:
    return np.array([[2 * x[1], 2 * x[0], 0.0], [2 * x[0], 0.0, 0.0], [0.0, 0.0, np.exp(x[2])]])


def c(x: Any) -> Any:
    return np.array([x[0] * x[1] * x[2], x[0] ** 3])


def c_jacobian(x: Any) -> Any:
    return np.array([[x[1] * x[2], x[0] * x[2], x[0] * x[1]], [3 * x[0] ** 2, 0.0, 0.0]])


def c_hessian(x: Any, y: Any) -> Any:
    product = np.array([[0.0, x[2], x[1]], [x[2], 0.0, x[0]], [x[1], x[0], 0.0]])
    return y[0] * product + y[1] * np.diag([6 * x[0], 0.0, 0.0])


def untraceable(function: Source) -> Source:
    """The function, by code that JAX cannot follow."""

    def foreign(x: Any) -> Any:
        return np.array([float(value) for value in np.atleast_1d(function(np.array([float(v) for v in x])))])

    return foreign


F_SOURCES: dict[str, tuple[Source, float]] = {
    "automatic": (f, EXACT),
    "jax": (lambda x: x[0] ** 2 * x[1] + jnp.exp(x[2]), EXACT),
    "supplied": (lg.supplied(untraceable(f), f_gradient, f_hessian), EXACT),
    "supplied gradient, traced": (lg.supplied(f, f_gradient), EXACT),
    "supplied Hessian, traced": (lg.supplied(f, hessian=f_hessian), EXACT),
    "supplied gradient, not traced": (lg.supplied(untraceable(f), f_gradient), DIFFERENCES),
    "differences": (untraceable(f), DIFFERENCES),
}
C_SOURCES: dict[str, tuple[Source, float]] = {
    "automatic": (c, EXACT),
    "supplied": (lg.supplied(untraceable(c), c_jacobian, c_hessian), EXACT),
    "supplied Jacobian, traced": (lg.supplied(c, c_jacobian), EXACT),
    "supplied Hessian, traced": (lg.supplied(c, hessian=c_hessian), EXACT),
    "differences": (untraceable(c), DIFFERENCES),
}


def evaluation_of(
    objective: Source, constraint: Source | None = None, x: Any = X, p: Any = None, maximize: bool = False
) -> Evaluation:
    constraints = {} if constraint is None else {"c": lg.equals(constraint)}
    sense = {"maximize" if maximize else "minimize": objective}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lg.DerivativeWarning)
        derivatives, _, p_flat = lg.Problem(subject_to=constraints, **sense).prepare(x, p)
    return Evaluation(derivatives, p_flat)


# Sources -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    ("f_source", "c_source"),
    [(f_source, "automatic") for f_source in F_SOURCES]
    + [("automatic", c_source) for c_source in C_SOURCES]
    + [(kind, kind) for kind in ("supplied", "differences")]
    + [("differences", "supplied"), ("supplied", "differences")],
)
def test_every_mixture_of_sources_gives_the_same_derivatives(f_source: str, c_source: str, maximize: bool) -> None:
    (objective, f_tolerance), (constraint, c_tolerance) = F_SOURCES[f_source], C_SOURCES[c_source]
    tolerance = max(f_tolerance, c_tolerance)
    evaluation = evaluation_of(objective, constraint, maximize=maximize)
    sign = -1.0 if maximize else 1.0
    for x in (X, 1.5 - X):
        np.testing.assert_allclose(evaluation.values(x), [sign * f(x), *c(x)], rtol=EXACT)
        jacobian, hessian = evaluation.derivatives(x, WEIGHTS)
        assert jacobian.dtype == hessian.dtype == np.float64
        np.testing.assert_allclose(
            jacobian, np.vstack([sign * f_gradient(x), c_jacobian(x)]), rtol=0, atol=min(tolerance, 1e-10)
        )
        expected = WEIGHTS[0] * sign * f_hessian(x) + c_hessian(x, WEIGHTS[1:])
        np.testing.assert_allclose(hessian, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("source", ["automatic", "supplied", "differences"])
def test_the_objective_s_weight_may_be_zero(source: str) -> None:
    evaluation = evaluation_of(F_SOURCES[source][0], c)
    _, hessian = evaluation.derivatives(X, np.array([0.0, 1.0, 1.0]))
    np.testing.assert_allclose(hessian, c_hessian(X, np.ones(2)), rtol=0, atol=EXACT)


def test_supplied_derivatives_win_even_where_they_are_wrong() -> None:
    evaluation = evaluation_of(
        lg.supplied(f, lambda x: -f_gradient(x), lambda x: 7.0 * np.eye(3)),
        lg.supplied(c, lambda x: 2.0 * c_jacobian(x), lambda x, y: y[1] * np.eye(3)),
    )
    jacobian, hessian = evaluation.derivatives(X, WEIGHTS)
    np.testing.assert_allclose(jacobian, np.vstack([-f_gradient(X), 2.0 * c_jacobian(X)]))
    np.testing.assert_allclose(hessian, (7.0 * WEIGHTS[0] + WEIGHTS[2]) * np.eye(3))


def test_rows_keep_their_order_between_sources() -> None:
    problem = lg.Problem(
        f,
        {
            "by hand": lg.equals(lg.supplied(lambda x: x[:1], lambda x: np.eye(3)[:1], lambda x, y: np.zeros((3, 3)))),
            "traced": lg.equals(lambda x: 10.0 * x),
            "foreign": lg.equals(untraceable(lambda x: 100.0 * x[:2])),
            "traced too": lg.equals(lambda x: 1000.0 * x[2]),
        },
    )
    with pytest.warns(lg.DerivativeWarning, match="constraint 'foreign'"):
        derivatives, _, p = problem.prepare(X)
    evaluation = Evaluation(derivatives, p)
    unit = np.eye(3)
    rows = np.vstack([unit[:1], 10.0 * unit, 100.0 * unit[:2], 1000.0 * unit[2:]])
    np.testing.assert_allclose(evaluation.values(X)[1:], rows @ X)
    np.testing.assert_allclose(evaluation.derivatives(X, np.ones(8))[0][1:], rows, atol=1e-9)


def test_derivatives_in_a_pytree() -> None:
    evaluation = evaluation_of(
        lambda x, p: p["k"] * x["a"][0] * x["b"] ** 2, x={"a": np.array([2.0]), "b": 3.0}, p={"k": 5.0}
    )
    jacobian, hessian = evaluation.derivatives(np.array([2.0, 3.0]), np.ones(1))
    np.testing.assert_allclose(jacobian, [[5.0 * 9.0, 5.0 * 2.0 * 6.0]])
    np.testing.assert_allclose(hessian, [[0.0, 30.0], [30.0, 20.0]])


# Warnings ------------------------------------------------------------------------------------------------


def test_a_function_that_branches_is_named_with_its_line_and_the_warning_points_here() -> None:
    def branches(x: Any) -> Any:
        return x[0] ** 2 if x[0] > 0 else -x[0]

    with pytest.warns(lg.DerivativeWarning, match=r"objective 'branches': .* finite differences") as caught:
        lg.Problem(branches).prepare([1.0])
    (warning,) = caught
    assert warning.filename == __file__
    assert f"line {branches.__code__.co_firstlineno + 1}" in str(warning.message)


def test_no_warning_where_the_derivatives_are_known() -> None:
    # Warnings are errors in this suite.
    lg.Problem(lg.supplied(untraceable(f), f_gradient, f_hessian), {"c": lg.equals(c)}).prepare(X)
    lg.Problem(lg.supplied(untraceable(f), f_gradient)).prepare(X)


def test_a_function_that_behaves_differently_when_traced_is_not_traced() -> None:
    def inspects(x: Any) -> Any:
        return x @ x if type(x) is np.ndarray else 2.0 * (x @ x)

    with pytest.warns(lg.DerivativeWarning, match="'inspects': .* its value changes when JAX follows it"):
        derivatives, _, p = lg.Problem(inspects).prepare(X)
    evaluation = Evaluation(derivatives, p)
    np.testing.assert_allclose(evaluation.values(X), [X @ X])
    np.testing.assert_allclose(evaluation.derivatives(X, np.ones(1))[0], [2.0 * X])


# Supplied derivatives that do not fit --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lg.supplied(c, lambda x: c_jacobian(x).T), r"Jacobian of constraint 'c' has shape \(3, 2\), expected"),
        (lg.supplied(c, lambda x: np.ones(3)), r"Jacobian of constraint 'c' has shape \(3,\), expected \(2, 3\)"),
        (lg.supplied(c, c_jacobian, lambda x, y: np.ones(3)), r"supplied Hessian of constraint 'c' has shape \(3,\)"),
    ],
)  # fmt: skip
def test_a_supplied_derivative_of_another_shape_is_named(function: Source, message: str) -> None:
    evaluation = evaluation_of(f, function)
    with pytest.raises(ValueError, match=message):
        evaluation.derivatives(X, WEIGHTS)


def test_an_exception_in_a_supplied_derivative_has_a_note() -> None:
    def fails(x: Any) -> Any:
        raise ZeroDivisionError("no inverse")

    evaluation = evaluation_of(lg.supplied(f, fails, f_hessian))
    with pytest.raises(ZeroDivisionError) as raised:
        evaluation.derivatives(X, np.ones(1))
    assert raised.value.__notes__ == ["raised by the supplied Jacobian of objective 'f' at x = [ 0.6 1.4 -0.8]"]


# Counts and memory ---------------------------------------------------------------------------------------


def test_the_last_point_is_remembered_and_not_counted_again() -> None:
    evaluation = evaluation_of(f, c)
    first = evaluation.values(X)
    assert evaluation.values(X.copy()) is first
    assert (evaluation.value_calls, evaluation.derivative_calls) == (1, 0)
    jacobian, hessian = evaluation.derivatives(X, WEIGHTS)
    again = evaluation.derivatives(X.copy(), WEIGHTS.copy())
    assert again[0] is jacobian and again[1] is hessian
    assert (evaluation.value_calls, evaluation.derivative_calls) == (1, 1)


def test_another_point_or_other_weights_are_computed() -> None:
    evaluation = evaluation_of(f, c)
    other, other_weights = X + 0.1, WEIGHTS + 1.0
    np.testing.assert_allclose(evaluation.values(X)[0], f(X))
    np.testing.assert_allclose(evaluation.values(other)[0], f(other))
    np.testing.assert_allclose(evaluation.values(X)[0], f(X))
    assert evaluation.value_calls == 3  # only the last point is remembered
    for x, weights in ((X, WEIGHTS), (X, other_weights), (other, other_weights)):
        hessian = evaluation.derivatives(x, weights)[1]
        np.testing.assert_allclose(hessian, weights[0] * f_hessian(x) + c_hessian(x, weights[1:]), atol=EXACT)
    assert evaluation.derivative_calls == 3


def test_a_point_changed_in_place_is_another_point() -> None:
    evaluation = evaluation_of(f)
    x = X.copy()
    evaluation.values(x)
    x[0] = 5.0
    np.testing.assert_allclose(evaluation.values(x), [f(x)])


def test_seconds_add_up() -> None:
    evaluation = evaluation_of(f)
    evaluation.values(X)
    after_values = evaluation.seconds
    evaluation.values(X)
    assert evaluation.seconds == after_values > 0.0
    evaluation.derivatives(X, np.ones(1))
    assert evaluation.seconds > after_values


def test_every_p_has_its_own_evaluation_of_the_same_compiled_functions() -> None:
    problem = lg.Problem(lambda x, p: p * (x @ x))
    (first, _, p_first), (second, _, p_second) = problem.prepare(X, 2.0), problem.prepare(X, 3.0)
    assert first is second
    np.testing.assert_allclose(Evaluation(first, p_first).values(X), [2.0 * X @ X])
    np.testing.assert_allclose(Evaluation(second, p_second).values(X), [3.0 * X @ X])


def test_values_that_are_not_finite_come_back_as_they_are() -> None:
    evaluation = evaluation_of(lambda x: np.log(x[0]), lambda x: x[1:] / x[0])
    np.testing.assert_array_equal(evaluation.values(np.array([0.0, 1.0, -1.0])), [-np.inf, np.inf, -np.inf])
    assert np.isnan(evaluation.values(np.array([-1.0, 1.0, -1.0]))[0])


# Precision -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda x: jnp.sum(x) * jnp.ones(1)[0], lambda x: np.sum(x)], ids=["jax", "numpy"])
def test_everything_is_in_float64(make: Source) -> None:
    small = 2.0**-40  # lost in float32 beside 1
    evaluation = evaluation_of(make, x=np.array([1.0, small]))
    assert evaluation.values(np.array([1.0, small]))[0] == 1.0 + small


def test_jax_s_precision_outside_is_untouched() -> None:
    assert not jax.config.jax_enable_x64
    evaluation = evaluation_of(f, c)
    evaluation.values(X)
    evaluation.derivatives(X, WEIGHTS)
    assert not jax.config.jax_enable_x64
    assert jnp.ones(1).dtype == jnp.float32


def test_a_program_that_has_set_x64_itself_keeps_it() -> None:
    script = """
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import lagrange as lg
solution = lg.Problem(lambda x: jnp.sum((x - 1.0) ** 2)).solve([0.0, 0.0])
assert solution.success and jax.config.jax_enable_x64 and jnp.ones(1).dtype == jnp.float64
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_an_objective_without_variables_in_it() -> None:
    evaluation = evaluation_of(lambda x: 3.0)
    assert evaluation.values(X).tolist() == [3.0]
    jacobian, hessian = evaluation.derivatives(X, np.ones(1))
    assert not jacobian.any() and not hessian.any()
