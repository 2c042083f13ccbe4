"""The standard form: fixed variables out, free rows out, and every finite side one entry of the bound list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lagrange.model.named_pytree import Vector
from lagrange.model.standard_form import standard_form

INF = np.inf

LOWER = np.array([0.0, 5.0, -INF, -INF, -1.0])
UPPER = np.array([INF, 5.0, INF, 2.0, 3.0])
ROW_LOWER = np.array([-INF, 7.0, 1.0, -INF, -2.0])
ROW_UPPER = np.array([4.0, 7.0, INF, INF, 6.0])


def test_a_program_with_every_kind_of_side() -> None:
    form = standard_form(LOWER, UPPER, ROW_LOWER, ROW_UPPER)
    assert form.free.tolist() == [0, 2, 3, 4]  # x1 is fixed
    assert form.x_fixed.tolist() == [0.0, 5.0, 0.0, 0.0, 0.0]
    assert form.rows.tolist() == [1, 0, 2, 4]  # the equality first; row 3 has no side
    assert form.equalities == 1 and form.right_sides.tolist() == [7.0]
    assert (form.n, form.m, form.size) == (4, 4, 7)
    # v = (x0, x2, x3, x4, s of row 0, s of row 2, s of row 4)
    entries = sorted(zip(form.index.tolist(), form.sign.tolist(), form.bound.tolist(), strict=True))
    assert entries == [
        (0, 1.0, 0.0), (2, -1.0, 2.0), (3, -1.0, 3.0), (3, 1.0, -1.0),
        (4, -1.0, 4.0), (5, 1.0, 1.0), (6, -1.0, 6.0), (6, 1.0, -2.0),
    ]  # fmt: skip
    assert form.total_rows == 4 + 8


def test_limits_are_the_bounds_of_v() -> None:
    low, high = standard_form(LOWER, UPPER, ROW_LOWER, ROW_UPPER).limits()
    np.testing.assert_array_equal(low, [0.0, -INF, -INF, -1.0, -INF, 1.0, -2.0])
    np.testing.assert_array_equal(high, [INF, INF, 2.0, 3.0, 4.0, INF, 6.0])


def test_distances_are_positive_inside_and_negative_outside() -> None:
    form = standard_form(np.array([1.0]), np.array([4.0]), np.array([-INF]), np.array([10.0]))
    np.testing.assert_array_equal(sorted(form.distances(np.array([2.0, 7.0]))), [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(sorted(form.distances(np.array([0.5, 12.0]))), [-2.0, -0.5, 3.5])


def test_nothing_to_bound() -> None:
    form = standard_form(np.array([-INF]), np.array([INF]), np.empty(0), np.empty(0))
    assert (form.n, form.m, form.size, form.index.size, form.total_rows) == (1, 0, 1, 0, 0)
    assert form.distances(np.array([3.0])).size == 0
    scattered = form.scatter(np.empty(0))
    np.testing.assert_array_equal(scattered, np.zeros(1), strict=True)


def test_everything_fixed() -> None:
    form = standard_form(np.ones(2), np.ones(2), np.array([0.0]), np.array([3.0]))
    assert form.n == 0 and form.x_fixed.tolist() == [1.0, 1.0]
    assert form.size == 1


def test_within_bounds_moves_only_what_is_outside() -> None:
    form = standard_form(LOWER, UPPER, ROW_LOWER, ROW_UPPER)
    np.testing.assert_array_equal(form.within_bounds(np.array([-3.0, -30.0, 5.0, 1.0])), [0.0, -30.0, 2.0, 1.0])


def sides(size: int) -> st.SearchStrategy[tuple[Vector, Vector]]:
    """Pairs (lower, upper) of which some entries are infinite and some equal."""
    value = st.integers(-3, 3).map(float)
    pair = st.one_of(
        st.tuples(value, value).map(lambda two: (min(two), max(two))),
        value.map(lambda lower: (lower, INF)),
        value.map(lambda upper: (-INF, upper)),
        st.just((-INF, INF)),
    )
    return st.lists(pair, min_size=size, max_size=size).map(
        lambda pairs: (np.array([low for low, _ in pairs]), np.array([high for _, high in pairs]))
    )


@given(sides(3), sides(3), st.integers(0, 2**32 - 1))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_any_program(bounds: tuple[Vector, Vector], rows: tuple[Vector, Vector], seed: int) -> None:
    form = standard_form(*bounds, *rows)
    rng = np.random.default_rng(seed)
    # Feasible for the user is feasible for the standard form, and the reverse.
    x, c = rng.integers(-4, 5, 3).astype(float), rng.integers(-4, 5, 3).astype(float)
    if rng.random() < 0.7:  # a random point is rarely feasible
        x, c = np.clip(x, *bounds), np.clip(c, *rows)
    x[bounds[0] == bounds[1]] = bounds[0][bounds[0] == bounds[1]]
    v = np.concatenate([x[form.free], c[form.rows[form.equalities :]]])
    feasible = bool((form.distances(v) >= 0.0).all() and (c[form.rows[: form.equalities]] == form.right_sides).all())
    expected = all(((low <= values) & (values <= high)).all() for values, (low, high) in ((x, bounds), (c, rows)))
    assert feasible == expected
    # scatter is the transpose of the derivative of the distances.
    z, dv = rng.normal(size=form.index.size), rng.normal(size=form.size)
    change = form.distances(v + dv) - form.distances(v)
    assert form.scatter(z) @ dv == pytest.approx(z @ change, abs=1e-12)
    assert form.scatter(z).dtype == np.float64
