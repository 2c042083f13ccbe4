"""problems/VALIDATION.md is true: everything on it is measured again and compared, word by word and cell by cell."""

from __future__ import annotations

import importlib
import math
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

pytest.importorskip("diffcp")

from problems.validation import cones, nonlinear, page
from problems.validation.__main__ import PAGE, main
from problems.validation.answer import Answer, Differences, derivative_differences, differences
from problems.validation.measure import Row, measure, parameter_moves, stories
from problems.validation.nonconvex_models import MODELS
from problems.validation.parameters import by_solving_again, extrapolated, moved, moves_of
from problems.validation.small_programs import PROGRAMS
from problems.validation.translated import measure as measure_program

TEXT = PAGE.read_text(encoding="utf-8")
STORY_TABLES: dict[str, tuple[page.Column[Row], ...]] = {
    "All story problems": page.SUMMARY,
    "The answers, once more": page.SECOND,
    "The derivatives, one by one": page.DERIVATIVES,
    "CVXPY's own derivatives": page.OWN,
    "CVXPY's nonlinear mode": page.NONLINEAR,
}
PROGRAM_TABLE = "Small programs through `from_cvxpy`"
TABLES: dict[str, tuple[page.Column[Any], ...]] = {**STORY_TABLES, PROGRAM_TABLE: page.SMALL}
VALUE = "value found"
VALUE_AGREEMENT = 10.0 ** (1 - page.DIGITS)  # relative: to the digits that are shown
NOT_COMPARED = {"optimal_transport": ("supply", "demand"), "truss_sizing": ("far bar",)}
WRONG = 0.05  # a derivative that is off by so much, relative, is wrong and not just inexact

measured = cache(measure)


def body(heading: str) -> dict[str, dict[str, str]]:
    """A table of the page without its last line."""
    lines = page.parsed(TEXT, heading)
    return {name: line for name, line in lines.items() if name != page.ACCEPTED}


def as_number(shown: str) -> float:
    return math.nan if shown == "–" else float(shown.strip("*").removeprefix("<"))


def assert_true(columns: tuple[page.Column[Any], ...], line: dict[str, str], row: Any) -> None:
    """The line of the page is what was measured: words and values the same, differences accepted."""
    for column in columns:
        found, shown = column.of(row), line[column.heading]
        if column.heading == VALUE:
            assert float(shown) == pytest.approx(float(found), rel=VALUE_AGREEMENT), column.heading
        elif isinstance(found, str):
            assert shown == found, column.heading
        else:
            assert column.accepts(row.name, found), (column.heading, found)
            without_uno = "Uno" in column.heading and not nonlinear.HAS_UNO
            assert without_uno or (shown == "–") == math.isnan(found), column.heading


@pytest.mark.parametrize("name", stories())
def test_a_story_is_as_the_page_says(name: str) -> None:
    row = measured(name)
    for heading, columns in STORY_TABLES.items():
        lines = body(heading)
        if name in lines:
            assert_true(columns, lines[name], row)
    assert row.not_compared == NOT_COMPARED.get(name, ())
    assert row.resolved.moves == row.moves
    assert (name in body("CVXPY's own derivatives")) == bool(row.own.moves)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_small_program_is_as_the_page_says(name: str) -> None:
    assert_true(page.SMALL, body(PROGRAM_TABLE)[name], measure_program(name))


def test_the_page_lists_every_problem_and_no_other() -> None:
    for heading in ("All story problems", "The answers, once more", "The derivatives, one by one"):
        assert list(body(heading)) == stories()
    assert list(body(PROGRAM_TABLE)) == list(PROGRAMS)
    assert body("CVXPY's nonlinear mode").keys() == MODELS.keys()
    convex = {name for name in stories() if hasattr(importlib.import_module(f"problems.{name}"), "cvxpy_model")}
    assert convex.isdisjoint(MODELS) and convex | MODELS.keys() == set(stories())
    assert body("CVXPY's own derivatives").keys() <= convex
    assert page.NOTES.keys() <= set(stories())


@pytest.mark.parametrize("heading", TABLES)
def test_no_difference_on_the_page_is_larger_than_accepted(heading: str) -> None:
    for name, line in body(heading).items():
        for column in TABLES[heading]:
            if column.accepted is not None:
                assert column.accepts(name, as_number(line[column.heading])), (name, column.heading)


@pytest.mark.parametrize("heading", TABLES)
def test_what_is_accepted_is_what_the_code_accepts(heading: str) -> None:
    columns = TABLES[heading]
    fresh = page.parsed(f"\n## {heading}\n{page.table(columns, [])}", heading)
    assert page.parsed(TEXT, heading)[page.ACCEPTED] == fresh[page.ACCEPTED]


