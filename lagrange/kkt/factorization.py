"""The factorization of a KKT system: what the algorithm asks of linear algebra, dense or sparse.

    [ W + diag(sigma) + delta I   J'   ] [dv]   [r_v]
    [ J                         -gamma ] [dy] = [r_h]        v = (x, s),  J = [J_E 0; J_I -I]

Factor once, with delta raised until the matrix has the inertia of a minimum (as many positive eigenvalues as
variables); then solve many right-hand sides. `NullSpaceFactorization` is the dense one.
"""

from __future__ import annotations

from typing import Protocol

from lagrange.model.named_pytree import Vector


class Factorization(Protocol):
    """A factorized KKT system."""

    rank: int  # numerical rank of the equality Jacobian
    equalities: int  # number of its rows
    rank_margin: float  # smallest accepted pivot over the largest
    delta: float  # primal regularization in force

    def regularize(self, delta: float) -> bool:
        """Refactor with delta on the diagonal of x; True where the inertia is that of a minimum."""
        ...

    def solve(self, r_v: Vector, r_h: Vector) -> tuple[Vector, Vector]:
        """The solution (dv, dy), refined once; dy is zero on rows that depend on others."""
        ...
