"""Flat directions along which the objective falls all the same: x^3 at 0, and the corner of -x^3 over x >= 0.

Where the second-order conditions leave a point undecided, the function itself is asked. Along a direction d of little
curvature, for all of a few steps t,

    f(x) - f(x + t d)  >  2 |grad f . d| t + rounding,      and the fall grows faster than the step.

A function that is convex along the line falls by its slope at most: a minimum does not pass for a descent because x is
not exact, nor a valley because f has rounding. Lines are followed where they stay feasible, as along linear rows.
"""

from __future__ import annotations

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.kkt.critical_cone import CURVATURE_TOLERANCE, eigenpairs
from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import largest, lowest

STEPS = (1e-1, 3e-2, 1e-2)  # relative to max(1, |x|)
SLOPES = 2.0
GROWTH = 5.0  # from step to step: a slope gives 3, curvature 9, the third order 27
ROUNDING = 1e-13  # of the objective, relative
FEASIBLE = 1e-12  # relative violation of a line that stays feasible
DIRECTIONS = 8  # flat directions that are looked along


def flat_descent(program: StandardProgram, x: Vector, A: Vector, W: Vector) -> Vector | None:
    """A direction d with A d = 0, of length 1 and little curvature, along which f falls; None if none is found.

    Parameters
    ----------
    A : (k, n) gradients of the constraints that press, of length 1
    W : (n, n) Hessian of the Lagrangian
    """
    values, vectors = eigenpairs(RangeNullSpace(A).Z, W)
    g, _, _ = program.derivatives(x, np.zeros(program.form.m))
    # On the way to an inflection the lowest curvature is still positive.
    flat = max(1, int((values <= CURVATURE_TOLERANCE).sum()))
    for d in vectors.T[: min(flat, DIRECTIONS)]:
        for turned in (d, -d):
            if _falls(program, x, turned, SLOPES * abs(float(g.dot(d)))):
                return np.asarray(turned)
    return None


def _falls(program: StandardProgram, x: Vector, d: Vector, slope: float) -> bool:
    form, scaling, size = program.form, program.scaling, max(1.0, largest(x))
    f, _ = program.objective_and_rows(x)
    rounding = ROUNDING * max(abs(f), scaling.objective * scaling.typical_value)
    before = np.inf
    for step in STEPS:
        t = step * size
        trial = x + t * d
        if (form.within_bounds(trial) != trial).any():
            return False  # functions need not be defined there
        try:
            f_trial, c = program.objective_and_rows(trial)
        except Exception:  # a function of the user's that is not defined beside its constraints
            return False
        fall = f - f_trial
        equations = largest(c[: form.equalities] / program.equation_sizes)
        distances = form.distances(np.concatenate([trial, c[form.equalities :]])) / program.bound_sizes
        feasible = max(equations, -lowest(distances, 0.0)) <= FEASIBLE
        if not (feasible and slope * t + rounding < fall < before / GROWTH):
            return False
        before = fall
    return True
