"""Linearly dependent gradients: which rows are combinations of which others, with the coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from lagrange.kkt.null_space import RANK_TOLERANCE, RangeNullSpace
from lagrange.model.named_pytree import Vector

NEGLIGIBLE = 1e-8  # coefficients of a combination below this are rounding
PIVOT = 0.1  # share of the largest entry that is large enough to solve for


@dataclass(frozen=True)
class Combination:
    """a_row = sum of coefficients[i] a_i over other rows; no coefficients where a_row is zero."""

    row: int
    coefficients: dict[int, float]


def dependent_rows(A: Vector, tolerance: float = RANK_TOLERANCE) -> list[Combination]:
    """The rows of A (m, n) that are combinations of others: zero rows first, later rows rather than earlier ones.

    Rows are compared after division by their norm, so a dependence does not hide behind units; `tolerance` is
    relative to that.

    Examples
    --------
    >>> import numpy as np
    >>> dependent_rows(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, -1.0]]))
    [Combination(row=2, coefficients={0: 2.0, 1: -1.0})]
    """
    norms = np.linalg.norm(A, axis=1)
    found = [Combination(i, {}) for i in np.flatnonzero(norms == 0.0).tolist()]
    kept = np.flatnonzero(norms > 0.0)
    if not kept.size:
        return found
    unit = A[kept] / norms[kept, None]
    basis = RangeNullSpace(unit, tolerance)
    rank = basis.rank
    if rank == kept.size:
        return found
    # A' P = Q [R11 R12]:  the dependent rows are R11^-1 R12 combinations of the independent ones.
    projected = basis.Y.T @ unit.T
    independent, dependent = basis.pivots[:rank], basis.pivots[rank:]
    null = np.zeros((dependent.size, kept.size))
    null[np.arange(dependent.size), dependent] = 1.0
    null[:, independent] = -solve_triangular(projected[:, independent], projected[:, dependent]).T
    for row, column in zip(*_later_by_earlier(null), strict=True):
        partners = np.flatnonzero(np.abs(row) > NEGLIGIBLE)
        found.append(
            Combination(
                int(kept[column]),
                {int(kept[i]): float(-row[i] * norms[kept[column]] / norms[kept[i]]) for i in partners if i != column},
            )
        )
    return found


def dependent_groups(A: Vector, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of rows of A (m, n) that are linearly dependent: a row, then those it is a combination of.

    Examples
    --------
    >>> import numpy as np
    >>> dependent_groups(np.array([[1.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), ["budget", "floor", "budget again"])
    [('budget again', 'budget')]
    """
    return [(names[item.row], *(names[i] for i in item.coefficients)) for item in dependent_rows(A)]


def _later_by_earlier(null: Vector) -> tuple[Vector, list[int]]:
    """The rows of `null`, combinations of rows that vanish, each solved for one row as late as rounding allows."""
    null, columns = null.copy(), []
    for step in range(len(null)):
        sizes = np.abs(null[step:]).max(axis=0)
        column = int(np.flatnonzero(sizes >= PIVOT * sizes.max())[-1])
        largest = step + int(np.abs(null[step:, column]).argmax())
        null[[step, largest]] = null[[largest, step]]
        null[step] /= null[step, column]
        others = np.arange(len(null)) != step
        null[others] -= np.outer(null[others, column], null[step])
        null[others, column] = 0.0
        columns.append(column)
    order = np.argsort(columns)
    return null[order], sorted(columns)
