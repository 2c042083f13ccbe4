"""The solution as an implicit function of one moving number, with the active set held: F(w, t) = 0.

    p(t) = p + t dp,    sides(t) = sides + t dside,    w = (x, lambda of the constraints that are held)

    F = [ grad_x f + A'lambda ]          F_w = [ W  A' ]          F_t = [ G dp                  ]
        [ value - side(t)     ]                [ A  0  ]                [ (value - side)_p dp - dside ]

Followed by the same continuation as every implicit function, so the path stays on its branch and ends where the KKT
matrix becomes singular. All derivatives are those that the solve compiled.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.parameter_derivatives import ParameterSource, Sides
from lagrange.implicit.continuation import follow_path
from lagrange.implicit.linear_solve import dense_inverse
from lagrange.implicit.newton import Linearized, numpy_backend
from lagrange.model.named_pytree import Vector
from lagrange.model.program import CrossedSides
from lagrange.model.standard_form import Indices
from lagrange.sensitivity.event import ActiveSides

STOPPED = 1e-10  # steps below this, relative to t, are none: the path ends there


@dataclass(frozen=True)
class Place:
    """A point of the path: t and w = (x, all multipliers) (n + m + n,).

    Attributes
    ----------
    finite : whether F was finite just beyond, where the path ends here
    steps : of the continuation from the place before
    """

    t: float
    w: Vector
    finite: bool = True
    steps: int = 0


@dataclass(frozen=True)
class SolutionPath:
    """The path of one moving number from a solution; `scale` (n + m + n,) holds the sizes of the unknowns along it."""

    derivatives: Derivatives
    source: ParameterSource
    p: Vector
    dp: Vector
    dside: Vector
    held: ActiveSides
    scale: Vector

    def advance(self, place: Place, t: float) -> Place:
        """The place at t, or where the path ended on the way to it."""
        n = self.derivatives.program.n
        places = np.flatnonzero(self.held.sides)
        unknowns = np.concatenate([np.arange(n), n + places])
        scale, way = self.scale[unknowns], place.t - t

        # Unknowns in units of `scale`: a change of them by one is a change that matters. The end of one step is the
        # beginning of the next.
        @functools.lru_cache(maxsize=2)
        def known(v: bytes, s: float) -> Linearized:
            return self._linearized(np.frombuffer(v), scale, places, t + s * way, way)

        def moves(s: float, step: float) -> bool:
            return bool(step * abs(way) > STOPPED * abs(t + s * way))

        with np.errstate(all="ignore"):  # what is not finite ends the path
            start = place.w[unknowns] / scale
            path = follow_path(numpy_backend(), lambda v, s: known(v.tobytes(), float(s)), moves, start, 1.0)
        w = np.zeros(place.w.size)
        w[unknowns] = scale * path.w
        reached = t if path.arrived else t + float(path.remaining) * way
        return Place(reached, w, bool(path.finite), int(path.steps))

    def setting(self, t: float) -> tuple[Vector, Vector]:
        """Parameters and shifts of the sides at t."""
        return self.p + t * self.dp, t * self.dside

    def _linearized(self, v: Vector, scale: Vector, places: Indices, t: float, way: float) -> Linearized:
        program = self.derivatives.program
        n, m, k = program.n, program.m, places.size
        p, shift = self.setting(t)
        evaluation = Evaluation(self.derivatives, p)
        on_upper = self.held.sides > 0.0
        try:
            side = np.where(on_upper, *_sides(evaluation))[places] + shift[places]
        except CrossedSides:  # there is nothing beyond
            return _nowhere(v.size)
        x, spread = scale[:n] * v[:n], np.zeros(m + n)
        spread[places] = scale[n:] * v[n:]
        weights = np.concatenate([[1.0], spread[:m]])
        jacobian, W = evaluation.derivatives(x, weights)
        values = np.concatenate([evaluation.values(x)[1:], x])
        A = np.concatenate([jacobian[1:], np.eye(n)])[places]
        F = np.concatenate([jacobian[0] + spread[places] @ A, values[places] - side])
        matrix = np.zeros((n + k, n + k))
        matrix[:n, :n], matrix[:n, n:], matrix[n:, :n] = W, A.T, A
        matrix *= scale

        def slope() -> Vector:
            # F_s = F_t dt/ds
            below, above = np.where(on_upper, 0.0, spread), np.where(on_upper, spread, 0.0)
            found = self.source(x, p, weights, Sides(below[:m], above[:m], below[m:], above[m:]))
            moved = (np.concatenate(pair) @ self.dp for pair in _upper_and_lower(found.sides))
            of_values = np.concatenate([found.rows[1:] @ self.dp, np.zeros(n)])
            of_rows = of_values - np.where(on_upper, *moved) - self.dside
            return way * np.concatenate([found.mixed @ self.dp, of_rows[places]])

        return Linearized(F, lambda d: matrix @ d, dense_inverse(matrix), slope, None)


def _sides(evaluation: Evaluation) -> list[Vector]:
    program, p = evaluation.program, evaluation.p
    return [np.concatenate(pair) for pair in _upper_and_lower(Sides(*program.row_sides(p), *program.bound_sides(p)))]


def _upper_and_lower(sides: Sides) -> tuple[tuple[Vector, Vector], tuple[Vector, Vector]]:
    return (sides.row_upper, sides.upper), (sides.row_lower, sides.lower)


def _nowhere(size: int) -> Linearized:
    nothing = np.full(size, np.nan)
    return Linearized(nothing, lambda d: nothing, dense_inverse(np.full((size, size), np.nan)), lambda: nothing, None)
