"""Points where no Lagrange multiplier exists: the Fritz John test.

    lambda_0 grad f + A'lambda = 0,  lambda >= 0 on inequalities,  not all zero

always has a solution at a local minimum. Where lambda_0 can only be zero, the gradients of the active
constraints cancel among themselves and cannot balance the objective (John 1948). A solver sees multipliers that
grow without limit; this test tells that case from multipliers that are merely large.
"""

from __future__ import annotations

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.model.named_pytree import Vector

LARGE_MULTIPLIER = 1e3  # multipliers above this, per unit of gradient, raise the question
BOUNDED_SHARE = 1e-2  # multipliers limited to this share of those found must leave a residual ...
UNBALANCED = 1e-2  # ... of at least this, relative to the gradient


def without_multipliers(gradient: Vector, A: Vector, multipliers: Vector, equality: Vector, row_sizes: Vector) -> bool:
    """True where only unbounded multipliers can balance the gradient.

    Parameters
    ----------
    gradient : (n,) gradient of the objective at the point
    A : (rows, n) gradients of the active constraints, turned so that multipliers of inequalities are >= 0
    multipliers : (rows,) multipliers found
    equality : (rows,) True where the multiplier may have any sign
    row_sizes : (rows,) typical size of each row's gradient in the solve, against which it may have vanished

    Examples
    --------
    HS13: at (1, 0) the cubic constraint and the bound x1 >= 0 have opposite gradients.

    >>> import numpy as np
    >>> without_multipliers(np.array([-2.0, 0.0]), np.array([[2e-5, 1.0], [0.0, -1.0]]),
    ...                     np.array([1e5, 1e5]), np.array([False, False]), np.ones(2))
    True
    """
    size = np.abs(gradient).max(initial=0.0)
    sizes = np.maximum(row_sizes, np.abs(A).max(axis=1, initial=0.0))
    if not A.shape[0] or size == 0.0 or not (sizes > 0).all():
        return False
    relative = np.abs(multipliers) * sizes / size
    largest = relative.max()
    if not np.isfinite(A).all() or largest < LARGE_MULTIPLIER:
        return False
    limit = BOUNDED_SHARE * largest
    low = np.where(equality, -limit, 0.0)
    fit = scipy.optimize.lsq_linear((A / sizes[:, None]).T, -gradient / size, (low, np.full(low.size, limit)))
    return bool(np.sqrt(2.0 * fit.cost) > UNBALANCED)
