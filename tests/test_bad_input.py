"""Bad input: a clear error or an honest status that names the function, the row, the variable and the place.

Errors that belong to the call are exceptions; what a function does at a point is a status with a message. An
exception of the user's own function comes out as it is, once, with a note that says where it was raised.
"""

from __future__ import annotations

import functools
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import Bounds

import lagrange as lg
from lagrange import PointKind, StopReason, at_least, at_most, between, equals

START = [1.0, 1.0]
CLOSE = 1e-6
DIFFERENCES_CLOSE = 1e-4  # where derivatives are finite differences


def bowl(x):
    return (x[0] - 1) ** 2 + (x[1] - 2) ** 2


def assert_bowl_solved(solution: lg.Solution, tolerance: float = CLOSE) -> None:
    """The minimum of `bowl` without active constraints, verified."""
    assert solution.success, solution.message
    assert np.allclose(solution.x, [1.0, 2.0], rtol=0.0, atol=tolerance)


def notes(error: BaseException) -> str:
    return "\n".join(getattr(error, "__notes__", []))


class ModelError(Exception):
    """What a user's own function raises."""


# Numbers that are not finite at the start


def assert_not_finite(solution: lg.Solution, *words: str) -> None:
    assert solution.stop is StopReason.NOT_FINITE
    assert solution.kind is PointKind.NOT_STATIONARY
    assert not solution.success
    assert solution.iterations == 0
    for word in words:
        assert word in solution.message, solution.message


def cost_of_material(x):
    return np.log(x["radius"]) + x["height"]


def test_objective_that_is_nan_at_x0():
    solution = lg.Problem(minimize=cost_of_material).solve({"radius": -1.0, "height": 2.0})
    assert_not_finite(solution, "objective 'cost_of_material'", "nan", "x0", "radius = -1", "height = 2")
    assert solution.x == {"radius": -1.0, "height": 2.0}


def test_objective_that_is_infinite_at_x0():
    solution = lg.Problem(minimize=lambda x: 1.0 / (x[0] - 1.0) + x[1]).solve(START)
    assert_not_finite(solution, "objective", "inf", "x[0] = 1")


def test_constraint_row_that_is_nan_at_x0():
    rows = {
        "weight": at_most(lambda x: x[0], 5.0),
        "stress": at_most(lambda x: np.array([x[0], np.sqrt(x[1] - 8)]), 5.0),
    }
    solution = lg.Problem(minimize=bowl, subject_to=rows).solve(START)
    assert_not_finite(solution, "constraint 'stress[1]'", "nan", "x[1] = 1")
    assert "weight" not in solution.message


def test_derivative_that_is_infinite_at_x0():
    solution = lg.Problem(minimize=lambda x: np.sqrt(x["flow"]) + x["head"] ** 2).solve({"flow": 0.0, "head": 1.0})
    assert_not_finite(solution, "derivative of the objective", "with respect to flow", "inf", "flow = 0")


def test_derivative_of_a_constraint_that_is_infinite_at_x0():
    rows = {"root": at_most(lambda x: np.sqrt(x[0]), 5.0)}
    solution = lg.Problem(minimize=bowl, subject_to=rows).solve([0.0, 1.0])
    assert_not_finite(solution, "derivative of the constraint 'root'", "with respect to x[0]", "inf")


def test_derivative_that_is_nan_at_x0():
    solution = lg.Problem(minimize=lambda x: np.sqrt(x[0] ** 2) + x[1] ** 2).solve([0.0, 1.0])
    assert_not_finite(solution, "derivative of the objective", "with respect to x[0]", "nan")


def test_second_derivative_that_is_infinite_at_x0():
    solution = lg.Problem(minimize=lambda x: x[0] ** 1.5 + x[1] ** 2).solve([0.0, 1.0])
    assert_not_finite(solution, "second derivative", "x[0]", "inf")


def test_parameter_that_is_nan():
    solution = lg.Problem(minimize=lambda x, p: p["price"] * x[0] ** 2 + x[1] ** 2).solve(START, {"price": math.nan})
    assert_not_finite(solution, "objective", "nan")


