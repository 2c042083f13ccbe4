"""Second derivatives of the replaced functions, against closed forms, where JAX's own are wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import lagrange as lg
from lagrange.model.numpy_tracing import traceable


def hessian(function: Callable[[Any], Any], x: Any) -> Any:
    import jax

    with jax.enable_x64(True):
        return np.asarray(jax.hessian(traceable(function))(np.asarray(x, dtype=float)))


@pytest.mark.parametrize("a,b", [(1.0, 1.0), (2.0, -2.0), (-3.0, -3.0), (3.0, 4.0), (1e200, 1e200), (0.0, 2.0)])
def test_hypot(a: float, b: float) -> None:
    # Hessian of r: (I - x x'/r^2) / r
    r = np.hypot(a, b)
    unit = np.array([a, b]) / r
    expected = (np.eye(2) - np.outer(unit, unit)) / r
    assert np.allclose(hessian(lambda x: np.hypot(x[0], x[1]), [a, b]) * r, expected * r, atol=1e-14)


@pytest.mark.parametrize("x", [0.0, 0.5, -2.0])
def test_bessel_functions(x: float) -> None:
    # i0'' = (i0 + i2) / 2,   i1'' = (i3 + 3 i1) / 4
    assert np.isclose(hessian(special.i0, x), (special.iv(0, x) + special.iv(2, x)) / 2)
    assert np.isclose(hessian(np.i0, x), (special.iv(0, x) + special.iv(2, x)) / 2)
    assert np.isclose(hessian(special.i1, x), (special.iv(3, x) + 3 * special.iv(1, x)) / 4)


def test_the_largest_distance_is_no_longer_mistaken_for_the_smallest() -> None:
    problem = lg.Problem(
        maximize=lambda x: np.hypot(x[0], x[1]),
        subject_to={"sum": lg.equals(lambda x: x[0] + x[1], 2.0)},
        bounds=(-5.0, 5.0),
    )
    solution = problem.solve([1.0, 1.0])
    assert solution.success
    assert np.isclose(solution.objective, np.sqrt(34.0))  # (-3, 5)
