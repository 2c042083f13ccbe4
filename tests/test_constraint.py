"""The four ways to state a constraint: which sides they set, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.model.constraint import Constraint


def c(x: Any) -> Any:
    return x


def side(p: Any) -> Any:
    return p


@pytest.mark.parametrize(
    ("made", "lower", "upper", "equality"),
    [
        (lg.equals(c), 0.0, 0.0, True),
        (lg.equals(c, 3.0), 3.0, 3.0, True),
        (lg.equals(c, side), side, side, True),
        (lg.at_most(c, 2.0), -math.inf, 2.0, False),
        (lg.at_most(c, side), -math.inf, side, False),
        (lg.at_least(c, 2.0), 2.0, math.inf, False),
        (lg.between(1.0, c, 2.0), 1.0, 2.0, False),
        (lg.between(2.0, c, 2.0), 2.0, 2.0, False),
    ],
)
def test_sides(made: Constraint, lower: Any, upper: Any, equality: bool) -> None:
    assert made == Constraint(c, lower, upper, equality)


def test_an_array_side_is_kept_as_it_is() -> None:
    sides = np.array([1.0, 2.0])
    made = lg.at_least(c, sides)
    assert made.lower is sides and made.upper == math.inf


@pytest.mark.parametrize("make", [lg.equals, lg.at_most, lg.at_least])
def test_the_function_and_the_side_in_the_wrong_order(make: Callable[..., Constraint]) -> None:
    with pytest.raises(TypeError, match=r"first argument .* is a function of \(x\) or \(x, p\), got 3.0 of type float"):
        make(3.0, c)


def test_between_with_the_function_first() -> None:
    with pytest.raises(TypeError, match=r"function of \(x\) or \(x, p\), got 1.0 of type float"):
        lg.between(c, 1.0, 2.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, "1.0"])
@pytest.mark.parametrize(
    "make",
    [
        lambda wrong: lg.equals(c, wrong),
        lambda wrong: lg.at_most(c, wrong),
        lambda wrong: lg.at_least(c, wrong),
        lambda wrong: lg.between(wrong, c, 1.0),
        lambda wrong: lg.between(1.0, c, wrong),
    ],
)
def test_a_side_that_is_none_or_text(make: Callable[[Any], Constraint], wrong: Any) -> None:
    with pytest.raises(TypeError, match="side of a constraint is a number, an array or a function of p") as raised:
        make(wrong)
    assert repr(wrong) in str(raised.value)


@pytest.mark.parametrize(
    ("constraint", "y_sign"),
    [
        (lg.at_most(lambda x: x[0], -1.0), 1.0),
        (lg.at_least(lambda x: x[0], 1.0), -1.0),
        (lg.between(-3.0, lambda x: x[0], -1.0), 1.0),
        (lg.between(1.0, lambda x: x[0], 3.0), -1.0),
    ],
)
def test_the_sign_of_the_multiplier_tells_the_active_side(constraint: Constraint, y_sign: float) -> None:
    # minimize x^2 with x pushed to +1 or -1: |y| = |f'| = 2.
    solution = lg.Problem(minimize=lambda x: x @ x, subject_to={"side": constraint}).solve([2.0])
    assert solution.success
    assert solution.x[0] == pytest.approx(-y_sign)
    assert solution.multipliers["side"] == pytest.approx(2.0 * y_sign)
