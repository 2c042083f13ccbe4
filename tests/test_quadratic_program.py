"""The quadratic program of a Newton step: the right active set and multipliers, or None; compared with CVXPY."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.standard_form import StandardForm, standard_form
from lagrange.newton.quadratic_program import Linearization, bound_multipliers, solve_quadratic_program

INF = np.inf
AGREEMENT = 1e-6  # with CVXPY's interior-point solver
EXACT = 1e-9  # of the KKT conditions
Sides = tuple[Vector, Vector]


def linearization(
    form: StandardForm, x: Vector, g: Vector, W: Vector, C: Vector, y: Vector | None = None
) -> Linearization:
    """g'(x) and W at x with linear rows c(x) = C x, in the standard order of the form."""
    rows = C[form.rows]
    c = rows @ x
    d = form.distances(np.concatenate([x, c[form.equalities :]]))
    offset = np.concatenate([form.right_sides, np.zeros(form.m - form.equalities)])
    y = np.zeros(form.m) if y is None else y
    return Linearization(x, y, 0.0, c - offset, d, g, rows, W)


class RandomProgram:
    """minimize q'x + x'Qx / 2 over equalities, two-sided rows and bounds; feasible, strictly convex."""

    def __init__(self, seed: int, n: int = 5, equalities: int = 1, inequalities: int = 3) -> None:
        rng = np.random.default_rng(seed)
        square = rng.normal(size=(n, n))
        self.Q, self.q = square @ square.T + np.eye(n), 3.0 * rng.normal(size=n)
        self.C = rng.normal(size=(equalities + inequalities, n))
        inside = rng.normal(size=n)
        c = self.C @ inside
        lo, hi = c - rng.uniform(0.1, 1.0, c.size), c + rng.uniform(0.1, 1.0, c.size)
        lo[:equalities] = hi[:equalities] = c[:equalities]
        lo[equalities + 1 :] = -INF
        self.sides: Sides = (lo, hi)
        self.bounds: Sides = (inside - rng.uniform(0.1, 1.0, n), inside + rng.uniform(0.1, 1.0, n))
        self.bounds[1][0] = INF
        self.start = rng.normal(size=n)
        self.form = standard_form(*self.bounds, *self.sides)

    def at(self, x: Vector, y: Vector | None = None) -> Linearization:
        return linearization(self.form, x, self.q + self.Q @ x, self.Q, self.C, y)

    def cvxpy_solution(self) -> Vector:
        x = cp.Variable(self.q.size)
        rows = np.concatenate([self.C, np.eye(x.size)])
        lower, upper = (np.concatenate(pair) for pair in zip(self.sides, self.bounds, strict=True))
        equal, below, above = lower == upper, np.isfinite(upper), np.isfinite(lower)
        constraints = [
            rows[equal] @ x == lower[equal],
            rows[below & ~equal] @ x <= upper[below & ~equal],
            rows[above & ~equal] @ x >= lower[above & ~equal],
        ]
        objective = 0.5 * cp.quad_form(x, cp.psd_wrap(self.Q)) + self.q @ x
        cp.Problem(cp.Minimize(objective), constraints).solve(solver=cp.CLARABEL)
        return np.asarray(x.value)


def assert_optimal(program: RandomProgram, x: Vector, y: Vector, active: Mask) -> None:
    """The KKT conditions of the quadratic program, exactly."""
    form, at = program.form, program.at(x)
    gradient = at.g + y @ at.J
    z = bound_multipliers(form, gradient, y, active)
    np.testing.assert_allclose(np.concatenate([gradient, -y[form.equalities :]]), form.scatter(z), atol=EXACT)
    np.testing.assert_allclose(at.c[: form.equalities], 0.0, atol=EXACT)
    np.testing.assert_allclose(at.d[active], 0.0, atol=EXACT)
    assert (at.d >= -EXACT).all() and (z >= -EXACT).all() and (z[~active] == 0.0).all()


