"""x*(p) as a function that JAX can differentiate: the solver finds it, the implicit function theorem differentiates it.

    w = (x, y, z, s),   F(w, p) = 0 the KKT conditions with the constraints that press in their places,   s = 1

The solver runs outside of JAX. s = 1 says that the derivative exists: a strict minimum where every active constraint
presses. Elsewhere s = 0, the last equation is lost and F_w singular: the derivative is NaN, never a plausible number.
Dependent gradients make F_w singular by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lagrange.derivatives.evaluation import Derivatives
from lagrange.derivatives.parameter_derivatives import traced_rows, traced_sides
from lagrange.implicit.root import root
from lagrange.model.named_pytree import Vector
from lagrange.model.program import CrossedSides
from lagrange.model.status import PointKind
from lagrange.optimality.active_set import active_set
from lagrange.result import Result
from lagrange.sensitivity.kkt_equations import Setting, kkt_equations

BITS = np.dtype(np.uint32)
SolveAt = Callable[[Vector, Vector], Result]  # (x0, p)


class Argmin:
    """The solution at p, flat, for JAX; one for each program, so that JAX compiles it once.

    Parameters
    ----------
    solve_at : callable
        (x0, p) -> Result.
    """

    def __init__(self, derivatives: Derivatives, solve_at: SolveAt) -> None:
        self._derivatives, self.program = derivatives, derivatives.program
        self._solve_at = solve_at
        self._equations, self._rows = kkt_equations(self.program), traced_rows(self.program)
        self._sides = traced_sides(self.program)

    def __call__(self, x0: Vector, p: Any) -> tuple[Any, Any, Any]:
        """x (n,), y (m,) and z (n,) at the flat JAX vector p, NaN where no solution is found."""
        import jax.numpy as jnp

        n, m = self.program.n, self.program.m
        w = root(self._residual, self._search, jnp.asarray(x0, p.dtype), p)
        return w[:n], w[n : n + m], w[n + m : n + m + n]

    def value(self, x: Any, p: Any) -> Any:
        """The objective as stated, on flat JAX vectors."""
        return self.program.sign * self._rows(x, p)[0]

    def _search(self, _: Any, x0: Any, p: Any) -> tuple[Any, Any]:
        import jax
        import jax.numpy as jnp

        # The callback may run on a thread where JAX does not know of float64 and would round: numbers travel as bits.
        dtype, words = np.dtype(p.dtype), np.dtype(p.dtype).itemsize // BITS.itemsize

        size = 2 * self.program.n + self.program.m + 1

        def to_bits(vector: Any) -> Any:
            return jax.lax.bitcast_convert_type(vector, BITS).reshape(-1)

        def solve(x0: Any, p: Any) -> tuple[Vector, Any]:
            x0, p = (np.ascontiguousarray(bits).view(dtype).astype(np.float64) for bits in (x0, p))
            try:
                result = self._solve_at(x0, p)
            except CrossedSides:  # no x lies between them
                return np.full(size, np.nan, dtype).view(BITS), np.asarray(False)
            multipliers, exists = np.concatenate([result.y, result.z]), False
            if result.kind is PointKind.STRICT_MINIMUM:
                # Exact zeros tell the equations which constraints do not press.
                active = active_set(result.evaluation(self._derivatives), result)
                pressing = active.places[active.strong]
                multipliers = np.where(np.isin(np.arange(multipliers.size), pressing), multipliers, 0.0)
                exists = bool(active.strong.all())
            w = np.concatenate([result.x, multipliers, [float(exists)]])
            return w.astype(dtype).view(BITS), np.asarray(result.success)

        shape_of: Any = jax.ShapeDtypeStruct  # untyped in JAX
        shapes = shape_of((size * words,), BITS), shape_of((), jnp.bool_)
        bits, found = jax.pure_callback(solve, shapes, to_bits(x0), to_bits(p), vmap_method="sequential")
        return jax.lax.bitcast_convert_type(bits.reshape((size, words) if words > 1 else (size,)), dtype), found

    def _residual(self, w: Any, p: Any) -> Any:
        import jax.numpy as jnp
        from jax import lax

        exists = w[-1]
        multipliers = lax.stop_gradient(w[self.program.n : -1])
        # Which sides are equal is seen at this p.
        at = self._sides(lax.stop_gradient(p))
        equality = jnp.concatenate([at.row_lower == at.row_upper, at.lower == at.upper])
        active, upper = equality | (multipliers != 0.0), equality | (multipliers > 0.0)
        still, as_is = jnp.zeros(active.size, w.dtype), jnp.ones(w.size - 1, w.dtype)
        setting = Setting(p, still, active.astype(w.dtype), upper.astype(w.dtype), as_is)
        known = lax.stop_gradient(exists)
        # Where s = 0 this row feels every parameter, so that the NaN of its solution reaches all of them.
        last = known * (exists - 1.0) + (1.0 - known) * jnp.sum(p)
        return jnp.append(self._equations(w[:-1], setting), last)
