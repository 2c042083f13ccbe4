"""The few settings of a solve, checked where they enter, with errors that name the field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

NEWTON_KKT, FEASIBLE_PATH = METHODS = ("newton-kkt", "feasible-path")


@dataclass(frozen=True)
class Settings:
    """Settings of one solve.

    Parameters
    ----------
    tol : float
        Relative tolerance on the unscaled KKT residuals, between 1e-14 and 1. Default 1e-8.
    max_iterations : int
        Newton systems solved at most, in all phases together. Default 300.
    time_limit : float or None
        Seconds of wall-clock time; None (default) for no limit.
    method : str
        "newton-kkt" (default), or "feasible-path": once on the manifold of the equality constraints, every iterate
        satisfies them, and the objective is called nowhere else.
    verbose : int
        0 silent (default), k > 0 prints every k-th iteration.

    Raises
    ------
    ValueError
        With the name of the field, what was given and what is allowed.

    Examples
    --------
    >>> Settings(tol=-1.0)
    Traceback (most recent call last):
        ...
    ValueError: tol must be a number between 1e-14 and 1, got -1.0
    """

    tol: float = 1e-8
    max_iterations: int = 300
    time_limit: float | None = None
    method: str = NEWTON_KKT
    verbose: int = 0

    def __post_init__(self) -> None:
        if not (_is_number(self.tol) and 1e-14 <= self.tol <= 1.0):
            raise ValueError(f"tol must be a number between 1e-14 and 1, got {self.tol!r}")
        if not (_is_integer(self.max_iterations) and self.max_iterations >= 0):
            raise ValueError(f"max_iterations must be an integer >= 0, got {self.max_iterations!r}")
        if self.time_limit is not None and not (_is_number(self.time_limit) and self.time_limit > 0):
            raise ValueError(f"time_limit must be a positive number of seconds or None, got {self.time_limit!r}")
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}, got {self.method!r}")
        if not (_is_integer(self.verbose) and self.verbose >= 0):
            raise ValueError(f"verbose must be an integer >= 0, got {self.verbose!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)


def _is_integer(value: object) -> bool:
    try:
        return not isinstance(value, bool) and int(value) == value  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return False
