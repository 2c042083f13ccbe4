"""The preflight: counts, shapes and findings at x0, each by name, and a page that reads well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.preflight import Preflight, preflight
from problems import tin_can
from problems.collection import Array


def fly(problem: lg.Problem, x0: Any, p: Any = None) -> Preflight:
    return preflight(*problem.prepare(x0, p))


def only(found: Preflight) -> str:
    """The single problem of a preflight."""
    (sentence,) = found.problems
    return sentence


def test_a_sound_problem_is_ready() -> None:
    found = fly(tin_can.problem, tin_can.x0, tin_can.p)
    assert found.ok and found.problems == ()
    assert found.derivatives.ok
    counts = found.counts
    assert (counts.variables, counts.fixed, counts.parameters) == (2, 0, 1)
    assert (counts.equalities, counts.inequalities, counts.bounds) == (1, 1, 2)
    assert (counts.rank, counts.degrees_of_freedom) == (1, 1)
    assert str(found).startswith("Preflight: ready\n")


def test_counts_shapes_and_degrees_of_freedom() -> None:
    problem = lg.Problem(
        minimize=lambda x: (x["a"] ** 2).sum() + x["b"] ** 2,
        subject_to={
            "plane": lg.equals(lambda x: x["a"][:2] + x["b"], 1.0),
            "grid": lg.between(-9.0, lambda x: np.outer(x["a"], x["a"]), 9.0),
            "mixed": lg.between(np.array([0.0, 1.0]), lambda x: x["a"][1:3], np.array([5.0, 1.0])),
        },
        bounds={"a": (0.0, 8.0), "b": (1.0, 1.0)},
    )
    found = fly(problem, {"a": np.array([1.0, 2.0, 3.0]), "b": 1.0})
    counts = found.counts
    assert (counts.variables, counts.fixed, counts.free, counts.bounds) == (4, 1, 3, 6)
    assert (counts.equalities, counts.inequalities) == (3, 10)
    assert (counts.rank, counts.degrees_of_freedom) == (3, 0)
    assert [(item.name, item.shape, item.equalities, item.inequalities) for item in found.constraints] == [
        ("plane", (2,), 2, 0),
        ("grid", (3, 3), 0, 9),
        ("mixed", (2,), 1, 1),
    ]


def test_violations_are_listed_worst_first_and_are_no_problem() -> None:
    problem = lg.Problem(
        minimize=lambda x: x @ x,
        subject_to={
            "low": lg.at_least(lambda x: x, np.array([1.5, 5.0, 0.0])),
            "sum": lg.equals(lambda x: x.sum(), 4.0),
        },
    )
    found = fly(problem, np.ones(3))
    assert found.ok
    assert [(item.name, item.amount) for item in found.violations] == [
        ("low[1]", 4.0),
        ("sum", 1.0),
        ("low[0]", 0.5),
    ]
    assert "low[1] = 1, below 5 (by 4)" in str(found)
    assert "sum = 3, instead of 4 (by 1)" in str(found)


def test_long_lists_are_cut_on_the_page() -> None:
    problem = lg.Problem(minimize=lambda x: x @ x, subject_to={"low": lg.at_least(lambda x: x, 2.0)})
    found = fly(problem, np.ones(25))
    assert len(found.violations) == 25
    assert str(found).count("below 2") == 10
    assert "... and 15 more" in str(found)


def test_x0_outside_its_bounds() -> None:
    problem = lg.Problem(minimize=lambda x: x["h"] ** 2 + x["w"] ** 2, bounds={"h": (0.0, 12.0)})
    found = fly(problem, {"h": 13.0, "w": -1.0})
    assert [item.name for item in found.outside_bounds] == ["h"]
    assert "h = 13, above 12 (by 1)" in only(found)


def test_reversed_bounds_raise() -> None:
    with pytest.raises(ValueError, match="'h' is reversed"):
        fly(lg.Problem(minimize=lambda x: x["h"], bounds={"h": (2.0, 1.0)}), {"h": 1.0})


def test_more_equations_than_variables() -> None:
    problem = lg.Problem(
        minimize=lambda x: x @ x,
        subject_to={"fit": lg.equals(lambda x: np.stack([x[0] + x[1], x[0] * x[1], x[0] - x[1]]), 1.0)},
    )
    found = fly(problem, np.array([1.0, 2.0]))
    assert "3 equations for 2 free variables" in found.problems[0]
    assert found.counts.degrees_of_freedom == 0


def test_dependent_equations_are_named_with_their_partners() -> None:
    problem = lg.Problem(
        minimize=lambda x: x @ x,
        subject_to={
            "first": lg.equals(lambda x: x[0] + x[1], 1.0),
            "second": lg.equals(lambda x: x[1] + x[2], 1.0),
            "both": lg.equals(lambda x: 1e4 * (x[0] + 2 * x[1] + x[2]), 2e4),
            "apart": lg.equals(lambda x: x[3], 2.0),
        },
    )
    found = fly(problem, np.zeros(4))
    (group,) = found.dependent
    assert set(group) == {"first", "second", "both"}
    assert all(name in only(found) for name in group) and "apart" not in only(found)
    assert (found.counts.rank, found.counts.degrees_of_freedom) == (3, 1)


def test_zero_gradient_at_the_start() -> None:
    circle = {"circle": lg.equals(lambda x: x @ x, 1.0)}
    found = fly(lg.Problem(minimize=lambda x: x[0] + 2 * x[1], subject_to=circle), np.zeros(2))
    assert found.zero_rows == ("circle",)
    assert "gradient of circle is zero at x0" in only(found)


def test_constraint_without_variables() -> None:
    fixed = {"fixed": lg.at_most(lambda x: x["c"] ** 2, 5.0)}
    problem = lg.Problem(minimize=lambda x: x["a"] ** 2, subject_to=fixed, bounds={"c": (2.0, 2.0)})
    assert "No free variable appears in fixed" in only(fly(problem, {"a": 1.0, "c": 2.0}))


def test_constraint_without_sides() -> None:
    problem = lg.Problem(minimize=lambda x: x @ x, subject_to={"idle": lg.at_most(lambda x: x[0], np.inf)})
    assert "No finite side limits idle" in only(fly(problem, np.ones(2)))


def test_unused_variables() -> None:
    problem = lg.Problem(minimize=lambda x: x["a"] ** 4 + x["b"][0] ** 2)
    found = fly(problem, {"a": 0.0, "b": np.array([1.0, 2.0])})  # a has zero derivatives at x0, but is used
    assert found.unused == ("b[1]",)
    assert "No function depends on b[1]" in only(found)


def test_bad_scaling_names_rows_and_factors() -> None:
    problem = lg.Problem(
        minimize=lambda x: x[0] ** 2 + x[1],
        subject_to={
            "pressure": lg.at_most(lambda x: 3e7 * x[0], 1e9),
            "gap": lg.at_most(lambda x: 2e-4 * x[1], 1.0),
        },
    )
    found = fly(problem, np.ones(2))
    assert found.row_scale is not None and found.variable_scale is not None
    assert found.row_scale.largest == ("pressure", 3e7)
    assert found.row_scale.smallest == ("gap", 2e-4)
    assert found.row_scale.ratio == pytest.approx(1.5e11)
    assert found.variable_scale.smallest == ("x[1]", 1.0)
    assert found.suggested_factors == pytest.approx({"pressure": 1e-7, "gap": 1e4})
    assert "pressure by 1e-07" in only(found) and "gap by 1e+04" in only(found)


def test_values_that_are_not_finite_are_reported_by_name() -> None:
    def curve(x: Array) -> Array:
        return np.log(x)

    problem = lg.Problem(minimize=lambda x: x @ x, subject_to={"curve": lg.at_most(curve, 1.0)})
    with np.errstate(all="ignore"):
        found = fly(problem, np.array([1.0, 0.0]))
    assert "value of curve[1] is -inf at x0" in found.problems[0]
    assert "bounds" in found.problems[0]


def test_derivatives_that_are_not_finite_are_reported_by_name() -> None:
    problem = lg.Problem(minimize=lambda x: np.sqrt(x[1]) + x[0] ** 2, bounds=(0.0, None))
    found = fly(problem, np.array([1.0, 0.0]))
    assert "derivative of the objective with respect to x[1] is inf at x0" in only(found)


def test_unknown_rank_where_the_jacobian_is_not_finite() -> None:
    equation = {"root": lg.equals(lambda x: np.sqrt(x[0]) + x[1], 1.0)}
    found = fly(lg.Problem(minimize=lambda x: x @ x, subject_to=equation, bounds=(0.0, None)), np.zeros(2))
    assert found.counts.rank is None and found.counts.degrees_of_freedom is None
    assert "unknown, the Jacobian is not finite" in str(found)


def test_arithmetic_errors_are_reported_with_the_function() -> None:
    # The first x0 binds the functions; at the second, one of them divides by zero.
    calls: list[float] = []

    def inverse(x: Array) -> float:
        calls.append(float(x[0]))
        return 1.0 / float(x[0])

    problem = lg.Problem(minimize=lambda x: x @ x, subject_to={"inverse": lg.at_most(inverse, 1.0)})
    with pytest.warns(lg.DerivativeWarning):
        problem.prepare(np.ones(1))
    found = fly(problem, np.zeros(1))
    assert calls[-1] != 1.0
    assert "ZeroDivisionError" in found.problems[0] and "constraint 'inverse'" in found.problems[0]


def test_wrong_derivatives_and_kinks_are_problems() -> None:
    problem = lg.Problem(
        minimize=lg.supplied(lambda x: x @ x, lambda x: -2 * x),
        subject_to={"roof": lg.at_most(lambda x: np.abs(x[0]), 2.0)},
    )
    found = fly(problem, np.array([0.0, 1.0]))
    wrong, kink = found.problems
    assert "Jacobian of objective" in wrong and "opposite sign" in wrong
    assert "roof is not differentiable here with respect to x[0]" in kink
    assert not found.derivatives.ok


def test_the_page() -> None:
    found = fly(tin_can.problem, {"radius": 3.0, "height": 13.0}, tin_can.p)
    lines = str(found).splitlines()
    assert "  degrees of freedom    1 = 2 free variables - rank 1" in lines
    assert "    shelf = 13, above 12 (by 1)" in lines
    assert max(map(len, lines)) <= 110
