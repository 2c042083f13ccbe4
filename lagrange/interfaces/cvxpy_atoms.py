"""CVXPY's atoms in `jax.numpy`: what an expression is worth, as a function that JAX can differentiate.

A rule takes the atom (for its data: axis, exponent, shape) and the values of its arguments. Rules of atoms with kinks
(abs, max, ...) are used only where they depend on no variable: elsewhere `cvxpy_smoothing` has replaced them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import cvxpy as cp
import jax.numpy as jnp
import numpy as np
from jax import scipy as jsp

from lagrange.interfaces.cvxpy_names import shortened

Rule = Callable[..., Any]


class NotTranslated(ValueError):
    """An atom or a constraint of CVXPY that has no translation; the message names it."""


def evaluate(expression: cp.Expression, leaves: Mapping[int, Any]) -> Any:
    """The value of an expression whose variables and parameters have the values `leaves`, by CVXPY's ids.

    Raises
    ------
    NotTranslated
        For an atom without a rule, by name.

    Examples
    --------
    >>> import cvxpy as cp
    >>> x = cp.Variable(2)
    >>> float(evaluate(cp.sum_squares(x) + 1, {x.id: np.array([3.0, 4.0])}))
    26.0
    """
    return _value(expression, leaves, {})


def _value(node: cp.Expression, leaves: Mapping[int, Any], known: dict[int, Any]) -> Any:
    # `known` holds the values of subtrees: CVXPY shares them, and a tree that is walked as a tree may be very large.
    if id(node) not in known:
        if isinstance(node, cp.Variable | cp.Parameter):
            known[id(node)] = leaves[node.id]
        elif _has_value(node):
            known[id(node)] = dense(node.value)
        else:
            arguments = [_value(argument, leaves, known) for argument in _arguments(node)]
            known[id(node)] = rule_of(node)(node, *arguments)
    return known[id(node)]


def _arguments(node: cp.Expression) -> list[cp.Expression]:
    # The exponent of a power is no argument in CVXPY, though it may be a parameter.
    return [*node.args, node.p] if type(node).__name__ in ("Power", "PowerApprox") else list(node.args)


def _has_value(node: cp.Expression) -> bool:
    return isinstance(node, cp.Constant) or (node.is_constant() and not node.parameters())


def rule_of(atom: cp.Expression) -> Rule:
    """The rule of an atom, or `NotTranslated`."""
    rule = RULES.get(type(atom).__name__)
    if rule is None:
        raise NotTranslated(
            f"the atom {type(atom).__name__} in {shortened(str(atom))} cannot be translated: lagrange.from_cvxpy takes "
            f"smooth atoms, and those with kinks that CVXPY can make smooth"
        )
    return rule


def dense(value: Any) -> Any:
    """A constant of CVXPY as an array of floats."""
    return np.asarray(value.toarray() if hasattr(value, "toarray") else value, dtype=np.float64)


# Affine atoms ------------------------------------------------------------------------------------------------


def _matmul(atom: cp.Expression, a: Any, b: Any) -> Any:
    return a * b if jnp.ndim(a) == 0 or jnp.ndim(b) == 0 else a @ b


def _trace(atom: cp.Expression, x: Any) -> Any:
    return jnp.trace(x, axis1=-2, axis2=-1)


def _diag_vec(atom: cp.Expression, x: Any) -> Any:
    return jnp.diag(jnp.ravel(x), k=atom.k)


def _upper_tri(atom: cp.Expression, x: Any) -> Any:
    rows, columns = np.triu_indices(x.shape[-1], k=1)
    return jnp.reshape(x[..., rows, columns], atom.shape)


def _convolve(atom: cp.Expression, a: Any, b: Any) -> Any:
    return jnp.reshape(jnp.convolve(jnp.ravel(a), jnp.ravel(b)), atom.shape)


def _cumulative(function: Callable[..., Any]) -> Rule:
    return lambda atom, x: jnp.reshape(function(x, axis=atom.axis), atom.shape)


def _identity(atom: cp.Expression, x: Any) -> Any:
    return x


# Smooth atoms ------------------------------------------------------------------------------------------------


def _power(atom: cp.Expression, x: Any, exponent: Any) -> Any:
    if atom.p.parameters():
        return jnp.power(x, exponent)
    number = float(atom.p_used)
    if number < 0.0:
        return _right_of_pole(x, jnp.power(x, number))
    return x ** int(number) if number.is_integer() else jnp.power(x, number)


def _right_of_pole(x: Any, value: Any) -> Any:
    # nan where CVXPY's atom is not defined: beyond the pole its formula is finite, and wrong.
    return jnp.where(x > 0.0, value, jnp.nan)


def _entropy(atom: cp.Expression, x: Any) -> Any:
    return -jsp.special.xlogy(x, x)


def _relative_entropy(atom: cp.Expression, x: Any, y: Any) -> Any:
    return jsp.special.xlogy(x, x) - jsp.special.xlogy(x, y)


def _kl_divergence(atom: cp.Expression, x: Any, y: Any) -> Any:
    return _relative_entropy(atom, x, y) - x + y


def _quad_form(atom: cp.Expression, x: Any, P: Any) -> Any:
    return jnp.reshape(jnp.ravel(x) @ P @ jnp.ravel(x), atom.shape)


def _quad_over_lin(atom: cp.Expression, x: Any, y: Any) -> Any:
    value = jnp.sum(x**2, axis=atom.axis, keepdims=atom.keepdims) / jnp.reshape(y, ())
    return jnp.reshape(_right_of_pole(jnp.reshape(y, ()), value), atom.shape)


def _p_norm(atom: cp.Expression, x: Any) -> Any:
    p = float(atom.p)
    if p < 1.0:
        powers = jnp.exp(p * jnp.log(x))  # for x >= 0 only: nan for others, also where p is an integer
    elif p.is_integer() and int(p) % 2 == 0:
        powers = x ** int(p)  # no absolute value, which would have a kink at zero
    else:
        powers = jnp.power(jnp.abs(x), p)
    return jnp.reshape(jnp.power(jnp.sum(powers, axis=atom.axis), 1.0 / p), atom.shape)


def _geometric_mean(atom: cp.Expression, x: Any) -> Any:
    # exp(sum of w log x) over the entries with a weight.
    weights = np.array([float(weight) for weight in atom.w])
    return jnp.reshape(jnp.exp(weights @ jnp.log(weighted(atom, x))), atom.shape, order="F")


def weighted(atom: cp.Expression, x: Any) -> Any:
    """The entries that have a weight in a geometric mean, one column for each mean."""
    # CVXPY counts column by column.
    axes = (atom.axis,) if isinstance(atom.axis, int) else atom.axis or tuple(range(jnp.ndim(x)))
    moved = jnp.moveaxis(jnp.asarray(x), axes, tuple(range(len(axes))))
    count = math.prod(moved.shape[: len(axes)])
    return jnp.reshape(moved, (count, -1), order="F")[atom._keep]


def _log_det(atom: cp.Expression, X: Any) -> Any:
    # nan where X is not positive definite: there the Cholesky factor does not exist.
    return 2.0 * jnp.sum(jnp.log(jnp.diag(jnp.linalg.cholesky((X + X.T) / 2.0))))


def _trace_of_inverse(atom: cp.Expression, X: Any) -> Any:
    factor = jnp.linalg.cholesky((X + X.T) / 2.0)
    return jnp.sum(jsp.linalg.solve_triangular(factor, jnp.eye(factor.shape[0]), lower=True) ** 2)


def _matrix_fraction(atom: cp.Expression, X: Any, P: Any) -> Any:
    # nan where P is not positive definite, as above: beyond, X' P^-1 X is finite, and wrong.
    factor = jnp.linalg.cholesky((P + P.T) / 2.0)
    columns = jnp.reshape(X, (factor.shape[0], -1))
    return jnp.reshape(jnp.sum(jsp.linalg.solve_triangular(factor, columns, lower=True) ** 2), atom.shape)


def _geometric_matmul(atom: cp.Expression, X: Any) -> Any:
    return jnp.exp(dense(atom.A.value) @ jnp.log(X))


def _over_axis(function: Callable[..., Any]) -> Rule:
    return lambda atom, x: jnp.reshape(function(x, axis=atom.axis, keepdims=atom.keepdims), atom.shape)


# Atoms with kinks, of parameters only ------------------------------------------------------------------------


def _huber(atom: cp.Expression, x: Any) -> Any:
    M, size = dense(atom.M.value), jnp.abs(x)
    return jnp.where(size <= M, x**2, 2.0 * M * size - M**2)


def _elementwise(function: Callable[[Any], Any]) -> Rule:
    return lambda atom, x: function(x)


def _folded(function: Callable[[Any, Any], Any]) -> Rule:
    return lambda atom, *values: functools.reduce(function, values)


RULES: dict[str, Rule] = {
    # affine
    "AddExpression": _folded(jnp.add),
    "NegExpression": _elementwise(jnp.negative),
    "MulExpression": _matmul,
    "multiply": lambda atom, a, b: a * b,
    "DivExpression": lambda atom, a, b: a / b,
    "Sum": _over_axis(jnp.sum),
    "Trace": _trace,
    "transpose": lambda atom, x: jnp.transpose(x, axes=atom.axes),
    "reshape": lambda atom, x: jnp.reshape(x, atom.shape, order=atom.order),
    "Promote": lambda atom, x: jnp.broadcast_to(jnp.reshape(x, ()), atom.shape),
    "broadcast_to": lambda atom, x: jnp.broadcast_to(x, atom.shape),
    "Hstack": lambda atom, *values: jnp.hstack([jnp.asarray(value) for value in values]),
    "Vstack": lambda atom, *values: jnp.vstack([jnp.asarray(value) for value in values]),
    "Concatenate": lambda atom, *values: jnp.concatenate([jnp.asarray(value) for value in values], axis=atom.axis),
    "index": lambda atom, x: jnp.asarray(x)[atom._orig_key],
    "special_index": lambda atom, x: jnp.ravel(x, order="F")[atom._select_mat],
    "diag_vec": _diag_vec,
    "diag_mat": lambda atom, X: jnp.diag(X, k=atom.k),
    "upper_tri": _upper_tri,
    "kron": lambda atom, a, b: jnp.kron(a, b),
    "conv": _convolve,
    "convolve": _convolve,
    "cumsum": _cumulative(jnp.cumsum),
    "conj": _identity,
    "real": _identity,
    **dict.fromkeys(("nonneg_wrap", "nonpos_wrap", "psd_wrap", "nsd_wrap", "symmetric_wrap"), _identity),
    **dict.fromkeys(("hermitian_wrap", "skew_symmetric_wrap"), _identity),
    # smooth, elementwise
    "exp": _elementwise(jnp.exp),
    "log": _elementwise(jnp.log),
    "log1p": _elementwise(jnp.log1p),
    "logistic": lambda atom, x: jnp.logaddexp(0.0, x),
    "entr": _entropy,
    "rel_entr": _relative_entropy,
    "kl_div": _kl_divergence,
    "xexp": lambda atom, x: x * jnp.exp(x),
    "sin": _elementwise(jnp.sin),
    "cos": _elementwise(jnp.cos),
    "tan": _elementwise(jnp.tan),
    "sinh": _elementwise(jnp.sinh),
    "asinh": _elementwise(jnp.arcsinh),
    "tanh": _elementwise(jnp.tanh),
    "atanh": _elementwise(jnp.arctanh),
    "normcdf": _elementwise(jsp.special.ndtr),
    "one_minus_pos": lambda atom, x: 1.0 - x,
    # smooth, of vectors and matrices
    "Power": _power,
    "PowerApprox": _power,
    "QuadForm": _quad_form,
    "quad_over_lin": _quad_over_lin,
    "Pnorm": _p_norm,
    "PnormApprox": _p_norm,
    "GeoMean": _geometric_mean,
    "GeoMeanApprox": _geometric_mean,
    "Prod": _over_axis(jnp.prod),
    "cumprod": _cumulative(jnp.cumprod),
    "log_sum_exp": _over_axis(jsp.special.logsumexp),
    "log_det": _log_det,
    "tr_inv": _trace_of_inverse,
    "MatrixFrac": _matrix_fraction,
    "eye_minus_inv": lambda atom, X: jnp.linalg.inv(jnp.eye(X.shape[0]) - X),
    "gmatmul": _geometric_matmul,
    # with kinks
    "abs": _elementwise(jnp.abs),
    "maximum": _folded(jnp.maximum),
    "minimum": _folded(jnp.minimum),
    "max": _over_axis(jnp.max),
    "min": _over_axis(jnp.min),
    "norm1": _over_axis(lambda x, axis, keepdims: jnp.sum(jnp.abs(x), axis=axis, keepdims=keepdims)),
    "norm_inf": _over_axis(lambda x, axis, keepdims: jnp.max(jnp.abs(x), axis=axis, keepdims=keepdims)),
    "huber": _huber,
}
"""By the name of the atom's class."""

KINKED = frozenset({"abs", "maximum", "minimum", "max", "min", "norm1", "norm_inf", "huber", "sum_largest"})
"""Atoms that are not smooth where they depend on variables."""
