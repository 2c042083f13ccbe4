"""Conflicts by name: minimal, with repairs that work and a certificate that cancels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import lagrange as lg
from lagrange import at_least, at_most, between, equals
from lagrange.optimality.infeasibility import Infeasibility


def test_equations_that_contradict_each_other() -> None:
    problem = lg.Problem(
        lambda x: x @ x,
        {
            "one": equals(lambda x: x[0] + x[1], 1.0),
            "two": equals(lambda x: x[0] + x[1], 2.0),
            "loose": at_least(lambda x: x[0], -5.0),
        },
    )
    why = problem.explain_infeasibility([0.0, 0.0])
    assert why.feasible is False and why.exact and why.irreducible
    assert why.conflict == ("one", "two")
    assert why.violation == pytest.approx(1.0)
    assert sum(map(abs, why.repair.values())) == pytest.approx(1.0)
    assert why.repair_alone == pytest.approx({"one": 1.0, "two": -1.0})
    assert abs(why.certificate["one"]) == 1.0 and why.certificate["one"] == -why.certificate["two"]
    text = str(why)
    assert text.startswith("Infeasible: No point satisfies one, two together") and "local" not in text
    assert "loose" not in text


def test_a_row_against_bounds() -> None:
    problem = lg.Problem(
        lambda x: x["a"] ** 2 + x["b"],
        {"demand": at_least(lambda x: x["a"] + x["b"], 5.0)},
        bounds={"a": (0.0, 2.0), "b": (None, 2.0)},
    )
    why = problem.explain_infeasibility({"a": 1.0, "b": 1.0})
    assert why.conflict == ("demand", "upper bound of a", "upper bound of b")
    assert why.repair == pytest.approx({"demand": -1.0})
    assert why.repair_alone == pytest.approx({"demand": -1.0, "upper bound of a": 1.0, "upper bound of b": 1.0})
    assert why.certificate == pytest.approx({"demand": -1.0, "upper bound of a": 1.0, "upper bound of b": 1.0})
    assert why.x == pytest.approx({"a": 2.0, "b": 2.0})


def test_a_circle_and_a_line_that_miss_each_other() -> None:
    problem = lg.Problem(
        lambda x: x[0],
        {
            "circle": equals(lambda x: x @ x, 1.0),
            "line": equals(lambda x: x[0] + x[1], 5.0),
            "loose": at_most(lambda x: x[0] * x[1], 100.0),
        },
    )
    why = problem.explain_infeasibility([1.0, 0.5])
    assert why.feasible is False and why.irreducible and not why.exact
    assert why.conflict == ("circle", "line")
    # The line nearest to (1, 1) / sqrt 2 on the circle: 5 -> sqrt 2. The circle through (5, 5) / 2: 1 -> 12.5.
    assert why.repair == pytest.approx({"line": np.sqrt(2.0) - 5.0})
    assert why.repair_alone == pytest.approx({"circle": 11.5, "line": np.sqrt(2.0) - 5.0})
    # The gradients 2 x and (1, 1) cancel at the point returned.
    force = why.certificate["circle"] * 2.0 * why.x + why.certificate["line"]
    np.testing.assert_allclose(force, 0.0, atol=1e-6)
    assert "No point nearby" in why.message and "holds near x" in " ".join(str(why).split())


def test_an_equation_without_solutions() -> None:
    problem = lg.Problem(lambda x: x[0], {"nowhere": equals(lambda x: x[0] ** 2 + 1.0, 0.0)})
    why = problem.explain_infeasibility([3.0])
    assert why.conflict == ("nowhere",) and why.irreducible
    assert why.message == "Infeasible: No point nearby satisfies nowhere."
    assert why.repair == pytest.approx({"nowhere": 1.0}, abs=1e-6)


FEASIBLE = {
    "linear": (lg.Problem(lambda x: x @ x, {"sum": at_least(lambda x: x.sum(), 3.0)}, bounds=(0.0, 2.0)), [0.0, 0.0]),
    "nonlinear": (lg.Problem(lambda x: x @ x, {"circle": equals(lambda x: x @ x, 1.0)}), [3.0, 0.5]),
    "unconstrained": (lg.Problem(lambda x: x @ x), [1.0, 2.0]),
    "bounds": (lg.Problem(lambda x: x @ x, bounds=(1.0, 2.0)), [0.0, 5.0]),
}


@pytest.mark.parametrize("case", FEASIBLE)
def test_nothing_to_explain(case: str) -> None:
    problem, x = FEASIBLE[case]
    why = problem.explain_infeasibility(x)
    assert why.feasible is True and why.conflict == () and why.repair == {} and why.violation == 0.0
    assert str(why).startswith("Feasible") and "nothing to explain" in str(why)
    assert problem.examine(why.x).residuals.relative_feasibility <= 1e-7


def test_sides_of_intervals_and_fixed_variables_have_names() -> None:
    problem = lg.Problem(
        lambda x: x @ x,
        {"band": between(0.0, lambda x: x[0] + x[1], 1.0)},
        bounds=([2.0, -0.5], [2.0, np.inf]),
    )
    why = problem.explain_infeasibility([2.0, 0.0])
    assert why.conflict == ("upper side of band", "fixed x[0]", "lower bound of x[1]")
    assert why.repair == pytest.approx({"upper side of band": 0.5})
    assert why.repair_alone == pytest.approx(
        {"upper side of band": 0.5, "fixed x[0]": -0.5, "lower bound of x[1]": -0.5}
    )


def test_two_conflicts_at_once() -> None:
    # No single side repairs both; the repair of all rows does.
    problem = lg.Problem(
        lambda x: x @ x,
        {
            "a": at_most(lambda x: x[0], 0.0),
            "b": at_least(lambda x: x[0], 1.0),
            "c": at_most(lambda x: x[1], 0.0),
            "d": at_least(lambda x: x[1], 2.0),
        },
    )
    why = problem.explain_infeasibility([0.0, 0.0])
    assert set(why.conflict) in ({"a", "b"}, {"c", "d"})
    assert all(change is None for change in why.repair_alone.values())
    assert "not enough" in str(why)
    assert why.violation == pytest.approx(3.0)


def test_parameters_and_functions_with_a_domain() -> None:
    problem = lg.Problem(
        maximize=lambda x, p: x[0],
        subject_to={
            "log": at_least(lambda x, p: np.log(x[0]), lambda p: p["floor"]),
            "cap": at_most(lambda x, p: x[0] + x[1], 3.0),
        },
        bounds=(1e-3, None),
    )
    why = problem.explain_infeasibility([1.0, 1.0], {"floor": 2.0})
    assert why.conflict == ("log", "cap", "lower bound of x[1]")
    assert why.repair_alone["log"] == pytest.approx(np.log(3.0 - 1e-3) - 2.0)
    assert why.repair_alone["cap"] == pytest.approx(np.exp(2.0) + 1e-3 - 3.0)
    assert problem.explain_infeasibility([1.0, 1.0], {"floor": 1.0}).feasible is True


def test_a_start_where_nothing_is_defined() -> None:
    problem = lg.Problem(lambda x: x[0], {"log": at_least(lambda x: np.log(x[0]), 0.0)})
    with pytest.raises(ValueError, match=r"constraint 'log' is nan at x = .*Start from another point"):
        problem.explain_infeasibility([-1.0])


def test_other_functions_are_not_traced_again() -> None:
    calls: list[int] = []

    def circle(x: Any) -> Any:
        calls.append(1)
        return x @ x

    problem = lg.Problem(lambda x: x[0], {"circle": equals(circle, 1.0), "line": equals(lambda x: x[0] + x[1], 5.0)})
    problem.prepare([1.0, 0.5])
    problem.explain_infeasibility([1.0, 0.5])
    before = len(calls)
    assert not problem.explain_infeasibility([1.0, 0.5]).feasible
    assert len(calls) == before


# Random linear systems: a linear program of the test's own decides what is feasible.


def system(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows, n = 9, 3
    A = rng.integers(-3, 4, (rows, n)).astype(float)
    A[~A.any(axis=1), 0] = 1.0
    return A, rng.normal(size=rows) - 1.2


def is_feasible(A: np.ndarray, b: np.ndarray) -> bool:
    return bool(linprog(np.zeros(A.shape[1]), A_ub=A, b_ub=b, bounds=(None, None)).status == 0)


def random_conflicts() -> list[tuple[int, Infeasibility]]:
    found = []
    for seed in range(12):
        A, b = system(seed)
        constraints = {
            f"r{i}": at_most(lambda x, a=a: a @ x, side) for i, (a, side) in enumerate(zip(A, b, strict=True))
        }
        why = lg.Problem(lambda x: x @ x, constraints).explain_infeasibility(np.zeros(3))
        assert why.feasible is is_feasible(A, b)
        if not why.feasible:
            found.append((seed, why))
    return found


def test_random_linear_systems() -> None:
    found = random_conflicts()
    assert len(found) >= 3
    for seed, why in found:
        A, b = system(seed)
        names = [f"r{i}" for i in range(len(b))]
        members = [names.index(name) for name in why.conflict]
        # Irreducible: infeasible, and feasible without any one of its members.
        assert not is_feasible(A[members], b[members]) and why.irreducible
        for i in members:
            others = [j for j in members if j != i]
            assert is_feasible(A[others], b[others])
        # Farkas: y >= 0 with A'y = 0 and b'y < 0.
        y = np.array([why.certificate[name] for name in why.conflict])
        assert (y > 0.0).all() and y.max() == pytest.approx(1.0)
        np.testing.assert_allclose(y @ A[members], 0.0, atol=1e-8)
        assert y @ b[members] < 0.0
        # The repair repairs, and no cheaper one does.
        change = np.array([why.repair.get(name, 0.0) for name in names])
        assert is_feasible(A, b + change + 1e-9)
        least = linprog(
            np.concatenate([np.zeros(3), np.ones(len(b))]),
            A_ub=np.hstack([A, -np.eye(len(b))]),
            b_ub=b,
            bounds=[(None, None)] * 3 + [(0, None)] * len(b),
        )
        assert why.violation == pytest.approx(least.fun) == pytest.approx(change.sum())
        for name, alone in why.repair_alone.items():
            changed = b.copy()
            changed[names.index(name)] += 1e6 if alone is None else alone + 1e-9
            assert is_feasible(A, changed) is (alone is not None)
            if alone is not None:
                changed[names.index(name)] -= 1e-3
                assert not is_feasible(A, changed)
