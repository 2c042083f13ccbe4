"""Ranges of textbook linear programs, exactly, and events of nonlinear problems with known places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import lagrange as lg

EXACT = 1e-9
EVENT = 1e-6


def test_the_wyndor_glass_company() -> None:
    # Hillier and Lieberman, "Introduction to Operations Research", section 4.7: allowable ranges of the example.
    problem = lg.Problem(
        maximize=lambda x, p: p["doors"] * x[0] + p["windows"] * x[1],
        subject_to={
            "plant 1": lg.at_most(lambda x: x[0], 4.0),
            "plant 2": lg.at_most(lambda x: 2 * x[1], 12.0),
            "plant 3": lg.at_most(lambda x: 3 * x[0] + 2 * x[1], 18.0),
        },
        bounds=(0, None),
    )
    found = problem.solve([1.0, 1.0], {"doors": 3.0, "windows": 5.0}).sensitivity().ranging()
    expected = {"plant 1": (2.0, math.inf), "plant 2": (6.0, 18.0), "plant 3": (12.0, 24.0)}
    for name, (lower, upper) in expected.items():
        assert np.isclose(found.sides[name].lower, lower, atol=EXACT)
        assert np.isclose(found.sides[name].upper, upper, atol=EXACT)
        assert np.allclose(found.sides[name].first_order, (lower, upper), atol=EXACT)
    assert np.allclose((found.parameters["doors"].lower, found.parameters["doors"].upper), (0.0, 7.5), atol=EXACT)
    assert np.isclose(found.parameters["windows"].lower, 2.0, atol=EXACT)
    assert found.parameters["windows"].upper == math.inf
    assert found.parameters["windows"].upper_event == "no limit"
    assert found.sides["plant 2"].lower_event == "plant 1 becomes active"
    assert found.sides["plant 2"].upper_event == "lower bound of x[0] becomes active"
    assert found.parameters["doors"].upper_event == "plant 2 is released"
    assert np.isclose(found.sides["plant 1"].decrease, 2.0)
    assert "plant 3" in str(found)


def test_the_reddy_mikks_company() -> None:
    # Taha, "Operations Research: An Introduction", section 3.6: paints; x = (3, 1.5), z = 21.
    rows = np.array([[6.0, 4.0], [1.0, 2.0], [-1.0, 1.0], [0.0, 1.0]])
    problem = lg.Problem(
        maximize=lambda x, p: p @ x,
        subject_to={"M": lg.at_most(lambda x: rows @ x, np.array([24.0, 6.0, 1.0, 2.0]))},
        bounds=(0, None),
    )
    solution = problem.solve([0.0, 0.0], [5.0, 4.0])
    assert np.allclose(solution.x, [3.0, 1.5])
    found = solution.sensitivity().ranging()
    assert np.allclose((found.parameters["p[0]"].lower, found.parameters["p[0]"].upper), (2.0, 6.0), atol=EXACT)
    assert np.allclose((found.parameters["p[1]"].lower, found.parameters["p[1]"].upper), (10 / 3, 10.0), atol=EXACT)
    assert np.allclose((found.sides["M[0]"].lower, found.sides["M[0]"].upper), (20.0, 36.0), atol=EXACT)
    assert np.allclose((found.sides["M[1]"].lower, found.sides["M[1]"].upper), (4.0, 20 / 3), atol=EXACT)
    assert np.allclose((found.sides["M[2]"].lower, found.sides["M[2]"].upper), (-1.5, math.inf))


def test_the_can_under_the_shelf() -> None:
    # The shelf is touched at V = pi H^3 / 4; it lets go at H = (4 V / pi)^(1/3).
    problem = lg.Problem(
        minimize=lambda x: 2 * np.pi * x["radius"] * (x["radius"] + x["height"]),
        subject_to={
            "volume": lg.equals(lambda x: np.pi * x["radius"] ** 2 * x["height"], lambda p: p),
            "shelf": lg.at_most(lambda x: x["height"], 12.0),
        },
        bounds={"radius": (0, None), "height": (0, None)},
    )
    start = {"radius": 3.0, "height": 10.0}
    below = problem.solve(start, 330.0).sensitivity().ranging()
    touch = np.pi * 12**3 / 4
    assert abs(below.parameters["p"].upper - touch) < EVENT
    assert below.parameters["p"].upper_event == "shelf becomes active"
    assert abs(below.sides["volume"].upper - touch) < EVENT
    # To first order height = 2 r (1 + dV / 3V): the shelf at V (1 + 3 (12 / 2r - 1))
    height = 2 * (330 / (2 * np.pi)) ** (1 / 3)
    assert np.isclose(below.parameters["p"].first_order[1], 330 * (1 + 3 * (12 / height - 1)))
    assert np.isclose(below.sides["shelf"].lower, height)
    assert below.sides["shelf"].upper == math.inf
    above = problem.solve(start, 2000.0).sensitivity().ranging()
    assert abs(above.parameters["p"].lower - touch) < EVENT
    assert above.parameters["p"].lower_event == "shelf is released"
    assert abs(above.sides["shelf"].upper - (4 * 2000 / np.pi) ** (1 / 3)) < EVENT


def test_water_filling() -> None:
    # noise 1, 2, 4: with power between 1 and 5 the first two channels are used, the level is (P + 3) / 2.
    noise = np.array([1.0, 2.0, 4.0])
    problem = lg.Problem(
        maximize=lambda x: np.sum(np.log(noise + x)),
        subject_to={"power": lg.equals(lambda x: x.sum(), lambda p: p)},
        bounds=(0, None),
    )
    found = problem.solve(np.ones(3), 3.0).sensitivity().ranging()
    assert abs(found.parameters["p"].lower - 1.0) < EVENT
    assert abs(found.parameters["p"].upper - 5.0) < EVENT
    assert found.parameters["p"].lower_event == "lower bound of x[1] becomes active"
    assert found.parameters["p"].upper_event == "lower bound of x[2] is released"


def test_the_projection_onto_a_disk() -> None:
    # p outside the unit disk is projected onto its rim until it comes inside, at |p| = 1.
    problem = lg.Problem(
        lambda x, p: (x[0] - p["right"]) ** 2 + (x[1] - p["up"]) ** 2, {"disk": lg.at_most(lambda x: x @ x, 1.0)}
    )
    found = problem.solve([0.1, 0.1], {"right": 1.2, "up": 0.8}).sensitivity().ranging()
    assert abs(found.parameters["right"].lower - 0.6) < EVENT
    assert found.parameters["right"].lower_event == "disk is released"
    assert found.parameters["right"].upper == math.inf
    assert abs(found.sides["disk"].upper - (1.2**2 + 0.8**2)) < EVENT


def test_a_solution_that_ends() -> None:
    # min x^3 / 3 - p x: the minimum x = sqrt(p) ends at the fold p = 0.
    found = lg.Problem(lambda x, p: x**3 / 3 - p * x).solve(1.0, 1.0).sensitivity().ranging()
    assert abs(found.parameters["p"].lower) < EVENT
    assert "singular" in found.parameters["p"].lower_event
    assert found.parameters["p"].upper == math.inf


def test_a_function_that_ends() -> None:
    # x = p, and log(2 - p) is not defined beyond 2.
    found = lg.Problem(lambda x, p: (x - p) ** 2 - np.log(2 - p) * x * 0).solve(0.0, 1.0).sensitivity().ranging()
    assert found.parameters["p"].upper <= 2.0 + EVENT
    assert "not finite" in found.parameters["p"].upper_event


def test_a_kink_ends_one_side_at_once_or_neither() -> None:
    # x = max(p, 0) at 0: each side has its own active set, and each goes on for ever.
    found = lg.Problem(lambda x, p: (x - p) ** 2, bounds=(0, None)).solve(1.0, 0.0).sensitivity().ranging()
    assert (found.parameters["p"].lower, found.parameters["p"].upper) == (-math.inf, math.inf)
    assert found.parameters["p"].kink == "lower bound of x is active below only"
    assert found.bounds["lower bound of x"].kink == "lower bound of x is active above only"
    assert "At p = 0 itself the active set changes: lower bound of x is active below only." in str(found)


def test_a_bound_that_is_released_at_a_kink() -> None:
    # x = max(bound, 1) beside y = 0: the bound is felt until it falls to 1, where the objective itself rests.
    problem = lg.Problem(lambda x, p: (x["x"] - 1) ** 2 + x["y"] ** 2, bounds=lambda p: {"x": (p, None)})
    found = problem.solve({"x": 5.0, "y": 1.0}, 3.0).sensitivity().ranging()
    for moved in (found.parameters["p"], found.bounds["lower bound of x"]):
        assert moved.lower == pytest.approx(1.0, abs=EVENT)
        assert moved.lower_event == "lower bound of x is released"
        assert (moved.upper, moved.kink) == (math.inf, "")


def test_the_linear_expenditure_system() -> None:
    # Left income 3000 - (360 + 800 + 80) is shared; the solution ends where it is zero, and all goods at their needs:
    # income 1240, food (3000 - 880) / 60, housing (3000 - 440) / 40, transport (3000 - 1160) / 200. There the
    # multiplier 1 / left runs off to infinity, small as it is beside the amounts, and no step may jump over that pole.
    from problems.consumer_choice import p, problem, x0

    found = problem.solve(x0, p).sensitivity().ranging()
    expected = {"price.food": 2120 / 60, "price.housing": 64.0, "price.transport": 9.2}
    for name, upper in expected.items():
        assert found.parameters[name].upper == pytest.approx(upper, rel=EVENT)
        assert "becomes active" in found.parameters[name].upper_event
        assert found.parameters[name].lower == 0.0
    for moved in (found.parameters["income"], found.sides["income"]):
        assert moved.lower == pytest.approx(1240.0, rel=EVENT)
        assert moved.upper == math.inf


def test_ranges_of_a_few_names() -> None:
    from problems.consumer_choice import p, problem, x0

    sensitivity = problem.solve(x0, p).sensitivity()
    assert set(sensitivity.ranging("price").parameters) == {"price.food", "price.housing", "price.transport"}
    few = sensitivity.ranging(["price.food", "income"])
    assert (set(few.parameters), set(few.sides), set(few.bounds)) == ({"income", "price.food"}, {"income"}, set())
    with pytest.raises(ValueError, match="'prices' is no parameter, constraint or active bound: there are income"):
        sensitivity.ranging("prices")


def test_groups_have_headings() -> None:
    from problems.consumer_choice import p, problem, x0

    text = str(problem.solve(x0, p).sensitivity().ranging("income"))
    assert text.index("Parameters") < text.index("Right sides")
    assert "within 1000 times the size" in text


def test_dependent_rows_whose_sides_move_apart() -> None:
    # x >= a and 2 x >= b at a = 1, b = 2: up, only the row that moves presses; down, only the other one.
    problem = lg.Problem(
        lambda x, p: x[0] + x[1],
        {
            "a": lg.at_least(lambda x: x[0], lambda p: p["a"]),
            "b": lg.at_least(lambda x: 2 * x[0], lambda p: p["b"]),
            "c": lg.at_least(lambda x: x[1], 0.0),
        },
    )
    found = problem.solve([1.0, 2.0], {"a": 1.0, "b": 2.0}).sensitivity().ranging()
    assert found.parameters["a"].kink == "a is active above only, b is active below only"
    assert (found.parameters["a"].lower, found.parameters["a"].upper) == (-math.inf, math.inf)
    assert "not unique" in found.sides["c"].upper_event


def test_equal_rows_that_would_contradict_each_other() -> None:
    problem = lg.Problem(
        lambda x: x @ x,
        {"a": lg.equals(lambda x: x[0], lambda p: p), "b": lg.equals(lambda x: 2 * x[0], 2.0)},
    )
    found = problem.solve([1.0, 2.0], 1.0).sensitivity().ranging().parameters["p"]
    assert (found.lower, found.upper) == (1.0, 1.0)
    assert found.lower_event == "a, b contradict each other: no solution beyond"


def test_sides_that_cross_each_other() -> None:
    # x rests on the floor p until the floor meets the ceiling.
    problem = lg.Problem(lambda x: x**2, {"gap": lg.between(lambda p: p, lambda x: x, 3.0)})
    found = problem.solve(1.0, 1.0).sensitivity().ranging().parameters["p"]
    assert found.upper == pytest.approx(3.0)
    assert found.upper_event == "gap becomes active"


def test_ranges_of_multipliers_that_are_not_unique_are_not_invented() -> None:
    problem = lg.Problem(
        lambda x, p: (x - p) ** 2, {"a": lg.at_most(lambda x: x, 1.0), "b": lg.at_most(lambda x: 2 * x, 2.0)}
    )
    found = problem.solve(0.0, 3.0).sensitivity().ranging()
    assert math.isnan(found.parameters["p"].upper)
    assert "not unique" in found.parameters["p"].upper_event


def test_two_sides_of_one_row() -> None:
    problem = lg.Problem(lambda x, p: (x - p) ** 2, {"band": lg.between(-1.0, lambda x: x, 1.0)})
    found = problem.solve(0.0, 3.0).sensitivity().ranging()
    assert set(found.sides) == {"band (lower)", "band (upper)"}
    assert np.isclose(found.sides["band (upper)"].upper, 3.0)
    assert np.isclose(found.sides["band (upper)"].lower, -1.0)
    assert found.sides["band (lower)"].upper == pytest.approx(1.0)


def test_a_parameter_that_moves_nothing() -> None:
    # The cap is felt only when it comes down to where x rests; until then the path of the solution stands still.
    problem = lg.Problem(
        lambda x: np.exp(x[0] / 3) + 1e3 * (x[0] - 1.7) ** 2 + x[1] ** 4 / 7 + (x[1] - 0.3) ** 2,
        {
            "sum": lg.equals(lambda x: np.sqrt(1 + x[0] ** 2) + x[1], 2.0),
            "cap": lg.at_most(lambda x: x[0], lambda p: p),
        },
    )
    solution = problem.solve([1.0, 1.0], 50.0)
    found = solution.sensitivity().ranging().parameters["p"]
    assert np.isclose(found.lower, solution.x[0], rtol=1e-9)
    assert found.upper == math.inf
    assert found.lower_event == "cap becomes active"


@pytest.mark.parametrize("reference", [0, 2, None])
def test_unknowns_that_are_zero_do_not_spoil_the_path(reference: int | None) -> None:
    # A linear program with a unit that is free to choose, like the reference angle of a network: potentials of three
    # nodes in a row, the reference 0 and its multiplier 0. First order is exact.
    free = np.full(3, np.inf)
    if reference is not None:
        free[reference] = 0.0

    def inflow(x: Any) -> Any:
        a, flow = x["angle"], x["power"]
        through = np.array([60.0 * (a[1] - a[0]), 90.0 * (a[2] - a[1])])
        return np.stack([flow[0] + through[0], flow[1] - through[0] + through[1], flow[2] - through[1]])

    rows: dict[str, Any] = {
        "balance": lg.equals(inflow, lambda p: np.array([0.0, 0.0, 1.0]) * p),
        "line": lg.between(-200.0, lambda x: 60.0 * (x["angle"][1] - x["angle"][0]), 200.0),
    }
    if reference is None:
        rows["reference"] = lg.equals(lambda x: x["angle"][2], 0.0)
    problem = lg.Problem(
        lambda x: 10 * x["power"][0] + 20 * x["power"][1] + 30 * x["power"][2],
        rows,
        bounds={"power": (0.0, 300.0), "angle": (-free, free)},
    )
    found = problem.solve({"power": np.ones(3), "angle": np.zeros(3)}, 400.0).sensitivity().ranging("p").parameters["p"]
    # The line gives 200, the second unit the rest: from 200 to 500.
    assert found.first_order == pytest.approx((200.0, 500.0), abs=EXACT)
    assert (found.lower, found.upper) == pytest.approx((200.0, 500.0), abs=EXACT)


@pytest.mark.parametrize("cap", [0.95, 0.995])
def test_an_event_that_is_undone_later_is_not_jumped_over(cap: float) -> None:
    # x = sin(p) is above the cap for a while only.
    found = lg.Problem(lambda x, p: (x - np.sin(p)) ** 2, bounds=(None, cap)).solve(0.0, 0.0).sensitivity().ranging("p")
    p = found.parameters["p"]
    assert (p.lower, p.upper) == pytest.approx((-np.pi - np.arcsin(cap), np.arcsin(cap)), abs=EVENT)


def test_multipliers_in_tiny_units_are_seen_to_reach_zero() -> None:
    # A stress in Pascal, a strain without unit: the multiplier is about 1e-14.
    problem = lg.Problem(
        lambda x, p: (x[0] - p["strain"]) ** 2 + (x[1] - 1) ** 2,
        {"stress": lg.at_most(lambda x: 2e11 * x[0], lambda p: p["limit"])},
    )
    found = problem.solve([0.0, 0.0], {"strain": 3e-3, "limit": 2e8}).sensitivity().ranging().parameters
    assert found["limit"].upper == pytest.approx(6e8)
    assert found["strain"].lower == pytest.approx(1e-3)
    assert found["strain"].lower_event == "stress is released"
