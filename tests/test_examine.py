"""Points that somebody else found: verdict and multipliers, against closed forms and the package's own solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import lagrange as lg
from lagrange import PointKind, StopReason, at_least, at_most, between, equals
from problems.hock_schittkowski import PROBLEMS

TWICE = lg.Problem(
    lambda x: x @ x, {"once": equals(lambda x: x.sum(), 8.0), "twice": equals(lambda x: 2.0 * x.sum(), 16.0)}
)
# minimize (x0 - 2)^2 + x1^2 with x0 <= 1: x = (1, 0), y = 2; x0^2 + x1^2 <= 9 is inactive.
CAPPED = lg.Problem(
    lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2,
    {"cap": at_most(lambda x: x[0], 1.0), "disc": at_most(lambda x: x @ x, 9.0)},
    bounds=(-5.0, 5.0),
)


def test_the_success_that_was_none() -> None:
    # trust-constr returns this point with success=True and optimality 7 (research/users.md, item 3).
    solution = TWICE.examine([0.5, 7.5])
    assert not solution.success and solution.kind is PointKind.NOT_STATIONARY
    assert solution.residuals.stationarity == pytest.approx(7.0)
    assert solution.residuals.feasibility == 0.0
    assert "is -7 with respect to x[0]" in solution.message or "is 7 with respect to x[1]" in solution.message
    assert "Stopped" not in solution.message and solution.stop is StopReason.CONVERGED
    np.testing.assert_array_equal(solution.x, [0.5, 7.5])


def test_the_right_answer_to_it() -> None:
    solution = TWICE.examine([4.0, 4.0])
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    # 8 + y1 + 2 y2 = 0, of least norm
    assert solution.multipliers == pytest.approx({"once": -1.6, "twice": -3.2})
    assert "twice depends linearly on once" in solution.message
    assert solution.iterations == 0 and solution.objective == 32.0


def test_multipliers_by_hand() -> None:
    solution = CAPPED.examine([1.0, 0.0])
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    assert solution.multipliers == pytest.approx({"cap": 2.0, "disc": 0.0}) and solution.multipliers["disc"] == 0.0
    assert solution.active == ["cap"]
    np.testing.assert_array_equal(solution.bound_multipliers, [0.0, 0.0])
    assert solution.residuals.relative <= 1e-12
    assert solution.shadow_prices["cap"] == pytest.approx(-2.0)
    assert "Strict local minimum, verified" in str(solution)


def test_bounds_lower_sides_and_maximize() -> None:
    # maximize x0 + 2 x1 with x0 + x1 >= -9, x <= (1, 3): L = -f + ..., z = (1, 2).
    problem = lg.Problem(
        maximize=lambda x: x[0] + 2.0 * x[1],
        subject_to={"low": at_least(lambda x: x.sum(), -9.0)},
        bounds=(None, [1.0, 3.0]),
    )
    solution = problem.examine([1.0, 3.0])
    assert solution.success and solution.objective == 7.0
    np.testing.assert_allclose(solution.bound_multipliers, [1.0, 2.0])
    assert solution.active == ["upper bound of x[0]", "upper bound of x[1]"]


@pytest.mark.parametrize("name", ["HS14", "HS24", "HS35", "HS43", "HS71", "HS76", "HS78", "HS86", "HS100", "HS113"])
def test_the_multipliers_of_our_own_solve(name: str) -> None:
    record = PROBLEMS[name]
    problem = record.problem()
    solution = problem.solve(record.x0)
    again = problem.examine(solution.x)
    assert again.success and again.kind is solution.kind and again.active == solution.active
    np.testing.assert_allclose(again.result.y, solution.result.y, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(again.result.z, solution.result.z, rtol=1e-7, atol=1e-9)
    # A tenth away from it, it is no solution.
    assert not problem.examine(np.asarray(solution.x) + 0.1).success


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_what_scipy_finds(method: str) -> None:
    record = PROBLEMS["HS71"]
    problem = record.problem()
    ours = problem.solve(record.x0)
    found = minimize(
        record.objective, record.x0, method=method, bounds=list(zip(record.lower, record.upper, strict=True)),
        constraints=[
            {"type": "ineq", "fun": lambda x: x[0] * x[1] * x[2] * x[3] - 25.0},
            {"type": "eq", "fun": lambda x: x @ x - 40.0},
        ],
        options={"ftol": 1e-12} if method == "SLSQP" else {"maxiter": 1000},
    )  # fmt: skip
    solution = problem.examine(found.x, tol=1e-5)
    assert solution.success is bool(np.abs(found.x - ours.x).max() < 1e-5)
    if solution.success:
        np.testing.assert_allclose(solution.result.y, ours.result.y, atol=1e-3)


@pytest.mark.parametrize("error", [0.0, 1e-9, 1e-8])
def test_slack_against_multiplier(error: float) -> None:
    # The capped side is met up to an error, either way; "near" is as close by, but presses on nothing.
    problem = lg.Problem(
        lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2,
        {"cap": at_most(lambda x: x[0], 1.0), "near": at_most(lambda x: x[1], 1e-3)},
    )
    for sign in (1.0, -1.0):
        solution = problem.examine([1.0 + sign * error, 0.0])
        assert solution.success and solution.active == ["cap"]
        assert solution.multipliers["cap"] == pytest.approx(2.0, abs=1e-6) and solution.multipliers["near"] == 0.0


def test_a_weakly_active_bound() -> None:
    problem = lg.Problem(lambda x, p: (x[0] - p) ** 2, bounds=(0.0, None))
    solution = problem.examine([0.0], 0.0)
    assert solution.success and solution.active == ["lower bound of x[0]"]
    assert solution.conditions().strict_complementarity.holds is False
    assert not problem.examine([0.0], 0.1).success


# Failures, each with its name


def test_a_violated_row_a_violated_bound_and_a_fixed_variable() -> None:
    assert "Violated: cap." in CAPPED.examine([1.5, 0.0]).message
    assert "lower bound of x[1]" in CAPPED.examine([1.0, -7.0]).message
    problem = lg.Problem(lambda x: x @ x, bounds=([1.0, -9.0], [1.0, 9.0]))
    assert problem.examine([1.0, 0.0]).success
    away = problem.examine([1.5, 0.0])
    assert not away.success and "Violated: fixed x[0]" in away.message and away.x[0] == 1.5
    assert away.residuals.feasibility == 0.5


def test_a_stationary_violation() -> None:
    problem = lg.Problem(lambda x: x[0], {"nowhere": equals(lambda x: x[0] ** 2 + 1.0, 0.0)})
    solution = problem.examine([0.0])
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY and solution.result.blame == ("nowhere",)
    assert problem.examine([1.0]).kind is PointKind.NOT_STATIONARY


def test_a_saddle_and_a_point_without_multipliers() -> None:
    saddle = lg.Problem(lambda x: x[0] * x[1], {"sum": equals(lambda x: x.sum(), 2.0)}).examine([1.0, 1.0])
    assert saddle.kind is PointKind.SADDLE_OR_MAXIMUM and not saddle.success
    assert saddle.multipliers["sum"] == pytest.approx(-1.0)
    cusp = PROBLEMS["HS13"].problem().examine([1.0, 0.0])
    assert cusp.kind is PointKind.FRITZ_JOHN and "lower bound of x[1]" in cusp.message
    assert PROBLEMS["HS13"].problem().examine([0.5, 0.0]).kind is PointKind.NOT_STATIONARY


def test_a_point_where_nothing_is_defined() -> None:
    solution = lg.Problem(lambda x: np.log(x[0])).examine([-1.0])
    assert not solution.success and solution.stop is StopReason.NOT_FINITE
    assert "nan at x = (x[0] = -1)" in solution.message


# Multipliers from outside


def test_given_multipliers() -> None:
    right = CAPPED.examine([1.0, 0.0], multipliers={"cap": 2.0, "disc": 0.0})
    assert right.success and right.multipliers == {"cap": 2.0, "disc": 0.0}
    wrong = CAPPED.examine([1.0, 0.0], multipliers={"cap": -2.0, "disc": 0.0})
    assert not wrong.success and wrong.residuals.stationarity == pytest.approx(4.0)
    assert "the multipliers given" in wrong.message
    loose = CAPPED.examine([1.0, 0.0], multipliers={"cap": 2.0, "disc": 1.0})
    assert not loose.success and loose.residuals.complementarity == pytest.approx(8.0)
    # Of many multipliers the ones given are kept.
    kept = TWICE.examine([4.0, 4.0], multipliers={"once": -8.0, "twice": 0.0})
    assert kept.success and kept.multipliers == {"once": -8.0, "twice": 0.0}


def test_given_multipliers_and_bounds() -> None:
    problem = lg.Problem(lambda x: x.sum(), {"sum": equals(lambda x: x[0] + x[1], 1.0)}, bounds=(0.0, None))
    solution = problem.examine([1.0, 0.0, 0.0], multipliers={"sum": -1.0})
    assert solution.success
    np.testing.assert_allclose(solution.bound_multipliers, [0.0, 0.0, -1.0])


@pytest.mark.parametrize(
    ("multipliers", "message"),
    [
        ({"cap": 2.0}, r"missing \['disc'\]"),
        ({"cap": 2.0, "disc": 0.0, "disk": 0.0}, r"unknown \['disk'\]"),
        ({"cap": [2.0, 1.0], "disc": 0.0}, r"multiplier of 'cap' has shape \(2,\), expected \(\)"),
    ],
)
def test_multipliers_that_do_not_fit(multipliers: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CAPPED.examine([1.0, 0.0], multipliers=multipliers)


@pytest.mark.parametrize("tol", [0.0, -1.0, 2.0, None])
def test_a_tolerance_that_is_none(tol: Any) -> None:
    with pytest.raises(ValueError, match="tol must be"):
        CAPPED.examine([1.0, 0.0], tol=tol)


def test_the_tolerance() -> None:
    x = [1.0, 1e-5]
    assert not CAPPED.examine(x).success
    assert CAPPED.examine(x, tol=1e-4).success


def test_arrays_of_rows_and_structures() -> None:
    problem = lg.Problem(
        lambda x, p: (x["a"] - p) @ (x["a"] - p),
        {"band": between(-1.0, lambda x: x["a"], 1.0)},
    )
    solution = problem.examine({"a": np.array([1.0, -1.0, 0.5])}, np.array([2.0, -3.0, 0.5]))
    assert solution.success
    np.testing.assert_allclose(solution.multipliers["band"], [2.0, -4.0, 0.0], atol=1e-12)
    assert solution.active == ["band[0]", "band[1]"]
