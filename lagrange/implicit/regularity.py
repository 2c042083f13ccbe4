"""Whether the implicit function theorem applies at a point: F_w nonsingular, measured, and named where it is not.

Singular values are taken of F_w with rows and columns scaled to size 1, so that units decide nothing. Beside the rank
stands a second measure. What is left of F, and rounding, move w by

    delta = F_w^-1 (|F| + eps (|F_w||w| + |F_p||p|)),

and along the weakest direction v, F_w changes by F_ww v: near a fold the product

    eta = || F_w^-1 F_ww[v, v] || || delta ||

is the Newton-Kantorovich number of these errors. Where it is not small, no digits of dw/dp are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.implicit.linear_solve import SINGULAR, equilibration
from lagrange.implicit.root import LARGEST_ETA
from lagrange.implicit.system import System
from lagrange.kkt.dependence import dependent_groups
from lagrange.model.named_pytree import Vector, point_text

EPS = float(np.finfo(np.float64).eps)
LOST = 1e-3  # singular values and coefficients below this share of their scale are taken for zero in words
NAMED_SHARE = 0.3  # entries of the null direction above this share of the largest are named


@dataclass(frozen=True)
class Regularity:
    """How far F_w is from singular at one point.

    Attributes
    ----------
    regular : bool
        The theorem applies: w is a smooth function of p nearby.
    rank, size : int
        Numerical rank of F_w, and its number of rows.
    margin : float
        Smallest over largest singular value of F_w scaled to rows and columns of size 1: what `rank` is decided on.
    smallest_singular_value, condition : float
        Of F_w as it is, in the units of F and w.
    null_direction : pytree like w
        Unit vector along which F_w is weakest; the null direction where it is singular.
    distance : float
        How far w may move along it before F_w is singular, to first order; inf where F_ww vanishes along it.
    rounding : float
        Relative error of dw/dp that rounding and what is left of F cause (eta above).
    weakest : tuple of str
        Names of the unknowns that the null direction consists of.
    """

    regular: bool
    rank: int
    size: int
    margin: float
    smallest_singular_value: float
    condition: float
    null_direction: Any
    distance: float
    rounding: float
    weakest: tuple[str, ...]

    def __str__(self) -> str:
        verdict = "regular" if self.regular else "singular"
        return (
            f"F_w is {verdict}: rank {self.rank} of {self.size}, margin {self.margin:.2g}, smallest singular value "
            f"{self.smallest_singular_value:.3g}, condition {self.condition:.2g}, weakest along "
            f"{', '.join(self.weakest)}"
        )


class NotRegular(ArithmeticError):
    """The implicit function theorem does not apply: F_w is singular, at the place and along the direction named.

    Attributes
    ----------
    w, p : pytrees
        The place.
    null_direction : pytree like w
    regularity : Regularity
    """

    def __init__(self, message: str, w: Any, p: Any, regularity: Any) -> None:
        super().__init__(message)
        self.w, self.p, self.regularity = w, p, regularity
        self.null_direction = regularity.null_direction


class NotConverged(ArithmeticError):
    """No solution was found: the iteration did not converge, and what it reached is not returned as one."""


def measure(system: System, w: Vector, p: Vector) -> Regularity:
    """The regularity of F_w at (w, p)."""
    F_w, F_p = system.jacobians(w, p)
    n = system.n
    finite = bool(np.isfinite(F_w).all())
    matrix = np.nan_to_num(F_w)
    # Powers of two: R F_w C has entries of size 1, and the null vector is C times that of R F_w C.
    rows, columns = equilibration(np, matrix)
    left, values, right = np.linalg.svd(rows[:, None] * matrix * columns)
    rank = int(np.count_nonzero(values > SINGULAR * n * EPS * values[0])) if finite and values[0] > 0.0 else 0
    direction = columns * right[-1]
    direction = direction / np.linalg.norm(direction)
    plain = np.linalg.svd(matrix, compute_uv=False)
    condition = float(plain[0] / plain[-1]) if plain[-1] > 0.0 else float("inf")

    distance, rounding = 0.0, float("inf")
    if rank == n:

        def solve(b: Vector) -> Vector:
            x: Vector = columns * (right.T @ ((left.T @ (rows * b)) / values))
            return x

        bend = float(np.linalg.norm(solve(system.second_along(w, p, direction))))
        moved = np.abs(system.value(w, p)) + EPS * (np.abs(F_w) @ np.abs(w) + np.abs(np.nan_to_num(F_p)) @ np.abs(p))
        rounding = bend * float(np.linalg.norm(solve(moved)))
        distance = 1.0 / bend if bend > 0.0 else float("inf")
    names = system.unknowns.names()
    weakest = tuple(names[i] for i in np.flatnonzero(np.abs(direction) > NAMED_SHARE * np.abs(direction).max()))
    return Regularity(
        regular=rank == n and rounding <= LARGEST_ETA,
        rank=rank,
        size=n,
        margin=float(values[-1] / values[0]) if values[0] > 0.0 else 0.0,
        smallest_singular_value=float(plain[-1]),
        condition=condition,
        null_direction=system.unknowns.tree(_with_sign(direction)),
        distance=distance,
        rounding=rounding,
        weakest=weakest,
    )


def not_regular(
    system: System, w: Vector, p: Vector, where: str, found: Regularity, came_from: tuple[Vector, Vector]
) -> NotRegular:
    """The error that says where F_w is singular, along what, and what to do next.

    `came_from` (w, p) gives the sizes that numbers are compared with.
    """
    unknowns, parameters = system.unknowns, system.parameters
    direction = unknowns.flatten(found.null_direction, "w")
    names = unknowns.names()
    message = (
        f"{where}: the Jacobian of {system.name} with respect to ({', '.join(names[:8])}) is singular at "
        f"({point_text(names, w)}), ({point_text(parameters.names(), p)}), with null direction "
        f"({point_text(names, direction)}). {_kind(system, w, p, came_from)}"
    )
    return NotRegular(message, unknowns.tree(w), parameters.tree(p), found)


def _kind(system: System, w: Vector, p: Vector, came_from: tuple[Vector, Vector]) -> str:
    # A simple fold: one direction v is lost, u'F_p != 0 and u'F_ww[v, v] != 0 with u the left null vector. In units of
    # w and p:  |u'F_p| |p|  and  |u'F_ww[v, v]| |w|^2  are both changes of F.
    F_w, F_p = (np.nan_to_num(matrix) for matrix in system.jacobians(w, p))
    left, values, right = np.linalg.svd(F_w)
    bend = np.nan_to_num(system.second_along(w, p, right[-1]))
    size_w, size_p = (
        max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0)) or 1.0
        for a, b in zip(came_from, (w, p), strict=True)
    )
    reach = max(float(values[0]), float(np.linalg.norm(bend)) * size_w)
    lost = np.count_nonzero(values <= LOST * reach)
    leads = float(np.abs(left[:, -1] @ F_p).max(initial=0.0)) * size_p
    curves = abs(float(left[:, -1] @ bend)) * size_w**2
    if lost == 1 and min(leads, curves) > LOST * max(leads, curves):
        return (
            "This is a fold: two solutions meet here and there is none beyond. Stay on this side, or take another of "
            "the variables for the parameter."
        )
    groups = [group for group in dependent_groups(F_w, list(system.equations)) if len(group) > 1]
    dependence = f" ({groups[0][0]} depends linearly on {', '.join(groups[0][1:])} here)" if groups else ""
    return (
        f"Solutions meet here (a branch point or a cusp) or the equations depend on each other{dependence}: no smooth "
        f"function passes through. Choose a point away from it, go around, or take other unknowns."
    )


def _with_sign(direction: Vector) -> Vector:
    # The largest entry positive, and no negative zeros.
    sign = 1.0 if direction[np.abs(direction).argmax()] > 0 else -1.0
    return sign * direction + 0.0
