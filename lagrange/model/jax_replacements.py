"""Functions whose second derivative in JAX is wrong somewhere, written so that it is right.

`jax.numpy.hypot` has a second derivative of zero where |a| = |b|, the Bessel functions i0 and i1 have one of 3/2 and 1
at zero, where 1/2 and 0 are right. A Hessian made of them would be wrong without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def hypot(a: Any, b: Any) -> Any:
    """sqrt(a^2 + b^2), scaled by the larger so that squares neither overflow nor vanish."""
    import jax.numpy as jnp
    from jax import lax

    size = lax.stop_gradient(jnp.maximum(jnp.abs(a), jnp.abs(b)))
    size = jnp.where((size > 0.0) & jnp.isfinite(size), size, 1.0)
    return size * jnp.sqrt((a / size) ** 2 + (b / size) ** 2)


def i0(x: Any) -> Any:
    """Modified Bessel function of order 0; at x = 0 by its series 1 + x^2/4 (Abramowitz and Stegun 1964, 9.6.12)."""
    import jax.numpy as jnp
    from jax.scipy import special

    x = jnp.asarray(x)
    return jnp.where(x == 0.0, 1.0 + x * x / 4.0, special.i0(jnp.where(x == 0.0, 1.0, x)))


def i1(x: Any) -> Any:
    """Modified Bessel function of order 1; at x = 0 by its series x/2 + x^3/16."""
    import jax.numpy as jnp
    from jax.scipy import special

    x = jnp.asarray(x)
    return jnp.where(x == 0.0, x / 2.0 + x**3 / 16.0, special.i1(jnp.where(x == 0.0, 1.0, x)))


REPLACEMENTS: dict[str, Callable[..., Any]] = {
    "numpy.hypot": hypot,
    "numpy.i0": i0,
    "scipy.special.i0": i0,
    "scipy.special.i1": i1,
}
