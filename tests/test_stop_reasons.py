"""Every stop reason and every kind of point, and what a user sees of a solve while it runs and after it ends."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import lagrange as lg
from lagrange import PointKind, StopReason, at_least, at_most, equals
from lagrange.newton.monitor import HEADER, LINES_PER_HEADER

REPOSITORY = Path(__file__).parents[1]
START = np.array([1.0, 5.0, 5.0, 1.0])
X = [1.0, 4.742999643, 3.821149979, 1.379408293]  # the solution at p = 25 (Hock and Schittkowski 1981, problem 71)
OBJECTIVE = 17.0140173
CLOSE = 1e-6


def hs71() -> lg.Problem:
    """HS71 with the right side of its product as p."""
    return lg.Problem(
        minimize=lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
        subject_to={
            "product": at_least(lambda x: x[0] * x[1] * x[2] * x[3], lambda p: p),
            "squares": equals(lambda x: x @ x, 40.0),
        },
        bounds=(1.0, 5.0),
    )


@pytest.fixture(scope="module")
def problem() -> lg.Problem:
    return hs71()


@pytest.fixture(scope="module")
def solution(problem) -> lg.Solution:
    return problem.solve(START, 25.0)


# Kinds of points that end a solve by itself

ENDS: dict[PointKind, tuple[lg.Problem, list[float]]] = {
    PointKind.STRICT_MINIMUM: (lg.Problem(minimize=lambda x: (x[0] - 1) ** 2), [0.0]),
    PointKind.MINIMUM_NOT_STRICT: (lg.Problem(minimize=lambda x: (x[0] + x[1] - 1) ** 2), [0.0, 0.0]),
    PointKind.FRITZ_JOHN: (
        lg.Problem(minimize=lambda x: x[0], subject_to={"square": at_most(lambda x: x[0] ** 2, 0.0)}),
        [1.0],
    ),
    PointKind.INFEASIBLE_STATIONARY: (
        lg.Problem(minimize=lambda x: x[0], subject_to={"nowhere": equals(lambda x: x[0] ** 2 + 1, 0.0)}),
        [3.0],
    ),
    PointKind.UNBOUNDED: (lg.Problem(minimize=lambda x: x[0]), [0.0]),
}


@pytest.mark.parametrize("kind", ENDS, ids=lambda kind: kind.name)
def test_kind_of_point_where_a_solve_ends_by_itself(kind):
    problem, start = ENDS[kind]
    solution = problem.solve(start)
    assert solution.kind is kind
    assert solution.stop is StopReason.CONVERGED
    assert solution.success is kind.is_minimum
    assert solution.message.lower().startswith(kind.label.lower())
    assert "Stopped" not in solution.message
    if not kind.is_minimum:
        assert kind.advice in solution.message


def test_saddle_is_reported_where_the_solve_may_not_leave_it():
    # One iteration is not enough to go anywhere; none are counted while the start is being judged.
    problem = lg.Problem(minimize=lambda x: x[0] ** 2 - x[1] ** 2)
    solution = problem.solve([0.0, 0.0], max_iterations=1, callback=lambda record: True)
    assert solution.kind in (PointKind.SADDLE_OR_MAXIMUM, PointKind.NOT_STATIONARY)
    assert not solution.success
    untouched = problem.solve([0.0, 0.0], max_iterations=0)
    assert untouched.kind is PointKind.SADDLE_OR_MAXIMUM
    assert untouched.stop is StopReason.ITERATION_LIMIT
    assert not untouched.success
    assert (untouched.x == 0.0).all()


def test_every_member_has_its_own_label_and_advice():
    for enumeration in (StopReason, PointKind):
        assert len({member.label for member in enumeration}) == len(enumeration)
        assert len({member.advice for member in enumeration}) == len(enumeration)
        assert all(member.advice.endswith(".") for member in enumeration)


# Stop reasons


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_iteration_limit(problem, limit):
    solution = problem.solve(START, 25.0, max_iterations=limit)
    assert solution.stop is StopReason.ITERATION_LIMIT
    assert solution.kind is PointKind.NOT_STATIONARY
    assert not solution.success
    assert solution.iterations == limit == len(solution.history)
    assert StopReason.ITERATION_LIMIT.advice in solution.message
    assert PointKind.NOT_STATIONARY.advice in solution.message
    assert np.isfinite(solution.x).all()
    if limit == 0:
        assert (solution.x == START).all()
        assert solution.objective == 16.0
        assert solution.residuals.feasibility == 12.0


def test_iteration_limit_that_is_just_enough(problem, solution):
    again = problem.solve(START, 25.0, max_iterations=solution.iterations)
    assert again.stop is StopReason.CONVERGED
    assert again.success
    assert (again.x == solution.x).all()
    assert again.message == solution.message


def test_time_limit(problem):
    solution = problem.solve(START, 25.0, time_limit=1e-9)
    assert solution.stop is StopReason.TIME_LIMIT
    assert not solution.success
    assert solution.iterations <= 1
    assert StopReason.TIME_LIMIT.advice in solution.message


def test_no_progress():
    solution = lg.Problem(minimize=lambda x: np.abs(x[0] - 0.3)).solve([0.3 + 1e-3])
    assert solution.stop is StopReason.NO_PROGRESS
    assert solution.kind is PointKind.NOT_STATIONARY
    assert not solution.success
    assert "kink" in solution.message


def test_not_finite():
    solution = lg.Problem(minimize=lambda x: np.log(x[0])).solve([-1.0])
    assert solution.stop is StopReason.NOT_FINITE
    assert solution.kind is PointKind.NOT_STATIONARY
    assert not solution.success
    assert solution.history == ()
    assert "objective" in solution.message
    assert "x[0] = -1" in solution.message
    assert "not finite" in str(solution)


@pytest.mark.parametrize("value", [True, 1, "stop"])
def test_callback_stops_the_solve(problem, value):
    solution = problem.solve(START, 25.0, callback=lambda record: value if record.iteration == 4 else None)
    assert solution.stop is StopReason.STOPPED_BY_USER
    assert not solution.success
    assert solution.iterations == 4
    assert StopReason.STOPPED_BY_USER.advice in solution.message


@pytest.mark.parametrize("value", [None, False, 0])
def test_callback_that_lets_the_solve_go_on(problem, solution, value):
    records: list[Any] = []

    def callback(record):
        records.append(record)
        return value

    again = problem.solve(START, 25.0, callback=callback)
    assert again.success
    assert tuple(records) == again.history
    assert (again.x == solution.x).all()


# Ctrl-C


def assert_best_of_history(solution: lg.Solution) -> None:
    """Stopped by the user at the recorded point with the smallest residuals."""
    assert solution.stop is StopReason.STOPPED_BY_USER
    assert not solution.success
    assert "stopped by user" in solution.message
    best = min(solution.history, key=lambda record: max(record.infeasibility, record.stationarity))
    assert np.allclose(solution.x, best.x)


@pytest.mark.parametrize("iteration", [1, 2, 5])
def test_interrupt_in_a_callback_returns_the_best_point(problem, iteration):
    def callback(record):
        if record.iteration == iteration:
            raise KeyboardInterrupt

    solution = problem.solve(START, 25.0, callback=callback)
    assert solution.iterations == iteration
    assert_best_of_history(solution)
    if iteration == 5:
        assert np.allclose(solution.x, X, atol=0.1)
        assert solution.residuals.feasibility < 0.1


def test_signal_in_a_function_returns_the_best_point():
    # What a terminal sends on Ctrl-C, while Python code of the user's is running.
    calls = 0

    def slow(x):
        nonlocal calls
        calls += 1
        if calls == 80:
            signal.raise_signal(signal.SIGINT)
        return float(x[0] - 3) ** 2 + float(x[1]) ** 4

    # Python's own handler, whatever the libraries of other tests have left in its place.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(lg.DerivativeWarning):
            solution = lg.Problem(minimize=slow).solve([1.0, 1.0])
    finally:
        signal.signal(signal.SIGINT, before)
    assert solution.iterations >= 1
    assert_best_of_history(solution)


def test_problem_can_be_solved_after_an_interrupt(problem, solution):
    def callback(record):
        raise KeyboardInterrupt

    assert problem.solve(START, 25.0, callback=callback).stop is StopReason.STOPPED_BY_USER
    again = problem.solve(START, 25.0)
    assert again.success
    assert (again.x == solution.x).all()


# History and progress


def test_history_is_consistent(problem, solution):
    assert solution.success
    assert np.allclose(solution.x, X, atol=CLOSE)
    assert math.isclose(solution.objective, OBJECTIVE, rel_tol=1e-8)
    assert solution.iterations == len(solution.history) > 0
    assert [record.iteration for record in solution.history] == list(range(1, solution.iterations + 1))
    assert {record.phase for record in solution.history} <= {"barrier", "active set", "restoration"}
    for record in solution.history:
        assert record.x.shape == START.shape
        assert math.isclose(record.objective, record.x[0] * record.x[3] * record.x[:3].sum() + record.x[2])
        assert record.infeasibility >= 0.0
        assert record.stationarity >= 0.0
        assert 0.0 <= record.step <= 1.0
    last = solution.history[-1]
    assert np.allclose(last.x, solution.x, rtol=0.0, atol=1e-12)
    assert last.infeasibility <= 1e-8
    evaluations = solution.evaluations
    assert evaluations.values >= solution.iterations
    assert 0.0 <= evaluations.seconds <= solution.time


def test_history_of_a_maximization_has_the_objective_as_stated():
    solution = lg.Problem(maximize=lambda x: 5.0 - (x[0] - 1) ** 4 - (x[0] - 1) ** 2).solve([3.0])
    assert solution.success
    assert math.isclose(solution.objective, 5.0)
    for record in solution.history:
        assert math.isclose(record.objective, 5.0 - (record.x[0] - 1) ** 4 - (record.x[0] - 1) ** 2)


def test_history_has_all_variables_where_some_are_fixed():
    problem = lg.Problem(minimize=lambda x: (x[0] * x[1] - 3) ** 2 + (x[1] - 1) ** 4, bounds=([2.0, None], [2.0, None]))
    solution = problem.solve([0.0, 5.0])
    assert solution.success
    assert len(solution.history) > 1
    assert all(record.x.shape == (2,) and record.x[0] == 2.0 for record in solution.history)


def test_silent_by_default(problem, capsys):
    problem.solve(START, 25.0)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ""


@pytest.mark.parametrize("every", [1, 3])
def test_progress_lines(problem, solution, capsys, every):
    problem.solve(START, 25.0, verbose=every)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == HEADER
    shown = [record for record in solution.history if record.iteration % every == 0]
    assert len(lines) == len(shown) > 1
    for line, record in zip(lines, shown, strict=True):
        assert len(line) == len(HEADER)  # columns stand under their titles
        assert line.split()[0] == str(record.iteration)
        assert record.phase in line
        objective, infeasibility = line.split(record.phase)[1].split()[:2]
        assert math.isclose(float(objective), record.objective, rel_tol=1e-4)
        assert math.isclose(float(infeasibility), record.infeasibility, rel_tol=1e-2, abs_tol=1e-300)


def test_header_is_repeated(capsys):
    # Rosenbrock's valley from far away takes many iterations.
    valley = lg.Problem(minimize=lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2, bounds=(-50.0, 50.0))
    solution = valley.solve([-30.0, 40.0], verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert solution.iterations > LINES_PER_HEADER
    assert [i for i, line in enumerate(lines) if line == HEADER] == list(range(0, len(lines), LINES_PER_HEADER + 1))
    assert len(lines) - lines.count(HEADER) == solution.iterations


# Solving again


@pytest.mark.parametrize("p", [25.5, 30.0, 20.0])
def test_warm_start_gives_the_answer_of_a_cold_one_in_fewer_iterations(problem, solution, p):
    cold = problem.solve(START, p)
    warm = problem.solve(solution.x, p, warm=solution)
    assert cold.success
    assert warm.success
    assert warm.iterations < cold.iterations
    assert warm.iterations <= 6
    assert np.allclose(warm.x, cold.x, atol=1e-8)
    assert warm.active == cold.active
    for name in cold.multipliers:
        assert math.isclose(warm.multipliers[name], cold.multipliers[name], rel_tol=CLOSE)
    assert np.allclose(warm.bound_multipliers, cold.bound_multipliers, atol=CLOSE)


def test_warm_start_where_the_active_set_changes():
    problem = lg.Problem(minimize=lambda x, p: (x[0] - p) ** 2 + x[1] ** 2, bounds=(0.0, 2.0))
    inside = problem.solve([1.0, 1.0], 1.5)
    outside = problem.solve(inside.x, 3.0, warm=inside)
    back = problem.solve(outside.x, 1.5, warm=outside)
    assert np.allclose(outside.x, [2.0, 0.0])
    assert np.allclose(outside.bound_multipliers, [2.0, 0.0])
    assert np.allclose(back.x, [1.5, 0.0])
    assert np.allclose(back.bound_multipliers, [0.0, 0.0])
    assert outside.success
    assert back.success


def test_warm_start_at_the_same_parameters_needs_nothing(problem, solution):
    again = problem.solve(solution.x, 25.0, warm=solution)
    assert again.success
    assert again.iterations <= 1
    assert np.allclose(again.x, solution.x, rtol=0.0, atol=1e-12)


def test_warm_start_from_a_failed_solve(problem, solution):
    failed = problem.solve(START, 25.0, max_iterations=1)
    again = problem.solve(START, 25.0, warm=failed)
    assert again.success
    assert np.allclose(again.x, solution.x, atol=1e-8)
    nowhere = lg.Problem(minimize=lambda x: np.log(x[0]) + x[0] ** 2, bounds=(None, 5.0))
    not_finite = nowhere.solve([-1.0])
    assert not_finite.stop is StopReason.NOT_FINITE
    assert nowhere.solve([1.0], warm=not_finite).stop is not StopReason.NOT_FINITE


def test_compiles_once_for_all_parameters():
    traced = 0

    def counted(x, p):
        nonlocal traced
        traced += 1
        return (x[0] - p["target"]) ** 2 + x[1] ** 2

    problem = lg.Problem(minimize=counted)
    first, *_ = problem.prepare([0.0, 0.0], {"target": 1.0})
    assert np.allclose(problem.solve([0.0, 0.0], {"target": 1.0}).x, [1.0, 0.0])
    calls = traced
    for target in (2.0, np.float32(3.0), 4, np.array(5.0)):
        solution = problem.solve(np.array([0, 1]), {"target": target})
        assert np.allclose(solution.x, [float(target), 0.0])
        again, *_ = problem.prepare([0.0, 0.0], {"target": target})
        assert again is first
    assert traced == calls
    # Another structure of p is another program.
    assert problem.prepare([0.0, 0.0, 0.0], {"target": 1.0})[0] is not first


def test_solution_keeps_its_own_parameters(problem):
    p = np.array([25.0])
    vector = lg.Problem(minimize=lambda x, p: (x[0] - p[0]) ** 2)
    first = vector.solve([0.0], p)
    p[0] = 30.0
    second = vector.solve([0.0], p)
    assert np.allclose(first.p, 25.0)
    assert np.allclose(first.x, 25.0)
    assert np.allclose(second.x, 30.0)


# Threads and global settings


def test_two_threads_solve_one_problem(problem):
    sweeps = [np.linspace(20.0, 30.0, 15), np.linspace(21.0, 35.0, 15)]
    found: list[list[Any]] = [[], []]
    barrier = threading.Barrier(2)

    def work(k: int) -> None:
        barrier.wait()
        found[k] = [problem.solve(START, p) for p in sweeps[k]]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sweep, solutions in zip(sweeps, found, strict=True):
        assert len(solutions) == sweep.size
        for p, solution in zip(sweep, solutions, strict=True):
            alone = problem.solve(START, p)
            assert solution.success
            assert (solution.x == alone.x).all()
            assert solution.p == p
            assert math.isclose(np.prod(solution.x), p, rel_tol=1e-8)


def test_two_threads_compile_one_new_problem():
    fresh = hs71()
    answers: list[lg.Solution] = []
    barrier = threading.Barrier(2)

    def work(p: float) -> None:
        barrier.wait()
        answers.append(fresh.solve(START, p))

    threads = [threading.Thread(target=work, args=(p,)) for p in (25.0, 30.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.p for answer in answers) == [25.0, 30.0]
    for answer in answers:
        assert answer.success
        assert math.isclose(np.prod(answer.x), answer.p, rel_tol=1e-8)


def test_threads_see_no_64_bit_mode_from_a_solve():
    # While one thread solves in float64, another's JAX arrays stay as they are.
    kinds: list[Any] = []

    def callback(record):
        thread = threading.Thread(target=lambda: kinds.append(jax.numpy.ones(1).dtype))
        thread.start()
        thread.join()

    hs71().solve(START, 25.0, callback=callback)
    assert len(kinds) > 1
    assert set(kinds) == {np.dtype(np.float32)}


def test_solve_changes_no_setting_of_jax_or_numpy():
    before = dict(jax.config.values), np.geterr(), np.get_printoptions()
    assert jax.config.jax_enable_x64 is False
    fresh = hs71()
    assert fresh.solve(START, 25.0).success
    fresh.solve(START, 25.0, max_iterations=1)
    with pytest.raises(ZeroDivisionError):
        lg.Problem(minimize=lambda x: 1 / 0).solve([1.0])
    assert jax.config.jax_enable_x64 is False
    assert jax.numpy.ones(1).dtype == np.float32
    assert (dict(jax.config.values), np.geterr(), np.get_printoptions()) == before


def test_import_changes_no_setting_of_jax_or_numpy():
    program = """
import jax, numpy as np, warnings, signal
def settings():
    return dict(jax.config.values), np.geterr(), list(warnings.filters), signal.getsignal(signal.SIGINT)
before = settings()
import lagrange
assert settings() == before
assert not jax.config.jax_enable_x64
print("unchanged")
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "unchanged", run.stderr