def test_functions_that_stop_being_finite_are_named_with_the_place():
    def gauge(x):
        level = float(x[0])
        return math.nan if level < -1.0 else (level + 5.0) ** 2

    with pytest.warns(lg.DerivativeWarning):
        solution = lg.Problem(minimize=gauge).solve([3.0])
    assert not solution.success
    assert solution.stop is StopReason.NOT_FINITE
    assert "x[0] = -1" in solution.message or "x[0] = -0.99" in solution.message
    assert np.isfinite(solution.x).all()
    assert np.isfinite(solution.objective)


# x0


@pytest.mark.parametrize(
    ("x0", "error", "words"),
    [
        ("abc", TypeError, ["x", "'abc'"]),
        ([], ValueError, ["x0", "empty"]),
        ({}, ValueError, ["x0", "empty"]),
        ({"a": 0.0, "b": math.nan}, ValueError, ["x0", "b", "nan"]),
        ([1.0, -math.inf], ValueError, ["x0", "x[1]", "-inf"]),
        ([None, 1.0], TypeError, ["None"]),
        ([1.0, 1j], TypeError, ["x", "complex"]),
        ({"a": "one"}, TypeError, ["a", "'one'"]),
        ([[1.0], [1.0, 2.0]], TypeError, ["not an array of numbers"]),
        (object(), TypeError, ["object"]),
        (np.array([1.0, "2"], dtype=object), TypeError, []),
    ],
)
def test_start_that_is_no_point(x0, error, words):
    with pytest.raises(error) as raised:
        lg.Problem(minimize=lambda x: 0.0).solve(x0)
    for word in words:
        assert word in str(raised.value)


def test_nan_in_a_variable_that_no_function_uses():
    with pytest.raises(ValueError, match="idle"):
        lg.Problem(minimize=lambda x: x["used"] ** 2).solve({"used": 1.0, "idle": math.nan})


def test_x0_may_change_its_shape_between_solves():
    problem = lg.Problem(minimize=lambda x: ((x - 2.0) ** 2).sum())
    for shape in ((2,), (3,), (2, 2)):
        solution = problem.solve(np.zeros(shape))
        assert solution.success
        assert solution.x.shape == shape
        assert np.allclose(solution.x, 2.0)


def test_x0_that_does_not_fit_the_function():
    problem = lg.Problem(minimize=lambda x: x["radius"] ** 2)
    with pytest.raises(IndexError) as raised:
        problem.solve([1.0, 2.0])
    assert "objective" in notes(raised.value)
    assert "x0 = [1. 2.]" in notes(raised.value)


@pytest.mark.parametrize(
    "x0",
    [
        np.zeros(2, dtype=np.float32),
        np.array([0, 0]),
        [0, 0],
        np.array([True, False]),
        np.zeros(2, dtype=np.int8),
        np.zeros(2, order="F")[::-1],
    ],
    ids=["float32", "int64", "list of int", "bool", "int8", "reversed view"],
)
def test_numbers_of_every_kind_are_solved_in_float64(x0):
    solution = lg.Problem(minimize=bowl).solve(x0)
    assert_bowl_solved(solution, 1e-12)
    assert solution.x.dtype == np.float64


def test_plain_number_as_x():
    solution = lg.Problem(minimize=lambda x: (x - 3) ** 2, bounds=(0, 2)).solve(1)
    assert solution.success
    assert solution.x == 2.0
    assert isinstance(solution.x, float)


def test_function_that_rounds_to_float32():
    solution = lg.Problem(minimize=lambda x: bowl(x.astype(np.float32))).solve(START)
    assert np.allclose(solution.x, [1.0, 2.0], atol=1e-3)


@dataclass
class Can:
    radius: float
    height: float


class Place(NamedTuple):
    east: float
    north: float


def test_dataclass_that_jax_does_not_know():
    problem = lg.Problem(
        minimize=lambda can: (can.radius - 1) ** 2 + can.height**2,
        subject_to={"tall": at_least(lambda can: can.height, 2.0)},
    )
    solution = problem.solve(Can(3.0, 4.0))
    assert solution.success
    assert isinstance(solution.x, Can)
    assert np.allclose([solution.x.radius, solution.x.height], [1.0, 2.0])
    assert np.isclose(solution.multipliers["tall"], -4.0)


