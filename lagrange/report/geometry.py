"""The plane of a problem with two variables: levels of the objective, feasible set, curves, gradients in balance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Evaluation
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.report.about import About
from lagrange.report.tables import KINDS_WITH_MULTIPLIERS
from lagrange.report.understood import Understood
from lagrange.result import Result, bound_name

GRID = 61  # points along each variable
AROUND = 0.75  # of a variable: half of the window, where nothing else asks for more
MARGIN = 0.12  # beyond the points that must be seen, relative to the window
AT_ZERO = 1e-9  # variables below this, relative to the largest, are zero
REACH = 2.0  # bounds and points of the history farther than this many half windows are left out


@dataclass(frozen=True)
class Contour:
    """A constraint at its side: where `values` is zero."""

    name: str
    values: Vector
    is_active: bool


@dataclass(frozen=True)
class Force:
    """A gradient that takes part in the balance  grad f + sum of multipliers times gradients = 0."""

    name: str
    vector: tuple[float, float]


@dataclass(frozen=True)
class Geometry:
    """What `plot_geometry` draws. Grids are indexed [second variable, first variable].

    Attributes
    ----------
    feasible : (GRID, GRID) mask of the inequalities and bounds; None where there are only equalities
    forces : the gradient of the objective (negated to maximize) first, then those of the active constraints, times
        their multipliers; they add up to zero
    """

    names: tuple[About, About]
    objective: About
    axes: tuple[Vector, Vector]
    levels: Vector
    contours: tuple[Contour, ...]
    feasible: Vector | None
    solution: tuple[float, float]
    is_verified: bool
    path: tuple[tuple[float, float], ...]
    forces: tuple[Force, ...]


def geometry(solution: Understood) -> Geometry | None:
    """The plane around the solution; None unless there are two variables and the solution is finite."""
    result = solution.result
    program = result.program
    if program.n != 2 or not np.isfinite(result.x).all():
        return None
    evaluation = Evaluation(solution.problem.derivatives_of(result), result.p)
    first, second = (np.linspace(*window, GRID) for window in _windows(result))
    values = np.array([[_values(evaluation, np.array([a, b])) for a in first] for b in second])
    with np.errstate(invalid="ignore"):
        contours, feasible = _contours(result, values, first, second)
    names = [solution.descriptions.variable(name) for name in program.variable_names]
    abouts = [About(name, item.text, item.unit) for name, item in zip(program.variable_names, names, strict=True)]
    described = solution.descriptions.objective
    return Geometry(
        names=(abouts[0], abouts[1]),
        objective=About("objective", described.text, described.unit),
        axes=(first, second),
        levels=np.ma.masked_invalid(program.sign * values[..., 0]),
        contours=tuple(contours),
        feasible=feasible,
        solution=(float(result.x[0]), float(result.x[1])),
        is_verified=result.success,
        path=tuple((float(item.x[0]), float(item.x[1])) for item in result.history),
        forces=_forces(result, evaluation) if result.kind in KINDS_WITH_MULTIPLIERS else (),
    )


def _values(evaluation: Evaluation, x: Vector) -> Vector:
    try:
        return evaluation.values(x)
    except Exception:  # of the user's functions, which need not be defined all over the window
        return np.full(1 + evaluation.program.m, np.nan)


def _windows(result: Result) -> list[tuple[float, float]]:
    windows = []
    for i, x in enumerate(result.x):
        half = AROUND * abs(x) if abs(x) > AT_ZERO * largest(result.x) else 1.0
        seen = [item.x[i] for item in result.history] + [side[i] for side in result.bounds]
        near = [value for value in seen if abs(value - x) <= REACH * half] + [x - half, x + half]
        low, high = min(near), max(near)
        margin = MARGIN * (high - low)
        windows.append((float(low - margin), float(high + margin)))
    return windows


def _contours(result: Result, values: Vector, first: Vector, second: Vector) -> tuple[list[Contour], Vector | None]:
    contours: list[Contour] = []
    feasible = np.ones(values.shape[:2], dtype=bool)
    has_inequalities = False
    grids = [*np.moveaxis(values[..., 1:], -1, 0), *np.broadcast_arrays(first[None, :], second[:, None])]
    lower, upper = (np.concatenate(pair) for pair in zip(result.sides, result.bounds, strict=True))
    outside = _outside(result, first, second)
    active = np.concatenate([result.active_rows, result.active_bounds])
    variables = result.program.variable_names
    m = result.program.m
    for k, grid in enumerate(grids):
        equality = lower[k] == upper[k]
        for side, sign in ((upper[k], 1.0),) if equality else ((lower[k], -1.0), (upper[k], 1.0)):
            if not np.isfinite(side):
                continue
            name = result.program.row_names[k] if k < m else bound_name(variables[k - m], sign)
            is_active = bool(active[k]) if equality else active[k] == sign
            drawn = np.ma.masked_invalid(grid - side)
            contours.append(Contour(name, np.ma.masked_where(outside & (k < m), drawn), bool(is_active)))
            if not equality:
                has_inequalities = True
                feasible &= sign * (grid - side) <= 0.0
    return contours, feasible if has_inequalities else None


def _outside(result: Result, first: Vector, second: Vector) -> Mask:
    """Where bounds are broken: functions need not mean anything there, and have poles."""
    (a_low, b_low), (a_high, b_high) = result.bounds
    return np.asarray(((first < a_low) | (first > a_high))[None, :] | ((second < b_low) | (second > b_high))[:, None])


def _forces(result: Result, evaluation: Evaluation) -> tuple[Force, ...]:
    # grad f + J'y + z = 0, with the sign of the objective as it is minimized
    jacobian, _ = evaluation.derivatives(result.x, np.zeros(1 + result.program.m))
    forces = [Force("∇ objective" if result.program.sign > 0 else "−∇ objective", _pair(jacobian[0]))]
    forces += [
        Force(f"multiplier · ∇ {name}", _pair(y * row))
        for name, y, row in zip(result.program.row_names, result.y, jacobian[1:], strict=True)
        if y
    ]
    forces += [
        Force(f"multiplier · ∇ {name}", _pair(z * unit))
        for name, z, unit in zip(result.program.variable_names, result.z, np.eye(2), strict=True)
        if z
    ]
    return tuple(forces)


def _pair(vector: Vector) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])
