"""Inequalities on atoms with kinks: smooth pieces, with conic solvers' answers and duals, and with all derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from lagrange.interfaces.cvxpy_atoms import NotTranslated
from lagrange.interfaces.cvxpy_problem import from_cvxpy

x, Y = cp.Variable(2, name="x"), cp.Variable((2, 3), name="Y")
c = cp.Parameter(name="c", value=1.0)
TIGHT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-11)
TARGET = np.array([1.0, 1.2])
T = np.array([[1.0, -2.0, 0.5], [0.3, 1.5, -1.1]])

ROWS: dict[str, Callable[[float], cp.Constraint]] = {
    "abs": lambda b: cp.abs(x) <= b,
    "abs of a sum": lambda b: cp.abs(x[0] + x[1]) <= b,
    "abs from the right": lambda b: b >= cp.abs(x),
    "minus abs": lambda b: -cp.abs(x) >= -b,
    "abs and a variable": lambda b: cp.abs(x) + x[1] <= b,
    "abs against a variable": lambda b: cp.abs(x) <= 2 * b - x[0],
    "abs against a parameter": lambda b: cp.abs(x) <= b * c,
    "abs of a matrix": lambda b: cp.abs(Y) <= b,
    "maximum": lambda b: cp.maximum(x, 2 * x[1], -3) <= np.array([b, b + 0.2]),
    "positive part": lambda b: cp.pos(x) <= b,
    "maximum of abs": lambda b: cp.maximum(cp.abs(x[0]), cp.pos(x[1]), c - 2) <= b,
    "max": lambda b: cp.max(x) <= b,
    "max of columns": lambda b: cp.max(Y, axis=0) <= np.array([b, b, 2 * b]),
    "max of rows": lambda b: cp.max(Y, axis=1) <= b,
    "max of rows, kept": lambda b: cp.max(Y, axis=1, keepdims=True) <= b,
    "norm_inf": lambda b: cp.norm_inf(x) <= b,
    "norm_inf of columns": lambda b: cp.norm_inf(Y, axis=0) <= b,
    "min": lambda b: 2 - b <= cp.min(x),
    "minimum": lambda b: cp.minimum(x, 3) >= 2 - b,
    "minimum and a variable": lambda b: x[0] + cp.minimum(x[0], x[1]) >= 3 - b,
}


@pytest.mark.parametrize("name", ROWS)
def test_answers_and_dual_values_are_those_of_conic_solvers(name: str) -> None:
    row = ROWS[name](0.5)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - TARGET) + cp.sum_squares(Y - T)), [row])
    expected = problem.solve(solver=cp.CLARABEL, **TIGHT)
    dual = np.reshape(row.dual_value, row.shape)
    x.save_value(None), Y.save_value(None)
    model = from_cvxpy(problem)
    assert set(model.x0) == {"x", "Y"}, "no auxiliary variables"
    assert len(model.problem.definition.constraints) == 1
    model.unpack(model.problem.solve(model.x0, model.p))
    assert problem.status == cp.OPTIMAL
    assert problem.value == pytest.approx(expected, abs=1e-6)
    assert np.max(row.dual_value) > 0.1 and np.shape(row.dual_value) == row.shape
    np.testing.assert_allclose(row.dual_value, dual, atol=1e-5)


@pytest.mark.parametrize("name", ROWS)
def test_what_is_not_active_takes_no_derivative_away(name: str) -> None:
    objective = cp.sum_squares(x - c * TARGET) + cp.sum_squares(Y - c * T)
    model = from_cvxpy(cp.Problem(cp.Minimize(objective), [ROWS[name](7.0)]))
    solution = model.problem.solve(model.x0, model.p)
    sensitivity = solution.sensitivity()
    assert sensitivity.kind == "smooth"
    np.testing.assert_allclose(sensitivity.x["x"]["c"], TARGET, atol=1e-8)
    np.testing.assert_allclose(sensitivity.x["Y"]["c"], T, atol=1e-8)


def test_an_active_piece_moves_with_its_parameter() -> None:
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x - TARGET)), [(cp.abs(x) <= c / 2).set_label("box")]))
    solution = model.problem.solve(model.x0, model.p)
    np.testing.assert_allclose(solution.sensitivity().x["x"]["c"], [0.5, 0.5], atol=1e-8)
    assert np.shape(solution.multipliers["box"]) == (2, 2)
    # sum of (c / 2 - target)^2
    assert float(solution.sensitivity().objective["c"]) == pytest.approx(np.sum(0.5 - TARGET), abs=1e-7)


@pytest.mark.parametrize("row", [cp.abs(x) <= -1, cp.max(x) <= cp.min(x) - 1, cp.maximum(x, 0.2) <= 0.1])
def test_a_bound_that_cannot_hold(row: cp.Constraint) -> None:
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - 1)), [row])
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0))
    assert problem.status == cp.INFEASIBLE


def test_a_number_among_the_pieces_needs_no_row() -> None:
    def pieces(row: cp.Constraint) -> Any:
        model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(x)), [row]))
        solution = model.problem.solve(model.x0, model.p)
        return np.shape(next(iter(solution.multipliers.values())))

    assert pieces(cp.maximum(x, 0.0) <= 1.0) == (1, 2)
    assert pieces(cp.maximum(x, 0.0) <= c) == (2, 2)


@pytest.mark.parametrize("make", [lambda: cp.cvar(x, 0.25), lambda: cp.sum_largest(cp.abs(x), 1.5) / 3])
def test_the_sum_of_a_part_of_the_largest(make: Callable[[], cp.Expression]) -> None:
    problem = cp.Problem(cp.Minimize(make() + cp.sum_squares(x - TARGET) + cp.sum_squares(Y - T)))
    x.save_value(None), Y.save_value(None)  # with values CVXPY takes a whole number of entries only
    expected = problem.solve(solver=cp.CLARABEL)
    x.save_value(None), Y.save_value(None)
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0))
    assert (problem.status, problem.value) == (cp.OPTIMAL, pytest.approx(expected, abs=1e-7))
    with pytest.raises(NotTranslated, match="whole number of largest entries"):
        from_cvxpy(cp.Problem(cp.Minimize(cp.sum(cp.sum_largest(Y, 1.5, axis=0)))))
