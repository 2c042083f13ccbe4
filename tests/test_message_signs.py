"""The message speaks of the problem as the user stated it."""

from __future__ import annotations

import lagrange as lg


def test_a_maximum_is_called_a_maximum() -> None:
    largest = lg.Problem(maximize=lambda x: -((x - 1.0) ** 2)).solve(0.0)
    assert largest.message == "Strict local maximum."
    smallest = lg.Problem(minimize=lambda x: (x - 1.0) ** 2).solve(0.0)
    assert smallest.message == "Strict local minimum."
