"""The tables of a solution, their cells and sentences, and the text they become."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from rich.console import Console

import lagrange as lg
from lagrange.model.status import PointKind, StopReason
from lagrange.report import tables
from lagrange.report.tables import Table
from lagrange.report.text import print_solution, solution_text
from problems import optimal_transport, tin_can

WIDE = 200  # columns, more than the text ever takes


def can(volume: float = 330.0) -> lg.Solution:
    """The tin can of problems/ without its descriptions; from about 1357 on it touches the shelf."""
    problem = lg.Problem(
        minimize=tin_can.area,
        subject_to={
            "volume": lg.equals(tin_can.volume, lambda p: p["volume"]),
            "shelf": lg.at_most(lambda x, p: x["height"], tin_can.SHELF),
        },
        bounds={"radius": (0, None), "height": (0, None)},
    )
    return problem.solve(tin_can.x0, {"volume": volume})


def sixty() -> lg.Solution:
    """x[i] as near as possible to i, at most 50: the last nine at their bound."""
    problem = lg.Problem(minimize=lambda x: ((x - np.arange(60.0)) ** 2).sum() / 2, bounds=(None, 50.0))
    return problem.solve(np.zeros(60))


def infeasible() -> lg.Solution:
    """Unit disk against a + b >= 3; the third row has no part in it."""
    problem = lg.Problem(
        minimize=lambda x: x["a"],
        subject_to={
            "disk": lg.at_most(lambda x: x["a"] ** 2 + x["b"] ** 2, 1.0),
            "far": lg.at_least(lambda x: x["a"] + x["b"], 3.0),
            "idle": lg.at_most(lambda x: x["a"], 50.0),
        },
    )
    return problem.solve({"a": 0.3, "b": 0.2})


def conflicting_bound() -> lg.Solution:
    problem = lg.Problem(
        minimize=lambda x: x[1] ** 2,
        subject_to={"far": lg.at_least(lambda x: x[0], 3.0)},
        bounds=(None, [1.0, 9.0]),
    )
    return problem.solve([0.0, 0.0])


def unbounded() -> lg.Solution:
    problem = lg.Problem(minimize=lambda x: x["a"] - 2 * x["b"], bounds={"a": (None, 5)})
    return problem.solve({"a": 1.0, "b": 0.0})


def nan_at_start() -> lg.Solution:
    def cost(x: Any) -> Any:
        return np.where(x[0] > 0, x[0], np.nan)

    problem = lg.Problem(minimize=cost, subject_to={"row": lg.at_most(lambda x: x[0], 1.0)}, bounds=(None, 2.0))
    return problem.solve([-1.0])


def saddle() -> lg.Solution:
    problem = lg.Problem(minimize=lambda x: x[0] ** 4 / 4 - x[0] ** 2 / 2)
    return problem.solve([0.0], max_iterations=0)


def cusp() -> lg.Solution:
    problem = lg.Problem(
        minimize=lambda x: -x[0],
        subject_to={
            "cusp": lg.at_most(lambda x: x[1] - (1 - x[0]) ** 3, 0.0),
            "floor": lg.at_least(lambda x: x[1], 0.0),
        },
    )
    return problem.solve([0.3, 0.1])


def flat() -> lg.Solution:
    return lg.Problem(minimize=lambda x: (x[0] + x[1]) ** 2).solve([1.0, 0.0])


def stopped_early() -> lg.Solution:
    problem = lg.Problem(
        minimize=lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        subject_to={"row": lg.at_most(lambda x: x[0], 5.0)},
    )
    return problem.solve([-1.2, 1.0], max_iterations=2)


def dependent(maximize: bool = False) -> lg.Solution:
    """The same row stated twice."""
    subject_to = {
        "once": lg.equals(lambda x: x[0] + x[1], 1.0),
        "twice": lg.equals(lambda x: 2 * (x[0] + x[1]), 2.0),
    }
    if maximize:
        return lg.Problem(maximize=lambda x: -(x @ x), subject_to=subject_to).solve([0.3, 0.1])
    return lg.Problem(minimize=lambda x: x @ x, subject_to=subject_to).solve([0.3, 0.1])


@functools.cache
def solved(case: Callable[[], lg.Solution]) -> lg.Solution:
    return case()


def changed(solution: lg.Solution, **fields: Any) -> lg.Solution:
    """The solution with other entries in its result."""
    return lg.Solution(solution.problem, dataclasses.replace(solution.result, **fields))


def cell(table: Table, name: str, header: str) -> Any:
    return table.column(header)[table.column("name").index(name)]


def wide(solution: lg.Solution) -> str:
    return solution_text(solution, WIDE)


# Numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0000000000000002, "1"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (0.0, "0"),
        (-1.5, "-1.5"),
        (3.14159265, "3.14159"),
        (1234567.0, "1.23457e+06"),
        (-1.23456789e-7, "-1.23457e-07"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert tables.number(value) == text


# Tables


def test_variables_of_the_tin_can() -> None:
    table = tables.variables(solved(can))
    assert table.headers == ("name", "value", "lower")  # no upper bound, nothing at a bound
    assert table.column("name") == ["height", "radius"]
    assert table.column("lower") == [0.0, 0.0]
    assert cell(table, "height", "value") == pytest.approx(2 * (330 / (2 * np.pi)) ** (1 / 3))


def test_constraints_of_the_tin_can() -> None:
    solution = solved(can)
    table = tables.constraints(solution)
    assert table.headers == (
        "name", "lower", "value", "upper", "slack", "multiplier", "shadow price", "state",
    )  # fmt: skip
    assert table.column("name") == ["volume", "shelf"]
    assert table.column("lower") == [330.0, None]
    assert table.column("upper") == [330.0, 12.0]
    assert table.column("state") == ["equality", None]
    assert cell(table, "volume", "slack") == 0.0
    assert cell(table, "shelf", "slack") == pytest.approx(12 - solution.x["height"])
    assert cell(table, "volume", "multiplier") == solution.multipliers["volume"]
    assert cell(table, "volume", "shadow price") == solution.shadow_prices["volume"]


def test_an_active_upper_side_is_marked() -> None:
    assert cell(tables.constraints(can(1500.0)), "shelf", "state") == "at upper"


def test_states_and_multipliers_of_bounds() -> None:
    problem = lg.Problem(
        minimize=lambda x: ((x - np.array([-1.0, 0.5, 3.0, 9.0])) ** 2).sum(),
        bounds=([0.0, 0.0, None, 7.0], [None, 1.0, 2.0, 7.0]),
    )
    table = tables.variables(problem.solve([0.5, 0.5, 0.5, 7.0]))
    assert table.column("lower") == [0.0, 0.0, None, 7.0]
    assert table.column("upper") == [None, 1.0, 2.0, 7.0]
    assert table.column("state") == ["at lower", None, "at upper", "fixed"]
    assert table.column("bound multiplier") == pytest.approx([-2.0, 0.0, 2.0, 4.0])


def test_a_lower_side_and_a_range() -> None:
    problem = lg.Problem(
        minimize=lambda x: x @ x,
        subject_to={
            "low": lg.at_least(lambda x: x[0], 2.0),
            "range": lg.between(-1.0, lambda x: x[1], 4.0),
            "none": lg.at_least(lambda x: x[1], -math.inf),
        },
    )
    table = tables.constraints(problem.solve([5.0, 1.0]))
    assert table.column("state") == ["at lower", None, None]
    assert table.column("slack") == pytest.approx([0.0, 1.0, None])
    assert table.column("shadow price")[0] == pytest.approx(4.0)


def test_slack_is_negative_outside_and_rounding_is_not_slack() -> None:
    solution = solved(can)
    for volume, slack in ((330 + 1e-11, 0.0), (331.0, -1.0), (329.0, -1.0)):
        moved = changed(solution, c=np.array([volume, 13.0]))
        assert tables.constraints(moved).column("slack") == [pytest.approx(slack), -1.0]
    lost = tables.constraints(changed(solution, c=np.full(2, math.nan)))
    assert np.isnan(cell(lost, "shelf", "slack"))


def test_array_constraints_are_one_row_per_element() -> None:
    solution = optimal_transport.problem.solve(optimal_transport.x0, optimal_transport.p)
    table = tables.constraints(solution)
    names = [f"{name}[{i}]" for name, value in solution.multipliers.items() for i in range(value.size)]
    assert table.column("name") == names
    assert table.column("multiplier") == [y for value in solution.multipliers.values() for y in value]
    assert table.column("shadow price") == [-y for value in solution.multipliers.values() for y in value]


@pytest.mark.parametrize("case", [cusp, infeasible, stopped_early, nan_at_start])
def test_no_multipliers_where_there_are_none(case: Callable[[], lg.Solution]) -> None:
    assert not {"multiplier", "shadow price"} & set(tables.constraints(solved(case)).headers)
    assert "bound multiplier" not in tables.variables(solved(case)).headers


def test_rows_and_bounds_in_conflict_are_marked() -> None:
    table = tables.constraints(solved(infeasible))
    assert table.column("state") == ["in conflict", "in conflict", None]
    assert cell(table, "far", "slack") < -1
    solution = conflicting_bound()
    assert solution.result.blame == ("far", "upper bound of x[0]")
    assert tables.constraints(solution).column("state") == ["in conflict"]
    assert tables.variables(solution).column("state") == ["in conflict", None]


# Abbreviation


def test_a_long_array_is_abbreviated() -> None:
    short = tables.variables(solved(sixty)).abbreviated()
    names = short.column("name")
    assert names == [*(f"x[{i}]" for i in range(10)), "... 47 more", "x[57]", "x[58]", "x[59]"]
    assert short.rows[10][1:] == (None,) * (len(short.headers) - 1)
    assert cell(short, "x[59]", "value") == 50.0
    assert cell(short, "x[59]", "bound multiplier") == pytest.approx(9.0)
    assert cell(short, "x[59]", "state") == "at upper"
    assert short.blocks == (14,)


def test_arrays_are_abbreviated_one_by_one_and_scalars_together() -> None:
    problem = lg.Problem(
        minimize=lambda x: sum((np.sum(value) - 1) ** 2 for value in x.values()),
        bounds=(0.0, 1.0),
    )
    x0: dict[str, Any] = {"long": np.ones(20), "short": np.ones(14), **{f"z{i:02d}": 1.0 for i in range(16)}}
    full = tables.variables(problem.solve(x0))
    assert full.blocks == (20, 14, 16)
    assert full.column("name")[:2] == ["long[0]", "long[1]"]
    short = full.abbreviated()
    assert short.blocks == (14, 14, 14)  # 14 rows stay as they are: hiding one would save nothing
    names = short.column("name")
    assert names[10] == "... 7 more"
    assert names[14:28] == [f"short[{i}]" for i in range(14)]
    assert names[38:] == ["... 3 more", "z13", "z14", "z15"]
    assert short.abbreviated() == short


def test_columns_can_be_left_out() -> None:
    table = tables.constraints(solved(can)).without(["slack", "multiplier"])
    assert table.headers == ("name", "lower", "value", "upper", "shadow price", "state")
    assert table.rows[1][0] == "shelf"
    assert table.rows[1][-1] is None
    assert all(len(row) == 6 for row in table.rows)


# The sentences


FIRST_WORDS = [
    (can, PointKind.STRICT_MINIMUM, "Strict local minimum, verified: objective 264.357 after "),
    (
        flat,
        PointKind.MINIMUM_NOT_STRICT,
        "Stationary, second order undecided, first-order conditions verified: ",
    ),
    (saddle, PointKind.SADDLE_OR_MAXIMUM, "Saddle point or maximum. Stopped: iteration limit."),
    (cusp, PointKind.FRITZ_JOHN, "Point without multipliers (Fritz John). Involved: cusp, floor."),
    (
        infeasible,
        PointKind.INFEASIBLE_STATIONARY,
        "Infeasible: the violation cannot be reduced nearby. Involved: ",
    ),
    (unbounded, PointKind.UNBOUNDED, "Unbounded. The ray: a -0.5, b +1."),
    (stopped_early, PointKind.NOT_STATIONARY, "Not stationary. Stopped: iteration limit."),
]


@pytest.mark.parametrize(("case", "kind", "words"), FIRST_WORDS, ids=lambda value: getattr(value, "name", ""))
def test_the_first_line_for_every_kind_of_point(case: Callable[[], lg.Solution], kind: PointKind, words: str) -> None:
    solution = solved(case)
    assert solution.kind is kind
    assert solution.success == kind.is_minimum
    first = solution_text(solution, WIDE).split("\n")[0]
    assert first.startswith(words)
    if not solution.success:
        whole = " ".join(wide(solution).split())
        assert " ".join(solution.message.split()) in whole
        assert kind.advice in whole


def test_every_kind_of_point_has_a_case() -> None:
    assert {kind for _, kind, _ in FIRST_WORDS} == set(PointKind)


def test_a_function_that_is_not_finite_at_the_start_is_named() -> None:
    solution = solved(nan_at_start)
    assert solution.stop is StopReason.NOT_FINITE
    text = wide(solution)
    assert "'cost' is nan at x0" in text.split("\n")[0]
    assert "The point returned: objective nan after 0 iterations." in text
    assert "Stationarity nan, feasibility nan, complementarity nan (unscaled)" in text


def test_a_maximum_is_called_a_maximum() -> None:
    assert tables.headline(dependent(maximize=True)).startswith("Strict local maximum, verified: objective -0.5 ")


def test_one_iteration_is_singular() -> None:
    assert tables.headline(changed(solved(can), iterations=1)).endswith("after 1 iteration.")


def test_remarks() -> None:
    assert tables.remarks(solved(can)) == ()
    assert tables.remarks(solved(flat)) == (PointKind.MINIMUM_NOT_STRICT.advice,)
    (failure,) = tables.remarks(solved(stopped_early))
    assert failure.startswith("The point returned: objective ")
    assert failure.endswith(" after 2 iterations.")


def test_dependent_rows_are_named_after_a_success() -> None:
    solution = dependent()
    assert solution.success
    (group,) = solution.result.dependent
    (remark,) = tables.remarks(solution)
    assert all(name in remark for name in group)
    assert "not unique" in remark
    assert remark in " ".join(wide(solution).split())  # lines are broken


def test_residuals_and_effort() -> None:
    solution = solved(can)
    counts = solution.evaluations
    assert tables.residuals(solution) == {
        "stationarity": solution.residuals.stationarity,
        "feasibility": solution.residuals.feasibility,
        "complementarity": solution.residuals.complementarity,
    }
    assert tables.effort(changed(solution, seconds=0.12345, iterations=5)) == (
        f"5 iterations, {counts.values} function and {counts.derivatives} derivative evaluations, 0.123 s"
    )
    residuals = dataclasses.replace(solution.residuals, stationarity=1.26e-9, feasibility=-0.0, complementarity=0.5)
    assert tables.trust(changed(solution, residuals=residuals)) == (
        "Stationarity 1.3e-09, feasibility 0, complementarity 0.5 (unscaled)"
    )


# The record


class Leg(NamedTuple):
    length: float
    angles: Any


def test_the_record_is_json_and_keeps_the_structure_of_x() -> None:
    def cost(x: Any) -> Any:
        return (x["leg"].length - 2) ** 2 + ((x["leg"].angles - 1) ** 2).sum() + x["pair"][0] ** 2

    solution = lg.Problem(minimize=cost, bounds=(0.0, None)).solve({"leg": Leg(1.0, np.zeros((2, 1))), "pair": [0.5]})
    record = json.loads(json.dumps(tables.record(solution), allow_nan=False))
    assert record["x"]["leg"]["length"] == pytest.approx(2.0)
    assert np.shape(record["x"]["leg"]["angles"]) == (2, 1)
    assert record["x"]["pair"] == [pytest.approx(0.0, abs=1e-9)]
    assert record["p"] is None
    assert record["success"] is True


def test_the_record_of_the_tin_can() -> None:
    solution = solved(can)
    record = tables.record(solution)
    assert record["x"] == {"height": solution.x["height"], "radius": solution.x["radius"]}
    assert record["p"] == {"volume": 330.0}
    assert record["multipliers"] == solution.multipliers
    assert record["shadow_prices"] == solution.shadow_prices
    assert record["bound_multipliers"] == {"height": 0.0, "radius": 0.0}
    assert (record["kind"], record["stop"]) == ("STRICT_MINIMUM", "CONVERGED")
    assert record["residuals"] == tables.residuals(solution)
    assert record["active"] == ["volume"]


def test_numbers_that_are_not_finite_are_none_in_the_record() -> None:
    record = json.loads(json.dumps(tables.record(solved(nan_at_start)), allow_nan=False))
    assert record["objective"] is None
    assert record["multipliers"] == {"row": None}
    assert record["residuals"]["stationarity"] is None
    assert record["x"] == [-1.0]
    assert record["success"] is False
    unlimited = changed(solved(can), objective=-math.inf)
    assert tables.record(unlimited)["objective"] is None


# The text


def test_the_text_has_every_part_in_order() -> None:
    lines = solution_text(solved(can), 80).split("\n")
    starts = [
        "Strict local minimum",
        "Variables",
        "height",
        "radius",
        "Constraints",
        "volume",
        "shelf",
        "Stationarity",
    ]
    places = [next(i for i, line in enumerate(lines) if line.startswith(start)) for start in starts]
    assert places == sorted(places)
    assert lines[-1].endswith(" s")
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)


def test_the_text_has_the_numbers() -> None:
    (volume,) = (line for line in wide(solved(can)).split("\n") if line.startswith("volume"))
    assert volume.split() == ["volume", "330", "330", "330", "0", "-0.534054", "0.534054", "equality"]


def test_decimal_points_align() -> None:
    solution = changed(solved(can), x=np.array([0.125, -1234.5]), c=np.array([math.nan, 7.0]))
    lines = solution_text(solution, 80).split("\n")
    height, radius = (next(line for line in lines if line.startswith(name)) for name in ("height", "radius"))
    assert height.index(".") == radius.index(".")
    assert "nan" in next(line for line in lines if line.startswith("volume"))


def test_without_constraints_there_is_no_table_of_them() -> None:
    assert "Constraints" not in wide(solved(sixty))
    assert "Constraints" in wide(solved(can))


def test_the_text_is_abbreviated() -> None:
    text = wide(solved(sixty))
    assert "\n... 47 more\n" in text
    assert "x[10]" not in text


STRANGE = [
    "[bold]volume[/bold]",
    "[red]",
    ":smile:",
    "喜び 🙂",
    "a\nb",
    "\x1b[31mred",
    "{brace} %s",
    "tab\there",
]


def named(names: list[str]) -> lg.Solution:
    """A problem with these names for its variables and constraints."""
    problem = lg.Problem(
        minimize=lambda x: sum(value**2 for value in x.values()),
        subject_to={f"c {name}": lg.at_least(lambda x, name=name: x[name], 1.0) for name in names},
    )
    return problem.solve(dict.fromkeys(names, 2.0))


def test_names_are_shown_literally() -> None:
    solution = named(STRANGE)
    text = wide(solution)
    for name in STRANGE:
        shown = name.replace("\n", "\\n").replace("\x1b", "\\x1b").replace("\t", "\\t")
        assert f"\n{shown} " in text
        assert f"\nc {shown} " in text
    assert "\x1b" not in text


def test_markup_in_a_message_is_literal() -> None:
    solution = changed(solved(infeasible), message="Infeasible. Involved: [bold]far[/bold], \x1b[1m.")
    assert wide(solution).startswith("Infeasible. Involved: [bold]far[/bold], \\x1b[1m.\n")


def test_wide_characters_do_not_shift_columns() -> None:
    from rich.cells import cell_len

    lines = wide(named(["喜び", "plain name"])).split("\n")
    cells = [cell_len(line) for line in lines if line.startswith(("c 喜び", "c plain name"))]
    assert len(cells) == 2
    assert cells[0] == cells[1]


@pytest.mark.parametrize("width", [100, 80, 70, 60, 50])
def test_no_number_is_cut_where_it_is_narrow(width: int) -> None:
    c = np.array([-1.23457e-12, 7.65432e100])
    solution = changed(solved(can), c=c, y=np.array([-1.11111e-5, 0.0]))
    text = solution_text(solution, width)
    lines = text.split("\n")
    assert max(map(len, lines)) <= max(width, 60)
    assert "-1.23457e-12" in text
    assert "7.65432e+100" in text
    assert "1.11111e-05" in text  # the shadow price stays longest
    dropped = [line for line in lines if line.startswith("(no room for ")]
    assert bool(dropped) == (width < 100)
    assert all("multiplier" in line for line in dropped)


def test_the_tables_take_no_more_room_than_they_need() -> None:
    assert solution_text(solved(can), 100) == solution_text(solved(can), 180)
    assert solution_text(solved(can), 80).split("\n")[-1] == solution_text(solved(can), 180).split("\n")[-1]


def test_text_has_no_colour_even_if_colour_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    assert "\x1b" not in solution_text(solved(can))


def test_the_default_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert solution_text(solved(infeasible)) == solution_text(solved(infeasible), 40)
    assert solution_text(solved(infeasible)) != solution_text(solved(infeasible), 80)


def test_colour_goes_to_a_console_that_has_it() -> None:
    def printed(solution: lg.Solution) -> str:
        console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
        with console.capture() as capture:
            print_solution(solution, console)
        return capture.get()

    assert printed(solved(can)).startswith("\x1b[1;32mStrict local minimum")
    assert printed(solved(infeasible)).startswith("\x1b[31mInfeasible")


def test_ascii_names_give_ascii_text() -> None:
    assert wide(solved(can)).isascii()
