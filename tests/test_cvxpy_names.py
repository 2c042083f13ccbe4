"""Names from CVXPY that occur twice, or look like those that are made: nothing is lost, and nothing is mixed up."""

from __future__ import annotations

from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest

import lagrange.interfaces.cvxpy  # noqa: F401 (registers the solver LAGRANGE)
from lagrange.interfaces.cvxpy_names import distinct
from lagrange.interfaces.cvxpy_problem import from_cvxpy


def by_solver(problem: cp.Problem) -> None:
    problem.solve(solver="LAGRANGE", nlp=True)


def by_translation(problem: cp.Problem) -> None:
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0, model.p))


BOTH = pytest.mark.parametrize("solve", [by_solver, by_translation])


@pytest.mark.parametrize(
    "names", [["x", "x", "x#2"], ["x#2", "x", "x"], ["x", "x#2", "x", "x#2", "x"], ["x", "x#2#2", "x#2", "x", "x#2"]]
)
def test_names_are_distinct_and_first_ones_stay(names: list[str]) -> None:
    made = distinct(names)
    assert len(set(made)) == len(names)
    for i, name in enumerate(names):
        assert made[i].startswith(name)
        if name not in names[:i]:
            assert made[i] == name


@BOTH
def test_variables_and_parameters_of_one_name(solve: Callable[[cp.Problem], None]) -> None:
    a, b, c = cp.Variable(name="x"), cp.Variable(name="x"), cp.Variable(name="x#2")
    p, q, r = (cp.Parameter(name=name, value=value) for name, value in (("p", 1.0), ("p", 2.0), ("p#2", 3.0)))
    problem = cp.Problem(cp.Minimize((a - p) ** 2 + (b - q) ** 2 + (c - r) ** 2))
    solve(problem)
    assert (float(a.value), float(b.value), float(c.value)) == pytest.approx((1.0, 2.0, 3.0))


@BOTH
def test_constraints_of_one_label(solve: Callable[[cp.Problem], None]) -> None:
    x = cp.Variable(3, name="x")
    rows = [(x[0] >= 1).set_label("a"), (x[1] >= 2).set_label("a"), (x[2] >= 3).set_label("a#2")]
    solve(cp.Problem(cp.Minimize(cp.sum_squares(x)), rows))
    np.testing.assert_allclose(x.value, [1.0, 2.0, 3.0], atol=1e-8)
    np.testing.assert_allclose([row.dual_value for row in rows], [2.0, 4.0, 6.0], atol=1e-7)


def test_a_label_like_the_second_row_of_a_cone() -> None:
    x, t = cp.Variable(2, name="x"), cp.Variable(name="t")
    rows = [cp.SOC(t, x).set_label("cone"), (x[0] >= 3).set_label("cone: radius"), (x[1] == 4).set_label("cone")]
    problem = cp.Problem(cp.Minimize(t**2), rows)
    x.value, t.value = [3.0, 4.0], 6.0
    model = from_cvxpy(problem)
    names = ["cone", "cone: radius#2", "cone: radius", "cone#2"]
    assert list(model.problem.definition.constraints) == names
    model.unpack(model.problem.solve(model.x0))
    assert (problem.status, float(t.value)) == (cp.OPTIMAL, pytest.approx(5.0))


@BOTH
def test_a_constraint_that_is_given_twice_has_the_dual_value_of_once(solve: Callable[[cp.Problem], None]) -> None:
    # Conic solvers share it out between the two in one way or another.
    x, bound = cp.Variable(2, name="x"), cp.Parameter(name="bound", value=1.0)
    for row in (x[0] >= bound, cp.abs(x[0] - 3) <= 3 - bound, 2 * x[0] == 2 * bound):
        once = cp.Problem(cp.Minimize(cp.sum_squares(x)), [row])
        once.solve(solver=cp.CLARABEL)
        expected = float(np.squeeze(row.dual_value))
        x.save_value(None)
        problem = cp.Problem(cp.Minimize(cp.sum_squares(x)), [row, row])
        solve(problem)
        assert problem.status == cp.OPTIMAL
        assert float(row.dual_value) == pytest.approx(expected, abs=1e-6)