@pytest.mark.parametrize("seed", range(12))
def test_random_convex_programs(seed: int) -> None:
    program = RandomProgram(seed)
    expected = program.cvxpy_solution()
    distances = program.form.distances(np.concatenate([expected, (program.C @ expected)[program.form.equalities :]]))
    # From the right active set one system suffices, wherever x and y are.
    at = program.at(program.start, y=np.random.default_rng(seed).normal(size=program.form.m))
    solved = solve_quadratic_program(program.form, at, distances < 1e-4)
    assert solved is not None
    np.testing.assert_allclose(solved[0], expected, atol=AGREEMENT)
    assert_optimal(program, *solved)


def test_from_no_guess_some_programs_are_solved_and_no_answer_is_wrong() -> None:
    solved = 0
    for seed in range(40):
        program = RandomProgram(seed)
        answer = solve_quadratic_program(program.form, program.at(program.start), np.zeros(program.form.index.size) > 0)
        if answer is not None:
            assert_optimal(program, *answer)
            solved += 1
    assert solved >= 10


def test_held_variables_are_exactly_at_their_bounds() -> None:
    # 0.1 + 0.2 - 0.2 is not 0.1 in floating point: x must be set, not stepped, to the bound.
    form = standard_form(np.array([0.1, -INF]), np.array([INF, INF]), np.empty(0), np.empty(0))
    at = linearization(form, np.array([0.30000000000000004, 1.0]), np.ones(2), np.eye(2), np.empty((0, 2)))
    solved = solve_quadratic_program(form, at, np.array([True]))
    assert solved is not None and solved[0][0] == 0.1


def test_a_wrong_guess_is_corrected() -> None:
    # minimize (x0 - 2)^2 / 2 + (x1 + 1)^2 / 2 over 0 <= x <= 1: x = (1, 0), z = 1 on both; guessed: the lower bounds.
    form = standard_form(np.zeros(2), np.ones(2), np.empty(0), np.empty(0))
    x = np.array([0.5, 0.5])
    at = linearization(form, x, x - [2.0, -1.0], np.eye(2), np.empty((0, 2)))
    solved = solve_quadratic_program(form, at, form.sign > 0)
    assert solved is not None
    x, y, active = solved
    np.testing.assert_array_equal(x, [1.0, 0.0])
    assert {(int(i), float(s)) for i, s in zip(form.index[active], form.sign[active], strict=True)} == {
        (0, -1.0), (1, 1.0),
    }  # fmt: skip
    z = bound_multipliers(form, x - [2.0, -1.0], y, active)
    np.testing.assert_allclose(z[active], [1.0, 1.0])


def test_a_vertex_of_a_linear_program() -> None:
    # minimize -x0 - x1 subject to x0 + 2 x1 <= 4, 3 x0 + x1 <= 6: the vertex (1.6, 1.2).
    C = np.array([[1.0, 2.0], [3.0, 1.0]])
    form = standard_form(np.full(2, -INF), np.full(2, INF), np.full(2, -INF), np.array([4.0, 6.0]))
    at = linearization(form, np.zeros(2), -np.ones(2), np.zeros((2, 2)), C)
    solved = solve_quadratic_program(form, at, np.ones(2, dtype=bool))
    assert solved is not None
    np.testing.assert_allclose(solved[0], [1.6, 1.2])
    np.testing.assert_allclose(solved[1], np.linalg.solve(C.T, np.ones(2)))


def test_an_indefinite_hessian_on_the_right_tangent_space() -> None:
    # minimize x0^2 - x1^2 over 0 <= x1 <= 1 at x1 = 1: fine while x1 is held.
    form = standard_form(np.array([-INF, 0.0]), np.array([INF, 1.0]), np.empty(0), np.empty(0))
    at = linearization(form, np.array([3.0, 0.9]), np.array([6.0, -1.8]), np.diag([2.0, -2.0]), np.empty((0, 2)))
    solved = solve_quadratic_program(form, at, form.sign < 0)
    assert solved is not None
    np.testing.assert_allclose(solved[0], [0.0, 1.0], atol=1e-15)


