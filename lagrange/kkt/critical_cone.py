"""Curvature on a tangent space and on a critical cone: what second-order conditions are read from.

    C = {d : H d = 0,  G d <= 0},    H the gradients that are held (equalities, strongly active constraints),
                                     G the weakly active ones, turned outward

The smallest d'Wd over unit d of C is an eigenvalue of the reduced Hessian of some face of C, with its eigenvector
in the cone (for the orthant: Kaplan 2000, "A test for copositive matrices", Linear Algebra Appl. 313). Going through
all faces decides copositivity; their number doubles with every weakly active constraint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from lagrange.kkt.null_space import RANK_TOLERANCE, RangeNullSpace
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import largest

CURVATURE_TOLERANCE = 1e-7  # curvatures below this, relative to the terms that they are sums of, are undecided
CLEARLY_DOWN = 1e-4  # curvature below minus this, relative and in units of the variables' own sizes, is negative
FACES = 6  # weakly active constraints whose faces are all searched
SOME_FACES = 16  # beyond: the whole cone and its edges; up to here the faces spanned by two and three edges too
IN_THE_CONE = 1e-8  # rates G d below this count as zero
ROUNDING = 1e-12  # relative move of x that no curvature may depend on, and size of what is left of zeros
SMALL = 1e-6  # curvatures above this, relative to W, are no rounding
SETTLED = 0.5  # relative change of a curvature by that move above which it is rounding


def eigenpairs(Z: Vector, W: Vector) -> tuple[Vector, Vector]:
    """Eigenvalues of Z'WZ, relative to the size of its terms, ascending; eigenvectors as columns in x.

    Entries of W that Z does not touch, those of variables on their bounds, do not count: they may be huge.
    """
    if not Z.shape[1]:
        return np.empty(0), np.empty((Z.shape[0], 0))
    Z = np.where(np.abs(Z) > ROUNDING, Z, 0.0)  # what is left of a zero would touch entries of W
    values, vectors = np.linalg.eigh(Z.T @ W @ Z)
    return values / size_of_terms(Z, W), Z @ vectors


def size_of_terms(Z: Vector, W: Vector) -> float:
    """The largest term of Z'WZ, at most the largest entry of W; 1 where all are zero."""
    return min(largest(W.ravel()), largest((np.abs(Z.T) @ np.abs(W) @ np.abs(Z)).ravel())) or 1.0


def curves_up(A: Vector, W: Vector, x: Vector, dependent: float = RANK_TOLERANCE) -> bool:
    """Whether d'Wd > 0 for all d != 0 with A d = 0, beyond rounding, where every variable is measured by its size |x|.

    Rounding is relative to entries of W, which depend on the units of the variables: curvature that is lost beside that
    of other variables in the user's units may be clear in these.

    Parameters
    ----------
    A : (k, n) rows of length 1
    dependent : pivots below this count as zero

    Examples
    --------
    >>> import numpy as np
    >>> W, A = np.diag([2e8, 2e-8]), np.empty((0, 2))  # (x0 / 1e-4)^2 + (x1 / 1e4)^2
    >>> curves_up(A, W, np.array([1.0, 1.0])), curves_up(A, W, np.array([1e-4, 1e4]))
    (False, True)
    """
    values, _ = _eigenpairs_in(_sizes(x), A, W, dependent)
    return bool(not values.size or values[0] > CURVATURE_TOLERANCE)


def curves_down(A: Vector, W: Vector, x: Vector, dependent: float = RANK_TOLERANCE) -> Vector | None:
    """A direction d of length 1 with A d = 0 and d'Wd < 0 where every variable is measured by its own size; else None.

    The curvature must be clear there: what is rounding in a large variable is large in its units.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.diag([2e8, -2.0])  # (x0 / 1e-4)^2 - x1^2: in the user's units -2 is rounding beside 2e8
    >>> curves_down(np.empty((0, 2)), W, np.array([1e-4, 1.0])).round(6)
    array([0., 1.])
    """
    units = _sizes(x)
    values, vectors = _eigenpairs_in(units, A, W, dependent)
    if not values.size or values[0] > -CLEARLY_DOWN:
        return None
    d = units * vectors[:, 0]
    return np.asarray(d / np.linalg.norm(d))


def _sizes(x: Vector) -> Vector:
    # What is zero but for rounding has no size of its own.
    return np.where(np.abs(x) > ROUNDING * largest(x), np.abs(x), 1.0)


def _eigenpairs_in(units: Vector, A: Vector, W: Vector, dependent: float) -> tuple[Vector, Vector]:
    rows = A * units
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    return eigenpairs(RangeNullSpace(rows, dependent).Z, units[:, None] * W * units)


def is_rounding(d: Vector, W: Vector, hessian: Callable[[Vector], Vector], x: Vector) -> bool:
    """Whether the curvature d'Wd is gone, or much changed, where x is moved by its rounding.

    A term t1 t2 t3 at t1 = 1e-32 has curvature of that size, however large it is beside the others on a tangent space.

    Parameters
    ----------
    hessian : x -> (n, n); not called where the curvature is large beside W
    """
    curvature = float(d @ W @ d)
    if abs(curvature) > SMALL * largest(W.ravel()) * float(d @ d):
        return False
    moved = hessian(x + ROUNDING * max(1.0, largest(x)))
    return abs(float(d @ moved @ d) - curvature) > SETTLED * abs(curvature)


def step_left(values: Vector, vectors: Vector, W: Vector, residual: Vector, flat: float) -> Vector:
    """The Newton step in x that a residual of stationarity still asks for, where eigenvalues exceed `flat`."""
    curved = vectors[:, values > flat]
    curvatures = (curved * W.dot(curved)).sum(axis=0)
    return np.asarray(curved.dot(-residual.dot(curved) / curvatures))


def cone_curvatures(W: Vector, held: Vector, weak: Vector, below: float = np.inf) -> Iterator[tuple[float, Vector]]:
    """Curvatures d'Wd, relative as in `eigenpairs`, and unit directions d in the cone, face by face.

    The smallest curvature over the whole cone is among them where there are at most `FACES` weak rows; beyond, not all
    faces are searched. Only curvatures `below` a value are given.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.array([[0.0, -1.0], [-1.0, 0.0]])  # d'Wd = -2 d0 d1 over d >= 0
    >>> value, d = min(cone_curvatures(W, np.empty((0, 2)), -np.eye(2)), key=lambda pair: pair[0])
    >>> value.round(12), d.round(3)
    (np.float64(-1.0), array([0.707, 0.707]))
    """
    lengths = np.linalg.norm(weak, axis=1)
    weak = weak / np.where(lengths > 0.0, lengths, 1.0)[:, None]
    for kept in _faces(len(weak)):
        values, vectors = eigenpairs(RangeNullSpace(np.concatenate([held, weak[kept]])).Z, W)
        for k in np.flatnonzero(values < below):
            rates = weak @ vectors[:, k]
            for sign in (1.0, -1.0):
                if (sign * rates <= IN_THE_CONE).all():
                    yield values[k], sign * vectors[:, k]
                    break


def _faces(weak: int) -> Iterator[list[int]]:
    # From the whole cone to its edges: which weakly active constraints stay active.
    some = (0, *range(weak - 3, weak)) if weak <= SOME_FACES else (0, weak - 1)
    for size in range(weak + 1) if weak <= FACES else some:
        for kept in combinations(range(weak), size):
            yield list(kept)
