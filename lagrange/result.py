"""The record of one solve, on flat vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.kkt.residuals import Residuals
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Program
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.monitor import IterationRecord


@dataclass(frozen=True)
class Evaluations:
    """How often the functions were called, and the seconds spent inside them."""

    values: int
    derivatives: int
    seconds: float


@dataclass(frozen=True)
class Result:
    """Everything one solve found, flat and unscaled, signs as in L = f + y . c + z . x (f negated to maximize).

    Attributes
    ----------
    x, p : (n,), (parameters,)
    objective : float
        As the user stated it.
    c : (m,) values of the constraint rows; `sides` and `bounds` are their (lower, upper) pairs
    y, z : (m,), (n,) multipliers
    active_rows, active_bounds : (m,), (n,) of -1 (lower side active), 0, +1 (upper side; equalities too)
    stop, kind, success, message
        Why it stopped, what the point is, whether the answer is verified, and all of it in words.
    dependent : groups of names of active rows that are linearly dependent (their multipliers are not unique)
    blame : names of the rows and bounds in conflict, or of the variables along an unbounded ray
    iterations : Newton systems solved;  seconds : wall-clock time
    polished : True where the active-set phase ended the solve
    derivatives : Jacobian (1 + m, n) of (signed f, c) and Hessian (n, n) of f + y . c at x; None where the solve failed
        at its start
    """

    program: Program
    x: Vector
    p: Vector
    objective: float
    c: Vector
    sides: tuple[Vector, Vector]
    bounds: tuple[Vector, Vector]
    y: Vector
    z: Vector
    active_rows: Vector
    active_bounds: Vector
    residuals: Residuals
    stop: StopReason
    kind: PointKind
    success: bool
    message: str
    dependent: tuple[tuple[str, ...], ...]
    blame: tuple[str, ...]
    iterations: int
    evaluations: Evaluations
    seconds: float
    history: tuple[IterationRecord, ...]
    polished: bool
    derivatives: tuple[Vector, Vector] | None = None

    def __repr__(self) -> str:
        return f"Result({self.kind.label}, objective {self.objective:.6g}, {self.iterations} iterations)"

    def evaluation(self, derivatives: Derivatives) -> Evaluation:
        """The functions of this program at p, with what the solve has computed at x."""
        evaluation = Evaluation(derivatives, self.p)
        if self.derivatives is not None:
            evaluation.remember(self.x, np.concatenate([[1.0], self.y]), self.derivatives)
        return evaluation

    def active_names(self) -> list[str]:
        """Names of the active rows and bounds: "volume", "upper bound of height"."""
        rows = [name for name, side in zip(self.program.row_names, self.active_rows, strict=True) if side]
        bounds = [
            bound_name(name, side)
            for name, side in zip(self.program.variable_names, self.active_bounds, strict=True)
            if side
        ]
        return rows + bounds


def bound_name(variable: str, side: float) -> str:
    """How messages name a bound.

    Examples
    --------
    >>> bound_name("height", -1.0)
    'lower bound of height'
    """
    return f"{'upper' if side > 0 else 'lower'} bound of {variable}"
