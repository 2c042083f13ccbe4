"""Objects that take the place of `numpy`, `math`, SciPy and JAX in a copy of a user's function.

NumPy does not hand on everything: `np.array([x[0], 1.0])` and `np.zeros(3)` make an array of numbers without
asking their elements, and `math.exp` wants a float. A stand-in for the module, or for a function taken from
it, gives the same function on traced arrays. Constants and types (`np.pi`, `np.float64`) stay themselves.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from lagrange.model.array_views import any_traced, as_array, is_jax_array, unwrap
from lagrange.model.jax_counterparts import JAX_MODULES, qualified_name
from lagrange.model.traced_array import TracedArray, adapted, call, call_ufunc, wrap

# Modules whose functions are followed; `numpy.random` only to say clearly that it cannot be.
FOLLOWED_MODULES = frozenset(JAX_MODULES) | {"scipy", "numpy.random"}
UFUNC_METHODS = frozenset({"reduce", "accumulate", "reduceat", "outer", "at"})


def _root(name: str) -> str:
    return name.partition(".")[0]


@dataclass(frozen=True)
class FunctionStandIn:
    """A function of NumPy, SciPy or `math`, on traced arrays."""

    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if getattr(self.function, "__module__", None) == "math":
            return call_math(self.function, *args, **kwargs)
        return call(self.function, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if isinstance(self.function, np.ufunc) and name in UFUNC_METHODS:
            return functools.partial(call_ufunc, self.function, name)
        return getattr(self.function, name)


@dataclass(frozen=True)
class JaxStandIn:
    """A function of JAX, or one that JAX has compiled, on traced arrays."""

    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        import jax

        args, kwargs = jax.tree.map(_to_jax, (args, kwargs))
        return jax.tree.map(_from_jax, self.function(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return stand_in(getattr(self.function, name))


@dataclass(frozen=True)
class ModuleStandIn:
    """A module whose functions, also in its submodules, are stand-ins."""

    module: ModuleType

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.module, name)
        if self.module.__name__ in FOLLOWED_MODULES and callable(value) and not isinstance(value, type):
            return FunctionStandIn(value)
        return stand_in(value)


@dataclass(frozen=True)
class IndexTrick:
    """`np.r_` or `np.c_`."""

    name: str

    def __getitem__(self, key: Any) -> Any:
        import jax.numpy as jnp

        if not any_traced(key):
            return wrap(getattr(np, self.name)[unwrap(key)])
        parts = key if isinstance(key, tuple) else (key,)
        arrays = tuple(as_array(part) if isinstance(part, list) else unwrap(part) for part in parts)
        return wrap(getattr(jnp, self.name)[arrays])


class Vectorized:
    """`np.vectorize(function)`: by `jax.numpy.vectorize` where an argument is traced."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.function = function
        self.options = options

    def __call__(self, *args: Any) -> Any:
        if not any_traced(args):
            return wrap(np.vectorize(self.function, **self.options)(*unwrap(args)))
        import jax.numpy as jnp

        excluded = self.options.get("excluded") or frozenset()
        options = {"excluded": excluded, "signature": self.options.get("signature")}
        return wrap(jnp.vectorize(adapted(self.function), **options)(*(as_array(arg) for arg in args)))


def stand_in(value: Any) -> Any:
    """What takes the place of an object of NumPy, SciPy, `math` or JAX; any other object itself."""
    if isinstance(value, ModuleType):
        followed = value.__name__ in FOLLOWED_MODULES or _root(value.__name__) == "jax"
        return ModuleStandIn(value) if followed else value
    if value is np.vectorize:
        return Vectorized
    if value is np.r_ or value is np.c_:
        return IndexTrick("r_" if value is np.r_ else "c_")
    if is_jax_array(value):
        return TracedArray(value, outside=True)
    if isinstance(value, type) or not callable(value):
        return value
    if qualified_name(value) is not None:
        return FunctionStandIn(value)
    return JaxStandIn(value) if is_of_jax(value) else value


def is_of_jax(value: Any) -> bool:
    """Whether an object comes from JAX or is a function that JAX has transformed."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""
    return _root(name) == "jax" or _root(type(value).__module__) in ("jax", "jaxlib")


def is_instance(value: Any, kind: Any) -> bool:
    """`isinstance` as NumPy's own array or scalar in the place of a traced one would answer."""
    return builtins.isinstance(value.representative if builtins.isinstance(value, TracedArray) else value, kind)


def call_math(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function of `math` on traced scalars."""
    name = function.__name__
    if name in ("fsum", "prod", "sumprod"):
        args = tuple(list(arg) for arg in args)
    if not any_traced((args, kwargs)):
        return function(*args, **kwargs)
    if name == "fsum":
        return call(np.sum, args[0])
    if name == "prod":
        return call(np.prod, args[0]) * kwargs.get("start", 1)
    if name == "sumprod":
        return call(np.dot, *args)
    if name == "dist":
        return call(np.linalg.norm, as_array(args[0]) - as_array(args[1]))
    args = tuple(_scalar(arg) for arg in args)
    if name == "hypot":
        return call(np.linalg.norm, list(args))
    if name == "log" and len(args) > 1:
        return call(np.log, args[0]) / call(np.log, args[1])
    return call(function, *args, **kwargs)


def _scalar(value: Any) -> Any:
    """What `float(value)` accepts, as a scalar."""
    if not isinstance(value, TracedArray):
        return value
    if value.ndim > 0:
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
    return value


def _to_jax(value: Any) -> Any:
    if callable(value) and not isinstance(value, type) and not is_of_jax(value):
        return adapted(value)
    return unwrap(value)


def _from_jax(value: Any) -> Any:
    if callable(value) and not isinstance(value, type) and not is_jax_array(value):
        return JaxStandIn(value)
    return wrap(value)
