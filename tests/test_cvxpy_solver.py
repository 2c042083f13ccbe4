"""solver="LAGRANGE" in CVXPY: statuses that are true, options, parameters, warm starts, errors that say why."""

# ruff: noqa: SIM300 (a matrix with a capital letter is no constant)

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

import lagrange.interfaces.cvxpy
from lagrange.interfaces.cvxpy_status import cvxpy_status, has_dual_values
from lagrange.model.status import PointKind, StopReason
from lagrange.result import Result


def solved(problem: cp.Problem, **options: Any) -> Result:
    """The result of a solve; a warning of CVXPY is an error, as everywhere in the tests."""
    problem.solve(solver="LAGRANGE", nlp=True, **options)
    result = problem.solver_stats.extra_stats["result"]
    assert isinstance(result, Result)
    return result


def scalar(name: str, value: float | None = None, **attributes: Any) -> cp.Variable:
    variable = cp.Variable(name=name, **attributes)
    variable.value = value
    return variable


# Answers --------------------------------------------------------------------------------------------------------


def test_hock_schittkowski_71() -> None:
    x = cp.Variable(4, bounds=[1, 5], name="x")
    x.value = np.array([1.0, 5.0, 5.0, 1.0])
    rows = [x[0] * x[1] * x[2] * x[3] >= 25, cp.sum_squares(x) == 40]
    problem = cp.Problem(cp.Minimize(x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]), rows)
    result = solved(problem)
    assert problem.status == cp.OPTIMAL
    assert problem.value == pytest.approx(17.0140172891, rel=1e-9)
    assert rows[0].dual_value == pytest.approx(0.5522936, abs=1e-6)
    assert rows[1].dual_value == pytest.approx(0.1614686, abs=1e-6)
    assert problem.solver_stats.solver_name == "LAGRANGE"
    assert problem.solver_stats.num_iters == result.iterations
    assert problem.solver_stats.extra_stats["message"] == "Strict local minimum."
    # The multipliers of bounds given as attributes, which have no dual value in CVXPY.
    assert result.program.variables.unflatten(result.z)["x"][0] == pytest.approx(-1.0878712, abs=1e-6)


def test_variables_keep_their_own_bounds_and_starts_whatever_order_they_occur_in() -> None:
    # CVXPY 1.9 lowers z + x <= y to y - (z + x) >= 0, which changes the order of the variables.
    z, x, y = scalar("z"), scalar("x", 1.5, bounds=[1, 2]), scalar("y", 3.5, bounds=[3, 4])
    problem = cp.Problem(cp.Minimize((z - 9) ** 2 + z), [z + x <= y])
    solved(problem)
    assert (z.value, x.value, y.value) == pytest.approx((3.0, 1.0, 4.0))


def test_matrices_are_laid_out_by_columns_and_back() -> None:
    X, target = cp.Variable((2, 3), name="X"), np.arange(6.0).reshape(2, 3)
    lower = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 6.0]])
    rows = [X >= lower, X[0, 2] == 7, X[:, :2].T <= np.array([[0.5, 9.0], [9.0, 3.0]]) + 1]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(X - target)), rows)
    solved(problem)
    expected = np.array([[1.0, 1.0, 7.0], [3.0, 4.0, 6.0]])
    np.testing.assert_allclose(X.value, expected, atol=1e-9)
    np.testing.assert_allclose(rows[0].dual_value, [[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]], atol=1e-8)
    assert rows[1].dual_value == pytest.approx(-10.0)
    np.testing.assert_allclose(rows[2].dual_value, np.zeros((2, 2)), atol=1e-8)


def test_bounds_with_parameters_and_sparse_and_symmetric_variables() -> None:
    S = cp.Variable((2, 2), symmetric=True, name="S")
    D = cp.Variable((2, 2), diag=True, name="D")
    problem = cp.Problem(cp.Minimize(cp.sum_squares(S - np.array([[1.0, 2.0], [4.0, 5.0]])) + cp.sum_squares(D - 3)))
    solved(problem)
    np.testing.assert_allclose(S.value, [[1.0, 3.0], [3.0, 5.0]], atol=1e-9)
    np.testing.assert_allclose(D.value.toarray(), [[3.0, 0.0], [0.0, 3.0]], atol=1e-9)


