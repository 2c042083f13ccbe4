"""What was measured, as Markdown: one line per solver, then one line per problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import geometric_mean, mean, median
from typing import TypeAlias

from problems.benchmarks.measure import Outcome, Verdict

Results: TypeAlias = Mapping[str, Mapping[str, Outcome]]
"""Outcomes by problem name, then by solver."""

REFERENCE = "ipopt"
"""The solver whose overhead is 1."""
EXAMPLE = "HS71"
"""The problem on which the overhead of one iteration is shown."""
MICRO = 1e6
MARKS = {
    Verdict.SOLVED: "",
    Verdict.FALSE_SUCCESS: " **false**",
    Verdict.RECOGNISED: " no multiplier",
    Verdict.FAILED: " **failed**",
}
HEADER = (
    "solver",
    "solved",
    "at 1e-8",
    "false successes",
    "close",
    "recognised",
    "failed",
    "unclaimed",
    "local",
    "iterations, median",
    "evaluations, mean",
    "overhead, CPU",
    "overhead, wall",
    "overhead, sums",
    f"{EXAMPLE}, µs/iteration",
)


def summary(results: Results, solvers: Sequence[str]) -> str:
    """One line per solver."""
    common = solved_by_all(results, solvers)
    rows = [_summary_row(results, solver, common) for solver in solvers]
    return markdown(HEADER, rows)


def solved_by_all(results: Results, solvers: Sequence[str]) -> list[str]:
    """The problems that every solver of the table solved, for counts that can be compared."""
    return [name for name, row in results.items() if all(_solved(row[solver]) for solver in solvers)]


def appendix(results: Results, solvers: Sequence[str]) -> str:
    """Iterations by problem and solver, with what went wrong."""
    rows = [[name, *(_cell(row[solver]) for solver in solvers)] for name, row in results.items()]
    return markdown(("problem", *solvers), rows)


def troubles(results: Results, solvers: Sequence[str]) -> str:
    """What each solver said where the problem was not solved."""
    rows = [
        [solver, name, row[solver].verdict.value, " ".join(row[solver].status.split())]
        for solver in solvers
        for name, row in results.items()
        if not _solved(row[solver])
    ]
    return markdown(("solver", "problem", "verdict", "the solver's own words"), rows)


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns.

    Examples
    --------
    >>> print(markdown(("solver", "n"), [("uno", "5")]))
    | solver | n |
    | ------ | - |
    | uno    | 5 |
    """
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def _summary_row(results: Results, solver: str, common: Sequence[str]) -> list[str]:
    outcomes = [row[solver] for row in results.values()]

    def count(verdict: Verdict) -> str:
        return str(sum(outcome.verdict is verdict for outcome in outcomes))

    shared = [results[name][solver] for name in common]
    return [
        solver,
        count(Verdict.SOLVED),
        str(sum(outcome.tight for outcome in outcomes)),
        count(Verdict.FALSE_SUCCESS),
        str(sum(outcome.close for outcome in outcomes)),
        count(Verdict.RECOGNISED),
        count(Verdict.FAILED),
        str(sum(outcome.unclaimed for outcome in outcomes)),
        str(sum(outcome.local for outcome in outcomes)),
        f"{median(outcome.iterations for outcome in shared):g}" if shared else "",
        f"{mean(outcome.evaluations for outcome in shared):.1f}" if shared else "",
        *_ratios(results, solver),
        _example(results, solver),
    ]


def _ratios(results: Results, solver: str) -> tuple[str, str, str]:
    """Overhead over the reference's where both solved: geometric means of CPU and wall, ratio of CPU sums."""
    pairs = [
        (row[solver].overhead, row[REFERENCE].overhead)
        for row in results.values()
        if REFERENCE in row and _solved(row[solver]) and _solved(row[REFERENCE])
    ]
    if not pairs:
        return "", "", ""
    cpu = geometric_mean([own.cpu / other.cpu for own, other in pairs])
    wall = geometric_mean([own.wall / other.wall for own, other in pairs])
    sums = sum(own.cpu for own, _ in pairs) / sum(other.cpu for _, other in pairs)
    return f"{cpu:.2f}", f"{wall:.2f}", f"{sums:.2f}"


def _example(results: Results, solver: str) -> str:
    if EXAMPLE not in results or not results[EXAMPLE][solver].iterations:
        return ""
    outcome = results[EXAMPLE][solver]
    return f"{MICRO * outcome.overhead.cpu / outcome.iterations:.0f}"


def _cell(outcome: Outcome) -> str:
    flags = {" close": outcome.close, " unclaimed": outcome.unclaimed, " local": outcome.local}
    mark = next((flag for flag, holds in flags.items() if holds), MARKS[outcome.verdict])
    return f"{outcome.iterations}{mark}"


def _solved(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.SOLVED
