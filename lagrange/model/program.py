"""The nonlinear program as data: user functions bound to the flat layout of one x and one p.

`bind` looks at everything once, on real numbers, at x0: arity, shapes, finiteness, the user's own exceptions.
What leaves this file are functions of flat vectors, and a name for every variable, parameter and row.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lagrange.model.constraint import Constraint, Side
from lagrange.model.named_pytree import Layout, Vector, layout_of, row_names

Flat = NDArray[np.float64]


@dataclass(frozen=True)
class UserFunction:
    """One function as the user wrote it, with the name it has in messages."""

    role: str  # "objective" or "constraint"
    name: str  # name of the constraint, or of the objective function
    call: Callable[..., Any]
    takes_p: bool
    shape: tuple[int, ...]

    @property
    def title(self) -> str:
        """How messages name it: constraint 'volume'."""
        return f"{self.role} {self.name!r}"

    @property
    def size(self) -> int:
        """Number of elements it returns."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Definition:
    """A problem as the user stated it, before any x is known."""

    objective: Callable[..., Any]
    maximize: bool
    constraints: Mapping[str, Constraint]
    bounds: Any


class CrossedSides(ValueError):
    """A lower side or bound is above the upper one, or is no number: nothing can satisfy both."""


@dataclass(frozen=True)
class Program:
    """minimize sign * f(x, p) subject to lo(p) <= c(x, p) <= hi(p), lower(p) <= x <= upper(p), all flat.

    Attributes
    ----------
    variables, parameters : Layout
        Layouts of x and p; p without parameters has size 0.
    functions : tuple of UserFunction
        The objective first, then the constraints in the user's order.
    sign : float
        +1 for minimize, -1 for maximize.
    """

    definition: Definition
    variables: Layout
    parameters: Layout
    functions: tuple[UserFunction, ...]
    sign: float

    @property
    def objective(self) -> UserFunction:
        return self.functions[0]

    @property
    def constraints(self) -> tuple[UserFunction, ...]:
        return self.functions[1:]

    @property
    def n(self) -> int:
        return self.variables.size

    @functools.cached_property
    def m(self) -> int:
        return sum(function.size for function in self.constraints)

    @functools.cached_property
    def variable_names(self) -> list[str]:
        return self.variables.names()

    @functools.cached_property
    def row_names(self) -> list[str]:
        """One name per constraint row: "volume", "demand[3]"."""
        return [row for function in self.constraints for row in row_names(function.name, function.shape)]

    def evaluate(self, function: UserFunction, x: Flat, p: Flat) -> Vector:
        """The value of one user function on real numbers, flat; the user's exceptions carry x in a note."""
        # Copies: a function that changes its arguments in place must not change the solve.
        arguments = self.arguments(function, x.copy(), p.copy())
        value = call_by_name(function.call, arguments, function.title, "x")
        return _flat_value(value, function.title, function.shape)

    def arguments(self, function: UserFunction, x: Any, p: Any) -> tuple[Any, ...]:
        """What the user function is called with, from flat x and p (NumPy or JAX)."""
        tree = self.variables.unflatten(x)
        return (tree, self.parameters.unflatten(p)) if function.takes_p else (tree,)

    def row_sides(self, p: Flat) -> tuple[Vector, Vector]:
        """lo and hi of all constraint rows at p, flat, infinite where absent."""
        constraints = self.definition.constraints.values()
        if any(callable(item.lower) or callable(item.upper) for item in constraints):
            return self._row_sides(p)
        return self._constant_row_sides

    def bound_sides(self, p: Flat) -> tuple[Vector, Vector]:
        """Lower and upper bounds of all variables at p, flat, infinite where absent."""
        return self._bound_sides(p) if callable(self.definition.bounds) else self._constant_bound_sides

    @functools.cached_property
    def _constant_row_sides(self) -> tuple[Vector, Vector]:
        return self._row_sides(np.empty(0))

    @functools.cached_property
    def _constant_bound_sides(self) -> tuple[Vector, Vector]:
        return self._bound_sides(np.empty(0))

    def _row_sides(self, p: Flat) -> tuple[Vector, Vector]:
        tree = self.parameter_tree(p) if p.size else None
        sides = [
            (_side(constraint.lower, tree, function, "lower"), _side(constraint.upper, tree, function, "upper"))
            for constraint, function in zip(self.definition.constraints.values(), self.constraints, strict=True)
        ]
        lower = np.concatenate([np.empty(0), *(lo for lo, _ in sides)])
        upper = np.concatenate([np.empty(0), *(hi for _, hi in sides)])
        _check_order(lower, upper, self.row_names, "constraint")
        return lower, upper

    def _bound_sides(self, p: Flat) -> tuple[Vector, Vector]:
        lower, upper = flat_bounds(self.definition.bounds, self.variables, self.parameter_tree(p) if p.size else None)
        _check_order(lower, upper, self.variable_names, "bounds of variable")
        return lower, upper

    def parameter_tree(self, p: Flat) -> Any:
        """p as the user's pytree, or None where the problem has no parameters."""
        return self.parameters.unflatten(p) if self.parameters.size else None

    def by_constraint(self, rows: Vector) -> dict[str, Any]:
        """A flat vector of row values as {constraint name: array shaped like the constraint}."""
        values, start = {}, 0
        for function in self.constraints:
            block = rows[start : start + function.size].reshape(function.shape)
            values[function.name] = float(block) if function.shape == () else block
            start += function.size
        return values


