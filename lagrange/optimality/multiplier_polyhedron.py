"""All multipliers of one point: a polyhedron, on flat vectors of the active constraints.

    { lambda : g + A'lambda = 0,  signs * lambda >= 0 on inequalities }  =  { lambda_0 + N u : signs * (...) >= 0 }

with lambda_0 of least norm and N a basis of the null space of A'. Linear programs in u say how far a combination of
multipliers reaches; where N is empty there is nothing to ask. Inside, multipliers are in units of their own (times
|a|, over the size of grad L), so that one tolerance fits all.

Least norm: Lawson and Hanson (1974), "Solving least squares problems", chapter 23: the least distance program
min |u| with G u >= h is the nonnegative least squares problem min |[G h]'w - e_last|, which tells too if no u exists.
"""

from __future__ import annotations

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.optimality.active_set import ActiveSet

CLEARLY = 1e3  # pivots this far above what counts as zero leave no doubt: no singular value is near it
SIGN = 1e-12  # wrong signs below this are rounding
UNBALANCED = 1e-5  # a gradient that is left over beyond this, relative, is not balanced by any multipliers
NO_DISTANCE = 1e-12  # residual of the least distance program that proves that there is no point
NEGLIGIBLE = 1e-9  # ends of intervals, and entries of N, below this are zero
HIGHS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
OPTIMAL = 0  # status of linprog
FAR = 1e3  # how far a set without limit is followed, in units
STEPS = 100  # of nonnegative least squares, per inequality


