"""Bounds as attributes of CVXPY's variables: parameters, symmetric matrices, infinite sides, integers."""

# ruff: noqa: SIM300 (a matrix with a capital letter is no constant)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

import lagrange.interfaces.cvxpy  # noqa: F401 (registers the solver LAGRANGE)
from lagrange.interfaces.cvxpy_atoms import NotTranslated
from lagrange.interfaces.cvxpy_problem import from_cvxpy


def by_solver(problem: cp.Problem) -> None:
    problem.solve(solver="LAGRANGE", nlp=True)


def by_translation(problem: cp.Problem) -> None:
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0, model.p))


BOTH = pytest.mark.parametrize("solve", [by_solver, by_translation])


@BOTH
def test_a_bound_that_is_a_parameter_holds_at_each_of_its_values(solve: Callable[[cp.Problem], None]) -> None:
    p, q = cp.Parameter(name="p"), cp.Parameter(2, name="q")
    x, y = cp.Variable(name="x", bounds=[p, None]), cp.Variable(2, name="y", bounds=[-5, 2 * q + 1])
    problem = cp.Problem(cp.Minimize(x**2 + cp.sum_squares(y - 3)))
    for p.value, q.value in ((1.0, np.array([0.0, 2.0])), (-1.0, np.array([-1.0, 0.5])), (2.5, np.array([0.0, 0.0]))):
        problem.solve(solver=cp.CLARABEL)
        expected = problem.value, x.value, y.value
        solve(problem)
        assert problem.status == cp.OPTIMAL
        assert problem.value == pytest.approx(expected[0], abs=1e-7)
        assert float(x.value) == pytest.approx(float(expected[1]), abs=1e-6)
        np.testing.assert_allclose(y.value, expected[2], atol=1e-6)


def test_a_bound_that_is_a_parameter_is_differentiated() -> None:
    p = cp.Parameter(name="p", value=1.5)
    x = cp.Variable((2, 2), symmetric=True, name="x", bounds=[2 * p, None])
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x))))
    solution = model.problem.solve(model.x0, model.p)
    np.testing.assert_allclose(solution.x["x"], 3.0, atol=1e-8)
    # 4 (2 p)^2
    sensitivity = solution.sensitivity()
    np.testing.assert_allclose(sensitivity.x["x"]["p"], 2.0, atol=1e-8)
    assert float(sensitivity.objective["p"]) == pytest.approx(32 * 1.5, rel=1e-7)
    again = model.problem.solve(model.x0, {"p": 2.0})
    np.testing.assert_allclose(again.x["x"], 4.0, atol=1e-8)


def test_bounds_of_parameters_that_exclude_each_other() -> None:
    x = cp.Variable(2, name="x", bounds=[cp.Parameter(2, value=[2, 1], name="low"), 1.5])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x)))
    by_solver(problem)
    assert problem.status == cp.INFEASIBLE
    with pytest.raises(ValueError, match=r"x\[0\]' is reversed"):
        by_translation(problem)


def test_a_bound_without_a_value_is_named() -> None:
    x = cp.Variable(name="x", bounds=[cp.Parameter(name="low"), None])
    problem = cp.Problem(cp.Minimize(cp.square(x)))
    with pytest.raises(ValueError, match="parameter 'low' has no value"):
        by_translation(problem)


def test_an_entry_in_two_places_of_a_symmetric_matrix_has_the_bounds_of_both() -> None:
    S = cp.Variable((2, 2), symmetric=True, name="S", bounds=[np.array([[1, 1], [3, 2.0]]), np.array([[9, 5], [4, 9]])])
    problem = cp.Problem(cp.Minimize(cp.sum_squares(S)))
    by_translation(problem)
    assert problem.value == pytest.approx(1 + 9 + 9 + 4)
    problem = cp.Problem(cp.Maximize(cp.sum(S)))
    by_translation(problem)
    assert S.value[0, 1] == pytest.approx(4.0)


@BOTH
def test_an_infinite_right_side_limits_nothing(solve: Callable[[cp.Problem], None]) -> None:
    X, upper = cp.Variable((2, 3), name="X"), np.array([[np.inf, 0.5, 9.0], [0.25, np.inf, np.inf]])
    rows = [X <= upper, np.where(upper > 1, -np.inf, 0.1) <= X, cp.sum(X) <= np.inf]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(X - 1)), rows)
    solve(problem)
    np.testing.assert_allclose(X.value, np.minimum(upper, 1.0), atol=1e-8)
    np.testing.assert_allclose(rows[0].dual_value, 2 * np.maximum(1 - upper, 0.0), atol=1e-7)
    np.testing.assert_allclose(rows[1].dual_value, 0.0, atol=1e-7)


@pytest.mark.parametrize("attribute", ["boolean", "integer"])
@pytest.mark.parametrize("places", [[(0,)], [(1,)], True])
def test_whole_numbers_are_refused_in_any_place(attribute: str, places: Any) -> None:
    problem = cp.Problem(cp.Minimize(cp.sum_squares(cp.Variable(2, name="x", **{attribute: places}) - 0.3)))
    with pytest.raises(cp.SolverError, match=f"x has the attribute {attribute}"):
        by_solver(problem)
    with pytest.raises(NotTranslated, match=f"'x' has the attribute {attribute}"):
        by_translation(problem)
