"""A printed sensitivity: what exists, and what does not, in a table."""

from __future__ import annotations

import numpy as np

import lagrange as lg


def test_smooth() -> None:
    # min (x - p)^2 + q x over x <= 1: at the bound the value is (1 - p)^2 + q.
    problem = lg.Problem(lambda x, p: (x[0] - p["p"]) ** 2 + p["q"] * x[0], {"cap": lg.at_most(lambda x: x[0], 1.0)})
    text = str(problem.solve([0.0], {"p": 3.0, "q": 0.5}).sensitivity())
    assert text.startswith("Sensitivity: smooth: all active constraints press")
    rows = [line.split() for line in text.splitlines()]
    assert ["p", "4", "0"] in rows and ["q", "1", "0"] in rows
    assert ["cap", "-3.5", "-3.5"] in rows


def test_two_prices() -> None:
    # The textbook vertex with three lines: maximize 3 x + 2 y, x <= 2, y <= 2, x + y <= 4.
    rows = {
        "a": lg.at_most(lambda x: x[0], 2.0),
        "b": lg.at_most(lambda x: x[1], 2.0),
        "ab": lg.at_most(lambda x: x[0] + x[1], 4.0),
    }
    solution = lg.Problem(maximize=lambda x: 3 * x[0] + 2 * x[1], subject_to=rows).solve(np.zeros(2))
    lines = [line.split() for line in str(solution.sensitivity()).splitlines()]
    assert ["a", "3", "1"] in lines and ["b", "2", "0"] in lines and ["ab", "2", "0"] in lines
    assert "two prices: sensitivity().shadow_prices" in solution.message


def test_what_does_not_exist() -> None:
    kink = lg.Problem(lambda x, p: (x[0] - p) ** 2, bounds=(0.0, None)).solve([1.0], 0.0).sensitivity()
    assert ["p", "0", "none"] in [line.split() for line in str(kink).splitlines()]
    nothing = lg.Problem(lambda x, p: x[0] + p).solve([1.0], 0.0).sensitivity()
    assert "undefined" in str(nothing) and "d / d" not in str(nothing)


def test_long_lists_are_cut() -> None:
    problem = lg.Problem(lambda x, p: ((x - p) ** 2).sum(), bounds=(0.0, None))
    text = str(problem.solve(np.ones(30), -np.ones(30)).sensitivity())
    assert text.count("... and 18 more") == 2 and len(text.splitlines()) < 50
