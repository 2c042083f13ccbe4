"""The solution as an implicit function of one moving number, with the active set held: F(w, p(t)) = 0.

    p(t) = p + t dp,    sides(t) = sides + t dside,    w = (x, multipliers)

Followed by the same continuation as every implicit function, so the path stays on its branch and ends where the KKT
matrix becomes singular.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.derivatives.evaluation import Derivatives
from lagrange.implicit.implicit_function import followed
from lagrange.implicit.system import System
from lagrange.model.named_pytree import Layout, Vector
from lagrange.sensitivity.event import ActiveSides
from lagrange.sensitivity.kkt_equations import kkt_equations


@dataclass(frozen=True)
class Place:
    """A point of the path: t, w (n + m + n,), and whether F was finite just beyond where it ended."""

    t: float
    w: Vector
    finite: bool = True


def kkt_system(derivatives: Derivatives) -> System:
    """The KKT equations of a program as a `System`, compiled once; its parameters are a flat `Setting`."""
    program = derivatives.program
    size = program.m + program.n
    equations = kkt_equations(program)
    ends = np.cumsum([program.parameters.size, size, size, size]).tolist()

    def call(w: Any, flat: Any) -> Any:
        import jax.numpy as jnp

        return equations(w, jnp.split(flat, ends))

    unknowns = Layout(None, ("w",), ((program.n + size,),))
    setting = Layout(None, ("setting",), ((ends[-1] + program.n + size,),))
    return System("the KKT conditions", call, unknowns, setting, ())


@dataclass(frozen=True)
class SolutionPath:
    """The path of one moving number from a solution; `scale` (n + m + n,) holds the sizes of the unknowns along it."""

    system: System
    p: Vector
    dp: Vector
    dside: Vector
    held: ActiveSides
    scale: Vector

    def advance(self, place: Place, t: float) -> Place:
        """The place at t, or where the path ended on the way to it."""
        start, end = self._setting(place.t), self._setting(t)
        met = np.zeros(self.system.n)
        path = followed(self.system, place.w / self.scale, (start, met), (end, met))
        reached = t + float(path.remaining) * (place.t - t)
        return Place(t if path.arrived else reached, self.scale * path.w, bool(path.finite))

    def setting(self, t: float) -> tuple[Vector, Vector]:
        """Parameters and shifts of the sides at t."""
        return self.p + t * self.dp, t * self.dside

    def _setting(self, t: float) -> Vector:
        active, upper = self.held.sides != 0.0, self.held.sides > 0.0
        return np.concatenate([*self.setting(t), active.astype(float), upper.astype(float), self.scale])