def test_named_tuple_with_bounds_like_it():
    problem = lg.Problem(
        minimize=lambda place: (place.east + 1) ** 2 + (place.north - 3) ** 2, bounds=(Place(0.0, 0.0), Place(5.0, 2.0))
    )
    solution = problem.solve(Place(1.0, 1.0))
    assert solution.success
    assert isinstance(solution.x, Place)
    assert np.allclose(solution.x, (0.0, 2.0))
    assert np.allclose(solution.bound_multipliers, (-2.0, 2.0))
    assert set(solution.active) == {"lower bound of east", "upper bound of north"}


# Bounds


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (([0, 0, 0], [1, 1, 1]), ["lower bound", "(3,)", "(2,)"]),
        ((None, [1, 1, 1]), ["upper bound", "(3,)", "(2,)"]),
        ([(0, 1), (0, 1)], ["pair", "scipy.optimize.Bounds"]),
        ([(0, None), (0, None)], ["pair", "scipy.optimize.Bounds"]),
        ([(0, 1), (0, 1), (0, 1)], ["pair", "scipy.optimize.Bounds"]),
        ("positive", ["bounds", "pair", "'positive'"]),
        (3, ["bounds", "pair", "3"]),
        (([0, 2], [1, 1]), ["x[1]", "lower 2", "upper 1"]),
        (([0, math.nan], [1, 1]), ["x[1]", "nan"]),
        ((math.inf, None), ["x[0]", "inf"]),
        ((None, -math.inf), ["x[0]", "inf"]),
        (Bounds([0, 2], [1, 1]), ["x[1]", "lower 2", "upper 1"]),
        (lambda p: ([0, p], [1, 1]), ["x[1]", "lower 2", "upper 1"]),
    ],
)
def test_bounds_that_make_no_sense(bounds, words):
    with pytest.raises(ValueError) as raised:
        lg.Problem(minimize=bowl, bounds=bounds).solve(START, 2.0)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"flow": (3, 1)}, ["flow", "lower 3", "upper 1"]),
        ({"float": (0, 1)}, ["'float'", "'flow'"]),
        ({"flow": 3}, ["'flow'", "pair"]),
        ({"flow": (0, 1, 2)}, ["'flow'", "pair"]),
        ({"flow": ([0, 0], 1)}, ["flow", "(2,)"]),
    ],
)
def test_bounds_by_name_that_make_no_sense(bounds, words):
    with pytest.raises(ValueError) as raised:
        lg.Problem(minimize=lambda x: x["flow"] ** 2, bounds=bounds).solve({"flow": 1.0})
    for word in words:
        assert word in str(raised.value)


def test_bounds_are_checked_at_every_p():
    problem = lg.Problem(minimize=bowl, bounds=lambda p: (p, 3.0))
    assert problem.solve(START, 0.0).success
    with pytest.raises(ValueError, match=r"x\[0\].*lower 4.*upper 3"):
        problem.solve(START, 4.0)


# Right sides


@pytest.mark.parametrize(
    ("constraint", "error", "words"),
    [
        (lambda c: between(3, c, 1), ValueError, ["'mass'", "lower 3", "upper 1"]),
        (lambda c: between(lambda p: p, c, 1), ValueError, ["'mass'", "lower 4", "upper 1"]),
        (lambda c: equals(c, [1, 2, 3]), ValueError, ["'mass'", "(3,)", "()"]),
        (lambda c: at_most(c, math.nan), ValueError, ["'mass'", "nan"]),
        (lambda c: equals(c, math.inf), ValueError, ["'mass'", "inf"]),
        (lambda c: at_most(c, -math.inf), ValueError, ["'mass'", "inf"]),
        (lambda c: at_most(c, 1j), TypeError, ["'mass'", "complex"]),
        (lambda c: at_most(c, "five"), TypeError, ["side", "'five'"]),
        (lambda c: at_most(c, None), TypeError, ["side", "None"]),
        (lambda c: at_most(c, lambda p: None), TypeError, ["'mass'", "None"]),
        (lambda c: at_most(c, lambda p: "five"), TypeError, ["'mass'", "five"]),
    ],
)
def test_sides_that_make_no_sense(constraint, error, words):
    with pytest.raises(error) as raised:
        lg.Problem(minimize=bowl, subject_to={"mass": constraint(lambda x: x[0])}).solve(START, 4.0)
    for word in words:
        assert word in str(raised.value)


