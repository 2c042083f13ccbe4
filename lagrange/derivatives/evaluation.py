"""One way to evaluate a program, whatever its derivatives come from.

    F(x) = (sign * f(x), c(x)),   its Jacobian (1 + m, n),   and the Hessian of w . F

Every function is served by the best source it has: supplied derivatives, JAX, finite differences, in this order.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lagrange.derivatives import finite_difference
from lagrange.derivatives.automatic import CompiledFunctions, compile_functions, untraceable_reason
from lagrange.derivatives.supplied import SuppliedDerivatives, flat_hessian, flat_jacobian
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Program, UserFunction, call_by_name
from lagrange.model.standard_form import Indices

TRACED_VALUE_TOLERANCE = 1e-8  # relative difference between the traced and the plain call that is rounding


class DerivativeWarning(UserWarning):
    """JAX cannot follow a function: its derivatives are finite differences."""


@dataclass(frozen=True)
class Block:
    """Rows of F that are not fully served by JAX: their values and derivatives on real numbers."""

    rows: slice
    value: Callable[[Vector, Vector], Vector] | None  # None: the compiled value
    jacobian: Callable[[Vector, Vector], Vector] | None  # None: the compiled Jacobian
    hessian: Callable[[Vector, Vector, Vector], Vector] | None  # None: the compiled Hessian


@dataclass(frozen=True)
class Derivatives:
    """The evaluators of one program for every p: compiled functions and the blocks beside them."""

    program: Program
    compiled: CompiledFunctions | None
    compiled_rows: Vector  # rows of F that the compiled functions return
    blocks: tuple[Block, ...]
    signs: Vector  # (1 + m,): the objective's sign, then ones


class Evaluation:
    """F and its derivatives at fixed parameters, counting calls and the seconds spent in them."""

    def __init__(self, derivatives: Derivatives, p: Vector) -> None:
        self.derivative_source = derivatives
        self.program = derivatives.program
        self.p = p
        self.value_calls = 0
        self.derivative_calls = 0
        self.seconds = 0.0
        # The last point is remembered: a phase begins where another has ended.
        self._last_x = b""
        self._last_values: Vector = np.empty(0)
        self._last_pair = b""  # x, weights
        self._last_derivatives: tuple[Vector, Vector] = (np.empty(0), np.empty(0))

    def values(self, x: Vector) -> Vector:
        """F(x), shape (1 + m,): the signed objective, then the rows of c. Entries may be NaN or infinite."""
        key = x.tobytes()
        if key == self._last_x:
            return self._last_values
        start = time.perf_counter()
        source = self.derivative_source
        if source.compiled is not None and not source.blocks:
            result = source.compiled.values(x, self.p) * source.signs
        else:
            result = _assembled_values(source, x, self.p) * source.signs
        self.value_calls += 1
        self.seconds += time.perf_counter() - start
        self._last_x, self._last_values = key, result
        return result

    def some_values(self, x: Vector, rows: Indices) -> Vector:
        """F(x)[rows] without calling the functions that have none of these rows: they may be undefined at x.

        What JAX follows is evaluated together: compiled code cannot raise.
        """
        source = self.derivative_source
        if x.tobytes() == self._last_x:
            return self._last_values[rows]
        needed = tuple(block for block in source.blocks if _has_some(block.rows, rows))
        if len(needed) == len(source.blocks):
            return self.values(x)[rows]
        start = time.perf_counter()
        result: Vector = _assembled_values(replace(source, blocks=needed), x, self.p)[rows] * source.signs[rows]
        self.value_calls += 1
        self.seconds += time.perf_counter() - start
        return result

    def remember(self, x: Vector, weights: Vector, found: tuple[Vector, Vector]) -> None:
        """Take derivatives that were computed before for the last ones."""
        self._last_pair, self._last_derivatives = x.tobytes() + weights.tobytes(), found

    def derivatives(self, x: Vector, weights: Vector) -> tuple[Vector, Vector]:
        """Jacobian of F, shape (1 + m, n), and Hessian of weights . F, shape (n, n)."""
        key = x.tobytes() + weights.tobytes()
        if key == self._last_pair:
            return self._last_derivatives
        start = time.perf_counter()
        source = self.derivative_source
        weights = weights * source.signs
        if source.compiled is not None and not source.blocks:
            jacobian, hessian = source.compiled.derivatives(x, self.p, weights)
        else:
            jacobian, hessian = _assembled_derivatives(source, x, self.p, weights)
        if source.signs[0] < 0:
            jacobian = jacobian * source.signs[:, None]
        self.derivative_calls += 1
        self.seconds += time.perf_counter() - start
        self._last_pair, self._last_derivatives = key, (jacobian, hessian)
        return jacobian, hessian


def derivatives_of(program: Program, x: Vector, p: Vector) -> Derivatives:
    """Choose the source of derivatives for every function of the program, looking at it at x, p.

    Warns
    -----
    DerivativeWarning
        For every function that JAX cannot follow and that has no supplied derivatives.
    """
    reasons: dict[str, Exception] = {}
    for function in program.functions:
        if not _fully_supplied(function):
            reason = untraceable_reason(program, function, x, p)
            if reason is not None:
                reasons[function.title] = reason
    derivatives = _chosen(program, reasons)
    changed = _changed_when_traced(derivatives, x, p)
    if changed:
        reasons.update({title: ValueError("its value changes when JAX follows it") for title in changed})
        derivatives = _chosen(program, reasons)
    for function in program.functions:
        if function.title in reasons and _given(function, "jacobian") is None:
            _warn(function, reasons[function.title])
    return derivatives


def _chosen(program: Program, reasons: dict[str, Exception]) -> Derivatives:
    blocks, automatic, automatic_rows = [], [], [np.empty(0, dtype=np.intp)]
    start = 0
    for function in program.functions:
        rows = slice(start, start + function.size)
        start = rows.stop
        follow = function.title not in reasons and not _fully_supplied(function)
        if follow:
            automatic.append(function)
            automatic_rows.append(np.arange(rows.start, rows.stop))
        if isinstance(function.call, SuppliedDerivatives) or not follow:
            blocks.append(_block(program, function, rows, follow))
    signs = np.ones(start)
    signs[0] = program.sign
    compiled = compile_functions(program, automatic) if automatic else None
    return Derivatives(program, compiled, np.concatenate(automatic_rows), tuple(blocks), signs)


def _changed_when_traced(derivatives: Derivatives, x: Vector, p: Vector) -> list[str]:
    # A function may behave differently when it is traced (it inspects types, say): compare the two values.
    if derivatives.compiled is None:
        return []
    program, changed, start = derivatives.program, [], 0
    followed = np.full(derivatives.signs.size, np.nan)
    followed[derivatives.compiled_rows] = derivatives.compiled.values(x, p)
    compiled_rows = set(derivatives.compiled_rows.tolist())
    for function in program.functions:
        rows = slice(start, start + function.size)
        start = rows.stop
        if function.size and rows.start in compiled_rows:
            with np.errstate(all="ignore"):
                plain = program.evaluate(function, x, p)
                scale = np.maximum(1.0, np.abs(plain))
                same = np.abs(followed[rows] - plain) <= TRACED_VALUE_TOLERANCE * scale
            if not (same | (followed[rows] == plain) | np.isnan(plain)).all():
                changed.append(function.title)
    return changed


def _given(function: UserFunction, which: str) -> Callable[..., Any] | None:
    return getattr(function.call, which) if isinstance(function.call, SuppliedDerivatives) else None


def _fully_supplied(function: UserFunction) -> bool:
    return _given(function, "jacobian") is not None and _given(function, "hessian") is not None


def _block(program: Program, function: UserFunction, rows: slice, follow: bool) -> Block:
    given_jacobian, given_hessian = _given(function, "jacobian"), _given(function, "hessian")

    def value(x: Vector, p: Vector) -> Vector:
        return program.evaluate(function, x, p)

    def supplied_jacobian(x: Vector, p: Vector) -> Vector:
        assert given_jacobian is not None
        title = f"the supplied Jacobian of {function.title}"
        matrix = call_by_name(given_jacobian, program.arguments(function, x.copy(), p.copy()), title, "x")
        return flat_jacobian(matrix, program.variables, function.size, title)

    def supplied_hessian(x: Vector, p: Vector, weights: Vector) -> Vector:
        assert given_hessian is not None
        arguments = program.arguments(function, x.copy(), p.copy())
        title = f"the supplied Hessian of {function.title}"
        if function.role == "objective":
            hessian = flat_hessian(call_by_name(given_hessian, arguments, title, "x"), program.n, title)
            return np.asarray(weights[0] * hessian)
        arguments = (*arguments, weights.reshape(function.shape))
        return flat_hessian(call_by_name(given_hessian, arguments, title, "x"), program.n, title)

    def difference_jacobian(x: Vector, p: Vector) -> Vector:
        with _noting_differences(function):
            return finite_difference.jacobian(lambda point: value(point, p), x)

    def difference_hessian(x: Vector, p: Vector, weights: Vector) -> Vector:
        with _noting_differences(function):
            if given_jacobian is not None:
                return finite_difference.hessian_from_gradient(lambda point: weights @ supplied_jacobian(point, p), x)
            return finite_difference.hessian(lambda point: float(weights @ value(point, p)), x)

    return Block(
        rows,
        None if follow else value,
        supplied_jacobian if given_jacobian is not None else None if follow else difference_jacobian,
        supplied_hessian if given_hessian is not None else None if follow else difference_hessian,
    )


@contextmanager
def _noting_differences(function: UserFunction) -> Iterator[None]:
    # Differences leave every manifold and may leave the bounds: who cannot have that supplies derivatives.
    try:
        yield
    except Exception as error:
        error.add_note(
            f"while {function.title} was differenced, at a point near the iterate that need not satisfy a constraint: "
            f"supply its Jacobian and its Hessian with lagrange.supplied"
        )
        raise


def _has_some(block: slice, rows: Indices) -> bool:
    return bool(((rows >= block.start) & (rows < block.stop)).any())


def _assembled_values(source: Derivatives, x: Vector, p: Vector) -> Vector:
    result = np.empty(source.signs.size)
    if source.compiled is not None:
        result[source.compiled_rows] = source.compiled.values(x, p)
    for block in source.blocks:
        if block.value is not None:
            result[block.rows] = block.value(x, p)
    return result


def _assembled_derivatives(source: Derivatives, x: Vector, p: Vector, weights: Vector) -> tuple[Vector, Vector]:
    n = x.size
    jacobian, hessian = np.empty((weights.size, n)), np.zeros((n, n))
    if source.compiled is not None:
        compiled_weights = weights.copy()
        for block in source.blocks:  # a supplied Hessian replaces the compiled one
            if block.hessian is not None:
                compiled_weights[block.rows] = 0.0
        rows = source.compiled_rows
        jacobian[rows], hessian = source.compiled.derivatives(x, p, compiled_weights[rows])
    for block in source.blocks:
        if block.jacobian is not None:
            jacobian[block.rows] = block.jacobian(x, p)
        if block.hessian is not None and weights[block.rows].any():
            hessian = hessian + block.hessian(x, p, weights[block.rows])
    return jacobian, hessian


def _warn(function: UserFunction, reason: Exception) -> None:
    line, filename = getattr(reason, "line", None), getattr(reason, "filename", None)
    place = f" ({filename}, line {line})" if filename and line else ""
    warnings.warn(
        f"{function.title}: derivatives are taken by finite differences, because JAX cannot follow the function"
        f"{place}: {getattr(reason, 'reason', reason)}. Write it with NumPy operations that do not branch on values, "
        f"or supply derivatives with lagrange.supplied.",
        DerivativeWarning,
        stacklevel=levels_to_user(),
    )


def levels_to_user() -> int:
    """`stacklevel` of a warning that points at the user's line: the first frame outside this package."""
    package = __name__.split(".")[0]
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level
