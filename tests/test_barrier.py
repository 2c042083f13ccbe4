"""The barrier: its value and derivative, the interior it starts in, steps to the boundary, and the error measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lagrange.model.named_pytree import Vector
from lagrange.model.standard_form import StandardForm, standard_form
from lagrange.newton.barrier import (
    BOUND_PUSH,
    BOUND_RELAXATION,
    DAMPING,
    MULTIPLIER_CORRIDOR,
    Barrier,
    Iterate,
    fraction_to_boundary,
    kkt_errors,
)

INF = np.inf
LOWER = np.array([0.0, -INF, -1.0, -INF])  # one lower, one upper, both sides, none
UPPER = np.array([INF, 5.0, 3.0, INF])
V = np.array([2.0, 1.0, 0.5, -7.0])
MU = 0.3
STEP = 1e-6


def form_of(lower: Vector = LOWER, upper: Vector = UPPER) -> StandardForm:
    return standard_form(lower, upper, np.empty(0), np.empty(0))


def test_bounds_are_relaxed_outward_relative_to_their_size() -> None:
    form = form_of(np.array([2000.0, -INF]), np.array([INF, -0.5]))
    distances = Barrier(form).distances(np.array([2000.0, -0.5]))
    np.testing.assert_allclose(distances, [2000.0 * BOUND_RELAXATION, BOUND_RELAXATION], rtol=1e-6)
    np.testing.assert_array_equal(Barrier(form, 0.0).distances(np.array([2001.0, -2.5])), [1.0, 2.0])


def test_the_value_is_that_of_the_formula() -> None:
    barrier = Barrier(form_of(), 0.0)
    one_sided = 2.0 + 4.0  # the distances of x0 and x1
    expected = 9.0 - MU * math.log(2.0 * 4.0 * 1.5 * 2.5) + DAMPING * MU * one_sided
    assert barrier.value(9.0, barrier.distances(V), MU) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("d", [[0.0, 1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, 1.0]])
def test_the_value_is_infinite_outside(d: list[float]) -> None:
    assert Barrier(form_of()).value(9.0, np.array(d), MU) == math.inf


def test_without_bounds_the_value_is_the_objective() -> None:
    assert Barrier(form_of(LOWER[3:], UPPER[3:])).value(9.0, np.empty(0), MU) == 9.0


def test_the_force_is_minus_the_derivative_of_the_value() -> None:
    form = form_of()
    barrier = Barrier(form)
    force = form.scatter(barrier.force(barrier.distances(V), MU))
    for i, unit in enumerate(np.eye(4)):
        up, down = (barrier.value(0.0, barrier.distances(V + s * STEP * unit), MU) for s in (1.0, -1.0))
        assert force[i] == pytest.approx(-(up - down) / (2.0 * STEP), abs=1e-8)


def test_steps_are_the_change_of_the_distances() -> None:
    barrier, dv = Barrier(form_of()), np.array([0.1, -0.2, 0.3, 0.4])
    np.testing.assert_allclose(barrier.steps(dv), barrier.distances(V + dv) - barrier.distances(V), atol=1e-15)


def test_the_interior_leaves_alone_what_is_well_inside() -> None:
    np.testing.assert_array_equal(Barrier(form_of()).interior(V), V)


@given(
    st.lists(
        st.tuples(st.sampled_from([-INF, -1e6, -1.0, 0.0]), st.sampled_from([1e-9, 1.0, 1e6, INF]),
                  st.floats(-1e7, 1e7)),
        min_size=1, max_size=5,
    )
)  # fmt: skip
@settings(derandomize=True, deadline=None, max_examples=80)
def test_the_interior_is_inside_every_interval(sides: list[tuple[float, float, float]]) -> None:
    lower, upper, v = (np.array(column) for column in zip(*sides, strict=True))
    barrier = Barrier(form_of(lower, upper))
    inside = barrier.interior(v)
    assert (barrier.distances(inside) > 0.0).all()
    # It moves no further than a hundredth of the interval, or of max(1, |bound|), beyond the nearest point.
    nearest = np.clip(v, lower, upper)
    size = np.maximum(1.0, np.abs(nearest))
    furthest = 1.02 * BOUND_PUSH * np.minimum(size, upper - lower) + BOUND_RELAXATION * size
    assert (np.abs(inside - nearest) <= furthest).all()


# Steps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "steps", "tau", "alpha"),
    [
        ([], [], 0.99, 1.0),
        ([1.0], [1.0], 0.99, 1.0),
        ([1.0], [-0.5], 0.99, 1.0),
        ([1.0], [-0.99], 0.99, 1.0),
        ([1.0], [-1.0], 0.99, 0.99),
        ([1.0, 4.0], [-1.0, -8.0], 0.9, 0.45),
        ([1e-20, 1.0], [-1.0, 0.0], 0.5, 0.5e-20),
    ],
)
def test_fraction_to_boundary(values: list[float], steps: list[float], tau: float, alpha: float) -> None:
    assert fraction_to_boundary(np.array(values), np.array(steps), tau) == pytest.approx(alpha, rel=1e-14)


@given(st.lists(st.tuples(st.floats(1e-8, 1e8), st.floats(-1e8, 1e8)), min_size=1, max_size=6),
       st.floats(0.5, 0.999))  # fmt: skip
@settings(derandomize=True, deadline=None, max_examples=80)
def test_the_fraction_is_the_largest_that_keeps_inside(pairs: list[tuple[float, float]], tau: float) -> None:
    values, steps = (np.array(column) for column in zip(*pairs, strict=True))
    alpha = fraction_to_boundary(values, steps, tau)
    assert 0.0 < alpha <= 1.0
    floor = (1.0 - tau) * values
    assert (values + alpha * steps >= floor - 1e-12 * values).all()
    if alpha < 1.0:
        assert (values + 1.001 * alpha * steps < floor).any()


def test_the_corridor_keeps_z_near_the_central_path() -> None:
    barrier, d, mu = Barrier(form_of()), np.full(4, 0.5), 1e-3
    center = mu / 0.5
    z = np.array([center, 1e30, 1e-30, 10.0 * center])
    expected = [center, center * MULTIPLIER_CORRIDOR, center / MULTIPLIER_CORRIDOR, 10.0 * center]
    np.testing.assert_allclose(barrier.corridor(z, d, mu), expected)


# Errors --------------------------------------------------------------------------------------------------


def iterate(y: list[float], z: list[float], d: list[float], h: list[float]) -> Iterate:
    return Iterate(np.zeros(2), np.array(y), np.array(z), np.array(d), 0.0, np.array(h))


def test_errors_of_a_small_iterate() -> None:
    it = iterate(y=[-3.0], z=[2.0, 0.1], d=[0.5, 4.0], h=[-0.2, 0.1])
    errors = kkt_errors(np.array([0.3, -0.7]), it)
    assert (errors.dual, errors.primal) == (0.7, 0.2)
    assert (errors.largest_product, errors.smallest_product) == (1.0, 0.4)
    assert (errors.dual_scale, errors.product_scale) == (1.0, 1.0)
    assert errors.total(0.0) == 1.0
    assert errors.total(0.9) == 0.7  # products are 0.1 above and 0.5 below, the dual residual is larger
    assert errors.total(3.0) == 2.6  # the smallest product is furthest from mu
    assert it.theta == pytest.approx(0.3)


def test_large_multipliers_relax_the_measure() -> None:
    errors = kkt_errors(np.array([4.0]), iterate(y=[-500.0], z=[1000.0, 0.0], d=[1e-3, 1.0], h=[0.0]))
    assert errors.dual_scale == pytest.approx((500.0 + 1000.0) / 3 / 100.0)
    assert errors.product_scale == pytest.approx(1000.0 / 2 / 100.0)
    assert errors.total(0.0) == pytest.approx(4.0 / 5.0)


def test_errors_without_bounds_or_rows() -> None:
    errors = kkt_errors(np.array([4.0]), iterate([], [], [], []))
    assert errors.total(0.0) == errors.total(0.1) == 4.0
