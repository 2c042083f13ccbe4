"""Are the derivatives that the solver uses the derivatives of the functions? Asked entry by entry, answered in words.

First derivatives are compared with differences of values, second derivatives with differences of the first, where
those are right. Both are taken at x and at one seeded point nearby, where an error that is hidden by a zero or a
symmetry of x shows; each function is reported from the point that shows more. Differences come with error estimates
(`difference_limits`), and only disagreement beyond them counts: there is no absolute tolerance.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.derivative_mistakes import (
    SAFETY,
    Y_PROBE,
    Comparison,
    hessian_mistakes,
    jacobian_mistakes,
)
from lagrange.derivatives.derivative_report import (
    AUTOMATIC,
    DIFFERENCES,
    SUPPLIED,
    DerivativeReport,
    FunctionCheck,
    Kink,
    WrongDerivative,
)
from lagrange.derivatives.difference_limits import Limits, directional_limits, ladder
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.supplied import SuppliedDerivatives
from lagrange.model.named_pytree import Vector, row_names
from lagrange.model.program import Program, UserFunction

EXACT = (1e-6, 1e-14)  # disagreement that is rounding, relative to the entry and to its row, where meant to be exact
ROUGH = (1e-5, 1e-8)  # disagreement that is usual for finite differences
KINK = 1e-3  # jump of a slope, relative to the slopes, that is a kink
DIRECTIONS = 64  # directions tried first; where there are more variables, they are moved in groups
GROUPS_OPENED = 8  # groups that are taken apart when something is wrong in them
LARGEST_TENSOR = 4_000_000  # second derivatives looked at row by row; beyond, the rows of a function are added up
NEARBY = 0.1  # displacement of the second point, relative to x, or to 1 where x is 0
CLOSER = (1.0, 0.1, 0.01)  # factors of the displacement tried where the functions are not finite
NAMED = 5  # places named when many derivatives are not finite
SEED = 20260217
SHAPE_AND_ARITHMETIC = (ArithmeticError, ValueError)  # what functions raise on numbers they do not like


@dataclass(frozen=True)
class _Functions:
    """F, its Jacobian and weighted Hessian in the user's signs: the objective as stated."""

    values: Callable[[Vector], Vector]
    jacobian: Callable[[Vector], Vector]
    hessian: Callable[[Vector, Vector], Vector]


@dataclass(frozen=True)
class _Differences:
    """Derivatives by differences, their errors, and the jumps (0 where there is none), all (rows, n)."""

    true: Vector
    error: Vector
    jump: Vector
    unopened: int  # variables in groups where something is wrong, not looked at one by one


