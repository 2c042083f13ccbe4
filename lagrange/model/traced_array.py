"""An array with the operators, methods and functions of NumPy's, whose computations JAX follows.

NumPy hands its calls to a `TracedArray` (`__array_ufunc__`, `__array_function__`), and `call` sends them on:
to NumPy itself while every operand is constant, to `jax.numpy` as soon as one is traced. What needs numbers
(`bool`, `float`, an index) refuses with the reason.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lagrange.model import array_views
from lagrange.model.array_views import (
    ArrayWithViews,
    TracingRefused,
    any_traced,
    as_array,
    as_jax,
    is_jax_array,
    read_only,
    unwrap,
)
from lagrange.model.jax_counterparts import (
    ARRAY_MAKERS,
    IN_PLACE_FUNCTIONS,
    METHODS,
    NEST_TAKERS,
    RENAMED_KEYWORDS,
    SEQUENCE_TAKERS,
    SHAPE_FUNCTIONS,
    UFUNC_AT,
    VIEW_MAKERS,
    jax_counterpart,
    qualified_name,
)


class TracedArray(ArrayWithViews):
    """A NumPy-like array around a JAX value, or around a NumPy array while it is constant."""

    __slots__ = ()
    __array_priority__ = 1000.0  # NumPy's matrices leave binary operators to this class

    # Attributes and methods of numpy.ndarray.

    @property
    def T(self) -> Any:
        return call(np.transpose, self)

    @property
    def mT(self) -> Any:
        return call(np.matrix_transpose, self)

    @property
    def real(self) -> Any:
        return call(np.real, self)

    @property
    def imag(self) -> Any:
        return call(np.imag, self)

    @property
    def flat(self) -> Any:
        return call(np.ravel, self)

    def reshape(self, *shape: Any, order: Any = "C") -> Any:
        return call(np.reshape, self, shape[0] if len(shape) == 1 else shape, order=order)

    def transpose(self, *axes: Any) -> Any:
        return call(np.transpose, self, (axes[0] if len(axes) == 1 else axes) or None)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return call(np.clip, self, min, max)

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return TracedArray(self.value.astype(np.dtype(dtype)), is_scalar=self.is_scalar)

    def copy(self, order: str = "C") -> TracedArray:
        return TracedArray(self.value, is_scalar=self.is_scalar)

    def __deepcopy__(self, memo: dict[int, Any]) -> TracedArray:
        return self.copy()

    __copy__ = copy

    def flatten(self, order: str = "C") -> Any:
        return self.copy().reshape(-1, order=order)

    def fill(self, new: Any) -> None:
        self[...] = new

    def sort(self, axis: int = -1) -> None:
        self.write(call(np.sort, self, axis).value)

    def item(self, *index: Any) -> Any:
        if index:
            return self.flat[index[0]] if len(index) == 1 else self[index]
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.reshape(-1)[0]

    def tolist(self) -> Any:
        return [part.tolist() for part in self] if self.shape else self.item()

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return functools.partial(call, getattr(np, name), self)
        kind = type(self.representative)
        if name.startswith("__") or not hasattr(kind, name):
            raise AttributeError(f"'numpy.{kind.__name__}' object has no attribute '{name}'")
        if self.is_traced:
            raise TracingRefused(f"it uses {kind.__name__}.{name}, which JAX cannot follow")
        return getattr(read_only(self.value), name)

    # What only numbers can do.

    def _number(self, convert: Callable[[Any], Any], reason: str) -> Any:
        if self.is_traced:
            raise TracingRefused(reason)
        return convert(self.value)

    def __bool__(self) -> bool:
        return bool(self._number(bool, "it branches on the value of its argument"))

    def __float__(self) -> float:
        return float(self._number(float, "it converts its argument to a Python float"))

    def __int__(self) -> int:
        return int(self._number(int, "it converts its argument to a Python int"))

    def __complex__(self) -> complex:
        return complex(self._number(complex, "it converts its argument to a Python complex number"))

    def __index__(self) -> int:
        return int(self._number(lambda v: v.__index__(), "it uses the value of its argument as an index or a count"))

    def __hash__(self) -> int:
        raise TracingRefused("it uses its argument as a key of a dictionary, a set or a cache")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self._number(read_only, "it needs the numbers of its argument in a NumPy array")
        return np.array(array, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return f"TracedArray({self.value})"

    def __format__(self, spec: str) -> str:
        return repr(self) if self.is_traced else format(self.value[()], spec)

    # What NumPy, JAX and Python's operators ask for.

    def __jax_array__(self) -> Any:
        return as_jax(self.value)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return call(ufunc, *inputs, **kwargs) if method == "__call__" else call_ufunc(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return call(function, *args, **kwargs)

    def __round__(self, digits: int | None = None) -> Any:
        return call(np.round, self, digits or 0)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self


def _is_operand(value: Any) -> bool:
    known = (TracedArray, np.ndarray, np.generic, int, float, complex, list, tuple)
    return isinstance(value, known) or is_jax_array(value)


def _unary(ufunc: np.ufunc) -> Callable[[TracedArray], Any]:
    return lambda self: call(ufunc, self)


def _binary(ufunc: np.ufunc) -> Callable[[TracedArray, Any], Any]:
    return lambda self, other: call(ufunc, self, other) if _is_operand(other) else NotImplemented


def _reflected(ufunc: np.ufunc) -> Callable[[TracedArray, Any], Any]:
    return lambda self, other: call(ufunc, other, self) if _is_operand(other) else NotImplemented


def _in_place(ufunc: np.ufunc) -> Callable[[TracedArray, Any], Any]:
    def operate(self: TracedArray, other: Any) -> Any:
        result = call(ufunc, self, other)
        if self.is_scalar:
            return result
        if not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise TypeError(f"'{ufunc.__name__}' gives {result.dtype}, which {self.dtype} does not hold")
        self[...] = result
        return self

    return operate


# Each operator's name in `__name__` and the ufunc it stands for.
_UNARY: dict[str, np.ufunc] = {
    "neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc,
}  # fmt: skip
_COMPARISONS: dict[str, np.ufunc] = {
    "lt": np.less, "le": np.less_equal, "eq": np.equal,
    "ne": np.not_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip
_ARITHMETIC: dict[str, np.ufunc] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
    "floordiv": np.floor_divide, "mod": np.remainder, "pow": np.power, "matmul": np.matmul,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
for _name, _ufunc in _UNARY.items():
    setattr(TracedArray, f"__{_name}__", _unary(_ufunc))
for _name, _ufunc in (_COMPARISONS | _ARITHMETIC).items():
    setattr(TracedArray, f"__{_name}__", _binary(_ufunc))
for _name, _ufunc in _ARITHMETIC.items():
    setattr(TracedArray, f"__r{_name}__", _reflected(_ufunc))
    setattr(TracedArray, f"__i{_name}__", _in_place(_ufunc))


def wrap(result: Any) -> Any:
    return array_views.wrap(result, TracedArray)


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """A function of NumPy (or SciPy, `math`) on traced arrays: JAX's counterpart, or itself on constants."""
    qualified = qualified_name(function) or f"{function.__module__}.{function.__name__}"
    if kwargs.pop("out", None) is not None:
        raise TracingRefused(f"it lets {qualified} write into an array (out=)")
    if qualified in IN_PLACE_FUNCTIONS:
        return _call_in_place(qualified, *args, **kwargs)
    if qualified in SHAPE_FUNCTIONS:
        args, kwargs = _representatives(args), _representatives(kwargs)
    if any_traced((args, kwargs)):
        result = wrap(_call_jax(jax_counterpart(qualified), qualified, args, kwargs))
    else:
        result = wrap(function(*unwrap(args), **unwrap(kwargs)))
    if qualified in VIEW_MAKERS and args and isinstance(args[0], TracedArray) and not args[0].is_scalar:
        result = args[0].view_or(result, function(args[0].positions, *unwrap(args[1:]), **unwrap(kwargs)))
    if qualified in ARRAY_MAKERS and isinstance(result, TracedArray):
        result.is_scalar = False
    return result


