"""Every story problem in problems/: its known answer, this package's answer and CVXPY's, entry by entry.

The known answers (closed forms and root finders, written by hand) are first compared with CVXPY's, without
this package's solver. Then the package's solution is compared with both.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from cvxpy.constraints.nonpos import Inequality
from cvxpy.constraints.zero import Equality

import problems
from problems.cvxpy_model import CvxpyModel

CONE_TOLERANCE = 1e-13  # asked of CVXPY's solver; errors in x are about the root of the gap it leaves
REDUCED_CONE_TOLERANCE = 1e-8  # accepted where rounding keeps it from CONE_TOLERANCE
OBJECTIVE_AGREEMENT = 1e-8  # relative, with CVXPY
ENTRY_AGREEMENT = 1e-6  # relative to the largest entry, for x and multipliers, with CVXPY
KNOWN_OBJECTIVE_AGREEMENT = 1e-7  # relative, package against known answer
KNOWN_ENTRY_AGREEMENT = 1e-8  # relative to the largest entry, package against known answer
SMALLEST_SCALE = 1e-2  # errors in smaller values are measured against this: an exact zero has no scale


def stories() -> dict[str, ModuleType]:
    """The modules of problems/ that define `problem`, by name."""
    modules = [
        importlib.import_module(f"problems.{module.name}")
        for module in pkgutil.iter_modules(problems.__path__)
        if not module.ispkg
    ]
    return {module.__name__.split(".")[1]: module for module in modules if hasattr(module, "problem")}


STORIES = stories()


def with_attribute(*names: str) -> pytest.MarkDecorator:
    """Parametrize a test over the stories that define all of these names."""
    chosen = [name for name, story in STORIES.items() if all(hasattr(story, each) for each in names)]
    return pytest.mark.parametrize("name", chosen)


def parameters(story: ModuleType) -> Any:
    """The story's p, or None where it has no parameters."""
    return getattr(story, "p", None)


def known(story: ModuleType, name: str) -> Any:
    """The story's `known_...`, evaluated at its p when it is a function."""
    value = getattr(story, name)
    return value(parameters(story)) if callable(value) else value


def known_to(story: ModuleType, agreement: float) -> float:
    """The agreement to ask of a known answer: less where the story says that its own is not so exact."""
    return max(agreement, getattr(story, "KNOWN_TO", 0.0))


def leaves(values: Any, path: str = "") -> dict[str, Any]:
    """A story's x, or something like it, by key, with the keys of dicts inside dicts joined by dots; an array goes
    by "x"."""
    if not isinstance(values, Mapping):
        return {path or "x": values}
    inside = [leaves(value, f"{path}.{key}" if path else key) for key, value in values.items()]
    return {key: value for part in inside for key, value in part.items()}


def multiplier_from_cvxpy(constraint: cp.Constraint) -> Any:
    """The multiplier y of L = f + y . c from CVXPY's dual value of `c == rhs`, `c <= hi` or `c >= lo`.

    CVXPY's equalities have our sign already. Its inequalities have duals >= 0, and `c >= lo` is kept as
    lo <= c, so a constant first argument tells a lower side, whose multiplier is negative here. Maximize
    needs no mapping: both CVXPY and this package take the multipliers of the minimization of -f.
    """
    if isinstance(constraint, Equality):
        return constraint.dual_value
    assert isinstance(constraint, Inequality)
    smaller, larger = constraint.args
    assert smaller.is_constant() != larger.is_constant(), "one side must be constant, to tell <= from >="
    return -constraint.dual_value if smaller.is_constant() else constraint.dual_value


def bound_multiplier_from_cvxpy(pair: tuple[cp.Constraint | None, cp.Constraint | None]) -> Any:
    """Lower (negative) plus upper (positive) multiplier of one variable's bounds."""
    return sum(multiplier_from_cvxpy(bound) for bound in pair if bound is not None)


