"""Atoms of CVXPY that are not defined everywhere: no answer of a convex problem lies beyond, wherever it starts."""

from __future__ import annotations

from collections.abc import Callable

import cvxpy as cp
import numpy as np
import pytest

import lagrange.interfaces.cvxpy  # noqa: F401 (registers the solver LAGRANGE)
from lagrange.interfaces.cvxpy_problem import from_cvxpy

x = cp.Variable(2, name="x")
w = cp.Variable(3, name="w")
v = cp.Variable(name="v")
X = cp.Variable((2, 2), symmetric=True, name="X")


def harmonic_mean() -> cp.Problem:
    return cp.Problem(cp.Maximize(cp.harmonic_mean(w) - 0.1 * cp.sum_squares(w) + 3 * w[0]), [cp.sum(w) <= 3, w >= -5])


def harmonic_mean_of_sums() -> cp.Problem:
    return cp.Problem(cp.Maximize(cp.harmonic_mean(w + 1) - cp.sum_squares(w)), [cp.sum(w) <= -1, w[0] >= -0.5])


def inverse() -> cp.Problem:
    return cp.Problem(cp.Minimize(cp.sum_squares(x) + 3 * x[0]), [cp.inv_pos(x[0] - x[1] + 1) <= 2])


def even_inverse() -> cp.Problem:
    return cp.Problem(cp.Minimize(cp.power(x[0] - x[1], -2) + cp.sum_squares(x) + 3 * x[0]))


def quotient_in_a_constraint() -> cp.Problem:
    return cp.Problem(cp.Minimize(cp.sum_squares(x) + 3 * x[0]), [cp.quad_over_lin(x[1] - 2, x[0] + x[1]) <= 2])


def quotient_in_the_objective() -> cp.Problem:
    return cp.Problem(
        cp.Minimize(cp.quad_over_lin(x[0] - 3, x[1] - x[0] + 1) + 0.5 * x[1] + 0.1 * cp.sum_squares(x)), [x[0] <= 2]
    )


def matrix_fraction() -> cp.Problem:
    return cp.Problem(
        cp.Minimize(cp.matrix_frac(np.array([1.0, 2.0]), X) + 0.1 * cp.trace(X) + cp.sum_squares(X - np.eye(2)))
    )


def small_norm() -> cp.Problem:
    return cp.Problem(cp.Maximize(cp.pnorm(x, 0.5) - 0.5 * cp.sum_squares(x - 1)), [x >= -5, cp.sum(x) <= 1])


def relative_entropy_of_zero() -> cp.Problem:
    counts, A = np.array([0.0, 3.0]), np.array([[1.0, -1.0], [1.0, 2.0]])
    return cp.Problem(cp.Minimize(cp.sum(cp.kl_div(counts, A @ x + 0.5)) + 0.1 * cp.sum_squares(x)), [x <= 9])


def geometric_mean_without_some() -> cp.Problem:
    # An entry without a weight may be negative.
    return cp.Problem(
        cp.Maximize(cp.geo_mean(w, [1, 0, 1]) - 0.1 * cp.sum_squares(w) - w[1]), [w >= -5, w[0] + w[2] <= 2]
    )


def cube() -> cp.Problem:
    return cp.Problem(cp.Minimize(cp.power(v, 3) + v), [v >= -1])


def cube_of_a_sum() -> cp.Problem:
    return cp.Problem(cp.Minimize(cp.sum(cp.power(x - 1, 5)) + x[0] + 2 * x[1]), [x >= -1, cp.sum(x) <= 4])


CONVEX = [
    (harmonic_mean, None),
    (harmonic_mean_of_sums, None),
    (inverse, [1.0, -1.0]),
    (inverse, [-3.0, 3.0]),
    (even_inverse, [1.0, 0.0]),
    (even_inverse, [-1.0, 1.0]),
    (quotient_in_a_constraint, [1.0, 1.0]),
    (quotient_in_the_objective, None),
    (matrix_fraction, np.eye(2)),
    (small_norm, [2.0, -1.0]),
    (relative_entropy_of_zero, [1.0, -1.0]),
    (geometric_mean_without_some, None),
    (cube, -1.0),
    (cube_of_a_sum, None),
]


@pytest.mark.parametrize(("make", "at"), CONVEX)
def test_convex_problems_have_the_answers_of_conic_solvers(make: Callable[[], cp.Problem], at: object) -> None:
    problem = make()
    (variable,) = problem.variables()
    variable.save_value(None)
    expected, values = problem.solve(solver=cp.CLARABEL), variable.value
    variable.save_value(None)
    variable.value = at
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0))
    assert problem.status == cp.OPTIMAL
    assert problem.value == pytest.approx(expected, abs=2e-6)
    np.testing.assert_allclose(variable.value, values, atol=2e-3)


def test_an_argument_that_starts_inside_needs_no_variable() -> None:
    x.value = [1.0, -1.0]
    assert list(from_cvxpy(inverse()).x0) == ["x"]
    x.value = [-3.0, 3.0]
    assert len(from_cvxpy(inverse()).x0) == 2


