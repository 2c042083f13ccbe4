"""Newton's method where it contracts, and a plain no where it does not.

    F_w(w_k) d_k = -F(w_k),    w_{k+1} = w_k + d_k

A start is accepted only if the steps shrink as the theorem of Newton and Kantorovich promises: the first by a factor
of 2 at least, each later one by 4. Then there is one solution near the start, and this is it; a root that Newton
reaches by wandering is another root (Deuflhard 2004, "Newton Methods for Nonlinear Problems", section 2.1).

Written once for arrays of JAX, where it can be compiled and differentiated, and of NumPy, where F is compiled already.
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


class Backend(NamedTuple):
    """Where arrays live: their functions, a loop (while_true, body, state) -> state, and a choice (true, yes, no)."""

    xp: Any
    loop: Callable[[Callable[[Any], Any], Callable[[Any], Any], Any], Any]
    choose: Callable[[Any, Callable[[], Any], Callable[[], Any]], Any]


class Linearized(NamedTuple):
    """F at one point of a path.

    Attributes
    ----------
    value : (n,) F
    times : v -> F_w v
    inverse : of F_w
    slope : () -> (n,) dF/ds along the path, where there is one
    bend : d -> F_ww[d, d]; None where it is not known
    """

    value: Array
    times: Callable[[Array], Array]
    inverse: Inverse
    slope: Callable[[], Array] | None
    bend: Callable[[Array], Array] | None


class Root(NamedTuple):
    """Where Newton's method went: the point, whether it contracted to it, whether F and F_w stayed finite."""

    w: Array
    converged: Array
    finite: Array


def jax_backend() -> Backend:
    """Arrays, loop and choice of JAX."""
    import jax.numpy as jnp
    from jax import lax

    return Backend(jnp, lax.while_loop, lax.cond)


def numpy_backend() -> Backend:
    """Arrays of NumPy, and Python's own loop and choice."""

    def loop(goes_on: Callable[[Any], Any], body: Callable[[Any], Any], state: Any) -> Any:
        while goes_on(state):
            state = body(state)
        return state

    return Backend(np, loop, lambda true, yes, no: yes() if true else no())


def jacobian_inverse(F: Equations, w: Array, p: Any) -> Inverse:
    """The inverse of F_w at (w, p)."""
    return inverse(jacobian_map(F, w, p), w)


def jacobian_map(F: Equations, w: Array, p: Any) -> Callable[[Array], Array]:
    """v -> F_w(w, p) v, linearized once."""
    import jax

    _, along = jax.linearize(lambda w: F(w, p), w)
    return along


def linearized(F: Equations, w: Array, p: Any, slope: Callable[[], Array] | None = None) -> Linearized:
    """F at (w, p), for JAX; `slope` is dF/ds along a path."""
    import jax

    times = jacobian_map(F, w, p)

    def bend(d: Array) -> Array:
        return jax.jvp(lambda w: jacobian_map(F, w, p)(d), (w,), (d,))[1]

    return Linearized(F(w, p), times, inverse(times, w), slope, bend)


def newton(backend: Backend, at: Callable[[Array], Linearized], start: Array, level: Any = 0.0) -> Root:
    """The root that Newton's method contracts to from `start`; traceable by JAX with its backend.

    `level` is the size of w nearby: where w passes through zero, rounding is relative to it.
    """
    xp = backend.xp
    eps = np.finfo(start.dtype).eps

    def next_step(here: Linearized, step: Array) -> Array:
        # Twice the step that will follow, F_w^-1 F_ww[d, d]: where that is rounding beside d, d is the last.
        if here.bend is None or here.inverse.sign is None:
            return xp.asarray(xp.inf, step.dtype)
        return xp.max(xp.abs(here.inverse.apply(here.bend(step))))

    def iterate(state: tuple[Any, ...]) -> tuple[Any, ...]:
        k, w, before, _, _, _ = state
        here = at(w)
        step = here.inverse.apply(-here.value)
        size, reached = xp.max(xp.abs(step)), w + step
        size_of_w = xp.maximum(level, xp.max(xp.abs(reached)))
        finite = xp.all(xp.isfinite(here.value)) & xp.isfinite(size) & xp.isfinite(size_of_w)
        allowed = xp.where(k == 0, xp.inf, xp.where(k == 1, FIRST_CONTRACTION, LATER_CONTRACTION)) * before
        # A singular F_w has no step either, but F goes on.
        sign = here.inverse.sign
        defined = xp.all(xp.isfinite(here.value)) & (xp.isfinite(size) if sign is None else ~xp.isnan(sign))
        contracts = size <= allowed
        floor = ~contracts & (size <= eps**ROUNDING_FLOOR * size_of_w)
        last = (size <= ARRIVED * eps * size_of_w) | ((k > 0) & (next_step(here, step) <= ARRIVED * eps * size))
        arrived = finite & (last | floor)
        return k + 1, xp.where(finite, reached, w), size, arrived, finite & (contracts | arrived), defined

    def goes_on(state: tuple[Any, ...]) -> Any:
        k, _, _, arrived, contracts, _ = state
        return ~arrived & contracts & (k < LARGEST_STEPS)

    no, yes = xp.asarray(False), xp.asarray(True)
    state = (0, start, xp.asarray(xp.inf, start.dtype), no, yes, yes)
    _, w, _, arrived, _, defined = backend.loop(goes_on, iterate, state)
    return Root(w, arrived, defined)