class MultiplierPolyhedron:
    """The multipliers of an active set.

    Attributes
    ----------
    exists : False where no multipliers balance the gradient with the right signs
    null : (k, d) the null space of A', in units of their own
    """

    def __init__(self, active: ActiveSet) -> None:
        self.active = active
        self._per_unit = active.size / active.lengths  # the user's multiplier per unit
        gradient, unit = active.objective_gradient / active.size, active.unit
        k, n = unit.shape
        if active.strong.all() and active.basis.rank == k and active.basis.margin > CLEARLY * active.noise:
            self.null: Vector = np.empty((k, 0))
            self.particular: Vector = -active.basis.multipliers(gradient)
        else:
            # A' = U S V': gradients that are dependent to within the accuracy of the point count as dependent.
            U, S, V = (
                np.linalg.svd(unit.T, full_matrices=n < k) if k else (np.empty((n, 0)), np.empty(0), np.empty((0, 0)))
            )
            rank = int((active.noise * S[:1] < S).sum())
            self.null = V[rank:].T
            self.particular = -V[:rank].T @ ((U[:, :rank].T @ gradient) / S[:rank])
        self._allowed = 0.0
        balanced = active.balanced and largest(gradient + self.particular @ unit) <= UNBALANCED
        if balanced and self._nearest(self.null, self.particular, np.ones(k)) is None:
            # Signs may be wrong by as much as the accuracy of the point leaves open.
            self._allowed = active.zero_pressure
            balanced = self._nearest(self.null, self.particular, np.ones(k)) is not None
        self.exists = balanced

    @property
    def inequality(self) -> Mask:
        return ~self.active.equality

    def least_norm(self) -> Vector:
        """The multipliers, in the user's units, with the smallest sum of squares."""
        # Units change the norm: the same set, with an orthonormal basis in the user's units.
        basis, _ = np.linalg.qr(self._per_unit[:, None] * self.null)
        particular = self._per_unit * self.particular
        found = self._nearest(basis, particular - basis @ (basis.T @ particular), self._per_unit)
        assert found is not None
        return self._clean(found)

    def extreme(self, weights: Vector) -> tuple[float, Vector]:
        """The largest weights . lambda over the set, and where; infinite, and somewhere far, where there is no limit.

        Weights and multipliers in the user's units.
        """
        slope = (weights * self._per_unit) @ self.null
        at_zero = float(weights @ (self._per_unit * self.particular))
        if largest(slope) <= NEGLIGIBLE * (largest(weights * self._per_unit) or 1.0):
            return at_zero, self.least_norm()
        slope = slope / largest(slope)  # HiGHS does not like large costs
        u = self._maximize(slope)
        limited = u is not None
        if u is None:
            u = self._maximize(slope, FAR)
            assert u is not None
        multipliers = self._clean(self._per_unit * (self.particular + self.null @ u))
        return float(weights @ multipliers) if limited else np.inf, multipliers

    def intervals(self) -> tuple[Vector, Vector]:
        """(k,) lowest and highest value of every multiplier over the set, in the user's units."""
        low, high = self.particular.copy(), self.particular.copy()
        for i in np.flatnonzero(np.abs(self.null).max(axis=1, initial=0.0) > NEGLIGIBLE):
            for sign, ends in ((1.0, high), (-1.0, low)):
                u = self._maximize(sign * self.null[i])
                ends[i] = sign * np.inf if u is None else self.particular[i] + self.null[i] @ u
        low, high = (self._clean(self._per_unit * ends) for ends in (low, high))
        return np.where(self.active.signs > 0.0, np.maximum(low, 0.0), low), np.where(
            self.active.signs < 0.0, np.minimum(high, 0.0), high
        )

    def dimension(self, low: Vector, high: Vector) -> int:
        """Dimension of the set, given its intervals: inequality multipliers that are always zero bind it."""
        always_zero = self.inequality & (low == 0.0) & (high == 0.0)
        rank = np.linalg.matrix_rank(self.null[always_zero], tol=NEGLIGIBLE) if always_zero.any() else 0
        return int(self.null.shape[1] - rank)

    def largest_smallest(self) -> float:
        """The largest t such that some multipliers press all inequalities with at least t; at most 1."""
        G, h = self._sign_conditions(0.0)
        if not h.size:
            return np.inf
        pressure = (self._per_unit / self.active.units)[self.inequality]
        G, h = pressure[:, None] * G, pressure * h
        if not self.null.shape[1]:
            return float(-h.max())
        # max t  subject to  t - G u <= -h
        found = scipy.optimize.linprog(
            np.append(np.zeros(G.shape[1]), -1.0),
            A_ub=np.column_stack([-G, np.ones(len(G))]),
            b_ub=-h,
            bounds=[*[(None, None)] * G.shape[1], (None, 1.0)],
            options=HIGHS,
        )
        return float(found.x[-1])

    def contains(self, multipliers: Vector) -> bool:
        """Whether the multipliers, in the user's units, balance the gradient with the right signs."""
        left_over = self.active.objective_gradient + multipliers @ self.active.gradients
        turned = (self.active.signs * multipliers / self._per_unit)[self.inequality]
        return bool(largest(left_over) <= UNBALANCED * self.active.size and (turned >= -UNBALANCED).all())

    def _sign_conditions(self, allowed: float) -> tuple[Vector, Vector]:
        # signs * (lambda_0 + N u) >= -allowed:   G u >= h
        signs, rows = self.active.signs, self.inequality
        return (signs[:, None] * self.null)[rows], (-signs * self.particular)[rows] - allowed

    def _maximize(self, slope: Vector, reach: float | None = None) -> Vector | None:
        """The u with the largest slope . u, and |u_i| <= reach where that is given; None where there is no limit."""
        bounds = (None, None) if reach is None else (-reach, reach)
        G, h = self._sign_conditions(self._allowed)
        found = scipy.optimize.linprog(-slope, A_ub=-G, b_ub=-h, bounds=bounds, options=HIGHS)
        return np.asarray(found.x) if found.status == OPTIMAL else None

    def _nearest(self, basis: Vector, particular: Vector, per_unit: Vector) -> Vector | None:
        """The point of least norm of { particular + basis u } with the right signs, particular orthogonal to basis."""
        signs, rows = self.active.signs, self.inequality
        size = largest(particular) or 1.0
        G, h = (signs[:, None] * basis)[rows], (-signs * particular - max(SIGN, self._allowed) * per_unit)[rows] / size
        if not (h > 0.0).any():
            return particular
        E, e = np.vstack([G.T, h]), np.append(np.zeros(G.shape[1]), 1.0)
        w, distance = scipy.optimize.nnls(E, e, maxiter=STEPS * h.size)
        if distance <= NO_DISTANCE:
            return None
        r = E @ w - e
        return np.asarray(particular + size * (basis @ (-r[:-1] / r[-1])))

    def _clean(self, multipliers: Vector) -> Vector:
        # Ends that differ from zero by rounding are zero.
        return np.where(np.abs(multipliers) <= NEGLIGIBLE * self.active.units, 0.0, multipliers)
