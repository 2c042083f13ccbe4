"""Where a barrier phase starts: inside the bounds, with multipliers that fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import finite, largest
from lagrange.newton.barrier import Barrier, Iterate

LARGEST_FIRST_MULTIPLIER = 1e3  # larger least-squares multipliers are of no use


def starting_point(program: StandardProgram, x: Vector) -> Iterate:
    """x moved inside its bounds, slacks at the rows, z = 1, and least-squares multipliers y."""
    form = program.form
    barrier = Barrier(form)
    v = barrier.interior(np.concatenate([x, _slacks(program, x)]))
    v = barrier.interior(np.concatenate([v[: form.n], _slacks(program, v[: form.n])]))
    f, h = program.values(v)
    it = Iterate(v, np.zeros(form.m), np.ones(form.index.size), barrier.distances(v), f, h)
    return with_multipliers(program, it)


def with_multipliers(program: StandardProgram, it: Iterate) -> Iterate:
    """The iterate with y that minimizes its dual residual, or y = 0 where that y is larger than 1e3."""
    form = program.form
    if not form.m:
        return it
    nothing = replace(it, y=np.zeros(form.m))
    g, J, _ = program.derivatives(it.v[: form.n], nothing.y)
    if not finite(g, J):
        return nothing
    # Least squares for [J' ; -P'] y = -(g ; 0) + D'z:  the KKT system with H = I.
    on_slacks = np.concatenate([np.zeros(form.n), np.ones(form.size - form.n)])
    factorization = NullSpaceFactorization(np.eye(form.n), on_slacks, J, form.equalities)
    factorization.regularize(0.0)
    target = np.concatenate([g, np.zeros(form.size - form.n)]) - form.scatter(it.z)
    _, y = factorization.solve(-target, nothing.y)
    return replace(it, y=y) if finite(y) and largest(y) <= LARGEST_FIRST_MULTIPLIER else nothing


def _slacks(program: StandardProgram, x: Vector) -> Vector:
    _, c = program.objective_and_rows(x)
    return np.where(np.isfinite(c), c, 0.0)[program.form.equalities :]
