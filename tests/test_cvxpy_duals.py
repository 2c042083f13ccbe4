"""Dual values from solver="LAGRANGE" and from `from_cvxpy`: entry by entry those of CVXPY's conic solvers."""

# ruff: noqa: SIM300 (a matrix with a capital letter is no constant)

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cvxpy as cp
import jax
import numpy as np
import pytest

import lagrange.interfaces.cvxpy
from lagrange.interfaces.cvxpy_atoms import evaluate
from lagrange.interfaces.cvxpy_problem import from_cvxpy

CONE_TOLERANCE, REDUCED_CONE_TOLERANCE = 1e-13, 1e-8  # asked of, and accepted from, CVXPY's conic solver
AGREEMENT = 1e-6  # relative to the largest entry, at least 1

CONVEX: dict[str, Callable[[np.random.Generator], cp.Problem]] = {}


def convex(make: Callable[[np.random.Generator], cp.Problem]) -> Callable[[np.random.Generator], cp.Problem]:
    CONVEX[make.__name__] = make
    return make


@convex
def linear_program(rng: np.random.Generator) -> cp.Problem:
    x, A = cp.Variable(4, name="x"), rng.uniform(size=(3, 4))
    return cp.Problem(cp.Minimize(-rng.uniform(1, 2, 4) @ x), [A @ x <= 1 + rng.uniform(size=3), x >= 0])


@convex
def linear_program_with_signs_as_attributes(rng: np.random.Generator) -> cp.Problem:
    x, y = cp.Variable(3, nonneg=True, name="x"), cp.Variable(2, nonpos=True, name="y")
    rows = [cp.sum(x) - cp.sum(y) == 2, x[0] - y[1] <= 1, x[1] >= 0.25]
    return cp.Problem(cp.Maximize(rng.uniform(1, 2, 3) @ x + rng.uniform(1, 2, 2) @ y), rows)


@convex
def least_squares_in_a_box(rng: np.random.Generator) -> cp.Problem:
    x, A, b = cp.Variable(4, bounds=[-0.2, 0.6], name="x"), rng.normal(size=(6, 4)), rng.normal(size=6)
    return cp.Problem(cp.Minimize(cp.sum_squares(A @ x - b)), [cp.sum(x) == 1])


@convex
def portfolio(rng: np.random.Generator) -> cp.Problem:
    w, F, returns = cp.Variable(5, name="w"), rng.normal(size=(5, 5)), rng.uniform(size=5)
    rows = [cp.sum(w) == 1, returns @ w >= 0.5, w >= -0.1]
    return cp.Problem(cp.Minimize(cp.quad_form(w, F @ F.T + np.eye(5))), rows)


@convex
def quadratic_utility(rng: np.random.Generator) -> cp.Problem:
    x, prices = cp.Variable(3, name="x"), rng.uniform(1, 2, 3)
    return cp.Problem(cp.Maximize(5 * cp.sum(x) - cp.sum_squares(x)), [prices @ x <= 4, 0.5 <= x])


@convex
def distance(rng: np.random.Generator) -> cp.Problem:
    x, A, b = cp.Variable(3, name="x"), rng.normal(size=(5, 3)), rng.normal(size=5)
    return cp.Problem(cp.Minimize(cp.norm(A @ x - b)), [x[0] + x[1] == 1, x[2] >= 2])


@convex
def ball(rng: np.random.Generator) -> cp.Problem:
    x = cp.Variable(3, name="x", value=np.ones(3))
    return cp.Problem(cp.Maximize(rng.normal(size=3) @ x), [cp.norm(x - 1) <= 2, x[0] <= 1.5])


@convex
def maximum_entropy(rng: np.random.Generator) -> cp.Problem:
    q, A = cp.Variable(5, name="q"), rng.normal(size=(2, 5))
    return cp.Problem(cp.Maximize(cp.sum(cp.entr(q))), [A @ q == 0.5 * A[:, 0] + 0.1 * A.sum(axis=1), cp.sum(q) == 1])


