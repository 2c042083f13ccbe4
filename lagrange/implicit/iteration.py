"""Iterations for a fixed point z = g(z), in constant memory: Picard, Anderson, Newton.

    Picard      z_{k+1} = g(z_k)
    Anderson    z_{k+1} = g_k - dG gamma,   gamma = argmin || r_k - dR gamma ||,   r = g - z,

with dG, dR the last changes of g and r (Anderson 1965; Walker and Ni 2011, SIAM J. Numer. Anal. 49, equation 2.1).
Newton's method solves g(z) - z = 0 by the homotopy that implicit functions start with. Written for JAX: each iteration
is one `advance` of a state of fixed size, so the same code runs inside `jax.jit` and step by step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lagrange.implicit.continuation import follow
from lagrange.implicit.newton import Equations
from lagrange.implicit.root import Search

SOLVERS = ("anderson", "newton", "picard")
WINDOW = 5  # changes that Anderson's method remembers
TOLERANCE = 2.0 / 3.0  # default relative residual, as a power of the rounding unit


class State(NamedTuple):
    """Where an iteration stands.

    Attributes
    ----------
    k : iterations so far;  z : the point;  residual : g(z) - z
    scale : what the residual is relative to: the larger of |g(z)| and the first residual
    changes_z, changes_residual : (WINDOW, n) the last changes, zeros where there are none yet
    """

    k: Any
    z: Any
    residual: Any
    first: Any
    changes_z: Any
    changes_residual: Any

    @property
    def relative_residual(self) -> Any:
        """|g(z) - z| relative to the larger of |g(z)| and the first residual."""
        import jax.numpy as jnp

        size = jnp.linalg.norm(self.residual)
        scale = jnp.maximum(jnp.linalg.norm(self.z + self.residual), self.first)
        return jnp.where(size == 0.0, 0.0, size / scale)


def initial(F: Equations, z0: Any, p: Any) -> State:
    """The state at z0, with F(z, p) = g(z) - z."""
    import jax.numpy as jnp

    residual = F(z0, p)
    nothing = jnp.zeros((WINDOW, z0.size), z0.dtype)
    return State(0, z0, residual, jnp.linalg.norm(residual), nothing, nothing)


def advance(F: Equations, solver: str, state: State, p: Any) -> State:
    """One iteration of "picard" or "anderson"."""
    import jax.numpy as jnp

    step = state.residual
    if solver == "anderson":
        # gamma from the normal equations, raised by rounding so that empty and dependent columns do no harm
        dR, dZ = state.changes_residual, state.changes_z
        normal = dR @ dR.T
        ridge = np.finfo(normal.dtype).eps * jnp.trace(normal) + np.finfo(normal.dtype).tiny
        gamma = jnp.linalg.solve(normal + ridge * jnp.eye(WINDOW, dtype=normal.dtype), dR @ state.residual)
        step = state.residual - (dZ + dR).T @ gamma
    z = state.z + step
    residual = F(z, p)

    def pushed(changes: Any, newest: Any) -> Any:
        return jnp.concatenate([changes[1:], newest[None]])

    return State(
        state.k + 1,
        z,
        residual,
        state.first,
        pushed(state.changes_z, step),
        pushed(state.changes_residual, residual - state.residual),
    )


@functools.cache
def searcher(solver: str, tol: float | None, max_iterations: int) -> Search:
    """The search (for `root`) that iterates from z0 until the relative residual is at most `tol`."""
    from jax import lax

    def by_newton(F: Equations, z0: Any, p: Any) -> tuple[Any, Any]:
        first = F(z0, p)
        path = follow(lambda z, s: F(z, p) - s * first, z0, first[0] * 0 + 1, first[0] * 0)
        return path.w, path.arrived

    def by_iteration(F: Equations, z0: Any, p: Any) -> tuple[Any, Any]:
        wanted = tolerance(tol, z0)
        state = lax.while_loop(
            lambda state: (state.relative_residual > wanted) & (state.k < max_iterations),
            lambda state: advance(F, solver, state, p),
            initial(F, z0, p),
        )
        return state.z, state.relative_residual <= wanted

    return by_newton if solver == "newton" else by_iteration


def tolerance(tol: float | None, z: Any) -> float:
    """`tol`, or the default for the precision of z: 4e-11 in float64, 2e-5 in float32."""

    return float(np.finfo(z.dtype).eps) ** TOLERANCE if tol is None else tol


@functools.cache
def stepwise() -> tuple[Callable[..., State], Callable[..., State]]:
    """`initial` and `advance`, compiled, for iterations that are watched."""
    import jax

    return jax.jit(initial, static_argnums=0), jax.jit(advance, static_argnums=(0, 1))
