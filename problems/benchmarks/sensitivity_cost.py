"""What dx/dp for 10 parameters costs beside the solve: the smooth Hock-Schittkowski problems, and a large one.

    python -m problems.benchmarks.sensitivity_cost

By hand; ratios of CPU time on one machine, medians of `REPEATS`, everything compiled. Five parameters weigh linear
terms of the objective, five shift the constraints.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable

import numpy as np

import lagrange as lg
from problems.collection import BenchmarkProblem
from problems.hock_schittkowski import PROBLEMS

PARAMETERS, REPEATS = 10, 9
LARGE = 300  # variables of the last problem
GROUPS = ((1, 4), (5, 9), (10, 19), (20, 1000))  # iterations of the solve


def with_ten_parameters(record: BenchmarkProblem) -> lg.Problem:
    """The problem with ten parameters that are zero where it is the one of the collection."""
    half = PARAMETERS // 2
    random = np.random.default_rng(0)
    tilt = random.normal(size=(half, record.x0.size))
    rows = {}
    if record.constraints is not None:
        constraints = record.constraints
        lift = random.normal(size=(half, record.constraint_lower.size))
        rows["c"] = lg.between(
            record.constraint_lower, lambda x, p: constraints(x) + p[half:] @ lift, record.constraint_upper
        )
    bounds = record.lower, record.upper
    return lg.Problem(lambda x, p: record.objective(x) + p[:half] @ (tilt @ x), rows, bounds)


def portfolio(n: int) -> tuple[lg.Problem, np.ndarray, np.ndarray]:
    """A seeded portfolio of n assets with a cap on concentration and ten factors: problem, start, parameters."""
    random = np.random.default_rng(0)
    factors = random.normal(size=(n, n))
    risk, loads = factors @ factors.T / n + 0.1 * np.eye(n), random.normal(size=(n, PARAMETERS))
    rows = {"budget": lg.equals(lambda x: x.sum(), 1.0), "cap": lg.at_most(lambda x: x @ x, 2.0)}
    problem = lg.Problem(
        lambda x, p: 0.5 * x @ risk @ x - (loads @ p) @ x + 0.01 * (x**4).sum(), rows, bounds=(0.0, 1.0)
    )
    return problem, np.full(n, 0.5), np.full(PARAMETERS, 0.3)


def cpu_seconds(action: Callable[[], object]) -> float:
    """Median CPU time of an action that has run before."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return statistics.median(times)


def _derivative(solution: lg.Solution) -> object:
    return solution.sensitivity().x


def main() -> None:
    """Print the ratios, by iterations of the solve."""
    found: list[tuple[int, float]] = []
    for name, record in PROBLEMS.items():
        if not record.smooth:
            continue
        problem, p = with_ten_parameters(record), np.zeros(PARAMETERS)
        solution = problem.solve(record.x0, p)
        if not solution.success or solution.sensitivity().kind != "smooth":
            continue
        _ = solution.sensitivity().x
        derivative = cpu_seconds(functools.partial(_derivative, solution))
        ratio = derivative / cpu_seconds(functools.partial(problem.solve, record.x0, p))
        found.append((solution.iterations, ratio))
        print(f"{name:<8}{solution.iterations:>5} iterations   dx/dp / solve {ratio:.2f}", flush=True)
    print()
    for low, high in GROUPS:
        ratios = [ratio for iterations, ratio in found if low <= iterations <= high]
        if ratios:
            print(
                f"{low} to {high} iterations: {len(ratios)} problems, median {statistics.median(ratios):.2f}, "
                f"below 0.2 in {sum(ratio < 0.2 for ratio in ratios)}"
            )
    problem, x0, p = portfolio(LARGE)
    solution = problem.solve(x0, p)
    _ = solution.sensitivity().x
    ratio = cpu_seconds(functools.partial(_derivative, solution)) / cpu_seconds(functools.partial(problem.solve, x0, p))
    print(f"a portfolio of {LARGE} assets: {solution.iterations} iterations, dx/dp / solve {ratio:.2f}")


if __name__ == "__main__":
    main()
