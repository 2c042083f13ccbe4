"""Elements and views of an array whose values JAX follows: what indexing and assignment mean in NumPy.

NumPy's basic slices, `reshape`, `.T` and their like are views: a change of one shows in the other. JAX's
arrays never change. To be true to NumPy, `ArrayWithViews` holds a value that assignment replaces, and every
array can name its `positions`: an array of its shape that numbers the elements of the array it is part of.
NumPy's own slicing of the positions tells which elements a result shows, and whether it is a view or a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self, cast

import numpy as np


class TracingRefused(BaseException):
    """Code asked a traced array for what only numbers have; the text says what "it" (the code) does.

    Not an `Exception`, so that a user's `except Exception` cannot hide it and go on with a wrong branch.
    """


class ArrayWithViews:
    """Storage of an array: a JAX array or tracer, or a NumPy array while only constants went into it.

    `is_scalar` tells NumPy's scalars (immutable: `s += 1` makes a new one) from arrays without dimension.
    `outside` marks an array that lives outside of the function: it may be read, not changed.
    """

    __slots__ = ("_outside", "_positions", "_root", "_seen", "_value", "is_scalar")

    def __init__(self, value: Any, *, is_scalar: bool | None = None, outside: bool = False) -> None:
        self._value = value
        self.is_scalar = value.ndim == 0 and not isinstance(value, np.ndarray) if is_scalar is None else is_scalar
        self._outside = outside
        self._positions: np.ndarray | None = None
        self._root: Self | None = None  # the array this one is a view of
        self._seen: Any = None  # the root's value when the view was last read

    @property
    def value(self) -> Any:
        """The JAX array (or constant NumPy array) as it stands now."""
        if self._root is not None and self._seen is not self._root._value:
            self._seen = self._root._value
            self._value = self._seen.reshape(-1)[self.positions.astype(np.intp)]
        return self._value

    @property
    def is_traced(self) -> bool:
        return not isinstance(self.value, np.ndarray)

    @property
    def shape(self) -> tuple[int, ...]:
        return cast("tuple[int, ...]", self._value.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.intp))

    @property
    def dtype(self) -> Any:
        return self._value.dtype

    @property
    def representative(self) -> Any:
        """A NumPy scalar or array of the same shape and type; its numbers mean nothing."""
        zero = np.zeros((), self.dtype)
        return zero[()] if self.is_scalar else np.broadcast_to(zero, self.shape)

    @property
    def positions(self) -> np.ndarray:
        """Number of each element in the array this one is part of.

        Of type float64 for a float64 array, so that a conversion of type copies where it copies the array.
        """
        if self._positions is None:
            kind = np.float64 if self.dtype == np.float64 else np.intp
            self._positions = np.arange(self.size, dtype=kind).reshape(self.shape)
        return self._positions

    def view_or(self, result: Any, positions: Any) -> Any:
        """`result` as a view of this array where NumPy made `positions` a view of this array's positions."""
        if isinstance(result, list | tuple) and isinstance(positions, list | tuple):
            return type(result)(self.view_or(r, p) for r, p in zip(result, positions, strict=True))
        if not isinstance(positions, np.ndarray) or not np.may_share_memory(positions, self.positions):
            return result
        view = type(self)(result.value, is_scalar=False)
        view._root = self if self._root is None else self._root
        view._positions = positions
        view._seen = view._root.value
        return view

    def write(self, value: Any) -> None:
        """Replace every element; views of the same array see it."""
        if self._root is not None:
            flat = assigned(self._root.value.reshape(-1), self.positions.astype(np.intp), value)
            self._root.write(flat.reshape(self._root.shape))
        elif self._outside:
            raise TracingRefused("it changes an array that lives outside of it")
        else:
            self._value = value

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        key = as_index(index)
        if any_traced(key):
            return wrap(as_jax(self.value)[key], type(self))
        positions = self.positions[key]  # an index out of bounds raises here; JAX would clamp it
        return self.view_or(wrap(self.value[key], type(self)), positions)

    def __setitem__(self, index: Any, new: Any) -> None:
        key = as_index(index)
        if not any_traced(key):
            self.positions[key]  # an index out of bounds raises here; JAX would drop the assignment
        self.write(assigned(self.value, key, as_array(new)))


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of a constant that cannot be changed behind the back of the wrapper."""
    view = array.view()
    view.flags.writeable = False
    return view


def as_jax(value: Any) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(value)


def is_jax_array(value: Any) -> bool:
    import jax

    return isinstance(value, jax.Array)


def any_traced(value: Any) -> bool:
    """Whether a value, or anything in a nest of containers, is followed by JAX."""
    if isinstance(value, ArrayWithViews):
        return value.is_traced
    if isinstance(value, list | tuple):
        return any(any_traced(item) for item in value)
    if isinstance(value, dict):
        return any(any_traced(item) for item in value.values())
    return is_jax_array(value)


def wrap(result: Any, array_type: type[ArrayWithViews]) -> Any:
    """Arrays of a result, which may be nested in tuples, lists and dicts, as arrays of that class."""
    if is_jax_array(result) or isinstance(result, np.ndarray):
        return array_type(result)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(wrap(item, array_type) for item in result))
    if isinstance(result, list | tuple):
        return type(result)(wrap(item, array_type) for item in result)
    if isinstance(result, dict):
        return {key: wrap(item, array_type) for key, item in result.items()}
    return result


def unwrap(value: Any) -> Any:
    """The inverse of `wrap`; constants cannot be changed through what it returns."""
    if isinstance(value, ArrayWithViews):
        return value.value if value.is_traced else read_only(value.value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(unwrap(item) for item in value))
    if isinstance(value, list | tuple):
        return type(value)(unwrap(item) for item in value)
    if isinstance(value, dict):
        return {key: unwrap(item) for key, item in value.items()}
    return value


def as_array(value: Any) -> Any:
    """A number, an array or a nest of lists of them as one JAX array (NumPy's, if all are constant)."""
    if not any_traced(value):
        return np.asarray(unwrap(value))
    import jax.numpy as jnp

    return jnp.asarray(unwrap(value))


def as_index(index: Any) -> Any:
    """An index as JAX takes it: lists, which mean arrays of numbers, become arrays."""
    if isinstance(index, tuple):
        return tuple(as_index(part) for part in index)
    if isinstance(index, list):
        return as_array(index)
    return unwrap(index)


def assigned(array: Any, index: Any, new: Any) -> Any:
    """The array with `array[index] = new`; the array given stays as it is."""
    if isinstance(array, np.ndarray) and not any_traced((index, new)):
        changed = array.copy()
        changed[index] = new
        return changed
    array, new = as_jax(array), as_jax(new).astype(array.dtype)
    if is_jax_array(index) and index.dtype == bool and new.ndim == 0:
        import jax.numpy as jnp

        mask = index.reshape(index.shape + (1,) * (array.ndim - index.ndim))
        return jnp.where(mask, new, array)
    return array.at[index].set(new)
