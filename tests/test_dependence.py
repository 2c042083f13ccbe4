"""Dependent rows by name: every group is a true combination, and leaving out their first rows leaves full rank."""

from __future__ import annotations

import numpy as np
import pytest

from lagrange.kkt.dependence import dependent_groups
from lagrange.model.named_pytree import Vector

NAMES = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("A", "groups"),
    [
        (np.eye(3), []),
        (np.empty((0, 3)), []),
        (np.array([[1.0, 1.0], [0.0, 0.0]]), [("b",)]),
        (np.zeros((2, 2)), [("a",), ("b",)]),
        (np.array([[1.0, 1.0], [0.0, 1.0], [2.0, 2.0], [0.0, 0.0]]), [("d",), ("c", "a")]),
        (np.array([[1.0, 0.0, 0.0], [1e9, 1e9, 0.0], [0.0, 1e-9, 0.0]]), None),
    ],
)
def test_small_cases(A: Vector, groups: list[tuple[str, ...]] | None) -> None:
    found = dependent_groups(A, NAMES)
    if groups is None:  # a + c ~ b: any of the three may be named first
        (group,) = found
        assert set(group) == {"a", "b", "c"}
    else:
        assert [set(group) for group in found] == [set(group) for group in groups]


def test_rows_that_have_no_part_in_it_are_not_named() -> None:
    A = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    (group,) = dependent_groups(A, NAMES)
    assert set(group) == {"a", "b", "c"}


def test_more_rows_than_variables() -> None:
    A = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]])
    (group,) = dependent_groups(A, NAMES)
    assert set(group) == {"a", "b", "c"}


def test_almost_dependent_is_independent() -> None:
    assert dependent_groups(np.array([[1.0, 1.0], [1.0, 1.0 + 1e-7]]), NAMES) == []


@pytest.mark.parametrize("seed", range(20))
def test_random_dependence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, n, rank = 5, int(rng.integers(3, 7)), int(rng.integers(1, 4))
    rank = min(rank, n)
    A = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, n))
    A *= 10.0 ** rng.uniform(-6, 6, (rows, 1))  # units
    groups = dependent_groups(A, NAMES)
    assert len(groups) == rows - rank
    unit = A / np.linalg.norm(A, axis=1)[:, None]
    dependent = [NAMES.index(first) for first, *_ in groups]
    assert np.linalg.matrix_rank(np.delete(unit, dependent, axis=0)) == rank
    for first, *others in groups:
        partners = [NAMES.index(name) for name in others]
        assert not set(partners) & set(dependent)
        combination, *_ = np.linalg.lstsq(unit[partners].T, unit[NAMES.index(first)], rcond=None)
        np.testing.assert_allclose(unit[partners].T @ combination, unit[NAMES.index(first)], atol=1e-7)
        assert (np.abs(combination) > 1e-9).all()
