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

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lagrange.implicit.linear_solve import Array
from lagrange.implicit.newton import (
    Backend,
    Equations,
    Linearized,
    jax_backend,
    linearized,
    newton,
)

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

    def p_at(s: Array) -> Any:
        return jax.tree.map(lambda a, b: b + s * (a - b), p0, p1)

    def at(w: Array, s: Array) -> Linearized:
        def slope() -> Array:
            return jax.jvp(lambda s: F(w, p_at(s)), (s,), (jnp.ones_like(s),))[1]

        return linearized(F, w, p_at(s), slope)

    def moves(s: Array, step: Array) -> Array:
        return _moves(p_at(s), p0, p1, s, step)

    return follow_path(jax_backend(), at, moves, w0, level)


def follow_path(
    backend: Backend,
    at: Callable[[Array, Array], Linearized],
    moves: Callable[[Array, Array], Array],
    w0: Array,
    level: Any = 0.0,
) -> Path:
    """Follow the solution w0 at s = 1 to s = 0.

    Parameters
    ----------
    at : callable
        (w, s) -> F there, linearized.
    moves : callable
        (s, step) -> whether a step still changes the parameters by more than rounding.
    """
    xp = backend.xp

    def frame(w: Array, s: Array) -> _Frame:
        here = at(w, s)
        assert here.slope is not None
        noise = xp.max(xp.abs(here.inverse.apply(here.value)))
        # dw/d(-s) = F_w^-1 F_s
        return _Frame(w, here, here.inverse.apply(here.slope()), noise)

    def attempt(state: tuple[Any, ...]) -> tuple[Any, ...]:
        s, step, w, finite, steps, trials = state
        here = frame(w, s)
        # The last step ends at s = 0 exactly.
        s_next = xp.where(step >= s, 0.0, s - step).astype(s.dtype)
        step = s - s_next
        size = xp.maximum(level, xp.max(xp.abs(w)))
        root = newton(backend, lambda w: at(w, s_next), w + step * here.tangent, size)

        def is_sound() -> Array:
            there = frame(root.w, s_next)
            # The cubic Hermite interpolant in the middle.
            w_middle = (here.w + there.w) / 2.0 + step * (here.tangent - there.tangent) / 8.0
            middle = at(w_middle, s - step / 2)
            return _is_one_branch(xp, here, there, level) & _is_resolved(xp, here, there, step, middle, level)

        taken = backend.choose(root.converged, is_sound, lambda: xp.asarray(False))
        return (
            xp.where(taken, s_next, s),
            (xp.where(taken, GROWTH, 0.5) * step).astype(s.dtype),
            xp.where(taken, root.w, w),
            taken | (finite & root.finite),
            steps + taken,
            trials + 1,
        )

    def goes_on(state: tuple[Any, ...]) -> Array:
        s, step, _, _, _, trials = state
        return (s > 0.0) & (trials < LARGEST_TRIALS) & moves(s, step)

    one = xp.ones((), w0.dtype)
    state = (one, one, w0, xp.asarray(True), 0, 0)
    s, _, w, finite, steps, _ = backend.loop(goes_on, attempt, state)
    return Path(w, s, finite, steps)


class _Frame(NamedTuple):
    """One end of a step: the point, F there, the tangent along the path, and what rounding leaves of w."""

    w: Array
    at: Linearized
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


def _rounding(xp: Any, here: _Frame, there: _Frame, level: Any) -> Array:
    """What differences of w between two ends may be by rounding alone."""
    size = xp.maximum(level, xp.maximum(xp.max(xp.abs(here.w)), xp.max(xp.abs(there.w))))
    return SMALLEST_STEP * np.finfo(here.w.dtype).eps * size + NOISE * xp.maximum(here.noise, there.noise)


def _is_resolved(xp: Any, here: _Frame, there: _Frame, step: Array, middle: Linearized, level: Any) -> Array:
    predicted = step * xp.maximum(xp.max(xp.abs(here.tangent)), xp.max(xp.abs(there.tangent)))
    rounding = _rounding(xp, here, there, level)
    move = there.w - here.w - step * (here.tangent + there.tangent) / 2.0
    # Newton's step from the interpolant in the middle.
    off = middle.inverse.apply(middle.value)
    missed = xp.maximum(xp.max(xp.abs(move)), xp.max(xp.abs(off)))
    resolved = missed <= RESOLVED * predicted + rounding
    sign = middle.inverse.sign
    return resolved if sign is None else resolved & (sign * here.at.inverse.sign > 0)


def _is_one_branch(xp: Any, here: _Frame, there: _Frame, level: Any) -> Array:
    move = there.w - here.w
    size = xp.maximum(1.0, xp.maximum(xp.abs(here.w), xp.abs(there.w)))
    inverse0, inverse1 = here.at.inverse, there.at.inverse

    def norm(v: Array) -> Array:
        return xp.max(xp.abs(v) / size)

    # I - F_w(0)^-1 F_w(1) and I - F_w(1)^-1 F_w(0), along the move
    forward = norm(inverse0.apply(there.at.times(move)) - move)
    backward = norm(inverse1.apply(here.at.times(move)) - move)
    contracts = xp.minimum(forward, backward) <= CONTRACTION * norm(move) + _rounding(xp, here, there, level)
    if inverse0.sign is None:
        return contracts
    return contracts & (inverse0.sign * inverse1.sign > 0)
