"""Inertia correction: no regularization where none is needed, enough where it is, and a memory of what was enough."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from lagrange.kkt.factorization import Factorization
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.newton.direction import FIRST_DELTA, FIRST_GROWTH, GROWTH, LARGEST_DELTA, SHRINK, InertiaCorrection


class Needs:
    """A factorization with the right inertia from one delta on, which remembers the deltas that were tried."""

    def __init__(self, enough: float) -> None:
        self.enough = enough
        self.tried: list[float] = []

    def regularize(self, delta: float) -> bool:
        self.tried.append(delta)
        return delta >= self.enough


def apply(inertia: InertiaCorrection, enough: float, smallest: float = 0.0) -> tuple[bool, list[float]]:
    needs = Needs(enough)
    return inertia.apply(cast(Factorization, needs), smallest), needs.tried


def test_the_unregularized_system_comes_first_and_leaves_no_memory() -> None:
    inertia = InertiaCorrection()
    assert apply(inertia, 0.0) == (True, [0.0])
    assert inertia.last == 0.0


def test_the_first_search_is_fast_and_the_next_starts_near_its_result() -> None:
    inertia = InertiaCorrection()
    done, tried = apply(inertia, 0.5)
    assert done and tried == pytest.approx(
        [0.0, FIRST_DELTA, FIRST_DELTA * FIRST_GROWTH, FIRST_DELTA * FIRST_GROWTH**2]
    )
    enough = tried[-1]
    assert inertia.last == enough
    done, tried = apply(inertia, 0.5)
    assert done and tried == pytest.approx([0.0, SHRINK * enough, SHRINK * enough * GROWTH])
    # It is forgotten slowly.
    apply(inertia, 0.0)
    assert inertia.last == tried[-1]


def test_a_smallest_delta_replaces_the_unregularized_system() -> None:
    assert apply(InertiaCorrection(), 0.0, smallest=1e-2) == (True, [1e-2])


def test_it_gives_up_where_no_delta_is_enough() -> None:
    inertia = InertiaCorrection()
    done, tried = apply(inertia, np.inf)
    assert not done and tried[-1] <= LARGEST_DELTA < tried[-1] * FIRST_GROWTH
    assert inertia.last == 0.0


def test_the_direction_of_a_corrected_system_leads_down() -> None:
    W, g = np.diag([2.0, -3.0]), np.array([0.5, 0.1])
    factorization = NullSpaceFactorization(W, None, np.empty((0, 2)), 0)
    assert InertiaCorrection().apply(factorization)
    assert factorization.delta > 3.0
    dx, _ = factorization.solve(-g, np.empty(0))
    assert g @ dx < 0.0


def test_a_matrix_that_is_not_finite_is_refused() -> None:
    factorization = NullSpaceFactorization(np.full((2, 2), np.nan), None, np.empty((0, 2)), 0)
    assert not InertiaCorrection().apply(factorization)
