"""Events along a path of solutions: a slack or a multiplier that reaches zero, and so ends the active set.

One function per side of every row and variable, positive as long as the active set holds:

    value - lower  and  upper - value   where the side is not active,      signs * multiplier   where it presses
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.model.named_pytree import Mask, Vector
from lagrange.result import bound_name


@dataclass(frozen=True)
class ActiveSides:
    """Which side of each row and variable is active: (m + n,) of -1, 0, +1, and where it is an equality."""

    sides: Vector
    equality: Mask


def event_values(derivatives: Derivatives, held: ActiveSides, p: Vector, shift: Vector, w: Vector) -> Vector:
    """The event functions at w = (x, multipliers), shape (3, m + n): lower slack, upper slack, pressure; inf for none.

    `shift` (m + n,) is added to the active sides.
    """
    program = derivatives.program
    n, m = program.n, program.m
    values = np.concatenate([Evaluation(derivatives, p).values(w[:n])[1:], w[:n]])
    lower, upper = (np.concatenate(pair) for pair in zip(program.row_sides(p), program.bound_sides(p), strict=True))
    lower = lower + np.where(held.sides < 0, shift, 0.0)
    upper = upper + np.where(held.sides > 0, shift, 0.0)
    presses = (held.sides != 0) & ~held.equality
    assert w.size == n + m + n
    return np.stack(
        [
            np.where(held.equality | (held.sides < 0), np.inf, values - lower),
            np.where(held.equality | (held.sides > 0), np.inf, upper - values),
            np.where(presses, held.sides * w[n:], np.inf),
        ]
    )


def event_name(derivatives: Derivatives, held: ActiveSides, index: int) -> str:
    """What happens where entry `index` of the flat event functions reaches zero."""
    program = derivatives.program
    kind, place = divmod(index, program.m + program.n)
    side = (-1.0, 1.0)[kind] if kind < 2 else float(held.sides[place])
    if place >= program.m:
        name = bound_name(program.variable_names[place - program.m], side)
    else:
        name = program.row_names[place]
    return f"{name} {'is released' if kind == 2 else 'becomes active'}"
