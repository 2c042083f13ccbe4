"""A strictly convex quadratic program over a cone with a shifted vertex: one-sided derivatives are its solutions.

    minimize  d'Wd / 2 + g'd   subject to  A d = a,   B d <= b        (W positive definite where A d = 0)

The equations are eliminated by the null-space method; what is left is a least distance program, solved exactly by
nonnegative least squares (Lawson and Hanson 1974, "Solving Least Squares Problems", chapter 23).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # scipy.optimize loads when it is first used
from scipy.linalg import cholesky, solve_triangular

from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import largest

INCONSISTENT = 1e-8  # residual of the equations, relative, that their dependence leaves over
ROUNDING = 1e-14  # of a right side, relative to the parts that it is the sum of
NO_DISTANCE = 1e-12  # residual of the least distance program that proves that there is no point


@dataclass(frozen=True)
class ConeSolution:
    """d, and the multipliers of the equations and of the inequalities (>= 0): W d + g + A'y + B'z = 0."""

    d: Vector
    y: Vector
    z: Vector


def cone_program(W: Vector, g: Vector, A: Vector, a: Vector, B: Vector, b: Vector) -> ConeSolution | None:
    """The solution; None where no d satisfies the constraints.

    Examples
    --------
    >>> import numpy as np
    >>> none = np.empty((0, 1)), np.empty(0)
    >>> cone_program(np.eye(1), np.array([-1.0]), *none, np.array([[1.0]]), np.ones(1) / 2).d.round(9)
    array([0.5])
    """
    basis = RangeNullSpace(A)
    start = basis.Y @ basis.normal_coordinates(a)
    if largest(A @ start - a) > INCONSISTENT * max(1.0, largest(a)):
        return None
    Z = basis.Z
    w, z = np.zeros(Z.shape[1]), np.zeros(b.size)
    if not Z.shape[1] and (B @ start - b > INCONSISTENT * max(1.0, largest(b))).any():
        return None
    if Z.shape[1]:
        # H = LL',  v = L'w + L^-1 t:   min |v|^2 / 2  subject to  C v <= b - B start + C L^-1 t,   C = B Z L^-T
        L = cholesky(Z.T @ W @ Z, lower=True)
        t = solve_triangular(L, Z.T @ (W @ start + g), lower=True)
        C = solve_triangular(L, (B @ Z).T, lower=True).T
        parts = b, -B @ start, C @ t
        h = sum(parts)
        # What the parts leave of each other by rounding is no distance.
        h = np.where(np.abs(h) <= ROUNDING * sum(np.abs(part) for part in parts), np.maximum(h, 0.0), h)
        found = least_distance(C, h)
        if found is None:
            return None
        v, z = found
        w = solve_triangular(L, v - t, lower=True, trans=1)
    d = start + Z @ w
    return ConeSolution(d, basis.multipliers(-(W @ d + g + z @ B)), z)


def least_distance(C: Vector, h: Vector) -> tuple[Vector, Vector] | None:
    """The v of least norm with C v <= h, and its multipliers z >= 0, v = -C'z; None where there is no such v."""
    if not (h < 0.0).any():
        return np.zeros(C.shape[1]), np.zeros(h.size)
    lengths = np.linalg.norm(C, axis=1)
    lengths = np.where(lengths > 0.0, lengths, 1.0)
    C, h = C / lengths[:, None], h / lengths
    size = largest(h)
    E, e = np.vstack([-C.T, -h / size]), np.append(np.zeros(C.shape[1]), 1.0)
    u, distance = scipy.optimize.nnls(E, e)
    residual = E @ u - e
    if distance <= NO_DISTANCE or residual[-1] >= 0.0:
        return None
    return -size * residual[:-1] / residual[-1], -size * u / residual[-1] / lengths
