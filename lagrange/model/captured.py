"""What the user's functions read besides x and p: closures, globals, defaults, attributes of their objects.

Compiled functions keep the values that these had. Compared at the start of every solve, they tell whether the functions
have become other ones: `limit = 1.0` in a notebook's next cell, `data[:] = ...`, `model.k = 7`.
"""

from __future__ import annotations

import functools
import zlib
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from lagrange.model.function_copy import LONGEST_COLLECTION, is_of_user, names_in

SAMPLED = 100_000  # entries of a larger array that are looked at, evenly spread
PLAIN = (int, float, complex, str, bytes, bool, type(None), np.generic)


class _Same:
    """An object that is compared by identity, and kept alive so that its place is not taken."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    __hash__ = None  # type: ignore[assignment]


def captured(*values: Any) -> tuple[Any, ...]:
    """A flat record of what functions, arrays and collections of them hold now: equal as long as nothing has changed.

    Examples
    --------
    >>> import numpy as np
    >>> data = {"demand": np.array([1.0, 2.0]), "cap": 3.0}
    >>> before = captured(data)
    >>> captured(data) == before
    True
    >>> data["demand"][0] = 5.0
    >>> captured(data) == before
    False
    """
    record: list[Any] = []
    seen: set[int] = set()
    for value in values:
        _add(value, record, seen)
    return tuple(record)


def _add(value: Any, record: list[Any], seen: set[int]) -> None:
    if isinstance(value, PLAIN):
        record.append((type(value), value))
        return
    record.append(_Same(value))
    if id(value) in seen:
        return
    seen.add(id(value))
    if type(value) is np.ndarray:
        record.append(_digest(value))
    elif isinstance(value, FunctionType):
        if is_of_user(value.__module__, value.__code__.co_filename):
            _add_function(value, record, seen)
    elif isinstance(value, MethodType):
        _add_all((value.__func__, value.__self__), record, seen)
    elif isinstance(value, functools.partial):
        _add_all((value.func, value.args, value.keywords), record, seen)
    elif callable(value) and hasattr(value, "__wrapped__"):  # with a cache, or with derivatives of its own
        _add(value.__wrapped__, record, seen)
    elif type(value) in (list, tuple, dict):
        record.append(len(value))
        if len(value) <= LONGEST_COLLECTION:
            _add_all((*value, *value.values()) if isinstance(value, dict) else value, record, seen)
    elif not isinstance(value, type | ModuleType) and _is_users(value):
        _add(vars(value), record, seen)


def _add_all(values: Any, record: list[Any], seen: set[int]) -> None:
    for value in values:
        _add(value, record, seen)


def _add_function(function: FunctionType, record: list[Any], seen: set[int]) -> None:
    for cell in function.__closure__ or ():
        try:
            _add(cell.cell_contents, record, seen)
        except ValueError:
            record.append(None)  # not assigned yet
    names, namespace = names_in(function.__code__), function.__globals__
    for name in sorted(names & namespace.keys()):  # a set has no order of its own
        value = namespace[name]
        _add(value, record, seen)
        if isinstance(value, ModuleType) and is_of_user(value.__name__, getattr(value, "__file__", None) or ""):
            _add_all([getattr(value, attribute) for attribute in sorted(names & vars(value).keys())], record, seen)
    _add_all(function.__defaults__ or (), record, seen)
    _add_all((function.__kwdefaults__ or {}).values(), record, seen)


def _is_users(value: Any) -> bool:
    kind = type(value)
    if kind.__module__ == "builtins" or not hasattr(value, "__dict__"):
        return False
    return is_of_user(kind.__module__, "")


def _digest(array: Any) -> tuple[Any, ...]:
    stride = max(1, array.size // SAMPLED)
    entries = array if stride == 1 else array.reshape(-1)[::stride]
    content = repr(entries.tolist()).encode() if array.dtype.hasobject else np.ascontiguousarray(entries).tobytes()
    return array.shape, array.dtype.str, zlib.crc32(content)