def bind(definition: Definition, x0: Any, p: Any) -> Program:
    """Fix layouts and shapes by one plain evaluation of every function at x0, p.

    Raises
    ------
    TypeError, ValueError
        Wrong arity, missing parameters, non-scalar objective, values that are not real numbers: by name.
    Exception
        Whatever a user function raises, unchanged, with a note that names the function and x.
    """
    variables = layout_of(x0, "x")
    if variables.size == 0:
        raise ValueError("x0 is empty: there is nothing to solve for")
    parameters = Layout(None, (), ()) if p is None else layout_of(p, "p")
    x_flat = variables.flatten(x0, "x0")
    p_flat = np.empty(0) if p is None else parameters.flatten(p, "p")
    entries = [("objective", getattr(definition.objective, "__name__", "objective"), definition.objective)]
    entries += [("constraint", name, item.function) for name, item in definition.constraints.items()]
    functions = []
    for role, name, call in entries:
        takes_p = _takes_p(call, f"{role} {name!r}", p is not None)
        if takes_p and p is None:
            raise TypeError(f"{role} {name!r} is a function of (x, p), but no p was given: call solve(x0, p)")
        function = UserFunction(role, name, call, takes_p, ())
        functions.append(
            UserFunction(role, name, call, takes_p, _shape_at(function, variables, parameters, x_flat, p_flat))
        )
    return Program(definition, variables, parameters, tuple(functions), -1.0 if definition.maximize else 1.0)


def flat_bounds(bounds: Any, variables: Layout, p: Any) -> tuple[Vector, Vector]:
    """Flat lower and upper bounds from every form that `Problem` accepts.

    The forms: None; a pair (lower, upper) of numbers, arrays, pytrees like x or None; for a dict x also
    {key: (lower, upper)}; `scipy.optimize.Bounds`; or a function of p that returns one of these.

    Raises
    ------
    ValueError
        If the bounds do not fit x, by name.
    """
    bounds = _at_parameters(bounds, p, "bounds")
    if bounds is None:
        lower, upper = None, None
    elif hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        lower, upper = bounds.lb, bounds.ub
    elif isinstance(bounds, dict):
        for key, pair in bounds.items():
            if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
                raise ValueError(f"bounds of {key!r} must be a pair (lower, upper), got {pair!r}")
        lower = {key: pair[0] for key, pair in bounds.items()}
        upper = {key: pair[1] for key, pair in bounds.items()}
    elif isinstance(bounds, list) and bounds and all(isinstance(pair, tuple) for pair in bounds):
        raise ValueError(
            "bounds is a list of pairs, one for each variable, as SciPy's minimize takes it; here it is one pair "
            "(lower, upper) of numbers or arrays, or scipy.optimize.Bounds(lower, upper)"
        )
    elif isinstance(bounds, (tuple, list)) and len(bounds) == 2:
        lower, upper = bounds
    else:
        raise ValueError(
            f"bounds must be a pair (lower, upper), a dict {{key: (lower, upper)}}, scipy.optimize.Bounds or None, "
            f"got {bounds!r}"
        )
    return (
        variables.flatten_like(lower, "the lower bound", -math.inf),
        variables.flatten_like(upper, "the upper bound", math.inf),
    )