def test_the_words_of_the_page_are_those_of_the_code() -> None:
    def words(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("|")]

    versions = TEXT.splitlines()[4]
    assert versions.startswith("Python ")
    assert words(page.document([], [], versions)) == words(TEXT)


def written_with(package: str) -> str:
    """The version of a package that the page names."""
    return TEXT.splitlines()[4].split(f"{package} ")[1].rstrip(".").split(",")[0]


@pytest.mark.skipif(version("diffcp") != written_with("diffcp"), reason="the page speaks of another diffcp")
@pytest.mark.parametrize(("name", "parameter"), [("economic_dispatch", "demand"), ("d_optimal_design", "runs")])
def test_where_cvxpy_is_called_wrong_two_others_contradict_it(name: str, parameter: str) -> None:
    """Against the known answer: CVXPY's derivative around Clarabel is wrong, central differences of SCS are right."""
    story = importlib.import_module(f"problems.{name}")
    move = next(move for move in parameter_moves(name, story) if move.name == parameter)
    at, step = cones.answer_at(story, story.p), 1e-3 * move.size
    known = {side: story.known_x(moved(story.p, move.along, side * step)) for side in (1.0, -1.0)}
    expected = Answer(
        np.array(np.nan), {key: np.asarray((known[1.0][key] - known[-1.0][key]) / (2 * step)) for key in at.x}, {}
    )
    own = cones.with_parameters(story, story.p, frozenset({parameter}))
    assert own is not None
    cones.solve_around_clarabel(own.problem, cones.TOLERANCES[-1])
    resolved = by_solving_again(lambda p: cones.answer_at(story, p), story.p, move, (1e-2, 5e-3, 2.5e-3))
    assert derivative_differences(own.derivative(move), expected, at, move.size).x > WRONG
    assert derivative_differences(resolved, expected, at, move.size).x < 1e-6


def test_the_command_prints_one_problem(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--only", "sphere_projection"])
    printed = capsys.readouterr().out
    assert "sphere_projection" in printed and "tin_can" not in printed


def answer(value: float, x: list[float]) -> Answer:
    return Answer(np.array(value), {"x": np.array(x)}, {})


def test_differences_are_relative_to_the_largest_entry() -> None:
    assert differences(answer(1.0, [1.0, 10.0]), answer(2.0, [2.0, 10.0])).value == 0.5
    assert differences(answer(1.0, [1.0, 10.0]), answer(2.0, [2.0, 10.0])).x == 0.1
    assert math.isnan(differences(answer(1.0, [1.0]), answer(1.0, [1.0])).multipliers)


def test_what_the_answer_lacks_is_infinitely_wrong_and_what_the_reference_lacks_is_left_out() -> None:
    assert differences(answer(1.0, [math.nan]), answer(1.0, [1.0])).x == math.inf
    assert differences(answer(1.0, [5.0, 1.0]), answer(1.0, [math.nan, 1.0])).x == 0.0
    assert Differences(math.nan, 1.0, math.nan).largest == 1.0


def test_a_derivative_of_zero_is_measured_against_the_quantity() -> None:
    found, at = answer(0.0, [1e-3]), answer(1.0, [5.0])
    assert derivative_differences(found, answer(0.0, [0.0]), at, 2.0).x == pytest.approx(1e-3 / (1e-2 * 5.0 / 2.0))


def test_derivatives_by_solving_again_keep_to_where_there_are_answers() -> None:
    def at(p: dict[str, float]) -> Answer:
        if p["a"] > 1.006:
            raise ArithmeticError
        return answer(p["a"] ** 3, [math.exp(p["a"])])

    (move,) = moves_of({"a": 1.0})
    found = by_solving_again(at, {"a": 1.0}, move, (2e-2, 1e-2, 5e-3, 2.5e-3, 1.25e-3))
    assert found.value == pytest.approx(3.0, abs=1e-10)
    assert found.x["x"] == pytest.approx([math.e], abs=1e-10)
    with pytest.raises(ArithmeticError, match="no answers near enough"):
        by_solving_again(at, {"a": 1.0}, move, (2e-2, 1e-2, 5e-3))


def test_extrapolation_does_not_trust_a_kink_within_the_largest_steps() -> None:
    def function(t: float) -> float:
        return math.exp(t) + max(0.0, t - 0.03)

    central = [np.array((function(h) - function(-h)) / (2 * h)) for h in (0.08, 0.04, 0.02, 0.01, 0.005)]
    assert extrapolated(central) == pytest.approx(1.0, abs=1e-9)
