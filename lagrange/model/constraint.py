"""Constraints as data: a function of (x) or (x, p) between two sides.

`equals`, `at_most`, `at_least` and `between` are how a person says `lo <= c(x, p) <= hi`. A side is a
number, an array that broadcasts to the shape of c, or a function of p that returns one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Side = Any  # number | array | Callable[[p], number | array]


@dataclass(frozen=True)
class Constraint:
    """lower <= function(x, p) <= upper, elementwise. Made by `equals`, `at_most`, `at_least`, `between`."""

    function: Callable[..., Any]
    lower: Side
    upper: Side
    equality: bool = False

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(
                f"the first argument of a constraint is a function of (x) or (x, p), got {_describe(self.function)}"
            )
        for side in (self.lower, self.upper):
            if isinstance(side, str) or side is None:
                raise TypeError(
                    f"the side of a constraint is a number, an array or a function of p, got {_describe(side)}"
                )


def equals(function: Callable[..., Any], value: Side = 0.0) -> Constraint:
    """The constraint c(x, p) = value.

    Parameters
    ----------
    function : callable
        c(x) or c(x, p), returning a scalar or an array of any shape.
    value : number, array or function of p
        The right side; default 0.

    Raises
    ------
    TypeError
        If `function` is not callable or `value` is None or text.

    Examples
    --------
    >>> import lagrange as lg
    >>> circle = lg.equals(lambda x: x[0] ** 2 + x[1] ** 2, 1.0)
    """
    return Constraint(function, value, value, equality=True)


def at_most(function: Callable[..., Any], upper: Side) -> Constraint:
    """The constraint c(x, p) <= upper; arguments and errors as in `equals`.

    Examples
    --------
    >>> import lagrange as lg
    >>> budget = lg.at_most(lambda x, p: p["prices"] @ x, lambda p: p["income"])
    """
    return Constraint(function, float("-inf"), upper)


def at_least(function: Callable[..., Any], lower: Side) -> Constraint:
    """The constraint c(x, p) >= lower; arguments and errors as in `equals`.

    Examples
    --------
    >>> import lagrange as lg
    >>> demand = lg.at_least(lambda x: x.sum(), 100.0)
    """
    return Constraint(function, lower, float("inf"))


def between(lower: Side, function: Callable[..., Any], upper: Side) -> Constraint:
    """The constraint lower <= c(x, p) <= upper; arguments and errors as in `equals`.

    Rows in which both sides are equal are treated as equalities.

    Examples
    --------
    >>> import lagrange as lg
    >>> temperature = lg.between(280.0, lambda x: x["T"], 340.0)
    """
    return Constraint(function, lower, upper)


def _describe(value: object) -> str:
    return f"{value!r} of type {type(value).__name__}"
