"""Second-order verdicts at stationary points: minima, saddles, and the cones of weakly active constraints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.scaling import Scaling, StandardProgram
from lagrange.model.named_pytree import Vector
from lagrange.model.status import PointKind
from lagrange.newton.second_order import Curvature, active_jacobian, curvature, leave

Maker = Callable[..., StandardProgram]
STRICT, UNDECIDED, SADDLE = (
    PointKind.STRICT_MINIMUM,
    PointKind.MINIMUM_NOT_STRICT,
    PointKind.SADDLE_OR_MAXIMUM,
)

# f = q'x + x'Qx / 2 over x >= 0: at x = 0 the bound i is strongly active where q_i > 0, weakly where q_i = 0.
QUADRANT = lg.Problem(lambda x, p: p["q"] @ x + 0.5 * x @ p["Q"] @ x, bounds=(0.0, None))


def at_origin(standard_program: Maker, Q: Any, q: Any = None) -> tuple[StandardProgram, Curvature]:
    Q = np.array(Q, dtype=float)
    q = np.zeros(len(Q)) if q is None else np.array(q, dtype=float)
    x = np.zeros(len(Q))
    program = standard_program(QUADRANT, x, {"q": q, "Q": Q}, scaling=Scaling(1.0, np.empty(0)))
    return program, curvature(program, x, np.empty(0), q, np.ones(x.size, dtype=bool))


def test_strongly_active_bounds_need_no_curvature(standard_program: Maker) -> None:
    _, bend = at_origin(standard_program, -np.eye(2), [1.0, 2.0])
    assert bend.kind is STRICT and bend.independent


@pytest.mark.parametrize(
    ("Q", "kinds"),
    [
        ([[2.0, 0.5], [0.5, 1.0]], {STRICT}),
        ([[1.0, 2.0], [2.0, 1.0]], {STRICT, UNDECIDED}),  # indefinite, but strictly copositive
        ([[0.0, 1.0], [1.0, 0.0]], {UNDECIDED}),  # x0 x1: zero along the axes
        ([[0.0, 0.0], [0.0, 0.0]], {UNDECIDED}),
        ([[1.0, 0.0], [0.0, 0.0]], {UNDECIDED}),
        ([[0.0, -1.0], [-1.0, 0.0]], {SADDLE}),
        ([[1.0, -3.0], [-3.0, 1.0]], {SADDLE}),  # down along (1, 1), up along the axes
        ([[1.0, 3.0], [3.0, -0.5]], {SADDLE}),  # down along one axis only
        ([[-1.5, 0.5], [0.5, -1.5]], {SADDLE}),  # steepest down along (1, -1), outside; but down everywhere
        ([[-1.0, 0.0], [0.0, -1.0]], {SADDLE}),
    ],
)
def test_two_weakly_active_bounds(standard_program: Maker, Q: list[list[float]], kinds: set[PointKind]) -> None:
    program, bend = at_origin(standard_program, Q)
    assert bend.kind in kinds
    if bend.kind is SADDLE:
        assert_leads_down(program, bend)


def assert_leads_down(program: StandardProgram, bend: Curvature) -> None:
    """The direction stays within x >= 0 and has negative curvature."""
    direction = bend.direction
    assert (direction >= -1e-8).all() and np.linalg.norm(direction) == pytest.approx(1.0)
    _, _, W = program.derivatives(np.zeros(direction.size), np.empty(0))
    assert direction @ W @ direction < 0.0


@dataclass(frozen=True)
class Sampled:
    """The smallest curvature of Q over directions of the nonnegative orthant, on a fine grid of them."""

    smallest: float

    @staticmethod
    def of(Q: Vector) -> Sampled:
        rng = np.random.default_rng(0)
        directions = np.abs(rng.normal(size=(20000, len(Q)))) * (rng.random((20000, len(Q))) < 0.7)
        directions = directions[directions.any(axis=1)]
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        return Sampled(float(np.einsum("ki,ij,kj->k", directions, Q, directions).min()))


def test_random_cones_are_never_called_a_minimum_where_they_lead_down(standard_program: Maker) -> None:
    kinds = []
    for seed in range(60):
        square = np.random.default_rng(seed).normal(size=(3, 3))
        Q = square + square.T + 1.5 * np.eye(3)
        smallest = Sampled.of(Q).smallest
        program, bend = at_origin(standard_program, Q)
        kinds.append(bend.kind)
        if smallest < -1e-2:
            assert bend.kind is SADDLE, Q
            assert_leads_down(program, bend)
        elif smallest > 0.0:
            assert bend.kind in (STRICT, UNDECIDED), Q
        if np.linalg.eigvalsh(Q)[0] > 1e-3:
            assert bend.kind is STRICT, Q
    assert {STRICT, SADDLE} <= set(kinds)


def test_one_weakly_and_one_strongly_active_bound(standard_program: Maker) -> None:
    # x1 is held at 0; along x0 >= 0 the curvature decides.
    for curved, kind in ((1.0, STRICT), (0.0, UNDECIDED), (-1.0, SADDLE)):
        _, bend = at_origin(standard_program, [[curved, -9.0], [-9.0, -9.0]], [0.0, 1.0])
        assert bend.kind is kind


# Without weakly active constraints -----------------------------------------------------------------------

FREE = lg.Problem(lambda x, p: 0.5 * x @ p @ x)


@pytest.mark.parametrize(
    ("diagonal", "kind"),
    [
        ([1.0, 2.0, 3.0], STRICT),
        ([1.0, 2.0, 0.0], UNDECIDED),
        ([1.0, 2.0, 1e-12], UNDECIDED),
        ([1.0, 2.0, -1e-12], UNDECIDED),
        ([1.0, 2.0, -1e-3], SADDLE),
        ([0.0, 0.0, 0.0], UNDECIDED),
        ([-1.0, -1.0, -1.0], SADDLE),
    ],
)
@pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
def test_free_points(standard_program: Maker, diagonal: list[float], kind: PointKind, units: float) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    Q = units * rotation @ np.diag(diagonal) @ rotation.T
    program = standard_program(FREE, np.zeros(3), 0.5 * (Q + Q.T))
    bend = curvature(program, np.zeros(3), np.empty(0), np.empty(0), np.zeros(0, dtype=bool))
    # Curvature of -1e-12 beside 2 is decided only where the values of the function tell.
    assert bend.kind is kind or (min(diagonal) == -1e-12 and bend.kind is SADDLE)
    if bend.kind is SADDLE:
        assert bend.direction @ Q @ bend.direction < 0.0


def test_small_residuals_far_from_a_solution_are_not_stationary(standard_program: Maker) -> None:
    # exp(-x) at x = 20: the gradient is 2e-9, and the Newton step is 1 wherever one is.
    x, nothing = np.array([20.0]), np.empty(0)
    program = standard_program(lg.Problem(lambda x: np.exp(-x[0])), x)
    bend = curvature(program, x, nothing, nothing, np.zeros(0, dtype=bool))
    assert bend.kind is PointKind.NOT_STATIONARY
    assert bend.step_left == pytest.approx(1.0 / 20.0)


CIRCLE = lg.Problem(lambda x: x[0], {"circle": lg.equals(lambda x: x @ x, 1.0)})


@pytest.mark.parametrize(("x0", "y", "kind"), [(-1.0, 0.5, STRICT), (1.0, -0.5, SADDLE)])
def test_the_multiplier_brings_the_curvature_of_the_constraint(
    standard_program: Maker, x0: float, y: float, kind: PointKind
) -> None:
    x = np.array([x0, 0.0])
    program = standard_program(CIRCLE, x)
    bend = curvature(program, x, np.array([y]), np.empty(0), np.zeros(0, dtype=bool))
    assert bend.kind is kind
    if kind is SADDLE:
        np.testing.assert_allclose(np.abs(bend.direction), [0.0, 1.0], atol=1e-12)


def test_dependent_gradients_are_noticed(standard_program: Maker) -> None:
    problem = lg.Problem(
        lambda x: x @ x, {"a": lg.equals(lambda x: x[0], 0.0), "b": lg.equals(lambda x: 3.0 * x[0], 0.0)}
    )
    x = np.zeros(2)
    bend = curvature(standard_program(problem, x), x, np.zeros(2), np.empty(0), np.zeros(0, dtype=bool))
    assert not bend.independent and bend.kind is STRICT


def test_rows_of_the_active_jacobian(standard_program: Maker) -> None:
    problem = lg.Problem(
        lambda x: x.sum(),
        {
            "wide": lg.at_most(lambda x: 3.0 * x[0] + 4.0 * x[2], 7.0),
            "loose": lg.at_most(lambda x: x[2], 9.0),
            "equal": lg.equals(lambda x: 2.0 * x[1], 2.0),
        },
        bounds=(0.0, None),
    )
    x = np.array([1.0, 1.0, 1.0])
    program = standard_program(problem, x)
    form = program.form
    _, J, _ = program.derivatives(x, np.zeros(3))
    active = (form.index == 2) | (form.index == form.n)  # the bound of x2, and "wide"
    rows = active_jacobian(program, J, active)
    np.testing.assert_allclose(
        rows / np.linalg.norm(rows, axis=1)[:, None], [[0, 1, 0], [0.6, 0, 0.8], [0, 0, 1]], atol=1e-15
    )


# The way out ---------------------------------------------------------------------------------------------


def test_leaving_a_saddle_lowers_the_objective(standard_program: Maker) -> None:
    problem = lg.Problem(lambda x: x[0] ** 2 - x[1] ** 2 + 0.25 * x[1] ** 4)
    x = np.zeros(2)
    program = standard_program(problem, x)
    bend = curvature(program, x, np.empty(0), np.empty(0), np.zeros(0, dtype=bool))
    left = leave(program, x, np.empty(0), bend.direction)
    assert program.objective_and_rows(left)[0] < program.objective_and_rows(x)[0]


def test_leaving_stays_within_the_bounds(standard_program: Maker) -> None:
    problem = lg.Problem(lambda x: -x @ x, bounds=(-0.5, 0.25))
    x = np.zeros(2)
    program = standard_program(problem, x)
    left = leave(program, x, np.empty(0), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(left, [-0.5, 0.0])


def test_leaving_where_nothing_is_finite_stays(standard_program: Maker) -> None:
    program = standard_program(lg.Problem(lambda x: np.log(x[0]) * 0.0 + x[0]), np.ones(1))
    x = np.array([1.0])
    assert leave(program, x, np.empty(0), np.array([np.nan]))[0] == 1.0


@pytest.mark.parametrize(
    ("problem", "x0", "objective"),
    [
        (lg.Problem(lambda x: x[0] ** 2 - x[1] ** 2, bounds=(-1.0, 2.0)), [0.0, 0.0], -4.0),
        (lg.Problem(lambda x: -(x @ x), bounds=(-1.0, 3.0)), [0.0, 0.0], -18.0),
        (CIRCLE, [1.0, 0.0], -1.0),
        (lg.Problem(lambda x: x[0] * x[1], bounds=(-1.0, 1.0)), [0.0, 0.0], -1.0),
        (
            lg.Problem(lambda x: -0.75 * x @ x + 0.5 * x[0] * x[1], bounds=(0.0, 1.0)),
            [0.0, 0.0], -1.0,
        ),
    ],
    ids=["saddle", "maximum", "circle", "product", "corner that is a maximum"],
)  # fmt: skip
def test_a_solve_from_a_saddle_or_maximum_finds_a_minimum(
    problem: lg.Problem, x0: list[float], objective: float
) -> None:
    solution = problem.solve(x0)
    assert solution.success and solution.kind is STRICT
    # The box has several local minima; none of them is the start.
    assert solution.objective < problem.solve(x0, max_iterations=0).objective - 0.5
    assert solution.objective >= objective - 1e-7


@pytest.mark.parametrize(
    ("bends", "kind"),
    [((1.0, -5.0), STRICT), ((1.0, -0.5), STRICT), ((0.0, -5.0), PointKind.MINIMUM_NOT_STRICT), ((1.0, 1.0), STRICT)],
)
def test_where_gradients_depend_the_best_multipliers_decide(bends: tuple[float, float], kind: PointKind) -> None:
    # x1 >= a x0^2 and x1 >= b x0^2 at 0: the multipliers are (t, 1 - t), and the upper parabola holds the point.
    a, b = bends
    problem = lg.Problem(
        lambda x: x[1],
        {
            "up": lg.at_least(lambda x: x[1] - a * x[0] ** 2, 0.0),
            "down": lg.at_least(lambda x: x[1] - b * x[0] ** 2, 0.0),
        },
    )
    solution = problem.solve([0.0, 0.0])
    assert solution.success and solution.kind is kind


def test_where_all_multipliers_curve_down_it_is_a_saddle() -> None:
    problem = lg.Problem(
        lambda x: x[1],
        {
            "up": lg.at_least(lambda x: x[1] + x[0] ** 2, 0.0),
            "down": lg.at_least(lambda x: x[1] + 5 * x[0] ** 2, 0.0),
            "wall": lg.between(-1.0, lambda x: x[0], 1.0),
        },
    )
    solution = problem.solve([0.0, 0.0])
    assert solution.success and np.isclose(solution.objective, -1.0)
