"""Are the derivatives that the solver uses those of the functions? Asked by entry, answered in words.

First derivatives are compared with differences of values, second derivatives with differences of the
first, where those are right. Both are taken at x and at one seeded point nearby, where an error shows that
a zero or a symmetry of x hides. Differences come with error estimates (`difference_limits`), and only
disagreement beyond them counts: there is no absolute tolerance.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.derivative_mistakes import (
    Y_PROBE,
    Comparison,
    agrees,
    comparison,
    hessian_mistakes,
    jacobian_mistakes,
    unexplained,
)
from lagrange.derivatives.derivative_report import (
    OBJECTIVE,
    DerivativeReport,
    FunctionCheck,
    Kink,
    WrongDerivative,
    in_words,
)
from lagrange.derivatives.difference_limits import (
    SEED,
    Limits,
    jacobian_limits,
    kinks_of,
)
from lagrange.derivatives.evaluation import Derivatives
from lagrange.derivatives.inspection import (
    DIFFERENCES,
    REPORTED_ERRORS,
    SUPPLIED,
    derivative_sources,
    function_rows,
    nearby_point,
    not_finite,
    raised,
    user_functions,
    without_differences,
)
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Program

EXACT = (
    1e-6,
    1e-14,
)  # rounding relative to the entry and to its row, where derivatives are meant to be exact
ROUGH = (1e-5, 1e-8)  # disagreement that is usual for finite differences
# Second derivatives are looked at row by row up to these sizes; beyond, the rows of a function are added up.
MOST_ROWS, LARGEST_TENSOR = 200, 4_000_000


@dataclass(frozen=True)
class _Finding:
    """One function, one order of derivatives, one point."""

    entries: tuple[WrongDerivative, ...] = ()
    kinks: tuple[Kink, ...] = ()
    mistakes: tuple[str, ...] = ()
    undecided: int = 0
    judged: bool = True

    @property
    def clean(self) -> bool:
        """Judged, and nothing wrong."""
        return self.judged and not self.entries and not self.kinks

    @property
    def outcome(self) -> str:
        """A word or two for the table."""
        if not self.judged:
            return "not judged"
        if self.entries:
            return f"{len(self.entries)} wrong"
        if self.kinks:
            return "kink"
        return f"right ({self.undecided} undecided)" if self.undecided else "right"


@dataclass(frozen=True)
class _Part:
    """One function: its title, the names of its rows, their place in F, the sources of its derivatives."""

    title: str
    labels: Sequence[str]
    rows: slice
    source: tuple[str, str]

    @property
    def judged_twice(self) -> bool:
        """Whether differences of its first derivatives mean something."""
        return bool(self.labels) and self.source[0] != DIFFERENCES

    @property
    def probe(self) -> float:
        """The weight with which its second derivatives are asked for."""
        return Y_PROBE if self.rows.start > 0 and self.source[1] == SUPPLIED else 1.0

    def row_by_row(self, total: int) -> tuple[list[str], Vector]:
        """Its rows one by one, and the weights (rows, total) that select them."""
        return list(self.labels), np.eye(total)[self.rows]

    def added_up(self, total: int) -> tuple[list[str], Vector]:
        """One sum of its rows with seeded signs, and its weights (1, total)."""
        weights = np.zeros((1, total))
        weights[0, self.rows] = np.random.default_rng(SEED).choice([-1.0, 1.0], len(self.labels))
        return [f"y . {self.title}"], weights


NOT_JUDGED = _Finding(judged=False)


def check_derivatives(derivatives: Derivatives, x: Vector, p: Vector) -> DerivativeReport:
    """Compare the derivatives that the solver uses with differences, at x and at a point nearby.

    Parameters
    ----------
    derivatives, x, p
        As `Problem.prepare` returns them.

    Returns
    -------
    DerivativeReport
        Print it. Values that are not finite, shapes that do not fit and errors of arithmetic inside a
        function are findings in it; other exceptions of the user's functions come through.
    """
    program, sources = derivatives.program, derivative_sources(derivatives)
    try:
        obstacles = not_finite(derivatives, x, p)
    except REPORTED_ERRORS as error:
        obstacle = raised(error)
        unknown = [(NOT_JUDGED, NOT_JUDGED)] * len(sources)
        return _report(program, sources, unknown, (obstacle,), ())
    findings, unopened = _findings(derivatives, x, p, "")
    nearby = nearby_point(derivatives, x, p)
    if nearby is not None:
        there = _findings(derivatives, nearby, p, " (Seen at a point near x.)")[0]
        findings = [
            (_telling(first, first_there), _telling(second, second_there))
            for (first, second), (first_there, second_there) in zip(findings, there, strict=True)
        ]
    rest = (f"Something is wrong among {unopened} more variables, which were only moved together.",) if unopened else ()
    return _report(program, sources, findings, obstacles, rest)


def _report(
    program: Program,
    sources: Sequence[tuple[str, str]],
    findings: Sequence[tuple[_Finding, _Finding]],
    obstacles: tuple[str, ...],
    rest: tuple[str, ...],
) -> DerivativeReport:
    flat = [finding for pair in findings for finding in pair]
    kinks = tuple(kink for finding in flat for kink in finding.kinks)
    mistakes = [sentence for finding in flat for sentence in finding.mistakes]
    return DerivativeReport(
        functions=tuple(
            FunctionCheck(function.title, function.size, source, (first.outcome, second.outcome))
            for function, source, (first, second) in zip(program.functions, sources, findings, strict=True)
        ),
        entries=tuple(entry for finding in flat for entry in finding.entries),
        kinks=kinks,
        obstacles=obstacles,
        verdicts=(*obstacles, *mistakes, *rest, *(kink.sentence for kink in kinks)),
    )


def _telling(here: _Finding, nearby: _Finding) -> _Finding:
    """The finding that tells more: x itself, unless it hides the mistake or makes a longer story of it."""
    if here.kinks or not nearby.judged:
        return here
    at_x = here.judged and (not nearby.entries or (here.entries and len(here.mistakes) <= len(nearby.mistakes)))
    undecided = min(here.undecided, nearby.undecided) if here.judged else nearby.undecided
    return dataclasses.replace(here if at_x else nearby, kinks=(), undecided=undecided)


def _findings(
    derivatives: Derivatives, x: Vector, p: Vector, where: str
) -> tuple[list[tuple[_Finding, _Finding]], int]:
    """First and second order of every function at x, and the number of variables left unopened."""
    program, sources, rows = (
        derivatives.program,
        derivative_sources(derivatives),
        function_rows(derivatives.program),
    )
    labels = [OBJECTIVE, *program.row_names]
    parts = [
        _Part(function.title, labels[part], part, source)
        for function, part, source in zip(program.functions, rows, sources, strict=True)
    ]
    first, unopened = _first_order(derivatives, parts, x, p, where)
    second, more = _second_order(derivatives, parts, x, p, where, first)
    return list(zip(first, second, strict=True)), max(unopened, more)


def _first_order(
    derivatives: Derivatives, parts: Sequence[_Part], x: Vector, p: Vector, where: str
) -> tuple[list[_Finding], int]:
    functions, names = user_functions(derivatives, p), derivatives.program.variable_names
    widths = [math.prod(shape) for shape in derivatives.program.variables.shapes]
    given, sizes = functions.jacobian(x), _sizes(x)
    tolerances = [_tolerance(part.source[0]) for part in parts for _ in part.labels]
    limits = jacobian_limits(functions.values, x, given, _suspicion(tolerances))
    findings = []
    for part in parts:
        compared, jump = comparison(given, limits, part.rows, _tolerance(part.source[0]), sizes)
        sentences = (
            jacobian_mistakes(compared, part.title, in_words(part.labels), names, widths)
            if part.source[0] == SUPPLIED
            else unexplained(compared, part.title, [(name,) for name in names], part.source[0], "first")
        )
        findings.append(_finding(part, compared, jump, [(name,) for name in names], sentences, where))
    return findings, limits.unopened


def _second_order(
    derivatives: Derivatives,
    parts: Sequence[_Part],
    x: Vector,
    p: Vector,
    where: str,
    first: Sequence[_Finding],
) -> tuple[list[_Finding], int]:
    judged = [part for part, finding in zip(parts, first, strict=True) if finding.clean and part.judged_twice]
    if not judged:
        return [NOT_JUDGED] * len(parts), 0
    functions, names = user_functions(without_differences(derivatives), p), derivatives.program.variable_names
    n, total, sizes = len(names), derivatives.signs.size, _sizes(x)
    count = sum(len(part.labels) for part in judged)
    row_by_row = count <= MOST_ROWS and count * n * n <= LARGEST_TENSOR
    summed = [part.row_by_row(total) if row_by_row else part.added_up(total) for part in judged]
    weights = np.concatenate([rows for _, rows in summed])
    probes = np.repeat([part.probe for part in judged], [len(labels) for labels, _ in summed])
    given = np.stack([functions.hessian(x, probe * w) / probe for probe, w in zip(probes, weights, strict=True)])
    tolerances = [
        _tolerance(part.source[1])
        for part, (labels, _) in zip(judged, summed, strict=True)
        for _ in range(len(labels) * n)
    ]
    gradients = functools.partial(_combined, weights)
    limits = jacobian_limits(
        lambda point: gradients(functions.jacobian(point)), x, given.reshape(-1, n), _suspicion(tolerances)
    )
    pairs = [(first_name, second_name) for first_name in names for second_name in names]
    findings, start = {}, 0
    for part, (labels, _) in zip(judged, summed, strict=True):
        rows = slice(start * n, (start + len(labels)) * n)
        start += len(labels)
        compared, jump = comparison(
            given.reshape(-1, n), limits, rows, _tolerance(part.source[1]), np.outer(sizes, sizes).ravel()
        )
        sentences = (
            hessian_mistakes(compared, part.title, in_words(labels), names)
            if part.source[1] == SUPPLIED
            else unexplained(compared, part.title, pairs, part.source[1], "second")
        )
        apart = dataclasses.replace(part, labels=labels)
        findings[part.title] = _finding(apart, compared, jump, pairs, sentences, where)
    return [findings.get(part.title, NOT_JUDGED) for part in parts], limits.unopened


def _combined(weights: Vector, jacobian: Vector) -> Vector:
    """weights @ jacobian, flat; what is not finite stays in the sums that it belongs to."""
    unknown = ~np.isfinite(jacobian)
    sums = weights @ np.where(unknown, 0.0, jacobian)
    sums[(weights != 0.0) @ unknown] = np.nan
    return np.asarray(sums.ravel())


def _sizes(x: Vector) -> Vector:
    return np.where(x != 0.0, np.abs(x), 1.0)


def _tolerance(source: str) -> tuple[float, float]:
    return ROUGH if source == DIFFERENCES else EXACT


def _suspicion(tolerances: Sequence[tuple[float, float]]) -> Callable[[Vector, Limits], bool]:
    """Whether a given slope along a direction disagrees with the limits, or meets a kink."""
    relative = np.array([each for each, _ in tolerances])[:, None]

    def suspicious(given: Vector, limits: Limits) -> bool:
        same = agrees(given[:, None], limits.slope[:, None], limits.error[:, None], relative)
        return bool(not same.all() or kinks_of(limits.slope, limits.jump, limits.jump_error).any())

    return suspicious


def _finding(
    part: _Part,
    compared: Comparison,
    jump: Vector,
    columns: Sequence[tuple[str, ...]],
    sentences: Sequence[str],
    where: str,
) -> _Finding:
    once = np.ones(len(columns), dtype=bool)
    if len(columns[0]) == 2:  # one of the two second derivatives with respect to a pair is enough
        n = math.isqrt(len(columns))
        once = np.triu(np.ones((n, n), dtype=bool)).ravel()
    entries = tuple(
        WrongDerivative(
            part.title,
            part.labels[i],
            columns[j],
            float(compared.given[i, j]) + 0.0,  # no -0
            float(compared.true[i, j]),
        )
        for i, j in np.argwhere(compared.wrong & once)
    )
    kinks = tuple(
        Kink(
            part.title,
            part.labels[i],
            columns[j],
            float(compared.true[i, j] - 0.5 * jump[i, j]),
            float(compared.true[i, j] + 0.5 * jump[i, j]),
        )
        for i, j in np.argwhere((jump != 0.0) & once)
        if not where
    )
    undecided = compared.undecided & once & (jump == 0.0)
    if undecided[:, once].all():  # also where there are no rows
        return NOT_JUDGED
    return _Finding(entries, kinks, tuple(sentence + where for sentence in sentences), int(undecided.sum()))
