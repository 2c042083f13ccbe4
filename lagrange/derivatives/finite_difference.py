"""Finite differences, for functions that JAX cannot follow.

First derivatives use the fourth-order central stencil (Abramowitz and Stegun 1964, 25.3.21), whose error of
about 1e-13 leaves room to reach a tolerance of 1e-8; second derivatives the second-order one (25.3.23, 25.3.26).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lagrange.model.named_pytree import Vector

EPS = float(np.finfo(np.float64).eps)
FIRST_STEP = EPS ** (1 / 5)  # balances h^4 truncation with EPS / h rounding
SECOND_STEP = EPS ** (1 / 4)  # balances h^2 truncation with EPS / h^2 rounding
GRADIENT_STEP = EPS ** (1 / 3)  # second-order differences of a gradient
SHRINK = (1.0, 1e-2, 1e-4)  # steps tried where the function is not finite or not smooth on the larger ones
SMOOTH = 1e-4  # relative disagreement of two differences of a smooth function


def jacobian(function: Callable[[Vector], Vector], x: Vector) -> Vector:
    """Jacobian of `function` at x, shape (rows, n), by 4n evaluations.

    Entries are NaN where the function is not finite on every step tried.

    Examples
    --------
    >>> import numpy as np
    >>> jacobian(lambda x: np.array([x[0] * x[1]]), np.array([2.0, 3.0])).round(9)
    array([[3., 2.]])
    """
    return np.stack([_column(function, x, i) for i in range(x.size)], axis=1)


def _column(function: Callable[[Vector], Vector], x: Vector, i: int) -> Vector:
    column: Vector = np.array([np.nan])
    for shrink in SHRINK:
        h = shrink * FIRST_STEP * max(1.0, abs(x[i]))
        near = function(_moved(x, i, h)) - function(_moved(x, i, -h))
        far = function(_moved(x, i, 2 * h)) - function(_moved(x, i, -2 * h))
        column = (8.0 * near - far) / (12.0 * h)
        # near / 2h and far / 4h are two second-order differences: where they disagree the function bends or
        # jumps within the step, and a smaller one is needed.
        disagreement = np.abs(near / (2.0 * h) - far / (4.0 * h))
        if np.isfinite(column).all() and (disagreement <= SMOOTH * np.maximum(1.0, np.abs(column))).all():
            break
    return column


def hessian(function: Callable[[Vector], float], x: Vector) -> Vector:
    """Hessian of a scalar `function` at x, shape (n, n), by 2 n^2 + 1 evaluations.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: float(x[0] ** 2 * x[1]), np.array([1.0, 2.0])).round(5)
    array([[4., 2.],
           [2., 0.]])
    """
    n = x.size
    steps = SECOND_STEP * np.maximum(1.0, np.abs(x))
    center = function(x)
    result = np.empty((n, n))
    for i in range(n):
        h = steps[i]
        result[i, i] = (function(_moved(x, i, h)) - 2.0 * center + function(_moved(x, i, -h))) / h**2
        for j in range(i):
            k = steps[j]
            plus, minus = _moved(x, i, h), _moved(x, i, -h)
            mixed = (
                function(_moved(plus, j, k))
                - function(_moved(plus, j, -k))
                - function(_moved(minus, j, k))
                + function(_moved(minus, j, -k))
            )
            result[i, j] = result[j, i] = mixed / (4.0 * h * k)
    return result


def hessian_from_gradient(gradient: Callable[[Vector], Vector], x: Vector) -> Vector:
    """Symmetrized central difference of a gradient, shape (n, n), by 2n evaluations."""
    steps = GRADIENT_STEP * np.maximum(1.0, np.abs(x))
    columns = [(gradient(_moved(x, i, h)) - gradient(_moved(x, i, -h))) / (2.0 * h) for i, h in enumerate(steps)]
    matrix = np.stack(columns, axis=1)
    return np.asarray(0.5 * (matrix + matrix.T))


def _moved(x: Vector, i: int, step: float) -> Vector:
    moved = x.copy()
    moved[i] += step
    return moved
