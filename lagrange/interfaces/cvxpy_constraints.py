"""CVXPY's constraints as constraints of `lagrange`, in the form the user wrote, and their dual values back.

`expression <= rhs` with a right side without variables is `at_most(expression, rhs)`, so the shadow price is that of
the right side as written; likewise `==` and `>=`. With variables on both sides it is `at_most(lhs - rhs, 0)`.
A second-order cone ||X|| <= t is the smooth pair sum of X^2 - t^2 <= 0, t >= 0, which describes the same set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import jax.numpy as jnp
import numpy as np
from cvxpy.constraints.nonpos import Inequality, NonNeg, NonPos
from cvxpy.constraints.second_order import SOC
from cvxpy.constraints.zero import Equality, Zero

from lagrange.interfaces.cvxpy_atoms import NotTranslated, dense, evaluate
from lagrange.interfaces.cvxpy_domains import atoms
from lagrange.interfaces.cvxpy_names import shortened
from lagrange.interfaces.cvxpy_norms import NORMS
from lagrange.model.constraint import Constraint, at_least, at_most, equals
from lagrange.model.named_pytree import Vector

Leaves = Callable[[Any, Any], Mapping[int, Any]]  # (x, p) -> the values of CVXPY's leaves by id
Multipliers = Mapping[str, Any]


@dataclass(frozen=True)
class Translated:
    """One constraint of CVXPY: its rows by name, and its dual value from (multipliers by name, leaves at x and p)."""

    rows: Mapping[str, Constraint]
    dual_value: Callable[[Multipliers, Mapping[int, Any]], Any]


def translated(constraint: cp.Constraint, name: str, radius: str, leaves: Leaves) -> Translated:
    """The rows of a constraint whose atoms are smooth; `radius` names the row t >= 0 of a cone.

    Raises
    ------
    NotTranslated
        For a constraint that is not smooth, such as a positive semidefinite matrix, by name.
    """
    if isinstance(constraint, SOC):
        return _second_order_cone(constraint, name, radius, leaves)
    if isinstance(constraint, Equality | Inequality):
        return _comparison(constraint, name, leaves)
    zero = cp.Constant(0.0)
    if isinstance(constraint, Zero):
        return _comparison(Equality(constraint.args[0], zero), name, leaves)
    if isinstance(constraint, NonPos):
        return _comparison(Inequality(constraint.args[0], zero), name, leaves)
    if isinstance(constraint, NonNeg):
        return _comparison(Inequality(zero, constraint.args[0]), name, leaves)
    raise NotTranslated(
        f"the constraint {shortened(str(constraint))} is of type {type(constraint).__name__}: lagrange takes "
        f"equalities, inequalities and second-order cones"
    )


def _comparison(constraint: cp.Constraint, name: str, leaves: Leaves) -> Translated:
    # CVXPY's Lagrangian is f + dual . (lhs - rhs), ours f + y . c, so with c = lhs, or c = lhs - rhs, the two are the
    # same, and with c = rhs they differ in sign.
    lhs, rhs = constraint.args
    is_equality = isinstance(constraint, Equality)
    if rhs.is_constant():
        function = _function(lhs, constraint.shape, leaves)
        if not is_equality and lhs.is_nonneg() and any(type(atom).__name__ in NORMS for atom in atoms([lhs])):
            function = _zero_below(function, _side(rhs, leaves))
        row = equals(function, _side(rhs, leaves)) if is_equality else at_most(function, _side(rhs, leaves))
        sign = 1.0
    elif lhs.is_constant():
        function = _function(rhs, constraint.shape, leaves)
        row = equals(function, _side(lhs, leaves)) if is_equality else at_least(function, _side(lhs, leaves))
        sign = -1.0
    else:
        function = _function(lhs - rhs, constraint.shape, leaves)
        row = equals(function, 0.0) if is_equality else at_most(function, 0.0)
        sign = 1.0
    return Translated({name: row}, lambda multipliers, _: 0.0 + sign * np.asarray(multipliers[name]))


def _second_order_cone(constraint: SOC, name: str, radius: str, leaves: Leaves) -> Translated:
    # sum of X^2 - t^2 <= 0 (multiplier y >= 0) and t >= 0 (multiplier v <= 0). CVXPY's Lagrangian has -dual . (t, X):
    #     dual of t = 2 y t - v,   dual of X = -2 y X
    t, X = constraint.args
    axis = constraint.axis

    def gap(x: Any, p: Any = None) -> Any:
        values = leaves(x, p)
        return jnp.sum(_columns(evaluate(X, values), axis) ** 2, axis=0) - jnp.ravel(evaluate(t, values)) ** 2

    rows = {name: at_most(gap, 0.0), radius: at_least(_function(t, t.shape, leaves), 0.0)}

    def dual_value(multipliers: Multipliers, values: Mapping[int, Any]) -> Vector:
        y, v = np.asarray(multipliers[name]), np.ravel(multipliers[radius])
        of_X = -2.0 * y * np.asarray(_columns(evaluate(X, values), axis))
        of_t = 2.0 * y * np.ravel(evaluate(t, values)) - v
        return np.concatenate([of_t[None, :], of_X]).ravel(order="F")  # one cone after the other, as CVXPY takes them

    return Translated(rows, dual_value)


def summed(part: Translated, shape: tuple[int, ...]) -> Translated:
    """A constraint that has become several rows for each of its entries (see `cvxpy_pieces`): its dual is their sum."""

    def dual_value(multipliers: Multipliers, values: Mapping[int, Any]) -> Any:
        return 0.0 + np.reshape(np.sum(part.dual_value(multipliers, values), axis=0), shape)

    return Translated(part.rows, dual_value)


def _columns(X: Any, axis: int) -> Any:
    """The vectors of a second-order cone as columns."""
    if jnp.ndim(X) < 2:
        return jnp.reshape(X, (-1, 1))
    return X if axis == 0 else X.T


def _function(expression: cp.Expression, shape: tuple[int, ...], leaves: Leaves) -> Callable[..., Any]:
    return lambda x, p=None: jnp.broadcast_to(evaluate(expression, leaves(x, p)), shape)


def _zero_below(function: Callable[..., Any], rhs: Any) -> Callable[..., Any]:
    # A norm is not at most -1 anywhere. That shows at once in 0 <= -1, while a search for the least violation would
    # end where the norm is zero and has no derivative.
    def kept(x: Any, p: Any = None) -> Any:
        values = function(x, p)
        return jnp.where((rhs(p) if callable(rhs) else rhs) < 0.0, 0.0, values)

    return kept


def _side(expression: cp.Expression, leaves: Leaves) -> Any:
    """A right side: an array, or a function of p."""
    if not expression.parameters():
        return dense(expression.value)
    return lambda p: evaluate(expression, leaves({}, p))
