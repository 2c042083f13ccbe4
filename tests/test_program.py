"""Binding a problem to one x and p: arity, shapes, sides and bounds, and what is refused, by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds

import lagrange as lg
from lagrange.model.program import Definition, Program, bind, flat_bounds

X0 = np.array([1.0, 2.0])
P = {"load": 3.0, "cost": np.array([4.0, 5.0])}  # flat: cost[0], cost[1], load
P_FLAT = np.array([4.0, 5.0, 3.0])


def one(x: Any) -> Any:
    return x[0]


def bound(
    objective: Callable[..., Any] = one,
    constraints: dict[str, lg.Constraint] | None = None,
    bounds: Any = None,
    x0: Any = X0,
    p: Any = None,
    maximize: bool = False,
) -> Program:
    return bind(Definition(objective, maximize, constraints or {}, bounds), x0, p)


# Shapes and names ----------------------------------------------------------------------------------------


def test_functions_keep_their_order_shapes_and_names() -> None:
    program = bound(
        constraints={
            "volume": lg.equals(one),
            "grid": lg.at_most(lambda x: np.outer(x, x), 1.0),
            "line": lg.at_least(lambda x: x[:1], 0.0),
        }
    )
    assert (program.n, program.m) == (2, 6)
    assert [function.shape for function in program.functions] == [(), (), (2, 2), (1,)]
    assert program.row_names == ["volume", "grid[0,0]", "grid[0,1]", "grid[1,0]", "grid[1,1]", "line[0]"]
    assert program.variable_names == ["x[0]", "x[1]"]
    assert program.objective.title == "objective 'one'"
    assert program.constraints[0].title == "constraint 'volume'"


def test_rows_go_back_to_their_constraints() -> None:
    program = bound(constraints={"a": lg.equals(one), "b": lg.equals(lambda x: np.outer(x, x))})
    rows = program.by_constraint(np.arange(5.0))
    assert rows["a"] == 0.0 and isinstance(rows["a"], float)
    np.testing.assert_array_equal(rows["b"], [[1.0, 2.0], [3.0, 4.0]])


def test_sign() -> None:
    assert bound().sign == 1.0
    assert bound(maximize=True).sign == -1.0


def test_an_objective_of_one_element_is_a_number() -> None:
    program = bound(lambda x: x[:1] ** 2)
    assert program.objective.shape == ()
    np.testing.assert_array_equal(program.evaluate(program.objective, np.array([3.0, 0.0]), np.empty(0)), [9.0])


def test_evaluate_hands_over_the_pytrees() -> None:
    program = bound(lambda x, p: x["a"] @ p["cost"] + x["b"] * p["load"], x0={"a": X0, "b": 0.0}, p=P)
    value = program.evaluate(program.objective, np.array([1.0, 10.0, 100.0]), P_FLAT)
    np.testing.assert_array_equal(value, [1.0 * 4.0 + 10.0 * 5.0 + 100.0 * 3.0])
    assert program.parameter_tree(P_FLAT)["load"] == 3.0
    assert bound().parameter_tree(np.empty(0)) is None


# Arity ---------------------------------------------------------------------------------------------------


class Method:
    def of_both(self, x: Any, p: Any) -> Any:
        return x[0] * p["load"]


def with_option(x: Any, power: float = 2.0) -> Any:
    return x[0] ** power


def with_optional_p(x: Any, p: Any = None) -> Any:
    return x[0] * p["load"]


@pytest.mark.parametrize(
    ("function", "takes_p"),
    [
        (one, False),
        (lambda x, p: x[0] * p["load"], True),
        (lambda x, q: x[0] * q["load"], True),
        (Method().of_both, True),
        (with_option, False),
        (with_optional_p, True),
        (lambda *arguments: arguments[0][0] * len(arguments), False),
        (lambda x, *, power=2.0: x[0] ** power, False),
        (np.sum, False),
        (lg.supplied(one), False),
        (lg.supplied(lambda x, p: x[0] * p["load"]), True),
    ],
)
def test_who_takes_p(function: Callable[..., Any], takes_p: bool) -> None:
    assert bound(function, p=P).objective.takes_p is takes_p


@pytest.mark.parametrize(
    ("function", "arguments"), [(lambda x, p, q: x[0], 3), (lambda: 1.0, 0)], ids=["three", "none"]
)
def test_wrong_arity_is_refused_by_name(function: Callable[..., Any], arguments: int) -> None:
    message = rf"constraint 'cap' must be a function of \(x\) or \(x, p\), but it takes {arguments} arguments"
    with pytest.raises(TypeError, match=message):
        bound(constraints={"cap": lg.equals(function)})


def test_missing_parameters_are_asked_for() -> None:
    with pytest.raises(TypeError, match=r"constraint 'cap' is a function of \(x, p\), but no p was given"):
        bound(constraints={"cap": lg.equals(lambda x, p: x[0] - p["load"])})


def test_an_optional_p_need_not_be_given() -> None:
    program = bound(lambda x, p=2.0: p * x[0])
    np.testing.assert_array_equal(program.evaluate(program.objective, X0, np.empty(0)), [2.0])


@pytest.mark.parametrize("where", ["side", "bounds"])
def test_a_side_that_needs_missing_parameters_is_named(where: str) -> None:
    problem = (
        lg.Problem(one, {"cap": lg.at_most(one, lambda p: p["load"])})
        if where == "side"
        else lg.Problem(one, bounds=lambda p: (0.0, p["load"]))
    )
    with pytest.raises(TypeError, match=r"no p was given") as raised:
        problem.solve(X0)
    assert ("constraint 'cap'" if where == "side" else "bounds") in str(raised.value)


# Values that are no real numbers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "constraint 'cap' returned None: does it end with a return statement"),
        ("text", "constraint 'cap' must return real numbers, got text of type str"),
        (1.0 + 1.0j, "constraint 'cap' returned complex numbers"),
        ([1.0, [2.0, 3.0]], "constraint 'cap' returned something that is not an array of numbers"),
        ({"a": 1.0}, "constraint 'cap' must return real numbers"),
    ],
)
def test_wrong_values_are_refused_by_name(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        bound(constraints={"cap": lg.equals(lambda x: value)})


def test_an_objective_of_many_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"objective 'many' must return one number, got an array of shape \(2,\)"):

        def many(x: Any) -> Any:
            return x

        bound(many)


def test_a_shape_that_changes_is_named() -> None:
    program = bound(constraints={"cap": lg.equals(lambda x: x[x > 0.0])})
    with pytest.raises(ValueError, match=r"constraint 'cap' returned shape \(1,\), but shape \(2,\) at x0"):
        program.evaluate(program.constraints[0], np.array([1.0, -1.0]), np.empty(0))


def test_the_users_exception_comes_through_with_a_note() -> None:
    def fails(x: Any) -> Any:
        raise KeyError("height")

    with pytest.raises(KeyError, match="height") as raised:
        bound(constraints={"cap": lg.equals(fails)})
    assert raised.value.__notes__ == ["raised by constraint 'cap' at x0 = [1. 2.]"]


def test_an_empty_x_is_refused() -> None:
    with pytest.raises(ValueError, match="x0 is empty"):
        bound(lambda x: 0.0, x0=[])


# Sides ---------------------------------------------------------------------------------------------------


def test_sides_of_numbers_arrays_and_functions_of_p() -> None:
    program = bound(
        constraints={
            "a": lg.equals(lambda x: x, 7.0),
            "b": lg.between(np.array([0.0, 1.0]), lambda x: x, lambda p: p["cost"]),
            "c": lg.at_least(one, lambda p: p["load"]),
        },
        p=P,
    )
    lower, upper = program.row_sides(P_FLAT)
    np.testing.assert_array_equal(lower, [7.0, 7.0, 0.0, 1.0, 3.0])
    np.testing.assert_array_equal(upper, [7.0, 7.0, 4.0, 5.0, math.inf])
    lower, upper = program.row_sides(np.array([8.0, 9.0, -1.0]))
    np.testing.assert_array_equal(lower, [7.0, 7.0, 0.0, 1.0, -1.0])
    np.testing.assert_array_equal(upper, [7.0, 7.0, 8.0, 9.0, math.inf])


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (lg.between(2.0, lambda x: x, 1.0), r"constraint 'cap\[0\]' is reversed .* lower 2, upper 1 \(and 1 more\)"),
        (lg.between([0.0, 2.0], lambda x: x, 1.0), r"constraint 'cap\[1\]' is reversed .* lower 2, upper 1$"),
        (lg.at_most(lambda x: x, math.nan), "the upper side of constraint 'cap' is nan"),
        (lg.at_most(lambda x: x, -math.inf), r"constraint 'cap\[0\]' is reversed"),
        (lg.equals(lambda x: x, math.inf), r"constraint 'cap\[0\]' is reversed"),
        (lg.at_most(lambda x: x, [1.0, 2.0, 3.0]), r"upper side of constraint 'cap' has shape \(3,\), but .* \(2,\)"),
    ],
)
def test_wrong_sides_are_refused_by_name(constraint: lg.Constraint, message: str) -> None:
    program = bound(constraints={"cap": constraint})
    with pytest.raises(ValueError, match=message):
        program.row_sides(np.empty(0))


def test_sides_that_become_reversed_at_another_p_are_refused_there() -> None:
    program = bound(constraints={"cap": lg.between(0.0, one, lambda p: p["load"])}, p=P)
    assert program.row_sides(P_FLAT)[1][0] == 3.0
    with pytest.raises(ValueError, match="constraint 'cap' is reversed"):
        program.row_sides(np.array([4.0, 5.0, -3.0]))


# Bounds --------------------------------------------------------------------------------------------------

FREE = [-math.inf, -math.inf], [math.inf, math.inf]


@pytest.mark.parametrize(
    ("bounds", "lower", "upper"),
    [
        (None, *FREE),
        ((None, None), *FREE),
        ((0.0, None), [0.0, 0.0], FREE[1]),
        ((None, 1.0), FREE[0], [1.0, 1.0]),
        (([0.0, -1.0], 5.0), [0.0, -1.0], [5.0, 5.0]),
        (([0.0, None], [None, 3.0]), [0.0, -math.inf], [math.inf, 3.0]),
        ((np.array([0.0, None], dtype=object), None), [0.0, -math.inf], FREE[1]),
        (Bounds([0.0, 1.0], [2.0, math.inf]), [0.0, 1.0], [2.0, math.inf]),
        (Bounds(0.0, 2.0), [0.0, 0.0], [2.0, 2.0]),
        (lambda p: (p["load"], None), [3.0, 3.0], FREE[1]),
        (lambda p: Bounds(-p["cost"], p["cost"]), [-4.0, -5.0], [4.0, 5.0]),
    ],
)
def test_bounds_of_an_array(bounds: Any, lower: list[float], upper: list[float]) -> None:
    actual = bound(bounds=bounds, p=P).bound_sides(P_FLAT)
    np.testing.assert_array_equal(actual, (lower, upper))


@pytest.mark.parametrize(
    ("bounds", "lower", "upper"),
    [
        ({"a": (0.0, None)}, [0.0, 0.0, -math.inf], [math.inf, math.inf, math.inf]),
        ({"a": ([0.0, 1.0], [2.0, None]), "b": (None, 4.0)}, [0.0, 1.0, -math.inf], [2.0, math.inf, 4.0]),
        (({"b": 1.0}, {"a": 2.0}), [-math.inf, -math.inf, 1.0], [2.0, 2.0, math.inf]),
        ((0.0, {"a": 2.0, "b": 3.0}), [0.0, 0.0, 0.0], [2.0, 2.0, 3.0]),
        ({}, [-math.inf] * 3, [math.inf] * 3),
    ],
)
def test_bounds_of_a_dict(bounds: Any, lower: list[float], upper: list[float]) -> None:
    program = bound(lambda x: x["b"], bounds=bounds, x0={"a": X0, "b": 0.0})
    np.testing.assert_array_equal(program.bound_sides(np.empty(0)), (lower, upper))


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((2.0, 1.0), r"bounds of variable 'x\[0\]' is reversed .* lower 2, upper 1 \(and 1 more\)"),
        (([0.0, 0.0], [1.0, -1.0]), r"bounds of variable 'x\[1\]' is reversed"),
        ((math.nan, None), r"bounds of variable 'x\[0\]' is reversed or not a number"),
        ((0.0, [1.0, 2.0, 3.0]), r"the upper bound x has shape \(3,\), expected \(2,\)"),
        (7.0, r"bounds must be a pair \(lower, upper\).* got 7.0"),
        ((0.0, 1.0, 2.0), r"bounds must be a pair \(lower, upper\)"),
        ({"a": 1.0}, r"bounds of 'a' must be a pair \(lower, upper\), got 1.0"),
    ],
)
def test_wrong_bounds_are_refused(bounds: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bound(bounds=bounds).bound_sides(np.empty(0))


def test_bounds_of_an_unknown_key_are_refused() -> None:
    program = bound(lambda x: x["a"], bounds={"c": (0.0, 1.0)}, x0={"a": 1.0})
    with pytest.raises(ValueError, match="the lower bound names 'c', but x has 'a'"):
        flat_bounds(program.definition.bounds, program.variables, None)
