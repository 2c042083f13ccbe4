"""Functions that read something besides x and p: when that changes, the next solve sees it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.model.captured import captured

LIMIT = 2.0
TABLE = np.array([3.0])
SETTINGS = {"target": 3.0}


class Model:
    def __init__(self) -> None:
        self.k = np.array([1.0])

    def f(self, x: Any) -> Any:
        return (x[0] - self.k[0]) ** 2


def target() -> float:
    return SETTINGS["target"]


def solved(problem: lg.Problem) -> float:
    solution = problem.solve([0.0])
    assert solution.success
    return float(solution.x[0])


def test_a_global_a_closure_and_an_array_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    cap = 2.0
    problem = lg.Problem(
        lambda x: (x[0] - TABLE[0]) ** 2,
        {"closure": lg.at_most(lambda x: x[0] - cap, 0.0), "global": lg.at_most(lambda x: x[0] - LIMIT, 0.0)},
    )
    monkeypatch.setitem(globals(), "LIMIT", 2.5)
    assert solved(problem) == pytest.approx(2.0)
    cap = 1.0
    assert solved(problem) == pytest.approx(1.0)
    monkeypatch.setitem(globals(), "LIMIT", 0.75)
    assert solved(problem) == pytest.approx(0.75)
    TABLE[0] = -4.0
    assert solved(problem) == pytest.approx(-4.0)
    TABLE[0] = 3.0


def test_an_object_a_dict_behind_a_function_a_default_and_a_partial() -> None:
    model = Model()
    problems = [
        lg.Problem(model.f),
        lg.Problem(lambda x: (x[0] - target()) ** 2),
        lg.Problem(functools.partial(lambda k, x: (x[0] - k["k"][0]) ** 2, vars(model))),
    ]
    assert [solved(problem) for problem in problems] == pytest.approx([1.0, 3.0, 1.0])
    model.k[0], SETTINGS["target"] = 7.0, 5.0
    assert [solved(problem) for problem in problems] == pytest.approx([7.0, 5.0, 7.0])
    model.k = np.array([-1.0])
    assert solved(problems[0]) == pytest.approx(-1.0)
    SETTINGS["target"] = 3.0


def test_a_function_with_derivatives_of_its_own() -> None:
    place = np.array([1.0])
    problem = lg.Problem(lg.supplied(lambda x: (x[0] - place[0]) ** 2, jacobian=lambda x: 2 * (x - place)))
    assert solved(problem) == pytest.approx(1.0)
    place[0] = 4.0
    assert solved(problem) == pytest.approx(4.0)


def test_bounds_and_sides_that_are_arrays() -> None:
    upper, cap = np.array([2.0]), np.array(1.5)
    problem = lg.Problem(lambda x: (x[0] - 3.0) ** 2, {"cap": lg.at_most(lambda x: x[0], cap)}, (None, upper))
    assert solved(problem) == pytest.approx(1.5)
    cap[...] = 9.0
    assert solved(problem) == pytest.approx(2.0)
    upper[0] = 2.5
    assert solved(problem) == pytest.approx(2.5)


def test_a_solution_of_what_was_read_before_says_so() -> None:
    weight = 1.0
    problem = lg.Problem(lambda x, p: weight * (x[0] - p) ** 2 + x[0] ** 2)
    solution = problem.solve([0.0], 1.0)
    weight = 3.0
    for ask in (solution.sensitivity, solution.conditions, solution.multiplier_set):
        with pytest.raises(RuntimeError, match="has changed since this solution was found: solve again"):
            ask()
    assert problem.solve([0.0], 1.0).sensitivity().x[0] == pytest.approx(0.75)


def test_a_counter_and_a_store_are_no_change() -> None:
    calls, store = [], {}

    def objective(x: Any, p: Any) -> Any:
        calls.append(1)
        key = float(x[0])  # JAX cannot follow this: differences are taken, with a warning
        return store.setdefault((key, p), (key - p) ** 2)

    problem = lg.Problem(objective)
    with pytest.warns(UserWarning, match="JAX cannot"):
        solution = problem.solve([0.0], 1.0)
        assert solution.success and solution.sensitivity().x[0] == pytest.approx(1.0, abs=1e-4)


def test_nothing_is_compiled_again_where_nothing_has_changed() -> None:
    calls: list[int] = []
    data = np.arange(3.0)

    def objective(x: Any) -> Any:
        calls.append(1)
        return ((x - data) ** 2).sum()

    problem = lg.Problem(objective)
    problem.solve(np.zeros(3))
    before = problem.prepare(np.zeros(3))[0]
    problem.solve(np.ones(3))
    assert problem.prepare(np.zeros(3))[0] is before


@pytest.mark.parametrize("entries", [10, 250_000])
def test_large_arrays_are_sampled(entries: int) -> None:
    data = np.zeros((entries, 2))
    before = captured(data)
    assert captured(data) == before
    data += 1.0
    assert captured(data) != before


def test_what_refers_to_itself_is_looked_at_once() -> None:
    loop: list[Any] = [1.0]
    loop.append(loop)
    before = captured(loop)
    assert captured(loop) == before
    loop[0] = 2.0
    assert captured(loop) != before
