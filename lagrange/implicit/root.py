"""The implicit function theorem as one rule of differentiation.

    F(w(p), p) = 0   =>   dw = -F_w^-1 F_p dp

However the root was found, this is its derivative: the steps of the solver are neither stored nor differentiated. The
rule calls the root itself, so it holds for derivatives of any order; its linear solve is transposed for reverse mode.
A root that was not found is NaN, with a warning when the code runs under `jax.jit`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lagrange.implicit.linear_solve import Array, rough_solution, solve
from lagrange.implicit.newton import Equations

LARGEST_ETA = 1e-2  # a larger change of F_w along what is left of the residual, and no digits of dw/dp are left

Search = Callable[[Equations, Any, Any], tuple[Any, Any]]
"""(F, start, p) -> (w, found): a traceable way to find a root, `start` whatever it begins from."""


class ImplicitFunctionWarning(RuntimeWarning):
    """A root was not found inside code that JAX runs: its value and derivatives are NaN."""


def root(F: Equations, search: Search, start: Any, p: Any) -> Array:
    """w with F(w, p) = 0 as a function of p for JAX: jit, vmap, and derivatives of any order; NaN where not found.

    `start` is taken for constant. F and `search` are compiled once each for every shape.
    """
    return _differentiable_root()(F, search, start, p)


@functools.cache
def _differentiable_root() -> Callable[..., Any]:  # made once, when JAX is needed first
    import jax
    import jax.numpy as jnp
    from jax import lax

    @jax.custom_batching.custom_vmap
    def report(found: Array) -> Array:
        jax.lax.cond(found, lambda _: None, lambda flag: jax.debug.callback(_warn, flag), found)
        return found

    @report.def_vmap  # one warning for a batch, not a callback for every lane
    def report_batch(size: int, batched: Any, found: Array) -> tuple[Array, Any]:
        return report(jnp.all(found)), False

    def value(F: Equations, search: Search, start: Any, p: Any) -> Array:
        w, found = search(F, start, p)
        report(found)
        return jnp.where(found, w, jnp.nan)

    differentiable = jax.custom_jvp(value, nondiff_argnums=(0, 1))

    def rule(F: Equations, search: Search, primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
        (start, p), (_, dp) = primals, tangents
        w = differentiable(F, search, start, p)
        _, F_p_dp = jax.jvp(lambda p: F(w, p), (p,), (dp,))
        _, F_w = jax.linearize(lambda w: F(w, p), w)
        exists = lax.stop_gradient(is_determined(F, lax.stop_gradient(w), lax.stop_gradient(p)))
        return w, solve(F_w, -F_p_dp) * jnp.where(exists, 1.0, jnp.nan).astype(w.dtype)

    differentiable.defjvp(rule)
    return jax.jit(differentiable, static_argnums=(0, 1))


def is_determined(F: Equations, w: Array, p: Any) -> Array:
    """Whether what the search left of the residual still lets the derivative be told.

    With d = -F_w^-1 F the step that is left, F_w changes along it by F_ww d: where || F_ww[d, d] || is no small share
    of || F_w d ||, w is nearer to a singular point than to its root.
    """
    import jax
    import jax.numpy as jnp

    residual, along = jax.linearize(lambda w: F(w, p), w)
    step = rough_solution(along, -residual)
    bend = jax.jvp(lambda w: jax.jvp(lambda w: F(w, p), (w,), (step,))[1], (w,), (step,))[1]
    return ~(jnp.max(jnp.abs(bend)) > LARGEST_ETA * jnp.max(jnp.abs(along(step))))


def _warn(found: Any) -> None:
    if not np.all(found):
        warnings.warn(
            "an implicit function has no value here: the equations are singular or the iteration did not converge, "
            "and the result is NaN. Call it outside of jax.jit at the same argument: the error tells where and why",
            ImplicitFunctionWarning,
            stacklevel=2,
        )
