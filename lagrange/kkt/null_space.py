"""Dense factorization of a KKT system by the null-space method.

Slacks are eliminated first: with D = sigma_s / (1 + gamma sigma_s),

    H = W + diag(sigma_x) + J_I' D J_I .

Column-pivoted QR of the equality Jacobian, J_E' P = [Y Z] [R; 0], gives rank, range (normal space) and null space
(tangent space) in one go: this is the full-rank check of the implicit function theorem. A step is the sum of a
normal step Y u, fixed by the equations, and a tangent step Z w, fixed by the Cholesky factor of the reduced
Hessian Z'HZ, whose existence is the second-order condition (Nocedal and Wright 2006, section 16.2).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import largest, lowest

RANK_TOLERANCE = 1e-10  # pivots of the Jacobian below this, relative to the first, count as zero
NONE = np.empty(0)
DEFINITE_TOLERANCE = 1e-14  # squared Cholesky pivots below this, relative to the diagonal, count as zero
BLOCK = 64  # columns that LAPACK reflects at once, where the workspace is large enough: by default it is for one
REFINE_ABOVE = 1e-12  # relative residual that asks for a step of iterative refinement


class RangeNullSpace:
    """Orthonormal bases Y (n, r) and Z (n, n - r) of the range of A' and the null space of A, and the rank r.

    Pivots below `tolerance`, relative to the first, count as zero.

    Attributes
    ----------
    pivots : row numbers of A, the r independent ones first
    margin : |R_rr| / |R_11|, the smallest accepted pivot relative to the largest; inf for no rows
    """

    def __init__(self, A: Vector, tolerance: float = RANK_TOLERANCE) -> None:
        self.A = A
        rows, n = A.shape
        if rows == 0:
            self.rank, self.margin = 0, float("inf")
            self.pivots = np.empty(0, dtype=np.intp)
            self.Y, self.Z, self.R = np.empty((n, 0)), np.eye(n), np.empty((0, 0))
            return
        qr, pivots, tau, _, _ = lapack.dgeqp3(A.T, lwork=2 * rows + BLOCK * (rows + 1))
        self.pivots = pivots - 1
        diagonal = np.abs(qr.diagonal())
        largest = float(diagonal[0])
        # Pivoting sorts the diagonal: the last entry tells at once whether the rank is full.
        self.rank = (
            diagonal.size
            if diagonal[-1] > tolerance * largest
            else int(np.count_nonzero(diagonal > tolerance * largest))
        )
        self.margin = float(diagonal[self.rank - 1]) / largest if self.rank else 0.0
        self.R = qr[: self.rank, : self.rank]
        reflectors = np.zeros((n, n), order="F")
        kept = min(rows, n)
        reflectors[:, :kept] = qr[:, :kept]
        Q = lapack.dorgqr(reflectors, tau[:kept], lwork=BLOCK * n)[0]
        self.Y, self.Z = Q[:, : self.rank], Q[:, self.rank :]

    def normal_coordinates(self, residual: Vector) -> Vector:
        """u with A Y u = residual on the independent rows; column by column for a matrix."""
        if not self.rank:
            return residual[:0]
        u: Vector = lapack.dtrtrs(self.R, residual[self.pivots[: self.rank]], trans=1)[0]
        return u

    def multipliers(self, gradient: Vector) -> Vector:
        """y with Y'A'y = Y'gradient, zero on dependent rows: the basic least-squares multipliers; or their columns."""
        y = np.zeros((self.A.shape[0], *gradient.shape[1:]))
        if self.rank:
            y[self.pivots[: self.rank]] = lapack.dtrtrs(self.R, self.Y.T.dot(gradient))[0]
        return y