def call_ufunc(ufunc: np.ufunc, method: str, *args: Any, **kwargs: Any) -> Any:
    """`reduce`, `accumulate`, `reduceat`, `outer` or `at` of a ufunc."""
    qualified = f"{qualified_name(ufunc) or ufunc.__name__}.{method}"
    if any(out is not None for out in kwargs.pop("out", None) or ()):
        raise TracingRefused(f"it lets {qualified} write into an array (out=)")
    if method == "at":
        return _call_at(ufunc, qualified, *args)
    if not any_traced((args, kwargs)):
        return wrap(getattr(ufunc, method)(*unwrap(args), **unwrap(kwargs)))
    import jax.numpy as jnp

    counterpart = jax_counterpart(qualified_name(ufunc) or "")
    if counterpart is not None and not hasattr(counterpart, method):
        counterpart = jnp.frompyfunc(counterpart, ufunc.nin, ufunc.nout, identity=ufunc.identity)
    return wrap(_call_jax(getattr(counterpart, method, None), qualified, args, kwargs))


def adapted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of traced arrays as a function of JAX's: what JAX calls back."""
    import jax

    def of_jax_arrays(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = jax.tree.map(wrap, (args, kwargs))
        return jax.tree.map(unwrap, function(*args, **kwargs))

    return of_jax_arrays


def _call_jax(counterpart: Callable[..., Any] | None, qualified: str, args: Any, kwargs: Any) -> Any:
    import jax

    if counterpart is None:
        raise TracingRefused(f"it calls {qualified}, which has no counterpart in JAX")
    keywords = RENAMED_KEYWORDS.get(qualified, {})
    is_ufunc = isinstance(getattr(np, qualified.removeprefix("numpy."), None), np.ufunc)
    args = [_jax_argument(arg, qualified, tuple_is_array=is_ufunc) for arg in args]
    kwargs = {keywords.get(key, key): _jax_argument(arg, qualified) for key, arg in kwargs.items()}
    try:
        return counterpart(*args, **kwargs)
    except (jax.errors.JAXTypeError, jax.errors.NonConcreteBooleanIndexError) as error:
        reason = f"it calls {qualified}, whose result has a form that depends on values"
        raise TracingRefused(reason) from error
    except (TypeError, AttributeError, NotImplementedError) as error:
        reason = f"it calls {qualified}, which JAX refuses: {str(error).splitlines()[0]}"
        raise TracingRefused(reason) from error


def _jax_argument(value: Any, qualified: str, *, tuple_is_array: bool = False) -> Any:
    """An argument as JAX takes it: it reads no list as an array, and calls back with its own arrays."""
    if callable(value) and not isinstance(value, type):
        return adapted(value)
    if not isinstance(value, list | tuple) or qualified in NEST_TAKERS:
        return unwrap(value)
    if qualified in SEQUENCE_TAKERS:
        return [as_array(item) if isinstance(item, list) else _jax_argument(item, qualified) for item in value]
    is_array = isinstance(value, list) or tuple_is_array or any_traced(value)  # else a shape or axes
    return as_array(value) if is_array else unwrap(value)


def _representatives(value: Any) -> Any:
    if isinstance(value, TracedArray):
        return value.representative
    if isinstance(value, dict):
        return {key: _representatives(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_representatives(item) for item in value)
    return value


def _call_in_place(qualified: str, target: Any, *args: Any, **kwargs: Any) -> None:
    if not isinstance(target, TracedArray):
        raise TracingRefused(f"it lets {qualified} write a traced value into an array of numbers")
    if qualified == "numpy.copyto":
        target[...] = call(np.where, kwargs["where"], args[0], target) if "where" in kwargs else args[0]
        return
    changed = _call_jax(
        jax_counterpart(qualified), qualified, (as_jax(target.value), *args), {**kwargs, "inplace": False}
    )
    target.write(changed)


def _call_at(ufunc: np.ufunc, qualified: str, target: Any, index: Any, *operands: Any) -> None:
    method = UFUNC_AT.get(ufunc.__name__)
    if method is None or not isinstance(target, TracedArray):
        raise TracingRefused(f"it calls {qualified}, which has no counterpart in JAX")
    key = array_views.as_index(index)
    if not any_traced(key):
        target.positions[key]  # an index out of bounds raises here; JAX would drop it
    target.write(getattr(as_jax(target.value).at[key], method)(as_array(operands[0])))