# Where the method fails, it says so ----------------------------------------------------------------------

FREE_FORM = standard_form(np.full(2, -INF), np.full(2, INF), np.empty(0), np.empty(0))
NOTHING = np.zeros(0, dtype=bool)


def test_negative_curvature() -> None:
    at = linearization(FREE_FORM, np.ones(2), np.ones(2), np.diag([1.0, -1.0]), np.empty((0, 2)))
    assert solve_quadratic_program(FREE_FORM, at, NOTHING) is None


def test_along_a_flat_direction_the_step_is_as_long_as_x() -> None:
    # No curvature to rounding: regularized by the gradient, so that the step can be checked, and no vertex is claimed.
    at = linearization(FREE_FORM, np.array([0.0, 5.0]), np.array([0.0, 3.0]), np.diag([1.0, 0.0]), np.empty((0, 2)))
    solved = solve_quadratic_program(FREE_FORM, at, NOTHING)
    assert solved is not None and np.allclose(solved[0], [0.0, 0.0], rtol=0, atol=1e-12)


def test_curvature_as_small_as_the_gradient_may_be_of_either_sign() -> None:
    # In a valley of minima the curvature along it is of the order of the gradient, and its sign tells nothing yet.
    W = np.diag([1.0, -1e-3])
    near, far = (
        linearization(FREE_FORM, np.ones(2), np.array([size, 0.0]), W, np.empty((0, 2))) for size in (1e-2, 1e-4)
    )
    assert solve_quadratic_program(FREE_FORM, near, NOTHING) is not None
    assert solve_quadratic_program(FREE_FORM, far, NOTHING) is None


def test_both_sides_of_one_interval() -> None:
    form = standard_form(np.zeros(1), np.ones(1), np.empty(0), np.empty(0))
    at = linearization(form, np.array([0.5]), np.array([1.0]), np.eye(1), np.empty((0, 1)))
    assert solve_quadratic_program(form, at, np.ones(2, dtype=bool)) is None


def test_no_feasible_point() -> None:
    # x0 + x1 <= -1 with x >= 0, from every guess.
    C = np.ones((1, 2))
    form = standard_form(np.zeros(2), np.full(2, INF), np.array([-INF]), np.array([-1.0]))
    at = linearization(form, np.ones(2), np.ones(2), np.eye(2), C)
    for guess in range(8):
        active = np.array([bool(guess & 1), bool(guess & 2), bool(guess & 4)])
        assert solve_quadratic_program(form, at, active) is None


@pytest.mark.parametrize("upper", [None, 1.0])
def test_equations_that_contradict_each_other(upper: float | None) -> None:
    # x0 + x1 = 1 and 2 x0 + 2 x1 = 4.
    C = np.array([[1.0, 1.0], [2.0, 2.0]])
    bounds = np.full(2, -INF), np.full(2, INF if upper is None else upper)
    form = standard_form(*bounds, np.array([1.0, 4.0]), np.array([1.0, 4.0]))
    at = linearization(form, np.zeros(2), np.ones(2), np.eye(2), C)
    assert solve_quadratic_program(form, at, np.zeros(form.index.size, dtype=bool)) is None


def test_equations_that_repeat_each_other_are_solved() -> None:
    C = np.array([[1.0, 1.0], [2.0, 2.0]])
    form = standard_form(np.full(2, -INF), np.full(2, INF), np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    solved = solve_quadratic_program(form, linearization(form, np.zeros(2), np.zeros(2), np.eye(2), C), NOTHING)
    assert solved is not None
    np.testing.assert_allclose(solved[0], [0.5, 0.5])
    np.testing.assert_allclose(C.T @ solved[1], [-0.5, -0.5])
