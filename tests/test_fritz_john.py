"""The Fritz John test: multipliers that cannot exist, told from multipliers that are merely large."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import lagrange as lg
from lagrange.model.status import PointKind
from lagrange.newton.fritz_john import without_multipliers


def answer(
    gradient: Sequence[float],
    A: Sequence[Sequence[float]],
    multipliers: Sequence[float],
    equality: Sequence[bool] | None = None,
    row_sizes: Sequence[float] | None = None,
) -> bool:
    rows = len(multipliers)
    return without_multipliers(
        np.array(gradient),
        np.array(A, dtype=float).reshape(rows, len(gradient)),
        np.array(multipliers),
        np.array(equality or [False] * rows, dtype=bool),
        np.array(row_sizes or [1.0] * rows),
    )


def test_gradients_that_cancel_and_cannot_balance_the_objective() -> None:
    # HS13 near (1, 0): the cubic's gradient and the bound's are opposite, the objective pulls along x0.
    assert answer([-2.0, 0.0], [[1e-5, 1.0], [0.0, -1.0]], [2e5, 2e5])


def test_a_constraint_whose_gradient_vanishes() -> None:
    # minimize x subject to x^3 >= 0: the gradient 3 x^2 was 3 at the start and is 1e-10 now.
    assert answer([1.0], [[-1e-10]], [1e10], row_sizes=[3.0])


def test_a_small_gradient_that_was_always_small_is_a_matter_of_units() -> None:
    assert not answer([1.0], [[-1e-10]], [1e10], row_sizes=[1e-10])


def test_large_multipliers_with_large_gradients_of_the_objective() -> None:
    assert not answer([-1e6, 0.0], [[1.0, 0.0]], [1e6])


def test_moderate_multipliers_raise_no_question() -> None:
    assert not answer([-2.0, 0.0], [[1e-2, 1.0], [0.0, -1.0]], [200.0, 200.0])


def test_large_but_unnecessary_multipliers() -> None:
    # The same two opposite rows, and a third that balances the objective by itself.
    assert not answer([-2.0, 0.0], [[1e-5, 1.0], [0.0, -1.0], [1.0, 0.0]], [2e5, 2e5, 1e-3])


def test_an_equality_may_take_either_sign() -> None:
    # A third row (1, 0) with multiplier +2 balances (-2, 0); the row (-1, 0) can only as an equality.
    rows = [[1e-5, 1.0], [0.0, -1.0], [-1.0, 0.0]]
    assert answer([-2.0, 0.0], rows, [2e5, 2e5, 0.0])
    assert not answer([-2.0, 0.0], rows, [2e5, 2e5, 0.0], equality=[False, False, True])


@pytest.mark.parametrize(
    ("gradient", "A", "multipliers", "row_sizes"),
    [
        ([1.0], [], [], []),
        ([0.0], [[-1e-10]], [1e10], [3.0]),
        ([1.0], [[0.0]], [1e10], [0.0]),
        ([1.0], [[np.inf]], [1e10], [1.0]),
    ],
)
def test_no_verdict_without_something_to_judge(
    gradient: list[float], A: list[list[float]], multipliers: list[float], row_sizes: list[float]
) -> None:
    assert not answer(gradient, A, multipliers, row_sizes=row_sizes)


# End to end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "x0", "solution", "named"),
    [
        (
            lg.Problem(lambda x: x[0], {"cubic": lg.at_least(lambda x: x[0] ** 3, 0.0)}),
            [2.0], [0.0], {"cubic"},
        ),
        (
            lg.Problem(
                lambda x: (x[0] - 2) ** 2 + x[1] ** 2,
                {"cubic": lg.at_least(lambda x: (1 - x[0]) ** 3 - x[1], 0.0)},
                bounds=(0.0, None),
            ),
            [-2.0, -2.0], [1.0, 0.0], {"cubic", "lower bound of x[1]"},
        ),
        (
            lg.Problem(lambda x: x[0] + x[1], {"point": lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 0.0)}),
            [1.0, 0.5], [0.0, 0.0], {"point"},
        ),
    ],
    ids=["cubic", "HS13", "a circle of radius zero"],
)  # fmt: skip
def test_a_solve_says_that_no_multiplier_exists(
    problem: lg.Problem, x0: list[float], solution: list[float], named: set[str]
) -> None:
    found = problem.solve(x0)
    assert found.kind is PointKind.FRITZ_JOHN
    assert not found.success
    np.testing.assert_allclose(found.x, solution, atol=1e-2)
    assert all(name in found.message for name in named)


def test_a_badly_scaled_problem_with_multipliers_has_them() -> None:
    found = lg.Problem(lambda x: 1e6 * x[0], {"floor": lg.at_least(lambda x: 1e-3 * x[0], 1e-3)}).solve([5.0])
    assert found.kind is PointKind.STRICT_MINIMUM
    assert found.multipliers["floor"] == pytest.approx(-1e9)