@convex
def projection_in_relative_entropy(rng: np.random.Generator) -> cp.Problem:
    q, prior = cp.Variable(4, name="q"), rng.uniform(1, 2, 4)
    return cp.Problem(cp.Minimize(cp.sum(cp.kl_div(q, prior))), [cp.sum(q) == 3, q[0] <= 0.5])


@convex
def geometric_mean(rng: np.random.Generator) -> cp.Problem:
    x = cp.Variable(3, name="x")
    return cp.Problem(cp.Maximize(cp.geo_mean(x, [1, 2, 1])), [rng.uniform(1, 2, 3) @ x <= 3, x[1] <= 0.6])


@convex
def logistic_regression(rng: np.random.Generator) -> cp.Problem:
    w, A = cp.Variable(3, name="w"), rng.normal(size=(12, 3))
    return cp.Problem(cp.Minimize(cp.sum(cp.logistic(A @ w - 1.0))), [cp.sum_squares(w) <= 0.3, w[0] >= 0.1])


@convex
def soft_maximum(rng: np.random.Generator) -> cp.Problem:
    x, A = cp.Variable(3, name="x"), rng.normal(size=(5, 3))
    return cp.Problem(cp.Minimize(cp.log_sum_exp(A @ x) + cp.sum_squares(x)), [x[0] - 2 * x[1] == 1])


@convex
def matrix_with_row_sums(rng: np.random.Generator) -> cp.Problem:
    X, A = cp.Variable((2, 3), name="X"), rng.normal(size=(2, 3))
    return cp.Problem(cp.Minimize(cp.sum_squares(X - A)), [cp.sum(X, axis=1) == np.array([1.0, 2.0]), X >= 0.2])


@convex
def matrix_of_logarithms(rng: np.random.Generator) -> cp.Problem:
    X, A = cp.Variable((3, 2), name="X"), rng.uniform(0.5, 1, (2, 3))
    return cp.Problem(cp.Maximize(cp.sum(cp.log(X))), [A @ X <= rng.uniform(1, 2, (2, 2)), X.T >= 0.1])


@convex
def symmetric_matrix(rng: np.random.Generator) -> cp.Problem:
    S, A = cp.Variable((3, 3), symmetric=True, name="S"), rng.normal(size=(3, 3))
    return cp.Problem(cp.Minimize(cp.sum_squares(S - A)), [cp.trace(S) == 1, S[0, 1] >= 0.3, S[1, 1:] <= 0.4])


@convex
def lasso(rng: np.random.Generator) -> cp.Problem:
    x, A, b = cp.Variable(4, name="x"), rng.normal(size=(6, 4)), rng.normal(size=6)
    return cp.Problem(cp.Minimize(cp.sum_squares(A @ x - b)), [cp.norm1(x) <= 0.5])


@convex
def largest_residual(rng: np.random.Generator) -> cp.Problem:
    x, A, b = cp.Variable(2, name="x"), rng.normal(size=(5, 2)), rng.normal(size=5)
    return cp.Problem(cp.Minimize(cp.norm_inf(A @ x - b) + 0.1 * cp.sum_squares(x)), [cp.sum(x) == 0.5])


@convex
def robust_fit(rng: np.random.Generator) -> cp.Problem:
    x, A, b = cp.Variable(3, name="x"), rng.normal(size=(8, 3)), 3 * rng.normal(size=8)
    return cp.Problem(cp.Minimize(cp.sum(cp.huber(A @ x - b, 1.0))), [x[0] + x[1] + x[2] == 1])


@convex
def inverses(rng: np.random.Generator) -> cp.Problem:
    x = cp.Variable(3, pos=True, name="x")
    return cp.Problem(cp.Minimize(cp.sum(cp.inv_pos(x)) + cp.sum(cp.power(x, 1.5))), [rng.uniform(1, 2, 3) @ x <= 1.5])


@convex
def water_filling(rng: np.random.Generator) -> cp.Problem:
    x = cp.Variable(4, name="x")
    return cp.Problem(cp.Maximize(cp.sum(cp.log(np.array([0.8, 1.0, 1.2, 3.0]) + x))), [x >= 0, cp.sum(x) == 1])


