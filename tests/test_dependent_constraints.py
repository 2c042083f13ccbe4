"""Dependent active constraints: coefficients, what follows from what, and what only seems to at this x."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import at_least, at_most, equals
from lagrange.kkt.dependence import dependent_rows
from problems.hock_schittkowski import PROBLEMS


def test_independent_constraints() -> None:
    found = lg.Problem(lambda x: x @ x, {"a": equals(lambda x: x[0], 1.0)}).solve([0.0, 0.0]).dependent_constraints()
    assert found.groups == () and found.active == 1
    assert str(found) == "Dependent constraints: none among 1 active"


def linear(right: float) -> lg.Problem:
    return lg.Problem(
        lambda x: x @ x,
        {
            "c1": equals(lambda x: x[0] + x[1], 1.0),
            "c2": equals(lambda x: x[0] - x[2], 2.0),
            "c3": equals(lambda x: x[0] + 2.0 * x[1] + x[2], right),
        },
    )


@pytest.mark.parametrize(("right", "verdict"), [(0.0, "redundant"), (5.0, "inconsistent")])
def test_coefficients_and_verdict(right: float, verdict: str) -> None:
    (group,) = linear(right).solve([0.0, 0.0, 0.0]).dependent_constraints().groups
    assert group.name == "c3" and group.coefficients == pytest.approx({"c1": 2.0, "c2": -1.0})
    assert group.equation == "c3 = 2 c1 - c2"
    assert group.verdict == verdict and group.structural is True
    # excess of c3 minus (2 excess of c1 - excess of c2) = (2 * 1 - 2) - right
    assert group.mismatch == pytest.approx(-right, abs=1e-6)
    assert ("contradicts" in group.sentence) is (verdict == "inconsistent")
    assert group.names == ("c3", "c1", "c2")


def test_the_page() -> None:
    text = str(linear(0.0).solve([0.0, 0.0, 0.0]).dependent_constraints())
    assert text.startswith("Dependent constraints: 1 among 3 active")
    assert "c3 = 2 c1 - c2  everywhere nearby  redundant" in text
    assert "c3 follows from the others: it can be dropped." in text


@pytest.mark.parametrize(
    ("constraints", "verdict"),
    [
        ({"a": at_most(lambda x: x[0], 1.0), "b": at_most(lambda x: 2.0 * x[0], 2.0)}, "redundant"),
        ({"a": at_most(lambda x: x[0], 1.0), "b": at_least(lambda x: -2.0 * x[0], -2.0)}, "redundant"),
        ({"a": equals(lambda x: x[0], 1.0), "b": at_most(lambda x: 2.0 * x[0], 2.0)}, "redundant"),
        ({"a": at_most(lambda x: x[0], 1.0), "b": at_least(lambda x: 2.0 * x[0], 2.0)}, "dependent"),
    ],
)
def test_inequalities_at_a_feasible_point(constraints: dict[str, Any], verdict: str) -> None:
    problem = lg.Problem(lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2, constraints)
    (group,) = problem.examine([1.0, 0.0]).dependent_constraints().groups
    assert group.verdict == verdict and group.structural is True


def test_inequalities_that_contradict_each_other() -> None:
    problem = lg.Problem(lambda x: x @ x, {"a": at_most(lambda x: x[0], 1.0), "b": at_least(lambda x: 2.0 * x[0], 3.0)})
    solution = problem.solve([0.0, 0.0])
    assert solution.kind is lg.PointKind.INFEASIBLE_STATIONARY
    (group,) = solution.dependent_constraints().groups
    assert group.verdict == "inconsistent" and group.equation == "b = 2 a"


def test_a_bound_that_follows_from_a_row() -> None:
    problem = lg.Problem(lambda x: -x[0] + x[1] ** 2, {"cap": at_most(lambda x: 4.0 * x[0], 4.0)}, bounds=(None, 1.0))
    (group,) = problem.solve([0.0, 0.0]).dependent_constraints().groups
    assert group.equation == "upper bound of x[0] = 0.25 cap" and group.verdict == "redundant"


def test_gradients_that_are_parallel_at_one_point_only() -> None:
    # Two circles that touch at (-1, 0).
    problem = lg.Problem(
        lambda x: x[0],
        {
            "left": equals(lambda x: (x[0] + 2.0) ** 2 + x[1] ** 2, 1.0),
            "right": equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0),
        },
    )
    for solution in (problem.examine([-1.0, 0.0]), problem.solve([0.0, 0.5])):
        (group,) = solution.dependent_constraints().groups
        assert group.structural is False
        assert "only" in group.sentence and "can be dropped" not in group.sentence
        assert group.coefficients == pytest.approx({"left": -1.0}, rel=1e-3)


def test_nonlinear_functions_that_depend_on_each_other() -> None:
    problem = lg.Problem(
        lambda x: x[0],
        {
            "radius": equals(lambda x: x @ x, 1.0),
            "again": equals(lambda x: 3.0 * (x @ x) - 3.0, 0.0),
        },
    )
    (group,) = problem.solve([0.3, 0.5]).dependent_constraints().groups
    assert group.equation == "again = 3 radius" and group.structural is True and group.verdict == "redundant"


def test_a_gradient_that_vanishes() -> None:
    problem = lg.Problem(lambda x: x @ x, {"square": at_most(lambda x: x[0] ** 2, 0.0)})
    (group,) = problem.examine([0.0, 0.0]).dependent_constraints().groups
    assert group.name == "square" and group.coefficients == {} and group.structural is False
    assert group.equation == "square = 0"


def test_the_collection() -> None:
    groups = {}
    for name in ("HS55", "HS85", "HS71"):
        record = PROBLEMS[name]
        groups[name] = record.problem().solve(record.x0).dependent_constraints().groups
    assert [group.name for group in groups["HS55"]] == ["c[5]", "lower bound of x[3]"]
    assert all(group.verdict == "redundant" and group.structural for group in groups["HS55"])
    assert len(groups["HS85"]) == 1 and groups["HS71"] == ()


@pytest.mark.parametrize("seed", range(10))
def test_combinations_of_random_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank, rows, n = int(rng.integers(1, 4)), 6, int(rng.integers(4, 8))
    A = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, n)) * 10.0 ** rng.uniform(-4, 4, (rows, 1))
    found = dependent_rows(A)
    assert len(found) == rows - rank
    dependent = {item.row for item in found}
    for item in found:
        assert not dependent & set(item.coefficients)
        rebuilt = sum(value * A[i] for i, value in item.coefficients.items())
        np.testing.assert_allclose(rebuilt, A[item.row], rtol=1e-7, atol=1e-7 * np.abs(A[item.row]).max())
    # The first rows are kept where they are independent.
    assert np.linalg.matrix_rank(A[sorted(set(range(rows)) - dependent)] / 1.0, tol=0.0) == rank
