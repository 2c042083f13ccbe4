"""The p of a translated problem: what is missing, unknown, of another shape or sign is refused by its name."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import jax
import numpy as np
import pytest

from lagrange.interfaces.cvxpy_problem import from_cvxpy

x = cp.Variable(2, name="x")
c, weight = cp.Parameter(2, name="c", value=[1.0, 2.0]), cp.Parameter(name="weight", value=0.3, nonneg=True)


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (None, "p must be a dict with the keys 'c', 'weight'"),
        (np.zeros(2), "p must be a dict with the keys"),
        ({"c": np.zeros(2)}, "no value for the parameter 'weight'"),
        ({"c": np.zeros(2), "weight": 1.0, "d": 1.0}, "the key 'd', but no parameter has that name"),
        ({"c": np.zeros(3), "weight": 1.0}, r"parameter 'c' has the shape \(2,\), but p gives it \(3,\)"),
        ({"c": 0.0, "weight": 1.0}, r"parameter 'c' has the shape \(2,\), but p gives it \(\)"),
        ({"c": [1.0, 2.0], "weight": 1.0}, "parameter 'c' must be an array, but p gives it a list"),
        ({"c": np.zeros(2), "weight": -1.0}, "parameter 'weight' is declared nonneg and cannot be -1.0"),
    ],
)
def test_a_wrong_p_is_refused_by_name(p: Any, words: str) -> None:
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - c) + weight * cp.norm1(x)), [cp.sum(x) <= 5])
    model = from_cvxpy(problem)
    with pytest.raises((ValueError, TypeError), match=words):
        model.problem.solve(model.x0, p)


@pytest.mark.parametrize("sign", ["nonneg", "nonpos", "pos", "neg"])
def test_signs_of_parameters(sign: str) -> None:
    direction = 1.0 if sign in ("nonneg", "pos") else -1.0
    q = cp.Parameter(name="q", value=direction, **{sign: True})
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x - q))))
    for value in (2.0 * direction, *([0.0] if sign in ("nonneg", "nonpos") else [])):
        solution = model.problem.solve(model.x0, {"q": value})
        np.testing.assert_allclose(solution.x["x"], value, atol=1e-9)
    with pytest.raises(ValueError, match=f"'q' is declared {sign}"):
        model.problem.solve(model.x0, {"q": -direction})


def test_sensitivities_at_a_parameter_with_a_sign() -> None:
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x - c) + weight * cp.sum(x)), [cp.sum(x) <= 5]))
    solution = model.problem.solve(model.x0, model.p)
    sensitivity = solution.sensitivity()
    np.testing.assert_allclose(sensitivity.x["x"]["weight"], [-0.5, -0.5], atol=1e-8)
    assert sensitivity.verify().holds
    with jax.enable_x64(True):
        argmin = model.problem.argmin
        slope = jax.jacobian(lambda p: argmin(p, x0=model.x0)["x"])(model.p)
    np.testing.assert_allclose(slope["weight"], [-0.5, -0.5], atol=1e-8)


def test_a_verification_that_would_need_another_sign_says_so() -> None:
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x - c) + weight * cp.sum(x)), [cp.sum(x) <= 5]))
    sensitivity = model.problem.solve(model.x0, {**model.p, "weight": 0.0}).sensitivity()
    np.testing.assert_allclose(sensitivity.x["x"]["weight"], [-0.5, -0.5], atol=1e-8)
    with pytest.raises(ValueError, match=r"'weight' is declared nonneg and cannot be -0\.01"):
        sensitivity.verify()
