"""Constraint qualifications, strict complementarity and second order at points whose answers are known by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import at_least, at_most, equals
from lagrange.optimality.check import Check
from problems.hock_schittkowski import PROBLEMS

INF = np.inf


def second_order(problem: lg.Problem, x: Any) -> Check:
    return problem.examine(x).conditions().second_order


# Constraint qualifications -------------------------------------------------------------------------------


def test_independent_gradients_hold_by_their_smallest_singular_value() -> None:
    # Unit gradients (1, 0) and (c, s) have the smallest singular value sqrt(1 - |c|).
    problem = lg.Problem(
        lambda x: (x[0] - 2.0) ** 2 + (x[1] - 2.0) ** 2,
        {"right": at_most(lambda x: 5.0 * x[0], 5.0), "slanted": at_most(lambda x: 0.6 * x[0] + 0.8 * x[1], 1.4)},
    )
    found = problem.solve([0.0, 0.0]).conditions()
    assert found.licq.holds and found.mfcq.holds and found.second_order.holds and found.strict_complementarity.holds
    assert found.licq.margin == pytest.approx(np.sqrt(0.4))
    assert "right" in found.licq.detail and "slanted" in found.licq.detail


def test_a_duplicated_equation() -> None:
    problem = lg.Problem(
        lambda x: x @ x, {"one": equals(lambda x: x.sum(), 1.0), "two": equals(lambda x: 2.0 * x.sum(), 2.0)}
    )
    found = problem.solve([0.0, 0.0]).conditions()
    assert found.licq.holds is False and found.licq.margin == pytest.approx(0.0, abs=1e-12)
    assert "two = 2 one" in found.licq.detail
    assert found.mfcq.holds is False and found.mfcq.margin == 0.0 and "one, two" in found.mfcq.detail
    assert found.strict_complementarity.holds is True
    assert found.second_order.holds is True and found.second_order.margin == pytest.approx(2.0)


CORNER = lg.Problem(
    lambda x: -x[0] - x[1],
    {
        "a": at_most(lambda x: x[0], 1.0),
        "b": at_most(lambda x: x[1], 1.0),
        "c": at_most(lambda x: x[0] + x[1], 2.0),
    },
)


def test_mfcq_holds_where_licq_fails() -> None:
    found = CORNER.solve([0.0, 0.0]).conditions()
    assert found.licq.holds is False and "c = a + b" in found.licq.detail
    assert found.mfcq.holds is True
    # d = (-1, -1): slopes -1, -1 and -sqrt 2.
    assert found.mfcq.margin == pytest.approx(1.0)
    # y = (t, t, 1 - t) with unit gradients: t = sqrt 2 (1 - t), over |grad f| + |J'||y| = 2.
    assert found.strict_complementarity.holds is True
    assert found.strict_complementarity.margin == pytest.approx(1.0 - np.sqrt(0.5), rel=1e-6)
    assert found.second_order.holds is True and found.second_order.margin == INF


def test_mfcq_fails_where_a_gradient_vanishes() -> None:
    problem = lg.Problem(lambda x: x[1] ** 2 + x[0] ** 2, {"square": at_most(lambda x: x[0] ** 2, 0.0)})
    found = problem.examine([0.0, 0.0]).conditions()
    assert found.licq.holds is False and "square is zero" in found.licq.detail
    assert found.mfcq.holds is False and "square" in found.mfcq.detail


def test_sides_that_face_each_other_have_no_interior() -> None:
    problem = lg.Problem(
        lambda x: x @ x, {"below": at_most(lambda x: x[0], 1.0), "above": at_least(lambda x: x[0], 1.0)}
    )
    found = problem.examine([1.0, 0.0]).conditions()
    assert found.licq.holds is False
    assert found.mfcq.holds is False and "below" in found.mfcq.detail and "above" in found.mfcq.detail


# Kuhn and Tucker (1951): maximize x0 with x1 <= (1 - x0)^3 and x >= 0.
CUSP = lg.Problem(
    maximize=lambda x: x[0], subject_to={"cusp": at_most(lambda x: x[1] - (1.0 - x[0]) ** 3, 0.0)}, bounds=(0.0, None)
)
WITHOUT_MULTIPLIERS = {
    "cusp, exactly": lambda: CUSP.examine([1.0, 0.0]),
    "cusp, solved": lambda: CUSP.solve([0.2, 0.2]),
    "HS13, solved": lambda: PROBLEMS["HS13"].problem().solve(PROBLEMS["HS13"].x0),
    "HS13, exactly": lambda: PROBLEMS["HS13"].problem().examine([1.0, 0.0]),
    "HS13, nearly": lambda: PROBLEMS["HS13"].problem().examine([1.0 + 1e-4, 0.0]),
    "square": lambda: lg.Problem(lambda x: x[0], {"square": at_most(lambda x: x[0] ** 2, 0.0)}).examine([0.0]),
}


@pytest.mark.parametrize("case", WITHOUT_MULTIPLIERS)
def test_no_qualification_holds_where_no_multiplier_exists(case: str) -> None:
    solution = WITHOUT_MULTIPLIERS[case]()
    assert solution.kind is lg.PointKind.FRITZ_JOHN and not solution.success
    found = solution.conditions()
    assert found.licq.holds is False and found.mfcq.holds is False
    assert found.strict_complementarity.holds is None and found.second_order.holds is None
    assert "No multiplier exists" in found.second_order.detail


def test_nothing_active() -> None:
    found = lg.Problem(lambda x: x @ x, bounds=(-1.0, 1.0)).solve([0.5, 0.5]).conditions()
    checks = (found.licq, found.mfcq, found.strict_complementarity, found.second_order)
    assert all(check.holds for check in checks)
    assert [check.margin for check in checks] == [INF, INF, INF, pytest.approx(2.0)]


@pytest.mark.parametrize("angle", [1e-3, 1e-5])
def test_nearly_dependent_linear_rows_are_independent(angle: float) -> None:
    # Linear gradients are known to rounding: a small margin is no reason for doubt.
    problem = lg.Problem(
        lambda x, p: x @ x,
        {"a": equals(lambda x, p: x[0] + x[1], 1.0), "b": equals(lambda x, p: x[0] + (1.0 + p) * x[1], 1.0)},
    )
    licq = problem.solve([0.0, 0.0, 0.0], angle).conditions().licq
    assert licq.holds is True
    assert licq.margin == pytest.approx(angle / 2.0 / np.sqrt(2.0), rel=1e-2)


def test_dependence_that_the_accuracy_of_x_cannot_exclude() -> None:
    # HS30 ends near (1, 0, 0), where the gradient of x0^2 + x1^2 is parallel to that of the bound.
    record = PROBLEMS["HS30"]
    assert record.problem().solve(record.x0).conditions().licq.holds is not True
    assert record.problem().examine([1.0, 0.0, 0.0]).conditions().licq.holds is False


# Strict complementarity ----------------------------------------------------------------------------------

KINK = lg.Problem(lambda x, p: (x[0] - p) ** 2 + x[1] ** 2, bounds=([0.0, -1.0], None))


def test_a_weakly_active_bound() -> None:
    found = KINK.solve([1.0, 1.0], 0.0).conditions()
    assert found.strict_complementarity.holds is False
    assert found.strict_complementarity.margin == pytest.approx(0.0, abs=1e-12)
    assert "lower bound of x[0]" in found.strict_complementarity.detail
    assert found.licq.holds and found.mfcq.holds and found.second_order.holds


@pytest.mark.parametrize("p", [-1.0, -1e-3, -1e-6])
def test_a_strongly_active_bound(p: float) -> None:
    check = KINK.solve([1.0, 1.0], p).conditions().strict_complementarity
    assert check.holds is True and check.margin == pytest.approx(-2.0 * p / max(1.0, -4.0 * p), rel=1e-6)


@pytest.mark.parametrize("p", [1.0, 1e-3, 1e-6, 1e-9])
def test_an_inactive_bound_however_near(p: float) -> None:
    check = KINK.solve([1.0, 1.0], p).conditions().strict_complementarity
    assert check.holds is True and check.margin == INF and check.detail == "No inequality is active."


def test_activity_does_not_depend_on_the_units_of_a_row() -> None:
    for unit in (1e-6, 1.0, 1e6):
        problem = lg.Problem(
            lambda x: (x[0] - 2.0) ** 2 + (x[1] - 1.0) ** 2,
            {
                "presses": at_most(lambda x, unit=unit: unit * x[0], unit),
                "touches": at_most(lambda x, unit=unit: unit * x[1], unit),
                "away": at_most(lambda x, unit=unit: unit * (x[0] + x[1]), 3.0 * unit),
            },
        )
        found = problem.solve([0.0, 0.0]).conditions()
        assert found.strict_complementarity.holds is False
        assert found.strict_complementarity.detail.startswith("touches is active")
        assert "away" not in found.licq.detail


# Second order --------------------------------------------------------------------------------------------


def test_a_strict_minimum_by_its_smallest_curvature() -> None:
    problem = lg.Problem(lambda x: x[0] ** 2 + 3.0 * x[1] ** 2 + 10.0 * x[2] ** 2, {"x2": equals(lambda x: x[2], 1.0)})
    check = problem.solve([1.0, 1.0, 1.0]).conditions().second_order
    assert check.holds is True and check.margin == pytest.approx(2.0)


@pytest.mark.parametrize("solve", [True, False])
def test_a_degenerate_minimum_is_not_decided(solve: bool) -> None:
    problem = lg.Problem(lambda x: x[0] ** 4 + x[1] ** 2)
    solution = problem.solve([1.0, 1.0]) if solve else problem.examine([0.0, 0.0])
    check = solution.conditions().second_order
    assert check.holds is None
    assert "x[0]" in check.detail and "zero to rounding" in check.detail
    assert solution.success and solution.kind is lg.PointKind.MINIMUM_NOT_STRICT


def test_a_constrained_maximum_given_to_examine() -> None:
    problem = lg.Problem(lambda x: x[0] * x[1], {"sum": equals(lambda x: x[0] + x[1], 2.0)})
    solution = problem.examine([1.0, 1.0])
    assert solution.kind is lg.PointKind.SADDLE_OR_MAXIMUM and not solution.success
    check = solution.conditions().second_order
    assert check.holds is False and check.margin == pytest.approx(-1.0)
    assert "x[0]" in check.detail and "x[1]" in check.detail and "0.707" in check.detail


def quadrant(Q: list[list[float]]) -> lg.Problem:
    return lg.Problem(lambda x: 0.5 * x @ np.array(Q) @ x, bounds=(0.0, None))


def test_negative_on_the_critical_cone_though_not_on_the_tangent_space_of_all_active_rows() -> None:
    # x1 >= 0 is weakly active at 0: with it held, the curvature is 2; leaving it, -2.
    problem = lg.Problem(lambda x: x[0] ** 2 - x[1] ** 2, bounds=([-5.0, 0.0], [5.0, 5.0]))
    check = second_order(problem, [0.0, 0.0])
    assert check.holds is False and check.margin == pytest.approx(-2.0)
    assert "x[1] +1" in check.detail
    assert not problem.examine([0.0, 0.0]).success


@pytest.mark.parametrize(
    ("Q", "holds", "margin"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], True, 1.0),  # indefinite, but strictly copositive
        ([[1.0, -0.5], [-0.5, 1.0]], True, 0.5),
        ([[0.0, 1.0], [1.0, 0.0]], None, 0.0),  # zero along the axes
        ([[1.0, -3.0], [-3.0, 1.0]], False, -2.0),
        ([[-1.5, 0.5], [0.5, -1.5]], False, -1.5),
    ],
)
def test_the_cone_of_two_weakly_active_bounds(Q: list[list[float]], holds: bool | None, margin: float) -> None:
    check = second_order(quadrant(Q), [0.0, 0.0])
    assert check.holds is holds and check.margin == pytest.approx(margin, abs=1e-12)


def test_a_cone_with_too_many_faces_is_not_decided() -> None:
    n = 9
    check = second_order(quadrant((np.eye(n) + 2.0 * (1.0 - np.eye(n))).tolist()), np.zeros(n))
    assert check.holds is None and "too many faces" in check.detail


def test_a_vertex_needs_no_curvature() -> None:
    problem = lg.Problem(lambda x: x[0] + 2.0 * x[1] - x @ x, bounds=(0.0, 0.1))
    check = second_order(problem, [0.0, 0.0])
    assert check.holds is True and check.margin == INF


def valley(first: float, second: float) -> lg.Problem:
    """min x1 with x1 >= first x0^2 and x1 >= second x0^2: multipliers (t, 1 - t), curvature 2 (t first + ...)."""
    return lg.Problem(
        lambda x: x[1],
        {
            "one": at_least(lambda x: x[1] - first * x[0] ** 2, 0.0),
            "two": at_least(lambda x: x[1] - second * x[0] ** 2, 0.0),
        },
    )


@pytest.mark.parametrize(
    ("curves", "holds"),
    [((1.0, 3.0), True), ((-1.0, 1.0), True), ((1.0, -5.0), True), ((-1.0, -2.0), False), ((0.0, -1.0), None)],
)
def test_one_good_multiplier_of_many_is_enough(curves: tuple[float, float], holds: bool | None) -> None:
    solution = valley(*curves).examine([0.0, 0.0])
    check = solution.conditions().second_order
    assert check.holds is holds, check.detail
    assert "multipliers" in check.detail
    # The kind of the point says the same.
    assert solution.success is (holds is not False)
    assert (solution.kind is lg.PointKind.STRICT_MINIMUM) is (holds is True)


def test_multipliers_without_limit_may_lend_any_curvature() -> None:
    problem = lg.Problem(lambda x: x[1] ** 2 - x[0] ** 2, {"square": at_most(lambda x: x[0] ** 2, 0.0)})
    assert second_order(problem, [0.0, 0.0]).holds is True


# Other points, and what is printed -----------------------------------------------------------------------


@pytest.mark.parametrize("x", [[0.5, 7.5], [1.0, 2.0]])
def test_nothing_is_claimed_where_the_first_order_fails(x: list[float]) -> None:
    problem = lg.Problem(lambda x: x @ x, {"sum": equals(lambda x: x.sum(), 8.0)})
    found = problem.examine(x).conditions()
    assert found.licq.holds is True
    assert found.strict_complementarity.holds is None and found.second_order.holds is None
    assert "first-order" in found.second_order.detail


def test_maximize() -> None:
    problem = lg.Problem(maximize=lambda x: -(x[0] ** 2) - 4.0 * x[1] ** 2, bounds=(0.0, None))
    found = problem.solve([1.0, 1.0]).conditions()
    assert found.second_order.holds is True and found.second_order.margin == pytest.approx(2.0)


def test_agreement_with_the_verdict_on_the_collection() -> None:
    # Where the solver says "strict", no condition of second order may fail, and the other way round.
    for name in ("HS6", "HS14", "HS26", "HS35", "HS43", "HS49", "HS55", "HS71", "HS85", "HS116"):
        record = PROBLEMS[name]
        solution = record.problem().solve(record.x0)
        holds = solution.conditions().second_order.holds
        assert holds is (True if solution.kind is lg.PointKind.STRICT_MINIMUM else None), name


def test_the_page() -> None:
    text = str(KINK.solve([1.0, 1.0], 0.0).conditions())
    assert text.startswith("Conditions")
    assert "strict complementarity  no" in text
    assert "lower bound of x[0] is active with a multiplier of zero" in text
    assert max(map(len, text.splitlines())) <= 110
