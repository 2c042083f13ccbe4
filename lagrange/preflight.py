"""Before the first solve: what the problem is, what is wrong with it at x0, and what to do, all by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lagrange.derivatives.derivative_check import check_derivatives
from lagrange.derivatives.derivative_report import OBJECTIVE, in_words
from lagrange.derivatives.difference_limits import SEED
from lagrange.derivatives.evaluation import Derivatives
from lagrange.derivatives.inspection import (
    REPORTED_ERRORS,
    UserFunctions,
    nearby_point,
    not_finite,
    raised,
    user_functions,
)
from lagrange.kkt.dependence import dependent_groups
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Program
from lagrange.preflight_record import NAMED, ConstraintShape, Counts, Preflight, Scale, Violation, named

__all__ = ["Preflight", "preflight"]

Mask = NDArray[np.bool_]

RATIO = 1e6  # gradients that differ by more than this are badly scaled
IN_SCALE = 1e3  # rows this far from 1 get a suggested factor, where the ratio is too large


def preflight(derivatives: Derivatives, x0: Vector, p: Vector) -> Preflight:
    """Look at the problem at x0, p before it is solved.

    Parameters
    ----------
    derivatives, x0, p
        As `Problem.prepare` returns them.

    Returns
    -------
    Preflight
        Print it. Numbers that are not finite are findings in it, not exceptions.

    Raises
    ------
    ValueError
        Where bounds or sides are reversed at this p.
    """
    program, functions = derivatives.program, user_functions(derivatives, p)
    bounds, sides = program.bound_sides(p), program.row_sides(p)
    fixed, equal = bounds[0] == bounds[1], sides[0] == sides[1]
    inequality = ~equal & (np.isfinite(sides[0]) | np.isfinite(sides[1]))
    start = np.where(fixed, bounds[0], x0)
    values, jacobian = functions.values(start), functions.jacobian(start)[:, ~fixed]
    finite = bool(np.isfinite(jacobian).all())
    rows, names = np.array([OBJECTIVE, *program.row_names]), np.array(program.variable_names)[~fixed]
    groups = dependent_groups(jacobian[1:][equal], rows[1:][equal].tolist()) if finite else []
    sizes = np.abs(jacobian) * np.concatenate([[True], equal | inequality])[:, None]
    by_row, by_variable = sizes.max(axis=1, initial=0.0), sizes.max(axis=0, initial=0.0)
    row_scale, variable_scale = _scale(by_row, rows), _scale(by_variable, names)
    too_wide = row_scale is not None and row_scale.ratio > RATIO
    factors = {
        str(name): float(10.0 ** -np.round(np.log10(size)))
        for name, size in zip(rows, by_row, strict=True)
        if too_wide and size > 0.0 and not 1.0 / IN_SCALE <= size <= IN_SCALE
    }
    counts = Counts(
        variables=program.n,
        fixed=int(fixed.sum()),
        equalities=int(equal.sum()),
        inequalities=int(inequality.sum()),
        rows_without_sides=program.m - int(equal.sum()) - int(inequality.sum()),
        bounds=int(sum(np.isfinite(side[~fixed]).sum() for side in bounds)),
        parameters=program.parameters.size,
        rank=int(equal.sum()) - len(groups) if finite else None,
    )
    nearby = nearby_point(derivatives, start, p)
    points = [start] if nearby is None else [start, nearby]
    elsewhere = functions.jacobian(points[-1])[:, ~fixed]
    zero = np.flatnonzero((by_row[1:] == 0.0) & (equal | inequality)) + 1
    found = Preflight(
        counts=counts,
        constraints=_shapes(program, equal, inequality),
        outside_bounds=_outside(program.variable_names, x0, bounds),
        violations=_outside(program.row_names, values[1:], sides),
        row_scale=row_scale,
        variable_scale=variable_scale,
        suggested_factors=factors,
        zero_rows=tuple(rows[zero].tolist()),
        unused=tuple(names[_unused(functions, points, fixed)].tolist()),
        dependent=tuple(group for group in groups if len(group) > 1),
        derivatives=check_derivatives(derivatives, start, p),
        problems=(),
    )
    constant = [str(rows[i]) for i in zero if nearby is not None and not elsewhere[i].any()]
    without_sides = rows[1:][~equal & ~inequality].tolist()
    return dataclasses.replace(
        found, problems=tuple(_problems(found, _not_finite(derivatives, start, p), constant, without_sides))
    )


def _problems(
    found: Preflight, not_finite: Sequence[str], constant: Sequence[str], without_sides: Sequence[str]
) -> Iterator[str]:
    yield from not_finite
    counts = found.counts
    if counts.equalities > counts.free:
        yield (
            f"There are {counts.equalities} equations for {counts.free} free variables: the problem is "
            f"over-determined. Whether a point satisfies all of them cannot be seen at x0; drop equations, "
            f"or minimize their errors instead."
        )
    for group in found.dependent:
        yield (
            f"The gradient of equation {group[0]} is a combination of those of {named(group[1:])} at x0: "
            f"drop {group[0]} if it says the same; if not, there may be no point that satisfies all of them."
        )
    if constant:
        yield f"No free variable appears in {named(constant)}: remove the constraint, or free a variable."
    vanishing = [name for name in found.zero_rows if name not in constant]
    if vanishing:
        yield (
            f"The gradient of {named(vanishing)} is zero at x0, so that the solver cannot see how to change "
            f"the value: start from another point."
        )
    if without_sides:
        yield f"No finite side limits {named(without_sides)}: remove the constraint, or give it a side."
    if found.unused:
        them = "it" if len(found.unused) == 1 else "them"
        names = named(found.unused)
        yield f"No function depends on {names} near x0: remove {them}, or fix {them} by equal bounds."
    if found.outside_bounds:
        listed = "; ".join(map(str, found.outside_bounds[:NAMED]))
        more = len(found.outside_bounds) - NAMED
        yield (
            f"x0 is outside the bounds: {listed}{f'; and {more} more' if more > 0 else ''}. "
            f"The solver moves it inside; start there."
        )
    if found.suggested_factors and found.row_scale is not None:
        changed, factors = in_words(list(found.suggested_factors)), found.suggested_factors.values()
        changes = [f"{name} by {factor:.0e}" for name, factor in zip(changed, factors, strict=True)]
        large, small = in_words([found.row_scale.largest[0], found.row_scale.smallest[0]])
        yield (
            f"The gradients of {large} and {small} differ by a factor of {found.row_scale.ratio:.1e}: "
            f"multiply {named(changes)}."
        )
    report = found.derivatives
    kinks = {kink.sentence: kink.order for kink in report.kinks}
    for sentence in report.verdicts:
        if sentence in kinks:
            if kinks[sentence] == 1:
                yield f"{sentence} Start elsewhere, or replace the kink by an inequality and a new variable."
        elif sentence not in report.obstacles:
            yield sentence


def _not_finite(derivatives: Derivatives, x: Vector, p: Vector) -> list[str]:
    try:
        return [
            f"{sentence.replace(' at x.', ' at x0.')} Start where the functions are defined, "
            f"with bounds that keep x there."
            for sentence in not_finite(derivatives, x, p)
        ]
    except REPORTED_ERRORS as error:
        return [raised(error)]


def _unused(functions: UserFunctions, points: Sequence[Vector], fixed: Mask) -> Mask:
    """Free variables in which first and second derivatives of all functions are zero at all points."""
    unused = np.full(int((~fixed).sum()), len(points) > 1)  # at one point alone, zeros may be chance
    for x in points:
        jacobian = functions.jacobian(x)
        # Weights without pattern, so that second derivatives do not cancel.
        hessian = functions.hessian(x, np.asarray(np.random.default_rng(SEED).uniform(0.5, 1.0, len(jacobian))))
        used = (jacobian != 0.0).any(axis=0) | (hessian != 0.0).any(axis=0)
        unused &= ~used[~fixed]
    return unused


def _outside(names: Sequence[str], values: Vector, sides: tuple[Vector, Vector]) -> tuple[Violation, ...]:
    """Values outside their sides, the farthest first."""
    amounts = np.maximum(sides[0] - values, values - sides[1])
    worst = [int(i) for i in np.argsort(-amounts, kind="stable") if amounts[i] > 0.0]
    return tuple(Violation(names[i], *(float(v[i]) for v in (values, *sides))) for i in worst)


def _scale(sizes: Vector, names: NDArray[np.str_]) -> Scale | None:
    kept = np.flatnonzero((sizes > 0.0) & np.isfinite(sizes))
    if not kept.size:
        return None
    high, low = kept[sizes[kept].argmax()], kept[sizes[kept].argmin()]
    return Scale((str(names[high]), float(sizes[high])), (str(names[low]), float(sizes[low])))


def _shapes(program: Program, equal: Mask, inequality: Mask) -> tuple[ConstraintShape, ...]:
    shapes, start = [], 0
    for function in program.constraints:
        rows = slice(start, start + function.size)
        start = rows.stop
        shapes.append(
            ConstraintShape(function.name, function.shape, int(equal[rows].sum()), int(inequality[rows].sum()))
        )
    return tuple(shapes)
