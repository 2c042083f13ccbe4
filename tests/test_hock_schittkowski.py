"""The Hock-Schittkowski collection against CUTEst, as translated independently by S2MPJ.

`problems/benchmarks/reference.py` says what the table holds and how rows are made comparable.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from problems.benchmarks.reference import NOT_TRANSLATED, TABLE, canonical_rows, rounded
from problems.collection import Array, BenchmarkProblem
from problems.hock_schittkowski import PROBLEMS

REFERENCE: dict[str, Any] = json.loads(TABLE.read_text())
ABSENT_FROM_THE_BOOK = (82, 94, 115)

RELATIVE_TOLERANCE = 1e-9
LOOSER_TOLERANCE = {
    "HS67": 5e-3,  # CUTEst stops its inner iterations at 1e-3; the test of HS67 below is sharp
    "HS101": 1e-8,  # CUTEst rounds the exponents 1/3 and 2/3 to eight to ten digits
    "HS102": 1e-8,
    "HS103": 1e-8,
}
ROUNDING = 1e-12
"""Rounding of a sum that cancels, relative to the largest number of its list, or 1."""

SOLUTIONS = {
    "HS8": [np.sqrt((25 + np.sqrt(301)) / 2), np.sqrt((25 - np.sqrt(301)) / 2)],
    "HS58": [-np.sqrt((np.sqrt(5) - 1) / 2), (np.sqrt(5) - 1) / 2],
    "HS71": [1.0, 4.742999643, 3.821149979, 1.379408294],
    "HS110": [9.350265833] * 10,
}
"""Known solution points: of the two problems that the table lacks, and of two others."""


def assert_equal_lists(actual: Array, expected: list[float], tolerance: float) -> None:
    scale = max([1.0, *np.abs(expected)])
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=ROUNDING * scale)


def rows_at(problem: BenchmarkProblem, x: Array) -> tuple[Array, Array]:
    """Equality residuals and slacks, sorted (both empty without constraints)."""
    c = np.empty(0) if problem.constraints is None else problem.constraints(x)
    return canonical_rows(c, problem.constraint_lower, problem.constraint_upper)


def test_every_number_of_the_book_is_there_in_order() -> None:
    numbers = [number for number in range(1, 120) if number not in ABSENT_FROM_THE_BOOK]
    assert list(PROBLEMS) == [f"HS{number}" for number in numbers]
    assert all(problem.name == name for name, problem in PROBLEMS.items())


def test_the_table_covers_all_problems_but_two() -> None:
    assert set(PROBLEMS) - set(REFERENCE) == set(NOT_TRANSLATED)
    assert len(REFERENCE) >= 110


@pytest.mark.parametrize("name", PROBLEMS)
def test_shapes(name: str) -> None:
    problem = PROBLEMS[name]
    assert problem.x0.shape == problem.lower.shape == problem.upper.shape == (problem.n,)
    assert np.all(np.isfinite(problem.x0))
    assert np.all(problem.lower < problem.upper)
    assert np.ndim(problem.objective(problem.x0)) == 0
    assert problem.constraint_lower.shape == problem.constraint_upper.shape == (problem.m,)
    assert np.all(problem.constraint_lower <= problem.constraint_upper)
    if problem.constraints is None:
        assert problem.m == 0
    else:
        assert problem.constraints(problem.x0).shape == (problem.m,)


@pytest.mark.parametrize("name", REFERENCE)
def test_start_and_bounds_are_those_of_cutest(name: str) -> None:
    problem, expected = PROBLEMS[name], REFERENCE[name]
    assert rounded(problem.x0) == expected["x0"]
    assert rounded(problem.lower) == expected["lower"]
    assert rounded(problem.upper) == expected["upper"]


@pytest.mark.parametrize("name", REFERENCE)
def test_functions_are_those_of_cutest(name: str) -> None:
    problem = PROBLEMS[name]
    tolerance = LOOSER_TOLERANCE.get(name, RELATIVE_TOLERANCE)
    for expected in REFERENCE[name]["points"]:
        x = np.array(expected["x"])
        assert_equal_lists(np.array([problem.objective(x)]), [expected["objective"]], tolerance)
        equalities, slacks = rows_at(problem, x)
        assert_equal_lists(equalities, expected["equalities"], tolerance)
        assert_equal_lists(slacks, expected["slacks"], tolerance)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_known_solutions_are_feasible_and_have_the_best_value(name: str) -> None:
    problem, x = PROBLEMS[name], np.array(SOLUTIONS[name])
    assert np.all((problem.lower <= x) & (x <= problem.upper))
    equalities, slacks = rows_at(problem, x)
    assert np.all(equalities <= 1e-7) and np.all(slacks >= -1e-7)
    np.testing.assert_allclose(problem.objective(x), problem.best, rtol=1e-9)


@pytest.mark.parametrize("name", ["HS67"])
def test_the_closed_form_of_hs67_solves_the_book_s_equations(name: str) -> None:
    problem = PROBLEMS[name]
    for point in REFERENCE[name]["points"]:
        x1, x2, x3 = x = np.array(point["x"])
        assert problem.constraints is not None
        y2, y3, y4, y5, y6, y7, y8 = problem.constraints(x)
        expected = [
            0.01 * x1 * (112 + 13.167 * y6 - 0.6667 * y6**2),
            1.22 * y2 - x1,
            98000 * x3 / (y2 * y7 + 1000 * x3),
            86.35 + 1.098 * y6 - 0.038 * y6**2 + 0.325 * (y4 - 89),
            (x2 + y3) / x1,
            35.82 - 0.222 * y8,
            3 * y5 - 133,
        ]
        np.testing.assert_allclose([y2, y3, y4, y5, y6, y7, y8], expected, rtol=1e-12)


def test_comparison_sees_a_wrong_sign_side_and_value() -> None:
    c, lower, upper = np.array([3.0, 1.0]), np.array([0.0, 0.0]), np.array([np.inf, 0.0])
    equalities, slacks = canonical_rows(c, lower, upper)
    assert equalities.tolist() == [1.0] and slacks.tolist() == [3.0]
    _, other_side = canonical_rows(c, -upper, lower)
    assert other_side.tolist() == [-3.0]
    with pytest.raises(AssertionError):
        assert_equal_lists(slacks, [3.0 + 1e-8], RELATIVE_TOLERANCE)
