"""One row of the page for one story problem: this package against the reference, the known answer and diffcp."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import problems
from problems.validation import closed_form, cones, nonlinear, package, scipy_newton
from problems.validation.answer import (
    Answer,
    Differences,
    derivative_differences,
    differences,
    largest,
    leaves,
)
from problems.validation.parameters import FEWEST, NARROW, WIDE, Move, by_solving_again, exchange, moves_of

CONIC, NEWTON = "CVXPY, SCS", "SciPy"
TOTALS_AGREE = "optimal_transport"
"""Supplies and demands have the same total, before and after: its parameters move in pairs."""


@dataclass(frozen=True)
class Derivatives:
    """Largest differences of derivatives from one source, over the parameters that it can follow."""

    differences: Differences
    moves: int


@dataclass(frozen=True)
class Row:
    """All differences of one story problem."""

    name: str
    kind: str
    """What the conic solver is given, or "nonconvex"."""
    reference: str
    value: float
    """By this package."""
    moves: int
    """Parameters, that is numbers in p; independent pairs of them where they are tied."""
    answer: Differences
    """From the reference."""
    not_compared: tuple[str, ...]
    """The constraints whose multipliers the reference does not give."""
    second: Differences
    """From Clarabel, the other conic solver; NaN where the problem has no CVXPY model."""
    resolved: Derivatives
    """From central differences of the reference."""
    known: Differences
    """From the known answer."""
    followed: Derivatives
    """From central differences of the known answer."""
    own: Derivatives
    """From CVXPY's own derivatives, made as exact as they get."""
    own_as_it_comes: Derivatives
    """From CVXPY's own derivatives with all options at their defaults."""
    uno: Differences
    """From Uno in CVXPY's nonlinear mode; NaN for convex problems, and where Uno is not installed."""
    uno_resolved: Derivatives
    """Of the derivatives, from central differences of Uno's answers."""
    within_cvxpy: Differences
    """From this package's solver given the CVXPY model; NaN for convex problems."""


def stories() -> list[str]:
    """The names of the modules of problems/ that define `problem`."""
    names = [module.name for module in pkgutil.iter_modules(problems.__path__) if not module.ispkg]
    return [name for name in names if hasattr(importlib.import_module(f"problems.{name}"), "problem")]


def measure(name: str) -> Row:
    """Solve one story by all, and compare."""
    story = importlib.import_module(f"problems.{name}")
    solution = package.solved(story)
    answer = package.answer(solution)
    moves = parameter_moves(name, story)
    derivatives = package.derivatives(solution, moves)
    convex = hasattr(story, "cvxpy_model")
    reference = _reference(story, convex)
    expected = reference(story.p)

    def compared(derivative: Callable[[Move], Answer | None]) -> Derivatives:
        others = [derivative(move) for move in moves]
        found = [
            derivative_differences(own, other, answer, move.size)
            for own, other, move in zip(derivatives, others, moves, strict=True)
            if other is not None
        ]
        return Derivatives(largest(found), len(found))

    def followed(move: Move) -> Answer | None:
        if not closed_form.is_a_function_of(story, move):
            return None
        return by_solving_again(lambda p: closed_form.answer_at(story, p), story.p, move, NARROW)

    def by_uno(move: Move) -> Answer | None:
        if convex or not nonlinear.HAS_UNO:
            return None
        return by_solving_again(lambda p: nonlinear.by_uno(story, p), story.p, move, NARROW[:FEWEST])

    def by_cvxpy(solve: Callable[[Any], None]) -> Callable[[Move], Answer | None]:
        ready: dict[frozenset[str], cones.WithParameters | None] = {}

        def derivative(move: Move) -> Answer | None:
            keys = frozenset(key for key, along in leaves(move.along).items() if along.any())
            if convex and keys not in ready:
                ready[keys] = cones.with_parameters(story, story.p, keys)
                if (found := ready[keys]) is not None:
                    solve(found.problem)
            with_parameters = ready.get(keys)
            return None if with_parameters is None else with_parameters.derivative(move)

        return derivative

    return Row(
        name,
        cones.kind(story.cvxpy_model(story.p).model) if convex else "nonconvex",
        CONIC if convex else NEWTON,
        float(answer.value),
        len(moves),
        differences(answer, expected),
        tuple(key for key in answer.multipliers if key not in expected.multipliers),
        differences(answer, cones.answer_at(story, story.p, cones.solve_by_clarabel)) if convex else largest([]),
        compared(lambda move: by_solving_again(reference, story.p, move, WIDE if convex else NARROW)),
        differences(answer, closed_form.answer_at(story, story.p)),
        compared(followed),
        compared(by_cvxpy(cones.solve_with_derivatives)),
        compared(by_cvxpy(cones.solve_as_it_comes)),
        largest([]) if convex or not nonlinear.HAS_UNO else differences(answer, nonlinear.by_uno(story, story.p)),
        compared(by_uno),
        largest([]) if convex else differences(answer, nonlinear.by_this_solver(story, story.p)),
    )


def parameter_moves(name: str, story: ModuleType) -> list[Move]:
    """One for each parameter; for tied ones as many pairs as are independent."""
    if name != TOTALS_AGREE:
        return moves_of(story.p)
    supplies, demands = (np.size(story.p[key]) for key in ("supply", "demand"))
    pairs = [(0, j) for j in range(demands)] + [(i, 0) for i in range(1, supplies)]
    return [exchange(story.p, "supply", i, "demand", j) for i, j in pairs]


def _reference(story: ModuleType, convex: bool) -> Callable[[Any], Answer]:
    if convex:
        return lambda p: cones.answer_at(story, p)
    active = scipy_newton.active_at(story, story.p)
    return lambda p: scipy_newton.answer_at(story, p, active)
