"""Gradient scaling, and the scaled standard form: what it computes is the user's problem, times known factors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.scaling import LARGEST_GRADIENT, SMALLEST_SCALE, Scaling, StandardProgram, gradient_scaling

Maker = Callable[..., StandardProgram]


FLAT = np.zeros((2, 2))
NO_ROWS = np.empty(0), np.empty(0)
ONE_ROW = np.zeros(1), np.ones(1)


@pytest.mark.parametrize(
    ("gradient", "factor"),
    [
        ([0.0, 0.0], 1.0),
        ([1e-9, 0.0], 1.0),  # its upper side is 1: not in tiny units
        ([3.0, -50.0], 1.0),
        ([LARGEST_GRADIENT, 0.0], 1.0),
        ([1.0, -400.0], 0.25),
        ([1e30, 0.0], SMALLEST_SCALE),
    ],
)
def test_rows_are_scaled_down_where_their_gradient_is_large(gradient: list[float], factor: float) -> None:
    scaling = gradient_scaling(np.ones(2), np.ones(2), np.array([[1.0, 0.0], gradient]), FLAT, ONE_ROW)
    assert scaling.objective == 1.0 and scaling.rows.tolist() == [factor]
    assert scaling.row_sizes.tolist() == [1.0]


@pytest.mark.parametrize(
    ("gradient", "value", "side", "size"),
    [
        (1e-9, 2e-9, 1e-9, 2e-9),
        (1e-9, 0.0, 1.0, 1.0),  # a side of ordinary size: the row is far from it, not in tiny units
        (1e-9, 1.0, 0.0, 1.0),
        (0.0, 0.0, 1e-9, 1.0),  # a gradient of zero tells nothing
        (1e-2, 0.0, 0.0, 1.0),
        (1e-30, 0.0, 0.0, SMALLEST_SCALE**2),
    ],
)
def test_rows_in_tiny_units_are_scaled_up(gradient: float, value: float, side: float, size: float) -> None:
    jacobian, sides = np.array([[1.0, 0.0], [gradient, 0.0]]), (np.array([side]), np.array([np.inf]))
    scaling = gradient_scaling(np.ones(2), np.array([1.0, value]), jacobian, FLAT, sides)
    assert scaling.row_sizes.tolist() == [size]
    assert scaling.rows == pytest.approx([1.0 / size])


@pytest.mark.parametrize("unit", [1e-4, 1e-9, 1e-14])
def test_a_row_in_tiny_units_is_met_all_the_same(unit: float) -> None:
    least = lg.Problem(lambda x: x @ x, {"row": lg.at_least(lambda x: unit * x[0], unit)}).solve([0.0, 0.0])
    assert least.success and np.allclose(least.x, [1.0, 0.0])
    twice = {
        "one": lg.equals(lambda x: unit * x[0], unit),
        "two": lg.equals(lambda x: unit * x[0], 2.0 * unit),
    }
    assert not lg.Problem(lambda x: x @ x, twice).solve([0.0, 0.0]).success


@pytest.mark.parametrize(
    ("size", "curvature", "factor", "typical"),
    [
        (400.0, 0.0, 0.25, 1.0),
        (1e30, 0.0, SMALLEST_SCALE, 1.0),
        (50.0, 0.0, 1.0, 1.0),
        (1e-2, 0.0, 1.0, 1e-2),
        (1e-6, 2.0, 1.0, 1.0),  # a small gradient with curvature: near the solution, not in tiny units
        (1e-6, 1e-5, 1e5, 1e-5),
        (1e-6, 0.0, 1e6, 1e-6),
        (1e-30, 0.0, SMALLEST_SCALE**-2, 1e-30),
        (0.0, 0.0, 1.0, 1.0),
    ],
)
def test_objectives_are_scaled_both_ways(size: float, curvature: float, factor: float, typical: float) -> None:
    scaling = gradient_scaling(np.ones(2), np.ones(1), np.array([[size, 0.0]]), curvature * np.eye(2), NO_ROWS)
    assert scaling.objective == pytest.approx(factor) and scaling.typical_gradient == typical
    assert scaling.rows.shape == (0,)


@pytest.mark.parametrize(
    ("f", "x", "value"),
    [
        (5.0, 0.0, 1.0),
        (1e-3, 0.0, 1e-3),
        (-1e-3, 1e-5, 1e-2),  # over |x| = 1e-5 a gradient of 1e3 changes f by 1e-2
        (0.0, 0.0, 1.0),  # nothing is known: the typical gradient
    ],
)
def test_the_typical_value_of_the_objective(f: float, x: float, value: float) -> None:
    scaling = gradient_scaling(np.array([x, 0.0]), np.array([f]), np.array([[1e3, 1.0]]), FLAT, NO_ROWS)
    assert scaling.typical_value == pytest.approx(value)


# A program with a fixed variable, a row without sides, and the equality last, so that everything is reordered.
PROBLEM = lg.Problem(
    minimize=lambda x: x[0] ** 2 * x[1] + 7.0 * x[2] ** 3 + x[3],
    subject_to={
        "interval": lg.between(-4.0, lambda x: x[0] * x[1] * x[2], 8.0),
        "free": lg.at_most(lambda x: x[0], np.inf),
        "above": lg.at_least(lambda x: x[3] ** 2 + x[2], 2.0),
        "equal": lg.equals(lambda x: x[0] + x[2] * x[3], 5.0),
    },
    bounds=([0.0, 3.0, -np.inf, -np.inf], [np.inf, 3.0, 6.0, np.inf]),
)
X = np.array([1.5, 3.0, -0.5, 2.5])  # x[1] is fixed at 3
FREE = [0, 2, 3]
ORDER = [3, 0, 2]  # rows in standard order: the equality, then the inequalities
SCALING = Scaling(0.5, np.array([0.25, 1.0, 0.1, 0.2]))
Y = np.array([1.1, -0.7, 0.4])  # of the scaled rows, in standard order

# By hand, at X.
F = 1.5**2 * 3.0 + 7.0 * (-0.5) ** 3 + 2.5
C = np.array([1.5 * 3.0 * -0.5, 1.5, 2.5**2 - 0.5, 1.5 - 0.5 * 2.5])
F_GRADIENT = np.array([2 * 1.5 * 3.0, 1.5**2, 21.0 * 0.25, 1.0])
C_JACOBIAN = np.array([
    [3.0 * -0.5, 1.5 * -0.5, 1.5 * 3.0, 0.0],
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 5.0],
    [1.0, 0.0, 2.5, -0.5],
])  # fmt: skip
F_HESSIAN = np.array([[6.0, 3.0, 0, 0], [3.0, 0, 0, 0], [0, 0, -21.0, 0], [0, 0, 0, 0]])
C_HESSIANS = np.zeros((4, 4, 4))
C_HESSIANS[0, 0, 1] = C_HESSIANS[0, 1, 0] = -0.5
C_HESSIANS[0, 0, 2] = C_HESSIANS[0, 2, 0] = 3.0
C_HESSIANS[0, 1, 2] = C_HESSIANS[0, 2, 1] = 1.5
C_HESSIANS[2, 3, 3] = 2.0
C_HESSIANS[3, 2, 3] = C_HESSIANS[3, 3, 2] = 1.0


@pytest.fixture
def program(standard_program: Maker) -> StandardProgram:
    return standard_program(PROBLEM, X, scaling=SCALING)


def test_the_form_is_scaled(program: StandardProgram) -> None:
    form = program.form
    assert form.free.tolist() == FREE and form.rows.tolist() == ORDER and form.equalities == 1
    np.testing.assert_allclose(form.right_sides, [0.2 * 5.0])
    low, high = form.limits()
    np.testing.assert_allclose(low, [0.0, -np.inf, -np.inf, 0.25 * -4.0, 0.1 * 2.0])
    np.testing.assert_allclose(high, [np.inf, 6.0, np.inf, 0.25 * 8.0, np.inf])


def test_values(program: StandardProgram) -> None:
    f, rows = program.objective_and_rows(X[FREE])
    assert f == pytest.approx(0.5 * F)
    np.testing.assert_allclose(rows, [0.2 * (C[3] - 5.0), 0.25 * C[0], 0.1 * C[2]])
    slacks = np.array([0.3, 0.9])
    f, h = program.values(np.concatenate([X[FREE], slacks]))
    assert f == pytest.approx(0.5 * F)
    np.testing.assert_allclose(h, rows - [0.0, 0.3, 0.9])


def test_derivatives(program: StandardProgram) -> None:
    g, J, W = program.derivatives(X[FREE], Y, objective_weight=0.3)
    np.testing.assert_allclose(g, 0.5 * F_GRADIENT[FREE])
    rows = SCALING.rows[ORDER]
    np.testing.assert_allclose(J, rows[:, None] * C_JACOBIAN[np.ix_(ORDER, FREE)])
    hessian = 0.3 * 0.5 * F_HESSIAN + np.tensordot(Y * rows, C_HESSIANS[ORDER], 1)
    np.testing.assert_allclose(W, hessian[np.ix_(FREE, FREE)])


def test_full_x_puts_fixed_variables_back(program: StandardProgram) -> None:
    np.testing.assert_array_equal(program.full_x(np.array([9.0, 8.0, 7.0])), [9.0, 3.0, 8.0, 7.0])


def test_multipliers_go_back_to_the_users_units(program: StandardProgram) -> None:
    form = program.form
    z = np.arange(1.0, 1.0 + form.index.size)
    y_user, z_user = program.unscaled_multipliers(Y, z)
    # Stationarity scales with the objective: s_f (grad f + J'y + z) is what the scaled form sees.
    g, J, _ = program.derivatives(X[FREE], Y)
    scaled = g + J.T @ Y - form.scatter(z)[: form.n]
    unscaled = F_GRADIENT + C_JACOBIAN.T @ y_user + z_user
    np.testing.assert_allclose(scaled, 0.5 * unscaled[FREE])
    assert y_user[1] == 0.0 and z_user[1] == 0.0


def test_signs_of_unscaled_multipliers(program: StandardProgram) -> None:
    form = program.form
    at_upper_of_x2 = ((form.index == 1) & (form.sign < 0)).astype(float)
    at_lower_of_x0 = ((form.index == 0) & (form.sign > 0)).astype(float)
    _, z = program.unscaled_multipliers(np.zeros(3), at_upper_of_x2 + 3.0 * at_lower_of_x0)
    np.testing.assert_allclose(z, [-6.0, 0.0, 2.0, 0.0])


def test_sizes_make_scaled_residuals_relative_to_the_users_sides(program: StandardProgram) -> None:
    form = program.form
    # A user residual of r in "equal" (right side 5) is relative r / 5, in the interval's lower side (-4) r / 4, in
    # the lower bound 0 of x0 r / 1.
    np.testing.assert_allclose(program.equation_sizes, [0.2 * 5.0])
    sizes = {
        (int(i), float(sign)): size for i, sign, size in zip(form.index, form.sign, program.bound_sizes, strict=True)
    }
    assert sizes == pytest.approx(
        {(0, 1.0): 1.0, (1, -1.0): 6.0, (3, 1.0): 0.25 * 4.0, (3, -1.0): 0.25 * 8.0, (4, 1.0): 0.1 * 2.0}
    )


def test_values_are_not_shared_with_the_memory_of_the_evaluation(standard_program: Maker) -> None:
    problem = lg.Problem(lambda x: x @ x, {"above": lg.at_least(lambda x: x.sum(), 1.0)})
    program = standard_program(problem, np.ones(2))
    v = np.array([1.0, 1.0, 0.5])
    _, first = program.values(v)
    _, second = program.values(v)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, [1.5])


@pytest.mark.parametrize("factor", [1.0, 1e4, 1e7])
def test_a_solve_in_large_units_gives_multipliers_in_those_units(factor: float) -> None:
    # minimize factor (x0^2 + x1^2)  subject to  factor^2 (x0 + x1) = 2 factor^2:  x = (1, 1), y = -2 / factor.
    problem = lg.Problem(lambda x: factor * (x @ x), {"sum": lg.equals(lambda x: factor**2 * x.sum(), 2.0 * factor**2)})
    solution = problem.solve([5.0, -3.0])
    assert solution.success
    np.testing.assert_allclose(solution.x, [1.0, 1.0], rtol=1e-9)
    assert solution.multipliers["sum"] == pytest.approx(-2.0 / factor, rel=1e-9)
