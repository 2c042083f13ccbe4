"""Implicit functions stay on their branch: a value is the continuation along the segment, or there is none.

The truth is a closed form, or roots of polynomials tracked in many tiny steps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import lagrange as lg
from lagrange.implicit.continuation import follow
from lagrange.model.named_pytree import Vector

FOLD = 2 / (3 * np.sqrt(3.0))  # of y^3 - y = p, at y = -1/sqrt 3


@functools.cache
def function(name: str) -> lg.ImplicitFunction:
    F, w0, p0 = FUNCTIONS[name]
    return lg.implicit_function(F, w0, p0)


FUNCTIONS: dict[str, tuple[Callable[[Any, Any], Any], Any, Any]] = {
    "upper circle": (lambda y, x: x**2 + y**2 - 1, 1.0, 0.0),
    "lower circle": (lambda y, x: x**2 + y**2 - 1, -1.0, 0.0),
    "root": (lambda x, p: x**2 - p, 1.0, 1.0),
    "cubic": (lambda y, p: y**3 - y - p, -1.0, 0.0),
    "wave": (lambda w, p: w + 3 * np.sin(w) - p, 0.0, 0.0),
    "pitchfork": (lambda w, p: w**3 - p * w, 1.0, 1.0),
    "stem": (lambda w, p: w**3 - p * w, 0.0, -1.0),
    "arctan": (lambda w, p: np.tan(w) - p, 0.0, 0.0),
    "tan": (lambda w, p: w * np.cos(p) - np.sin(p), 0.0, 0.0),
    "reciprocal": (lambda w, p: 1 / w - p, 1.0, 1.0),
    "hyperbola": (lambda w, p: w * p - 1, 1.0, 1.0),
    "pole": (lambda w, p: w - 1 / p, 1.0, 1.0),
    "log": (lambda w, p: w - np.log(p), 0.0, 1.0),
    "complex root": (
        lambda w, p: np.array([w[0] ** 2 - w[1] ** 2 - p[0], 2 * w[0] * w[1] - p[1]]),
        [1.0, 0.0],
        [1.0, 0.0],
    ),
}


# Singular points -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "F",
    [
        lambda x, p: x**2 - p,
        lambda y, x: y**2 - x**3,
        lambda x, y: y**2 - x**3,
        lambda y, x: x**4 - x**2 + y**2,
        lambda x, y: x**4 - x**2 + y**2,
        lambda w, p: w**3 - p * w,
        lambda w, p: 0 * w + p,
    ],
    ids=["fold", "cusp", "cusp, turned", "figure eight", "figure eight, turned", "pitchfork", "no unknown"],
)
def test_singular_at_the_start(F: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(lg.NotRegular, match="singular at") as caught:
        lg.implicit_function(F, 0.0, 0.0)
    error = caught.value
    assert (error.w, error.p, error.null_direction) == (0.0, 0.0, 1.0)
    assert not error.regularity.regular


def test_the_fold_at_the_start_is_called_a_fold() -> None:
    with pytest.raises(lg.NotRegular, match="fold"):
        lg.implicit_function(lambda x, p: x**2 - p, 0.0, 0.0)
    with pytest.raises(lg.NotRegular, match="branch point or a cusp"):
        lg.implicit_function(lambda y, x: y**2 - x**3, 0.0, 0.0)


def test_dependent_equations_are_named() -> None:
    def twice(w: Any, p: Any) -> Any:
        total = w["a"] + w["b"] - p
        return {"total": total, "again": 2 * total}

    with pytest.raises(
        lg.NotRegular, match=r"total depends linearly on again|again depends linearly on total"
    ) as caught:
        lg.implicit_function(twice, {"a": 0.5, "b": 0.5}, 1.0)
    direction = caught.value.null_direction
    assert direction["a"] == pytest.approx(-direction["b"]) and abs(direction["a"]) == pytest.approx(0.5**0.5)
    assert caught.value.regularity.rank == 1


@pytest.mark.parametrize("p", [1e-6, 1e-10, 1e-14])
def test_near_a_fold_reached_and_made_there(p: float) -> None:
    for w in (function("root"), lg.implicit_function(FUNCTIONS["root"][0], np.sqrt(p), p)):
        assert w(p) == pytest.approx(np.sqrt(p), rel=1e-6)
        assert w.derivative(p) == pytest.approx(0.5 / np.sqrt(p), rel=1e-6)


@pytest.mark.parametrize("beyond", [0.4, 1.0, 10.0, 15.0, 20.0, 1e3])
def test_cubic_stops_at_its_fold(beyond: float) -> None:
    with pytest.raises(lg.NotRegular, match="fold") as caught:
        function("cubic")(beyond)
    assert caught.value.p == pytest.approx(FOLD, abs=1e-8)
    assert caught.value.w == pytest.approx(-1 / np.sqrt(3.0), abs=1e-4)
    assert caught.value.null_direction == 1.0


@pytest.mark.parametrize("of_w", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("of_F", [1e-9, 1e9])
def test_units_change_no_verdict(of_F: float, of_w: float) -> None:
    w = lg.implicit_function(lambda w, p: of_F * ((w / of_w) ** 3 - w / of_w - p), -of_w, 0.0)
    assert w(-6.0) == pytest.approx(-2.0 * of_w, rel=1e-12)
    assert w.regularity(-6.0).margin == 1.0
    with pytest.raises(lg.NotRegular) as caught:
        w(1.0)
    assert caught.value.p == pytest.approx(FOLD, abs=1e-8)
    assert "fold" in str(caught.value), "the verdict in words depends on units"


def test_units_of_two_unknowns_change_no_verdict() -> None:
    # the same circle and line, in metres and in nanometres
    def F(w: Any, p: Any) -> Any:
        return np.array([1e9 * ((w[0] * 1e9) ** 2 + (w[1] * 1e-9) ** 2 - 1), w[0] * 1e9 - w[1] * 1e-9 - p])

    w = lg.implicit_function(F, [1e-9, 0.0], 1.0)
    np.testing.assert_allclose(
        w(0.0) * [1e9, 1e-9], [0.5**0.5, -(0.5**0.5)] if w(0.0)[0] < 0 else [0.5**0.5] * 2, rtol=1e-12
    )
    with pytest.raises(lg.NotRegular) as caught:
        w(-2.0)
    assert caught.value.p == pytest.approx(-np.sqrt(2.0), abs=1e-8)


# The branch is kept --------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [0.3, 0.6, 0.9, 0.99, 0.999, 1 - 1e-10])
@pytest.mark.parametrize("half", ["upper circle", "lower circle"])
def test_both_halves_of_the_circle_at_once(half: str, x: float) -> None:
    y = (1.0 if half == "upper circle" else -1.0) * np.sqrt(1 - x * x)
    assert function(half)(x) == pytest.approx(y, rel=1e-6)
    assert function(half)(-x) == pytest.approx(y, rel=1e-6)


@pytest.mark.parametrize("x", [1.0, -1.0, 1.0 + 1e-6, -2.0, 1e6])
def test_circle_has_no_value_beyond_its_end(x: float) -> None:
    for half in ("upper circle", "lower circle"):
        with pytest.raises(lg.NotRegular, match="fold") as caught:
            function(half)(x)
        assert caught.value.p == pytest.approx(np.sign(x), abs=1e-8)


def test_circle_across_in_one_call() -> None:
    far = function("upper circle").move_to(-0.999)
    for x in np.linspace(-0.9, 0.9, 7):
        assert far(x) == pytest.approx(np.sqrt(1 - x * x), rel=1e-10)


def no_value(name: str, p: Any) -> bool:
    try:
        function(name)(p)
    except (lg.NotRegular, lg.NotConverged):
        return True
    return False


# w + 3 sin w is increasing up to cos w = -1/3
WAVE_FOLD = np.arccos(-1 / 3) + 3 * np.sin(np.arccos(-1 / 3))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("wave", [WAVE_FOLD + 0.01, 5.0, 6.3, 10.0, 20.0, 100.0, -5.0, -12.6, -1e3]),
        ("pitchfork", [0.0, -1e-8, -0.25, -0.5, -1.0, -2.0, -3.0, -10.0, -1e3]),
        ("stem", [0.0, 1e-8, 0.1, 0.25, 0.5, 1.0, 1.37, 3.0, 10.0, 1e3]),
        ("root", [0.0, -1e-8, -0.5, -1.0, -10.0]),
        ("tan", [1.58, 2.0, np.pi, 3.5, 4.0, 4.8, 6.0, 2 * np.pi, 7.0, -3.0, -6.0, 100.0]),
        ("reciprocal", [0.0, -1e-8, -0.5, -1.0, -2.0, -10.0]),
        ("hyperbola", [0.0, -1e-8, -0.5, -1.0, -2.0, -10.0]),
        ("pole", [-0.5, -1.0, -2.0, -3.0]),
        ("log", [-1e-8, -0.5, -1.0, -10.0]),
        ("complex root", [[-1.0, 0.0], [-0.1, 0.0], [0.0, 0.0]]),
    ],
)
def test_no_number_beyond_the_end_of_a_branch(name: str, asked: list[Any]) -> None:
    numbers = {str(p): function(name)(p) for p in asked if not no_value(name, p)}
    assert not numbers, numbers


@pytest.mark.parametrize(("F", "w0"), [(FUNCTIONS["log"][0], 0.0), (FUNCTIONS["pole"][0], 1.0)], ids=["log", "pole"])
def test_infinite_residuals_are_no_solution(F: Callable[[Any, Any], Any], w0: float) -> None:
    w = lg.implicit_function(F, w0, 1.0)
    with pytest.raises((lg.NotConverged, lg.NotRegular)):
        w(0.0)
    with pytest.warns(lg.ImplicitFunctionWarning):
        assert np.isnan(jax.jit(w)(0.0))
        jax.effects_barrier()


def test_not_finite_beyond_a_point() -> None:
    with pytest.raises(lg.NotConverged, match=r"not (finite just|defined) beyond"):
        function("log")(-1.0)
    assert function("log")(1e-100) == pytest.approx(np.log(1e-100), rel=1e-12)


@pytest.mark.parametrize("p", [-4.7, -1.0, 0.5, 4.0, 4.7])
def test_wave_up_to_its_folds(p: float) -> None:
    w = function("wave")(p)
    assert w + 3 * np.sin(w) == pytest.approx(p, abs=1e-12) and abs(w) < np.arccos(-1 / 3)


@pytest.mark.parametrize("p", [1.0, 10.0, 1e3, 1e6, -1e6])
def test_arctan(p: float) -> None:
    assert function("arctan")(p) == pytest.approx(np.arctan(p), rel=1e-12)


def test_up_to_a_pole() -> None:
    for name in ("reciprocal", "hyperbola"):
        assert function(name)(1e-8) == pytest.approx(1e8, rel=1e-10)
    for p in (1.0, 1.5, 1.57, 1.570796):
        assert function("tan")(p) == pytest.approx(np.tan(p), rel=1e-9)


def test_solution_zero_up_to_rounding() -> None:
    # w = 0 for every p, F_w = -sin p: the residual is never smaller than rounding, which is large beside |w|
    w = lg.implicit_function(lambda w, p: np.cos(w + p) - (2 * np.cos(p / 2) ** 2 - 1), 0.0, 1.0)
    for p in (1.1, 1.3, 1.7, 2.0, 2.5):
        assert abs(w(p)) < 1e-14


def test_history_does_not_matter() -> None:
    w = lg.implicit_function(*FUNCTIONS["cubic"])
    first = w(-3.0)
    for p in (0.3, -100.0, 0.38):
        w(p)
    with pytest.raises(lg.NotRegular):
        w(1.0)
    assert w(-3.0) == first and w.p0 == 0.0


# Around a branch point -----------------------------------------------------------------------------------


def test_twice_around_the_complex_square_root() -> None:
    w = function("complex root")
    for turn, expected in ((1, -1.0), (2, 1.0), (3, -1.0), (4, 1.0)):
        for angle in np.linspace(0, 2 * np.pi, 6)[1:]:
            w = w.move_to([np.cos(angle), np.sin(angle)])
        np.testing.assert_allclose(w.w0, [expected, 0.0], atol=1e-12, err_msg=f"turn {turn}")
    np.testing.assert_array_equal(function("complex root").w0, [1.0, 0.0])  # the first is as it was


def test_move_to_a_singular_point_is_refused() -> None:
    with pytest.raises(lg.NotRegular):
        function("root").move_to(0.0)
    moved = function("root").move_to(1e-4)
    assert (moved.w0, moved.p0) == (pytest.approx(1e-2), 1e-4)
    assert moved(9.0) == pytest.approx(3.0)


# Random polynomials --------------------------------------------------------------------------------------

IN_W, IN_T = 4, 3


@functools.cache
def followed(F: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """(w0, (c, t0), (c, t1)) -> w and whether it arrived; a batch of them, on the code that every call uses."""

    def one(w0: Any, start: Any, end: Any) -> tuple[Any, Any]:
        path = follow(F, w0, start, end)
        return path.w[0], path.arrived

    return jax.jit(jax.vmap(one))


def bivariate(w: Any, p: Any) -> Any:
    c, t = p
    return sum(c[i, j] * w**i * t**j for i in range(IN_W + 1) for j in range(IN_T + 1))


def roots(c: Vector, t: float) -> Vector:
    return np.roots((c @ t ** np.arange(IN_T + 1))[::-1])


def tracked(c: Vector, w: complex, t0: float, t1: float, steps: int) -> tuple[complex, float]:
    """The root followed in tiny steps, each to the nearest root; and how near another one came to it."""
    nearest = np.inf
    for t in np.linspace(t0, t1, steps + 1)[1:]:
        found = roots(c, t)
        k = int(np.abs(found - w).argmin())
        w = found[k]
        nearest = min(nearest, float(np.abs(np.delete(found, k) - w).min()))
    return w, nearest


def test_random_polynomials_are_continued_or_refused() -> None:
    tasks = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        c, (t0, t1) = rng.normal(size=(IN_W + 1, IN_T + 1)), 2 * rng.normal(size=2)
        real = [float(root.real) for root in roots(c, t0) if abs(root.imag) < 1e-9]
        if real:
            tasks.append((seed, c, t0, t1, float(rng.choice(real))))
    c, t0, t1, w0 = (np.array([task[k] for task in tasks]) for k in (1, 2, 3, 4))
    with jax.enable_x64(True):
        values, arrived = (np.asarray(each) for each in followed(bivariate)(w0[:, None], (c, t0), (c, t1)))
    assert 100 < arrived.sum() < len(tasks)
    wrong = []
    for (seed, *task, start), value in zip([tasks[k] for k in np.flatnonzero(arrived)], values[arrived], strict=True):
        for steps in (300, 4000):  # the tracker itself may jump with few steps
            truth, nearest = tracked(task[0], start, task[1], task[2], steps)
            if abs(truth - value) <= 1e-6 * max(1.0, abs(value)):
                break
        else:
            wrong.append({"seed": seed, "t": task[1:], "w0": start, "value": value, "truth": truth, "nearest": nearest})
    assert not wrong, wrong


def cubic_with_roots(w: Any, p: Any) -> Any:
    (start, end), t = p
    return (
        (w - start[0] - t * (end - start)[0])
        * (w - start[1] - t * (end - start)[1])
        * (w - start[2] - t * (end - start)[2])
    )


def test_roots_that_stay_apart_are_always_reached() -> None:
    # Real roots that move on straight lines and stay apart by 1/2 at least: no reason to refuse.
    rng = np.random.default_rng(7)
    start, end = np.cumsum(rng.uniform(0.5, 2.0, size=(2, 60, 3)), axis=2) + rng.uniform(-8, 4, size=(2, 60, 1))
    k = rng.integers(3, size=60)
    w0, truth = start[np.arange(60), k], end[np.arange(60), k]
    pair = np.stack([start, end], axis=1)
    with jax.enable_x64(True):
        values, arrived = followed(cubic_with_roots)(
            w0[:, None], ((pair[:, 0], pair[:, 1]), np.zeros(60)), ((pair[:, 0], pair[:, 1]), np.ones(60))
        )
    assert np.asarray(arrived).all()
    np.testing.assert_allclose(values, truth, atol=1e-8)
