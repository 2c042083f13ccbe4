"""Stop reasons and kinds of points: distinct labels, advice a person can act on, and what counts as a minimum."""

from __future__ import annotations

from enum import Enum

import pytest

from lagrange.model.status import PointKind, StopReason


@pytest.mark.parametrize("enumeration", [StopReason, PointKind])
def test_every_member_has_its_own_label_and_advice(enumeration: type[Enum]) -> None:
    members = list(enumeration)
    # Members of an Enum with equal values would be aliases, and missing here.
    assert len(members) == len(enumeration.__members__)
    assert len({member.label for member in members}) == len(members)
    assert len({member.advice for member in members}) == len(members)
    for member in members:
        assert member.label and not member.label.endswith(".")
        assert member.advice[0].isupper() and member.advice.endswith(".")


def test_the_members_are_those_of_the_design() -> None:
    assert set(StopReason.__members__) == {
        "CONVERGED", "ITERATION_LIMIT", "TIME_LIMIT", "STOPPED_BY_USER", "NOT_FINITE", "NO_PROGRESS",
    }  # fmt: skip
    assert set(PointKind.__members__) == {
        "STRICT_MINIMUM", "MINIMUM_NOT_STRICT", "SADDLE_OR_MAXIMUM", "FRITZ_JOHN", "INFEASIBLE_STATIONARY",
        "UNBOUNDED", "NOT_STATIONARY",
    }  # fmt: skip


def test_only_two_kinds_are_minima() -> None:
    assert {kind for kind in PointKind if kind.is_minimum} == {
        PointKind.STRICT_MINIMUM,
        PointKind.MINIMUM_NOT_STRICT,
    }
