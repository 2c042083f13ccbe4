"""The KKT residuals, each by hand: what success is decided on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lagrange.kkt.residuals import Residuals, kkt_residuals

INF = np.inf
PERFECT = Residuals(0.0, 0.0, 0.0, 1.0, 0.0, 1.0)


def residuals(**changes: Any) -> Residuals:
    """At x = (1, 2) with one row c = 3: f = 10, gradient (4, 0), J = (1, 2), everything free; with changes."""
    given: dict[str, Any] = dict(
        f=10.0, c=[3.0], gradient=[4.0, 0.0], jacobian=[[1.0, 2.0]], x=[1.0, 2.0], y=[0.0], z=[0.0, 0.0],
        lower=[-INF, -INF], upper=[INF, INF], lo=[-INF], hi=[INF],
    )  # fmt: skip
    given.update(changes)
    arrays = {name: np.asarray(value) for name, value in given.items() if name != "f"}
    return kkt_residuals(
        given["f"], arrays["c"], arrays["gradient"], arrays["jacobian"], arrays["x"], arrays["y"], arrays["z"],
        (arrays["lower"], arrays["upper"]), (arrays["lo"], arrays["hi"]),
    )  # fmt: skip


def test_stationarity_is_the_largest_entry_of_the_lagrangian_s_gradient() -> None:
    assert residuals().stationarity == 4.0
    assert residuals(y=[-1.0]).stationarity == 3.0  # (4 - 1, -2)
    assert residuals(y=[-1.0], z=[-3.0, 2.5]).stationarity == 0.5
    assert residuals(y=[-1.0], z=[-3.0, 2.0]).stationarity == 0.0


def test_the_scale_of_stationarity_is_the_largest_sum_of_terms() -> None:
    assert residuals(y=[-1.0], z=[-3.0, 2.0]).stationarity_scale == 8.0  # |4| + |1| + |3|
    assert residuals(gradient=[0.1, 0.0]).stationarity_scale == 1.0


@pytest.mark.parametrize(
    ("changes", "violation", "relative"),
    [
        (dict(lo=[3.0], hi=[3.0]), 0.0, 0.0),
        (dict(lo=[2.0], hi=[5.0]), 0.0, 0.0),
        (dict(lo=[5.0], hi=[7.0]), 2.0, 0.4),
        (dict(lo=[-7.0], hi=[-2.0]), 5.0, 2.5),
        (dict(lo=[3.5]), 0.5, 0.5 / 3.5),
        (dict(hi=[0.5]), 2.5, 2.5),  # |side| < 1 counts as 1
        (dict(lower=[4.0, -INF]), 3.0, 0.75),
        (dict(upper=[INF, 1.5]), 0.5, 0.5 / 1.5),
        (dict(lower=[4.0, -INF], hi=[2.0]), 3.0, 0.75),
    ],
)
def test_feasibility(changes: dict[str, Any], violation: float, relative: float) -> None:
    found = residuals(**changes)
    assert found.feasibility == pytest.approx(violation)
    assert found.relative_feasibility == pytest.approx(relative)


def test_the_largest_and_the_largest_relative_violation_may_be_of_different_rows() -> None:
    found = residuals(lower=[101.0, -INF], hi=[1.0])
    assert found.feasibility == 100.0 and found.relative_feasibility == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("changes", "product"),
    [
        (dict(y=[2.0], hi=[3.0]), 0.0),  # active upper side
        (dict(y=[-2.0], lo=[3.0]), 0.0),  # active lower side
        (dict(y=[2.0], hi=[3.5]), 1.0),
        (dict(y=[-2.0], lo=[2.5], hi=[3.0]), 1.0),  # the sign says which side is meant
        (dict(y=[2.0], lo=[3.0]), 2.0),  # no upper side: the multiplier itself is wrong
        (dict(y=[-2.0], hi=[3.0]), 2.0),
        (dict(y=[2.0], lo=[3.0], hi=[3.0]), 0.0),  # an equality takes either sign
        (dict(y=[-2.0], lo=[3.0], hi=[3.0]), 0.0),
        (dict(z=[-3.0, 0.0], lower=[1.0, -INF]), 0.0),
        (dict(z=[-3.0, 0.0], lower=[0.5, -INF]), 1.5),
        (dict(z=[0.0, 3.0]), 3.0),
        (dict(y=[0.0], lo=[-1e300], hi=[1e300]), 0.0),
    ],
)
def test_complementarity(changes: dict[str, Any], product: float) -> None:
    assert residuals(**changes).complementarity == pytest.approx(product)


def test_the_scale_of_complementarity_is_that_of_the_objective() -> None:
    assert residuals().complementarity_scale == 10.0
    assert residuals(f=-1e6).complementarity_scale == 1e6
    assert residuals(f=0.0).complementarity_scale == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        dict(stationarity=2e-8),
        dict(relative_feasibility=2e-8),
        dict(complementarity=2e-8),
        dict(stationarity=np.nan),
        dict(relative_feasibility=np.nan),
        dict(complementarity=np.nan),
        dict(stationarity=np.inf),
    ],
)
def test_one_residual_above_the_tolerance_is_enough(changes: dict[str, float]) -> None:
    assert PERFECT.within(1e-8)
    assert not replace(PERFECT, **changes).within(1e-8)


def test_the_tolerance_is_relative_to_the_scales() -> None:
    assert replace(PERFECT, stationarity=5e-6, stationarity_scale=1e3).within(1e-8)
    assert replace(PERFECT, complementarity=5e-6, complementarity_scale=1e3).within(1e-8)
    assert replace(PERFECT, stationarity=3e-8, complementarity=4e-8).relative == 4e-8


@pytest.mark.parametrize("where", ["f", "c", "gradient", "jacobian", "x", "y", "z"])
def test_nan_anywhere_is_never_within_the_tolerance(where: str) -> None:
    sound = dict(gradient=[0.0, 0.0], jacobian=[[0.0, 0.0]], lo=[0.0], hi=[9.0], lower=[0.0, 0.0], upper=[9.0, 9.0])
    assert residuals(**sound).within(1e-8)
    bad = {"f": np.nan, "c": [np.nan], "y": [np.nan], "jacobian": [[np.nan, 0.0]]}.get(where, [np.nan, 0.0])
    assert not residuals(**{**sound, where: bad}).within(1e-8)


def test_nothing_to_violate() -> None:
    empty = np.empty(0)
    found = kkt_residuals(
        0.0, empty, np.zeros(1), np.empty((0, 1)), np.ones(1), empty, np.zeros(1),
        (np.array([-INF]), np.array([INF])), (empty, empty),
    )  # fmt: skip
    assert found == PERFECT
