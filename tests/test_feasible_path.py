"""The feasible path: every iterate on the manifold, the objective called nowhere else, and the same verified answers.

Known answers are closed forms and the best values of the Hock-Schittkowski collection, not results of this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind, StopReason
from problems.hock_schittkowski import PROBLEMS

METHOD = "feasible-path"
VIOLATION = 1e-10  # relative, at every iterate after landing
ON_MANIFOLD = 1e-9  # where a function that knows nothing else may be called
OBJECTIVE_TOLERANCE = 1e-6
CLOSE = 1e-9
# From the book's start these end at a local minimum above the best known value.
LOCAL = {"HS2", "HS16", "HS20", "HS55", "HS57", "HS59", "HS97", "HS98", "HS108"}
NO_MULTIPLIER = "HS13"
SMOOTH = [name for name, record in PROBLEMS.items() if record.smooth and name != NO_MULTIPLIER]
WITH_EQUALITIES = [
    name for name in SMOOTH if (PROBLEMS[name].constraint_lower == PROBLEMS[name].constraint_upper).any()
]
WITHOUT_EQUALITIES = [name for name in SMOOTH if name not in WITH_EQUALITIES]

Array = Any


def path(solution: lg.Solution) -> list[Any]:
    """The history after the landing."""
    return [record for record in solution.history if record.phase != "landing"]


def assert_on_manifold(solution: lg.Solution) -> None:
    phases = [record.phase for record in solution.history]
    assert set(phases) <= {"landing", "on manifold", "active set"}
    for record in path(solution):
        assert record.infeasibility <= VIOLATION
        assert math.isfinite(record.objective)


# The Hock-Schittkowski collection ------------------------------------------------------------------------


def solved(name: str) -> lg.Solution:
    record = PROBLEMS[name]
    solution = record.problem().solve(record.x0, method=METHOD)
    assert solution.success, solution.message
    gap = (solution.objective - record.best) / max(1.0, abs(record.best))
    assert gap > -OBJECTIVE_TOLERANCE
    if name not in LOCAL:
        assert gap < OBJECTIVE_TOLERANCE
    x = np.asarray(solution.x)
    assert (x >= record.lower).all()
    assert (x <= record.upper).all()
    return solution


@pytest.mark.parametrize("name", WITH_EQUALITIES)
def test_problems_with_equalities_are_solved_on_the_manifold(name: str) -> None:
    solution, record = solved(name), PROBLEMS[name]
    assert_on_manifold(solution)
    assert record.constraints is not None
    equal = record.constraint_lower == record.constraint_upper
    sides = record.constraint_lower[equal]
    for entry in path(solution):
        # Computed here, apart from the package; rows that add and subtract large terms have rounding of their own.
        c = np.asarray(record.constraints(entry.x))[equal]
        assert (np.abs(c - sides) <= 2 * VIOLATION * np.maximum(1.0, np.abs(sides))).all()
        assert math.isclose(entry.objective, float(record.objective(entry.x)), rel_tol=1e-12)


@pytest.mark.parametrize("name", WITHOUT_EQUALITIES)
def test_problems_without_equalities_are_solved(name: str) -> None:
    solved(name)


def test_a_point_without_multipliers_is_recognised() -> None:
    record = PROBLEMS[NO_MULTIPLIER]
    solution = record.problem().solve(record.x0, method=METHOD)
    assert solution.kind is PointKind.FRITZ_JOHN
    assert not solution.success


def test_it_ends_at_rounding_with_exact_zeros() -> None:
    for name in ("HS14", "HS24", "HS35", "HS43", "HS71", "HS76", "HS78", "HS86", "HS100", "HS113"):
        solution = solved(name)
        assert solution.residuals.relative <= 1e-12, name
        result = solution.result
        assert not result.y[result.active_rows == 0].any()
        assert not result.z[result.active_bounds == 0].any()


# An objective that cannot be evaluated off the manifold --------------------------------------------------


@dataclass
class OnlyOnSphere:
    """x . a, known on the sphere x . x = 4 only; calls are kept."""

    a: Array
    calls: list[Array] = field(default_factory=list)

    def off(self, x: Array) -> float:
        return abs(float(x @ x) - 4.0)

    def value(self, x: Array) -> float:
        self.calls.append(np.array(x, dtype=float))
        if self.off(x) > ON_MANIFOLD:
            raise RuntimeError("the flowsheet does not close")
        return float(x @ self.a)

    def jacobian(self, x: Array) -> Array:
        self.calls.append(np.array(x, dtype=float))
        return self.a

    def hessian(self, x: Array) -> Array:
        self.calls.append(np.array(x, dtype=float))
        return np.zeros((self.a.size, self.a.size))


def sphere(x: Array) -> Array:
    return x[0] ** 2 + x[1] ** 2 + x[2] ** 2


@pytest.mark.parametrize("start", [[3.0, -1.0, 2.5], [0.1, 0.0, 0.0], [2.0, 0.0, 0.0], [-30.0, 7.0, 1.0]])
def test_an_objective_that_raises_off_the_manifold_is_never_called_there(start: list[float]) -> None:
    model = OnlyOnSphere(np.array([1.0, 2.0, 2.0]))
    problem = lg.Problem(
        minimize=lg.supplied(model.value, model.jacobian, model.hessian), subject_to={"sphere": lg.equals(sphere, 4.0)}
    )
    solution = problem.solve(start, method=METHOD)
    assert solution.success
    assert np.allclose(solution.x, -2.0 * model.a / 3.0, atol=CLOSE)
    assert math.isclose(solution.objective, -6.0)
    assert math.isclose(solution.multipliers["sphere"], 0.75)  # a + 2 y x = 0
    assert len(model.calls) > solution.iterations - len(path(solution))
    assert max(model.off(x) for x in model.calls) <= ON_MANIFOLD
    assert_on_manifold(solution)


def test_the_same_with_bounds_inequalities_and_an_untraceable_equality() -> None:
    model = OnlyOnSphere(np.array([1.0, 2.0, 2.0]))
    rows = OnlyOnSphere(np.array([1.0, 0.0, 0.0]))
    equality = lg.supplied(
        lambda x: float(x[0]) ** 2 + float(x[1]) ** 2 + float(x[2]) ** 2,
        lambda x: 2 * x,
        lambda x, y: 2 * y * np.eye(3),
    )
    problem = lg.Problem(
        minimize=lg.supplied(model.value, model.jacobian, model.hessian),
        subject_to={
            "first": lg.at_least(lg.supplied(rows.value, rows.jacobian, lambda x, y: rows.hessian(x)), 0.5),
            "sphere": lg.equals(equality, 4.0),
        },
        bounds=([None, -1.0, None], [None, None, None]),
    )
    # The row holds where the landing ends: it is not called off the manifold either.
    solution = problem.solve([2.0, 1.0, 2.0], method=METHOD)
    assert solution.success
    assert np.allclose(solution.x, [0.5, -1.0, -math.sqrt(2.75)], atol=CLOSE)
    assert sorted(solution.active) == ["first", "lower bound of x[1]", "sphere"]
    assert max(model.off(x) for x in model.calls + rows.calls) <= ON_MANIFOLD
    assert_on_manifold(solution)


def test_what_a_differenced_objective_raises_says_what_helps() -> None:
    model = OnlyOnSphere(np.array([1.0, 2.0, 2.0]))
    problem = lg.Problem(minimize=model.value, subject_to={"sphere": lg.equals(sphere, 4.0)})
    with pytest.warns(lg.DerivativeWarning), pytest.raises(RuntimeError, match="flowsheet") as raised:
        problem.solve([2.0, 0.0, 0.0], method=METHOD)
    assert "lagrange.supplied" in " ".join(raised.value.__notes__)


# Landing -------------------------------------------------------------------------------------------------


def never(x: Array) -> float:
    raise AssertionError("called off the manifold")


def test_a_landing_that_fails_names_the_equations() -> None:
    objective = lg.supplied(never, never, never)
    problem = lg.Problem(
        minimize=objective,
        subject_to={
            "circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0),
            "line": lg.equals(lambda x: x[0] + x[1], 5.0),
            "idle": lg.equals(lambda x: x[2], 2.0),
        },
    )
    solution = problem.solve([1.0, 2.0, 0.0], method=METHOD)
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY
    assert solution.stop is StopReason.CONVERGED
    assert not solution.success
    assert set(solution.result.blame) == {"circle", "line"}
    assert "circle" in solution.message
    assert "not called" in solution.message
    assert math.isnan(solution.objective)
    assert all(record.phase == "landing" and math.isnan(record.objective) for record in solution.history)
    assert "circle" in str(solution)
    result = lg.minimize(
        lambda x: x[0],
        [1.0, 2.0],
        method=METHOD,
        constraints=[
            {"type": "eq", "fun": lambda x: x[0] ** 2 + x[1] ** 2 - 1.0},
            {"type": "eq", "fun": lambda x: x[0] + x[1] - 5.0},
        ],
    )
    assert not result.success
    assert math.isnan(result.fun)


def test_a_start_that_violates_inequalities_lands_on_them_too() -> None:
    problem = lg.Problem(
        minimize=lambda x: x[0],
        subject_to={
            "circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 2.0),
            "right": lg.at_least(lambda x: x[0] - 0.5 * x[1], 0.5),
        },
    )
    solution = problem.solve([-3.0, 0.2], method=METHOD)
    assert solution.success
    # x0 = (1 + x1) / 2 on the circle: 5 x1^2 + 2 x1 - 7 = 0
    assert np.allclose(solution.x, [-0.2, -1.4], atol=CLOSE)
    assert_on_manifold(solution)
    for record in path(solution):
        if record.phase == "on manifold":
            assert record.x[0] - 0.5 * record.x[1] >= 0.5


def test_inequalities_that_conflict_with_the_equations_are_named() -> None:
    problem = lg.Problem(
        minimize=lambda x: x[1],
        subject_to={
            "circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0),
            "far": lg.at_least(lambda x: x[0], 2.0),
        },
    )
    solution = problem.solve([0.5, 0.5], method=METHOD)
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY
    assert set(solution.result.blame) == {"circle", "far"}


def test_a_start_that_is_a_saddle_of_the_violation() -> None:
    # At x1 = 0 the gradient of the circle has no part in x1, and no move along x0 alone is enough.
    problem = lg.Problem(
        minimize=lambda x: x[0],
        subject_to={"circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0), "half": lg.equals(lambda x: x[0], 0.5)},
    )
    solution = problem.solve([0.0, 0.0], method=METHOD)
    assert solution.success
    assert np.allclose(np.abs(solution.x), [0.5, math.sqrt(0.75)], atol=CLOSE)


def test_fixed_variables_pytrees_and_parameters() -> None:
    problem = lg.Problem(
        minimize=lambda x, p: p["price"] * x["a"] + x["b"][0],
        subject_to={"product": lg.equals(lambda x: x["a"] * x["b"][0] * x["b"][1], lambda p: p["output"])},
        bounds=lambda p: {"a": (0.1, None), "b": ([0.1, 2.0], [None, 2.0])},
    )
    solution = problem.solve({"a": 5.0, "b": np.array([5.0, 3.0])}, {"price": 4.0, "output": 8.0}, method=METHOD)
    assert solution.success
    # a b = 4, minimize 4 a + b:  a = 1, b = 4, dF/d output = 1/2 * d(2 sqrt(4 t))/dt at t = 4
    assert math.isclose(solution.x["a"], 1.0)
    assert np.allclose(solution.x["b"], [4.0, 2.0])
    assert math.isclose(solution.shadow_prices["product"], 0.5)
    assert_on_manifold(solution)


# Curvature, rank, rays -----------------------------------------------------------------------------------


def circle_product(radius2: float = 2.0) -> lg.Problem:
    return lg.Problem(
        minimize=lambda x: x[0] * x[1],
        subject_to={"circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, radius2)},
    )


def test_negative_curvature_is_left_from_the_maximum_on_a_circle() -> None:
    solution = circle_product().solve([1.0, 1.0], method=METHOD)
    assert solution.success
    assert solution.kind is PointKind.STRICT_MINIMUM
    assert math.isclose(solution.objective, -1.0)
    assert math.isclose(solution.multipliers["circle"], 0.5)
    assert_on_manifold(solution)


def test_negative_curvature_on_a_line_is_a_ray() -> None:
    problem = lg.Problem(minimize=lambda x: x[0] * x[1], subject_to={"line": lg.equals(lambda x: x[0] + x[1], 2.0)})
    solution = problem.solve([1.0, 1.0], method=METHOD)
    assert solution.kind is PointKind.UNBOUNDED
    assert not solution.success
    assert len(solution.result.blame) == 2


def test_negative_curvature_is_left_from_beside_active_bounds() -> None:
    # At (1, 1, 0) the bound on x2 presses and the circle's maximum is left along the circle.
    problem = lg.Problem(
        minimize=lambda x: x[0] * x[1] + 3.0 * x[2],
        subject_to={"cylinder": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 2.0)},
        bounds=([None, None, 0.0], None),
    )
    solution = problem.solve([1.0, 1.0, 0.0], method=METHOD)
    assert solution.success
    assert math.isclose(solution.objective, -1.0)
    assert solution.x[2] == 0.0
    assert math.isclose(solution.bound_multipliers[2], -3.0)
    assert_on_manifold(solution)


def test_rank_deficient_but_consistent_rows() -> None:
    problem = lg.Problem(
        minimize=lambda x: (x[0] - 3.0) ** 2 + x[1] ** 2 + x[2] ** 2,
        subject_to={
            "sphere": lg.equals(sphere, 4.0),
            "again": lg.equals(lambda x: 3.0 * sphere(x), 12.0),
            "plane": lg.equals(lambda x: x[1] + x[2], 0.0),
        },
    )
    solution = problem.solve([0.5, 1.0, 1.0], method=METHOD)
    assert solution.success
    assert np.allclose(solution.x, [2.0, 0.0, 0.0], atol=CLOSE)
    assert solution.result.dependent
    assert_on_manifold(solution)


def test_no_direction_is_left() -> None:
    problem = lg.Problem(
        minimize=lambda x: x[0] ** 2,
        subject_to={"both": lg.equals(lambda x: np.array([x[0] + x[1], x[0] - x[1] ** 3]), 0.0)},
    )
    solution = problem.solve([1.0, 2.0], method=METHOD)
    assert solution.success
    assert np.allclose(solution.x, 0.0, atol=CLOSE)


def test_unconstrained_and_maximize() -> None:
    rosenbrock = lg.Problem(minimize=lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2)
    assert np.allclose(rosenbrock.solve([-1.2, 1.0], method=METHOD).x, 1.0, atol=CLOSE)
    box = lg.Problem(
        maximize=lambda x: x[0] * x[1] * x[2],
        subject_to={"surface": lg.equals(lambda x: 2.0 * (x[0] * x[1] + x[1] * x[2] + x[0] * x[2]), 24.0)},
        bounds=(0.0, 10.0),
    )
    solution = box.solve([1.0, 1.0, 1.0], method=METHOD)
    assert solution.success
    assert np.allclose(solution.x, 2.0, atol=CLOSE)
    assert math.isclose(solution.objective, 8.0)
    assert math.isclose(solution.shadow_prices["surface"], 0.5)  # V = (S / 6)^(3/2)
    assert_on_manifold(solution)


def test_bounds_active_on_the_simplex() -> None:
    target = np.array([1.5, 0.25, -1.0])
    problem = lg.Problem(
        minimize=lambda x: ((x - target) ** 2).sum(),
        subject_to={"sum": lg.equals(lambda x: x.sum(), 1.0)},
        bounds=(0.0, None),
    )
    solution = problem.solve([5.0, -3.0, 0.0], method=METHOD)
    assert solution.success
    assert math.isclose(solution.x[0], 1.0)  # x = max(0, target - 1/2)
    assert (solution.x[1:] == 0.0).all()
    assert np.allclose(solution.bound_multipliers, [0.0, -0.5, -3.0])
    assert_on_manifold(solution)


# Limits, callback, interrupts ----------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1, 4, 8])
def test_iteration_limit(limit: int) -> None:
    record = PROBLEMS["HS71"]
    solution = record.problem().solve(record.x0, method=METHOD, max_iterations=limit)
    assert solution.stop is StopReason.ITERATION_LIMIT
    assert not solution.success
    assert solution.iterations == limit


def test_an_iteration_limit_that_is_just_enough() -> None:
    record = PROBLEMS["HS71"]
    problem = record.problem()
    solution = problem.solve(record.x0, method=METHOD)
    again = problem.solve(record.x0, method=METHOD, max_iterations=solution.iterations)
    assert again.success
    assert again.stop is StopReason.CONVERGED
    assert (again.x == solution.x).all()


def test_time_limit() -> None:
    record = PROBLEMS["HS71"]
    solution = record.problem().solve(record.x0, method=METHOD, time_limit=1e-9)
    assert solution.stop is StopReason.TIME_LIMIT
    assert solution.iterations == 1


def interrupt() -> bool:
    raise KeyboardInterrupt


@pytest.mark.parametrize("act", [lambda: True, interrupt], ids=["callback", "interrupt"])
@pytest.mark.parametrize("phase", ["landing", "on manifold", "active set"])
def test_a_callback_or_an_interrupt_stops_in_every_phase(phase: str, act: Callable[[], bool]) -> None:
    record = PROBLEMS["HS71"]

    def callback(entry: Any) -> bool:
        return act() if entry.phase == phase else False

    solution = record.problem().solve(record.x0, method=METHOD, callback=callback)
    assert solution.stop is StopReason.STOPPED_BY_USER
    assert not solution.success
    assert solution.history[-1].phase == phase
    if phase != "landing":
        # The best point so far is one of the path.
        assert any(np.allclose(solution.x, entry.x) for entry in path(solution))
        assert abs(float(solution.x @ solution.x) - 40.0) <= 40.0 * VIOLATION


def test_progress_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    circle_product().solve([3.0, 1.0], method=METHOD, verbose=1)
    shown = capsys.readouterr().out
    assert "landing" in shown
    assert "on manifold" in shown


def test_a_warm_start_goes_straight_to_the_end() -> None:
    problem = lg.Problem(
        minimize=lambda x: (x[0] - 2.0) ** 2 + (x[1] + 1.0) ** 2,
        subject_to={"circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, lambda p: p)},
        bounds=(0.0, None),
    )
    first = problem.solve([1.0, 1.0], 1.0, method=METHOD)
    again = problem.solve(first.x, 1.1, method=METHOD, warm=first)
    assert again.success
    assert np.allclose(again.x, [math.sqrt(1.1), 0.0], atol=CLOSE)
    assert "on manifold" not in {record.phase for record in again.history}


def test_minimize_takes_the_method() -> None:
    result = lg.minimize(
        lambda x: x[0] * x[1],
        [3.0, 1.0],
        method=METHOD,
        constraints={"type": "eq", "fun": lambda x: x[0] ** 2 + x[1] ** 2 - 2.0},
    )
    assert result.success
    assert math.isclose(result.fun, -1.0)
    assert result.optimality <= CLOSE


def test_evaluations_of_the_landing_count() -> None:
    model = OnlyOnSphere(np.array([1.0, 2.0, 2.0]))
    problem = lg.Problem(
        minimize=lg.supplied(model.value, model.jacobian, model.hessian), subject_to={"sphere": lg.equals(sphere, 4.0)}
    )
    far, near = problem.solve([9.0, 9.0, 9.0], method=METHOD), problem.solve([2.0, 0.0, 0.0], method=METHOD)
    assert far.evaluations.values > len(path(far))
    assert near.history[0].phase == "on manifold"
