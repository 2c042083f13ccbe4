"""How well a least-squares fit determines its parameters: the covariance of the estimate.

    f(x) = sum of squared residuals,     Cov(x) = 2 s^2 Z (Z'WZ)^-1 Z',     s^2 = f / (N - degrees of freedom of x)

W is the Hessian of the Lagrangian (2 J'J for a linear model), Z the tangent space of the active constraints: what is
fixed by a constraint has no variance (Bard 1974, "Nonlinear Parameter Estimation", sections 7-5 and 7-9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.sensitivity.active_system import ActiveSystem


@dataclass(frozen=True)
class Covariance:
    """The covariance of fitted variables.

    Attributes
    ----------
    matrix : (n, n), in the order of the flat x;  correlation : (n, n), nan for fixed variables
    standard_errors : pytree like x
    variance : float
        s^2, of one residual.
    degrees_of_freedom : int
        N minus the dimension of the tangent space; 0 where the variance was given.
    """

    matrix: Vector
    correlation: Vector
    standard_errors: Any
    variance: float
    degrees_of_freedom: int


def covariance(system: ActiveSystem, observations: int | None, variance: float | None) -> Covariance:
    """The covariance at a solution that minimizes a sum of squared residuals.

    Parameters
    ----------
    observations : int or None
        Number N of residuals, to estimate their variance from the sum of squares.
    variance : float or None
        Their variance, where it is known. Exactly one of the two is given.

    Raises
    ------
    ValueError
    """
    if (observations is None) == (variance is None):
        raise ValueError("give exactly one of observations= (how many residuals) and variance= (of one residual)")
    if variance is not None and not 0.0 <= variance < np.inf:
        raise ValueError(f"variance must be a number that is not negative, got {variance}")
    result = system.result
    if result.program.sign < 0:
        raise ValueError("a least-squares fit minimizes the sum of squared residuals; this problem maximizes")
    Z = RangeNullSpace(system.active.unit, system.active.noise).Z
    freedom = 0
    if variance is None:
        assert observations is not None
        freedom = observations - Z.shape[1]
        if freedom <= 0:
            raise ValueError(f"{observations} observations leave no freedom to estimate a variance: give variance=")
        variance = result.objective / freedom
    matrix = 2.0 * variance * Z @ np.linalg.solve(Z.T @ system.at.W @ Z, Z.T)
    errors = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(np.outer(errors, errors) > 0.0, matrix / np.outer(errors, errors), np.nan)
    return Covariance(matrix, correlation, result.program.variables.tree(errors), float(variance), freedom)
