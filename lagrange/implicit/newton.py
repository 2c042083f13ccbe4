"""Newton's method where it contracts, and a plain no where it does not.

    F_w(w_k, p) d_k = -F(w_k, p),    w_{k+1} = w_k + d_k

A start is accepted only if the steps shrink as the theorem of Newton and Kantorovich promises: the first by a factor
of 2 at least, each later one by 4. Then there is one solution near the start, and this is it; a root that Newton
reaches by wandering is another root (Deuflhard 2004, "Newton Methods for Nonlinear Problems", section 2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lagrange.implicit.linear_solve import Array, Inverse, inverse

Equations = Callable[[Any, Any], Any]  # F(w, p): w an array (n,), p any pytree of arrays; returns (n,)

FIRST_CONTRACTION, LATER_CONTRACTION = 0.5, 0.25
LARGEST_STEPS = 20
ARRIVED = 4.0  # a step of so many roundings of w is the last
ROUNDING_FLOOR = 0.5  # steps below eps^0.5 that no longer shrink are rounding


class Root(NamedTuple):
    """Where Newton's method went: the point, whether it contracted to it, whether F and F_w stayed finite."""

    w: Array
    converged: Array
    finite: Array


def jacobian_inverse(F: Equations, w: Array, p: Any) -> Inverse:
    """The inverse of F_w at (w, p)."""
    return inverse(jacobian_map(F, w, p), w)


def jacobian_map(F: Equations, w: Array, p: Any) -> Callable[[Array], Array]:
    """v -> F_w(w, p) v, linearized once."""
    import jax

    _, along = jax.linearize(lambda w: F(w, p), w)
    return along


def newton(F: Equations, start: Array, p: Any, level: Any = 0.0) -> Root:
    """The root of F(., p) that Newton's method contracts to from `start`. Traceable by JAX.

    `level` is the size of w nearby: where w passes through zero, rounding is relative to it.
    """
    import jax
    import jax.numpy as jnp
    from jax import lax

    eps = np.finfo(start.dtype).eps

    def next_step(w: Array, step: Array, inverted: Inverse) -> Array:
        # Twice the step that will follow, F_w^-1 F_ww[d, d]: where that is rounding beside d, d is the last.
        if inverted.sign is None:
            return jnp.asarray(jnp.inf, w.dtype)
        bend = jax.jvp(lambda w: jacobian_map(F, w, p)(step), (w,), (step,))[1]
        return jnp.max(jnp.abs(inverted.apply(bend)))

    def iterate(state: tuple[Any, ...]) -> tuple[Any, ...]:
        k, w, before, _, _, _ = state
        residual = F(w, p)
        inverted = jacobian_inverse(F, w, p)
        step = inverted.apply(-residual)
        size, reached = jnp.max(jnp.abs(step)), w + step
        size_of_w = jnp.maximum(level, jnp.max(jnp.abs(reached)))
        finite = jnp.all(jnp.isfinite(residual)) & jnp.isfinite(size) & jnp.isfinite(size_of_w)
        allowed = jnp.where(k == 0, jnp.inf, jnp.where(k == 1, FIRST_CONTRACTION, LATER_CONTRACTION)) * before
        # A singular F_w has no step either, but F goes on.
        defined = jnp.all(jnp.isfinite(residual)) & (
            jnp.isfinite(size) if inverted.sign is None else ~jnp.isnan(inverted.sign)
        )
        contracts = size <= allowed
        floor = ~contracts & (size <= eps**ROUNDING_FLOOR * size_of_w)
        last = (size <= ARRIVED * eps * size_of_w) | ((k > 0) & (next_step(w, step, inverted) <= ARRIVED * eps * size))
        arrived = finite & (last | floor)
        return k + 1, jnp.where(finite, reached, w), size, arrived, finite & (contracts | arrived), defined

    def goes_on(state: tuple[Any, ...]) -> Any:
        k, _, _, arrived, contracts, _ = state
        return ~arrived & contracts & (k < LARGEST_STEPS)

    no, yes = jnp.asarray(False), jnp.asarray(True)
    state = (0, start, jnp.asarray(jnp.inf, start.dtype), no, yes, yes)
    _, w, _, arrived, _, defined = lax.while_loop(goes_on, iterate, state)
    return Root(w, arrived, defined)
