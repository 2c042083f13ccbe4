"""Problems that fool solvers: no multipliers, saddles, dependent and contradictory rows, rays, kinks, bad scales.

Every test states the known truth about its problem. The solver must find the answer or say honestly, and by name,
why there is none; what it must never do is to call a point a success that is not one.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import scipy.special
from scipy.optimize import linprog

import lagrange as lg
from lagrange import PointKind, StopReason, at_least, at_most, between, equals

CLOSE = 1e-6  # of x and multipliers, relative to max(1, value)
# Where a gradient vanishes at the solution, a violation of tol = 1e-8 leaves an error of its root, or its cube root.
SQUARE_ROOT_CLOSE, CUBE_ROOT_CLOSE = 2e-4, 6e-3
FLAT = 1e-2  # an error of 1e-8 in the slope of x**4 is one of this size in x
FEW_ITERATIONS = 50

MINIMA = (PointKind.STRICT_MINIMUM, PointKind.MINIMUM_NOT_STRICT)


def close(value: Any, expected: Any, tolerance: float = CLOSE) -> bool:
    """Whether all entries agree, relative to max(1, |expected|)."""
    value, expected = np.asarray(value, dtype=float), np.asarray(expected, dtype=float)
    return bool((np.abs(value - expected) <= tolerance * np.maximum(1.0, np.abs(expected))).all())


def assert_solved(solution: lg.Solution, x: Any, kind: PointKind | None = None, tolerance: float = CLOSE) -> None:
    """A verified minimum at x."""
    assert solution.success, solution.message
    assert solution.kind is kind if kind else solution.kind in MINIMA
    assert solution.stop is StopReason.CONVERGED
    assert solution.residuals.within(1e-8)
    assert close(solution.x, x, tolerance), solution.x


def assert_unbounded(solution: lg.Solution, ray: dict[str, float]) -> None:
    """Unbounded along exactly this ray, whose largest entry is +-1."""
    assert solution.kind is PointKind.UNBOUNDED, solution.message
    assert solution.stop is StopReason.CONVERGED
    assert not solution.success
    found = {name: float(share) for name, share in (entry.rsplit(" ", 1) for entry in solution.result.blame)}
    assert found.keys() == ray.keys()
    assert all(abs(found[name] - ray[name]) <= 0.02 for name in ray), found
    assert all(name in solution.message for name in ray)


def assert_infeasible(solution: lg.Solution, *names: str) -> None:
    """A stationary point of the violation that blames exactly these rows and bounds."""
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY, solution.message
    assert not solution.success
    assert set(solution.result.blame) == set(names)
    assert all(name in solution.message for name in names)


def assert_without_multipliers(solution: lg.Solution, x: Any, tolerance: float, *names: str) -> None:
    """A Fritz John point near x that names the rows and bounds whose gradients cannot balance the objective."""
    assert solution.kind is PointKind.FRITZ_JOHN, solution.message
    assert not solution.success
    assert set(solution.result.blame) == set(names)
    assert all(name in solution.message for name in names)
    assert close(solution.x, x, tolerance)


# Points without multipliers


def test_hs13_has_no_multipliers():
    problem = lg.Problem(
        minimize=lambda x: (x[0] - 2) ** 2 + x[1] ** 2,
        subject_to={"cubic": at_least(lambda x: (1 - x[0]) ** 3 - x[1], 0.0)},
        bounds=(0.0, None),
    )
    solution = problem.solve([-2.0, -2.0])
    assert_without_multipliers(solution, [1.0, 0.0], CUBE_ROOT_CLOSE, "cubic", "lower bound of x[1]")


@pytest.mark.parametrize("constraint", [at_most, equals])
def test_the_only_feasible_point_has_a_zero_gradient(constraint):
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"square": constraint(lambda x: x[0] ** 2, 0.0)})
    assert_without_multipliers(problem.solve([1.0]), [0.0], SQUARE_ROOT_CLOSE, "square")


def test_cusp_has_no_multiplier():
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"cusp": equals(lambda x: x[0] ** 3 - x[1] ** 2, 0.0)})
    assert_without_multipliers(problem.solve([1.0, 1.0]), [0.0, 0.0], CUBE_ROOT_CLOSE, "cusp")


@pytest.mark.parametrize("cubic", [equals, at_most])
def test_curve_that_touches_the_floor_has_no_multipliers(cubic):
    problem = lg.Problem(
        minimize=lambda x: x[0],
        subject_to={
            "curve": cubic(lambda x: x[1] - x[0] ** 3, 0.0),
            "floor": at_least(lambda x: x[1], 0.0),
        },
    )
    solution = problem.solve([1.0, 0.5])
    assert_without_multipliers(solution, [0.0, 0.0], CUBE_ROOT_CLOSE, "curve", "floor")


def test_curve_that_touches_a_bound_has_no_multipliers():
    problem = lg.Problem(
        minimize=lambda x: x[0],
        subject_to={"curve": equals(lambda x: x[1] - x[0] ** 3, 0.0)},
        bounds=([None, 0.0], None),
    )
    solution = problem.solve([1.0, 1.0])
    assert_without_multipliers(solution, [0.0, 0.0], CUBE_ROOT_CLOSE, "curve", "lower bound of x[1]")


def test_two_disks_that_touch_have_no_multipliers():
    problem = lg.Problem(
        minimize=lambda x: x[1],
        subject_to={
            "left": at_most(lambda x: (x[0] + 1) ** 2 + x[1] ** 2, 1.0),
            "right": at_most(lambda x: (x[0] - 1) ** 2 + x[1] ** 2, 1.0),
        },
    )
    assert_without_multipliers(problem.solve([0.3, 0.5]), [0.0, 0.0], SQUARE_ROOT_CLOSE, "left", "right")


# Large multipliers are no reason to deny them: rows in small units have them.


def test_row_in_small_units_has_multipliers():
    problem = lg.Problem(minimize=lambda x: (x[0] - 2) ** 2, subject_to={"tiny": at_most(lambda x: 1e-7 * x[0], 1e-7)})
    solution = problem.solve([0.0])
    assert_solved(solution, [1.0], PointKind.STRICT_MINIMUM)
    assert close(solution.multipliers["tiny"] * 1e-7, 2.0)


# Saddles and maxima


def test_leaves_a_constrained_maximum_and_names_the_ray():
    problem = lg.Problem(minimize=lambda x: x["a"] * x["b"], subject_to={"sum": equals(lambda x: x["a"] + x["b"], 2.0)})
    solution = problem.solve({"a": 1.0, "b": 1.0})
    along = 1.0 if solution.x["a"] > 0 else -1.0
    assert_unbounded(solution, {"a": along, "b": -along})


def test_leaves_a_constrained_maximum_in_a_box():
    problem = lg.Problem(
        minimize=lambda x: x[0] * x[1],
        subject_to={"sum": equals(lambda x: x[0] + x[1], 2.0)},
        bounds=(-3.0, 6.0),
    )
    solution = problem.solve([1.0, 1.0])
    # (-3, 5) and (5, -3) are equally good.
    assert_solved(solution, solution.x, PointKind.STRICT_MINIMUM)
    assert close(np.sort(solution.x), [-3.0, 5.0])
    assert close(solution.objective, -15.0)


def test_leaves_a_maximum_on_a_circle():
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"circle": equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0)})
    solution = problem.solve([1.0, 0.0])
    assert_solved(solution, [-1.0, 0.0], PointKind.STRICT_MINIMUM)
    assert close(solution.multipliers["circle"], 0.5)


@pytest.mark.parametrize(
    ("objective", "bounds", "best"),
    [
        (lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, None, -0.25),
        (lambda x: np.cos(x[0]) + np.cos(x[1]), None, -2.0),
        (lambda x: x[0] - x[1] ** 2 + x[1] ** 4, ([0.0, None], None), -0.25),
        (lambda x: x[0] ** 2 - x[1] ** 2, (0.0, 5.0), -25.0),
        (lambda x: -x[0] * x[1], (0.0, 5.0), -25.0),
        (lambda x: -(x[0] ** 2), (0.0, 1.0), -1.0),
    ],
    ids=["saddle", "maximum", "saddle on a bound", "weak bounds", "corner", "maximum at a bound"],
)
def test_leaves_a_stationary_start(objective, bounds, best):
    solution = lg.Problem(minimize=objective, bounds=bounds).solve([0.0, 0.0])
    assert solution.success, solution.message
    assert close(solution.objective, best)


def test_corner_whose_edges_lead_down_is_no_minimum():
    # The eigenvector of the most negative curvature leads out of the box, but along x[0] alone f falls too.
    hessian = np.array([[-1.0, 3.0], [3.0, -0.5]])
    solution = lg.Problem(minimize=lambda x: 0.5 * x @ hessian @ x, bounds=(0.0, 5.0)).solve([0.0, 0.0])
    assert not (solution.success and close(solution.x, [0.0, 0.0])), solution.message
    if solution.success:
        assert solution.objective < -6.0  # (5, 0) and (0, 5) are the two minima


@pytest.mark.parametrize("start", [[0.0, 0.0], [1.0, 1.0]])
def test_corner_with_negative_curvature_outside_its_cone_is_a_minimum(start):
    problem = lg.Problem(minimize=lambda x: x[0] ** 2 + 4 * x[0] * x[1] + x[1] ** 2, bounds=(0.0, 5.0))
    assert_solved(problem.solve(start), [0.0, 0.0])


# Dependent rows


def distance(x):
    return (x[0] - 1) ** 2 + (x[1] - 2) ** 2


def total(x):
    return x[0] + x[1]


@pytest.mark.parametrize("factor", [1.0, 2.0, -3.0])
def test_row_stated_twice_is_solved_and_named(factor):
    rows = {"first": equals(total, 1.0), "again": equals(lambda x: factor * total(x), factor)}
    solution = lg.Problem(minimize=distance, subject_to=rows).solve([0.0, 0.0])
    assert_solved(solution, [0.0, 1.0], PointKind.STRICT_MINIMUM)
    assert {frozenset(group) for group in solution.result.dependent} == {frozenset({"first", "again"})}
    assert "depends linearly on" in solution.message
    assert "not unique" in solution.message
    # Only this combination of the two is determined.
    assert close(solution.multipliers["first"] + factor * solution.multipliers["again"], 2.0)


def test_inequality_stated_twice_is_solved_and_named():
    rows = {"first": at_most(total, 1.0), "again": at_most(lambda x: 2 * total(x), 2.0)}
    solution = lg.Problem(minimize=distance, subject_to=rows).solve([0.0, 0.0])
    assert_solved(solution, [0.0, 1.0], PointKind.STRICT_MINIMUM)
    assert {frozenset(group) for group in solution.result.dependent} == {frozenset({"first", "again"})}
    assert min(solution.multipliers.values()) >= 0.0
    assert close(solution.multipliers["first"] + 2 * solution.multipliers["again"], 2.0)


def test_three_dependent_rows_are_solved_and_named():
    rows = {
        "left": equals(lambda x: x[0] + x[1], 1.0),
        "right": equals(lambda x: x[1] + x[2], 1.0),
        "both": equals(lambda x: x[0] + 2 * x[1] + x[2], 2.0),
        "apart": equals(lambda x: x[3] - x[0], 0.0),
    }
    solution = lg.Problem(minimize=lambda x: x @ x, subject_to=rows).solve([0.0, 0.0, 0.0, 0.0])
    # x = (t, 1 - t, t, t): 3 t^2 + (1 - t)^2 is smallest at t = 1/4.
    assert_solved(solution, [0.25, 0.75, 0.25, 0.25], PointKind.STRICT_MINIMUM)
    assert {frozenset(group) for group in solution.result.dependent} == {frozenset({"left", "right", "both"})}


def test_nearly_dependent_rows_are_solved():
    epsilon = 1e-7
    rows = {
        "plane": equals(lambda x: x.sum(), 1.0),
        "nearly": equals(lambda x: x.sum() + epsilon * x[1], 1.0),
    }
    solution = lg.Problem(minimize=lambda x: x @ x, subject_to=rows).solve([0.0, 0.0, 0.0])
    # Together they say x[1] = 0. The tolerance of 1e-8 on a row is worth 0.1 in x[1], but Newton's step is exact.
    assert_solved(solution, [0.5, 0.0, 0.5])
    assert solution.result.dependent == ()
    assert close(epsilon * solution.multipliers["nearly"], 1.0, 1e-5)


# Infeasible problems


@pytest.mark.parametrize(("first", "second"), [(equals, equals), (at_most, at_least)])
def test_row_with_two_right_sides_names_both(first, second):
    rows = {"one": first(total, 1.0), "two": second(total, 2.0), "other": at_most(lambda x: x[0] - x[1], 50.0)}
    solution = lg.Problem(minimize=distance, subject_to=rows).solve([0.0, 0.0])
    assert_infeasible(solution, "one", "two")
    assert solution.stop is StopReason.CONVERGED
    assert solution.iterations <= FEW_ITERATIONS
    assert abs(total(solution.x) - 1.5) <= 0.51  # between the two
    assert solution.residuals.feasibility >= 0.49


def test_right_sides_that_differ_by_little_are_no_success():
    rows = {"one": equals(total, 1.0), "two": equals(total, 1.0 + 1e-6)}
    solution = lg.Problem(minimize=distance, subject_to=rows).solve([0.0, 0.0])
    assert not solution.success
    assert not close(solution.residuals.feasibility, 0.0, 1e-7)


def test_bounds_in_conflict_with_a_row_are_named():
    rows = {"demand": at_least(total, 5.0), "idle": at_most(lambda x: x[0] - x[1], 50.0)}
    solution = lg.Problem(minimize=distance, subject_to=rows, bounds=(0.0, 2.0)).solve([0.0, 0.0])
    assert_infeasible(solution, "demand", "upper bound of x[0]", "upper bound of x[1]")
    assert solution.iterations <= FEW_ITERATIONS


def test_one_bound_in_conflict_with_a_row_is_named():
    problem = lg.Problem(
        minimize=lambda x: (x["flow"] - 1) ** 2 + (x["head"] - 2) ** 2,
        subject_to={"demand": at_least(lambda x: x["flow"], 5.0), "rest": at_most(lambda x: x["head"], 10.0)},
        bounds={"flow": (None, 2.0), "head": (None, 20.0)},
    )
    assert_infeasible(problem.solve({"flow": 0.0, "head": 0.0}), "demand", "upper bound of flow")


@pytest.mark.parametrize("start", [3.0, 0.0])
def test_equation_without_a_root_is_named(start):
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"nowhere": equals(lambda x: x[0] ** 2 + 1, 0.0)})
    solution = problem.solve([start])
    assert_infeasible(solution, "nowhere")
    assert close(solution.x, [0.0], 1e-3)
    assert close(solution.residuals.feasibility, 1.0)


def test_disk_and_half_plane_that_do_not_meet_are_named():
    rows = {"disk": at_most(lambda x: x @ x, 1.0), "half-plane": at_least(lambda x: x[0], 2.0)}
    solution = lg.Problem(minimize=total, subject_to=rows).solve([0.0, 0.0])
    assert_infeasible(solution, "disk", "half-plane")
    # The sum of squares (t^2 - 1)^2 + (2 - t)^2 is smallest where 4 t^3 - 2 t - 4 = 0.
    smallest = next(root.real for root in np.roots([4.0, 0.0, -2.0, -4.0]) if abs(root.imag) < 1e-12)
    assert close(solution.x, [smallest, 0.0], 1e-3)


@pytest.mark.parametrize(("sides", "names"), [((4.0, 4.0), ["constant"]), ((-math.inf, 2.0), ["constant"])])
def test_constraint_that_nothing_can_change_is_named(sides, names):
    problem = lg.Problem(
        minimize=lambda x: x[0] ** 2, subject_to={"constant": between(sides[0], lambda x: 3.0 + 0.0 * x[0], sides[1])}
    )
    assert_infeasible(problem.solve([4.0]), *names)


def test_root_beyond_a_local_minimum_of_the_violation():
    problem = lg.Problem(
        minimize=lambda x: x[0] ** 2, subject_to={"root": equals(lambda x: x[0] ** 3 - 3 * x[0] + 5, 0.0)}
    )
    solution = problem.solve([2.0])
    if solution.success:
        assert close(solution.x, [-2.279018786165])
    else:
        assert_infeasible(solution, "root")
        assert close(solution.x, [1.0], 1e-3)


# Objectives without a minimum


def test_linear_objective_names_its_ray():
    problem = lg.Problem(minimize=lambda x: x["a"] + 2 * x["b"] + 0 * x["idle"])
    assert_unbounded(problem.solve({"a": 0.0, "b": 0.0, "idle": 3.0}), {"a": -0.5, "b": -1.0})


def test_maximize_without_a_limit_names_its_ray():
    problem = lg.Problem(maximize=lambda x: x["profit"], bounds={"profit": (0.0, None)})
    solution = problem.solve({"profit": 1.0})
    assert_unbounded(solution, {"profit": 1.0})
    assert solution.objective > 0.0


def test_constraints_that_leave_a_ray_name_it():
    problem = lg.Problem(
        minimize=lambda x: -x["a"] - x["b"],
        subject_to={"difference": at_most(lambda x: x["a"] - x["b"], 1.0)},
        bounds={"a": (0.0, None), "b": (0.0, None), "c": (0.0, 1.0)},
    )
    solution = problem.solve({"a": 1.0, "b": 1.0, "c": 0.5})
    assert solution.kind is PointKind.UNBOUNDED
    assert not solution.success
    assert {entry.split()[0] for entry in solution.result.blame} <= {"a", "b"}
    assert "b" in {entry.split()[0] for entry in solution.result.blame}


def test_curved_constraint_that_leaves_a_ray_names_it():
    problem = lg.Problem(
        minimize=lambda x: -x["u"] + x["w"],
        subject_to={"hyperbola": equals(lambda x: x["v"] * x["w"], 1.0)},
        bounds={"v": (0.0, 1.0), "w": (0.0, None)},
    )
    assert_unbounded(problem.solve({"u": 0.0, "v": 0.5, "w": 0.5}), {"u": 1.0})


def test_cubic_falls_without_limit():
    assert_unbounded(lg.Problem(minimize=lambda x: x[0] ** 3).solve([-1.0]), {"x[0]": -1.0})


def test_inflection_is_no_strict_minimum():
    solution = lg.Problem(minimize=lambda x: x[0] ** 3).solve([1.0])
    assert solution.kind is not PointKind.STRICT_MINIMUM
    assert solution.kind is PointKind.UNBOUNDED or close(solution.x, [0.0], FLAT)


@pytest.mark.parametrize("objective", [lambda x: np.exp(-x[0]), lambda x: 1.0 / x[0]], ids=["exp(-x)", "1/x"])
def test_infimum_that_is_not_attained_is_no_minimum(objective):
    solution = lg.Problem(minimize=objective, bounds=(0.1, None)).solve([1.0])
    assert solution.kind is not PointKind.UNBOUNDED  # f > 0
    assert solution.kind is not PointKind.STRICT_MINIMUM  # nearby points are better
    assert solution.objective <= 1e-3  # yet far down
    if solution.success:
        assert solution.residuals.within(1e-8)


@pytest.mark.parametrize("objective", [lambda x: -np.log(x[0]), lambda x: -np.sqrt(x[0])], ids=["-log", "-sqrt"])
def test_slope_that_dies_out_is_no_success(objective):
    # Unbounded below, although the gradient tends to zero.
    solution = lg.Problem(minimize=objective, bounds=(0.5, None)).solve([1.0])
    assert not solution.success, solution.message


def test_distance_is_not_unbounded():
    # Newton's step for a norm is enormous: its Hessian is singular along x.
    solution = lg.Problem(minimize=lambda x: np.sqrt(x @ x)).solve([1.0, 2.0])
    assert solution.kind is not PointKind.UNBOUNDED
    assert solution.kind is not PointKind.STRICT_MINIMUM or close(solution.x, [0.0, 0.0])
    assert np.linalg.norm(solution.x) <= np.linalg.norm([1.0, 2.0])


# Bounds and counts


def test_start_outside_the_bounds():
    problem = lg.Problem(minimize=lambda x: (x[0] - 3) ** 2 + (x[1] + 3) ** 2, bounds=(0.0, 2.0))
    solution = problem.solve([50.0, -70.0])
    assert_solved(solution, [2.0, 0.0], PointKind.STRICT_MINIMUM)
    assert close(solution.bound_multipliers, [2.0, -6.0])
    assert set(solution.active) == {"upper bound of x[0]", "lower bound of x[1]"}


def test_some_variables_fixed():
    problem = lg.Problem(
        minimize=lambda x: (x[0] - 3) ** 2 + (x[1] + 3) ** 2 + x[0] * x[1], bounds=([1.0, None], [1.0, None])
    )
    solution = problem.solve([5.0, 0.0])
    assert_solved(solution, [1.0, -3.5])
    assert solution.x[0] == 1.0
    # The multiplier of a fixed variable is the slope that it suppresses: 2 (1 - 3) - 3.5 + z = 0.
    assert close(solution.bound_multipliers, [7.5, 0.0])


def test_all_variables_fixed():
    problem = lg.Problem(
        minimize=lambda x: (x[0] - 3) ** 2 + x[1],
        subject_to={"sum": at_most(total, 5.0)},
        bounds=([1.0, 2.0], [1.0, 2.0]),
    )
    solution = problem.solve([5.0, 0.0])
    assert_solved(solution, [1.0, 2.0])
    assert solution.objective == 6.0
    assert close(solution.bound_multipliers, [4.0, -1.0])


def test_all_variables_fixed_where_a_row_is_violated():
    rows = {"sum": at_most(total, 2.5), "other": at_most(lambda x: x[0], 9.0)}
    solution = lg.Problem(minimize=distance, subject_to=rows, bounds=([1.0, 2.0], [1.0, 2.0])).solve([5.0, 0.0])
    assert_infeasible(solution, "sum")


def test_fixed_variable_in_conflict_with_a_row():
    problem = lg.Problem(
        minimize=lambda x: x[1] ** 2,
        subject_to={"square": equals(lambda x: x[0] ** 2, 4.0)},
        bounds=([1.0, None], [1.0, None]),
    )
    solution = problem.solve([1.0, 1.0])
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY
    assert "square" in solution.result.blame


@pytest.mark.parametrize("rows", [None, {}])
def test_no_constraints(rows):
    problem = lg.Problem(minimize=lambda x: (x[0] - 3) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2, subject_to=rows)
    assert_solved(problem.solve([-1.0, 2.0]), [3.0, 9.0], PointKind.STRICT_MINIMUM)


def test_constraint_without_sides_does_nothing():
    rows = {"free": between(-math.inf, lambda x: x[0], math.inf)}
    solution = lg.Problem(minimize=distance, subject_to=rows).solve([0.0, 0.0])
    assert_solved(solution, [1.0, 2.0], PointKind.STRICT_MINIMUM)
    assert solution.multipliers["free"] == 0.0


def test_more_equations_than_variables_that_agree():
    rows = {
        "sum": equals(total, 3.0),
        "difference": equals(lambda x: x[0] - x[1], -1.0),
        "product": equals(lambda x: x[0] * x[1], 2.0),
    }
    solution = lg.Problem(minimize=lambda x: x[0], subject_to=rows).solve([0.0, 0.0])
    assert_solved(solution, [1.0, 2.0])
    assert {frozenset(group) for group in solution.result.dependent} == {frozenset(rows)}


def test_more_equations_than_variables_that_disagree():
    rows = {
        "sum": equals(total, 3.0),
        "difference": equals(lambda x: x[0] - x[1], -1.0),
        "product": equals(lambda x: x[0] * x[1], 5.0),
    }
    solution = lg.Problem(minimize=lambda x: x[0], subject_to=rows).solve([0.0, 0.0])
    assert_infeasible(solution, *rows)
    assert solution.iterations <= FEW_ITERATIONS


def test_square_system_with_a_constant_objective():
    rows = {"circle": equals(lambda x: x @ x, 5.0), "line": equals(lambda x: x[0] - x[1], -1.0)}
    solution = lg.Problem(minimize=lambda x: 0.0, subject_to=rows).solve([0.5, 3.0])
    assert_solved(solution, [1.0, 2.0])
    assert close([solution.multipliers["circle"], solution.multipliers["line"]], [0.0, 0.0])


@pytest.mark.parametrize("width", [0.0, 1e-12])
def test_interval_of_no_width(width):
    rows = {"point": between(1.0, lambda x: x[0], 1.0 + width)}
    solution = lg.Problem(minimize=distance, subject_to=rows, bounds=([None, 5.0], [None, 5.0 + width])).solve(
        [4.0, 3.0]
    )
    assert_solved(solution, [1.0, 5.0])


def test_rows_and_bounds_that_leave_one_point():
    problem = lg.Problem(minimize=total, subject_to={"sum": equals(total, 0.0)}, bounds=(0.0, None))
    solution = problem.solve([4.0, 4.0])
    assert_solved(solution, [0.0, 0.0])
    assert {frozenset(group) for group in solution.result.dependent} == {
        frozenset({"sum", "lower bound of x[0]", "lower bound of x[1]"})
    }


# Jacobians that vanish


def test_zero_jacobian_at_the_start():
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"unit": equals(lambda x: x[0] ** 2, 1.0)})
    solution = problem.solve([0.0])
    assert solution.success
    assert close(solution.x**2, [1.0])
    assert close(solution.multipliers["unit"] * 2 * solution.x[0], -1.0)


def test_start_in_the_centre_of_the_circle():
    problem = lg.Problem(minimize=total, subject_to={"circle": equals(lambda x: x @ x, 1.0)})
    assert_solved(problem.solve([0.0, 0.0]), -np.sqrt([0.5, 0.5]), PointKind.STRICT_MINIMUM)


def test_zero_jacobian_at_the_solution():
    problem = lg.Problem(
        minimize=lambda x: x[0] ** 2 + (x[1] - 1) ** 2, subject_to={"square": equals(lambda x: x[0] ** 2, 0.0)}
    )
    assert_solved(problem.solve([1.0, 3.0]), [0.0, 1.0], tolerance=SQUARE_ROOT_CLOSE)


# Complementarity constraints: no point satisfies the usual constraint qualifications.


@pytest.mark.parametrize("either", [at_most, equals])
@pytest.mark.parametrize(
    ("objective", "start", "answers"),
    [
        (lambda x: (x[0] - 1) ** 2 + (x[1] - 0.2) ** 2, [0.5, 0.5], [(1.0, 0.0), (0.0, 0.2)]),
        (total, [1.0, 1.0], [(0.0, 0.0)]),
        (lambda x: (x[0] + 1) ** 2 + (x[1] - 2) ** 2, [1.0, 1.0], [(0.0, 2.0)]),
        (lambda x: (x[0] - 1) ** 2 + (x[1] - 1) ** 2, [0.9, 0.8], [(1.0, 0.0), (0.0, 1.0)]),
        (lambda x: x @ x - x[0] - 2 * x[1], [0.0, 0.0], [(0.5, 0.0), (0.0, 1.0)]),
    ],
    ids=["right", "origin", "left", "tie", "from the corner"],
)
def test_complementarity_constraint(either, objective, start, answers):
    problem = lg.Problem(
        minimize=objective, subject_to={"either": either(lambda x: x[0] * x[1], 0.0)}, bounds=(0.0, None)
    )
    solution = problem.solve(start)
    if solution.success:
        assert any(close(solution.x, answer) for answer in answers), (solution.x, solution.residuals)
        # Multipliers may be large and cancel, but must not hide the slope that is left.
        assert solution.residuals.stationarity <= 1e-6
    else:
        # Honest: feasible, and no claim to be a minimum.
        assert solution.kind not in MINIMA
        assert solution.residuals.feasibility <= 1e-6


# Degenerate and classical


def test_more_active_rows_than_variables_at_a_vertex():
    rows = {
        "sum": at_most(total, 2.0),
        "steep": at_most(lambda x: x[0] + 2 * x[1], 3.0),
        "flat": at_most(lambda x: 2 * x[0] + x[1], 3.0),
        "right": at_most(lambda x: x[0], 1.0),
    }
    solution = lg.Problem(maximize=total, subject_to=rows, bounds=(0.0, None)).solve([0.0, 0.0])
    assert_solved(solution, [1.0, 1.0], PointKind.STRICT_MINIMUM)
    assert set(solution.active) == set(rows)
    assert "not unique" in solution.message
    # Any multipliers will do that are nonnegative and balance the gradient (1, 1).
    gradients = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [1.0, 0.0]])
    multipliers = np.array([solution.multipliers[name] for name in rows])
    assert (multipliers >= 0.0).all()
    assert close(multipliers @ gradients, [1.0, 1.0])


@pytest.mark.parametrize("start", [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [5.0, 5.0, 5.0]])
def test_klee_minty(start):
    # Klee and Minty (1972), "How good is the simplex algorithm?", in three dimensions.
    matrix, limits = np.array([[1.0, 0.0, 0.0], [4.0, 1.0, 0.0], [8.0, 4.0, 1.0]]), np.array([5.0, 25.0, 125.0])
    problem = lg.Problem(
        maximize=lambda x: np.array([4.0, 2.0, 1.0]) @ x,
        subject_to={"rows": at_most(lambda x: matrix @ x, limits)},
        bounds=(0.0, None),
    )
    solution = problem.solve(start)
    assert_solved(solution, [0.0, 0.0, 125.0], PointKind.STRICT_MINIMUM)
    assert close(solution.shadow_prices["rows"], [0.0, 0.0, 1.0])
    assert close(solution.bound_multipliers, [-4.0, -2.0, 0.0])


def test_maratos():
    # Maratos (1978): near the solution a full Newton step raises both the objective and the violation.
    problem = lg.Problem(minimize=lambda x: 2 * (x @ x - 1) - x[0], subject_to={"circle": equals(lambda x: x @ x, 1.0)})
    for angle in (0.5, 1e-2, 3.0):
        solution = problem.solve([math.cos(angle), math.sin(angle)])
        assert_solved(solution, [1.0, 0.0], PointKind.STRICT_MINIMUM)
        assert close(solution.multipliers["circle"], -1.5)
        assert solution.iterations <= FEW_ITERATIONS


def test_waechter_biegler():
    # Waechter and Biegler (2000), "Failure of global convergence for a class of interior point methods".
    problem = lg.Problem(
        minimize=lambda x: x[0],
        subject_to={
            "parabola": equals(lambda x: x[0] ** 2 - x[1] - 1, 0.0),
            "line": equals(lambda x: x[0] - x[2] - 0.5, 0.0),
        },
        bounds=([None, 0.0, 0.0], None),
    )
    assert_solved(problem.solve([-2.0, 1.0, 1.0]), [1.0, 0.0, 0.5], PointKind.STRICT_MINIMUM)


@pytest.mark.parametrize("power", [4, 6])
def test_flat_minimum(power):
    solution = lg.Problem(minimize=lambda x: (x[0] - 1) ** power).solve([2.0])
    assert solution.success
    assert close(solution.x, [1.0], 10 * FLAT)


# Scales


HS71 = np.array([1.0, 4.742999643, 3.821149979, 1.379408293])


def scaled_hs71(objective: float, rows: float, units: float) -> lg.Solution:
    """HS71 solved with its objective and rows multiplied, and its variables in other units (x = HS71's / units)."""
    problem = lg.Problem(
        minimize=lambda x: objective * (units**2 * x[0] * x[3] * (units * x[:3].sum()) + units * x[2]),
        subject_to={
            "product": at_least(lambda x: rows * units**4 * x[0] * x[1] * x[2] * x[3], 25.0 * rows),
            "squares": equals(lambda x: rows * units**2 * (x @ x), 40.0 * rows),
        },
        bounds=(1.0 / units, 5.0 / units),
    )
    return problem.solve(np.array([1.0, 5.0, 5.0, 1.0]) / units)


@pytest.mark.parametrize(
    ("objective", "rows", "units"),
    [
        (1e10, 1.0, 1.0),
        (1e-10, 1.0, 1.0),
        (1.0, 1e8, 1.0),
        (1.0, 1e-8, 1.0),
        (1.0, 1.0, 1e6),
        (1.0, 1.0, 1e-6),
        (1e10, 1e-8, 1e-6),
    ],
)
def test_scales(objective, rows, units):
    solution = scaled_hs71(objective, rows, units)
    assert solution.success, solution.message
    assert solution.kind is PointKind.STRICT_MINIMUM
    assert np.allclose(solution.x * units, HS71, rtol=0.0, atol=CLOSE)
    assert np.isclose(solution.multipliers["product"] * rows / objective, -0.5522936601, rtol=CLOSE)
    assert np.isclose(solution.multipliers["squares"] * rows / objective, 0.1614685668, rtol=CLOSE)
    assert np.allclose(solution.bound_multipliers / units / objective, [-1.0878712290, 0, 0, 0], atol=CLOSE)


@pytest.mark.parametrize(
    ("objective", "rows", "units"),
    [(1e-10, 1e8, 1e6), (1e-10, 1.0, 1e6), (1e-10, 1.0, 1e3), (1e-6, 1e8, 1e3), (1e10, 1e-8, 1e6), (1.0, 1e8, 1e6)],
)
def test_no_false_success_where_several_scales_are_bad(objective, rows, units):
    solution = scaled_hs71(objective, rows, units)
    if solution.success:
        assert np.allclose(solution.x * units, HS71, rtol=0.0, atol=1e-4), solution.x * units
    else:
        assert solution.kind is PointKind.NOT_STATIONARY


@pytest.mark.parametrize("scale", [1e-12, 1e-10, 1e-6, 1e6, 1e12])
def test_scaled_objective_has_the_same_minimum(scale):
    problem = lg.Problem(minimize=lambda x: scale * ((x[0] - 1) ** 4 + (x[1] - 2) ** 2), bounds=(None, 1.5))
    solution = problem.solve([0.0, 0.0])
    assert solution.success, solution.message
    assert close(solution.x, [1.0, 1.5], 10 * FLAT)
    assert np.isclose(solution.bound_multipliers[1], scale, rtol=CLOSE)


# Kinks


@pytest.mark.parametrize(
    ("objective", "start", "best"),
    [
        (lambda x: np.abs(x[0] - 0.3), 2.0, 0.3),
        (lambda x: np.abs(x[0]), 0.0, 0.0),
        (lambda x: np.maximum(x[0], 1 - x[0]), 3.0, 0.5),
        (lambda x: np.maximum(x[0], 1 - x[0]), 0.5, 0.5),
        (lambda x: np.abs(x[0]) + 0.1 * (x[0] - 1) ** 2, -2.0, 0.0),
    ],
    ids=["abs", "abs at its kink", "max", "max at its kink", "kink and curve"],
)
def test_kink_is_no_false_minimum(objective, start, best):
    solution = lg.Problem(minimize=objective).solve([start])
    assert solution.kind is not PointKind.UNBOUNDED
    if solution.kind in MINIMA:
        assert close(solution.x, [best], 1e-5)
    else:
        assert solution.kind is PointKind.NOT_STATIONARY
        assert not solution.success
        assert solution.stop in (StopReason.NO_PROGRESS, StopReason.ITERATION_LIMIT, StopReason.NOT_FINITE)
        assert abs(solution.x[0] - best) <= abs(start - best) + 1e-8  # no farther away than the start


def test_smooth_minimum_beside_a_kink():
    problem = lg.Problem(minimize=lambda x: np.abs(x[0]) + (x[0] - 1) ** 2 + x[1] ** 2)
    assert_solved(problem.solve([-2.0, 1.0]), [0.5, 0.0], PointKind.STRICT_MINIMUM)


# Functions that are not defined everywhere


@pytest.mark.parametrize("start", [1.5, 50.0, 1.0 + 1e-9])
def test_logarithm_stays_inside(start):
    problem = lg.Problem(minimize=lambda x: x[0] - np.log(x[0] - 1) + (x[1] - 2) ** 2, bounds=([1.0, None], None))
    assert_solved(problem.solve([start, 0.0]), [2.0, 2.0], PointKind.STRICT_MINIMUM)


@pytest.mark.parametrize("start", [-5.0, 1.0])
def test_logarithm_undefined_at_the_start_but_not_inside_the_bounds(start):
    problem = lg.Problem(minimize=lambda x: x[0] - np.log(x[0] - 1) + (x[1] - 2) ** 2, bounds=([1.0, None], None))
    with np.errstate(all="ignore"):  # NumPy's remark on the logarithm at x0
        solution = problem.solve([start, 0.0])
    assert_solved(solution, [2.0, 2.0], PointKind.STRICT_MINIMUM)


def test_infinite_slope_on_the_bound_where_it_starts():
    problem = lg.Problem(minimize=lambda x: x[0] - np.sqrt(x[0]), bounds=(0.0, None))
    assert_solved(problem.solve([0.0]), [0.25], PointKind.STRICT_MINIMUM)


def test_logarithm_without_bounds_recovers_from_long_steps():
    solution = lg.Problem(minimize=lambda x: x[0] - np.log(x[0] - 1)).solve([50.0])
    assert_solved(solution, [2.0], PointKind.STRICT_MINIMUM)


def test_entropy():
    problem = lg.Problem(
        minimize=lambda x: (x * np.log(x)).sum(),
        subject_to={"sum": equals(lambda x: x.sum(), 1.0)},
        bounds=(0.0, 1.0),
    )
    assert_solved(problem.solve([0.5, 0.3, 0.1]), np.full(3, 1 / 3), PointKind.STRICT_MINIMUM)


def test_logarithm_in_a_constraint():
    rows = {"log": at_least(lambda x: np.log(x[0]), -3.0)}
    solution = lg.Problem(minimize=lambda x: (x[0] + 5) ** 2, subject_to=rows).solve([1.0])
    assert_solved(solution, [math.exp(-3.0)], PointKind.STRICT_MINIMUM)


def test_objective_that_falls_out_of_its_domain_is_no_success():
    solution = lg.Problem(minimize=lambda x: x[0] + np.sqrt(x[0])).solve([4.0])
    assert not solution.success
    assert solution.stop in (StopReason.NO_PROGRESS, StopReason.NOT_FINITE)
    assert np.isfinite(solution.x).all()


# Signs


def utility(x, p):
    return np.log(x[0]) + 2 * np.log(x[1])


def negative_utility(x, p):
    return -utility(x, p)


SIGN_ROWS = {
    "budget": at_most(lambda x, p: p["price"] * x[0] + x[1], lambda p: p["income"]),
    "quota": at_least(lambda x: x[0], lambda p: p["quota"]),
    "mix": equals(lambda x: x[0] + x[2], lambda p: p["mix"]),
}
SIGN_BOUNDS = ([None, None, 0.2], None)
SIGN_P = {"price": 3.0, "income": 12.0, "quota": 1.5, "mix": 2.0}


def test_maximize_and_minimize_the_negative():
    maximum = lg.Problem(maximize=utility, subject_to=SIGN_ROWS, bounds=SIGN_BOUNDS)
    minimum = lg.Problem(minimize=negative_utility, subject_to=SIGN_ROWS, bounds=SIGN_BOUNDS)
    most, least = maximum.solve([1.0, 1.0, 1.0], SIGN_P), minimum.solve([1.0, 1.0, 1.0], SIGN_P)
    # Income 12 buys x[0] = 1.5 (the quota) at 3 and x[1] = 7.5 at 1.
    for solution in (most, least):
        assert_solved(solution, [1.5, 7.5, 0.5], PointKind.STRICT_MINIMUM)
    assert close(most.objective, utility([1.5, 7.5], None))
    assert close(least.objective, -most.objective)
    prices = {"budget": 2 / 7.5, "quota": 1 / 1.5 - 3 * 2 / 7.5, "mix": 0.0}
    for name, price in prices.items():
        assert close(most.shadow_prices[name], price)
        assert close(least.shadow_prices[name], -price)
        # The same Lagrangian: L = -utility + y . c.
        assert close(most.multipliers[name], price)
        assert close(least.multipliers[name], price)
    assert most.multipliers["budget"] > 0 > most.multipliers["quota"]  # upper side; lower side


@pytest.mark.parametrize("which", ["maximize", "minimize"])
@pytest.mark.parametrize(("row", "parameter"), [("budget", "income"), ("quota", "quota"), ("mix", "mix")])
def test_shadow_price_is_the_slope_of_the_objective(which, row, parameter):
    objective = utility if which == "maximize" else negative_utility
    problem = lg.Problem(**{which: objective}, subject_to=SIGN_ROWS, bounds=SIGN_BOUNDS)
    step = 1e-4
    values = [
        problem.solve([1.0, 1.0, 1.0], SIGN_P | {parameter: SIGN_P[parameter] + change}).objective
        for change in (-step, step)
    ]
    price = problem.solve([1.0, 1.0, 1.0], SIGN_P).shadow_prices[row]
    assert close((values[1] - values[0]) / (2 * step), price)


def test_bound_multiplier_is_minus_the_slope_of_the_objective():
    problem = lg.Problem(minimize=lambda x: (x[0] - 3) ** 2 + x[0] * x[1] + x[1] ** 2, bounds=lambda p: (p, 2.0))
    start = [1.0, 1.0]
    step = 1e-4
    solution = problem.solve(start, -0.5)
    assert_solved(solution, [2.0, -0.5], PointKind.STRICT_MINIMUM)
    slope = (problem.solve(start, -0.5 + step).objective - problem.solve(start, -0.5 - step).objective) / (2 * step)
    assert close(solution.bound_multipliers[1], -slope)
    assert solution.bound_multipliers[0] > 0 > solution.bound_multipliers[1]


# Against a convex solver


def test_convex_quadratic_program_with_thirty_variables():
    rng = np.random.default_rng(30)
    n, equations, inequalities = 30, 5, 12
    root = rng.standard_normal((n, n))
    hessian, slope = root @ root.T / n + 0.1 * np.eye(n), rng.standard_normal(n)
    A, b = rng.standard_normal((equations, n)), rng.standard_normal(equations)
    G, h = rng.standard_normal((inequalities, n)), rng.uniform(0.0, 0.5, inequalities)

    x = cp.Variable(n)
    rows = {"equations": A @ x == b, "inequalities": G @ x <= h, "upper": x <= 0.3, "lower": x >= -0.3}
    reference = cp.Problem(cp.Minimize(0.5 * cp.quad_form(x, cp.psd_wrap(hessian)) + slope @ x), list(rows.values()))
    reference.solve(solver=cp.CLARABEL, tol_gap_abs=1e-13, tol_gap_rel=1e-13, tol_feas=1e-13)

    solution = lg.Problem(
        minimize=lambda x: 0.5 * x @ hessian @ x + slope @ x,
        subject_to={"equations": equals(lambda x: A @ x, b), "inequalities": at_most(lambda x: G @ x, h)},
        bounds=(-0.3, 0.3),
    ).solve(np.zeros(n))
    assert_solved(solution, x.value, PointKind.STRICT_MINIMUM)
    assert close(solution.objective, reference.value)
    assert close(solution.multipliers["equations"], rows["equations"].dual_value, 1e-5)
    assert close(solution.multipliers["inequalities"], rows["inequalities"].dual_value, 1e-5)
    assert close(solution.bound_multipliers, rows["upper"].dual_value - rows["lower"].dual_value, 1e-5)
    assert 0 < len(solution.active) - equations < n - equations  # some rows and bounds are active, not all


@pytest.mark.parametrize("start", list(itertools.product([-1.5, 0.3, 1.5], repeat=2)))
def test_two_minima_from_everywhere(start):
    # f = (x0^2 - 1)^2 + x1^2 on a line through neither minimum: every answer must be one of the known two.
    problem = lg.Problem(
        minimize=lambda x: (x[0] ** 2 - 1) ** 2 + x[1] ** 2, subject_to={"line": equals(lambda x: x[1], 0.5)}
    )
    solution = problem.solve(list(start))
    assert_solved(solution, [math.copysign(1.0, solution.x[0]), 0.5], PointKind.STRICT_MINIMUM)


def random_linear_program(rng: np.random.Generator, n: int, rows: int) -> dict[str, Any]:
    """Small whole numbers: many optima, degenerate vertices, contradictions and rays are common."""
    return {
        "cost": rng.integers(-3, 4, n).astype(float),
        "matrix": rng.integers(-2, 3, (rows, n)).astype(float),
        "limits": rng.integers(-1, 6, rows).astype(float),
        "equation": rng.integers(-2, 3, n).astype(float),
        "value": float(rng.integers(-2, 3)),
        "lower": np.where(rng.random(n) < 0.7, 0.0, -np.inf),
        "upper": np.where(rng.random(n) < 0.4, 3.0, np.inf),
    }


def kind_and_value_by_highs(program: dict[str, Any]) -> tuple[str, float]:
    """What HiGHS says of a linear program: optimal with this value, infeasible, or unbounded."""
    sides = {
        "A_ub": program["matrix"],
        "b_ub": program["limits"],
        "A_eq": program["equation"][None],
        "b_eq": [program["value"]],
        "bounds": np.stack([program["lower"], program["upper"]], axis=1),
    }
    best = linprog(program["cost"], **sides, method="highs")
    if best.status == 0:
        return "optimal", best.fun
    # HiGHS may say "infeasible or unbounded": ask again without an objective.
    feasible = linprog(np.zeros_like(program["cost"]), **sides, method="highs").status == 0
    return ("unbounded", -math.inf) if feasible else ("infeasible", math.inf)


def test_linear_programs_are_told_apart_as_by_highs():
    n, rows, programs = 4, 4, 200
    problem = lg.Problem(
        minimize=lambda x, p: p["cost"] @ x,
        subject_to={
            "rows": at_most(lambda x, p: p["matrix"] @ x, lambda p: p["limits"]),
            "equation": equals(lambda x, p: p["equation"] @ x, lambda p: p["value"]),
        },
        bounds=lambda p: (p["lower"], p["upper"]),
    )
    names = {PointKind.INFEASIBLE_STATIONARY: "infeasible", PointKind.UNBOUNDED: "unbounded"}
    seen, wrong = set(), []
    for seed in range(programs):
        rng = np.random.default_rng(seed)
        program = random_linear_program(rng, n, rows)
        expected, value = kind_and_value_by_highs(program)
        solution = problem.solve(rng.choice([0.0, 1.0, -2.0], n), program)
        found = "optimal" if solution.success else names.get(solution.kind, solution.kind.name)
        seen.add(expected)
        if found != expected or (found == "optimal" and not close(solution.objective, value)):
            wrong.append((seed, expected, value, found, solution.objective))
        elif found != "optimal":
            assert solution.result.blame
    assert seen == {"optimal", "infeasible", "unbounded"}
    assert not wrong


@pytest.mark.parametrize("n", [3, 10])
def test_a_corner_beyond_which_the_objective_is_undefined(n):
    # Least entropy: all in one. The slope at 0 is infinite, and beyond 0 there is no entropy at all.
    shares = np.random.default_rng(0).random(n)
    problem = lg.Problem(
        lambda q: np.sum(scipy.special.entr(q)), {"sum": lg.equals(lambda q: q.sum(), 1.0)}, bounds=(0, None)
    )
    solution = problem.solve(shares / shares.sum())
    assert solution.success
    assert np.count_nonzero(solution.x > 1e-8) == 1 and np.isclose(solution.x.max(), 1.0)


def test_a_maximum_on_a_face_is_not_hidden_by_curvature_on_the_bound():
    # On the face x2 = 0 the even split has the most entropy. The huge second derivative of the entropy at x2 must not
    # make the negative curvature on the face look like rounding.
    problem = lg.Problem(
        lambda q: np.sum(scipy.special.entr(q)), {"sum": lg.equals(lambda q: q.sum(), 1.0)}, bounds=(1e-10, None)
    )
    assert problem.examine([0.5, 0.5 - 1e-10, 1e-10]).conditions().second_order.holds is False
    solution = problem.solve([0.5, 0.5 - 1e-10, 1e-10])
    assert solution.success and np.isclose(solution.x.max(), 1.0)


def test_a_saddle_in_mixed_units_is_left():
    problem = lg.Problem(lambda x: (x[0] / 1e-4 - 1) ** 2 - (x[1] - 1) ** 2 + 0.1 * (x[1] - 1) ** 4)
    assert problem.examine([1e-4, 1.0]).conditions().second_order.holds is False
    solution = problem.solve([2e-4, 1.0])
    assert solution.success and np.isclose(solution.objective, -2.5)


@pytest.mark.parametrize(
    ("constraint", "best"),
    [
        (equals(lambda x: x @ x, 1.0), 1.0),
        (equals(lambda x: x[0] * x[1], 1.0), 2.0),
        (at_least(lambda x: x[0] * x[1], 1.0), 2.0),
        (equals(lambda x: x[0] ** 2 - x[1] ** 2, 1.0), 1.0),
    ],
    ids=["circle", "hyperbola", "beyond the hyperbola", "upright hyperbola"],
)
def test_a_saddle_of_the_violation_is_no_conflict(constraint, best):
    # At 0 the gradient of the constraint vanishes, and with it that of the violation.
    solution = lg.Problem(lambda x: x @ x, {"c": constraint}).solve([0.0, 0.0])
    assert solution.success and np.isclose(solution.objective, best)
