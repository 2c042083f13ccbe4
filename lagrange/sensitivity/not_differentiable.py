"""Where a derivative does not exist: an error when it is asked for, never a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lagrange.model.named_pytree import Layout, Mask, Vector, nested_derivative

MISSING = object()  # the place of a derivative that does not exist


class NotDifferentiable(ArithmeticError):
    """The two-sided derivative that was asked for does not exist. The message says why and what to ask instead.

    Attributes
    ----------
    direction : pytree like x, or None
        Where the second-order condition fails: the direction along which the solution is not determined.
    cause : str
        The reason in a few words, for a cell of a table; empty where there is only the message.
    """

    def __init__(self, message: str, direction: Any = None, cause: str = "") -> None:
        super().__init__(message)
        self.direction = direction
        self.cause = cause


class Guarded(Mapping[Any, Any]):
    """A dict in which some entries are derivatives that do not exist: reading one raises `NotDifferentiable`."""

    def __init__(self, entries: Mapping[Any, Any], explain: Callable[[], NotDifferentiable]) -> None:
        self._entries, self._explain = entries, explain

    def __getitem__(self, key: Any) -> Any:
        entry = self._entries[key]
        if entry is MISSING:
            raise self._explain()
        return entry

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        shown = (f"{key!r}: {'not differentiable' if v is MISSING else v!r}" for key, v in self._entries.items())
        return f"{{{', '.join(shown)}}}"


def guarded(
    matrix: Vector, exists: Mask, outputs: Layout, inputs: Layout, explain: Callable[[], NotDifferentiable]
) -> Any:
    """A derivative matrix nested like `jax.jacobian`; what does not exist raises when it is read.

    In dicts a leaf raises on its own; other structures, and arrays of which a part does not exist, raise as a whole.

    Raises
    ------
    NotDifferentiable
    """
    tree = nested_derivative(matrix, outputs, inputs)
    if exists.all():
        return tree
    guard = _guard(tree, nested_derivative(exists.astype(float), outputs, inputs), explain)
    if guard is MISSING:
        raise explain()
    return guard


def _guard(tree: Any, exists: Any, explain: Callable[[], NotDifferentiable]) -> Any:
    if isinstance(tree, dict):
        return Guarded({key: _guard(tree[key], exists[key], explain) for key in tree}, explain)
    import jax

    complete = all(np.all(np.asarray(leaf) == 1.0) for leaf in jax.tree.leaves(exists))
    return tree if complete else MISSING
