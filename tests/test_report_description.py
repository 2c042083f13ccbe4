"""Descriptions and units: parsed, inherited, checked, and shown wherever a name is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.model.description import Description, Descriptions
from lagrange.report.tables import unit_text
from lagrange.report.text import solution_text


@pytest.mark.parametrize(
    ("line", "text", "unit"),
    [
        ("radius of the can [cm]", "radius of the can", "cm"),
        ("[cm]", "", "cm"),
        ("  no unit ", "no unit", ""),
        ("the same as x[2]", "the same as x[2]", ""),
        ("share [ ]", "share", ""),
        ("a [b] c [kN/cm^2]", "a [b] c", "kN/cm^2"),
        ("two\nlines [m]", "two\nlines", "m"),
        ("", "", ""),
    ],
)
def test_a_line_is_text_and_unit(line: str, text: str, unit: str) -> None:
    assert Description.parsed(line) == Description(text, unit)


def test_elements_inherit_what_they_do_not_have() -> None:
    about = Descriptions.of({"price": "of fuel [$/MBtu]", "price.coal": "of coal", "legs[1]": "[m]"})
    assert about.parameter("price.coal") == Description("of coal", "$/MBtu")
    assert about.parameter("price.oil[2]") == Description("of fuel", "$/MBtu")
    assert about.variable("legs[1].angle").unit == "m"
    assert about.variable("legs[0].angle") == Description()
    assert about.objective == Description()


def test_a_kind_before_the_name_tells_namesakes_apart() -> None:
    about = Descriptions.of({"volume": "[cm^3]", "parameter volume": "ordered [l]"})
    assert (about.constraint("volume").unit, about.parameter("volume").unit) == ("cm^3", "l")
    assert about.parameter("volume").text == "ordered"


def test_units_print_with_superscripts() -> None:
    assert unit_text("kg m^2 s^-3") == "kg m² s⁻³"


def test_what_is_no_description_is_refused_by_name() -> None:
    for wrong, words in ((["radius"], "must be a dict"), ({"a": 3}, "'a' is 3"), ({1: "a"}, "1 is 'a'")):
        with pytest.raises(TypeError, match=words):
            lg.Problem(minimize=lambda x: x[0], describe=wrong)  # type: ignore[arg-type]


def test_a_name_that_is_none_is_refused_with_those_alike() -> None:
    problem = lg.Problem(minimize=lambda x: x["radius"] ** 2, describe={"radus": "[cm]"})
    with pytest.raises(ValueError, match="nothing named 'radus'; there is 'radius'"):
        problem.solve({"radius": 1.0})


def test_the_table_shows_units_and_gives_up_descriptions_first() -> None:
    solution = described().solve(np.zeros(2), {"least": 1.0})
    wide, narrow = solution_text(solution, 100), solution_text(solution, 60)
    assert "objective 0.5 $² after" in wide
    assert "how much" in wide and "kg" in wide
    assert "(no room for description" in narrow and "kg" in narrow
    assert "unit" not in str(lg.Problem(minimize=lambda x: x @ x).solve([1.0]))


def described() -> lg.Problem:
    return lg.Problem(
        minimize=lambda x: x @ x,
        subject_to={"sum": lg.at_least(lambda x: x.sum(), lambda p: p["least"])},
        describe={"objective": "cost [$^2]", "x": "how much [kg]", "sum": "of all [kg]", "least": "[kg]"},
    )


def test_solutions_carry_them() -> None:
    solution: Any = described().solve(np.zeros(2), {"least": 1.0})
    assert solution.descriptions.variable("x[1]") == Description("how much", "kg")
    assert solution.settings.method == "newton-kkt"
    assert described().examine([0.5, 0.5], {"least": 1.0}).settings is None