# Parameters and warm starts -------------------------------------------------------------------------------------


def test_parameters_that_cvxpy_writes_into_the_smooth_problem_are_current() -> None:
    # In quad_over_lin and kl_div CVXPY replaces the parameter by its value; nothing old may be kept between solves.
    x, d, a = scalar("x", 1.0), cp.Parameter(pos=True, name="d"), cp.Parameter(name="a")
    problem = cp.Problem(cp.Minimize(cp.quad_over_lin(x - a, d) + cp.square(x)))
    for d.value, a.value in ((1.0, 2.0), (3.0, 2.0), (3.0, 8.0)):
        solved(problem)
        assert float(x.value) == pytest.approx(a.value / (1 + d.value), abs=1e-9)
    q, prior = cp.Variable(2, name="q"), cp.Parameter(2, pos=True, name="prior")
    problem = cp.Problem(cp.Minimize(cp.sum(cp.kl_div(q, prior))), [cp.sum(q) == 1])
    for weights in ([1.0, 1.0], [1.0, 3.0]):
        prior.value = np.array(weights)
        solved(problem)
        np.testing.assert_allclose(q.value, prior.value / prior.value.sum(), atol=1e-8)


def test_a_warm_start_takes_fewer_iterations() -> None:
    rng = np.random.default_rng(0)
    x, b = cp.Variable(5, bounds=[0, 3], name="x"), cp.Parameter(3, name="b", value=np.array([1.0, 2.0, 1.5]))
    A = rng.uniform(size=(3, 5))
    problem = cp.Problem(cp.Minimize(cp.sum(cp.exp(x)) + cp.sum_squares(x - 1)), [A @ x >= b, cp.prod(x + 1) <= 40])
    solved(problem)
    b.value = b.value + 0.01
    warm = solved(problem)
    again = x.value
    x.value = np.full(5, 1.5)
    cold = solved(problem, warm_start=False)
    assert warm.iterations < cold.iterations
    np.testing.assert_allclose(again, x.value, atol=1e-8)


def test_a_value_given_by_the_user_is_the_start() -> None:
    # Two minima: the last answer must not be preferred to the user's start.
    x, c = scalar("x", -1.5), cp.Parameter(name="c", value=0.1)
    problem = cp.Problem(cp.Minimize((x**2 - 1) ** 2 + c * x))
    solved(problem)
    assert float(x.value) == pytest.approx(-1.01, abs=0.01)
    x.value = 1.5
    solved(problem)
    assert float(x.value) == pytest.approx(0.99, abs=0.01)


# Statuses -------------------------------------------------------------------------------------------------------


def test_inconsistent_rows_are_infeasible() -> None:
    x = cp.Variable(2, name="x")
    rows = [cp.sum(x) == 1, cp.sum(x) == 2]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x)), rows)
    result = solved(problem)
    assert (problem.status, problem.value) == (cp.INFEASIBLE, np.inf)
    assert x.value is None and rows[0].dual_value is None
    assert set(result.blame) == {"x[0] + x[1] == 1.0", "x[0] + x[1] == 2.0"} or len(result.blame) == 2
    flipped = cp.Problem(cp.Maximize(-cp.sum_squares(x)), rows)
    solved(flipped)
    assert (flipped.status, flipped.value) == (cp.INFEASIBLE, -np.inf)


def test_reversed_bounds_are_infeasible() -> None:
    x = cp.Variable(2, nonneg=True, bounds=[-3, np.array([1.0, -1.0])], name="x")
    problem = cp.Problem(cp.Minimize(cp.sum(x)))
    problem.solve(solver="LAGRANGE", nlp=True)
    assert (problem.status, problem.value, x.value) == (cp.INFEASIBLE, np.inf, None)
    assert problem.solver_stats.extra_stats["message"] == "The bounds of x[1] exclude each other."


