"""Reductions of small vectors, through BLAS and argmax.

A solve of a small problem is a few hundred array operations. NumPy's `max`, `sum` and `norm` cost one to two
microseconds each on a handful of numbers, ten times what these cost; on long vectors there is no difference.
"""

from __future__ import annotations

import math

from scipy.linalg.blas import dasum, idamax

from lagrange.model.named_pytree import Vector


def largest(vector: Vector) -> float:
    """max |v_i|; 0 for an empty vector.

    Examples
    --------
    >>> import numpy as np
    >>> largest(np.array([1.0, -3.0])), largest(np.empty(0))
    (3.0, 0.0)
    """
    return abs(float(vector[idamax(vector)])) if vector.size else 0.0


def total(vector: Vector) -> float:
    """sum |v_i|; nan or infinite where an entry is."""
    return float(dasum(vector)) if vector.size else 0.0


def lowest(vector: Vector, empty: float = math.inf) -> float:
    """min v_i, nan where an entry is; `empty` for an empty vector."""
    return float(vector[vector.argmin()]) if vector.size else empty


def highest(vector: Vector, empty: float = -math.inf) -> float:
    """max v_i, nan where an entry is; `empty` for an empty vector."""
    return float(vector[vector.argmax()]) if vector.size else empty


def finite(*arrays: Vector) -> bool:
    """True where no entry is infinite or nan.

    Examples
    --------
    >>> import numpy as np
    >>> finite(np.ones((2, 2)), np.array([1.0, np.nan]))
    False
    """
    return math.isfinite(sum(total(array.ravel()) for array in arrays))
