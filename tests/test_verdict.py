"""The verdict: success, kind, stop reason, names and message follow from the point, never from the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind, StopReason
from lagrange.derivatives.scaling import StandardProgram
from lagrange.model.settings import Settings
from lagrange.newton.active_set_phase import ActivePoint
from lagrange.newton.barrier_phase import End, Outcome
from lagrange.newton.monitor import Monitor
from lagrange.result import Result
from lagrange.verdict import judge, verdict

Maker = Callable[..., StandardProgram]
TOL = 1e-8

# minimize (x0 - 2)^2 + x1^2 + x2 with x2 >= 1, x1 fixed at 3, x0 <= 1 and x0 + x1 + x2 <= 100: x = (1, 3, 1).
PROBLEM = lg.Problem(
    minimize=lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2 + x[2],
    subject_to={
        "loose": lg.at_most(lambda x: x.sum(), 100.0),
        "cap": lg.at_most(lambda x: 2.0 * x[0], 2.0),
    },
    bounds=([-np.inf, 3.0, 1.0], [np.inf, 3.0, np.inf]),
)
X0 = np.array([0.0, 3.0, 5.0])


def judged(
    program: StandardProgram, point: ActivePoint, end: End = End.POLISHED, stop: StopReason | None = None
) -> Result:
    monitor = Monitor(Settings(), print, None)
    monitor.stop = stop
    outcome = Outcome(end, None, point)
    jacobian, _ = program.evaluation.derivatives(X0, np.eye(1 + program.scaling.rows.size)[0])
    return verdict(program, outcome, judge(program, outcome, TOL), monitor, jacobian)


def claimed(program: StandardProgram, x: list[float], y_cap: float, z: float) -> ActivePoint:
    """A claim of the loop: free variables (x0, x2), the multiplier of "cap", that of the lower bound of x2."""
    form = program.form
    active = ((form.index == 1) & (form.sign > 0)) | (form.index == form.n + 1)
    multipliers = np.where(form.index == 1, z, y_cap) * active
    return ActivePoint(np.array(x), np.array([0.0, y_cap]), multipliers, active)


def test_a_true_claim(standard_program: Maker) -> None:
    program = standard_program(PROBLEM, X0)
    result = judged(program, claimed(program, [1.0, 1.0], 1.0, 1.0))
    assert result.success and result.kind is PointKind.STRICT_MINIMUM and result.stop is StopReason.CONVERGED
    np.testing.assert_array_equal(result.x, [1.0, 3.0, 1.0])
    assert result.objective == 11.0
    np.testing.assert_array_equal(result.y, [0.0, 1.0])
    np.testing.assert_array_equal(result.z, [0.0, -6.0, -1.0])  # a fixed variable takes what is left over
    np.testing.assert_array_equal(result.c, [5.0, 2.0])
    assert result.active_rows.tolist() == [0.0, 1.0] and result.active_bounds.tolist() == [0.0, 1.0, -1.0]
    assert result.active_names() == ["cap", "upper bound of x[1]", "lower bound of x[2]"]
    assert result.message == "Strict local minimum."
    assert result.blame == () and result.dependent == ()


@pytest.mark.parametrize(
    ("x", "y_cap", "z"),
    [
        ([0.9, 1.0], 1.0, 1.0),  # not stationary, not complementary
        ([1.0, 1.0], 0.9, 1.0),  # wrong multiplier
        ([1.1, 1.0], 0.9, 1.0),  # infeasible
        ([1.0, 1.0], 1.0, -1.0),  # wrong sign
        ([np.nan, 1.0], 1.0, 1.0),
        ([1.0, 1.0], np.nan, 1.0),
    ],
)
@pytest.mark.parametrize("end", [End.POLISHED, End.CONVERGED])
def test_a_false_claim_is_no_success(standard_program: Maker, x: list[float], y_cap: float, z: float, end: End) -> None:
    program = standard_program(PROBLEM, X0)
    result = judged(program, claimed(program, x, y_cap, z), end)
    assert not result.success and result.kind is PointKind.NOT_STATIONARY
    assert PointKind.NOT_STATIONARY.advice in result.message


@pytest.mark.parametrize(
    ("end", "stopped", "told"),
    [
        (End.NO_PROGRESS, None, StopReason.CONVERGED),
        (End.STOPPED, StopReason.TIME_LIMIT, StopReason.CONVERGED),  # the last allowed step arrived
        (End.STOPPED, StopReason.ITERATION_LIMIT, StopReason.CONVERGED),
        (End.STOPPED, StopReason.STOPPED_BY_USER, StopReason.STOPPED_BY_USER),
    ],
)
def test_a_good_point_is_a_success_whatever_ended_the_loop(
    standard_program: Maker, end: End, stopped: StopReason | None, told: StopReason
) -> None:
    program = standard_program(PROBLEM, X0)
    result = judged(program, claimed(program, [1.0, 1.0], 1.0, 1.0), end, stopped)
    assert result.success and result.stop is told


@pytest.mark.parametrize("stopped", [StopReason.TIME_LIMIT, StopReason.ITERATION_LIMIT, StopReason.STOPPED_BY_USER])
def test_a_stop_before_the_solution_is_told(standard_program: Maker, stopped: StopReason) -> None:
    program = standard_program(PROBLEM, X0)
    result = judged(program, claimed(program, [0.0, 4.0], 0.0, 0.0), End.STOPPED, stopped)
    assert not result.success and result.stop is stopped
    assert stopped.label in result.message and stopped.advice in result.message


def test_no_progress_and_not_finite_are_told(standard_program: Maker) -> None:
    program = standard_program(PROBLEM, X0)
    bad = claimed(program, [0.0, 4.0], 0.0, 0.0)
    for end, stop in ((End.NO_PROGRESS, StopReason.NO_PROGRESS), (End.NOT_FINITE, StopReason.NOT_FINITE)):
        result = judged(program, bad, end)
        assert result.stop is stop and not result.success
        assert stop.advice in result.message


# End to end: one problem per stop reason and per kind ----------------------------------------------------


def sum_of_squares(x: Any) -> Any:
    return x @ x


ENDS: dict[str, tuple[lg.Problem, Any, dict[str, Any], StopReason, PointKind]] = {
    "strict minimum": (
        lg.Problem(sum_of_squares), [1.0, 2.0], {}, StopReason.CONVERGED, PointKind.STRICT_MINIMUM,
    ),
    "not strict": (
        lg.Problem(lambda x: (x[0] + x[1]) ** 2), [1.0, 2.0], {}, StopReason.CONVERGED, PointKind.MINIMUM_NOT_STRICT,
    ),
    "infeasible": (
        lg.Problem(sum_of_squares, {"far": lg.at_least(lambda x: x[0], 5.0)}, bounds=(-1.0, 1.0)),
        [0.0, 0.0], {}, StopReason.CONVERGED, PointKind.INFEASIBLE_STATIONARY,
    ),
    "unbounded": (
        lg.Problem(lambda x: x[0] - x[1]), [0.0, 0.0], {}, StopReason.CONVERGED, PointKind.UNBOUNDED,
    ),
    "no multiplier": (
        lg.Problem(lambda x: x[0], {"cubic": lg.at_least(lambda x: x[0] ** 3, 0.0)}), [1.0], {},
        StopReason.CONVERGED, PointKind.FRITZ_JOHN,
    ),
    "iteration limit": (
        lg.Problem(lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2), [-1.2, 1.0],
        {"max_iterations": 2}, StopReason.ITERATION_LIMIT, PointKind.NOT_STATIONARY,
    ),
    "no iterations": (
        lg.Problem(sum_of_squares), [1.0, 2.0], {"max_iterations": 0}, StopReason.ITERATION_LIMIT,
        PointKind.NOT_STATIONARY,
    ),
    "time limit": (
        lg.Problem(lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2), [-1.2, 1.0],
        {"time_limit": 1e-9}, StopReason.TIME_LIMIT, PointKind.NOT_STATIONARY,
    ),
    "stopped by user": (
        lg.Problem(lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2), [-1.2, 1.0],
        {"callback": lambda record: record.iteration == 3}, StopReason.STOPPED_BY_USER, PointKind.NOT_STATIONARY,
    ),
    "not finite": (
        lg.Problem(lambda x: np.log(x[0])), [-1.0], {}, StopReason.NOT_FINITE, PointKind.NOT_STATIONARY,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_its_stop_reason_and_kind(name: str) -> None:
    problem, x0, options, stop, kind = ENDS[name]
    solution = problem.solve(x0, **options)
    assert (solution.stop, solution.kind) == (stop, kind)
    assert solution.success is kind.is_minimum
    assert solution.message[0].isupper() and "  " not in solution.message
    if not kind.is_minimum:
        assert kind.advice in solution.message


def test_no_progress_where_the_derivatives_are_wrong() -> None:
    wrong = lg.supplied(lambda x: x @ x, lambda x: -2.0 * x, lambda x: 2.0 * np.eye(2))
    solution = lg.Problem(wrong).solve([1.0, 2.0])
    assert solution.stop is StopReason.NO_PROGRESS and not solution.success
    assert "check_derivatives" in solution.message


def test_a_keyboard_interrupt_returns_the_best_point_so_far() -> None:
    def interrupts(record: Any) -> None:
        if record.iteration == 3:
            raise KeyboardInterrupt

    solution = lg.Problem(lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2).solve(
        [-1.2, 1.0], callback=interrupts
    )
    assert solution.stop is StopReason.STOPPED_BY_USER and not solution.success
    assert any(np.array_equal(solution.x, entry.x) for entry in solution.history)


def test_what_is_to_blame_is_named() -> None:
    infeasible = ENDS["infeasible"][0].solve([0.0, 0.0])
    assert set(infeasible.result.blame) == {"far", "upper bound of x[0]"}
    assert "far" in infeasible.message and "upper bound of x[0]" in infeasible.message
    unbounded = ENDS["unbounded"][0].solve([0.0, 0.0])
    assert set(unbounded.result.blame) == {"x[0] -1", "x[1] +1"}
    not_finite = ENDS["not finite"][0].solve([-1.0])
    assert "objective" in not_finite.message and "x[0] = -1" in not_finite.message


def test_dependent_rows_are_named_and_do_not_hinder() -> None:
    problem = lg.Problem(
        sum_of_squares,
        {
            "budget": lg.equals(lambda x: x[0] + x[1], 2.0),
            "budget again": lg.equals(lambda x: 3.0 * (x[0] + x[1]), 6.0),
        },
    )
    solution = problem.solve([5.0, 0.0])
    assert solution.success
    np.testing.assert_allclose(solution.x, [1.0, 1.0], atol=1e-9)
    (group,) = solution.result.dependent
    assert set(group) == {"budget", "budget again"}
    assert "multipliers are not unique" in solution.message


@pytest.mark.parametrize(
    ("lower", "upper", "kind", "blame"),
    [
        (None, 3.0, PointKind.STRICT_MINIMUM, ()),
        (2.5, 3.0, PointKind.INFEASIBLE_STATIONARY, ("sum",)),
    ],
)
def test_all_variables_fixed(lower: float | None, upper: float, kind: PointKind, blame: tuple[str, ...]) -> None:
    low = -np.inf if lower is None else lower
    problem = lg.Problem(sum_of_squares, {"sum": lg.between(low, lambda x: x.sum(), upper)}, bounds=(1.0, 1.0))
    solution = problem.solve([7.0, 7.0])
    np.testing.assert_array_equal(solution.x, [1.0, 1.0])
    assert solution.kind is kind and solution.result.blame == blame
    assert solution.stop is StopReason.CONVERGED


def test_the_objective_is_the_user_s_for_maximize() -> None:
    solution = lg.Problem(maximize=lambda x: 5.0 - x @ x).solve([1.0, 2.0])
    assert solution.success and solution.objective == pytest.approx(5.0)
    stopped = lg.Problem(maximize=lambda x: 5.0 - x @ x).solve([1.0, 2.0], max_iterations=0)
    assert stopped.objective == 0.0
