"""Which JAX function stands for one of NumPy, `math` or SciPy, and how NumPy's treats its arguments.

Functions are recognised by identity, never by their bare name, so that a user's own `exp` is not taken
for NumPy's. Nothing here imports JAX or SciPy before a function of theirs is asked for.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from lagrange.model.jax_replacements import REPLACEMENTS

# Where JAX keeps the counterparts of a module's functions; the first module that has the name wins.
JAX_MODULES = {
    "numpy": ("jax.numpy",),
    "numpy.linalg": ("jax.numpy.linalg",),
    "numpy.fft": ("jax.numpy.fft",),
    "math": ("jax.numpy", "jax.scipy.special"),
    "scipy.special": ("jax.scipy.special", "jax.numpy"),
    "scipy.linalg": ("jax.scipy.linalg",),
}

# Same function, another name in JAX.
RENAMED = {
    "numpy.asanyarray": "asarray",
    "numpy.ascontiguousarray": "asarray",
    "numpy.fix": "trunc",
    "numpy.row_stack": "vstack",
    "math.fabs": "abs",
    "math.asin": "arcsin",
    "math.acos": "arccos",
    "math.atan": "arctan",
    "math.asinh": "arcsinh",
    "math.acosh": "arccosh",
    "math.atanh": "arctanh",
    "math.atan2": "arctan2",
    "math.pow": "power",
    "math.lgamma": "gammaln",
    "scipy.special.psi": "digamma",
}

# Same name in JAX, another meaning: `math.remainder` rounds to nearest, NumPy's goes down; `math` counts
# with Python's integers.
DIFFERENT_MEANING = frozenset({"math.remainder", "math.gcd", "math.lcm", "math.comb", "math.factorial"})

# Keywords which JAX spells otherwise.
RENAMED_KEYWORDS = {"numpy.clip": {"a_min": "min", "a_max": "max"}}


def _numpy_names(names: str) -> frozenset[str]:
    return frozenset(f"numpy.{name}" for name in names.split())


# Functions whose result may be a view of their first argument.
VIEW_MAKERS = _numpy_names(
    "asarray asanyarray ascontiguousarray atleast_1d atleast_2d atleast_3d reshape ravel transpose "
    "matrix_transpose permute_dims swapaxes moveaxis rollaxis squeeze expand_dims diagonal flip fliplr "
    "flipud rot90 split array_split hsplit vsplit dsplit broadcast_to unstack real"
)
# Functions whose result depends on shapes and types alone: a constant.
SHAPE_FUNCTIONS = _numpy_names(
    "shape ndim size isscalar iscomplexobj isrealobj zeros_like ones_like empty_like result_type"
)
# Functions that make an array even of a scalar, so that a result without dimension can be assigned to.
ARRAY_MAKERS = _numpy_names("array asarray asanyarray full")
# Functions that take a list of arrays, which must stay a list; any other list of numbers means an array.
SEQUENCE_TAKERS = _numpy_names(
    "concatenate concat stack hstack vstack row_stack dstack column_stack select choose piecewise lexsort "
    "linalg.multi_dot"
)
# Functions that take lists nested in lists.
NEST_TAKERS = _numpy_names("array asarray asanyarray block")
# Functions that change their first argument.
IN_PLACE_FUNCTIONS = _numpy_names("fill_diagonal put place copyto")
# `ufunc.at` and the method of JAX's `array.at[index]` that does the same.
UFUNC_AT = {"add": "add", "subtract": "subtract", "multiply": "multiply", "minimum": "min", "maximum": "max"}
# Methods of an array which are the NumPy function of the same name on it.
METHODS = frozenset(
    [
        "sum",
        "prod",
        "mean",
        "std",
        "var",
        "min",
        "max",
        "argmin",
        "argmax",
        "argsort",
        "cumsum",
        "cumprod",
        "all",
        "any",
        "dot",
        "trace",
        "round",
        "ravel",
        "swapaxes",
        "squeeze",
        "diagonal",
        "repeat",
        "take",
        "conj",
        "conjugate",
        "nonzero",
        "searchsorted",
        "compress",
        "choose",
    ]
)


def qualified_name(function: Callable[..., Any]) -> str | None:
    """`module.name` of a function of NumPy, `math` or SciPy; None for any other object."""
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):
        return None
    for module_name in JAX_MODULES:
        module = sys.modules.get(module_name)
        if module is not None and vars(module).get(name) is function:
            return f"{module_name}.{name}"
    return None


def jax_counterpart(qualified: str) -> Callable[..., Any] | None:
    """The JAX function with the meaning of the NumPy (math, SciPy) function of that name, or None."""
    module_name, _, name = qualified.rpartition(".")
    if qualified in DIFFERENT_MEANING:
        return None
    if qualified in REPLACEMENTS:
        return REPLACEMENTS[qualified]
    name = RENAMED.get(qualified, name)
    for jax_module_name in JAX_MODULES.get(module_name, ()):
        module: ModuleType = importlib.import_module(jax_module_name)
        counterpart: Callable[..., Any] | None = getattr(module, name, None)
        if counterpart is not None:
            return counterpart
    return None
