"""The KKT system of the active constraints at a solution, and how the parameters enter it.

    Lambda(x, lambda; p) = f + lambda . (a(x, p) - b(p))      a the active rows and variables, b their sides

    F = (Lambda_x, Lambda_lambda) = 0,     F_w = [ W  A' ]     F_p = [ G ]     W = Lambda_xx,  G = Lambda_xp
                                                 [ A  0  ]           [ r ]     r = (a - b)_p

The matrix is that of the solver's last Newton step, factorized by the same null-space method, once for all parameters,
right sides and bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from lagrange.derivatives.evaluation import Evaluation
from lagrange.derivatives.inspection import user_functions
from lagrange.derivatives.parameter_derivatives import ParameterSource, Sides
from lagrange.kkt.critical_cone import CURVATURE_TOLERANCE, curves_up, eigenpairs
from lagrange.kkt.null_space import NullSpaceFactorization, RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.model.status import PointKind
from lagrange.optimality.active_set import ActiveSet, active_set, elsewhere
from lagrange.optimality.multiplier_polyhedron import MultiplierPolyhedron
from lagrange.result import Result


@dataclass(frozen=True)
class Linearized:
    """W, G, r and the derivatives of the value in p, for one choice of multipliers.

    Attributes
    ----------
    W : (n, n);  G : (n, q);  r : (k, q)
    slope : (q,) Lambda_p, the derivative of the signed optimal value (envelope theorem)
    direct : (q,) f_p, the part of it that is the objective's own
    second : (q, q) Lambda_pp
    rows, sides : derivatives in p of F = (signed f, c), (1 + m, q), and of all sides
    exact : False where derivatives in p are differences
    """

    W: Vector
    G: Vector
    r: Vector
    slope: Vector
    direct: Vector
    second: Vector
    rows: Vector
    sides: Sides
    exact: bool


@dataclass(frozen=True)
class ActiveSystem:
    """The active constraints of a solution (k of them) with everything that sensitivities need.

    Attributes
    ----------
    curved : the reduced Hessian on the tangent space of the constraints that press is positive definite
    weakest : (n,) where the second-order condition fails, the tangent direction of least curvature; else zero
    unique : the gradients of the active constraints are independent (LICQ), so the multipliers are unique
    constant_rank : they are, or they are as dependent elsewhere as here, as where a constraint repeats another
    """

    evaluation: Evaluation
    source: ParameterSource
    result: Result
    active: ActiveSet
    polyhedron: MultiplierPolyhedron
    at: Linearized
    factorization: NullSpaceFactorization
    curved: bool
    weakest: Vector
    constant_rank: bool

    @property
    def unique(self) -> bool:
        return not self.polyhedron.null.shape[1]

    @property
    def prices(self) -> tuple[Vector, Vector]:
        """(m + n,) derivatives of the objective as stated when a side moves down and up; zero for what is inactive."""
        low, high = self.polyhedron.intervals()
        program, places = self.result.program, self.active.places
        left, right = np.zeros(program.m + program.n), np.zeros(program.m + program.n)
        # V'(+side) = max of -lambda, V'(-side) = max of lambda
        left[places], right[places] = -program.sign * high, -program.sign * low
        return left, right

    def linearized(self, multipliers: Vector) -> Linearized:
        """The linearization with other multipliers (k,) than the ones of the solution."""
        return _linearized(self.evaluation, self.source, self.result, self.active, multipliers)

    def solve(self, r_x: Vector, r_A: Vector) -> tuple[Vector, Vector]:
        """(dx, dlambda) with W dx + A' dlambda = r_x, A dx = r_A, for all columns from one factorization."""
        # dx = Y u + Z w:   A Y u = r_A,   Z'W Z w = Z'(r_x - W Y u),   Y'A' dlambda = Y'(r_x - W dx)
        # The factorized rows have length 1: their rank does not depend on the units of the constraints.
        basis, W, lengths = self.factorization.basis, self.at.W, self.active.lengths[:, None]
        dx = basis.Y @ basis.normal_coordinates(r_A / lengths)
        if basis.Z.shape[1] and r_x.size:
            dx += basis.Z @ lapack.dpotrs(self.factorization.cholesky, basis.Z.T @ (r_x - W @ dx), lower=1)[0]
        return dx, basis.multipliers(r_x - W @ dx) / lengths


def active_system(evaluation: Evaluation, source: ParameterSource, result: Result) -> ActiveSystem:
    """The active system at the point of a result, which has multipliers."""
    active = active_set(evaluation, result)
    at = _linearized(evaluation, source, result, active, active.multipliers)
    k, n = active.gradients.shape
    factorization = NullSpaceFactorization(at.W, None, active.unit, k, basis=active.basis)
    factorization.regularize(0.0)
    pressing, weakest = active.basis, np.zeros(n)
    if pressing.margin <= active.noise:
        pressing = RangeNullSpace(pressing.A, active.noise)
    values, directions = eigenpairs(pressing.Z, at.W)
    curved = not values.size or values[0] > CURVATURE_TOLERANCE or curves_up(pressing.A, at.W, result.x, active.noise)
    if values.size and (not curved or result.kind is not PointKind.STRICT_MINIMUM):
        weakest = directions[:, 0]
    polyhedron = MultiplierPolyhedron(active)
    return ActiveSystem(
        evaluation=evaluation,
        source=source,
        result=result,
        active=active,
        polyhedron=polyhedron,
        at=at,
        factorization=factorization,
        curved=curved,
        weakest=weakest,
        constant_rank=not polyhedron.null.shape[1] or _is_as_dependent_elsewhere(evaluation, result, active),
    )


def _is_as_dependent_elsewhere(evaluation: Evaluation, result: Result, active: ActiveSet) -> bool:
    derivatives = evaluation.derivative_source
    point = elsewhere(derivatives, result.x, result.p)
    if point is None:
        return False
    jacobian = user_functions(derivatives, result.p).jacobian(point)
    rows = np.concatenate([jacobian[1:], np.eye(result.x.size)])[active.places]
    lengths = np.linalg.norm(rows, axis=1)
    there = RangeNullSpace(rows / np.where(lengths > 0.0, lengths, 1.0)[:, None]) if np.isfinite(rows).all() else None
    return there is not None and there.rank <= RangeNullSpace(active.unit, active.noise).rank


def _linearized(
    evaluation: Evaluation, source: ParameterSource, result: Result, active: ActiveSet, multipliers: Vector
) -> Linearized:
    m, n = result.program.m, result.program.n
    spread = active.spread(multipliers, m + n)
    weights = np.concatenate([[1.0], spread[:m]])
    _, W = evaluation.derivatives(result.x, weights)
    # The side that each active constraint rests on: the upper one for equalities.
    on_upper = np.zeros(m + n, dtype=bool)
    on_upper[active.places] = active.signs >= 0.0
    below, above = np.where(on_upper, 0.0, spread), np.where(on_upper, spread, 0.0)
    found = source(result.x, result.p, weights, Sides(below[:m], above[:m], below[m:], above[m:]))
    b_p = np.where(
        on_upper[:, None],
        np.concatenate([found.sides.row_upper, found.sides.upper]),
        np.concatenate([found.sides.row_lower, found.sides.lower]),
    )
    a_p = np.concatenate([found.rows[1:], np.zeros((n, result.p.size))])
    r = (a_p - b_p)[active.places]
    return Linearized(
        W=W,
        G=found.mixed,
        r=r,
        slope=found.rows[0] + multipliers @ r,
        direct=found.rows[0],
        second=found.second - found.sides_second,
        rows=found.rows,
        sides=found.sides,
        exact=found.exact,
    )
