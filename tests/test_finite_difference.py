"""Finite differences: accurate to what the page promises, near the edge of a domain and near kinks too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lagrange.derivatives.finite_difference import hessian, hessian_from_gradient, jacobian
from lagrange.model.named_pytree import Vector

JACOBIAN_TOLERANCE = 1e-11  # relative; the module promises about 1e-13 for functions of order one
HESSIAN_TOLERANCE = 1e-6
GRADIENT_TOLERANCE = 1e-8

X = np.array([0.7, -1.3, 2.1])


def smooth(x: Vector) -> Vector:
    return np.array([np.sin(x[0]) * np.exp(x[1]), x[0] * x[1] * x[2], 1.0 / (1.0 + x @ x), 5.0])


def smooth_jacobian(x: Vector) -> Vector:
    return np.array([
        [np.cos(x[0]) * np.exp(x[1]), np.sin(x[0]) * np.exp(x[1]), 0.0],
        [x[1] * x[2], x[0] * x[2], x[0] * x[1]],
        -2.0 * x / (1.0 + x @ x) ** 2,
        np.zeros(3),
    ])  # fmt: skip


def scalar(x: Vector) -> float:
    return float(np.sin(x[0]) * x[1] ** 2 + np.exp(0.5 * x[2]) * x[0])


def scalar_gradient(x: Vector) -> Vector:
    e = np.exp(0.5 * x[2])
    return np.array([np.cos(x[0]) * x[1] ** 2 + e, 2.0 * np.sin(x[0]) * x[1], 0.5 * e * x[0]])


def scalar_hessian(x: Vector) -> Vector:
    e = np.exp(0.5 * x[2])
    mixed = 2.0 * np.cos(x[0]) * x[1]
    return np.array([
        [-np.sin(x[0]) * x[1] ** 2, mixed, 0.5 * e],
        [mixed, 2.0 * np.sin(x[0]), 0.0],
        [0.5 * e, 0.0, 0.25 * e * x[0]],
    ])  # fmt: skip


def test_jacobian() -> None:
    np.testing.assert_allclose(jacobian(smooth, X), smooth_jacobian(X), rtol=0, atol=JACOBIAN_TOLERANCE)


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e3, 1e8])
def test_jacobian_at_variables_of_any_size(size: float) -> None:
    x = np.array([size, -2.0 * size])
    actual = jacobian(lambda x: np.array([x[0] * x[1], x[0] + 3.0 * x[1]]), x)
    np.testing.assert_allclose(actual, [[x[1], x[0]], [1.0, 3.0]], rtol=1e-10, atol=JACOBIAN_TOLERANCE)


def test_jacobian_of_functions_without_rows() -> None:
    assert jacobian(lambda x: np.empty(0), X).shape == (0, 3)


@pytest.mark.parametrize("x", [1e-2, 1e-4, 1e-6])
def test_jacobian_near_the_edge_of_the_domain(x: float) -> None:
    # The first steps leave the domain, or see more than the local behaviour: a smaller one is taken.
    def logarithm(point: Vector) -> Vector:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(point)

    np.testing.assert_allclose(jacobian(logarithm, np.array([x])), [[1.0 / x]], rtol=1e-3)


def test_jacobian_outside_the_domain_is_nan() -> None:
    def root(point: Vector) -> Vector:
        with np.errstate(invalid="ignore"):
            return np.sqrt(point)

    assert np.isnan(jacobian(root, np.array([-1.0]))).all()
    assert np.isnan(jacobian(lambda x: np.array([np.nan, x[0]]), np.array([1.0]))[0, 0])


@pytest.mark.parametrize("distance", [1e-3, -1e-3, 1e-4])
def test_jacobian_beside_a_kink_or_a_jump_is_that_of_its_own_side(distance: float) -> None:
    x = np.array([1.0 + distance])
    slope = 1.0 if distance > 0 else -1.0
    np.testing.assert_allclose(jacobian(lambda x: np.abs(x - 1.0), x), [[slope]], rtol=1e-6)
    np.testing.assert_allclose(
        jacobian(lambda x: np.where(x > 1.0, 7.0 + 2.0 * x, x), x), [[1.5 + 0.5 * slope]], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("compute", "tolerance"),
    [
        (lambda x: hessian(scalar, x), HESSIAN_TOLERANCE),
        (lambda x: hessian_from_gradient(scalar_gradient, x), GRADIENT_TOLERANCE),
    ],
    ids=["of values", "of a gradient"],
)
def test_hessians(compute: Callable[[Vector], Vector], tolerance: float) -> None:
    for x in (X, -X, np.array([0.0, 0.0, 0.0])):
        actual = compute(x)
        np.testing.assert_array_equal(actual, actual.T)
        np.testing.assert_allclose(actual, scalar_hessian(x), rtol=0, atol=tolerance)


def test_an_asymmetric_gradient_gives_the_symmetric_part() -> None:
    actual = hessian_from_gradient(lambda x: np.array([x[1], 3.0 * x[0]]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(actual, [[0.0, 2.0], [2.0, 0.0]], atol=GRADIENT_TOLERANCE)


def test_the_counts_of_evaluations_are_those_of_the_docstrings() -> None:
    calls = 0

    def counted(x: Vector) -> Vector:
        nonlocal calls
        calls += 1
        return scalar_gradient(x)

    jacobian(counted, X)
    assert calls == 4 * 3
    calls = 0
    hessian_from_gradient(counted, X)
    assert calls == 2 * 3
    calls = 0
    hessian(lambda x: float(counted(x)[0]), X)
    assert calls == 2 * 3**2 + 1


def test_x_is_left_as_it_was() -> None:
    x = X.copy()
    jacobian(smooth, x)
    hessian(scalar, x)
    hessian_from_gradient(scalar_gradient, x)
    np.testing.assert_array_equal(x, X)
