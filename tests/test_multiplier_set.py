"""The set of all multipliers: intervals by hand, from the literature, and against a linear program of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import lagrange as lg
from lagrange import at_least, at_most, between, equals
from lagrange.optimality.multiplier_set import MultiplierSet
from problems.hock_schittkowski import PROBLEMS

INF = np.inf


def close(interval: tuple[Any, Any], low: Any, high: Any) -> None:
    np.testing.assert_allclose(interval[0], low, atol=1e-7)
    np.testing.assert_allclose(interval[1], high, atol=1e-7)


def test_a_unique_multiplier() -> None:
    problem = lg.Problem(
        lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2,
        {"cap": at_most(lambda x: x[0], 1.0), "loose": at_most(lambda x: x[1], 9.0)},
    )
    found = problem.solve([0.0, 0.5]).multiplier_set()
    assert found.exists and found.unique and found.dimension == 0
    close(found.interval["cap"], 2.0, 2.0)
    assert found.interval["loose"] == (0.0, 0.0)
    assert isinstance(found.interval["cap"][0], float)
    assert found.least_norm["cap"] == pytest.approx(2.0)
    assert found.invariant == ("cap", "loose")
    assert found.advice == "" and str(found).startswith("Multipliers: unique")


def test_a_duplicated_equation() -> None:
    # 2 x + y1 + 2 y2 = 0 at x = 1/2: y1 + 2 y2 = -1; the point of it nearest to 0 is (-1, -2) / 5.
    problem = lg.Problem(
        lambda x: x @ x, {"one": equals(lambda x: x.sum(), 1.0), "two": equals(lambda x: 2.0 * x.sum(), 2.0)}
    )
    found = problem.solve([0.0, 0.0]).multiplier_set()
    assert found.exists and not found.unique and found.dimension == 1
    assert found.interval == {"one": (-INF, INF), "two": (-INF, INF)}
    assert found.least_norm == pytest.approx({"one": -0.2, "two": -0.4})
    assert found.invariant == ()
    assert "one, two" in found.advice and "Without limit" in found.advice
    assert "not unique, a set of dimension 1" in str(found)


def test_two_parallel_inequalities() -> None:
    # 2 (x0 - 2) + y1 + 2 y2 = 0 at x0 = 1, both >= 0.
    problem = lg.Problem(
        lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2,
        {"one": at_most(lambda x: x[0], 1.0), "two": at_most(lambda x: 2.0 * x[0], 2.0)},
    )
    found = problem.solve([0.0, 0.0]).multiplier_set()
    assert found.dimension == 1
    close(found.interval["one"], 0.0, 2.0)
    close(found.interval["two"], 0.0, 1.0)
    assert found.interval["one"][0] == 0.0 and found.interval["two"][0] == 0.0
    assert found.least_norm == pytest.approx({"one": 0.4, "two": 0.8})


def test_lower_sides_have_negative_intervals() -> None:
    problem = lg.Problem(
        lambda x: (x[0] + 2.0) ** 2 + x[1] ** 2,
        {"one": at_least(lambda x: x[0], -1.0), "two": between(-2.0, lambda x: 2.0 * x[0], 7.0)},
    )
    found = problem.solve([0.0, 0.0]).multiplier_set()
    close(found.interval["one"], -2.0, 0.0)
    close(found.interval["two"], -1.0, 0.0)


def test_three_constraints_at_a_corner() -> None:
    # y = (t, t, 1 - t), 0 <= t <= 1: MFCQ holds, so the set is bounded (Gauvin 1977).
    problem = lg.Problem(
        lambda x: -x[0] - x[1],
        {"ab": at_most(lambda x: x, 1.0), "c": at_most(lambda x: x[0] + x[1], 2.0)},
    )
    found = problem.solve([0.0, 0.0]).multiplier_set()
    assert found.dimension == 1
    close(found.interval["ab"], [0.0, 0.0], [1.0, 1.0])
    close(found.interval["c"], 0.0, 1.0)
    assert found.interval["ab"][0].shape == (2,)
    np.testing.assert_allclose(found.least_norm["ab"], [1.0 / 3.0, 1.0 / 3.0])
    assert found.least_norm["c"] == pytest.approx(2.0 / 3.0)


def test_a_row_and_a_bound() -> None:
    # The same, with x <= 1 as bounds, and a third variable whose bound is not touched by it.
    problem = lg.Problem(
        lambda x: -x["a"] - x["b"] - 5.0 * x["c"],
        {"sum": at_most(lambda x: x["a"] + x["b"], 2.0)},
        bounds=(None, 1.0),
    )
    found = problem.solve({"a": 0.0, "b": 0.0, "c": 0.0}).multiplier_set()
    low, high = found.bound_interval
    close((low["a"], high["a"]), 0.0, 1.0)
    close((low["b"], high["b"]), 0.0, 1.0)
    close((low["c"], high["c"]), 5.0, 5.0)
    close(found.interval["sum"], 0.0, 1.0)
    assert found.invariant == ("upper bound of c",)
    assert found.bound_least_norm["c"] == pytest.approx(5.0)
    assert [item.name for item in found.ranges if not item.invariant] == [
        "sum", "upper bound of a", "upper bound of b",
    ]  # fmt: skip


def test_a_fixed_variable_takes_what_is_left_over() -> None:
    problem = lg.Problem(lambda x: x @ x, {"x0": equals(lambda x: x[0], 3.0)}, bounds=([3.0, -1.0], [3.0, 1.0]))
    found = problem.examine([3.0, 0.0]).multiplier_set()
    assert found.dimension == 1
    assert found.interval["x0"] == (-INF, INF)
    assert found.ranges[1].name == "fixed x[0]"
    assert found.least_norm["x0"] == pytest.approx(-3.0)
    np.testing.assert_allclose(found.bound_least_norm, [-3.0, 0.0])


def test_facing_sides_are_unbounded() -> None:
    # 2 + y1 + y2 = 0 with y1 >= 0 >= y2: MFCQ fails.
    problem = lg.Problem(
        lambda x: x @ x, {"below": at_most(lambda x: x[0], 1.0), "above": at_least(lambda x: x[0], 1.0)}
    )
    found = problem.examine([1.0, 0.0]).multiplier_set()
    assert found.dimension == 1
    close((found.interval["below"][0], found.interval["above"][1]), 0.0, -2.0)
    assert found.interval["below"][1] == INF and found.interval["above"][0] == -INF
    assert found.least_norm == pytest.approx({"below": 0.0, "above": -2.0}, abs=1e-9)


def test_a_vanishing_gradient_leaves_its_multiplier_free() -> None:
    problem = lg.Problem(lambda x: x[1] ** 2 + x[0] ** 2, {"square": at_most(lambda x: x[0] ** 2, 0.0)})
    found = problem.examine([0.0, 0.0]).multiplier_set()
    assert found.interval["square"] == (0.0, INF)
    assert found.least_norm["square"] == 0.0


def test_dependent_gradients_with_a_unique_multiplier() -> None:
    # Kyparisis (1985): unique where strict MFCQ holds, LICQ or not. y1 + 2 y2 = 0 with both >= 0 is 0.
    problem = lg.Problem(
        lambda x: x @ x, {"one": at_most(lambda x: x[0], 0.0), "two": at_most(lambda x: 2.0 * x[0], 0.0)}
    )
    solution = problem.examine([0.0, 0.0])
    found, conditions = solution.multiplier_set(), solution.conditions()
    assert conditions.licq.holds is False and conditions.mfcq.holds is True
    assert found.unique and found.dimension == 0
    assert found.interval == {"one": (0.0, 0.0), "two": (0.0, 0.0)}
    assert conditions.strict_complementarity.holds is False
    assert "one, two" in conditions.strict_complementarity.detail


# No multiplier


def assert_empty(found: MultiplierSet, names: list[str]) -> None:
    assert not found.exists and not found.unique and found.dimension == -1
    assert list(found.interval) == names
    assert all(np.isnan(ends).all() for ends in found.interval.values())
    assert np.isnan(found.bound_interval).all() and found.invariant == ()
    assert found.advice in " ".join(str(found).split()) and "Multipliers: none" in str(found)


def test_no_multiplier_exists() -> None:
    record = PROBLEMS["HS13"]
    problem = record.problem()
    for solution in (problem.solve(record.x0), problem.examine([1.0, 0.0])):
        found = solution.multiplier_set()
        assert_empty(found, ["c"])
        assert "No Lagrange multiplier exists" in found.advice and "Reformulate" in found.advice


def test_the_cusp_of_kuhn_and_tucker() -> None:
    problem = lg.Problem(
        maximize=lambda x: x[0],
        subject_to={"cusp": at_most(lambda x: x[1] - (1.0 - x[0]) ** 3, 0.0)},
        bounds=(0.0, None),
    )
    assert_empty(problem.examine([1.0, 0.0]).multiplier_set(), ["cusp"])
    assert_empty(problem.solve([0.2, 0.2]).multiplier_set(), ["cusp"])


def test_points_that_are_no_solutions() -> None:
    problem = lg.Problem(lambda x: x @ x, {"sum": equals(lambda x: x.sum(), 8.0)})
    found = problem.examine([0.5, 7.5]).multiplier_set()
    assert_empty(found, ["sum"])
    assert "first-order" in found.advice


# The collection, and random problems


# Dimensions by rank and signs of the active gradients at the solution (checked by a linear program below).
@pytest.mark.parametrize(("name", "dimension"), [("HS55", 2), ("HS85", 1), ("HS116", 1), ("HS71", 0), ("HS43", 0)])
def test_dependent_active_rows_in_the_collection(name: str, dimension: int) -> None:
    record = PROBLEMS[name]
    solution = record.problem().solve(record.x0)
    found = solution.multiplier_set()
    assert found.exists and found.dimension == dimension and found.unique is (dimension == 0)
    assert_intervals(solution, found)


@pytest.mark.parametrize("seed", range(12))
def test_random_polyhedra(seed: int) -> None:
    """Linear rows through one point, more than independent, with an objective that some multipliers balance."""
    rng = np.random.default_rng(seed)
    n, rows = 3, int(rng.integers(3, 7))
    A = rng.integers(-2, 3, (rows, n)) * 10.0 ** rng.integers(-2, 3, (rows, 1))
    x = rng.normal(size=n)
    upper = rng.random(rows) < 0.5
    equal = rng.random(rows) < 0.2
    y = np.where(upper, 1.0, -1.0) * rng.random(rows) * (rng.random(rows) < 0.7)
    lower = np.where(upper & ~equal, -INF, A @ x)
    higher = np.where(upper | equal, A @ x, INF)
    g = -A.T @ y
    problem = lg.Problem(
        lambda x, p: p["g"] @ (x - p["x"]) + (x - p["x"]) @ (x - p["x"]),
        {"rows": between(lower, lambda x, p: p["A"] @ x, higher)},
    )
    solution = problem.examine(x, {"A": A, "g": g, "x": x})
    assert solution.success, solution.message
    found = solution.multiplier_set()
    assert found.exists
    assert_intervals(solution, found)


def assert_intervals(solution: lg.Solution, found: MultiplierSet) -> None:
    """Against linear programs over the multipliers themselves; the least norm satisfies all conditions."""
    result = solution.result
    derivatives, x, p = solution.problem.prepare(solution.x, solution.p)
    from lagrange.derivatives.evaluation import Evaluation

    jacobian, _ = Evaluation(derivatives, p).derivatives(x, np.zeros(1 + result.program.m))
    A = np.vstack([jacobian[1:], np.eye(x.size)])
    lower, upper = (np.concatenate(pair) for pair in zip(result.sides, result.bounds, strict=True))
    values = np.concatenate([result.c, x])
    with np.errstate(invalid="ignore"):
        size = np.maximum(1.0, np.abs(values))
        at_lower, at_upper = values - lower <= 1e-9 * size, upper - values <= 1e-9 * size
    limits = [(None if low else 0.0, None if high else 0.0) for low, high in zip(at_lower, at_upper, strict=True)]
    lows = np.concatenate([*(np.ravel(ends[0]) for ends in found.interval.values()), np.ravel(found.bound_interval[0])])
    highs = np.concatenate(
        [*(np.ravel(ends[1]) for ends in found.interval.values()), np.ravel(found.bound_interval[1])]
    )
    for i in range(len(A)):
        for sign, end in ((1.0, lows[i]), (-1.0, highs[i])):
            answer = linprog(sign * np.eye(len(A))[i], A_eq=A.T, b_eq=-jacobian[0], bounds=limits)
            if answer.status == 0:
                assert end == pytest.approx(answer.x[i], rel=1e-5, abs=1e-5)
            else:
                assert end == -sign * INF
    least = np.concatenate([*(np.ravel(y) for y in found.least_norm.values()), np.ravel(found.bound_least_norm)])
    force = jacobian[0] + least @ A
    assert np.abs(force).max() <= 1e-7 * max(1.0, np.abs(least[:, None] * A).max())
    assert (least >= lows - 1e-7).all() and (least <= highs + 1e-7).all()
    returned = np.concatenate([result.y, result.z])
    assert np.linalg.norm(least) <= np.linalg.norm(returned) * (1.0 + 1e-8) + 1e-8


def test_small_multipliers_that_vary_do_vary() -> None:
    # An objective in units of 1e-9: the intervals are (0, 4e-9) and (0, 2e-9).
    problem = lg.Problem(
        lambda x: 1e-9 * (x - 3) ** 2, {"one": lg.at_most(lambda x: x, 1.0), "two": lg.at_most(lambda x: 2 * x, 2.0)}
    )
    found = problem.solve(0.0).multiplier_set()
    assert not found.unique and found.invariant == ()
