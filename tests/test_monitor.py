"""The monitor: counts, limits, the callback, and lines that a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lagrange.model.settings import Settings
from lagrange.model.status import StopReason
from lagrange.newton.monitor import HEADER, LINES_PER_HEADER, IterationRecord, Monitor

X = np.array([1.0, 2.0])


def watch(
    callback: Callable[[IterationRecord], object] | None = None, lines: list[str] | None = None, **settings: Any
) -> Monitor:
    return Monitor(Settings(**settings), ([] if lines is None else lines).append, callback)


def record(monitor: Monitor, times: int = 1, phase: str = "barrier") -> bool:
    for _ in range(times):
        going_on = monitor.record(phase, X, 3.5, 1e-3, 1e-4, 0.1, 0.0, 0.5)
    return going_on


def test_every_iteration_is_kept_in_order() -> None:
    monitor = watch()
    assert record(monitor, 3)
    assert monitor.iterations == 3 and monitor.stop is None
    assert [entry.iteration for entry in monitor.history] == [1, 2, 3]
    assert monitor.history[0] == IterationRecord(1, "barrier", X, 3.5, 1e-3, 1e-4, 0.1, 0.0, 0.5)


def test_the_iteration_limit() -> None:
    monitor = watch(max_iterations=2)
    assert record(monitor)
    assert not record(monitor)
    assert monitor.stop is StopReason.ITERATION_LIMIT


def test_the_time_limit() -> None:
    monitor = watch(time_limit=1e-9)
    assert not record(monitor)
    assert monitor.stop is StopReason.TIME_LIMIT
    assert record(watch(time_limit=1e9))


@pytest.mark.parametrize(("answer", "stops"), [(True, True), (False, False), (None, False)])
def test_the_callback_sees_every_record_and_may_stop(answer: bool | None, stops: bool) -> None:
    seen: list[IterationRecord] = []

    def callback(entry: IterationRecord) -> bool | None:
        seen.append(entry)
        return answer

    monitor = watch(callback)
    assert record(monitor) is not stops
    assert seen == monitor.history
    assert monitor.stop is (StopReason.STOPPED_BY_USER if stops else None)


def test_the_user_s_stop_comes_before_the_limits() -> None:
    monitor = watch(lambda entry: True, max_iterations=1, time_limit=1e-9)
    record(monitor)
    assert monitor.stop is StopReason.STOPPED_BY_USER


def test_silent_by_default() -> None:
    lines: list[str] = []
    record(watch(lines=lines), 5)
    assert lines == []


@pytest.mark.parametrize(("verbose", "shown"), [(1, [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6]), (4, [4])])
def test_every_k_th_iteration_is_shown(verbose: int, shown: list[int]) -> None:
    lines: list[str] = []
    record(watch(lines=lines, verbose=verbose), 6)
    assert lines[0] == HEADER
    assert [int(line.split()[0]) for line in lines[1:]] == shown


def test_the_header_is_repeated() -> None:
    lines: list[str] = []
    record(watch(lines=lines, verbose=1), 2 * LINES_PER_HEADER)
    assert [i for i, line in enumerate(lines) if line == HEADER] == [0, LINES_PER_HEADER + 1]


@pytest.mark.parametrize("phase", ["barrier", "active set", "restoration"])
def test_numbers_stand_under_their_titles(phase: str) -> None:
    lines: list[str] = []
    record(watch(lines=lines, verbose=1), 1, phase)
    values = {"objective": "3.50000e+00", "infeasible": "1.000e-03", "mu": "1.0e-01", "step": "5.0e-01"}
    for title, value in values.items():
        assert lines[1][: HEADER.index(title) + len(title)].endswith(value)
    assert lines[1].split()[1] == phase.split()[0]
