"""Plain NumPy functions made to run on JAX's tracers, so that their derivatives are exact.

A user's function is copied with stand-ins for `numpy`, `math` and `scipy.special` (`function_copy`), and the
copy is called with arrays that NumPy's functions accept and JAX follows (`traced_array`). A function that
works with JAX, or with another library that is not known here, is first called as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from lagrange.model.array_views import TracingRefused, as_array, as_jax, is_jax_array, unwrap
from lagrange.model.function_copy import FunctionCopier, is_of_lagrange
from lagrange.model.traced_array import TracedArray, wrap

# Scopes of Python that are no functions of the user: the function around them is named instead.
UNNAMED_SCOPES = frozenset({"<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>"})


class NotTraceable(Exception):
    """JAX cannot follow a function: which one, where (file and line), and why (a sentence about "it")."""

    def __init__(self, function: str, filename: str, line: int, reason: str) -> None:
        super().__init__(function, filename, line, reason)
        self.function = function
        self.filename = filename
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.function} ({self.filename}, line {self.line}) cannot be followed by JAX: {self.reason}"


def traceable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A version of `function` that runs on pytrees of JAX arrays and tracers and returns one of JAX arrays.

    Lists and tuples of scalars in the result become one array. Raises `NotTraceable` where the function
    needs the numbers behind a tracer; the function's own exceptions come through unchanged.
    """

    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        import jax

        copier = FunctionCopier(function)
        if copier.uses_other_libraries:
            try:
                return _as_jax_arrays(function(*args, **kwargs))
            except Exception:
                pass  # NumPy refused a tracer, or the error is the user's: the copy tells which
        try:
            args, kwargs = jax.tree.map(wrap, (args, kwargs))
            return _as_jax_arrays(copier.copy(*args, **kwargs))
        except TracingRefused as refusal:
            raise _not_traceable(function, copier, refusal, str(refusal)) from refusal
        except (jax.errors.JAXTypeError, jax.errors.NonConcreteBooleanIndexError) as error:
            raise _not_traceable(function, copier, error, _reason_of(error)) from error

    return traced


def _as_jax_arrays(result: Any) -> Any:
    """A result as a pytree of JAX arrays; a list or tuple that nests nothing but scalars is one array."""
    import jax

    def convert(node: Any) -> Any:
        if type(node) not in (list, tuple):
            return as_jax(unwrap(node))
        return as_jax(as_array(node)) if node and _is_nest_of_scalars(node) else type(node)(map(_as_jax_arrays, node))

    return jax.tree.map(convert, result, is_leaf=lambda node: type(node) in (list, tuple))


def _is_nest_of_scalars(value: Any) -> bool:
    if type(value) in (list, tuple):
        return bool(value) and all(_is_nest_of_scalars(item) for item in value)
    if isinstance(value, TracedArray | np.ndarray) or is_jax_array(value):
        return bool(value.ndim == 0)
    return isinstance(value, int | float | complex | np.generic)


def _reason_of(error: Exception) -> str:
    """What the code did that made JAX raise `error`."""
    import jax

    reasons = {
        jax.errors.TracerBoolConversionError: "it branches on the value of its argument",
        jax.errors.TracerIntegerConversionError: "it uses the value of its argument as an index or a count",
        jax.errors.TracerArrayConversionError: "it needs the numbers of its argument in a NumPy array",
        jax.errors.NonConcreteBooleanIndexError: "it selects elements by the values of its argument",
    }
    return reasons.get(type(error), "it needs the numbers of its argument")


def _not_traceable(function: Any, copier: FunctionCopier, error: BaseException, reason: str) -> NotTraceable:
    """Name the place: the innermost frame of code that was copied, and what it called if that is foreign."""
    frames: list[tuple[FrameType, int]] = []
    step = error.__traceback__
    while step is not None:
        frames.append((step.tb_frame, step.tb_lineno))
        step = step.tb_next
    own = [i for i, (frame, _) in enumerate(frames) if frame.f_code.co_filename in copier.filenames]
    own_name = getattr(function, "__name__", type(function).__name__)
    if not own:
        return NotTraceable(own_name, "unknown file", 0, reason)
    frame, line = frames[own[-1]]
    if own[-1] + 1 < len(frames):
        called = frames[own[-1] + 1][0]
        module = called.f_globals.get("__name__", "")
        if not is_of_lagrange(called.f_code.co_filename) and module.partition(".")[0] != "jax":
            reason = f"it calls foreign code ({_public_name(module, called.f_code.co_qualname)})"
    named = (frames[i][0].f_code.co_name for i in reversed(own))
    name = next((name for name in named if name not in UNNAMED_SCOPES), own_name)
    return NotTraceable(name, frame.f_code.co_filename, line, reason)


def _public_name(module: str, name: str) -> str:
    """`scipy.optimize.brentq` for a function that lives in `scipy.optimize._zeros_py`."""
    full_name = name if name.startswith(module.partition(".")[0] + ".") else f"{module}.{name}"
    return ".".join(part for part in full_name.split(".") if not part.startswith("_"))
