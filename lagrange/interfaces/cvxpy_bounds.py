"""Bounds that CVXPY's variables have as attributes: numbers, or expressions of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import jax.numpy as jnp
import numpy as np

from lagrange.interfaces.cvxpy_atoms import dense
from lagrange.model.named_pytree import Vector
from lagrange.model.program import float64_in_jax

Sides = tuple[Any, Any]


def depends_on_parameters(variable: cp.Variable) -> bool:
    """True where a bound is not a number."""
    return any(isinstance(side, cp.Expression) for side in variable.attributes["bounds"] or ())


def bounds_of(variable: cp.Variable) -> tuple[Vector, Vector]:
    """Lower and upper bounds, signs included, at the values that the parameters have."""
    with float64_in_jax():
        lower, upper = intersected(variable, lambda side: dense(side.value))
    return np.array(lower), np.array(upper)


def intersected(variable: cp.Variable, value: Callable[[cp.Expression], Any]) -> Sides:
    """Lower and upper bounds; `value` evaluates those that are expressions.

    An entry that stands in two places of a symmetric variable has the bounds of both.
    """
    # CVXPY's own method passes over expressions.
    lower, upper = (np.broadcast_to(dense(side), variable.shape) for side in variable.get_bounds())
    given = variable.attributes["bounds"] or (None, None)
    if isinstance(given[0], cp.Expression):
        lower = higher(lower, jnp.broadcast_to(value(given[0]), variable.shape))
    if isinstance(given[1], cp.Expression):
        upper = -higher(-upper, -jnp.broadcast_to(value(given[1]), variable.shape))
    if variable.attributes["symmetric"]:
        lower = higher(lower, jnp.swapaxes(lower, -1, -2))
        upper = -higher(-upper, -jnp.swapaxes(upper, -1, -2))
    return lower, upper


def higher(first: Any, second: Any) -> Any:
    """The larger of two arrays, entry by entry, with the derivative of the first where they are equal."""
    return jnp.where(first >= second, first, second)