def test_reversed_sides_name_the_row():
    rows = {"loads": between([0.0, 5.0], lambda x: x, [1.0, 1.0])}
    with pytest.raises(ValueError, match=r"loads\[1\].*lower 5.*upper 1"):
        lg.Problem(minimize=bowl, subject_to=rows).solve(START)


@pytest.mark.parametrize(
    ("side", "p", "error"),
    [
        (lambda p: p["cap"], None, TypeError),
        (lambda p: p["cap"], {"price": 2.0}, KeyError),
        (lambda x, p: p["cap"], {"cap": 2.0}, TypeError),
    ],
    ids=["no p", "wrong key", "function of (x, p)"],
)
def test_side_that_cannot_be_computed_names_its_constraint(side, p, error):
    with pytest.raises(error) as raised:
        lg.Problem(minimize=bowl, subject_to={"budget": at_most(lambda x: x[0], side)}).solve(START, p)
    assert "'budget'" in str(raised.value) + notes(raised.value)


# Parameters


@pytest.mark.parametrize("where", ["objective", "constraint"])
def test_missing_parameters(where):
    def needs_p(x, p):
        return p * x[0]

    problem = (
        lg.Problem(minimize=needs_p)
        if where == "objective"
        else lg.Problem(minimize=bowl, subject_to={"needs_p": at_most(needs_p, 1.0)})
    )
    with pytest.raises(TypeError, match=rf"{where} 'needs_p'.*no p was given"):
        problem.solve(START)


def test_wrong_key_of_a_parameter_names_the_function():
    rows = {"budget": at_most(lambda x, p: p["cost"] * x[0], 1.0)}
    with pytest.raises(KeyError) as raised:
        lg.Problem(minimize=bowl, subject_to=rows).solve(START, {"price": 2.0})
    assert "constraint 'budget'" in notes(raised.value)


def test_parameter_that_is_text():
    with pytest.raises(TypeError, match="metal"):
        lg.Problem(minimize=lambda x, p: bowl(x)).solve(START, {"metal": "steel"})


# The statement of the problem


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, ["minimize", "maximize"]),
        ({"minimize": bowl, "maximize": bowl}, ["minimize", "maximize"]),
        ({"minimize": 3.0}, ["objective", "3.0"]),
        ({"minimize": bowl, "subject_to": [at_most(bowl, 1.0)]}, ["subject_to"]),
        ({"minimize": bowl, "subject_to": at_most(bowl, 1.0)}, ["subject_to"]),
        ({"minimize": bowl, "subject_to": {"mass": bowl}}, ["subject_to", "'mass'", "at_most"]),
        ({"minimize": bowl, "subject_to": {"mass": 3.0}}, ["subject_to", "'mass'", "at_most"]),
        ({"minimize": bowl, "subject_to": {1: at_most(bowl, 1.0)}}, ["subject_to", "1"]),
    ],
)
def test_problem_that_makes_no_sense(arguments, words):
    with pytest.raises(TypeError) as raised:
        lg.Problem(**arguments)
    for word in words:
        assert word in str(raised.value)


def test_arguments_of_a_constraint_in_the_wrong_order():
    with pytest.raises(TypeError, match="first argument of a constraint is a function"):
        at_most(3.0, 4.0)
    with pytest.raises(TypeError, match="first argument of a constraint is a function"):
        between(bowl, 0.0, 1.0)


@pytest.mark.parametrize(("function", "count"), [(lambda x, p, q: x[0], 3), (lambda: 3.0, 0)])
@pytest.mark.parametrize("where", ["objective", "constraint"])
def test_function_of_too_many_or_too_few_arguments(function, count, where):
    problem = (
        lg.Problem(minimize=function)
        if where == "objective"
        else lg.Problem(minimize=bowl, subject_to={"mass": at_most(function, 1.0)})
    )
    with pytest.raises(TypeError, match=rf"{where} .*\(x\) or \(x, p\).*{count} arguments"):
        problem.solve(START, 1.0)


