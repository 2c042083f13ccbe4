"""The base point, bad input by name, the record of regularity, and the radius that an implicit function reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Tank:
    level: Any
    inflow: Any


# The base point ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("w0", "root"), [(1.4, 2**0.5), (100.0, 2**0.5), (1e6, 2**0.5), (-0.01, -(2**0.5))])
def test_start_is_corrected(w0: float, root: float) -> None:
    w = lg.implicit_function(lambda w, p: w**2 - p, w0, 2.0)
    assert w.w0 == w(2.0) == pytest.approx(root, rel=1e-14) and w.p0 == 2.0
    assert f"(w = {root:.6g}) at (p = 2)" in repr(w)


@pytest.mark.parametrize(
    "F",
    [
        lambda w, p: w**2 + 1 + p,
        lambda w, p: np.sin(w) - p,
        lambda w, p: np.exp(w) + p,
        lambda w, p: w / (1 + w**2) - p,
    ],
    ids=["square", "sine", "exponential", "bounded"],
)
def test_no_solution(F: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(lg.NotConverged, match=r"no solution of <lambda> was found from \(w = 0.5\) at \(p = 2\)"):
        lg.implicit_function(F, 0.5, 2.0)


def test_not_finite_at_the_start() -> None:
    def log(w: Any, p: Any) -> Any:
        return {"a": np.log(w["a"]) - p, "b": w["b"]}

    with pytest.raises(ValueError, match=r"a is nan at \(a = -1, b = 0\), \(p = 2\)"):
        lg.implicit_function(log, {"a": -1.0, "b": 0.0}, 2.0)


def test_its_own_exception_comes_through_with_a_note() -> None:
    def broken(w: Any, p: Any) -> Any:
        raise KeyError("the valve")

    with pytest.raises(KeyError, match="the valve") as caught:
        lg.implicit_function(broken, 1.0, 2.0)
    assert caught.value.__notes__ == ["raised by broken at w0 = 1.0"]


@pytest.mark.parametrize(
    ("F", "w0", "error", "message"),
    [
        (lambda w, p: w[:1] - p, [1.0, 2.0], ValueError, r"1 equations for 2 unknowns \(w\[0\], w\[1\]\)"),
        (lambda w, p: np.array([w, w]), 1.0, ValueError, r"2 equations for 1 unknowns \(w\)"),
        (lambda w, p: None, 1.0, TypeError, "returned None: does it end with a return"),
        (lambda w, p: {"law": w, "other": None}, [1.0, 2.0], TypeError, "other must hold real numbers, got None"),
        (lambda w, p: "w", 1.0, TypeError, "must hold real numbers, got 'w' of type str"),
        (lambda w, p: w * 1j, 1.0, TypeError, "must hold real numbers, got .*complex"),
        (lambda w, p: w, [], ValueError, "w0 is empty"),
        (lambda w, p: w, {}, ValueError, "w0 is empty"),
        (lambda w, p: w, np.nan, ValueError, r"w0 must be finite, but it is \(w = nan\)"),
        (lambda w, p: w, {"a": 1.0, "b": np.inf}, ValueError, r"w0 must be finite, but it is \(a = 1, b = inf\)"),
        (lambda w, p: w, "one", TypeError, "w.* must hold real numbers, got 'one'"),
        (lambda w, p: w, None, TypeError, "w.* must hold real numbers, got None"),
        (lambda w, p: w, 1j, TypeError, "w.* must hold real numbers, got 1j"),
        (lambda w: w, 1.0, TypeError, "takes 1 positional argument"),
        (3.0, 1.0, TypeError, "first argument must be a function, got 3.0"),
    ],
)
def test_bad_input_is_named(F: Any, w0: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lg.implicit_function(F, w0, 1.0)


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ValueError, match=r"p0 must be finite, but it is \(p = inf\)"):
        lg.implicit_function(lambda w, p: w, 1.0, np.inf)
    with pytest.raises(TypeError, match="real numbers, got None"):
        lg.implicit_function(lambda w, p: w, 1.0, None)


SUM = lg.implicit_function(lambda w, p: w - p["a"] - p["b"], 0, {"a": 0, "b": 0})


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ({"a": 1.0, "c": 2.0}, "p has entries 'a', 'c', expected 'a', 'b'"),
        ({"a": 1.0}, "p has entries 'a', expected 'a', 'b'"),
        (3.0, "p .*expected 'a', 'b'"),
        ({"a": 1.0, "b": np.ones(2)}, r"p b has shape \(2,\), expected \(\)"),
        ({"a": 1.0, "b": jnp.ones(2)}, r"p has entries of shapes a \(\), b \(2,\); expected a \(\), b \(\)"),
        ({"a": 1.0, "b": np.nan}, r"p must be finite, got \(a = 1, b = nan\)"),
        ({"a": 1.0, "b": jnp.float32(np.nan)}, r"p must be finite, got \(a = 1, b = nan\)"),
        ({"a": 1.0, "b": -np.inf}, r"p must be finite, got \(a = 1, b = -inf\)"),
    ],
)
def test_later_parameters_of_another_kind_are_named(p: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SUM(p)


def test_directions_of_another_kind_are_named() -> None:
    p = {"a": 1.0, "b": 2.0}
    with pytest.raises(ValueError, match="has entries 'a', expected 'a', 'b'"):
        SUM.jvp(p, {"a": 1.0})
    with pytest.raises(ValueError, match=r"v has shape \(2,\), expected \(\)"):
        SUM.vjp(p, [1.0, 2.0])
    with pytest.raises(ValueError, match="has entries 'a', expected 'a', 'b'"):
        SUM.radius_estimate(p, {"a": 1.0})


def test_integers_are_numbers() -> None:
    assert SUM({"a": 1, "b": np.int32(2)}) == 3.0
    assert type(SUM({"a": 1, "b": 2})) is float
    assert float(SUM({"a": jnp.asarray(1), "b": 2})) == 3.0
    assert float(jax.jit(SUM)({"a": 1, "b": 2})) == 3.0
    assert SUM.w0 == 0.0 and type(SUM.w0) is float


def test_no_parameters() -> None:
    w = lg.implicit_function(lambda w, p: w**2 - 2, 1.0, {})
    assert w({}) == pytest.approx(2**0.5) and w.derivative({}) == {} and w.vjp({}, 1.0) == {}
    assert w.radius_estimate({}) == np.inf and w.jvp({}, {}) == 0.0


@pytest.mark.parametrize(
    ("like", "parts"),
    [
        (lambda a, b: np.array([a, b]), lambda t: (t[0], t[1])),
        (lambda a, b: {"a": a, "b": b}, lambda t: (t["a"], t["b"])),
        (Pair, lambda t: (t.left, t.right)),
        (Tank, lambda t: (t.level, t.inflow)),
    ],
    ids=["array", "dict", "NamedTuple", "dataclass"],
)
def test_structures(like: Any, parts: Any) -> None:
    def F(w: Any, p: Any) -> Any:
        (a, b), (c, d) = parts(w), parts(p)
        return a + b - c, a - b - d

    w = lg.implicit_function(F, like(0.0, 0.0), like(0.0, 0.0))
    value = w(like(3.0, 1.0))
    assert type(value) is type(like(0.0, 0.0))
    assert parts(value) == (pytest.approx(2.0), pytest.approx(1.0))
    slopes = w.derivative(like(3.0, 1.0))
    nested = slopes.tolist() if isinstance(slopes, np.ndarray) else [list(parts(row)) for row in parts(slopes)]
    np.testing.assert_allclose(nested, [[0.5, 0.5], [0.5, -0.5]], atol=1e-14)


def test_arrays_of_one_element_stay_arrays() -> None:
    w = lg.implicit_function(lambda w, p: w - 2 * p, np.zeros(1), np.zeros(1))
    assert w([3.0]).shape == (1,) and w.derivative([3.0]).shape == (1, 1)
    assert lg.implicit_function(lambda w, p: w - 2 * p, 0.0, 0.0).derivative(1.0) == pytest.approx(2.0)


# The record of regularity --------------------------------------------------------------------------------

A = np.array([[4.0, 1.0, 0.5], [2.0, 3.0, -1.0], [0.5, -2.0, 8.0]])


def linear(w: Any, p: Any) -> Any:
    return A @ w - p * np.ones(3)


def test_record_against_numpy() -> None:
    w = lg.implicit_function(linear, np.zeros(3), 0.0)
    found = w.regularity(1.0)
    values = np.linalg.svd(A, compute_uv=False)
    assert found.regular and (found.rank, found.size) == (3, 3)
    assert found.smallest_singular_value == pytest.approx(values[-1])
    assert found.condition == pytest.approx(np.linalg.cond(A))
    # weakest along the last right singular vector, as far as powers of two in rows and columns leave it
    assert 0.1 < found.margin <= 1.0
    assert abs(np.linalg.norm(A @ found.null_direction)) < 2 * values[-1]
    assert np.linalg.norm(found.null_direction) == pytest.approx(1.0)
    assert found.distance == np.inf and found.rounding == 0.0
    assert "regular: rank 3 of 3" in str(found)


def test_record_of_a_matrix_that_is_scaled_already() -> None:
    S = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = lg.implicit_function(lambda w, p: S @ w - p, np.zeros(3), np.zeros(3)).regularity(np.zeros(3))
    assert found.margin == pytest.approx(0.4 / 1.6) and found.condition == pytest.approx(4.0)
    np.testing.assert_allclose(np.abs(found.null_direction), [0.5**0.5, 0.5**0.5, 0.0], atol=1e-12)
    assert found.weakest == ("w[0]", "w[1]")


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_one_rank_less_than_three(scale: float) -> None:
    B = A.copy()
    B[2] = B[0] - B[1]
    null = np.linalg.svd(B)[2][-1]
    with pytest.raises(lg.NotRegular, match=r"F\[2\] depends linearly on F\[0\], F\[1\]") as caught:

        def F(w: Any, p: Any) -> Any:
            return scale * (B @ w) - p

        lg.implicit_function(F, np.zeros(3), np.zeros(3))
    found = caught.value.regularity
    assert found.rank == 2 and not found.regular and found.margin < 1e-15
    assert abs(caught.value.null_direction @ null) == pytest.approx(1.0, abs=1e-12)
    assert found.smallest_singular_value < 1e-15 * scale * 10 and found.distance == 0.0


def test_distance_to_the_fold() -> None:
    # x^2 = p at p = 1: F_w = 2w vanishes after a move of 1 in w
    w = lg.implicit_function(lambda x, p: x**2 - p, 1.0, 1.0)
    assert w.regularity(1.0).distance == pytest.approx(1.0)
    assert w.regularity(1e-4).distance == pytest.approx(1e-2)
    # near the end of the circle rounding of x costs digits of dy/dx: y^2 = 1 - x^2 is a difference
    assert CIRCLE.regularity(1 - 1e-10).rounding > 1e6 * CIRCLE.regularity(0.1).rounding


# The radius ----------------------------------------------------------------------------------------------

FOLD = lg.implicit_function(lambda x, p: x**2 - p, 1.0, 1.0)
CIRCLE = lg.implicit_function(lambda y, x: x**2 + y**2 - 1, 1.0, 0.0)


@pytest.mark.parametrize("p", [1e-3, 0.1, 1.0, 30.0])
def test_radius_of_a_fold(p: float) -> None:
    assert FOLD.radius_estimate(p) == pytest.approx(2 * (np.sqrt(2) - 1) * p, rel=1e-9)  # of the true p
    assert FOLD.radius_estimate(p, -2.0) == pytest.approx((np.sqrt(2) - 1) * p, rel=1e-9)


@pytest.mark.parametrize("x", [0.0, 0.3, 0.6, -0.6, 0.95])
def test_radius_of_the_circle(x: float) -> None:
    assert 0.2 * (1 - abs(x)) < CIRCLE.radius_estimate(x) <= 1 - abs(x)


def test_radius_of_the_logarithm() -> None:
    log = lg.implicit_function(lambda w, p: np.exp(w) - p, 0.0, 1.0)
    for p in (0.1, 1.0, 10.0):  # defined for positive p
        assert 0.3 * p < log.radius_estimate(p) <= p


def test_radius_of_a_sphere_in_all_directions_and_in_one() -> None:
    z = lg.implicit_function(lambda z, p: z**2 + p @ p - 1, 1.0, np.zeros(2))
    assert 0.3 < z.radius_estimate([0.0, 0.0]) <= 1.0
    assert z.radius_estimate([0.6, 0.0]) <= 0.4
    assert z.radius_estimate([0.6, 0.0]) <= z.radius_estimate([0.6, 0.0], [0.0, 1.0]) <= 0.8


def test_radius_of_linear_equations_is_infinite() -> None:
    assert lg.implicit_function(linear, np.zeros(3), 0.0).radius_estimate(5.0) == np.inf
    assert SUM.radius_estimate({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 1.0}) == np.inf


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_radius_in_other_units(scale: float) -> None:
    in_p = lg.implicit_function(lambda x, p: x**2 - p / scale, 1.0, scale)
    assert in_p.radius_estimate(scale) == pytest.approx(scale * FOLD.radius_estimate(1.0), rel=1e-9)
    in_w = lg.implicit_function(lambda x, p: scale * ((x * scale) ** 2 - p), 1 / scale, 1.0)
    assert in_w.radius_estimate(1.0) == pytest.approx(FOLD.radius_estimate(1.0), rel=1e-9)


def test_no_derivative_and_no_radius_where_there_is_no_value() -> None:
    for ask in (CIRCLE.derivative, CIRCLE.regularity, CIRCLE.radius_estimate, CIRCLE.move_to):
        with pytest.raises(lg.NotRegular, match="the branch ends at"):
            ask(2.0)
    with pytest.raises(lg.NotRegular):
        CIRCLE.jvp(2.0, 1.0)
    with pytest.raises(lg.NotRegular):
        CIRCLE.vjp(2.0, 1.0)
