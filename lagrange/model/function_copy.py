"""A copy of a user's function that computes with stand-ins for `numpy`, `math`, SciPy and JAX.

The copy has the same code; its globals, closure and defaults are copies in which the modules, what was
imported from them, and the user's own functions that use them are replaced. What a function imports while
it runs is replaced too. The function itself and the modules are never changed.
"""

from __future__ import annotations

import builtins
import functools
import sys
import sysconfig
from abc import ABCMeta
from collections.abc import Callable
from pathlib import Path
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from lagrange.model.numpy_stand_ins import Vectorized, is_instance, is_of_jax, stand_in
from lagrange.model.traced_array import TracedArray

LAGRANGE_FOLDER = str(Path(__file__).resolve().parents[1])
LIBRARY_FOLDERS = tuple(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
LIBRARIES = frozenset({"numpy", "scipy", "jax", "jaxlib", "lagrange"})
# Libraries whose functions the stand-ins know or that have nothing to do with arrays.
KNOWN_LIBRARIES = frozenset(sys.stdlib_module_names) | {"numpy", "scipy"}
# A longer list or dictionary is data, not a collection of functions.
LONGEST_COLLECTION = 1000


def is_of_lagrange(filename: str) -> bool:
    return filename.startswith(LAGRANGE_FOLDER)


def is_of_user(module: str | None, filename: str, package: str = "") -> bool:
    """Whether code is the user's: not of a library, or of this package."""
    root = _root_of_name(module)
    if root in LIBRARIES or (not filename and root in sys.stdlib_module_names):
        return False
    return root == package or not filename.startswith(LIBRARY_FOLDERS)


class FunctionCopier:
    """Copies one function and what it reaches. `copy` is the function to call in its place.

    `uses_other_libraries` tells that the function reaches JAX or a library that is not known here;
    `filenames` are the files of the code that was copied: the user's.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.filenames: set[str] = set()
        self.uses_other_libraries = False
        self._package = _root_of(function)
        self._copies: dict[int, Any] = {}
        self._originals: list[Any] = []  # keeps every id in `_copies` taken
        self._globals: dict[int, dict[str, Any]] = {}
        self.copy: Callable[..., Any] = self.substitute(function)

    def substitute(self, value: Any) -> Any:
        """The copy of a value; the value itself where nothing in it has to be replaced."""
        if id(value) not in self._copies:
            self._originals.append(value)
            self._copies[id(value)] = value  # ends a cycle
            self._copies[id(value)] = self._substitute(value)
        return self._copies[id(value)]

    def _substitute(self, value: Any) -> Any:
        if isinstance(value, TracedArray):
            return value
        if type(value) is np.ndarray:
            return TracedArray(value, outside=True)
        if isinstance(value, functools.partial):
            keywords = {key: self.substitute(item) for key, item in value.keywords.items()}
            return functools.partial(self.substitute(value.func), *map(self.substitute, value.args), **keywords)
        if isinstance(value, np.vectorize):
            options = {"excluded": value.excluded, "signature": value.signature}
            return Vectorized(self.substitute(value.pyfunc), **options)
        if isinstance(value, functools._lru_cache_wrapper):
            return self.substitute(value.__wrapped__)
        if isinstance(value, MethodType) and not isinstance(value.__self__, type):
            return MethodType(self.substitute(value.__func__), self.substitute(value.__self__))
        if isinstance(value, FunctionType) and self._is_own(value.__module__, value.__code__.co_filename):
            return self._copy_function(value)
        if type(value) in (list, tuple, dict):
            return self._copy_collection(value)
        if isinstance(value, ModuleType) and self._is_own(value.__name__, getattr(value, "__file__", None) or ""):
            return _UserModule(value, self.substitute)
        if isinstance(value, type | BuiltinFunctionType):
            return stand_in(value)
        if self._is_own_class(type(value)):
            return self._copy_instance(value) if self._is_plain_instance(value) else value
        self.uses_other_libraries |= is_of_jax(value) or _root_of(value) not in KNOWN_LIBRARIES
        return stand_in(value)

    def _is_own(self, module: str | None, filename: str) -> bool:
        return is_of_user(module, filename, self._package)

    def _is_own_class(self, kind: type) -> bool:
        module = sys.modules.get(kind.__module__)
        return self._is_own(kind.__module__, getattr(module, "__file__", None) or "")

    def _copy_function(self, function: FunctionType) -> FunctionType:
        code = function.__code__
        self.filenames.add(code.co_filename)
        cells = tuple(self._copies.setdefault(id(cell), CellType()) for cell in function.__closure__ or ())
        namespace = self._copied_globals(function)
        copy = FunctionType(code, namespace, function.__name__, None, cells)
        self._copies[id(function)] = copy  # before what it reaches, which may reach it again
        for cell, new_cell in zip(function.__closure__ or (), cells, strict=True):
            self._originals.append(cell)
            if not _is_empty(cell) and _is_empty(new_cell):
                new_cell.cell_contents = self.substitute(cell.cell_contents)
        for name in names_in(code):
            self.uses_other_libraries |= _root_of_name(name) == "jax"  # imported while the function runs
            if name in function.__globals__:
                namespace[name] = self._reached(function.__globals__[name], code)
        if function.__defaults__ is not None:
            copy.__defaults__ = tuple(map(self.substitute, function.__defaults__))
        if function.__kwdefaults__ is not None:
            copy.__kwdefaults__ = {key: self.substitute(value) for key, value in function.__kwdefaults__.items()}
        copy.__qualname__ = function.__qualname__
        copy.__dict__.update(function.__dict__)
        return copy

    def _reached(self, value: Any, code: CodeType) -> Any:
        """The copy of a global; of a user's module, also what the code names in it, to know what it uses."""
        copy = self.substitute(value)
        if isinstance(copy, _UserModule):
            for name in names_in(code) & vars(value).keys():
                self.substitute(getattr(value, name))
        return copy

    def _copied_globals(self, function: FunctionType) -> dict[str, Any]:
        original = function.__globals__
        if id(original) not in self._globals:
            known = {**vars(builtins), "__import__": self._import, "isinstance": is_instance}
            self._globals[id(original)] = {**original, "__builtins__": known}
        return self._globals[id(original)]

    def _import(self, *args: Any, **kwargs: Any) -> Any:
        return self.substitute(builtins.__import__(*args, **kwargs))

    def _copy_collection(self, value: Any) -> Any:
        """A list, tuple or dictionary with its items substituted, which the copied code may change."""
        substitute = self.substitute if len(value) <= LONGEST_COLLECTION else lambda item: item
        if isinstance(value, tuple):
            return tuple(map(substitute, value))
        copy: Any = type(value)()
        self._copies[id(value)] = copy
        if isinstance(value, dict):
            copy.update((key, substitute(item)) for key, item in value.items())
        else:
            copy.extend(map(substitute, value))
        return copy

    def _is_plain_instance(self, value: Any) -> bool:
        """Whether an object of a user's class is no more than its `__dict__`."""
        kind: Any = type(value)
        return (
            type(kind) in (type, ABCMeta)
            and kind.__new__ is object.__new__
            and getattr(kind.__init_subclass__, "__func__", None) is None
            and hasattr(value, "__dict__")
            and not any(vars(base).get("__slots__") for base in kind.__mro__)
        )

    def _copy_instance(self, value: Any) -> Any:
        """An object of a class derived from its own, whose methods are copies."""
        kind: Any = type(value)
        members: dict[str, Any] = {}
        for base in reversed(kind.__mro__[:-1]):
            for name, member in vars(base).items():
                if isinstance(member, FunctionType):
                    members[name] = self.substitute(member)
                elif isinstance(member, staticmethod | classmethod):
                    members[name] = type(member)(self.substitute(member.__func__))
                elif isinstance(member, property):
                    members[name] = property(*map(self.substitute, (member.fget, member.fset, member.fdel)))
        copy = object.__new__(type(kind)(kind.__name__, (kind,), members))
        self._copies[id(value)] = copy
        copy.__dict__.update((name, self.substitute(item)) for name, item in vars(value).items())
        return copy


class _UserModule:
    """A module of the user's; functions taken from it are copies."""

    def __init__(self, module: ModuleType, substitute: Callable[[Any], Any]) -> None:
        self._module = module
        self._substitute = substitute

    def __getattr__(self, name: str) -> Any:
        return self._substitute(getattr(self._module, name))


def _root_of_name(name: str | None) -> str:
    return (name or "").partition(".")[0]


def _root_of(value: Any) -> str:
    """The package an object comes from."""
    if isinstance(value, ModuleType):
        return _root_of_name(value.__name__)
    return _root_of_name(getattr(value, "__module__", None) or type(value).__module__)


def names_in(code: CodeType) -> set[str]:
    """Names of globals, attributes and modules in a function and the functions inside it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_in(constant)
    return names


def _is_empty(cell: CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False