@cache
def solved_by_cvxpy(name: str) -> CvxpyModel:
    """The story's CVXPY model, solved as exactly as the conic solver can."""
    story = STORIES[name]
    answer: CvxpyModel = story.cvxpy_model(parameters(story))
    with warnings.catch_warnings():
        # Even "inaccurate" stands for REDUCED_CONE_TOLERANCE here.
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        answer.model.solve(
            solver=cp.CLARABEL,
            tol_gap_abs=CONE_TOLERANCE,
            tol_gap_rel=CONE_TOLERANCE,
            tol_feas=CONE_TOLERANCE,
            reduced_tol_gap_abs=REDUCED_CONE_TOLERANCE,
            reduced_tol_gap_rel=REDUCED_CONE_TOLERANCE,
            reduced_tol_feas=REDUCED_CONE_TOLERANCE,
        )
    assert answer.model.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE)
    return answer


@cache
def solved_by_package(name: str) -> Any:
    """The package's solution at the story's p."""
    story = STORIES[name]
    if parameters(story) is None:
        return story.problem.solve(story.x0)
    return story.problem.solve(story.x0, parameters(story))


def assert_close(actual: Any, expected: Any, agreement: float, what: str) -> None:
    """Same shape, and equal up to `agreement` times the largest expected entry."""
    actual, expected = np.asarray(actual, dtype=float), np.asarray(expected, dtype=float)
    assert actual.shape == expected.shape, what
    scale = max(SMALLEST_SCALE, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=agreement * scale, err_msg=what)


def assert_same_entries(actual: Any, expected: Any, agreement: float, what: str) -> None:
    """The same keys, and for each the same array."""
    actual, expected = leaves(actual), leaves(expected)
    assert actual.keys() == expected.keys(), what
    for key in expected:
        assert_close(actual[key], expected[key], agreement, f"{what} of {key}")


def test_all_stories_are_found() -> None:
    assert len(STORIES) >= 25
    assert {"tin_can", "markowitz_portfolio", "ac_optimal_power_flow"} <= STORIES.keys()


@pytest.mark.parametrize("name", STORIES)
def test_a_story_says_what_it_is(name: str) -> None:
    story = STORIES[name]
    words = " ".join((story.__doc__ or "").split())
    assert "Source:" in words
    assert "Known answer" in words
    assert hasattr(story, "x0")
    assert hasattr(story, "known_objective") or hasattr(story, "cvxpy_model")


@pytest.mark.parametrize("sense", [cp.Minimize, cp.Maximize])
def test_signs_of_cvxpy_are_mapped_to_ours(sense: Any) -> None:
    """min x^2 and max -x^2 share -f, hence all multipliers: 2 x + y = 0 at the constrained x = 1 or -1."""
    x = cp.Variable()
    for constraint, at in ((x == 1, 1.0), (x == -1, -1.0), (x >= 1, 1.0), (x <= -1, -1.0)):
        objective = cp.square(x) if sense is cp.Minimize else -cp.square(x)
        cp.Problem(sense(objective), [constraint]).solve(solver=cp.CLARABEL)
        assert multiplier_from_cvxpy(constraint) == pytest.approx(-2 * at, abs=1e-6)


@with_attribute("known_objective", "cvxpy_model")
def test_known_objective_agrees_with_cvxpy(name: str) -> None:
    value = solved_by_cvxpy(name).model.value
    assert_close(value, known(STORIES[name], "known_objective"), OBJECTIVE_AGREEMENT, "objective")


@with_attribute("known_x", "cvxpy_model")
def test_known_x_agrees_with_cvxpy(name: str) -> None:
    values = {key: variable.value for key, variable in solved_by_cvxpy(name).variables.items()}
    assert_same_entries(values, known(STORIES[name], "known_x"), ENTRY_AGREEMENT, "x")


@with_attribute("known_multipliers", "cvxpy_model")
def test_known_multipliers_agree_with_cvxpy(name: str) -> None:
    expected = known(STORIES[name], "known_multipliers")
    for row, constraint in solved_by_cvxpy(name).constraints.items():
        actual = multiplier_from_cvxpy(constraint)
        assert_close(actual, expected[row], ENTRY_AGREEMENT, f"multiplier of {row}")