def test_odd_powers_are_for_all_x_where_the_problem_is_not_convex() -> None:
    row = cp.square(v) >= 0.25
    problem = cp.Problem(cp.Minimize(v**3 + v), [v >= -1, row])
    v.save_value(None)
    model = from_cvxpy(problem)
    assert model.problem.solve({"v": -0.8}).objective == pytest.approx(-2.0)
    v.value = -0.8
    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.value == pytest.approx(-2.0)


@pytest.mark.parametrize("make", [cube, cube_of_a_sum])
def test_odd_powers_of_the_solver_have_their_domain(make: Callable[[], cp.Problem]) -> None:
    problem = make()
    (variable,) = problem.variables()
    variable.save_value(None)
    expected = problem.solve(solver=cp.CLARABEL)
    variable.save_value(None)
    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.status == cp.OPTIMAL
    assert problem.value == pytest.approx(expected, abs=1e-6)


def test_a_power_that_cvxpys_smooth_form_hides_is_refused_where_it_matters() -> None:
    problem = cp.Problem(cp.Minimize(cp.power(v, -2) + v**2 + 3 * v))
    v.save_value(None)
    expected = problem.solve(solver=cp.CLARABEL)
    v.save_value(None)
    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.value == pytest.approx(expected, abs=1e-6)
    v.value = -1.0
    with pytest.raises(cp.SolverError, match=r"ended where v is negative.*add v >= 0, or use lagrange.from"):
        problem.solve(solver="LAGRANGE", nlp=True)
    # log_sum_exp becomes an equation that hides that the problem is convex.
    problem = cp.Problem(cp.Minimize(cp.power(x[0], 3) + cp.log_sum_exp(x) + cp.sum_squares(x) + x[0]), [x >= -1])
    x.save_value(None)
    with pytest.raises(cp.SolverError, match=r"x\[0\] is negative"):
        problem.solve(solver="LAGRANGE", nlp=True)
    unbounded = cp.Problem(cp.Minimize(cp.power(x[0], 3) + cp.log_sum_exp(x) + cp.sum_squares(x)))
    x.save_value(None)
    with pytest.raises(cp.SolverError, match=r"x\[0\] is negative"):
        unbounded.solve(solver="LAGRANGE", nlp=True)


def test_an_entry_without_a_weight_that_cvxpys_smooth_form_holds_is_refused() -> None:
    problem = geometric_mean_without_some()
    w.save_value(None)
    with pytest.raises(cp.SolverError, match="weight of zero too, and holds one of them"):
        problem.solve(solver="LAGRANGE", nlp=True)
    w.save_value(None)
    problem = cp.Problem(problem.objective, [*problem.constraints, w[1] >= 0.5])
    expected = problem.solve(solver=cp.CLARABEL)
    w.save_value(None)
    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.value == pytest.approx(expected, abs=1e-6)


def test_a_quotient_is_for_all_x() -> None:
    y = cp.Variable(2, name="y", value=[-1.0, -1.0])
    problem = cp.Problem(cp.Minimize(cp.sum(1 / y**2 + y**2 + 3 * y)))
    problem.solve(solver="LAGRANGE", nlp=True)
    expected = 2 * (1 / y.value[0] ** 2 + y.value[0] ** 2 + 3 * y.value[0])
    assert (problem.status, problem.value) == (cp.OPTIMAL, pytest.approx(expected))
    y.value = [-1.0, -1.0]
    model = from_cvxpy(problem)
    assert model.problem.solve(model.x0).objective == pytest.approx(expected)


# Norms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", [-1.0, cp.Parameter(name="bound", value=-1.0)])
def test_a_norm_is_not_negative(bound: object) -> None:
    x.save_value(None)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x - 1)), [(cp.norm(x) <= bound).set_label("ball")])
    model = from_cvxpy(problem)
    solution = model.problem.solve(model.x0, model.p)
    assert solution.result.iterations < 50 and "ball" in str(solution.result.blame)
    model.unpack(solution)
    assert problem.status == cp.INFEASIBLE


def test_a_norm_that_is_zero_at_the_answer_is_named() -> None:
    target = np.array([1.0, 2.0])
    problem = cp.Problem(cp.Minimize(cp.norm(x - target) + 0.2 * cp.norm1(x)))
    x.save_value(None)
    model = from_cvxpy(problem)
    words = r"PnormApprox\(x \+ -\[1. 2.\], 2\) is about .*at zero a norm has no derivative"
    with pytest.raises(cp.SolverError, match=words):
        model.unpack(model.problem.solve(model.x0))
    x.save_value(None)
    with pytest.warns(UserWarning, match="may be inaccurate"):
        problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.status == cp.USER_LIMIT
    assert "the norm of x + -[1. 2.] is about" in problem.solver_stats.extra_stats["message"]


def test_the_wrong_side_of_a_cone_proves_nothing() -> None:
    t = cp.Variable(name="t")
    problem = cp.Problem(cp.Minimize(t**2), [cp.SOC(t, x), x == np.array([3.0, 4.0])])
    for start, status in ((6.0, cp.OPTIMAL), (-6.0, cp.INFEASIBLE_INACCURATE)):
        x.value, t.value = [3.0, 4.0], start
        model = from_cvxpy(problem)
        model.unpack(model.problem.solve(model.x0))
        assert problem.status == status
