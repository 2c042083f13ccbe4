"""The filter: what it forbids, by how much, and what it forgets."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lagrange.newton.filter import PHI_MARGIN, THETA_MARGIN, Filter

POINTS = st.tuples(st.floats(0.0, 10.0), st.floats(-10.0, 10.0))


def test_an_empty_filter_accepts_up_to_its_largest_infeasibility() -> None:
    filter = Filter(theta_max=10.0)
    assert filter.accepts(10.0, 1e30)
    assert not filter.accepts(10.1, -1e30)


def test_the_corner_and_its_margins() -> None:
    filter = Filter(theta_max=10.0)
    filter.add(2.0, 5.0)
    theta, phi = 2.0 * (1.0 - THETA_MARGIN), 5.0 - 2.0 * PHI_MARGIN
    assert not filter.accepts(2.0, 5.0)
    assert not filter.accepts(theta, phi)  # on the corner: no improvement
    assert filter.accepts(theta - 1e-12, 1e30)
    assert filter.accepts(9.0, phi - 1e-12)
    # Better, but by less than the margins.
    assert not filter.accepts(2.0 - 1e-6 * THETA_MARGIN, 5.0 - 1e-6 * PHI_MARGIN)


def test_a_point_must_pass_every_entry() -> None:
    filter = Filter(theta_max=10.0)
    filter.add(1.0, 8.0)
    filter.add(4.0, 2.0)
    assert filter.accepts(2.0, 7.0) and filter.accepts(0.5, 9.0) and filter.accepts(5.0, 1.0)
    assert not filter.accepts(1.5, 9.0) and not filter.accepts(5.0, 3.0)


def test_a_feasible_entry_blocks_every_other_point_that_is_no_lower() -> None:
    filter = Filter(theta_max=10.0)
    filter.add(0.0, 3.0)
    assert not filter.accepts(0.0, 3.0)
    assert filter.accepts(1.0, 2.9)


def test_clear() -> None:
    filter = Filter(theta_max=10.0)
    filter.add(1.0, 1.0)
    filter.clear()
    assert filter.accepts(5.0, 5.0) and not filter.accepts(11.0, 0.0)


def test_filters_do_not_share_entries() -> None:
    Filter(theta_max=1.0).add(0.1, 0.1)
    assert Filter(theta_max=1.0).entries == []


def test_nan_is_not_accepted() -> None:
    filter = Filter(theta_max=10.0)
    filter.add(1.0, 1.0)
    assert not filter.accepts(np.nan, np.nan) and not filter.accepts(np.nan, 2.0) and not filter.accepts(2.0, np.nan)


@given(st.lists(POINTS, max_size=8), POINTS)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_dropping_covered_entries_changes_nothing(
    entries: list[tuple[float, float]], point: tuple[float, float]
) -> None:
    filter = Filter(theta_max=20.0)
    for entry in entries:
        filter.add(*entry)
    expected = all(
        point[0] < (1.0 - THETA_MARGIN) * theta or point[1] < phi - PHI_MARGIN * theta for theta, phi in entries
    )
    assert filter.accepts(*point) == expected


def test_entries_that_a_new_one_covers_are_dropped() -> None:
    filter = Filter(theta_max=20.0)
    for entry in ((3.0, 3.0), (1.0, 9.0), (2.0, 2.0)):
        filter.add(*entry)
    assert len(filter.entries) == 2


@given(st.lists(POINTS, min_size=1, max_size=8))
@settings(derandomize=True, deadline=None, max_examples=50)
def test_an_added_point_is_forbidden_for_good(entries: list[tuple[float, float]]) -> None:
    filter = Filter(theta_max=20.0)
    for entry in entries:
        filter.add(*entry)
    assert not any(filter.accepts(*entry) for entry in entries)
