"""The active-set phase: quadratic convergence, exact zeros, honest refusals, and openings that make progress."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.scaling import StandardProgram
from lagrange.model.settings import Settings
from lagrange.model.status import StopReason
from lagrange.newton.active_set_phase import guess, opening, polish
from lagrange.newton.barrier import Iterate
from lagrange.newton.monitor import Monitor

Maker = Callable[..., StandardProgram]
TOL = 1e-8
ROUNDING = 1e-12

# HS71: x = (1, 4.743, 3.821, 1.379), active: product, sphere and the lower bound of x0.
HS71 = lg.Problem(
    minimize=lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
    subject_to={
        "product": lg.at_least(lambda x: x[0] * x[1] * x[2] * x[3], 25.0),
        "sphere": lg.equals(lambda x: x @ x, 40.0),
    },
    bounds=(1.0, 5.0),
)
HS71_X = np.array([1.0, 4.742999643, 3.821149979, 1.379408294])
HS71_Y = np.array([0.1614685668, -0.5522936594])  # sphere, product in standard order; signs of this package


def monitor(**settings: Any) -> Monitor:
    return Monitor(Settings(**settings), print, None)


def hs71_active(program: StandardProgram) -> Any:
    form = program.form
    lower_of_x0 = (form.index == 0) & (form.sign > 0)
    product = form.index == form.n
    return lower_of_x0 | product


def test_guess_compares_multiplier_with_distance() -> None:
    nothing = np.empty(0)
    it = Iterate(nothing, nothing, np.array([1.0, 1e-9, 1e-5, 0.5]), np.array([1e-9, 1.0, 1e-4, 0.5]), 0.0, nothing)
    assert guess(it).tolist() == [True, False, False, False]


# Endings -------------------------------------------------------------------------------------------------


def test_newton_from_nearby_converges_quadratically_to_rounding(standard_program: Maker) -> None:
    program = standard_program(HS71, [1.0, 5.0, 5.0, 1.0])
    watch = monitor()
    x = HS71_X + 1e-2 * np.array([0.0, 1.0, -1.0, 1.0])
    point = polish(program, x, 1.02 * HS71_Y, hs71_active(program), watch, TOL)
    assert point is not None
    np.testing.assert_allclose(point.x, HS71_X, atol=1e-8)
    np.testing.assert_allclose(point.y, HS71_Y, atol=1e-8)
    errors = [entry.stationarity for entry in watch.history]
    assert 3 <= len(errors) <= 5
    # Every error is of the order of the square of the one before it.
    assert all(after <= 100.0 * before**2 + ROUNDING for before, after in itertools.pairwise(errors))


def test_inactive_multipliers_and_active_bounds_are_exact(standard_program: Maker) -> None:
    program = standard_program(HS71, [1.0, 5.0, 5.0, 1.0])
    active = hs71_active(program)
    point = polish(program, HS71_X + 1e-4, HS71_Y, active, monitor(), TOL)
    assert point is not None
    assert point.x[0] == 1.0
    np.testing.assert_array_equal(point.active, active)
    assert (point.z[~active] == 0.0).all() and (point.z[active] > 0.0).all()
    assert np.count_nonzero(active) == 2


def test_a_guess_that_lacks_a_row_and_has_one_too_many_is_corrected(standard_program: Maker) -> None:
    program = standard_program(HS71, [1.0, 5.0, 5.0, 1.0])
    wrong = hs71_active(program)
    wrong[program.form.index == program.form.n] = False
    wrong[(program.form.index == 3) & (program.form.sign > 0)] = True  # x3 at 1
    point = polish(program, HS71_X + 1e-2, HS71_Y, wrong, monitor(), TOL)
    assert point is not None
    np.testing.assert_array_equal(point.active, hs71_active(program))
    np.testing.assert_allclose(point.x, HS71_X, atol=1e-8)


def test_an_ending_far_from_any_solution_is_refused(standard_program: Maker) -> None:
    # Newton for a minimum of sqrt(1 + x^2) diverges from x = 2.
    program = standard_program(lg.Problem(lambda x: np.sqrt(1.0 + x[0] ** 2)), [2.0])
    nothing = np.zeros(0, dtype=bool)
    assert polish(program, np.array([2.0]), np.empty(0), nothing, monitor(), TOL) is None


def test_an_ending_whose_step_does_not_reduce_the_violation_is_refused_at_once(standard_program: Maker) -> None:
    # From x = 3, Newton's step for atan(x - 1) = 0 leads to x = -2.5, further from the solution.
    problem = lg.Problem(lambda x: x[0], {"angle": lg.equals(lambda x: np.arctan(x[0] - 1.0), 0.0)})
    program, watch = standard_program(problem, [3.0]), monitor()
    assert polish(program, np.array([3.0]), np.zeros(1), np.zeros(0, dtype=bool), watch, TOL) is None
    assert watch.iterations == 0


def test_an_ending_on_a_maximum_is_refused(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: np.cos(x[0])), [0.1])
    assert polish(program, np.array([0.1]), np.empty(0), np.zeros(0, dtype=bool), monitor(), TOL) is None


def test_an_ending_where_a_function_is_not_finite_is_refused(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: np.log(x[0]) ** 2), [2.0])
    nothing = np.zeros(0, dtype=bool)
    assert polish(program, np.array([-1.0]), np.empty(0), nothing, monitor(), TOL) is None
    # The first Newton step from 2.6 leads below 0.
    assert polish(program, np.array([2.6]), np.empty(0), nothing, monitor(), TOL) is None


def test_the_iteration_limit_is_kept(standard_program: Maker) -> None:
    program = standard_program(HS71, [1.0, 5.0, 5.0, 1.0])
    watch = monitor(max_iterations=1)
    point = polish(program, HS71_X + 1e-2, HS71_Y, hs71_active(program), watch, 1e-14)
    assert point is None and watch.stop is StopReason.ITERATION_LIMIT and watch.iterations == 1


# Openings ------------------------------------------------------------------------------------------------


def test_a_quadratic_program_takes_one_step(standard_program: Maker) -> None:
    problem = lg.Problem(
        lambda x: (x[0] - 1.0) ** 2 + (x[1] - 2.5) ** 2,
        {"a": lg.at_most(lambda x: -x[0] + 2.0 * x[1], 2.0), "b": lg.at_most(lambda x: x[0] + 2.0 * x[1], 6.0)},
        bounds=(0.0, None),
    )
    watch = monitor()
    converged, point = opening(standard_program(problem, [2.0, 0.0]), np.array([2.0, 0.0]), watch, TOL)
    assert converged and watch.iterations == 1
    np.testing.assert_allclose(point.x, [1.4, 1.7], rtol=1e-12)


def test_nothing_to_do_at_a_solution(standard_program: Maker) -> None:
    watch = monitor()
    program = standard_program(lg.Problem(lambda x: x @ x), np.zeros(2))
    converged, point = opening(program, np.zeros(2), watch, TOL)
    assert converged and watch.iterations == 0
    np.testing.assert_array_equal(point.x, [0.0, 0.0])


def test_the_start_is_moved_within_its_bounds(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: (x - 5.0) @ (x - 5.0), bounds=(0.0, 1.0)), np.array([-9.0, 9.0]))
    converged, point = opening(program, np.array([-9.0, 9.0]), monitor(), TOL)
    assert converged
    np.testing.assert_array_equal(point.x, [1.0, 1.0])
    assert point.active.sum() == 2


def test_functions_need_not_be_defined_outside_the_bounds(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: x[0] - 2.0 * np.log(x[0]), bounds=(1.0, None)), [3.0])
    converged, point = opening(program, np.array([-5.0]), monitor(), TOL)
    assert converged
    np.testing.assert_allclose(point.x, [2.0], rtol=1e-9)


def test_an_opening_stops_where_a_full_step_goes_uphill(standard_program: Maker) -> None:
    # The first steps from 1.2 overshoot further and further: sqrt(1 + x^2) grows.
    program = standard_program(lg.Problem(lambda x: np.sqrt(1.0 + x[0] ** 2)), [1.2])
    watch = monitor()
    converged, point = opening(program, np.array([1.2]), watch, TOL)
    assert not converged and watch.iterations == 0
    np.testing.assert_array_equal(point.x, [1.2])


def test_the_last_good_point_of_an_opening_is_no_worse_than_the_start(standard_program: Maker) -> None:
    rosenbrock = lg.Problem(lambda x: 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2)
    x = np.array([-1.2, 1.0])
    program = standard_program(rosenbrock, x)
    _, point = opening(program, x, monitor(), TOL)
    assert program.objective_and_rows(point.x)[0] <= program.objective_and_rows(x)[0]


def test_an_opening_does_not_accept_a_maximum(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: -((x[0] - 1.0) ** 2), bounds=(-4.0, 8.0)), [0.9])
    converged, point = opening(program, np.array([0.9]), monitor(), TOL)
    assert not converged or point.x[0] in (-4.0, 8.0)


def test_an_opening_where_a_function_is_not_finite_ends_at_once(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: np.log(x[0]) ** 2), [2.0])
    converged, point = opening(program, np.array([-1.0]), monitor(), TOL)
    assert not converged
    np.testing.assert_array_equal(point.x, [-1.0])


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_error_is_relative_to_the_units_of_the_objective(standard_program: Maker, factor: float) -> None:
    problem = lg.Problem(
        lambda x: factor * (np.exp(x[0]) + x[1] ** 2), {"sum": lg.at_least(lambda x: x[0] + x[1], 1.0)}
    )
    program = standard_program(problem, np.array([0.5, 0.5]))
    converged, point = opening(program, np.array([0.5, 0.5]), monitor(), TOL)
    assert converged
    # exp(x0) = 2 (1 - x0)
    assert np.exp(point.x[0]) == pytest.approx(2.0 * (1.0 - point.x[0]), rel=1e-7)
    y, _ = program.unscaled_multipliers(point.y, point.z)
    assert y[0] == pytest.approx(-factor * np.exp(point.x[0]), rel=1e-7)
