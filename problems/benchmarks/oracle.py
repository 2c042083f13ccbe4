"""The functions of one problem as every solver gets them: compiled once, cached and clocked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

import numpy as np

from lagrange.derivatives.automatic import CompiledFunctions
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from problems.collection import Array, BenchmarkProblem

P = ParamSpec("P")
T = TypeVar("T")


class Clock:
    """Seconds inside functions: of wall time, and of CPU time of the calling thread.

    The CPU time of the process would be wrong here: XLA's worker threads go on spinning for a while after a
    function has returned, and that belongs to no solver.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again from zero."""
        self.wall = 0.0
        self.cpu = 0.0

    def timed(self, function: Callable[P, T]) -> Callable[P, T]:
        """The same function, its seconds added to this clock."""

        def clocked(*args: P.args, **kwargs: P.kwargs) -> T:
            wall, cpu = time.perf_counter(), time.process_time()
            result = function(*args, **kwargs)
            self.cpu += time.process_time() - cpu
            self.wall += time.perf_counter() - wall
            return result

        return clocked


class Oracle:
    """f, c and their exact derivatives, from the compiled functions that `lagrange` itself calls.

    Questions at the same x cost one compiled call, for values and for first derivatives each.

    Raises
    ------
    ValueError
        If JAX cannot follow the problem: a comparison on finite differences would say nothing.
    """

    def __init__(self, record: BenchmarkProblem) -> None:
        self.record = record
        self.clock = Clock()
        self.derivatives, _, p = record.problem().prepare(record.x0)
        if self.derivatives.compiled is None or self.derivatives.blocks:
            raise ValueError(f"{record.name} has functions that JAX cannot follow")
        self._compiled: CompiledFunctions = self.derivatives.compiled
        self._evaluation = Evaluation(self.derivatives, p)
        self._weights = np.ones(1 + record.m)
        self.start()

    def start(self) -> None:
        """Forget everything: counts, seconds, cached values."""
        self.clock.reset()
        self._evaluation.value_calls = 0
        self._values_at = self._first_at = b""
        self._values = self._jacobian = np.empty(0)

    @property
    def evaluations(self) -> int:
        """At how many points, one after another, F = (f, c) was evaluated."""
        return self._evaluation.value_calls

    def clocked_derivatives(self) -> Derivatives:
        """For `lagrange`: the same compiled functions, not cached, their seconds on this clock."""
        timed = self.clock.timed
        compiled = CompiledFunctions(timed(self._compiled.values), timed(self._compiled.derivatives))
        return replace(self.derivatives, compiled=compiled)

    def objective(self, x: Array) -> float:
        """f(x)."""
        return float(self._value(x)[0])

    def constraints(self, x: Array) -> Array:
        """c(x), shape (m,)."""
        return self._value(x)[1:]

    def gradient(self, x: Array) -> Array:
        """grad f(x), shape (n,)."""
        row: Array = self._first(x)[0]
        return row

    def jacobian(self, x: Array) -> Array:
        """The Jacobian of c, shape (m, n)."""
        return self._first(x)[1:]

    def hessian(self, x: Array, sigma: float, y: Array) -> Array:
        """The Hessian of sigma f + y . c, shape (n, n)."""
        self._weights = np.concatenate([[sigma], y])
        return self._both(x)

    def _value(self, x: Array) -> Array:
        key = x.tobytes()
        if key != self._values_at:
            self._values, self._values_at = self._evaluation.values(x.copy()), key
        return self._values

    def _first(self, x: Array) -> Array:
        if x.tobytes() != self._first_at:
            self._both(x)
        return self._jacobian

    def _both(self, x: Array) -> Array:
        hessian: Array
        self._jacobian, hessian = self._evaluation.derivatives(x.copy(), self._weights)
        self._first_at = x.tobytes()
        return hessian
