"""How far an implicit function reaches, estimated by the theorem of Newton and Kantorovich.

With w = w0 + S dp + z and S = -F_w^-1 F_p, the map z -> z - F_w^-1 F(w0 + S dp + z, p0 + dp) has, for |dp| <= r and
second derivatives taken for constant,

    || first step || <= c r^2 / 2,     contraction q <= b r + L |z|,

    c = || F_w^-1 F''[(S, 1), (S, 1)] ||,   b = || F_w^-1 F''[(S, 1), (., 0)] ||,   L = || F_w^-1 F_ww ||,

and maps the ball |z| <= (1 - b r) / 2L into itself as long as c r^2 / 2 <= (1 - b r)^2 / 4L, that is

    r = 1 / (b + sqrt(2 c L)).

On a fold x^2 = p at p = 1 it gives 0.83 of the true radius 1. With third derivatives it may also be too large: it is an
estimate, and a proof needs bounds over a box.
"""

from __future__ import annotations

import math

import numpy as np

from lagrange.implicit.system import System
from lagrange.model.named_pytree import Vector


def radius(system: System, w: Vector, p: Vector, directions: Vector) -> float:
    """The estimate at a regular point (w, p) for dp in the span of these columns, (parameters, k): in units of them."""
    F_w, F_p = system.jacobians(w, p)
    n, second = w.size, system.second_derivatives(w, p)
    T = np.asarray(np.linalg.solve(F_w, second.reshape(n, -1))).reshape(second.shape)
    # Columns: how (w, p) moves along each direction, to first order.
    move = np.concatenate([np.linalg.solve(F_w, -F_p @ directions), directions])
    L = _norm(T[:, :n, :n])
    b = _norm(np.einsum("ijk,ja->iak", T, move)[:, :, :n])
    c = _norm(np.einsum("ijk,ja,kb->iab", T, move, move))
    slope = b + math.sqrt(2.0 * c * L)
    return 1.0 / slope if slope > 0.0 else math.inf


def _norm(bilinear: Vector) -> float:
    # An upper bound of max |B[u, v]| over unit u, v: the spectral norm of its unfolding.
    return float(np.linalg.norm(bilinear.reshape(bilinear.shape[0], -1), 2)) if bilinear.size else 0.0
