"""A solution followed along the straight segment from one p to another, on its own branch.

    F(w(s), p(s)) = 0,    p(s) = p1 + s (p0 - p1),    s from 1 down to 0

Predicted along the tangent dw/ds = -F_w^-1 F_p dp/ds and corrected by Newton's method. A step is taken only where all
of this holds, else it is halved:

- the contraction condition of the implicit function theorem between its ends, or with the ends exchanged,

      || F_w(0)^-1 F_w(1) d - d || <= || d || / 2,    d = w(1) - w(0);

- the tangents at both ends account for the move (trapezoidal rule), and the cubic through the ends for its middle
  (one Newton step there), each to a tenth;
- det F_w has the same sign at the ends and in the middle.

So it goes as far at once as the theorem reaches and does not jump to another branch. It stops where the branch ends:
where F_w is singular, at a fold say, the steps shrink to nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lagrange.implicit.linear_solve import Array, Inverse
from lagrange.implicit.newton import Equations, jacobian_inverse, jacobian_map, newton

CONTRACTION = 0.5  # of the theorem's fixed-point map between the ends of a step
RESOLVED = 0.1  # share of the move that the tangents need not account for
NOISE = 16.0  # rounding of a difference, in what rounding leaves of a residual
GROWTH = 2.0  # of the step after one that was taken
SMALLEST_STEP = 4.0  # change of p, in rounding units
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


def follow(F: Equations, w0: Array, p0: Any, p1: Any, level: Any = 0.0) -> Path:
    """Follow the solution w0 at p0 (pytrees of arrays) to p1. Traceable by JAX; never raises.

    `level` is the size of what w is a part of: rounding is relative to it where w itself is smaller.
    """
    import jax
    import jax.numpy as jnp
    from jax import lax

    def at(s: Array) -> Any:
        return jax.tree.map(lambda a, b: b + s * (a - b), p0, p1)

    def frame(w: Array, s: Array) -> _Frame:
        # dw/d(-s) = F_w^-1 F_s
        inverse = jacobian_inverse(F, w, at(s))
        _, slope = jax.jvp(lambda s: F(w, at(s)), (s,), (jnp.ones_like(s),))
        noise = jnp.max(jnp.abs(inverse.apply(F(w, at(s)))))
        return _Frame(w, at(s), inverse, inverse.apply(slope), noise)

    def attempt(state: tuple[Any, ...]) -> tuple[Any, ...]:
        s, step, w, finite, steps, trials = state
        here = frame(w, s)
        # The last step ends at s = 0 exactly.
        s_next = jnp.where(step >= s, 0.0, s - step).astype(s.dtype)
        step = s - s_next
        root = newton(F, w + step * here.tangent, at(s_next), jnp.maximum(level, jnp.max(jnp.abs(w))))
        there = frame(root.w, s_next)
        taken = (
            root.converged
            & _is_one_branch(F, here, there, level)
            & _is_resolved(F, here, there, step, at(s - step / 2), level)
        )
        return (
            jnp.where(taken, s_next, s),
            (jnp.where(taken, GROWTH, 0.5) * step).astype(s.dtype),
            jnp.where(taken, root.w, w),
            taken | (finite & root.finite),
            steps + taken,
            trials + 1,
        )

    def goes_on(state: tuple[Any, ...]) -> Array:
        s, step, _, _, _, trials = state
        return (s > 0.0) & (trials < LARGEST_TRIALS) & _moves(at(s), p0, p1, s, step)

    one = jnp.ones((), w0.dtype)
    state = (one, one, w0, jnp.asarray(True), 0, 0)
    s, _, w, finite, steps, _ = lax.while_loop(goes_on, attempt, state)
    return Path(w, s, finite, steps)


class _Frame(NamedTuple):
    """One end of a step: the point, F_w^-1 there, the tangent along the path, and what rounding leaves of w."""

    w: Array
    p: Any
    inverse: Inverse
    tangent: Array
    noise: Array


def _moves(p: Any, p0: Any, p1: Any, s: Array, step: Array) -> Array:
    """Whether a step still changes p by more than rounding."""
    import jax
    import jax.numpy as jnp

    eps = SMALLEST_STEP * np.finfo(s.dtype).eps
    pairs = jax.tree.map(
        lambda now, a, b: jnp.any(step * jnp.abs(a - b) > eps * jnp.abs(now)), p, p0, jax.tree.map(jnp.asarray, p1)
    )
    changed = jnp.any(jnp.stack(jax.tree.leaves(pairs)))
    first = s == 1.0  # the way from p0 to itself is one step
    return (s - step < s) & (changed | (first & (step == 1.0)))


def _rounding(here: _Frame, there: _Frame, level: Any) -> Array:
    """What differences of w between two ends may be by rounding alone."""
    import jax.numpy as jnp

    size = jnp.maximum(level, jnp.maximum(jnp.max(jnp.abs(here.w)), jnp.max(jnp.abs(there.w))))
    return SMALLEST_STEP * np.finfo(here.w.dtype).eps * size + NOISE * jnp.maximum(here.noise, there.noise)


def _is_resolved(F: Equations, here: _Frame, there: _Frame, step: Array, middle: Any, level: Any) -> Array:
    import jax.numpy as jnp

    predicted = step * jnp.maximum(jnp.max(jnp.abs(here.tangent)), jnp.max(jnp.abs(there.tangent)))
    rounding = _rounding(here, there, level)
    move = there.w - here.w - step * (here.tangent + there.tangent) / 2.0
    # The cubic Hermite interpolant in the middle, and Newton's step from it.
    w = (here.w + there.w) / 2.0 + step * (here.tangent - there.tangent) / 8.0
    inverse = jacobian_inverse(F, w, middle)
    off = inverse.apply(F(w, middle))
    missed = jnp.maximum(jnp.max(jnp.abs(move)), jnp.max(jnp.abs(off)))
    resolved = missed <= RESOLVED * predicted + rounding
    return resolved if inverse.sign is None else resolved & (inverse.sign * here.inverse.sign > 0)


def _is_one_branch(F: Equations, here: _Frame, there: _Frame, level: Any) -> Array:
    import jax.numpy as jnp

    (w0, p0, inverse0, _, _), (w1, p1, inverse1, _, _) = here, there
    move = w1 - w0
    size = jnp.maximum(1.0, jnp.maximum(jnp.abs(w0), jnp.abs(w1)))

    def norm(v: Array) -> Array:
        return jnp.max(jnp.abs(v) / size)

    # I - F_w(0)^-1 F_w(1) and I - F_w(1)^-1 F_w(0), along the move
    forward = norm(inverse0.apply(jacobian_map(F, w1, p1)(move)) - move)
    backward = norm(inverse1.apply(jacobian_map(F, w0, p0)(move)) - move)
    contracts = jnp.minimum(forward, backward) <= CONTRACTION * norm(move) + _rounding(here, there, level)
    if inverse0.sign is None:
        return contracts
    return contracts & (inverse0.sign * inverse1.sign > 0)
