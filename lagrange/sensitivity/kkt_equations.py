"""The KKT conditions of a given active set as equations F(w, p) = 0 for an implicit function.

w = (x, lambda) in units of `scale`,   lambda over all rows and variables

F = [ grad_x f + J'lambda_c + lambda_x          ]
    [ value_i - side_i - shift_i   if i active  ]      value = (c, x),  side: the upper or lower one
    [ lambda_i                     if not       ]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from lagrange.derivatives.parameter_derivatives import traced_rows, traced_sides
from lagrange.model.program import Program


class Setting(NamedTuple):
    """What the equations depend on: parameters (q,), shifts of the sides (m + n,), the active set, and units.

    `active` and `upper` are (m + n,) of 0 and 1: which sides are active, and whether the upper one. `scale`
    (n + m + n,) holds the units of the unknowns.
    """

    p: Any
    shift: Any
    active: Any
    upper: Any
    scale: Any


def kkt_equations(program: Program) -> Callable[[Any, Any], Any]:
    """F(w, setting) for JAX, on flat vectors."""
    import jax
    import jax.numpy as jnp

    rows, sides = traced_rows(program), traced_sides(program)
    m, n = program.m, program.n

    def equations(w: Any, setting: Any) -> Any:
        setting = Setting(*setting)
        x, multipliers = jnp.split(setting.scale * w, [n])

        def lagrangian(x: Any) -> Any:
            values = rows(x, setting.p)
            return values[0] + multipliers[:m] @ values[1:] + multipliers[m:] @ x

        at = sides(setting.p)
        lower, upper = jnp.concatenate([at.row_lower, at.lower]), jnp.concatenate([at.row_upper, at.upper])
        side = jnp.where(setting.upper > 0, upper, lower)
        # An absent side is infinite, and inactive: it must not enter, not even times zero.
        side = jnp.where(setting.active > 0, jnp.where(jnp.isfinite(side), side, 0.0), 0.0)
        value = jnp.concatenate([rows(x, setting.p)[1:], x])
        complementarity = jnp.where(setting.active > 0, value - side - setting.shift, multipliers)
        return jnp.concatenate([jax.grad(lagrangian)(x), complementarity])

    return equations
