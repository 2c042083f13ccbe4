"""Derivatives of problems translated by `from_cvxpy` are those of CVXPY itself (`backward`, by diffcp)."""

from __future__ import annotations

from typing import Any

import cvxpy as cp
import numpy as np
import pytest

pytest.importorskip("diffcp")

import lagrange as lg
from lagrange.sensitivity.kind import ONE_SIDED, SMOOTH
from problems.validation.cones import NARROW, change, solve_with_derivatives
from problems.validation.parameters import contracted, moves_of
from problems.validation.small_programs import PROGRAMS, program
from problems.validation.translated import parameters_of, solved, with_own_derivatives

AGREEMENT = 1e-6  # relative to the largest entry, at least 1; diffcp's own accuracy, asked as exactly as it can be
VALUE_AGREEMENT = 1e-6


def assert_close(actual: Any, expected: Any, agreement: float, what: str) -> None:
    assert np.shape(actual) == np.shape(expected), what
    scale = max(1.0, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=agreement * scale, err_msg=what)


def pulled_back(weights: Any, derivative: Any, parameter: cp.Parameter) -> Any:
    """weights . dx/dp, shaped like p."""
    return np.tensordot(weights, np.asarray(derivative), axes=np.ndim(weights)).reshape(parameter.shape)


@pytest.mark.parametrize("name", PROGRAMS)
def test_adjoint_derivatives_are_those_of_cvxpy(name: str) -> None:
    problem = program(name)
    ours = solved(problem)
    s = ours.solution.sensitivity()
    assert s.kind == SMOOTH, s.reason
    solve_with_derivatives(problem)
    rng = np.random.default_rng(7)
    for _ in range(2):
        weights = {variable.name(): rng.normal(size=variable.shape) for variable in problem.variables()}
        for variable in problem.variables():
            variable.gradient = weights[variable.name()]
        problem.backward()
        for parameter in problem.parameters():
            found = sum(pulled_back(weights[key], s.x[key][parameter.name()], parameter) for key in weights)
            assert_close(found, np.asarray(parameter.gradient), AGREEMENT, parameter.name())


@pytest.mark.parametrize("name", PROGRAMS)
def test_forward_derivatives_of_x_and_of_the_value_are_those_of_cvxpy(name: str) -> None:
    problem = program(name)
    ours = solved(problem)
    moves = moves_of(parameters_of(problem))
    found = [ours.derivative(move) for move in moves]
    own = with_own_derivatives(problem)
    for move, derivative in zip(moves, found, strict=True):
        expected = own.derivative(move)
        assert_close(derivative.value, expected.value, VALUE_AGREEMENT, move.name)
        for key, array in expected.x.items():
            assert_close(derivative.x[key], array, AGREEMENT, f"{key} by {move.name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_solution_is_the_same(name: str) -> None:
    problem = program(name)
    ours = solved(problem)
    solve_with_derivatives(problem)
    assert_close(ours.answer.value, problem.value, 1e-9, "value")
    for variable in problem.variables():
        assert_close(ours.answer.x[variable.name()], variable.value, 1e-8, variable.name())


def test_a_right_side_is_worth_its_dual_value() -> None:
    """d(value)/d(limit) is CVXPY's dual value of `<= limit` when maximizing."""
    problem = program("linear_program")
    ours = solved(problem)
    duals = problem.constraints[0].dual_value
    assert_close(ours.solution.sensitivity().objective["limit"], duals, 1e-9, "shadow prices")


def test_twelve_kinds_of_programs_and_more_are_compared() -> None:
    assert len(PROGRAMS) >= 12
    for name in PROGRAMS:
        assert program(name).is_dcp(dpp=True), name
        assert (program(name).parameters()[0].value == program(name).parameters()[0].value).all(), name


def test_at_a_kink_only_one_side_is_given() -> None:
    """min (x - p)^2, x >= 0 at p = 0: dx/dp is 0 to the left and 1 to the right; diffcp gives one number for both."""
    x, p = cp.Variable(name="x"), cp.Parameter(name="p", value=0.0)
    problem = cp.Problem(cp.Minimize(cp.square(x - p)), [x >= 0])
    model = lg.from_cvxpy(problem)
    s = model.problem.solve(model.x0, model.p).sensitivity()
    assert s.kind == ONE_SIDED
    with pytest.raises(lg.NotDifferentiable, match="direction"):
        float(s.x["x"]["p"])
    sides = [s.direction({"p": side}).x["x"] for side in (1.0, -1.0)]
    resolved = []
    for side in (NARROW[0], -NARROW[0]):
        p.value = side
        problem.solve(solver=cp.CLARABEL)
        resolved.append(float(x.value) / NARROW[0])
    assert sides == pytest.approx([1.0, 0.0])
    assert sides == pytest.approx(resolved, abs=1e-2)


def test_changes_of_expressions_follow_the_chain_rule() -> None:
    X, y = cp.Variable((2, 3)), cp.Variable()
    X.value, y.value = np.arange(6.0).reshape(2, 3), 2.0
    X.delta, y.delta = np.ones((2, 3)) * [[1.0], [2.0]], 0.5
    np.testing.assert_allclose(change(2 * X), 2 * X.delta)
    np.testing.assert_allclose(change(cp.exp(y)), 0.5 * np.exp(2.0))
    np.testing.assert_allclose(change(cp.sum_squares(X) + y), 2 * np.sum(X.value * X.delta) + 0.5)
    np.testing.assert_allclose(change(X[1]), X.delta[1])


def test_arrays_are_contracted_with_moves_of_several_parameters() -> None:
    derivative = {"a": np.array([1.0, 2.0]), "b": np.arange(6.0).reshape(2, 3)}
    along = {"a": 0.5, "b": np.array([1.0, 0.0, -1.0])}
    np.testing.assert_allclose(contracted(derivative, along), [0.5 - 2.0, 1.0 - 2.0])