@convex
def quadratic_over_linear(rng: np.random.Generator) -> cp.Problem:
    x, y = cp.Variable(2, name="x"), cp.Variable(name="y")
    return cp.Problem(cp.Minimize(cp.quad_over_lin(x, y) + cp.exp(y)), [x[0] + 2 * x[1] >= 1, y <= 1])


@convex
def one_number_against_many(rng: np.random.Generator) -> cp.Problem:
    s, X = cp.Variable(name="s"), cp.Variable((2, 2), name="X")
    rows = [s >= np.array([1.0, 2.0, 3.0]), X <= s, cp.sum(X) == 14]
    return cp.Problem(cp.Minimize(cp.square(s) + cp.sum_squares(X)), rows)


def by_cones(problem: cp.Problem, tolerance: float = CONE_TOLERANCE) -> tuple[float, list[Any]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        problem.solve(
            solver=cp.CLARABEL,
            **dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance),
            **dict.fromkeys(("reduced_tol_gap_abs", "reduced_tol_gap_rel", "reduced_tol_feas"), REDUCED_CONE_TOLERANCE),
        )
    assert problem.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)
    # Conic solvers return shape (1,) for some scalar constraints.
    value, duals = problem.value, [shaped(constraint.dual_value, constraint) for constraint in problem.constraints]
    for variable in problem.variables():
        variable.save_value(None)
    return value, duals


def shaped(dual: Any, constraint: cp.Constraint) -> Any:
    return dual if isinstance(constraint, cp.SOC) else np.reshape(dual, constraint.shape)


def assert_close(actual: Any, expected: Any, what: str) -> None:
    assert np.shape(actual) == np.shape(expected), what
    scale = max(1.0, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=AGREEMENT * scale, err_msg=what)


@pytest.mark.parametrize("name", CONVEX)
def test_dual_values_are_those_of_conic_solvers(name: str) -> None:
    problem = CONVEX[name](np.random.default_rng(1))
    value, duals = by_cones(problem)

    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.status == cp.OPTIMAL
    assert_close(problem.value, value, "objective")
    for constraint, expected in zip(problem.constraints, duals, strict=True):
        assert_close(constraint.dual_value, expected, f"solver LAGRANGE: {constraint}")
        if isinstance(constraint, cp.constraints.Inequality):
            assert np.min(constraint.dual_value) >= 0.0

    for variable in problem.variables():
        variable.save_value(None)
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0, model.p))
    assert problem.status == cp.OPTIMAL
    assert_close(problem.value, value, "objective")
    for constraint, expected in zip(problem.constraints, duals, strict=True):
        assert_close(constraint.dual_value, expected, f"from_cvxpy: {constraint}")


def lagrangian_gradient(problem: cp.Problem) -> list[Any]:
    """The gradient of CVXPY's Lagrangian, of the minimization, at the values and dual values of the problem."""
    sign = 1.0 if isinstance(problem.objective, cp.Minimize) else -1.0
    lagrangian = sign * problem.objective.expr
    for constraint in problem.constraints:
        lagrangian = lagrangian + cp.sum(cp.multiply(constraint.dual_value, constraint.args[0] - constraint.args[1]))
    with jax.enable_x64(True):
        values = {variable.id: np.asarray(variable.value, dtype=float) for variable in problem.variables()}
        return list(jax.grad(lambda at: evaluate(lagrangian, at))(values).values())


@pytest.mark.parametrize("sense", [cp.Minimize, cp.Maximize])
def test_a_nonconvex_problem_satisfies_the_sign_convention_of_cvxpy(sense: Any) -> None:
    x, X = cp.Variable(2, name="x"), cp.Variable((2, 3), name="X")
    x.value, X.value = np.ones(2), np.ones((2, 3))
    f = cp.sum_squares(x - 2) + cp.sum(cp.nlp.cos(X)) + cp.sum_squares(X)
    rows = [
        x[0] * x[1] == 1,
        cp.exp(x[0]) + X[1, 2] <= 2.5,
        2 <= X[0] * 2 + cp.square(X[1]),
        cp.sum(X, axis=1) == np.array([3.5, 3.0]),
    ]
    problem = cp.Problem(sense(f if sense is cp.Minimize else -f), rows)
    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.status == cp.OPTIMAL
    for gradient in lagrangian_gradient(problem):
        np.testing.assert_allclose(gradient, 0.0, atol=1e-7)
    for row in rows:
        assert row.violation() == pytest.approx(np.zeros(np.shape(row.violation())), abs=1e-8)
        if isinstance(row, cp.constraints.Inequality):
            assert np.min(row.dual_value) >= 0.0