def _at_parameters(side: Any, p: Any, title: str) -> Any:
    """The value of a side or of bounds that may be a function of p."""
    if not callable(side):
        return side
    if p is None:
        raise TypeError(f"{title}: a function of p, but no p was given: call solve(x0, p)")
    try:
        with float64_in_jax():
            return side(p)
    except Exception as error:
        error.add_note(f"raised by {title} at p = {_short(p)}")
        raise


def _takes_p(function: Callable[..., Any], title: str, p_is_given: bool) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # builtins without a signature
        return False
    positional = [item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    required = [item for item in positional if item.default is item.empty]
    if any(item.kind is item.VAR_POSITIONAL for item in parameters) and not positional:
        return False
    if len(required) > 2 or not positional:
        raise TypeError(f"{title} must be a function of (x) or (x, p), but it takes {len(required)} arguments")
    return len(required) == 2 or (p_is_given and len(positional) > 1 and positional[1].name == "p")


def _shape_at(function: UserFunction, variables: Layout, parameters: Layout, x: Flat, p: Flat) -> tuple[int, ...]:
    tree = variables.unflatten(x.copy())
    arguments = (tree, parameters.unflatten(p.copy())) if function.takes_p else (tree,)
    value = call_by_name(function.call, arguments, function.title, "x0")
    shape = _real_array(value, function.title).shape
    if getattr(value, "dtype", type(value)) in (bool, np.dtype(bool)):
        hint = ": write lagrange.at_least(lambda x: x[0], 1) for x[0] >= 1" if function.role == "constraint" else ""
        raise TypeError(f"{function.title} must return numbers, got True or False{hint}")
    if function.role == "objective" and math.prod(shape) != 1:
        raise ValueError(f"{function.title} must return one number, got an array of shape {shape}")
    return () if function.role == "objective" else shape


def call_by_name(function: Callable[..., Any], arguments: tuple[Any, ...], title: str, point: str) -> Any:
    """function(*arguments) on real numbers; what it raises carries a note with its title and the point."""
    try:
        with float64_in_jax(), np.errstate(all="ignore"):
            return function(*arguments)
    except Exception as error:
        error.add_note(f"raised by {title} at {point} = {_short(arguments[0])}")
        raise


def float64_in_jax() -> AbstractContextManager[Any]:
    """JAX computes in float64 inside this context; nothing happens where JAX is not loaded."""
    jax = sys.modules.get("jax")
    return nullcontext() if jax is None else cast("AbstractContextManager[Any]", jax.enable_x64(True))


def _flat_value(value: Any, title: str, shape: tuple[int, ...]) -> Vector:
    array = _real_array(value, title)
    if array.size != math.prod(shape):
        raise ValueError(f"{title} returned shape {array.shape}, but shape {shape} at x0")
    return array.reshape(-1)


def _real_array(value: Any, title: str) -> Vector:
    if value is None:
        raise TypeError(f"{title} returned None: does it end with a return statement?")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{title} returned something that is not an array of numbers: {error}") from None
    if array.dtype.kind == "c":
        raise TypeError(f"{title} returned complex numbers; it must be real")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{title} must return real numbers, got {_short(value)} of type {type(value).__name__}")
    return array.astype(np.float64)


def _side(side: Side, p: Any, function: UserFunction, which: str) -> Vector:
    title = f"the {which} side of {function.title}"
    array = _real_array(_at_parameters(side, p, title), title)
    if np.isnan(array).any():
        raise ValueError(f"the {which} side of {function.title} is nan")
    try:
        return np.broadcast_to(array, function.shape).ravel()
    except ValueError:
        raise ValueError(
            f"the {which} side of {function.title} has shape {array.shape}, but the function returns {function.shape}"
        ) from None


def _check_order(lower: Vector, upper: Vector, names: list[str], what: str) -> None:
    wrong = np.flatnonzero(~(lower <= upper) | (lower == np.inf) | (upper == -np.inf))
    if wrong.size:
        first = wrong[0]
        more = f" (and {wrong.size - 1} more)" if wrong.size > 1 else ""
        raise CrossedSides(
            f"{what} {names[first]!r} is reversed or not a number: lower {lower[first]:g}, upper {upper[first]:g}{more}"
        )


def _short(tree: Any) -> str:
    text = " ".join(str(tree).split())
    return text if len(text) <= 200 else text[:200] + " ..."
