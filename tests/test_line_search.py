"""The line search: what it accepts, what it adds to the filter, and its second-order corrections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.factorization import Factorization
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.model.named_pytree import Vector
from lagrange.newton.barrier import Barrier, Iterate
from lagrange.newton.filter import Filter
from lagrange.newton.line_search import ARMIJO, Progress, Step, search, trial

Maker = Callable[..., StandardProgram]
MU, TAU = 1e-3, 0.99

VALLEY = lg.Problem(lambda x: x @ x)
BOUNDED = lg.Problem(lambda x: x @ x, bounds=(0.5, None))
CLIFF = lg.Problem(lambda x: -np.log(x[0]))
CIRCLE = lg.Problem(
    lambda x: 2.0 * (x[0] ** 2 + x[1] ** 2 - 1.0) - x[0],
    {"circle": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0)},
)


@dataclass
class Corrections:
    """In place of a factorization: the directions that corrections get, and the residuals they asked for."""

    solve_with: Callable[[Vector, Vector], tuple[Vector, Vector]]
    residuals: list[Vector] = field(default_factory=list)

    def solve(self, r_v: Vector, r_h: Vector) -> tuple[Vector, Vector]:
        self.residuals.append(-r_h)
        return self.solve_with(r_v, r_h)


def unexpected(r_v: Vector, r_h: Vector) -> tuple[Vector, Vector]:
    raise AssertionError("no second-order correction is expected here")


def iterate_at(program: StandardProgram, x: Vector) -> Iterate:
    barrier = Barrier(program.form)
    f, h = program.values(x)
    return Iterate(x, np.zeros(program.form.m), np.ones(program.form.index.size), barrier.distances(x), f, h)


def step_along(
    program: StandardProgram,
    x: Vector,
    dv: Vector,
    filter: Filter | None = None,
    small_theta: float = 1e-4,
    corrections: Corrections | None = None,
) -> Step | None:
    barrier, it = Barrier(program.form), iterate_at(program, x)
    g, _, _ = program.derivatives(x, it.y)
    slope = float(g @ dv) - float(barrier.force(it.d, MU) @ barrier.steps(dv))
    now = Progress(it.theta, barrier.value(it.f, it.d, MU), slope, small_theta)
    filter = filter or Filter(theta_max=1e4)
    factorization = cast(Factorization, corrections or Corrections(unexpected))
    return search(program, barrier, it, dv, np.zeros(program.form.m), now, MU, TAU, filter, factorization, -g)


def test_a_full_newton_step_is_accepted(standard_program: Maker) -> None:
    x = np.array([3.0, -4.0])
    step = step_along(standard_program(VALLEY, x), x, -x)
    assert step is not None and (step.alpha, step.largest) == (1.0, 1.0)
    np.testing.assert_array_equal(step.v, [0.0, 0.0])
    assert step.f == 0.0 and step.theta == 0.0


def test_a_long_step_is_halved_until_armijo_s_condition_holds(standard_program: Maker) -> None:
    x = np.array([1.0])
    dv = np.array([-16.0])
    step = step_along(standard_program(VALLEY, x), x, dv)
    # f(1 - 16 alpha) < 1 needs alpha < 1/8; at 1/8 the values are equal, and the next is 1/16.
    assert step is not None and step.alpha == 1.0 / 16.0
    assert step.f <= 1.0 + ARMIJO * step.alpha * (2.0 * -16.0)


def test_no_step_uphill(standard_program: Maker) -> None:
    x = np.array([1.0, 1.0])
    assert step_along(standard_program(VALLEY, x), x, x) is None


def test_points_where_the_function_is_not_finite_are_passed_over(standard_program: Maker) -> None:
    x = np.array([1.0])
    program = standard_program(CLIFF, x)
    # To the right the objective falls; to the left it is not defined beyond 0.
    assert trial(program, iterate_at(program, x), np.array([-2.0]), np.empty(0), np.empty(0), 1.0, 1.0) is None
    assert step_along(program, x, np.array([-2.0])) is None
    assert step_along(program, x, np.array([5.0])) is not None


def test_the_first_step_stops_short_of_the_bound(standard_program: Maker) -> None:
    x = np.array([1.0])
    step = step_along(standard_program(BOUNDED, x), x, np.array([-10.0]))
    assert step is not None
    assert step.largest == pytest.approx(TAU * 0.05, rel=1e-6)  # the distance to the bound is 0.5
    assert step.v[0] > 0.5
    np.testing.assert_allclose(step.d, [step.v[0] - 0.5], atol=2e-8)


def test_less_infeasibility_is_accepted_although_the_objective_grows(standard_program: Maker) -> None:
    # From (0.5, 0) along the constraint's Newton step 0.75: the objective rises from -2 to 0.
    x = np.array([0.5, 0.0])
    filter = Filter(theta_max=1e4)
    program = standard_program(CIRCLE, x)
    step = step_along(program, x, np.array([0.5, 0.0]), filter)
    assert step is not None and step.alpha == 1.0 and step.f > program.values(x)[0]
    assert len(filter.entries) == 1
    assert not filter.accepts(0.75, program.values(x)[0])  # the point it came from


def test_the_filter_refuses_what_it_has_seen(standard_program: Maker) -> None:
    x = np.array([0.5, 0.0])
    program = standard_program(CIRCLE, x)
    blocked = Filter(theta_max=1e4)
    blocked.add(0.0, -1e9)
    blocked.add(1e-300, -1e9)
    in_vain = Corrections(lambda r_v, r_h: (np.zeros(2), np.zeros(1)))
    assert step_along(program, x, np.array([0.5, 0.0]), blocked, corrections=in_vain) is None
    assert step_along(program, x, np.array([0.5, 0.0]), Filter(theta_max=-1.0)) is None


def test_near_feasibility_a_descent_direction_must_satisfy_armijo_and_leaves_the_filter_alone(
    standard_program: Maker,
) -> None:
    x = np.array([3.0, -4.0])
    filter = Filter(theta_max=1e4)
    assert step_along(standard_program(VALLEY, x), x, -x, filter) is not None
    assert filter.entries == []


def test_a_second_order_correction_saves_the_full_step(standard_program: Maker) -> None:
    # Maratos's example (Nocedal and Wright 2006, example 15.4), on the circle with the Hessian of the solution's
    # multiplier y = -3/2: the full step increases both the objective and the infeasibility, and is refused.
    x, target = 1.001 * np.array([np.cos(0.3), np.sin(0.3)]), np.array([1.0, 0.0])
    program = standard_program(CIRCLE, x)
    g, J, W = program.derivatives(x, np.array([-1.5]))
    newton = NullSpaceFactorization(W, None, J, 1)
    assert newton.regularize(0.0)
    f, h = program.values(x)
    dv, _ = newton.solve(-g, -h)
    f_full, h_full = program.values(x + dv)
    assert f_full > f and np.abs(h_full) > np.abs(h)

    helpful = Corrections(newton.solve)
    step = step_along(program, x, dv, corrections=helpful)
    assert step is not None and step.alpha == 1.0
    np.testing.assert_allclose(helpful.residuals[0], h + h_full, atol=1e-15)  # aims at h(v + dv) + h(v)
    assert step.f < f and step.theta < np.abs(h_full)[0]
    assert np.linalg.norm(step.v - target) < 0.5 * np.linalg.norm(x - target)

    # A correction that does not help is given up, and a shorter step taken or none.
    useless = Corrections(lambda r_v, r_h: (dv, np.zeros(1)))
    short = step_along(program, x, dv, corrections=useless)
    assert len(useless.residuals) == 1
    assert short is None or short.alpha < 1.0