# What functions return


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ["returned None", "return"]),
        ("5", ["real numbers", "str"]),
        (1j, ["complex"]),
        (np.array([object()]), ["real numbers"]),
        ({"a": 1.0}, ["real numbers", "dict"]),
        ([[1.0], [1.0, 2.0]], ["not an array of numbers"]),
        ({1.0}, ["real numbers", "set"]),
        ((item for item in [1.0]), ["real numbers", "generator"]),
    ],
    ids=["None", "text", "complex", "objects", "dict", "ragged", "set", "generator"],
)
@pytest.mark.parametrize("where", ["objective 'mass'", "constraint 'weight'"])
def test_value_that_is_no_number(value, words, where):
    def mass(x):
        return value

    problem = (
        lg.Problem(minimize=mass)
        if where.startswith("objective")
        else lg.Problem(minimize=bowl, subject_to={"weight": at_most(mass, 5.0)})
    )
    with pytest.raises(TypeError) as raised:
        problem.solve(START)
    for word in [where, *words]:
        assert word in str(raised.value)


def test_objective_that_returns_a_vector():
    def area(x):
        return 2.0 * x

    with pytest.raises(ValueError, match=r"objective 'area' must return one number.*\(2,\)"):
        lg.Problem(minimize=area).solve(START)


def test_objective_that_returns_an_array_of_one():
    assert_bowl_solved(lg.Problem(minimize=lambda x: np.array([[bowl(x)]])).solve(START))


def test_constraints_of_any_shape():
    rows = {"list": at_most(lambda x: [x[0], x[1]], 5.0), "none": at_most(lambda x: np.empty((0, 3)), 5.0)}
    solution = lg.Problem(minimize=bowl, subject_to=rows).solve(START)
    assert_bowl_solved(solution)
    assert solution.multipliers["list"].shape == (2,)
    assert solution.multipliers["none"].shape == (0, 3)


def test_constraint_that_changes_its_shape():
    lengths = iter([2, 2, 2])

    def shifting(x):
        return float(x[0]) * np.ones(next(lengths, 3))

    rows = {"shifting": at_most(shifting, 5.0)}
    with (
        pytest.warns(lg.DerivativeWarning, match="shifting"),
        pytest.raises(ValueError, match=r"constraint 'shifting' returned shape \(3,\), but shape \(2,\)"),
    ):
        lg.Problem(minimize=bowl, subject_to=rows).solve(START)


# Functions that raise


@pytest.mark.parametrize("where", ["objective", "constraint"])
def test_exception_comes_out_as_it_is_and_once(where):
    calls = []

    def uncalibrated(x):
        calls.append(x)
        raise ModelError("the model is not calibrated")

    problem = (
        lg.Problem(minimize=uncalibrated)
        if where == "objective"
        else lg.Problem(minimize=bowl, subject_to={"uncalibrated": at_most(uncalibrated, 1.0)})
    )
    with pytest.raises(ModelError) as raised:
        problem.solve([3.0, 4.5])
    assert len(calls) == 1
    assert raised.value.args == ("the model is not calibrated",)
    assert re.search(rf"{where} 'uncalibrated' at x0 = \[3\.\s+4\.5\]", notes(raised.value))


@pytest.mark.parametrize("where", ["objective", "constraint"])
def test_exception_during_the_iterations_says_where(where):
    calls = []

    def oven(x):
        temperature = float(x[0])
        if temperature > 2.5:
            calls.append(temperature)
            raise ModelError("too hot")
        return (temperature - 3) ** 2 + float(x[1]) ** 2 if where == "objective" else temperature

    problem = (
        lg.Problem(minimize=oven)
        if where == "objective"
        else lg.Problem(minimize=lambda x: (x[0] - 3) ** 2 + x[1] ** 2, subject_to={"oven": at_most(oven, 9.0)})
    )
    with pytest.warns(lg.DerivativeWarning, match="oven"), pytest.raises(ModelError) as raised:
        problem.solve(START)
    assert len(calls) == 1
    assert raised.value.args == ("too hot",)
    place = re.search(rf"{where} 'oven' at x = \[\s*(\S+)\s", notes(raised.value))
    assert place
    assert np.isclose(float(place[1]), calls[0])


