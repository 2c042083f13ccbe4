"""The equations F(w, p) = 0 as data: the user's function bound to the flat layout of one w and one p.

Outside of JAX's transformations everything is float64 NumPy; the compiled functions here are made once per system.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.implicit.newton import jacobian_inverse
from lagrange.implicit.root import is_determined
from lagrange.model.named_pytree import SHOWN, Layout, Vector, layout_of, point_text
from lagrange.model.numpy_tracing import traceable
from lagrange.model.program import call_by_name


@dataclass(frozen=True, eq=False)
class System:
    """n equations in n unknowns w with parameters p.

    Attributes
    ----------
    name : str
        How messages call the function.
    call : callable
        F(w, p) on pytrees of JAX arrays.
    unknowns, parameters : Layout
    equations : tuple of str
        One name per equation: "F[0]", "balance".
    argument : str
        What messages call the parameters: "p", "y", "theta".
    """

    name: str
    call: Callable[[Any, Any], Any]
    unknowns: Layout
    parameters: Layout
    equations: tuple[str, ...]
    argument: str = "p"

    @property
    def n(self) -> int:
        return self.unknowns.size

    def residual(self, w: Any, p: Any) -> Any:
        """F on flat JAX arrays."""
        return flat_array(self.call(self.unknowns.unflatten(w), self.parameters.unflatten(p)), w.dtype)

    def value(self, w: Vector, p: Vector) -> Vector:
        """F(w, p), shape (n,)."""
        return self._numpy(self._compiled_value, w, p)

    def jacobians(self, w: Vector, p: Vector) -> tuple[Vector, Vector]:
        """F_w (n, n) and F_p (n, parameters)."""
        return self._numpy(self._compiled_jacobians, w, p)  # type: ignore[return-value]

    def second_along(self, w: Vector, p: Vector, v: Vector) -> Vector:
        """F_ww[v, v], shape (n,)."""
        return self._numpy(self._compiled_second, w, p, v)

    def along(self, w: Vector, p: Vector, dp: Vector) -> Vector:
        """-F_w^-1 F_p dp, without forming F_p."""
        return self._numpy(self._compiled_along, w, p, dp)

    def against(self, w: Vector, p: Vector, v: Vector) -> Vector:
        """-F_p' F_w'^-1 v, without forming F_p."""
        return self._numpy(self._compiled_against, w, p, v)

    def is_determined(self, w: Vector, p: Vector) -> bool:
        """Whether w is near enough to a root for derivatives, see `lagrange.implicit.root`."""
        return bool(self._numpy(self._compiled_is_determined, w, p))

    def second_derivatives(self, w: Vector, p: Vector) -> Vector:
        """All second derivatives of F in (w, p), shape (n, n + parameters, n + parameters)."""
        return self._numpy(self._compiled_second_derivatives, np.concatenate([w, p]))

    def shifted(self, w: Any, parameters: tuple[Any, Any]) -> Any:
        """F(w, p) - shift, for parameters (p, shift)."""
        p, shift = parameters
        return self.residual(w, p) - shift

    def _numpy(self, compiled: Callable[..., Any], *arrays: Vector) -> Vector:
        import jax

        with jax.enable_x64(True):
            result: Vector = jax.tree.map(np.asarray, compiled(*arrays))
        return result

    @functools.cached_property
    def _compiled_value(self) -> Callable[..., Any]:
        import jax

        return jax.jit(self.residual)

    @functools.cached_property
    def _compiled_jacobians(self) -> Callable[..., Any]:
        import jax

        return jax.jit(jax.jacfwd(self.residual, argnums=(0, 1)))

    @functools.cached_property
    def _compiled_second(self) -> Callable[..., Any]:
        import jax

        def second(w: Any, p: Any, v: Any) -> Any:
            def first(w: Any) -> Any:
                return jax.jvp(lambda w: self.residual(w, p), (w,), (v,))[1]

            return jax.jvp(first, (w,), (v,))[1]

        return jax.jit(second)

    @functools.cached_property
    def _compiled_second_derivatives(self) -> Callable[..., Any]:
        import jax

        return jax.jit(jax.hessian(lambda v: self.residual(v[: self.n], v[self.n :])))

    @functools.cached_property
    def _compiled_is_determined(self) -> Callable[..., Any]:
        import jax

        return jax.jit(lambda w, p: is_determined(self.residual, w, p))

    @functools.cached_property
    def _compiled_along(self) -> Callable[..., Any]:
        import jax

        def along(w: Any, p: Any, dp: Any) -> Any:
            _, F_p_dp = jax.jvp(lambda p: self.residual(w, p), (p,), (dp,))
            return jacobian_inverse(self.residual, w, p).apply(-F_p_dp)

        return jax.jit(along)

    @functools.cached_property
    def _compiled_against(self) -> Callable[..., Any]:
        import jax

        def against(w: Any, p: Any, v: Any) -> Any:
            adjoint = jacobian_inverse(self.residual, w, p).apply_transposed(-v)
            _, pull = jax.vjp(lambda p: self.residual(w, p), p)
            return pull(adjoint)[0]

        return jax.jit(against)


def flat_array(tree: Any, dtype: Any) -> Any:
    """The leaves of a pytree of JAX arrays as one vector of this precision, whatever constants a function has."""
    import jax
    import jax.numpy as jnp

    return jnp.concatenate([jnp.ravel(leaf).astype(dtype) for leaf in jax.tree.leaves(tree)])


def bind_system(function: Callable[[Any, Any], Any], w0: Any, p0: Any) -> tuple[System, Vector, Vector]:
    """The system of F and flat w0, p0, looked at once on real numbers.

    Raises
    ------
    TypeError, ValueError
        F is no function, w0 or p0 hold no numbers, F has not as many values as there are unknowns, or it is not finite
        at w0, p0: by name.
    Exception
        Whatever F raises, with a note that names the point.
    """
    name = name_of(function)
    unknowns, w = flat_start(w0, "w")
    parameters, p = flat_start(p0, "p", may_be_empty=True)
    equations, _ = evaluated(function, "w0", (unknowns, w), (parameters, p))
    if equations.size != unknowns.size:
        raise ValueError(
            f"{name} gives {equations.size} equations for {unknowns.size} unknowns "
            f"({', '.join(unknowns.names()[:SHOWN])}): there must be as many equations as unknowns"
        )
    return System(name, traceable(function), unknowns, parameters, tuple(equations.names())), w, p


def name_of(function: Any) -> str:
    """How messages call a user's function.

    Raises
    ------
    TypeError
        If it is none.
    """
    if not callable(function):
        raise TypeError(f"the first argument must be a function, got {function!r}")
    return getattr(function, "__name__", type(function).__name__)


def flat_start(tree: Any, name: str, may_be_empty: bool = False) -> tuple[Layout, Vector]:
    """Layout and elements of a starting value, which messages call `name`0.

    Raises
    ------
    TypeError, ValueError
        It holds no real numbers, or is not finite.
    """
    layout = layout_of(tree, name)
    vector = layout.flatten(tree, f"{name}0")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name}0 must be finite, but it is ({point_text(layout.names(), vector)})")
    if not (vector.size or may_be_empty):
        raise ValueError(f"{name}0 is empty: there is nothing to solve for")
    return layout, vector


def evaluated(function: Callable[..., Any], start: str, *arguments: tuple[Layout, Vector]) -> tuple[Layout, Vector]:
    """The value of a user's function on real numbers, once: its layout and elements, checked to be finite numbers.

    `start` is what messages call the point.

    Raises
    ------
    TypeError, ValueError
        It returns no numbers, or some are not finite: which, and where.
    Exception
        Whatever it raises, with a note that names the point.
    """
    name = name_of(function)
    trees = tuple(layout.unflatten(vector.copy()) for layout, vector in arguments)
    value = call_by_name(function, trees, name, start)
    if value is None:
        raise TypeError(f"{name} returned None: does it end with a return statement?")
    layout = layout_of(value, name)
    values = layout.flatten(value, name)
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        places = ", ".join(f"({point_text(item.names(), vector)})" for item, vector in arguments)
        raise ValueError(f"{layout.names()[wrong[0]]} is {values[wrong[0]]} at {places}")
    return layout, values
