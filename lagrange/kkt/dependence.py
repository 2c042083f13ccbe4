"""Linearly dependent gradients, named: which rows are combinations of which others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve_triangular

from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Vector

NEGLIGIBLE = 1e-8  # coefficients of a combination below this are rounding


def dependent_groups(A: Vector, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of rows of A (m, n) that are linearly dependent: a row, then those it is a combination of.

    Rows are compared after division by their norm, so a dependence does not hide behind units.

    Examples
    --------
    >>> import numpy as np
    >>> dependent_groups(np.array([[1.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), ["budget", "floor", "budget again"])
    [('budget again', 'budget')]
    """
    norms = np.linalg.norm(A, axis=1)
    groups: list[tuple[str, ...]] = [(names[i],) for i in np.flatnonzero(norms == 0.0).tolist()]
    kept = np.flatnonzero(norms > 0.0)
    if not kept.size:
        return groups
    basis = RangeNullSpace(A[kept] / norms[kept, None])
    rank = basis.rank
    if rank == kept.size:
        return groups
    # A' P = Q [R11 R12]:  the dependent rows are R11^-1 R12 combinations of the independent ones.
    projected = basis.Y.T @ (A[kept] / norms[kept, None]).T
    independent, dependent = basis.pivots[:rank], basis.pivots[rank:]
    combination = solve_triangular(projected[:, independent], projected[:, dependent])
    for column, row in enumerate(kept[dependent].tolist()):
        partners = kept[independent[np.abs(combination[:, column]) > NEGLIGIBLE]]
        groups.append((names[row], *(names[i] for i in sorted(partners.tolist()))))
    return groups
