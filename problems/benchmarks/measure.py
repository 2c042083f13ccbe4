"""One problem through every solver: verdicts first, then timed runs, the solvers taking turns."""

from __future__ import annotations

import gc
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from statistics import median

import numpy as np

from problems.benchmarks.answer import Answer, Run
from problems.benchmarks.check import Check, check
from problems.benchmarks.oracle import Oracle
from problems.benchmarks.peers import SOLVERS
from problems.collection import BenchmarkProblem

PASS = 1e-6
"""Feasibility and stationarity of a solution."""
TIGHT = 1e-8
CLOSE = 1e-3
"""A success that was claimed too early passes here, one that is wrong does not."""
RUNS = 5
SECONDS = 3.0
"""Fewer than `RUNS` timed runs where one solve is so slow that they would take longer than this."""


class Verdict(Enum):
    """The solver's claim and the independent check, taken together."""

    SOLVED = "solved"
    FALSE_SUCCESS = "false success"
    RECOGNISED = "recognised"
    """The solver says that the problem has no multiplier at its solution, and finds no other fault."""
    FAILED = "failed"


@dataclass(frozen=True)
class Overhead:
    """Seconds of a whole solve call less the seconds inside functions: medians over the runs."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Outcome:
    """One solver on one problem."""

    verdict: Verdict
    iterations: int
    evaluations: int
    overhead: Overhead
    tight: bool
    """Solved, and the check passes at `TIGHT` too."""
    close: bool
    """A false success that passes the check at `CLOSE`."""
    unclaimed: bool
    """Failed, though x passes the check at `PASS`: the solver does not know that it has the answer."""
    local: bool
    """Solved, but the objective is worse than the best known."""
    status: str


def measure(record: BenchmarkProblem, solvers: list[str], runs: int = RUNS) -> dict[str, Outcome]:
    """Outcomes by solver. Warnings of the solvers are not shown: their claims are what counts."""
    oracle = Oracle(record)
    prepared = {name: SOLVERS[name](oracle) for name in solvers}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        _warm_up(oracle)
        answers = {name: _answer(oracle, run) for name, run in prepared.items()}
        checks = {name: check(oracle, answer.x) for name, answer in answers.items()}
        overheads = _overheads(oracle, prepared, runs)
    return {name: _outcome(answers[name], checks[name], overheads[name]) for name in solvers}


def _outcome(answer: Answer, checked: Check, overhead: Overhead) -> Outcome:
    if answer.success:
        verdict = Verdict.SOLVED if checked.passes(PASS) else Verdict.FALSE_SUCCESS
    else:
        verdict = Verdict.RECOGNISED if answer.no_multiplier else Verdict.FAILED
    solved = verdict is Verdict.SOLVED
    return Outcome(
        verdict,
        answer.iterations,
        answer.evaluations,
        overhead,
        tight=solved and checked.passes(TIGHT),
        close=verdict is Verdict.FALSE_SUCCESS and checked.passes(CLOSE),
        unclaimed=verdict is Verdict.FAILED and checked.passes(PASS),
        local=solved and checked.local,
        status=answer.status,
    )


def _warm_up(oracle: Oracle) -> None:
    """Compile before anything is timed."""
    x, y = oracle.record.x0, np.zeros(oracle.record.m)
    oracle.objective(x)
    oracle.hessian(x, 1.0, y)


def _answer(oracle: Oracle, run: Run) -> Answer:
    oracle.start()
    try:
        return run()
    except Exception as error:  # an exception is one way to fail
        return Answer(oracle.record.x0, False, False, 0, oracle.evaluations, f"{type(error).__name__}: {error}")


def _overheads(oracle: Oracle, prepared: dict[str, Run], runs: int) -> dict[str, Overhead]:
    samples: dict[str, list[Overhead]] = {name: [] for name in prepared}
    spent = dict.fromkeys(prepared, 0.0)
    gc.collect()
    gc.disable()  # a collection walks all of JAX and would hit one solver by chance
    try:
        for _ in range(runs):
            for name, run in prepared.items():
                if spent[name] < SECONDS:
                    sample, seconds = _timed(oracle, run)
                    samples[name].append(sample)
                    spent[name] += seconds
    finally:
        gc.enable()
    return {
        name: Overhead(median(sample.cpu for sample in taken), median(sample.wall for sample in taken))
        for name, taken in samples.items()
    }


def _timed(oracle: Oracle, run: Run) -> tuple[Overhead, float]:
    oracle.start()
    wall, cpu = time.perf_counter(), time.process_time()
    with suppress(Exception):  # the untimed run has reported it
        run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Overhead(cpu - oracle.clock.cpu, wall - oracle.clock.wall), wall
