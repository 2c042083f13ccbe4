"""Derivatives of a program with respect to its parameters, at one x.

    F(x, p) = (sign * f, c),    lo(p), hi(p) of the rows,    lower(p), upper(p) of the variables

Exact by JAX where it can follow every function of p, compiled once per problem; central differences in p, with a
`DerivativeWarning` that names the function, where it cannot.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lagrange.derivatives import finite_difference
from lagrange.derivatives.automatic import traced, untraceable_reason
from lagrange.derivatives.evaluation import Derivatives, DerivativeWarning, Evaluation, levels_to_user
from lagrange.model.named_pytree import Layout, Vector
from lagrange.model.numpy_tracing import traceable
from lagrange.model.program import Program


class Sides(NamedTuple):
    """Values that belong to the four families of sides: (m,), (m,), (n,), (n,), or with more axes."""

    row_lower: Any
    row_upper: Any
    lower: Any
    upper: Any


@dataclass(frozen=True)
class ParameterDerivatives:
    """Derivatives in p at one (x, p), with q parameters.

    Attributes
    ----------
    rows : (1 + m, q) of F
    mixed : (n, q) of the gradient in x of weights . F
    second : (q, q) of weights . F
    sides : (m, q), (m, q), (n, q), (n, q)
    sides_second : (q, q) of the sum of side_weights . sides
    exact : True by JAX, False by differences
    """

    rows: Vector
    mixed: Vector
    second: Vector
    sides: Sides
    sides_second: Vector
    exact: bool


ParameterSource = Callable[[Vector, Vector, Vector, Sides], ParameterDerivatives]
"""(x, p, weights, side_weights) -> derivatives."""


def parameter_source(derivatives: Derivatives, x: Vector, p: Vector) -> ParameterSource:
    """Choose the source of derivatives in p, looking at every function once, at x, p.

    Warns
    -----
    DerivativeWarning
        Where JAX cannot follow a function.
    """
    program = derivatives.program
    reasons = [untraceable_reason(program, function, x, p) for function in program.functions]
    stopped = [f"{f.title}: {reason.reason}" for f, reason in zip(program.functions, reasons, strict=True) if reason]
    if not stopped:
        side_reason = _untraceable_sides(program, p)
        stopped = [side_reason] if side_reason else []
    if not stopped:
        return _by_jax(derivatives)
    warnings.warn(
        f"derivatives with respect to the parameters are taken by finite differences, because JAX cannot follow "
        f"{'; '.join(stopped)}. Write it with NumPy operations that do not branch on values",
        DerivativeWarning,
        stacklevel=levels_to_user(),
    )
    return _by_differences(derivatives)


def traced_rows(program: Program) -> Callable[[Any, Any], Any]:
    """F = (sign * f, c) on flat JAX vectors."""
    import jax.numpy as jnp

    parts = [traced(program, function) for function in program.functions]

    def stacked(x: Any, p: Any) -> Any:
        values = jnp.concatenate([part(x, p) for part in parts])
        return values.at[0].multiply(program.sign)

    return stacked


def traced_sides(program: Program) -> Callable[[Any], Sides]:
    """All sides as functions of the flat JAX vector p, infinite where absent."""
    import jax.numpy as jnp

    constraints = list(program.definition.constraints.values())
    lower = [_traced_side(item.lower) for item in constraints]
    upper = [_traced_side(item.upper) for item in constraints]
    bounds = program.definition.bounds
    follow_bounds = traceable(bounds) if callable(bounds) else None
    constant = None if follow_bounds else program.bound_sides(np.empty(0))

    def sides(p: Any) -> Sides:
        tree = program.parameter_tree(p)

        def rows(functions: list[Callable[[Any], Any]]) -> Any:
            parts = [
                jnp.broadcast_to(jnp.asarray(side(tree), p.dtype), function.shape).ravel()
                for side, function in zip(functions, program.constraints, strict=True)
            ]
            return jnp.concatenate([jnp.zeros(0, p.dtype), *parts])

        if follow_bounds is None:
            assert constant is not None
            on_x = tuple(jnp.asarray(side, p.dtype) for side in constant)
        else:
            on_x = _traced_bounds(follow_bounds(tree), program.variables, p.dtype)
        return Sides(rows(lower), rows(upper), *on_x)

    return sides


def _traced_side(side: Any) -> Callable[[Any], Any]:
    return traceable(side) if callable(side) else lambda _: np.asarray(side, dtype=np.float64)


def _traced_bounds(bounds: Any, variables: Layout, dtype: Any) -> tuple[Any, Any]:
    # The forms that `flat_bounds` takes, on JAX arrays.
    pair: tuple[Any, Any]
    if isinstance(bounds, dict):
        pair = {key: value[0] for key, value in bounds.items()}, {key: value[1] for key, value in bounds.items()}
    elif hasattr(bounds, "lb"):
        pair = bounds.lb, bounds.ub
    else:
        pair = (None, None) if bounds is None else (bounds[0], bounds[1])
    return _traced_like(pair[0], variables, -math.inf, dtype), _traced_like(pair[1], variables, math.inf, dtype)


def _traced_like(tree: Any, layout: Layout, absent: float, dtype: Any) -> Any:
    import jax.numpy as jnp

    def flat(leaf: Any, shape: tuple[int, ...]) -> Any:
        return jnp.broadcast_to(jnp.asarray(absent if leaf is None else leaf, dtype), shape).ravel()

    if tree is None or layout.treedef is None or np.isscalar(tree) or hasattr(tree, "ndim"):
        leaves = [tree] * len(layout.shapes)
    else:
        template = layout.treedef.unflatten([None] * len(layout.shapes))
        if isinstance(tree, dict) and isinstance(template, dict):
            tree = {key: template[key] if tree.get(key) is None else tree[key] for key in template}
        leaves = layout.treedef.flatten_up_to(tree)
    return jnp.concatenate([flat(leaf, shape) for leaf, shape in zip(leaves, layout.shapes, strict=True)])


def _untraceable_sides(program: Program, p: Vector) -> str:
    import jax

    with jax.enable_x64(True):
        try:
            jax.eval_shape(traced_sides(program), p)
        except Exception as error:
            # The sides work on real numbers: any error means that JAX cannot follow one.
            return f"a side or bound: {' '.join(str(error).split())[:200]}"
    return ""


def _by_jax(derivatives: Derivatives) -> ParameterSource:
    import jax

    rows, sides = traced_rows(derivatives.program), traced_sides(derivatives.program)

    def weighted(x: Any, p: Any, weights: Any) -> Any:
        return weights @ rows(x, p)

    def all_at_once(x: Any, p: Any, weights: Any, side_weights: Sides) -> Any:
        def weighted_sides(p: Any) -> Any:
            # Absent sides are infinite constants with weight zero: they must not make 0 * inf.
            return sum(jax.numpy.where(w == 0.0, 0.0, w * s).sum() for w, s in zip(side_weights, sides(p), strict=True))

        return (
            jax.jacobian(rows, argnums=1)(x, p),
            jax.jacfwd(jax.grad(weighted), argnums=1)(x, p, weights),
            jax.hessian(weighted, argnums=1)(x, p, weights),
            jax.jacfwd(sides)(p),
            jax.hessian(weighted_sides)(p),
        )

    compiled = jax.jit(all_at_once)

    def source(x: Vector, p: Vector, weights: Vector, side_weights: Sides) -> ParameterDerivatives:
        with jax.enable_x64(True):
            found = jax.tree.map(np.asarray, compiled(x, p, weights, side_weights))
        rows, mixed, second, sides_at, sides_second = found
        return ParameterDerivatives(rows, mixed, second, sides_at, sides_second, exact=True)

    return source


def _by_differences(derivatives: Derivatives) -> ParameterSource:
    program = derivatives.program
    ends = np.cumsum([1 + program.m, program.n, program.m, program.m, program.n, program.n])[:-1]

    def source(x: Vector, p: Vector, weights: Vector, side_weights: Sides) -> ParameterDerivatives:
        def sides(p: Vector) -> Vector:
            # An absent side is infinite for every p: it does not change.
            at = np.concatenate([*program.row_sides(p), *program.bound_sides(p)])
            return np.where(np.isfinite(at), at, 0.0)

        def everything(p: Vector) -> Vector:
            evaluation = Evaluation(derivatives, p)
            jacobian, _ = evaluation.derivatives(x, np.zeros(weights.size))
            return np.concatenate([evaluation.values(x), weights @ jacobian, sides(p)])

        rows, mixed, *on_sides = np.split(finite_difference.jacobian(everything, p), ends)
        return ParameterDerivatives(
            rows=rows,
            mixed=mixed,
            second=finite_difference.hessian(lambda p: float(weights @ Evaluation(derivatives, p).values(x)), p),
            sides=Sides(*on_sides),
            sides_second=finite_difference.hessian(lambda p: float(np.concatenate(side_weights) @ sides(p)), p),
            exact=False,
        )

    return source