def test_exception_of_a_callback_comes_out():
    def callback(record):
        raise ModelError("disk full")

    with pytest.raises(ModelError, match="disk full"):
        lg.Problem(minimize=lambda x: bowl(x) ** 2 + bowl(x)).solve([5.0, 5.0], callback=callback)


# Settings


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"tol": -1.0}, ValueError),
        ({"tol": 0.0}, ValueError),
        ({"tol": "small"}, ValueError),
        ({"tol": math.nan}, ValueError),
        ({"tol": True}, ValueError),
        ({"max_iterations": -1}, ValueError),
        ({"max_iterations": 3.5}, ValueError),
        ({"max_iterations": math.inf}, ValueError),
        ({"max_iterations": None}, ValueError),
        ({"time_limit": 0.0}, ValueError),
        ({"time_limit": -1.0}, ValueError),
        ({"time_limit": math.nan}, ValueError),
        ({"time_limit": "1 s"}, ValueError),
        ({"method": "simplex"}, ValueError),
        ({"method": None}, ValueError),
        ({"verbose": -1}, ValueError),
        ({"verbose": "yes"}, ValueError),
        ({"callback": 3}, TypeError),
        ({"warm": 3}, TypeError),
        ({"warm": [1.0, 2.0]}, TypeError),
        ({"tolerance": 1e-8}, TypeError),
    ],
    ids=str,
)
def test_setting_that_makes_no_sense_is_named(settings, error):
    calls = []
    ((name, value),) = settings.items()

    def counted(x):
        calls.append(x)
        return bowl(x)

    with pytest.raises(error, match=name) as raised:
        lg.Problem(minimize=counted).solve(START, **settings)
    assert not calls  # refused before the first call of a function
    if name != "tolerance":
        assert str(value) in str(raised.value)


def test_numbers_of_numpy_as_settings():
    solution = lg.Problem(minimize=bowl).solve(
        START, tol=np.float64(1e-6), max_iterations=np.int64(50), time_limit=np.float32(100.0), verbose=np.int32(0)
    )
    assert_bowl_solved(solution)


