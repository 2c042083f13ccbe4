"""What a report says about motion: other local solutions, why the objective moves, two prices, the most important."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")  # before pyplot: tests open no window

import matplotlib.pyplot as plt

import lagrange as lg
from lagrange.report.about import About, Absent
from lagrange.report.content import Answer, Side
from lagrange.report.gathering import gather
from lagrange.report.motion import Elasticities
from lagrange.report.panel import panel
from lagrange.report.resolved import ANOTHER
from lagrange.report.section import both_sides
from lagrange.report.sections import sections
from lagrange.report.sentences import price_sentences
from problems import economic_dispatch, optimal_transport

FOLD = 2 / (3 * math.sqrt(3))  # the largest force for which x^3 - x = force has its root near -1


def two_valleys(force: float = 0.0) -> lg.Solution:
    """A ball in the left one of two valleys, which a force tilts until the left one is gone."""
    problem = lg.Problem(minimize=lambda x, p: x["a"] ** 4 / 4 - x["a"] ** 2 / 2 - p["force"] * x["a"])
    return problem.solve({"a": -1.0}, {"force": force})


def text_of(solution: lg.Solution, folder: Path) -> str:
    return solution.report(folder / "report.txt").read_text(encoding="utf-8").replace("\n", " ")


def section_of(solution: lg.Solution, key: str) -> Any:
    return next(section for section in sections(gather(solution, "")) if section.key == key)


# Other local solutions -----------------------------------------------------------------------------------


def test_points_beyond_a_fold_are_other_local_solutions() -> None:
    solution = two_valleys()
    content = gather(solution, "")
    assert not isinstance(content.curves, Absent)
    (curve,) = content.curves.curves
    assert curve.upper == pytest.approx(FOLD, rel=1e-6)
    beyond = [point > FOLD for point in curve.points]
    assert any(beyond) and [remark == ANOTHER for remark in curve.remarks] == beyond
    for point, value, is_beyond in zip(curve.points, curve.values, beyond, strict=True):
        roots = np.roots([1.0, 0.0, -1.0, -point])
        real = np.sort(roots[np.abs(roots.imag) < 1e-6].real)
        a = real[-1] if is_beyond else real[0]
        assert value == pytest.approx(a**4 / 4 - a**2 / 2 - point * a, abs=1e-7)
    shown = panel(content)
    assert shown is not None
    values = shown.data["parameters"][0]["values"]  # the panel judges its error by points of this solution alone
    assert [math.isnan(value) for value in values] == beyond


def test_they_are_told_and_drawn_apart(tmp_path: Path) -> None:
    text = text_of(two_valleys(), tmp_path)
    assert "Hollow points are other local solutions" in text and "another local solution" in text
    ax = two_valleys().plot_value()
    assert "another local solution" in [entry.get_text() for entry in ax.get_legend().get_texts()]
    plt.close("all")


def test_bars_of_other_local_solutions_are_told(tmp_path: Path) -> None:
    solution = two_valleys(0.37)  # ten percent more is beyond the fold
    (bar,) = gather(solution, "").tornado.bars  # type: ignore[union-attr]
    assert (bar.low_remark, bar.high_remark) == ("", ANOTHER)
    assert "force at 0.407: another local solution." in text_of(solution, tmp_path)


def test_a_curve_that_ends_says_so(tmp_path: Path) -> None:
    # The minimum sqrt(p - 0.8) ends at the fold p = 0.8; beyond, the cubic has none.
    solution = lg.Problem(lambda x, p: x**3 / 3 - (p - 0.8) * x).solve(1.0, 1.0)
    assert "Where a curve ends early there is no verified solution beyond." in text_of(solution, tmp_path)


def test_where_no_parameter_can_move_alone_nothing_is_drawn(tmp_path: Path) -> None:
    solution = optimal_transport.problem.solve(optimal_transport.x0, optimal_transport.p)
    content = gather(solution, "")
    text = text_of(solution, tmp_path)
    assert "no parameter can move so far alone" in text and "demand[0] cannot move alone: " in text
    assert content.curves.curves == () and panel(content) is None  # type: ignore[union-attr]
    assert [figure.key for section in sections(content) for figure in section.figures] == ["multipliers", "convergence"]


# Why the objective moves ---------------------------------------------------------------------------------


def test_the_envelope_theorem_splits_the_slope() -> None:
    solution = economic_dispatch.problem.solve(economic_dispatch.x0, economic_dispatch.p)
    envelope = gather(solution, "").envelope
    assert not isinstance(envelope, Absent)
    shares = {share.about.name: share for share in envelope.shares}
    assert set(shares) == {"demand", "price.coal", "price.oil"}
    coal = solution.x["coal"]
    burnt = 510 + 7.2 * coal + 0.00142 * coal**2
    assert (shares["price.coal"].direct, shares["price.coal"].total) == pytest.approx((burnt, burnt))
    assert shares["demand"].direct == 0.0
    assert shares["demand"].through_constraints == pytest.approx(solution.shadow_prices["demand"])
    (table,) = section_of(solution, "envelope").grids
    assert table.headers == ("parameter", "unit", "directly", "through the constraints", "slope of the objective")


def test_at_a_kink_there_is_no_split(tmp_path: Path) -> None:
    problem = lg.Problem(
        minimize=lambda x, p: (x[0] - 2) ** 2,
        subject_to={"one": lg.at_most(lambda x: x[0], 1.0), "two": lg.at_most(lambda x: x[0], lambda p: p)},
    )
    assert "it has no single split" in text_of(problem.solve([0.0], 1.0), tmp_path)


# Two prices ----------------------------------------------------------------------------------------------


def test_a_bound_that_a_constraint_repeats_has_two_prices(tmp_path: Path) -> None:
    subject_to = {"one": lg.at_most(lambda x: x[0], 1.0)}
    problem = lg.Problem(minimize=lambda x: (x[0] - 2) ** 2, subject_to=subject_to, bounds=(None, 1.0))
    solution = problem.solve([0.0])
    (side,) = gather(solution, "").variables[0].sides
    assert (side.left, side.right) == pytest.approx((-2.0, 0.0))
    text = text_of(solution, tmp_path)
    assert "Raising the upper bound of x[0] by 1 changes nothing; lowering it by 1 raises the objective by 2." in text
    variables = section_of(solution, "variables")
    assert variables.grids[0].rows[0][variables.grids[0].headers.index("reduced cost")] == "-2 | 0"
    assert "Where two prices stand, the left one is that of less" in variables.sentences[0]


def test_prices_of_both_sides_in_one_cell() -> None:
    assert both_sides(1.0, 1.0) == 1.0
    assert both_sides(-2.0, math.inf) == "-2 | none"
    assert both_sides(-math.inf, math.inf) == both_sides(math.nan, math.nan) == "none"


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (5.0, "Raising the upper limit of heat by 1 K saves 3 $."),
        (0.03, "Raising the upper limit of heat by 0.01 K saves 0.03 $."),
        (math.nan, "Raising the upper limit of heat by 1 K saves 3 $."),
    ],
)
def test_a_price_is_told_for_a_change_for_which_it_holds(room: float, words: str) -> None:
    side = Side("upper limit", 300.0, -3.0, -3.0, room, math.inf, "", "")
    answer = Answer(True, "", "", "", (), False, About("objective", "", "$"), 0.0, (), Absent(""))
    row: Any = type("Row", (), {"about": About("heat", "", "K"), "sides": (side,)})
    assert price_sentences(row, answer) == [words]


# The most important --------------------------------------------------------------------------------------

COUNT = 70


@pytest.fixture(scope="module")
def many() -> lg.Solution:
    """Seventy variables, constraints and parameters; the weight of each grows with its number."""
    weight = np.arange(1.0, COUNT + 1)
    problem = lg.Problem(
        minimize=lambda x: weight @ x**2 / 2,
        subject_to={"least": lg.at_least(lambda x: x, lambda p: p["least"])},
        bounds=(0.0, None),
    )
    return problem.solve(np.ones(COUNT), {"least": np.ones(COUNT)})


def test_only_the_most_influential_are_ranged_and_the_rest_is_counted(many: lg.Solution, tmp_path: Path) -> None:
    content = gather(many, "")
    moved = content.sensitivities
    assert not isinstance(moved, Absent)
    ranged = [item.about.name for item in moved.parameters if item.is_ranged]
    assert ranged == [f"least[{i}]" for i in range(COUNT - 12, COUNT)]
    assert (content.not_ranged.parameters, content.not_ranged.sides) == (COUNT - 12, COUNT - 12)
    text = text_of(many, tmp_path)
    assert f"{COUNT - 12} parameters of less influence left out: ask for solution.sensitivity().ranging(names)." in text
    assert f"The ranges of {COUNT - 12} rows of less influence are left out" in text
    assert f"The table shows 13 of {COUNT} variables: all are in solution.x." in text
    assert "The figure shows the 24 largest of 70." in text
    assert "62 parameters of less influence left out: ask for solution.plot_value(name)." in text
    assert "24 of 141 results, 12 of 70 parameters." in text
    shown = panel(content)
    assert shown is not None and len(shown.sliders) == 12
    assert shown.left_out == "Not shown: 58 parameters of less influence and 30 variables moved less."


def test_the_largest_elasticities_keep_their_order() -> None:
    nan = math.nan
    found = Elasticities(("a", "b", "c"), ("p", "q", "r"), ((0.0, 1.0, nan), (3.0, 0.0, 0.5), (0.1, 0.2, 0.3)))
    largest = found.largest(2, 2)
    assert (largest.rows, largest.columns, largest.values) == (("a", "b"), ("p", "q"), ((0.0, 1.0), (3.0, 0.0)))
    assert found.largest(1, 3).rows == ("a",)  # the objective stays, however small