class NullSpaceFactorization:
    """The dense `Factorization`: see the protocol for the meaning of its members.

    Parameters
    ----------
    W : (n, n) Hessian of the Lagrangian
    sigma : (n + inequalities,) diagonal of the bounds on x and slacks; None for zeros (no slacks)
    J : (m, n) Jacobian, equality rows first
    equalities : number of equality rows
    gamma : dual regularization (restoration); with it all rows are eliminated and any rank is fine
    basis : the `RangeNullSpace` of the equality rows, where it is known already
    """

    def __init__(
        self,
        W: Vector,
        sigma: Vector | None,
        J: Vector,
        equalities: int,
        gamma: float = 0.0,
        basis: RangeNullSpace | None = None,
    ) -> None:
        n = W.shape[0]
        self.n, self.equalities, self.gamma, self.delta = n, equalities, gamma, 0.0
        self.W, self.sigma, self.J = W, sigma, J
        self.sigma_s = NONE if sigma is None else sigma[n:]
        # The rows that are eliminated, with their weights D.
        self.split = 0 if gamma else equalities
        weights = self.sigma_s
        if gamma:
            weights = np.concatenate([np.full(equalities, 1.0 / gamma), weights / (1.0 + gamma * weights)])
        self.weights = weights
        H = W
        if weights.size:
            self.J_eliminated = J[self.split :]
            H = W + self.J_eliminated.T.dot(weights[:, None] * self.J_eliminated)
        if sigma is not None:
            H = H.copy() if H is W else H
            H.flat[:: n + 1] += sigma[:n]
        self.H = H
        self.A = J[: self.split]
        if basis is None or basis.A.tobytes() != self.A.tobytes():
            basis = RangeNullSpace(self.A)
        self.basis = basis
        self.rank, self.rank_margin = basis.rank, basis.margin
        self.reduced_hessian = basis.Z.T.dot(H).dot(basis.Z) if basis.A.shape[0] else H
        self.cholesky: Vector = np.empty((0, 0))

    def regularize(self, delta: float) -> bool:
        self.delta = delta
        if not self.reduced_hessian.shape[0]:
            self.cholesky = self.reduced_hessian
            return True
        reduced = self.reduced_hessian
        if delta:
            reduced = reduced.copy()
            reduced.flat[:: reduced.shape[0] + 1] += delta
        self.cholesky, info = lapack.dpotrf(reduced, lower=1, clean=0)
        if info:
            return False
        pivots = self.cholesky.diagonal()
        return lowest(pivots * pivots - DEFINITE_TOLERANCE * reduced.diagonal()) > 0.0

    def solve(self, r_v: Vector, r_h: Vector) -> tuple[Vector, Vector]:
        dv, dy = self._solve_once(r_v, r_h)
        if not self.weights.size or self.sigma is None:
            return dv, dy
        # Elimination with large weights loses digits: one step of refinement on the whole system.
        e_v, e_h = self._residual(dv, dy, r_v, r_h)
        size = max(largest(r_v), largest(r_h))
        if max(largest(e_v), largest(e_h)) > REFINE_ABOVE * size:
            cv, cy = self._solve_once(e_v, e_h)
            dv, dy = dv + cv, dy + cy
        return dv, dy

    def _solve_once(self, r_v: Vector, r_h: Vector) -> tuple[Vector, Vector]:
        n, split, equalities = self.n, self.split, self.equalities
        # x row:  H dx + A'dy_A = r_x + J'(D r_h + D / sigma_s r_s)   over the eliminated rows
        r_x = r_v[:n]
        target = r_h[split:]
        if self.weights.size:
            pull = target
            if self.sigma_s.size:
                pull = target.copy()
                pull[equalities - split :] += r_v[n:] / self.sigma_s
            r_x = r_x + (self.weights * pull).dot(self.J_eliminated)
        dx, dy_kept = self._equality_constrained(r_x, r_h[:split])
        if not self.weights.size:
            return dx, dy_kept
        # eliminated rows:  dy = D (J dx - r_h - r_s / sigma_s),   ds = J_I dx - gamma dy_I - r_I
        change = self.J_eliminated.dot(dx)
        dy_eliminated = self.weights * (change - pull)
        dy = np.concatenate([dy_kept, dy_eliminated]) if split else dy_eliminated
        if not self.sigma_s.size:
            return dx, dy
        ds = (change - target)[equalities - split :]
        if self.gamma:
            ds = ds - self.gamma * dy[equalities:]
        return np.concatenate([dx, ds]), dy

    def _equality_constrained(self, r: Vector, r_A: Vector) -> tuple[Vector, Vector]:
        # [ H  A' ] [dx]   [ r  ]       dx = Y u + Z w,    Z'HZ w = Z'(r - H Y u)
        # [ A  0  ] [dy] = [ r_A ]
        basis = self.basis
        if not basis.rank:
            dx = lapack.dpotrs(self.cholesky, r, lower=1)[0]
            return dx, np.zeros(self.A.shape[0])
        H = self.H
        if self.delta:
            H = H.copy()
            H.flat[:: self.n + 1] += self.delta
        dx = basis.Y.dot(basis.normal_coordinates(r_A))
        if basis.rank < self.n:
            reduced = (r - H.dot(dx)).dot(basis.Z)
            dx = dx + basis.Z.dot(lapack.dpotrs(self.cholesky, reduced, lower=1)[0])
        return dx, basis.multipliers(r - H.dot(dx))

    def _residual(self, dv: Vector, dy: Vector, r_v: Vector, r_h: Vector) -> tuple[Vector, Vector]:
        n, equalities = self.n, self.equalities
        assert self.sigma is not None
        e_v = r_v - self.sigma * dv
        e_v[:n] -= self.W.dot(dv[:n]) + dy.dot(self.J) + self.delta * dv[:n]
        e_h = r_h - self.J.dot(dv[:n]) + self.gamma * dy
        if self.sigma_s.size:
            e_v[n:] += dy[equalities:]
            e_h[equalities:] += dv[n:]
        return e_v, e_h