def test_warm_start_from_another_problem():
    other = lg.Problem(minimize=lambda x: x @ x).solve([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="warm"):
        lg.Problem(minimize=bowl).solve(START, warm=other)


# Callables of every kind


class Model:
    """A user's class with data."""

    def __init__(self) -> None:
        self.target = np.array([1.0, 2.0])

    def cost(self, x):
        return ((x - self.target) ** 2).sum()

    def __call__(self, x, p):
        return p * self.cost(x)

    @staticmethod
    def plain(x):
        return bowl(x)


def scaled(factor, x):
    return factor * bowl(x)


def scaled_by_keyword(x, p, *, factor=1.0):
    return p * factor * bowl(x)


@pytest.mark.parametrize(
    ("function", "p"),
    [
        (lambda x: bowl(x), None),
        (functools.partial(scaled, 3.0), None),
        (functools.partial(scaled_by_keyword, factor=2.0), 5.0),
        (functools.partial(scaled_by_keyword, factor=2.0, p=3.0), None),
        (Model().cost, None),
        (Model().plain, None),
        (Model(), 3.0),
        (functools.wraps(bowl)(lambda x: bowl(x)), None),
        (lambda x: jnp.sum((x - jnp.array([1.0, 2.0])) ** 2), None),
        (lambda x, p=2.0: p * bowl(x), None),
        (lambda *args: bowl(args[0]), None),
    ],
    ids=[
        "lambda",
        "partial",
        "partial of (x, p)",
        "partial with p",
        "bound method",
        "static method",
        "callable object",
        "wrapped",
        "jax",
        "default p",
        "star arguments",
    ],
)
def test_callables_of_every_kind(function, p):
    assert_bowl_solved(lg.Problem(minimize=function).solve(START, p))
    rows = {"bowl": at_most(function, 100.0)}
    assert_bowl_solved(lg.Problem(minimize=bowl, subject_to=rows).solve(START, p))


# Functions that JAX cannot follow


def floored(x):
    if math.floor(x[0]) > 100:
        return 0.0
    return bowl(x)


def converted(x):
    return float(x[0] - 1) ** 2 + float(x[1] - 2) ** 2


def branching(x):
    if x[0] > 0.5:
        return bowl(x)
    return bowl(x) + (x[0] - 0.5) ** 4


def looping(x):
    value, count = bowl(x), 0
    while value > 1e-3 and count < 1:
        count += 1
    return value


@pytest.mark.parametrize("function", [floored, converted, branching, looping])
@pytest.mark.parametrize("where", ["objective", "constraint"])
def test_function_that_jax_cannot_follow(function, where):
    if where == "objective":
        problem, answer = lg.Problem(minimize=function), [1.0, 2.0]
    else:
        # The nearest point to (4, 6) in the disk of radius 2 about (1, 2).
        far = np.array([4.0, 6.0])
        rows = {function.__name__: at_most(function, 4.0)}
        problem, answer = lg.Problem(minimize=lambda x: (x - far) @ (x - far), subject_to=rows), [2.2, 3.6]
    with pytest.warns(lg.DerivativeWarning) as caught:
        solution = problem.solve([1.5, 2.5])
    assert solution.success, solution.message
    assert np.allclose(solution.x, answer, rtol=0.0, atol=DIFFERENCES_CLOSE)
    message = "\n".join(str(item.message) for item in caught)
    assert len(caught) == 1
    assert f"{where} '{function.__name__}'" in message
    # The file and the line of the obstacle, inside the function.
    first = function.__code__.co_firstlineno
    lines = [first + offset for offset in range(6)]
    assert any(f"{Path(__file__).name}, line {line})" in message for line in lines)
    # The warning itself points at the call of solve.
    assert Path(caught[0].filename).name == Path(__file__).name


def test_math_functions_need_no_differences():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = lg.Problem(minimize=lambda x: math.exp(x[0]) - 2 * x[0] + x[1] ** 2).solve(START)
    assert solution.success
    assert np.allclose(solution.x, [math.log(2.0), 0.0])


def test_function_with_noise_is_no_success():
    rng = np.random.default_rng(0)
    with pytest.warns(lg.DerivativeWarning, match="its value changes"):
        solution = lg.Problem(minimize=lambda x: bowl(x) + rng.uniform()).solve(START, max_iterations=50)
    assert not solution.success


# Functions with side effects on their arguments


def doubles_in_place(x):
    x *= 2
    return (x[0] - 2) ** 2 + (x[1] - 4) ** 2


def doubles_entries_in_place(x):
    x[0] = float(x[0]) * 2
    x[1] = float(x[1]) * 2
    return (x[0] - 2) ** 2 + (x[1] - 4) ** 2


def second_entry(x):
    value = x[1]
    x[0] = 100.0
    return value


def second_entry_as_float(x):
    value = float(x[1])
    x[:] = 100.0
    return value


@pytest.mark.filterwarnings("ignore::lagrange.DerivativeWarning")
@pytest.mark.parametrize("function", [doubles_in_place, doubles_entries_in_place])
def test_objective_that_changes_x_in_place(function):
    start = np.array(START)
    assert_bowl_solved(lg.Problem(minimize=function).solve(start), DIFFERENCES_CLOSE)
    assert (start == START).all()


@pytest.mark.filterwarnings("ignore::lagrange.DerivativeWarning")
@pytest.mark.parametrize("function", [second_entry, second_entry_as_float])
def test_constraint_that_changes_x_in_place(function):
    start = np.array(START)
    rows = {"changing": at_most(function, 1.5), "after": at_least(lambda x: x[0], -5.0)}
    solution = lg.Problem(minimize=bowl, subject_to=rows).solve(start)
    assert solution.success, solution.message
    assert np.allclose(solution.x, [1.0, 1.5], rtol=0.0, atol=DIFFERENCES_CLOSE)
    assert np.isclose(solution.multipliers["changing"], 1.0, atol=DIFFERENCES_CLOSE)
    assert (start == START).all()


@pytest.mark.filterwarnings("ignore::lagrange.DerivativeWarning")
@pytest.mark.parametrize("as_float", [False, True])
def test_function_that_changes_p_in_place(as_float):
    def doubled(x, p):
        p *= 2
        target = float(p[0]) if as_float else p[0]
        return (x[0] - target) ** 2 + (x[1] - 2) ** 2

    p = np.array([0.5])
    solution = lg.Problem(minimize=doubled).solve(START, p)
    assert_bowl_solved(solution, DIFFERENCES_CLOSE)
    assert (p == 0.5).all()
    assert (solution.p == 0.5).all()


@pytest.mark.filterwarnings("ignore::lagrange.DerivativeWarning")
@pytest.mark.parametrize("as_float", [False, True])
def test_function_that_changes_a_dict_in_place(as_float):
    def popping(x):
        x["a"] = x["a"] * 2
        b = x.pop("b")
        return (x["a"] - 2) ** 2 + ((float(b) if as_float else b) - 2) ** 2

    start = {"a": 1.5, "b": 0.0}
    solution = lg.Problem(minimize=popping, subject_to={"b": at_most(lambda x: x["b"], 3.0)}).solve(start)
    assert solution.success, solution.message
    assert np.allclose([solution.x["a"], solution.x["b"]], [1.0, 2.0], rtol=0.0, atol=DIFFERENCES_CLOSE)
    assert start == {"a": 1.5, "b": 0.0}


def test_changing_a_returned_answer_does_not_change_the_solution():
    problem = lg.Problem(minimize=bowl, subject_to={"row": at_most(lambda x: x, 1.5)})
    solution = problem.solve(START)
    solution.x[:] = 99.0
    solution.multipliers["row"][:] = 99.0
    assert np.allclose(solution.x, [1.0, 1.5])
    assert np.allclose(solution.multipliers["row"], [0.0, 1.0])
    assert "99" not in str(solution).partition("Stationarity")[0]  # beyond stand residuals and seconds


# Names of every kind


def test_names_with_brackets_spaces_and_letters_of_the_world():
    problem = lg.Problem(
        minimize=lambda x: (x["a [m]"] - 1) ** 2 + (x["größe"] - 2) ** 2 + (x["b:c"] - 3) ** 2,
        subject_to={
            "Σ [kg]": at_most(lambda x: x["a [m]"] + x["größe"], 2.0),
            "[bold]x[/bold]": at_least(lambda x: np.array([x["b:c"], x["a [m]"]]), [-5.0, -6.0]),
            "{0} %s": at_most(lambda x: x["b:c"], 3.5),
        },
        bounds={"größe": (0.0, 1.25)},
    )
    solution = problem.solve({"a [m]": 0.0, "größe": 0.0, "b:c": 1.0})
    assert solution.success
    assert np.allclose([solution.x["a [m]"], solution.x["größe"], solution.x["b:c"]], [0.75, 1.25, 3.0])
    assert solution.active == ["Σ [kg]", "upper bound of größe"]
    text = str(solution)
    for name in ("a [m]", "größe", "b:c", "Σ [kg]", "[bold]x[/bold][1]", "{0} %s"):
        assert name in text


def test_names_with_line_breaks_stay_on_their_line():
    problem = lg.Problem(
        minimize=lambda x: x["a\nb"] ** 2, subject_to={"new\nline": at_least(lambda x: x["a\nb"], 1.0)}
    )
    solution = problem.solve({"a\nb": 0.0})
    assert solution.success
    assert r"new\nline" in str(solution)
    assert "new\nline" not in str(solution)


def test_message_about_a_name_with_braces_and_brackets():
    rows: dict[str, Any] = {
        "{x} [1]": equals(lambda x: x[0] + x[1], 1.0),
        "%d": equals(lambda x: x[0] + x[1], 2.0),
    }
    solution = lg.Problem(minimize=bowl, subject_to=rows).solve(START)
    assert solution.kind is PointKind.INFEASIBLE_STATIONARY
    assert set(solution.result.blame) == set(rows)
    assert "{x} [1]" in str(solution)
    assert "%d" in str(solution)
