"""Exact derivatives by JAX, in float64, compiled once per problem.

All traceable functions of a program are one function F(x, p) = (f, c): its values are one compiled call, its
Jacobian and the Hessian of w . F another. `jax.enable_x64` is a context here: no global setting changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.derivatives.supplied import SuppliedDerivatives
from lagrange.model.named_pytree import Vector
from lagrange.model.numpy_tracing import NotTraceable, traceable
from lagrange.model.program import Program, UserFunction


@dataclass(frozen=True)
class CompiledFunctions:
    """Compiled F(x, p), its Jacobian (rows, n), and Hessian (n, n) of w . F."""

    values: Callable[[Vector, Vector], Vector]
    derivatives: Callable[[Vector, Vector, Vector], tuple[Vector, Vector]]


def traced(program: Program, function: UserFunction) -> Callable[[Any, Any], Any]:
    """The user function on flat JAX vectors, returning a flat JAX vector of its size."""
    call = function.call
    follow = traceable(call.function if isinstance(call, SuppliedDerivatives) else call)

    def flat(x: Any, p: Any) -> Any:
        import jax.numpy as jnp

        value = follow(*program.arguments(function, x, p))
        return jnp.asarray(value, dtype=float).reshape(function.size)  # float64 where JAX computes in it

    return flat


def untraceable_reason(program: Program, function: UserFunction, x: Vector, p: Vector) -> NotTraceable | None:
    """None where JAX can follow the function at this x, p; else why not, and where."""
    import jax

    with jax.enable_x64(True):
        try:
            jax.eval_shape(traced(program, function), x, p)
        except NotTraceable as reason:
            return reason
        except Exception as error:
            # The function works on real numbers (`bind` saw it) but not when traced: any error means that.
            name = getattr(function.call, "__name__", function.name)
            return NotTraceable(name, *_place(error), f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    return None


def compile_functions(program: Program, functions: Sequence[UserFunction]) -> CompiledFunctions:
    """Compile F = (the given functions) of the program; nothing is compiled before the first call."""
    import jax
    import jax.numpy as jnp

    parts = [traced(program, function) for function in functions]
    rows = sum(function.size for function in functions)

    def stacked(x: Any, p: Any) -> Any:
        return jnp.concatenate([part(x, p) for part in parts])

    # Forward mode costs n passes, reverse mode one per row.
    jacobian = jax.jacfwd(stacked) if program.n <= rows else jax.jacrev(stacked)

    def weighted(x: Any, p: Any, weights: Any) -> Any:
        return weights @ stacked(x, p)

    hessian = jax.jacfwd(jax.grad(weighted))

    def both(x: Any, p: Any, weights: Any) -> Any:
        return jacobian(x, p), hessian(x, p, weights)

    compiled_values, compiled_both = jax.jit(stacked), jax.jit(both)

    def values(x: Vector, p: Vector) -> Vector:
        with jax.enable_x64(True):
            return np.asarray(compiled_values(x, p))

    def derivatives(x: Vector, p: Vector, weights: Vector) -> tuple[Vector, Vector]:
        with jax.enable_x64(True):
            matrix, curvature = compiled_both(x, p, weights)
            return np.asarray(matrix), np.asarray(curvature)

    return CompiledFunctions(values, derivatives)


def _place(error: BaseException) -> tuple[str, int]:
    filename, line = "", 0
    traceback = error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if "site-packages" not in name and "lagrange" not in name:
            filename, line = name, traceback.tb_lineno
        traceback = traceback.tb_next
    return filename, line
