"""Restoration: less violation until the filter accepts, or a stationary point of the violation; never a false claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.scaling import Scaling, StandardProgram
from lagrange.model.named_pytree import Vector
from lagrange.model.settings import Settings
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.barrier import Barrier, Iterate
from lagrange.newton.filter import Filter
from lagrange.newton.monitor import Monitor
from lagrange.newton.restoration import REQUIRED_DECREASE, Restoration, Restored, restore
from lagrange.newton.starting_point import starting_point

Maker = Callable[..., StandardProgram]
MU = 0.1


def restored(
    program: StandardProgram, x: Vector, filter: Filter | None = None, **settings: Any
) -> tuple[Iterate, Restoration, Monitor]:
    it = starting_point(program, x)
    barrier, monitor = Barrier(program.form), Monitor(Settings(**settings), print, None)
    if filter is None:
        # As the barrier phase does before it calls for restoration.
        filter = Filter(theta_max=1e4 * max(1.0, it.theta))
        filter.add(it.theta, barrier.value(it.f, it.d, MU))
    return it, restore(program, barrier, it, MU, filter, monitor), monitor


FEASIBLE = {
    "circle and line": (
        lg.Problem(
            lambda x: x[0],
            {
                "circle": lg.equals(lambda x: x @ x, 25.0),
                "line": lg.equals(lambda x: x[0] - x[1], 1.0),
            },
        ),
        np.array([30.0, -7.0]),
    ),
    "bounds in the way": (
        lg.Problem(
            lambda x: x.sum(),
            {"product": lg.equals(lambda x: x[0] * x[1], 12.0), "above": lg.at_least(lambda x: x[0] ** 2, 16.0)},
            bounds=(0.0, 10.0),
        ),
        np.array([0.5, 0.5]),
    ),
}


@pytest.mark.parametrize("name", FEASIBLE)
def test_it_reduces_the_violation_to_a_point_that_the_filter_accepts(standard_program: Maker, name: str) -> None:
    problem, x = FEASIBLE[name]
    program = standard_program(problem, x)
    it = starting_point(program, x)
    barrier = Barrier(program.form)
    filter = Filter(theta_max=1e4 * it.theta)
    filter.add(it.theta, barrier.value(it.f, it.d, MU))
    it, end, _ = restored(program, x, filter)
    assert end.end is Restored.FEASIBLE_ENOUGH
    after = end.iterate
    assert after.theta <= REQUIRED_DECREASE * it.theta
    assert filter.accepts(after.theta, barrier.value(after.f, after.d, MU))
    # What it returns belongs together.
    f, h = program.values(after.v)
    assert after.f == f and (after.d > 0.0).all() and (after.z > 0.0).all()
    np.testing.assert_array_equal(after.h, h)
    np.testing.assert_allclose(after.d, barrier.distances(after.v), rtol=1e-6, atol=1e-10)


def test_the_iterations_are_recorded_as_restoration(standard_program: Maker) -> None:
    problem, x = FEASIBLE["circle and line"]
    _, _, monitor = restored(standard_program(problem, x), x)
    assert monitor.iterations > 0
    assert {entry.phase for entry in monitor.history} == {"restoration"}


def test_it_goes_on_while_the_filter_refuses(standard_program: Maker) -> None:
    problem, x = FEASIBLE["circle and line"]
    program = standard_program(problem, x)
    strict = Filter(theta_max=1e-6)
    _, end, _ = restored(program, x, strict)
    assert end.end is Restored.FEASIBLE_ENOUGH and end.iterate.theta <= 1e-6


def test_it_stops_at_the_iteration_limit(standard_program: Maker) -> None:
    problem, x = FEASIBLE["circle and line"]
    _, end, monitor = restored(standard_program(problem, x), x, Filter(theta_max=1e-9), max_iterations=1)
    assert end.end is Restored.STOPPED and monitor.stop is StopReason.ITERATION_LIMIT


# Conflicts -----------------------------------------------------------------------------------------------

UNIT = Scaling(1.0, np.ones(2))


@pytest.mark.parametrize("x", [[3.0, -2.0], [-40.0, 11.0]])
def test_parallel_lines_end_midway_between(standard_program: Maker, x: list[float]) -> None:
    problem = lg.Problem(
        lambda x: x @ x,
        {"one": lg.equals(lambda x: x[0] + x[1], 0.0), "two": lg.equals(lambda x: x[0] + x[1], 4.0)},
    )
    _, end, _ = restored(standard_program(problem, x, scaling=UNIT), np.array(x), Filter(theta_max=1e-6))
    assert end.end is Restored.INFEASIBLE_STATIONARY
    np.testing.assert_allclose(end.iterate.h, [2.0, -2.0], atol=1e-4)
    assert end.iterate.v.sum() == pytest.approx(2.0, abs=1e-4)


def test_a_circle_out_of_the_box_ends_at_the_nearest_corner(standard_program: Maker) -> None:
    problem = lg.Problem(lambda x: x[0], {"circle": lg.equals(lambda x: x @ x, 25.0)}, bounds=(-1.0, 1.0))
    program = standard_program(problem, np.array([0.3, 0.5]), scaling=Scaling(1.0, np.ones(1)))
    _, end, _ = restored(program, np.array([0.3, 0.5]))
    assert end.end is Restored.INFEASIBLE_STATIONARY
    np.testing.assert_allclose(np.abs(end.iterate.v), [1.0, 1.0], atol=1e-4)
    assert end.iterate.h[0] == pytest.approx(-23.0, abs=1e-2)


def test_a_saddle_of_the_violation_is_left(standard_program: Maker) -> None:
    # ||h||^2 = (x0^2 - 1)^2 + x1^2 is stationary at 0, where it has negative curvature. A small push leaves it.
    problem = lg.Problem(
        lambda x: x[1], {"fork": lg.equals(lambda x: x[0] ** 2, 1.0), "line": lg.equals(lambda x: x[1], 0.0)}
    )
    _, end, _ = restored(standard_program(problem, np.array([1e-3, 3.0])), np.array([1e-3, 3.0]), Filter(1e-6))
    assert end.end is Restored.FEASIBLE_ENOUGH
    assert abs(end.iterate.v[0]) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e4])
def test_conflicts_are_found_in_any_units(factor: float) -> None:
    problem = lg.Problem(
        lambda x: x @ x,
        {
            "one": lg.equals(lambda x: factor * (x[0] + x[1]), 0.0),
            "two": lg.equals(lambda x: factor * (x[0] + x[1]), 4.0 * factor),
        },
    )
    solution = problem.solve([3.0, -2.0])
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY and not solution.success
    assert {"one", "two"} <= set(solution.result.blame)


def test_it_does_not_go_where_the_objective_is_not_defined(standard_program: Maker) -> None:
    # The constraint asks for x = -4, the logarithm for x > 0.
    problem = lg.Problem(lambda x: np.log(x[0]), {"line": lg.equals(lambda x: x[0], -4.0)})
    program = standard_program(problem, np.array([3.0]))
    _, end, monitor = restored(program, np.array([3.0]), Filter(theta_max=1e-6), max_iterations=100)
    assert end.end is not Restored.FEASIBLE_ENOUGH
    assert np.isfinite(end.iterate.f) and end.iterate.v[0] > 0.0
    assert all(np.isfinite(entry.objective) for entry in monitor.history)


def test_a_feasible_start_is_no_proof_of_infeasibility(standard_program: Maker) -> None:
    problem, _ = FEASIBLE["circle and line"]
    x = np.array([4.0, 3.0]) + 1e-9
    program = standard_program(problem, x)
    assert 0.0 < starting_point(program, x).theta < 1e-6
    # No point is good enough for this filter: it gives up, and blames no constraint.
    _, end, _ = restored(program, x, Filter(theta_max=-1.0))
    assert end.end is Restored.FAILED
