"""`inverse_function`: f(x) = y solved for x, the implicit function of F(x, y) = f(x) - y.

d(finv)/dy = f'(x)^-1,    log |det d(finv)/dy| = -log |det f'(x)|,    x = finv(y)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from lagrange.implicit.implicit_function import ImplicitFunction, base_solution
from lagrange.implicit.system import System, evaluated, flat_array, flat_start, name_of
from lagrange.model.named_pytree import SHOWN, Layout
from lagrange.model.numpy_tracing import traceable


class InverseFunction(ImplicitFunction):
    """The local inverse of f through (x0, f(x0)): an `ImplicitFunction` of y. Made by `lagrange.inverse_function`."""

    def log_abs_det_derivative(self, y: Any) -> Any:
        """log |det d(finv)/dy| at y: the density of f(x) at y is that of x times its exponential.

        A float, or for JAX arrays a JAX scalar that can be differentiated.

        Raises
        ------
        NotRegular, NotConverged
            As a call, outside of JAX's transformations.
        """
        import jax

        leaves = jax.tree.leaves(y)
        if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            flat = self._system.parameters.ravel(y, "y")
            return -_log_abs_det(self._system, self._traced(flat), flat)
        x, flat = self._regular_point(jax.tree.map(np.asarray, y))
        F_x, _ = self._system.jacobians(x, flat)
        value = -float(np.linalg.slogdet(F_x)[1])
        is_jax = any(isinstance(leaf, jax.Array) for leaf in leaves)
        return jax.numpy.asarray(value, self._system.parameters.ravel(y, "y").dtype) if is_jax else value


def inverse_function(f: Callable[[Any], Any], x0: Any) -> InverseFunction:
    """The smooth inverse of f near x0, as the inverse function theorem promises it.

    Parameters
    ----------
    f : callable
        f(x), with as many values as x has elements. Plain NumPy or JAX.
    x0 : pytree
        Where the inverse is wanted: finv(f(x0)) = x0. f'(x0) must be nonsingular.

    Returns
    -------
    InverseFunction
        finv(y), `finv.derivative(y)`, `finv.log_abs_det_derivative(y)`, and all of `ImplicitFunction`. y is followed
        from f(x0) along a straight segment.

    Raises
    ------
    NotRegular
        f'(x0) is singular.
    TypeError, ValueError
        f or x0 do not fit together, by name.

    Notes
    -----
    Krantz and Parks (2002), "The Implicit Function Theorem", theorem 3.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import lagrange as lg
    >>> finv = lg.inverse_function(lambda x: x + np.sin(x) / 2, 1.0)
    >>> round(finv(np.pi), 12) == round(np.pi, 12), round(finv.derivative(np.pi), 12)
    (True, 2.0)
    """
    name = name_of(f)
    unknowns, x = flat_start(x0, "x")
    values, y = evaluated(f, "x0", (unknowns, x))
    if values.size != unknowns.size:
        raise ValueError(
            f"{name} has {values.size} values for {unknowns.size} elements of x "
            f"({', '.join(unknowns.names()[:SHOWN])}): a function with an inverse has as many of both"
        )
    traced = traceable(f)

    def difference(x: Any, y: Any) -> Any:
        value = flat_array(traced(x), float)
        return value - flat_array(y, value.dtype)

    system = System(name, difference, unknowns, _called(values, "y"), tuple(values.names()), "y")
    return InverseFunction(system, base_solution(system, x, y), y)


def _called(layout: Layout, name: str) -> Layout:
    # A plain array of values is called y, whatever the name of the function.
    return replace(layout, paths=(name,)) if layout.treedef is None else layout


def _log_abs_det(system: System, x: Any, y: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return jnp.linalg.slogdet(jax.jacfwd(lambda x: system.residual(x, y))(x))[1]
