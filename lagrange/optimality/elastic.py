"""The elastic problem: the least total violation of some sides, with others held.

    minimize  sum s   subject to   c_i(x) - s_i+ + s_i- within side i  for the soft sides,  the held sides as they are

Where all rows are linear it is a linear program (HiGHS) and its answer is exact; else it is solved by this package
itself, on the compiled functions of the original problem, and its answer is local. The multipliers of its sides,
between -1 and 1, are a certificate (Farkas): with them the gradients cancel and the violation is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.derivatives.evaluation import Block, Derivatives, Evaluation
from lagrange.model.constraint import between
from lagrange.model.named_pytree import Layout, Vector
from lagrange.model.program import Definition, Program, UserFunction
from lagrange.model.reductions import finite, largest
from lagrange.model.settings import Settings
from lagrange.optimality.active_set import elsewhere
from lagrange.optimality.multiplier_polyhedron import HIGHS, OPTIMAL
from lagrange.result import bound_name
from lagrange.solve import solve

SAME = 1e-9  # Jacobians that differ by less, relative, are those of linear rows
MET = 1e-7  # violations below this, relative to max(1, |side|), are none


@dataclass(frozen=True)
class Side:
    """One side that can be in conflict: an equation (lower = upper), a side of a row, a bound, a fixed variable.

    `place` is its entry of (c, x).
    """

    name: str
    place: int
    lower: float
    upper: float

    @property
    def is_equation(self) -> bool:
        return self.lower == self.upper

    def violation(self, value: float) -> float:
        """How far the value is outside, signed: positive above the upper side, negative below the lower one."""
        return float(max(value - self.upper, 0.0) + min(value - self.lower, 0.0))

    def is_met(self, value: float) -> bool:
        """Whether the violation is rounding."""
        side = self.lower if np.isfinite(self.lower) else self.upper
        return abs(self.violation(value)) <= MET * max(1.0, abs(side))


@dataclass(frozen=True)
class System:
    """The constraints of a program at fixed parameters, side by side."""

    evaluation: Evaluation
    sides: tuple[Side, ...]
    linear: bool

    @property
    def rows(self) -> int:
        """Number of rows of c."""
        return self.evaluation.program.m

    def values(self, x: Vector) -> Vector:
        """(c(x), x)."""
        return np.concatenate([self.evaluation.values(x)[1:], x])


@dataclass(frozen=True)
class Relaxed:
    """A point of least violation.

    Attributes
    ----------
    x : (n,)
    violation : signed, by number of the soft side
    multipliers : by number of the side, soft or held
    solved : False where no such point was found: then x is the last point tried
    """

    x: Vector
    violation: dict[int, float]
    multipliers: dict[int, float]
    solved: bool

    @property
    def total(self) -> float:
        """The sum of the violations."""
        return sum(map(abs, self.violation.values()))


def system_of(evaluation: Evaluation, x: Vector) -> System:
    """All sides of the program of an evaluation, by name."""
    program, p = evaluation.program, evaluation.p
    sides = []
    for row, (lower, upper) in enumerate(zip(*program.row_sides(p), strict=True)):
        name = program.row_names[row]
        if lower == upper or not (np.isfinite(lower) and np.isfinite(upper)):
            if np.isfinite(lower) or np.isfinite(upper):
                sides.append(Side(name, row, lower, upper))
        else:
            sides += [
                Side(f"lower side of {name}", row, lower, np.inf),
                Side(f"upper side of {name}", row, -np.inf, upper),
            ]
    for j, (lower, upper) in enumerate(zip(*program.bound_sides(p), strict=True)):
        name, place = program.variable_names[j], program.m + j
        if lower == upper:
            sides.append(Side(f"fixed {name}", place, lower, upper))
            continue
        if np.isfinite(lower):
            sides.append(Side(bound_name(name, -1.0), place, lower, np.inf))
        if np.isfinite(upper):
            sides.append(Side(bound_name(name, 1.0), place, -np.inf, upper))
    return System(evaluation, tuple(sides), _is_linear(evaluation, x))


def least_violation(system: System, soft: Sequence[int], held: Sequence[int], start: Vector) -> Relaxed:
    """The least total violation of the soft sides among the points that meet the held ones; sides by number.

    Bounds that are neither soft nor held are left out, and so are rows.
    """
    relax = _by_linear_program if system.linear else _by_newton
    return relax(system, list(soft), list(held), start)


def _is_linear(evaluation: Evaluation, x: Vector) -> bool:
    here, hessian = evaluation.derivatives(x, np.concatenate([[0.0], _weights(evaluation.program.m)]))
    nearby = elsewhere(evaluation.derivative_source, x, evaluation.p)
    if nearby is None or hessian.any():
        return False
    there, _ = evaluation.derivatives(nearby, np.zeros(1 + evaluation.program.m))
    return largest((there - here)[1:].ravel()) <= SAME * max(1.0, largest(here[1:].ravel()))


def _weights(m: int) -> Vector:
    # Without pattern, so that second derivatives do not cancel.
    return np.asarray(np.random.default_rng(m).uniform(0.5, 1.0, m))


def _slacks(sides: Sequence[Side], soft: int) -> Vector:
    """Columns S of the slacks in c + S s: both signs for equations, towards the inside for the first `soft` sides."""
    columns = []
    for i, side in enumerate(sides[:soft]):
        for sign in (-1.0, 1.0):
            if side.is_equation or np.isfinite(side.upper if sign < 0.0 else side.lower):
                columns.append(sign * np.eye(len(sides))[i])
    return np.array(columns).reshape(len(columns), len(sides)).T


def _relaxed(system: System, soft: list[int], x: Vector, multipliers: dict[int, float], solved: bool) -> Relaxed:
    values = system.values(x)
    violation = {i: system.sides[i].violation(values[system.sides[i].place]) for i in soft}
    return Relaxed(x, violation, multipliers, solved)


def _by_linear_program(system: System, soft: list[int], held: list[int], start: Vector) -> Relaxed:
    # c(x) = c(start) + J (x - start) exactly
    sides = [system.sides[i] for i in (*soft, *held)]
    places = [side.place for side in sides]
    jacobian, _ = system.evaluation.derivatives(start, np.zeros(1 + system.rows))
    J = np.concatenate([jacobian[1:], np.eye(start.size)])[places]
    constant = system.values(start)[places] - J @ start
    S = _slacks(sides, len(soft))
    A = np.column_stack([J, S])
    lower = np.array([side.lower for side in sides]) - constant
    upper = np.array([side.upper for side in sides]) - constant
    equal = lower == upper
    # Lower sides are turned: -A v <= -lower
    sign = np.where(np.isfinite(upper), 1.0, -1.0)
    right = np.where(np.isfinite(upper), upper, -lower)
    found = scipy.optimize.linprog(
        np.concatenate([np.zeros(start.size), np.ones(S.shape[1])]),
        A_ub=(sign[:, None] * A)[~equal],
        b_ub=right[~equal],
        A_eq=A[equal],
        b_eq=right[equal],
        bounds=[*[(None, None)] * start.size, *[(0.0, None)] * S.shape[1]],
        options=HIGHS,
    )
    if found.status != OPTIMAL:
        return _relaxed(system, soft, start, {}, False)
    y = np.zeros(len(sides))
    y[~equal] = -sign[~equal] * found.ineqlin.marginals
    y[equal] = -found.eqlin.marginals
    multipliers = dict(zip([*soft, *held], y.tolist(), strict=True))
    return _relaxed(system, soft, np.asarray(found.x[: start.size]), multipliers, True)


def _by_newton(system: System, soft: list[int], held: list[int], start: Vector) -> Relaxed:
    n, m = start.size, system.rows
    bounds = [i for i in held if system.sides[i].place >= m]
    on_rows = [*soft, *(i for i in held if system.sides[i].place < m)]
    sides = [system.sides[i] for i in on_rows]
    S = _slacks(sides, len(soft))
    lower, upper = np.full(n, -np.inf), np.full(n, np.inf)
    for i in bounds:
        j = system.sides[i].place - m
        lower[j], upper[j] = max(lower[j], system.sides[i].lower), min(upper[j], system.sides[i].upper)
    slack_bounds = np.zeros(S.shape[1]), np.full(S.shape[1], np.inf)
    derivatives = _elastic_derivatives(
        system.evaluation,
        sides,
        S,
        (np.concatenate([lower, slack_bounds[0]]), np.concatenate([upper, slack_bounds[1]])),
    )
    x = np.clip(start, lower, upper)
    # Slacks that take up the violation at the start, where it can be computed.
    violation = np.array([side.violation(value) for side, value in zip(sides, _picked(system, sides, x), strict=True)])
    slacks = np.maximum(0.0, -S.T @ violation) if finite(violation) else np.zeros(S.shape[1])
    result = solve(derivatives, np.concatenate([x, slacks]), np.empty(0), Settings())
    multipliers = dict(zip(on_rows, result.y.tolist(), strict=True))
    for i in bounds:
        # One multiplier per variable: it belongs to the side on which it presses.
        z = float(result.z[system.sides[i].place - m])
        side = system.sides[i]
        multipliers[i] = z if side.is_equation else max(z, 0.0) if np.isfinite(side.upper) else min(z, 0.0)
    return _relaxed(system, soft, result.x[:n], multipliers, result.success)


def _picked(system: System, sides: Sequence[Side], x: Vector) -> Vector:
    return system.values(x)[[side.place for side in sides]]


def _elastic_derivatives(
    evaluation: Evaluation, sides: Sequence[Side], S: Vector, bounds: tuple[Vector, Vector]
) -> Derivatives:
    """F(x, s) = (sum s, (c, x)_sides + S s) as derivatives of a program of its own, from those of the original one."""
    n, m, k = evaluation.program.n, evaluation.program.m, len(sides)
    places = np.array([side.place for side in sides], dtype=np.intp)
    size = n + S.shape[1]

    def value(v: Vector, p: Vector) -> Vector:
        values = np.concatenate([evaluation.values(v[:n])[1:], v[:n]])[places]
        return np.concatenate([[v[n:].sum()], values + S @ v[n:]])

    def jacobian(v: Vector, p: Vector) -> Vector:
        rows, _ = evaluation.derivatives(v[:n], np.zeros(1 + m))
        J = np.zeros((1 + k, size))
        J[0, n:] = 1.0
        J[1:, :n] = np.concatenate([rows[1:], np.eye(n)])[places]
        J[1:, n:] = S
        return J

    def hessian(v: Vector, p: Vector, weights: Vector) -> Vector:
        on_c = np.bincount(places[places < m], weights[1:][places < m], minlength=m)
        H = np.zeros((size, size))
        _, H[:n, :n] = evaluation.derivatives(v[:n], np.concatenate([[0.0], on_c]))
        return H

    lower, upper = np.array([side.lower for side in sides]), np.array([side.upper for side in sides])
    program = Program(
        Definition(value, False, {"sides": between(lower, value, upper)}, bounds),
        Layout(None, ("v",), ((size,),)),
        Layout(None, (), ()),
        (
            UserFunction("objective", "total violation", value, False, ()),
            UserFunction("constraint", "sides", value, False, (k,)),
        ),
        1.0,
    )
    whole = Block(slice(0, 1 + k), value, jacobian, hessian)
    return Derivatives(program, None, np.empty(0, dtype=np.intp), (whole,), np.ones(1 + k))