@with_attribute("known_bound_multipliers", "cvxpy_model")
def test_known_bound_multipliers_agree_with_cvxpy(name: str) -> None:
    bounds = solved_by_cvxpy(name).bounds
    for key, expected in leaves(known(STORIES[name], "known_bound_multipliers")).items():
        actual = bound_multiplier_from_cvxpy(bounds[key]) if key in bounds else np.zeros(np.shape(expected))
        assert_close(actual, expected, ENTRY_AGREEMENT, f"bound multiplier of {key}")


@pytest.mark.parametrize(("volume", "touches"), [(330.0, False), (1300.0, False), (1500.0, True)])
def test_a_large_tin_can_touches_the_shelf(volume: float, touches: bool) -> None:
    """Both cases of the closed form, against the package and against the derivative of the area itself."""
    story, p = STORIES["tin_can"], {"volume": volume}
    multipliers = story.known_multipliers(p)
    assert (multipliers["shelf"] > 0) == touches
    step = 1e-3 * volume
    areas = [story.known_objective({"volume": volume + change}) for change in (-step, step)]
    # Shadow price of the volume is minus its multiplier.
    assert (areas[1] - areas[0]) / (2 * step) == pytest.approx(-multipliers["volume"], rel=1e-5)
    solution = story.problem.solve(story.x0, p)
    assert solution.success
    assert_same_entries(solution.x, story.known_x(p), KNOWN_ENTRY_AGREEMENT, "x")
    assert_same_entries(solution.multipliers, multipliers, KNOWN_ENTRY_AGREEMENT, "multiplier")


@pytest.mark.parametrize("name", STORIES)
def test_package_solves_the_story(name: str) -> None:
    solution = solved_by_package(name)
    assert solution.success, solution.message
    if not hasattr(STORIES[name], "known_objective"):
        return
    objective = known(STORIES[name], "known_objective")
    assert float(solution.objective) == pytest.approx(objective, rel=known_to(STORIES[name], KNOWN_OBJECTIVE_AGREEMENT))


@with_attribute("known_x")
def test_package_finds_the_known_x(name: str) -> None:
    expected, agreement = known(STORIES[name], "known_x"), known_to(STORIES[name], KNOWN_ENTRY_AGREEMENT)
    assert_same_entries(solved_by_package(name).x, expected, agreement, "x")


@with_attribute("known_multipliers")
def test_package_finds_the_known_multipliers(name: str) -> None:
    expected, agreement = known(STORIES[name], "known_multipliers"), known_to(STORIES[name], KNOWN_ENTRY_AGREEMENT)
    assert_same_entries(solved_by_package(name).multipliers, expected, agreement, "multiplier")


@with_attribute("known_bound_multipliers")
def test_package_finds_the_known_bound_multipliers(name: str) -> None:
    story = STORIES[name]
    expected, agreement = known(story, "known_bound_multipliers"), known_to(story, KNOWN_ENTRY_AGREEMENT)
    assert_same_entries(solved_by_package(name).bound_multipliers, expected, agreement, "bound multiplier")


@with_attribute("cvxpy_model")
def test_package_agrees_with_cvxpy(name: str) -> None:
    solution, theirs = solved_by_package(name), solved_by_cvxpy(name)
    assert_close(solution.objective, theirs.model.value, OBJECTIVE_AGREEMENT, "objective")
    values = {key: variable.value for key, variable in theirs.variables.items()}
    assert_same_entries(solution.x, values, ENTRY_AGREEMENT, "x")
    for row, constraint in theirs.constraints.items():
        expected = multiplier_from_cvxpy(constraint)
        assert_close(solution.multipliers[row], expected, ENTRY_AGREEMENT, f"multiplier of {row}")
    for key, actual in leaves(solution.bound_multipliers).items():
        pair = theirs.bounds.get(key, (None, None))
        expected = np.broadcast_to(bound_multiplier_from_cvxpy(pair), np.shape(actual))
        assert_close(actual, expected, ENTRY_AGREEMENT, f"bound multiplier of {key}")
