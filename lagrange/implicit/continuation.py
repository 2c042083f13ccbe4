"""A solution followed along the straight segment from one p to another, on its own branch.

    F(w(s), p(s)) = 0,    p(s) = p1 + s (p0 - p1),    s from 1 down to 0

Predicted along the tangent dw/ds = -F_w^-1 F_p dp/ds and corrected by Newton's method. A step is taken only where the
contraction condition of the implicit function theorem holds between its ends,

    || F_w(0)^-1 F_w(1) d - d || <= || d || / 2    (or with the ends exchanged),    d = w(1) - w(0),

Newton's method contracts, and det F_w keeps its sign; otherwise it is halved. So it goes as far at once as the theorem
reaches and does not jump to another branch. It stops where the branch ends: where F_w is singular, at a fold say, the
steps shrink to nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lagrange.implicit.linear_solve import Array, Inverse
from lagrange.implicit.newton import Equations, jacobian_inverse, jacobian_map, newton

CONTRACTION = 0.5  # of the theorem's fixed-point map between the ends of a step
GROWTH = 2.0  # of the step after one that was taken
SMALLEST_STEP = 4.0  # in rounding units of the whole segment
LARGEST_TRIALS = 1000


class Path(NamedTuple):
    """Where the solution went.

    Attributes
    ----------
    w : array (n,)
        The solution at `remaining`.
    remaining : array
        s there: 0 where p1 was reached, else the share of the segment that was not.
    finite : array
        False where F stopped being finite just beyond.
    steps : array
        Steps taken.
    """

    w: Array
    remaining: Array
    finite: Array
    steps: Array

    @property
    def arrived(self) -> Array:
        return self.remaining == 0.0


def follow(F: Equations, w0: Array, p0: Any, p1: Any) -> Path:
    """Follow the solution w0 at p0 (pytrees of arrays) to p1. Traceable by JAX; never raises."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    smallest = SMALLEST_STEP * np.finfo(w0.dtype).eps

    def at(s: Array) -> Any:
        return jax.tree.map(lambda a, b: b + s * (a - b), p0, p1)

    def attempt(state: tuple[Any, ...]) -> tuple[Any, ...]:
        s, step, w, _, steps, trials = state
        here = jacobian_inverse(F, w, at(s))
        _, slope = jax.jvp(lambda s: F(w, at(s)), (s,), (jnp.ones_like(s),))
        # The last step ends at s = 0 exactly.
        s_next = jnp.where(step >= s, 0.0, s - step).astype(s.dtype)
        guess = w + (s - s_next) * here.apply(slope)
        root = newton(F, guess, at(s_next))
        taken = root.converged & _is_one_branch(F, (w, at(s), here), (root.w, at(s_next)))
        taken_step = s - s_next
        step = jnp.where(taken, GROWTH, 0.5) * taken_step
        return (
            jnp.where(taken, s_next, s),
            step.astype(s.dtype),
            jnp.where(taken, root.w, w),
            root.finite & jnp.all(jnp.isfinite(guess)),
            steps + taken,
            trials + 1,
        )

    def goes_on(state: tuple[Any, ...]) -> Array:
        s, step, _, _, _, trials = state
        return (s > 0.0) & (step > smallest) & (trials < LARGEST_TRIALS)

    one = jnp.ones((), w0.dtype)
    state = (one, one, w0, jnp.asarray(True), 0, 0)
    s, _, w, finite, steps, _ = lax.while_loop(goes_on, attempt, state)
    return Path(w, s, finite, steps)


def _is_one_branch(F: Equations, start: tuple[Array, Any, Inverse], end: tuple[Array, Any]) -> Array:
    import jax.numpy as jnp

    (w0, p0, inverse0), (w1, p1) = start, end
    inverse1 = jacobian_inverse(F, w1, p1)
    move = w1 - w0
    size = jnp.maximum(1.0, jnp.maximum(jnp.abs(w0), jnp.abs(w1)))

    def norm(v: Array) -> Array:
        return jnp.max(jnp.abs(v) / size)

    # I - F_w(0)^-1 F_w(1) and I - F_w(1)^-1 F_w(0), along the move
    forward = norm(inverse0.apply(jacobian_map(F, w1, p1)(move)) - move)
    backward = norm(inverse1.apply(jacobian_map(F, w0, p0)(move)) - move)
    contracts = jnp.minimum(forward, backward) <= CONTRACTION * norm(move)
    if inverse0.sign is None:
        return contracts
    return contracts & (inverse0.sign * inverse1.sign > 0)
