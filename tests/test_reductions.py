"""Reductions: what NumPy computes, on empty vectors and on values that are not finite too."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import finite, highest, largest, lowest, total

VECTORS = [
    np.array([2.0]),
    np.array([-0.0]),
    np.array([1.0, -3.0, 2.0]),
    np.array([-1.0, 4.0, -4.0]),
    np.arange(-20.0, 7.0),
    np.arange(12.0)[::-3],  # not contiguous
    np.arange(12.0).reshape(3, 4)[:, 1],
    np.array([1.0, -math.inf]),
]


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_reductions_agree_with_numpy(vector: Vector) -> None:
    assert largest(vector) == np.abs(vector).max()
    assert total(vector) == np.abs(vector).sum()
    assert lowest(vector) == vector.min()
    assert highest(vector) == vector.max()
    assert all(type(reduce(vector)) is float for reduce in (largest, total, lowest, highest))


def test_empty_vectors() -> None:
    empty = np.empty(0)
    assert largest(empty) == total(empty) == 0.0
    assert lowest(empty) == math.inf and lowest(empty, 3.0) == 3.0
    assert highest(empty) == -math.inf and highest(empty, 3.0) == 3.0
    assert finite() and finite(empty)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_entry_is_seen_wherever_it_is(bad: float, place: int) -> None:
    vector = np.ones(3)
    vector[place] = bad
    assert not finite(vector)
    assert not finite(np.ones(2), np.tile(vector, (2, 1)))
    assert not math.isfinite(total(vector))
    if math.isnan(bad):
        assert math.isnan(lowest(vector)) and math.isnan(highest(vector))
    else:
        assert largest(vector) == math.inf


def test_infinities_of_both_signs_do_not_cancel() -> None:
    assert not finite(np.array([math.inf, -math.inf]))


def test_matrices_of_either_order_are_finite() -> None:
    assert finite(np.eye(3), np.asfortranarray(np.eye(3)), np.eye(3)[:, ::2])


def test_large_entries_are_finite() -> None:
    assert finite(np.array([1e300, -1e300, 1e300]))
