"""Derivatives that the user supplies: they always win and are used as given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.model.named_pytree import Layout, Vector


@dataclass(frozen=True)
class SuppliedDerivatives:
    """A function together with its Jacobian and, if known, the Hessian of its weighted sum. See `supplied`."""

    function: Callable[..., Any]
    jacobian: Callable[..., Any] | None
    hessian: Callable[..., Any] | None

    def __call__(self, x: Any, p: Any = None) -> Any:
        return self.function(x) if p is None else self.function(x, p)

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", "objective")

    @property
    def __wrapped__(self) -> Callable[..., Any]:  # inspect.signature sees the arguments of the function itself
        return self.function


def supplied(
    function: Callable[..., Any],
    jacobian: Callable[..., Any] | None = None,
    hessian: Callable[..., Any] | None = None,
) -> SuppliedDerivatives:
    """A function with derivatives of your own; what is left out is derived as for any other function.

    Parameters
    ----------
    function : callable
        f(x) or f(x, p), as elsewhere.
    jacobian : callable
        Same arguments. For an array x: an array of shape (shape of f) + (n,), dense or scipy.sparse; for a
        pytree x: a pytree like x of arrays (shape of f) + (shape of the leaf).
    hessian : callable
        For an objective: hessian(x) or hessian(x, p), shape (n, n). For a constraint function:
        hessian(x, y) or hessian(x, p, y), the Hessian of y . f(x, p), with y shaped like f.

    Examples
    --------
    >>> import numpy as np
    >>> import lagrange as lg
    >>> f = lg.supplied(lambda x: x @ x, jacobian=lambda x: 2 * x, hessian=lambda x: 2 * np.eye(3))
    >>> lg.Problem(minimize=f).solve([1.0, 2.0, 3.0]).success
    True
    """
    for name, item in (("function", function), ("jacobian", jacobian), ("hessian", hessian)):
        if (item is not None and not callable(item)) or (name == "function" and item is None):
            raise TypeError(f"{name} must be callable, got {item!r}")
    return SuppliedDerivatives(function, jacobian, hessian)


def flat_jacobian(value: Any, variables: Layout, rows: int, title: str) -> Vector:
    """A supplied Jacobian as an array (rows, n).

    Raises
    ------
    ValueError
        If it has another size, with what was got and expected.
    """
    if hasattr(value, "toarray"):
        value = value.toarray()
    if variables.treedef is not None and not isinstance(value, np.ndarray):
        from jax import tree_util

        leaves = [np.asarray(leaf, dtype=np.float64).reshape(rows, -1) for leaf in tree_util.tree_leaves(value)]
        value = np.concatenate(leaves, axis=1)
    matrix = _real(value, title)
    if matrix.size != rows * variables.size or (matrix.shape[-1:] != (variables.size,) and variables.size != 1):
        raise ValueError(
            f"{title} has shape {matrix.shape}, expected {(rows, variables.size)}"
            + (f" or {(variables.size,)}" if rows == 1 else "")
        )
    return matrix.reshape(rows, variables.size)


def flat_hessian(value: Any, n: int, title: str) -> Vector:
    """A supplied Hessian as a symmetric array (n, n); LinearOperators and sparse matrices are made dense."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    elif hasattr(value, "matmat"):
        value = value.matmat(np.eye(n))
    matrix = _real(value, title)
    if matrix.shape != (n, n) and matrix.size != n * n:
        raise ValueError(f"{title} has shape {matrix.shape}, expected {(n, n)}")
    matrix = matrix.reshape(n, n)
    return np.asarray(0.5 * (matrix + matrix.T))


def _real(value: Any, title: str) -> Vector:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{title} must return real numbers, got an array of type {array.dtype}")
    return array.astype(np.float64)
