"""The functions of a program as an inspector sees them: in the user's signs, NaN where they raise.

Shared by the check of derivatives and by the preflight.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.difference_limits import SEED
from lagrange.derivatives.evaluation import Block, Derivatives, Evaluation
from lagrange.derivatives.supplied import SuppliedDerivatives
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Program

AUTOMATIC = "automatic"
SUPPLIED = "supplied"
DIFFERENCES = "finite differences"
# Displacements of a point nearby, relative to x, or to 1 where x is 0: tried until all functions are finite.
DISPLACEMENTS = (0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001)
NAMED = 5  # places named when many values or derivatives are not finite
REPORTED_ERRORS = (ArithmeticError, ValueError)  # what functions raise at numbers they do not like


@dataclass(frozen=True)
class UserFunctions:
    """F (1 + m,), its Jacobian (1 + m, n) and weighted Hessian (n, n), the objective with the user's sign.

    Entries are NaN where a function raises an error of arithmetic, as it may outside its domain.
    """

    values: Callable[[Vector], Vector]
    jacobian: Callable[[Vector], Vector]
    hessian: Callable[[Vector, Vector], Vector]


def derivative_sources(derivatives: Derivatives) -> list[tuple[str, str]]:
    """Where first and second derivatives of each function come from: "supplied", "automatic", ..."""
    sources = []
    for function, rows in zip(derivatives.program.functions, function_rows(derivatives.program), strict=True):
        block = next((item for item in derivatives.blocks if item.rows == rows), None)
        first = AUTOMATIC if block is None or block.jacobian is None else DIFFERENCES
        second = AUTOMATIC if block is None or block.hessian is None else DIFFERENCES
        if isinstance(function.call, SuppliedDerivatives):
            first = SUPPLIED if function.call.jacobian is not None else first
            second = SUPPLIED if function.call.hessian is not None else second
        sources.append((first, second))
    return sources


def function_rows(program: Program) -> list[slice]:
    """The rows of F = (f, c) that belong to each function."""
    ends = np.cumsum([function.size for function in program.functions]).tolist()
    return [slice(end - function.size, end) for end, function in zip(ends, program.functions, strict=True)]


def nearby_point(derivatives: Derivatives, x: Vector, p: Vector) -> Vector | None:
    """A seeded point near x, inside the bounds, where all functions are finite; None where none was found."""
    values = user_functions(derivatives, p).values
    lower, upper = derivatives.program.bound_sides(p)
    random = np.random.default_rng(SEED)
    size = np.where(x != 0.0, np.abs(x), 1.0)
    for displacement in DISPLACEMENTS:
        signs = random.choice([-1.0, 1.0], x.size)
        margin = np.minimum(displacement * size, 0.25 * (upper - lower))
        moved = x + displacement * size * signs * random.uniform(0.5, 1.0, x.size)
        point = np.clip(moved, lower + margin, upper - margin)
        if np.isfinite(values(point)).all():
            return np.asarray(point)
    return None


def raised(error: BaseException) -> str:
    """A sentence about an exception, with the notes that name the function and the point."""
    notes = "; ".join(getattr(error, "__notes__", ()))
    text = f"{type(error).__name__}: {error}".removeprefix("ValueError: ")
    return f"{text[0].upper()}{text[1:]}" + (f" ({notes})." if notes else ".")


def user_functions(derivatives: Derivatives, p: Vector) -> UserFunctions:
    """The functions of a program at parameters p, in the user's signs."""
    evaluation, signs = Evaluation(derivatives, p), derivatives.signs
    rows, n, no_weights = signs.size, derivatives.program.n, np.zeros(signs.size)

    def values(x: Vector) -> Vector:
        with np.errstate(all="ignore"):
            try:
                return evaluation.values(x) * signs
            except REPORTED_ERRORS:
                return np.full(rows, np.nan)

    def jacobian(x: Vector) -> Vector:
        with np.errstate(all="ignore"):
            try:
                return evaluation.derivatives(x, no_weights)[0] * signs[:, None]
            except REPORTED_ERRORS:
                return np.full((rows, n), np.nan)

    def hessian(x: Vector, weights: Vector) -> Vector:
        with np.errstate(all="ignore"):
            try:
                return evaluation.derivatives(x, weights * signs)[1]
            except REPORTED_ERRORS:
                return np.full((n, n), np.nan)

    return UserFunctions(values, jacobian, hessian)


def without_differences(derivatives: Derivatives) -> Derivatives:
    """The same, with zero derivatives where they are finite differences: differences of those cost much."""

    def zero(block: Block) -> Block:
        shape = block.rows.stop - block.rows.start, derivatives.program.n
        square = shape[1], shape[1]
        return dataclasses.replace(
            block, jacobian=lambda x, p: np.zeros(shape), hessian=lambda x, p, weights: np.zeros(square)
        )

    rows = function_rows(derivatives.program)
    rough = [
        part for part, source in zip(rows, derivative_sources(derivatives), strict=True) if source[0] == DIFFERENCES
    ]
    return dataclasses.replace(
        derivatives,
        blocks=tuple(zero(block) if block.rows in rough else block for block in derivatives.blocks),
    )


def not_finite(derivatives: Derivatives, x: Vector, p: Vector) -> tuple[str, ...]:
    """Sentences about values and derivatives at x that are not finite; errors in functions come through."""
    program = derivatives.program
    evaluation = Evaluation(derivatives, p)
    with np.errstate(all="ignore"):
        values = evaluation.values(x) * derivatives.signs
        jacobian, hessian = evaluation.derivatives(x, np.ones(values.size))
    rows, names = ["the objective", *program.row_names], program.variable_names
    bad = np.flatnonzero(~np.isfinite(values))
    sentences = [f"The value of {rows[i]} is {values[i]} at x." for i in bad]
    sentences += [
        f"The derivative of {rows[i]} with respect to {names[j]} is {jacobian[i, j]} at x."
        for i, j in np.argwhere(~np.isfinite(jacobian))
        if np.isfinite(values[i])
    ]
    if not sentences:
        sentences = [
            f"The second derivative with respect to {names[i]} and {names[j]} is not finite at x."
            for i, j in np.argwhere(~np.isfinite(hessian))
            if i <= j
        ]
    more = len(sentences) - NAMED
    return (*sentences[:NAMED], *([f"{more} more values or derivatives are not finite."] if more > 0 else []))