@dataclass(frozen=True)
class _Finding:
    """One function, one order, one point."""

    entries: tuple[WrongDerivative, ...] = ()
    kinks: tuple[Kink, ...] = ()
    mistakes: tuple[str, ...] = ()
    undecided: int = 0
    judged: bool = True

    @property
    def outcome(self) -> str:
        if not self.judged:
            return "not judged"
        if self.entries:
            return f"{len(self.entries)} wrong"
        if self.kinks:
            return "kink"
        return f"right ({self.undecided} undecided)" if self.undecided else "right"


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
        Print it. Values that are not finite, and errors of arithmetic inside a function, are findings in it.
    """
    program = derivatives.program
    sources = derivative_sources(derivatives)
    functions = _functions(derivatives, p)
    obstacles = _obstacles(program, functions, x)
    if obstacles and not _evaluable(functions, x):
        table = [FunctionCheck(f.title, f.size, s, ("not judged",) * 2) for f, s in zip(program.functions, sources)]
        return DerivativeReport(tuple(table), (), (), obstacles, obstacles)
    exact = _functions(_without_differences(derivatives, sources), p)
    findings = _findings(program, sources, functions, exact, x)
    nearby = nearby_point(derivatives, x, p)
    if nearby is not None:
        elsewhere = _findings(program, sources, functions, exact, nearby)
        findings = [
            tuple(_telling(*orders) for orders in zip(here, there, strict=True))
            for here, there in zip(findings, elsewhere, strict=True)
        ]
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
        verdicts=(*obstacles, *mistakes, *(kink.sentence for kink in kinks)),
    )


def derivative_sources(derivatives: Derivatives) -> list[tuple[str, str]]:
    """Where the first and second derivatives of each function come from: supplied, automatic, or differences."""
    program, start, sources = derivatives.program, 0, []
    for function in program.functions:
        rows = slice(start, start + function.size)
        start = rows.stop
        block = next((item for item in derivatives.blocks if item.rows == rows), None)
        given = function.call if isinstance(function.call, SuppliedDerivatives) else None
        first = AUTOMATIC if block is None or block.jacobian is None else DIFFERENCES
        second = AUTOMATIC if block is None or block.hessian is None else DIFFERENCES
        if given is not None:
            first = SUPPLIED if given.jacobian is not None else first
            second = SUPPLIED if given.hessian is not None else second
        sources.append((first, second))
    return sources


def nearby_point(derivatives: Derivatives, x: Vector, p: Vector) -> Vector | None:
    """A seeded point near x, inside the bounds, where all functions are finite; None where none was found."""
    functions = _functions(derivatives, p)
    values = _nan_where_raised(functions.values, derivatives.signs.size)
    lower, upper = derivatives.program.bound_sides(p)
    random = np.random.default_rng(SEED)
    size = NEARBY * np.where(x != 0.0, np.abs(x), 1.0)
    displacement = size * random.uniform(0.5, 1.0, x.size) * random.choice([-1.0, 1.0], x.size)
    for factor in CLOSER:
        margin = np.minimum(factor * size, 0.25 * (upper - lower))
        point = np.clip(x + factor * displacement, lower + margin, upper - margin)
        if np.isfinite(values(point)).all():
            return np.asarray(point)
    return None


def _telling(here: _Finding, nearby: _Finding) -> _Finding:
    """The finding that shows more; kinks count at x only, and x wins a tie."""
    if here.kinks and not here.entries:
        return here
    best = here if here.judged and len(here.entries) >= len(nearby.entries) else nearby
    undecided = min(item.undecided for item in (here, nearby) if item.judged) if here.judged or nearby.judged else 0
    return dataclasses.replace(best, kinks=here.kinks, undecided=undecided)


def _functions(derivatives: Derivatives, p: Vector) -> _Functions:
    evaluation, signs = Evaluation(derivatives, p), derivatives.signs
    none = np.zeros(signs.size)

    def values(x: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return evaluation.values(x) * signs

    def jacobian(x: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return evaluation.derivatives(x, none)[0] * signs[:, None]

    def hessian(x: Vector, weights: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return evaluation.derivatives(x, weights * signs)[1]

    return _Functions(values, jacobian, hessian)


def _without_differences(derivatives: Derivatives, sources: Sequence[tuple[str, str]]) -> Derivatives:
    # Differences of differences tell nothing and cost much: such rows are zero instead.
    program, blocks = derivatives.program, []
    by_title = {function.title: source for function, source in zip(program.functions, sources, strict=True)}
    starts = np.cumsum([0, *(function.size for function in program.functions)])
    titles = {int(start): f.title for start, f in zip(starts, program.functions, strict=False) if f.size}
    for block in derivatives.blocks:
        if block.rows.stop > block.rows.start and by_title[titles[block.rows.start]][0] == DIFFERENCES:
            shape = block.rows.stop - block.rows.start, program.n
            block = dataclasses.replace(
                block,
                jacobian=lambda x, p, shape=shape: np.zeros(shape),
                hessian=lambda x, p, weights, n=program.n: np.zeros((n, n)),
            )
        blocks.append(block)
    return dataclasses.replace(derivatives, blocks=tuple(blocks))