def test_local_infeasibility_of_a_nonconvex_problem_is_not_claimed_to_be_more() -> None:
    x = scalar("x", 0.5)
    problem = cp.Problem(cp.Minimize(x), [cp.nlp.sin(x) >= 1.5, x <= 2, x >= 0])
    with pytest.warns(UserWarning, match="may be inaccurate"):
        result = solved(problem)
    assert (problem.status, problem.value) == (cp.INFEASIBLE_INACCURATE, np.inf)
    assert result.kind is PointKind.INFEASIBLE_STATIONARY


@pytest.mark.parametrize(("sense", "value"), [(cp.Minimize, -np.inf), (cp.Maximize, np.inf)])
def test_unbounded(sense: Any, value: float) -> None:
    x = cp.Variable(2, name="x")
    sign = 1 if sense is cp.Minimize else -1
    problem = cp.Problem(sense(sign * (x[0] + x[1] ** 2)), [x[0] <= 1])
    solved(problem)
    assert (problem.status, problem.value, x.value) == (cp.UNBOUNDED, value, None)


def test_a_limit_is_a_limit() -> None:
    x = cp.Variable(2, name="x", value=np.array([-1.2, 1.0]))
    row = cp.sum(x) <= 5
    problem = cp.Problem(cp.Minimize((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2), [row])
    solved(problem)
    assert row.dual_value is not None
    x.value = np.array([-1.2, 1.0])
    with pytest.warns(UserWarning, match="may be inaccurate"):
        result = solved(problem, max_iterations=2)
    assert (problem.status, result.stop) == (cp.USER_LIMIT, StopReason.ITERATION_LIMIT)
    assert x.value is not None
    assert row.dual_value is None, "the dual value of the solve before is erased"


def test_a_point_without_multipliers_is_not_called_optimal() -> None:
    x = cp.Variable(2, name="x", value=np.array([-2.0, -2.0]))
    row = (1 - x[0]) ** 3 - x[1] >= 0
    problem = cp.Problem(cp.Minimize((x[0] - 2) ** 2 + x[1] ** 2), [row, x >= 0])  # Hock and Schittkowski, number 13
    with pytest.warns(UserWarning, match="may be inaccurate"):
        result = solved(problem)
    assert (problem.status, result.kind) == (cp.OPTIMAL_INACCURATE, PointKind.FRITZ_JOHN)
    assert row.dual_value is None
    np.testing.assert_allclose(x.value, [1.0, 0.0], atol=0.02)


def test_a_constrained_maximum_is_left() -> None:
    x = cp.Variable(2, name="x", bounds=[-3, 5], value=np.array([1.0, 1.0]))
    problem = cp.Problem(cp.Minimize(x[0] * x[1]), [x[0] + x[1] == 2])
    solved(problem)
    assert problem.status == cp.OPTIMAL
    assert problem.value == pytest.approx(-15.0)


class Answer:
    """As much of a `Result` as decides on a status."""

    def __init__(self, kind: PointKind, stop: StopReason, relative: float) -> None:
        self.kind, self.stop, self.success = kind, stop, kind.is_minimum
        self.residuals = self
        self.relative = self.relative_feasibility = relative

    def within(self, tol: float) -> bool:
        return self.relative <= tol


@pytest.mark.parametrize("kind", PointKind)
@pytest.mark.parametrize("stop", StopReason)
def test_only_what_is_verified_is_called_optimal(kind: PointKind, stop: StopReason) -> None:
    for convex in (True, False):
        for relative in (1e-10, 1e-5, 1e-1):
            answer: Any = Answer(kind, stop, relative)
            status = cvxpy_status(answer, convex)
            assert (status == cp.OPTIMAL) == kind.is_minimum
            clear = convex and relative == 1e-1
            assert (status == cp.INFEASIBLE) == (kind is PointKind.INFEASIBLE_STATIONARY and clear)
            assert (status == cp.UNBOUNDED) == (kind is PointKind.UNBOUNDED)
            if has_dual_values(answer, status):
                assert kind.is_minimum or (kind is PointKind.NOT_STATIONARY and relative < 1e-1)


# Options and errors ---------------------------------------------------------------------------------------------


def test_options() -> None:
    x = scalar("x", 3.0)
    problem = cp.Problem(cp.Minimize(x**4 + x))
    assert solved(problem, tol=1e-4, time_limit=60.0, max_iterations=50).success
    for options, words in (
        ({"max_iter": 3}, "no option 'max_iter'; its options are 'tol', 'max_iterations', 'time_limit'"),
        ({"tol": -1.0}, "tol must be a number between 1e-14 and 1, got -1.0"),
    ):
        with pytest.raises(cp.SolverError, match=words):
            problem.solve(solver="LAGRANGE", nlp=True, **options)


def test_verbose_shows_the_iterations_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    x = scalar("x", 3.0)
    solved(cp.Problem(cp.Minimize(x**4 + x)), verbose=True)
    assert "Strict local minimum." in capsys.readouterr().out
    solved(cp.Problem(cp.Minimize(x**4 + x)))
    assert capsys.readouterr().out == ""


def test_what_is_not_finite_is_named() -> None:
    x = scalar("x", 710.0)
    with pytest.raises(cp.SolverError, match=r"found no answer.*objective 'objective' is inf at x0 = \(x = 710\)"):
        cp.Problem(cp.Minimize(cp.exp(x**2))).solve(solver="LAGRANGE", nlp=True)


def test_constraints_that_are_not_smooth_are_named() -> None:
    # CVXPY itself drops them in its nonlinear interfaces.
    X = cp.Variable((2, 2), PSD=True, name="X")
    with pytest.raises(cp.SolverError, match=r"of type PSD \(a variable with the attribute PSD or NSD has one\)"):
        cp.Problem(cp.Minimize(cp.trace(X)), [X[0, 1] >= 1]).solve(solver="LAGRANGE", nlp=True)


def test_atoms_that_cvxpy_cannot_differentiate_are_named() -> None:
    X = cp.Variable((2, 2), name="X")
    problem = cp.Problem(cp.Minimize(cp.sum_squares(cp.kron(np.eye(2), X) - 1)))
    with pytest.raises(cp.SolverError, match=r"Atom 'kron' not supported.*lagrange.from_cvxpy"):
        problem.solve(solver="LAGRANGE", nlp=True)


@pytest.mark.parametrize("attribute", ["boolean", "integer"])
def test_integers_are_refused(attribute: str) -> None:
    x = cp.Variable(2, name="x", **{attribute: True})
    with pytest.raises(cp.SolverError, match=f"takes real variables, but x has the attribute {attribute}"):
        cp.Problem(cp.Minimize(cp.sum_squares(x - 0.3))).solve(solver="LAGRANGE", nlp=True)


def test_no_variables() -> None:
    with pytest.raises(cp.SolverError, match="no variables"):
        cp.Problem(cp.Minimize(cp.Constant(1.0))).solve(solver="LAGRANGE", nlp=True)


def test_the_best_of_several_starts() -> None:
    np.random.seed(1)
    x = cp.Variable(2, bounds=[-3, 3], name="x")
    problem = cp.Problem(cp.Minimize(cp.sum(cp.nlp.sin(3 * x)) + 0.1 * cp.sum_squares(x)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver="LAGRANGE", nlp=True, best_of=6)
    runs = problem.solver_stats.extra_stats["all_objs_from_best_of"]
    assert len(runs) == 6
    assert problem.value == pytest.approx(np.min(runs))


def test_registration_is_done_once_and_changes_no_default() -> None:
    from cvxpy.reductions.solvers import defines

    assert defines.NLP_SOLVERS.count("LAGRANGE") == 1
    assert list(defines.SOLVER_MAP_NLP)[-1] == "LAGRANGE"
    assert lagrange.interfaces.cvxpy.Lagrange().is_installed()


def test_importing_lagrange_does_not_load_cvxpy() -> None:
    code = "import sys, lagrange; assert 'cvxpy' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_norm_that_must_be_zero_is_not_called_infeasible() -> None:
    # Only x = (1, 2) is feasible, and there the norm has no gradient: the search comes near it and no nearer.
    x = cp.Variable(2, name="x")
    problem = cp.Problem(cp.Minimize(cp.sum_squares(x)), [cp.norm(x - np.array([1.0, 2.0])) <= 0])
    with pytest.warns(UserWarning, match="inaccurate"):
        problem.solve(solver="LAGRANGE", nlp=True)
    assert problem.status == cp.INFEASIBLE_INACCURATE