@pytest.mark.parametrize("sense", [cp.Minimize, cp.Maximize])
def test_dual_values_predict_what_a_moved_right_side_costs(sense: Any) -> None:
    x, b = cp.Variable(2, name="x"), cp.Parameter(3, name="b", value=np.array([4.0, 1.0, 3.0]))
    rows = [x[0] * x[1] == b[0], x[0] >= b[1], x[1] <= b[2]]
    f = cp.square(x[0]) + cp.exp(x[0] - x[1])
    problem = cp.Problem(sense(f if sense is cp.Minimize else -f), rows)
    x.value = np.array([2.0, 2.0])
    problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.status == cp.OPTIMAL
    # L = f + dual . (lhs - rhs) of the minimization, so moving b moves min f by -dual, dual (for >=), -dual.
    predicted = np.array([-rows[0].dual_value, rows[1].dual_value, -rows[2].dual_value])
    predicted = predicted if sense is cp.Minimize else -predicted
    step, centre = 1e-4, b.value
    for i in range(3):
        values = []
        for move in (-step, step):
            b.value = centre + move * np.eye(3)[i]
            values.append(problem.solve(solver="LAGRANGE", nlp=True))
        assert (values[1] - values[0]) / (2 * step) == pytest.approx(predicted[i], abs=1e-6)


def test_second_order_cones() -> None:
    rng = np.random.default_rng(3)
    x, t, X = cp.Variable(3, name="x"), cp.Variable(2, name="t"), cp.Variable((3, 2), name="X")
    rows = [
        cp.SOC(cp.Constant(2.0), x),
        cp.SOC(t, X),
        cp.SOC(t + 1, X.T @ np.ones((3, 4)), axis=1),
        X[0] == np.array([1.0, 2.0]),
        cp.sum(t) <= 8,
    ]
    problem = cp.Problem(cp.Minimize(rng.normal(size=3) @ x + cp.sum_squares(t - 1) + cp.sum_squares(X)), rows)
    value, duals = by_cones(problem, 1e-11)
    t.value, X.value, x.value = np.ones(2), np.ones((3, 2)), np.ones(3)
    model = from_cvxpy(problem)
    model.unpack(model.problem.solve(model.x0))
    assert problem.status == cp.OPTIMAL
    assert_close(problem.value, value, "objective")
    for row, expected in zip(rows, duals, strict=True):
        pairs = zip(row.dual_value, expected, strict=True) if isinstance(row, cp.SOC) else [(row.dual_value, expected)]
        for part, other in pairs:
            assert_close(part, other, str(row))


@pytest.mark.filterwarnings("ignore:\\s*Explicitly invoking")
def test_the_plain_cones_of_cvxpy() -> None:
    x = cp.Variable(3, name="x")
    rows = [cp.Zero(x[0] - 1), cp.NonNeg(x[1] - 2), cp.NonPos(x[2] + 3)]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x)), rows)
    for solve in (
        lambda: problem.solve(solver="LAGRANGE", nlp=True),
        lambda: (model := from_cvxpy(problem)).unpack(model.problem.solve(model.x0)),
    ):
        solve()
        assert_close(x.value, [1.0, 2.0, -3.0], "x")
        # 2 x + d = 0 for Zero; NonNeg enters the Lagrangian with a minus, NonPos with a plus.
        assert_close([row.dual_value for row in rows], [-2.0, 4.0, 6.0], "dual values")


def test_the_module_is_registered() -> None:
    assert lagrange.interfaces.cvxpy.NAME in cp.installed_solvers()
