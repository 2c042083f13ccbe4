"""What the story problems tell beyond one answer: limits of fine grids, shadow prices, other starts, failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange import cli
from problems import (
    ac_optimal_power_flow,
    brachistochrone,
    geodesic,
    isoperimetric_problem,
    reactor_design,
    robot_arm,
    sphere_projection,
    van_der_pol_control,
)

STORY_FILES = [
    path
    for path in sorted(Path(sphere_projection.__file__).parent.glob("*.py"))
    if "\nproblem = lg.Problem(" in path.read_text(encoding="utf-8")
]
RELATIVE_STEP = 1e-3  # of parameters, in central differences


def solved(story: Any, p: Any, x0: Any = None) -> lg.Solution:
    """The story's solution at p, which must be a success."""
    solution = story.problem.solve(story.x0 if x0 is None else x0, p)
    assert solution.success, solution.message
    return solution


def orders(story: Any, p: Any, limit: float, sizes: list[int]) -> np.ndarray:
    """How fast the objective comes to its limit: the exponents of 1/size, between each size and the next."""
    errors = [abs(float(solved(story, p, story.start(size, p)).objective) - limit) for size in sizes]
    return -np.diff(np.log(errors)) / np.diff(np.log(sizes))


@pytest.mark.parametrize("path", STORY_FILES, ids=lambda path: path.stem)
def test_the_command_solves_every_story(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["solve", str(path)]) == cli.SUCCESS
    printed = capsys.readouterr()
    assert "verified" in printed.out.splitlines()[0]
    assert not printed.err


@pytest.mark.parametrize("story", [brachistochrone, geodesic, isoperimetric_problem])
def test_corners_cost_their_square(story: Any) -> None:
    """Polygons with twice the corners come four times as near to the smooth curve's objective."""
    np.testing.assert_allclose(orders(story, story.p, story.limit_objective(story.p), [6, 12, 24]), 2.0, atol=0.15)


def test_a_push_without_limits_is_found_to_fourth_order() -> None:
    """Simpson's rule; where the push has corners the order is lower, but the objective still comes nearer."""
    story = van_der_pol_control
    free = {**story.p, "smallest_push": -10.0, "largest_push": 10.0}
    np.testing.assert_allclose(orders(story, free, story.known_objective(free), [20, 40]), 4.0, atol=0.2)
    assert np.all(orders(story, story.p, story.known_objective(story.p), [10, 20, 40]) > 1.5)


def test_the_start_of_the_oscillator_is_worth_its_adjoint() -> None:
    story = van_der_pol_control
    _, adjoint = story.by_pontryagin(story.p)
    prices = solved(story, story.p).shadow_prices
    assert float(prices["start of position"]) == pytest.approx(adjoint["position"], abs=2e-3)
    assert float(prices["start of velocity"]) == pytest.approx(adjoint["velocity"], abs=2e-3)


def test_the_published_effort_of_van_der_pol_is_found() -> None:
    """2.867259538 by PROPT's collocation, near to the exact value and to ours."""
    story = van_der_pol_control
    assert story.known_objective(story.p) == pytest.approx(2.867259538, abs=2e-6)
    assert float(solved(story, story.p, story.start(50, story.p)).objective) == pytest.approx(2.867259538, abs=5e-5)


@pytest.mark.parametrize("place", ["B", "D"])
def test_nodal_prices_are_what_more_demand_costs(place: str) -> None:
    story = ac_optimal_power_flow
    step = RELATIVE_STEP * story.p["demand"][place]
    costs = []
    for change in (-step, step):
        p = {**story.p, "demand": {**story.p["demand"], place: story.p["demand"][place] + change}}
        costs.append(float(solved(story, p).objective))
    assert (costs[1] - costs[0]) / (2 * step) == pytest.approx(story.NODAL_PRICE[place], rel=1e-5)


def test_without_the_full_line_electricity_costs_nearly_the_same_everywhere() -> None:
    story = ac_optimal_power_flow
    solution = solved(story, {**story.p, "limit": {**story.p["limit"], "DE": 1000.0}})
    prices = [float(solution.shadow_prices[f"power at {place}"]) for place in story.PLACES]
    assert max(prices) < 1.05 * min(prices)
    assert float(solution.objective) < story.known_objective


def test_the_nearest_place_is_found_from_the_farthest() -> None:
    """The far side of the sphere is stationary, a maximum along the sphere, and must be left."""
    story = sphere_projection
    nearest = story.known_x(story.p)
    farthest = {axis: 2 * story.p["beacon"][axis] - nearest[axis] for axis in story.AXES}
    solution = solved(story, story.p, farthest)
    assert {axis: float(solution.x[axis]) for axis in story.AXES} == pytest.approx(nearest, rel=1e-8)


@pytest.mark.parametrize(("distance", "outside"), [(150.0, True), (250.0, False)])
def test_the_multiplier_tells_inside_from_outside(distance: float, outside: bool) -> None:
    story, p = sphere_projection, {**sphere_projection.p, "distance": distance}
    multiplier = float(solved(story, p).multipliers["distance"])
    assert multiplier == pytest.approx(story.known_multipliers(p)["distance"], rel=1e-8)
    assert (multiplier > 0) == outside


def test_a_target_out_of_reach_is_named() -> None:
    p = {**robot_arm.p, "target": {"across": 0.8, "height": 0.6}}
    solution = robot_arm.problem.solve(robot_arm.x0, p)
    assert solution.kind is lg.PointKind.INFEASIBLE_STATIONARY
    assert "target across" in solution.message
    assert "target height" in solution.message


def test_the_published_reactors_are_found() -> None:
    """0.38881 mol/l with 3.036 and 5.097 m^3: more than with one tank for all the money."""
    story = reactor_design
    solution = solved(story, story.p)
    assert float(solution.objective) == pytest.approx(0.38881, abs=5e-6)
    assert float(solution.x["volume"]["first"]) == pytest.approx(3.036, abs=5e-4)
    assert float(solution.x["volume"]["second"]) == pytest.approx(5.097, abs=5e-4)
    one_tank = [story._tanks(share, story.p)["B"]["second"] for share in (0.0, 1.0)]
    assert one_tank == pytest.approx([0.3881, 0.3746], abs=5e-5)
