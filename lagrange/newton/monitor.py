"""Keeps count while a solve runs: history, limits, progress lines, the user's callback, the best point."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lagrange.model.named_pytree import Vector
from lagrange.model.settings import Settings
from lagrange.model.status import StopReason

HEADER = (
    f"{'iter':>5}  {'phase':11} {'objective':>12} {'infeasible':>12} {'stationarity':>13} "
    f"{'mu':>8} {'delta':>8} {'step':>8}"
)
LINES_PER_HEADER = 20


@dataclass(frozen=True)
class IterationRecord:
    """One line of the history, in the user's units except for the residuals of the scaled problem.

    `step` is the fraction of the Newton step taken, `delta` the regularization of the reduced Hessian.
    """

    iteration: int
    phase: str
    x: Vector
    objective: float
    infeasibility: float
    stationarity: float
    mu: float
    delta: float
    step: float


class Monitor:
    """Counts iterations and decides when to stop; `stop` holds the reason once there is one."""

    def __init__(
        self, settings: Settings, show: Callable[[str], None], callback: Callable[[IterationRecord], object] | None
    ) -> None:
        self.settings = settings
        self.history: list[IterationRecord] = []
        self.stop: StopReason | None = None
        self.started = time.perf_counter()
        self._show = show
        self._callback = callback

    @property
    def iterations(self) -> int:
        """Newton systems solved so far."""
        return len(self.history)

    def record(
        self,
        phase: str,
        x: Vector,
        objective: float,
        infeasibility: float,
        stationarity: float,
        mu: float = 0.0,
        delta: float = 0.0,
        step: float = 1.0,
    ) -> bool:
        """Note one completed iteration; False where the solve must stop now."""
        entry = IterationRecord(
            len(self.history) + 1, phase, x, objective, infeasibility, stationarity, mu, delta, step
        )
        self.history.append(entry)
        settings = self.settings
        if settings.verbose and entry.iteration % settings.verbose == 0:
            self._print(entry)
        if self._callback is not None and self._callback(entry):
            self.stop = StopReason.STOPPED_BY_USER
        elif entry.iteration >= settings.max_iterations:
            self.stop = StopReason.ITERATION_LIMIT
        elif settings.time_limit is not None and time.perf_counter() - self.started > settings.time_limit:
            self.stop = StopReason.TIME_LIMIT
        return self.stop is None

    def _print(self, entry: IterationRecord) -> None:
        if (entry.iteration // self.settings.verbose - 1) % LINES_PER_HEADER == 0:
            self._show(HEADER)
        self._show(
            f"{entry.iteration:5d}  {entry.phase:11} {entry.objective:12.5e} {entry.infeasibility:12.3e} "
            f"{entry.stationarity:13.3e} {entry.mu:8.1e} {entry.delta:8.1e} {entry.step:8.1e}"
        )
