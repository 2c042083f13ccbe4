"""Sensitivities that know their validity: one test for each row of the design's table, known answers by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.sensitivity.kind import NOT_UNIQUE, ONE_SIDED, SMOOTH, UNDEFINED
from lagrange.sensitivity.verification import verify

CAN = lg.Problem(
    minimize=lambda x: 2 * np.pi * x["radius"] * (x["radius"] + x["height"]),
    subject_to={
        "volume": lg.equals(lambda x: np.pi * x["radius"] ** 2 * x["height"], lambda p: p["volume"]),
        "shelf": lg.at_most(lambda x: x["height"], lambda p: p["shelf"]),
    },
    bounds={"radius": (0, None), "height": (0, None)},
)
START = {"radius": 3.0, "height": 10.0}


@pytest.fixture(scope="module")
def can() -> lg.Solution:
    return CAN.solve(START, {"volume": 330.0, "shelf": 12.0})


def test_smooth(can: lg.Solution) -> None:
    # r = (V / 2 pi)^(1/3), h = 2 r, area = 6 pi r^2
    s = can.sensitivity()
    V = 330.0
    r = (V / (2 * np.pi)) ** (1 / 3)
    assert s.kind == SMOOTH
    assert np.isclose(s.x["radius"]["volume"], r / (3 * V), rtol=1e-10)
    assert np.isclose(s.x["height"]["volume"], 2 * r / (3 * V), rtol=1e-10)
    assert s.x["radius"]["shelf"] == s.x["height"]["shelf"] == 0.0
    # lambda = -dV/d volume = -2 / r,  d lambda / dV = 2 / r^2 dr/dV
    assert np.isclose(s.multipliers["volume"]["volume"], 2 / r**2 * r / (3 * V), rtol=1e-10)
    assert np.isclose(s.objective["volume"], 2 / r, rtol=1e-10)
    assert np.isclose(s.objective_hessian["volume"]["volume"], -2 / r**2 * r / (3 * V), rtol=1e-10)
    assert np.isclose(s.elasticity.x["radius"]["volume"], 1 / 3)
    assert np.isclose(s.elasticity.objective["volume"], 2 / 3)
    assert np.isclose(s.sides.x["volume"]["radius"], r / (3 * V), rtol=1e-10)
    assert np.isclose(s.sides.objective["volume"], can.shadow_prices["volume"])
    assert s.sides.objective["shelf"] == 0.0
    assert s.shadow_prices["shelf"] == (0.0, 0.0)


def test_an_active_inequality_and_its_side() -> None:
    # On the shelf: h = H, r = sqrt(V / pi H)
    V, H = 2000.0, 12.0
    s = CAN.solve(START, {"volume": V, "shelf": H}).sensitivity()
    r = np.sqrt(V / (np.pi * H))
    assert s.kind == SMOOTH
    assert np.isclose(s.x["radius"]["volume"], r / (2 * V))
    assert np.isclose(s.x["radius"]["shelf"], -r / (2 * H))
    assert np.isclose(s.x["height"]["shelf"], 1.0)
    assert np.isclose(s.sides.x["shelf"]["radius"], -r / (2 * H))
    assert np.isclose(s.objective["shelf"], s.sides.objective["shelf"])
    # area = 2 V / H + 2 pi r^2 ... with r^2 = V / pi H:  d area / dH by hand
    area = lambda V, H: 2 * V / H + 2 * np.pi * np.sqrt(V / (np.pi * H)) * H  # noqa: E731
    step = 1e-5
    assert np.isclose(s.objective["shelf"], (area(V, H + step) - area(V, H - step)) / (2 * step), rtol=1e-6)


def test_prediction(can: lg.Solution) -> None:
    s = can.sensitivity()
    for V in (333.0, 340.0):
        guess, there = s.predict({"volume": V, "shelf": 12.0}), CAN.solve(START, {"volume": V, "shelf": 12.0})
        relative = (V - 330.0) / 330.0
        assert abs(guess.x["radius"] - there.x["radius"]) < 2 * relative**2
        assert abs(guess.objective - there.objective) < 20 * relative**3
        assert abs(guess.multipliers["volume"] - there.multipliers["volume"]) < relative**2


def test_a_kink_has_two_sides() -> None:
    # x = max(p, 0) at p = 0: one-sided derivatives 1 and 0.
    s = lg.Problem(lambda x, p: (x - p) ** 2, bounds=(0, None)).solve(1.0, 0.0).sensitivity()
    assert s.kind == ONE_SIDED
    assert np.isclose(s.direction(1.0).x, 1.0)
    assert np.isclose(s.direction(-1.0).x, 0.0, atol=1e-12)
    # z = 2 p for p < 0: as p falls at rate 1, z falls at rate 2
    assert np.isclose(s.direction(-1.0).bound_multipliers, -2.0)
    with pytest.raises(lg.NotDifferentiable, match=r"lower bound of x .*direction"):
        _ = s.x
    # The value, (min(p, 0))^2, is differentiable once, not twice.
    assert np.isclose(s.objective, 0.0, atol=1e-12)
    with pytest.raises(lg.NotDifferentiable):
        _ = s.objective_hessian
    assert np.isclose(s.predict(0.1).x, 0.1)
    assert np.isclose(s.predict(-0.1).x, 0.0, atol=1e-12)


def test_entries_that_do_not_feel_the_kink_are_given() -> None:
    problem = lg.Problem(
        lambda x, p: (x["a"] - p["a"]) ** 2 + (x["b"] - p["b"]) ** 2, bounds={"a": (0, None), "b": (None, None)}
    )
    s = problem.solve({"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 3.0}).sensitivity()
    assert s.kind == ONE_SIDED
    assert np.isclose(s.x["b"]["b"], 1.0)
    assert np.isclose(s.x["b"]["a"], 0.0)
    assert np.isclose(s.x["a"]["b"], 0.0, atol=1e-12)
    with pytest.raises(lg.NotDifferentiable):
        _ = s.x["a"]["a"]
    assert "not differentiable" in repr(s.x)
    assert list(s.x) == ["a", "b"]
    assert len(s.x) == 2


def test_dependent_rows() -> None:
    # min |x - (1, 0)|^2, x0 + x1 / 2 = ... chosen such that dx/dp = [[1, -.5], [0, .5]] (research/peers.md, table 1b)
    problem = lg.Problem(
        lambda x, p: (x[0] - p[0]) ** 2 + (x[1] + x[0] - p[0]) ** 2,
        {
            "one": lg.equals(lambda x: x[1], lambda p: p[1] / 2),
            "twice": lg.equals(lambda x: 2 * x[1], lambda p: p[1]),
        },
    )
    # x1 = p1 / 2;  2 (x0 - p0) + x1 = 0  =>  x0 = p0 - p1 / 4
    s = problem.solve([0.0, 0.0], [1.0, 2.0]).sensitivity()
    assert s.kind == NOT_UNIQUE
    assert np.allclose(s.x, [[1.0, -0.25], [0.0, 0.5]], atol=1e-9)
    # V = 2 (p1 / 4)^2:  dV/dp = (0, p1 / 4), V'' = diag(0, 1/4)
    assert np.allclose(s.objective, [0.0, 0.5], atol=1e-9)
    assert np.allclose(s.objective_hessian, [[0.0, 0.0], [0.0, 0.25]], atol=1e-9)
    with pytest.raises(lg.NotDifferentiable, match="depend on each other"):
        _ = s.multipliers["one"]
    with pytest.raises(lg.NotDifferentiable):
        _ = s.sides.x["one"]
    left, right = s.shadow_prices["one"]  # moved alone, the rows contradict each other
    assert np.isinf([left, right]).all()


def test_the_dependent_rows_of_the_table() -> None:
    # min |x|^2 / 2 - p0 x0 with x1 = p1 / 2 stated twice, and x0 + x1 = p0 stated once: dx/dp = [[1, -.5], [0, .5]]
    problem = lg.Problem(
        lambda x: x @ x,
        {
            "sum": lg.equals(lambda x: x[0] + x[1], lambda p: p[0]),
            "half": lg.equals(lambda x: x[1], lambda p: p[1] / 2),
            "both": lg.equals(lambda x: x[0] + 3 * x[1], lambda p: p[0] + p[1]),
        },
    )
    s = problem.solve([0.0, 0.0], [1.0, 1.0]).sensitivity()
    assert s.kind == NOT_UNIQUE
    assert np.allclose(s.x, [[1.0, -0.5], [0.0, 0.5]], atol=1e-9)


def test_two_equal_inequalities_have_left_and_right_prices() -> None:
    # min -x, x <= 1 twice: tightening either costs 1, relaxing one alone gains nothing
    problem = lg.Problem(
        lambda x: -x + x**2 / 8, {"a": lg.at_most(lambda x: x, lambda p: p), "b": lg.at_most(lambda x: x, 1.0)}
    )
    s = problem.solve(0.0, 1.0).sensitivity()
    assert s.kind == NOT_UNIQUE
    left, right = s.shadow_prices["a"]
    assert np.isclose(left, -0.75)
    assert right == 0.0
    assert np.isclose(s.direction(-1.0).objective, 0.75)
    assert np.isclose(s.direction(1.0).objective, 0.0, atol=1e-9)
    assert np.isclose(s.direction(-1.0).x, -1.0)
    assert np.isclose(s.direction(1.0).x, 0.0, atol=1e-9)
    with pytest.raises(lg.NotDifferentiable):
        _ = s.x


def test_undefined_where_the_second_order_condition_fails() -> None:
    # x^4 - p x: x = (p / 4)^(1/3), infinite slope at p = 0
    s = lg.Problem(lambda x, p: x**4 - p * x).solve(0.5, 0.0).sensitivity()
    assert s.kind == UNDEFINED
    with pytest.raises(lg.NotDifferentiable, match="second-order") as error:
        _ = s.x
    assert error.value.direction is not None
    for ask in (lambda: s.direction(1.0), lambda: s.predict(1.0), s.ranging, s.verify, lambda: s.shadow_prices):
        with pytest.raises(lg.NotDifferentiable):
            ask()


def test_near_the_loss_of_independence() -> None:
    # x0 + x1 = 1 and x0 + (1 + e) x1 = 1 + p:  x1 = p / e, dx0/dp = -1 / e = -1e7
    e = 1e-7
    problem = lg.Problem(
        lambda x: x @ x / 2,
        {
            "r": lg.equals(lambda x: x[0] + x[1], 1.0),
            "q": lg.equals(lambda x: x[0] + (1 + e) * x[1], lambda p: 1.0 + p),
        },
    )
    s = problem.solve([0.0, 0.0], 0.0).sensitivity()
    assert s.kind == SMOOTH
    assert np.allclose(s.x, [-1e7, 1e7], rtol=1e-6)


def test_the_derivative_of_a_multiplier() -> None:
    # min 2 x^3, x = p:  lambda = -6 p^2, d lambda / dp = -12 at p = 1
    s = lg.Problem(lambda x: 2 * x**3, {"at": lg.equals(lambda x: x, lambda p: p)}).solve(1.0, 1.0).sensitivity()
    assert np.isclose(s.multipliers["at"], -12.0)


def test_an_infeasible_problem_has_no_derivative() -> None:
    problem = lg.Problem(
        lambda x: x @ x, {"a": lg.equals(lambda x: x[0], lambda p: p), "b": lg.equals(lambda x: x[0], 2.0)}
    )
    s = problem.solve([0.0, 0.0], 1.0).sensitivity()
    assert s.kind == UNDEFINED
    for ask in (lambda: s.x, lambda: s.objective, lambda: s.multipliers["a"], lambda: s.sides.x["a"], s.ranging):
        with pytest.raises(lg.NotDifferentiable, match="no verified solution"):
            ask()


def test_maximize_has_the_user_s_signs() -> None:
    # max x, x <= p:  V = p
    s = (
        lg.Problem(maximize=lambda x: x - x**2 / 100, subject_to={"cap": lg.at_most(lambda x: x, lambda p: p)})
        .solve(0.0, 2.0)
        .sensitivity()
    )
    assert np.isclose(s.objective, 1 - 2 / 50)
    assert np.isclose(s.sides.objective["cap"], 1 - 2 / 50)
    assert np.isclose(s.objective_hessian, -1 / 50)
    assert np.isclose(s.direction(1.0).objective, 1 - 2 / 50)
    assert np.isclose(s.predict(2.5).objective, 2.5 - 2.5**2 / 100)


def test_bounds_that_move_and_bounds_as_sides() -> None:
    problem = lg.Problem(lambda x: (x - 3) @ (x - 3), bounds=lambda p: (0.0, np.array([p["u"], 10.0])))
    s = problem.solve([0.5, 0.5], {"u": 1.0}).sensitivity()
    assert np.allclose(s.x["u"], [1.0, 0.0])
    assert np.isclose(s.objective["u"], -4.0)
    assert np.allclose(s.bounds.x["x[0]"], [1.0, 0.0])
    assert np.isclose(s.bounds.objective["x[0]"], -4.0)
    assert s.bounds.objective["x[1]"] == 0.0
    assert np.allclose(s.bound_multipliers["u"], [-2.0, 0.0])  # z = -2 (u - 3)


def test_functions_that_jax_cannot_follow_are_differenced_with_a_warning() -> None:
    def clumsy(x: Any, p: Any) -> float:
        return float(x[0] - p) ** 2 + float(x[1]) ** 2 if float(p) > -100 else 0.0

    problem = lg.Problem(clumsy, {"sum": lg.equals(lambda x: x[0] + x[1], lambda p: 2 * p)})
    with pytest.warns(lg.DerivativeWarning):
        solution = problem.solve([0.0, 0.0], 1.0)
        s = solution.sensitivity()
    # x0 - p = x1, x0 + x1 = 2p  =>  x = (3p/2, p/2)
    assert not s.exact
    assert np.allclose(s.x, [1.5, 0.5], atol=1e-6)
    assert np.isclose(s.objective_hessian, 1.0, atol=1e-4)
    assert not s.ranging().corrected


def test_no_parameters() -> None:
    s = lg.Problem(lambda x: x @ x, {"sum": lg.equals(lambda x: x.sum(), 2.0)}).solve([0.0, 0.0]).sensitivity()
    assert s.kind == SMOOTH
    assert np.allclose(s.sides.x["sum"], [0.5, 0.5])
    assert s.verify().holds is None
    asked = [
        lambda: s.x,
        lambda: s.objective,
        lambda: s.multipliers["sum"],
        lambda: s.objective_hessian,
        lambda: s.elasticity,
        lambda: s.direction(None),
        lambda: s.predict(None),
        lambda: s.le_chatelier(),
    ]
    for ask in asked:
        with pytest.raises((ValueError, lg.NotDifferentiable), match=r"no parameters|does not exist"):
            ask()


def test_verification(can: lg.Solution) -> None:
    check = can.sensitivity().verify()
    assert check.holds is True
    assert "agrees" in str(check)
    volume = [trial for trial in check.trials if trial.parameter == "volume"]
    assert all(abs(trial.order - 2.0) < 0.1 for trial in volume)
    assert all(abs(trial.value_order - 3.0) < 0.1 for trial in volume)


def test_each_side_of_a_kink_is_verified_on_its_own() -> None:
    # V = min(p, 0)^2: the one-sided second derivatives are 2 and 0.
    s = lg.Problem(lambda x, p: (x - p) ** 2 + x**4, bounds=(0, None)).solve(1.0, 0.0).sensitivity()
    assert [trial.holds for trial in s.verify().trials] == [True, True]
    assert np.isclose(s.predict(-0.5).objective, 0.25)
    assert np.isclose(s.predict(0.5).objective, 0.0)


def test_a_direction_without_solutions_is_not_judged_and_spoils_no_other() -> None:
    problem = lg.Problem(
        lambda x, p: (x[0] - p["target"]) ** 2 + x[1] ** 2,
        {"a": lg.equals(lambda x: x[1], lambda p: p["a"]), "b": lg.equals(lambda x: 2 * x[1], 2.0)},
    )
    check = problem.solve([0.0, 0.0], {"a": 1.0, "target": 3.0}).sensitivity().verify()
    assert [trial.holds for trial in check.trials] == [None, None, True, True]
    assert check.trials[0].remark == "a, b contradict each other: no solution beyond"


def test_verification_judges_the_objective_too(can: lg.Solution) -> None:
    s = can.sensitivity()
    system, resolve = s._valid_system(), s._resolve

    def tilted(p: Any) -> Any:
        there = resolve(p)
        return dataclasses.replace(there, objective=there.objective + 1e-3 * (p - can.result.p).sum())

    volume = [trial.holds for trial in verify(system, tilted).trials if trial.parameter == "volume"]
    assert volume == [False, False]


def test_rows_of_very_different_lengths() -> None:
    # x* = (p0, p1, p1): a stress in Pascal, a dose in units of 1e-5.
    problem = lg.Problem(
        lambda x: (x[0] - 3) ** 2 + (x[1] - 4) ** 2 + (x[2] - x[1]) ** 2,
        {
            "stress": lg.at_most(lambda x: 1e6 * x[0], lambda p: 1e6 * p[0]),
            "dose": lg.at_most(lambda x: 1e-5 * x[1], lambda p: 1e-5 * p[1]),
        },
    )
    s = problem.solve([0.5, 0.5, 0.0], np.array([1.0, 2.0])).sensitivity()
    assert s.kind == SMOOTH
    expected = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert np.allclose(s.x, expected) and np.allclose(s.le_chatelier().x, expected)
    assert np.allclose(s.objective_hessian, 2.0 * np.eye(2))
    assert np.allclose(s.direction(np.array([0.0, 1.0])).x, [0.0, 1.0, 1.0])
    assert np.allclose(s.multipliers["dose"], [0.0, -2e5])
    assert s.ranging("p").parameters["p[1]"].upper == pytest.approx(4.0)


def test_a_kink_of_a_small_variable_beside_a_large_one() -> None:
    problem = lg.Problem(
        lambda x, p: (x["power"] / 1e6 - p) ** 2 + (x["gap"] / 1e-3 - p) ** 2, bounds={"gap": (1e-3, None)}
    )
    s = problem.solve({"power": 1e6, "gap": 2e-3}, 1.0).sensitivity()
    with pytest.raises(lg.NotDifferentiable):
        s.x["gap"]
    assert s.direction(1.0).x["gap"] == pytest.approx(1e-3)
    assert s.direction(-1.0).x["gap"] == pytest.approx(0.0, abs=1e-12)


def test_gradients_that_depend_on_each_other_at_one_point_only() -> None:
    # Away from 0 only the steep parabola binds: x0 = p / 8. At 0 the multipliers are a segment, and no one of them
    # tells how x moves.
    problem = lg.Problem(
        lambda x, p: x[1] + x[0] ** 2 - p * x[0],
        {
            "steep": lg.at_least(lambda x: x[1] - 3 * x[0] ** 2, 0.0),
            "flat": lg.at_least(lambda x: x[1] - x[0] ** 2, 0.0),
        },
    )
    s = problem.solve([0.0, 0.0], 0.0).sensitivity()
    assert s.kind == NOT_UNIQUE
    assert s.objective == pytest.approx(0.0)
    for ask in (lambda: s.x, lambda: s.objective_hessian, lambda: s.direction(1.0), lambda: s.predict(0.1)):
        with pytest.raises(lg.NotDifferentiable):
            ask()


def test_signs_of_small_variables_beside_large_ones() -> None:
    problem = lg.Problem(lambda x, p: (x["power"] / 1e6 - p) ** 2 + (x["gap"] / 1e-3 - p) ** 2 + x["idle"] ** 2)
    s = problem.solve({"power": 1e6, "gap": 1e-3, "idle": 0.0}, 2.0).sensitivity()
    assert {name: row["p"] for name, row in s.comparative_statics().signs.items()} == {
        "gap": "+",
        "idle": "0",
        "power": "+",
    }


def test_nonsense_is_refused(can: lg.Solution) -> None:
    with pytest.raises(ValueError, match="step must be a positive number"):
        can.sensitivity().verify(0.0)
    with pytest.raises(ValueError, match="variance must be"):
        can.sensitivity().covariance(variance=-1.0)


def test_a_side_that_stays_infinite_does_not_spoil_the_prediction() -> None:
    problem = lg.Problem(lambda x, p: (x - p["to"]) ** 2, {"cap": lg.at_most(lambda x: x, lambda p: p["cap"])})
    s = problem.solve(0.0, {"to": 1.0, "cap": np.inf}).sensitivity()
    assert s.predict({"to": 2.0, "cap": np.inf}).x == pytest.approx(2.0)


def test_a_bound_presses_beside_a_much_steeper_one() -> None:
    # A capacitance of 10 nF in farad: its bound has the multiplier 4e8, that of R has 2, and both press.
    problem = lg.Problem(
        lambda x, p: (x["C"] / 1e-8 - 3) ** 2 + (x["R"] - p) ** 2, bounds={"C": (None, 1e-8), "R": (None, 1.0)}
    )
    solution = problem.solve({"C": 5e-9, "R": 0.5}, 2.0)
    s = solution.sensitivity()
    assert s.kind == SMOOTH
    assert solution.conditions().strict_complementarity.holds
    assert solution.multiplier_set().bound_interval[0]["R"] == pytest.approx(2.0)
    assert s.predict(1.9).x["R"] == pytest.approx(1.0)
    assert s.ranging("p").parameters["p"].lower == pytest.approx(1.0)


def test_a_row_at_half_its_limit_is_not_active_whatever_the_units() -> None:
    problem = lg.Problem(
        lambda x, p: (x[0] / 1e4 - p) ** 2 + (x[1] / 1e-4 - p) ** 2, {"far": lg.at_most(lambda x: x[1] / 1e-4, 2.0)}
    )
    s = problem.examine([1e4, 1e-4], 1.0).sensitivity()
    assert s.kind == SMOOTH
    assert np.allclose(s.x, [1e4, 1e-4])
