"""Predicted against re-solved: the check that a sensitivity is true.

Each parameter is moved by +-h and +-h/2 and the problem solved again. A first-order prediction of x that is right has
an error of order h^2, the second-order one of the objective an error of order h^3: halving h shows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.derivative_report import aligned
from lagrange.model.named_pytree import Vector
from lagrange.result import Result
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.directional import change

STEP = 1e-2  # relative to |p|, or to 1 where p is zero
LOWEST_ORDER = 1.5  # of the error of x; 2 is right
SOLVED_TO = 1e-7  # errors below this, relative, are those of the solves
SAME_SET = "the active set changes within the step"

Resolve = Callable[[Vector], Result]


@dataclass(frozen=True)
class Trial:
    """One parameter moved by one step.

    Attributes
    ----------
    parameter : str;  step : float
    predicted, actual : float
        Change of the objective as stated.
    x_error : float
        Largest error of the predicted x, relative to the largest change of x or to 1e-7 of x.
    order : float
        Order of the error of x when the step is halved: 2 where the derivative is right; nan where it is rounding.
    holds : bool or None
        None where it cannot be judged: the problem has no verified solution there, or another active set.
    remark : str
    """

    parameter: str
    step: float
    predicted: float
    actual: float
    x_error: float
    order: float
    holds: bool | None
    remark: str


@dataclass(frozen=True)
class Verification:
    """All trials. Print it.

    Attributes
    ----------
    holds : bool or None
        True where every trial that could be judged agrees; None where none could.
    """

    trials: tuple[Trial, ...]

    @property
    def holds(self) -> bool | None:
        judged = [trial.holds for trial in self.trials if trial.holds is not None]
        return all(judged) if judged else None

    def __str__(self) -> str:
        rows = [("parameter", "step", "predicted", "re-solved", "error of x", "order", "")]
        rows += [
            (
                trial.parameter,
                f"{trial.step:+.3g}",
                f"{trial.predicted:+.6g}",
                f"{trial.actual:+.6g}",
                f"{trial.x_error:.1e}",
                "" if math.isnan(trial.order) else f"{trial.order:.1f}",
                {True: "agrees", False: "DIFFERS", None: trial.remark}[trial.holds],
            )
            for trial in self.trials
        ]
        return aligned(rows, "lrrrrrl")


def verify(system: ActiveSystem, resolve: Resolve, second: Vector, step: float = STEP) -> Verification:
    """Move every parameter both ways by `step`, relative, and solve again.

    Parameters
    ----------
    second : (q, q)
        Second derivative of the signed value; nan where it does not exist.
    """
    trials = []
    for j, name in enumerate(system.result.program.parameters.names()):
        size = abs(float(system.result.p[j])) or 1.0
        trials += [_trial(system, resolve, second, name, j, sign * step * size) for sign in (1.0, -1.0)]
    return Verification(tuple(trials))


def _trial(system: ActiveSystem, resolve: Resolve, second: Vector, name: str, j: int, step: float) -> Trial:
    result, sign = system.result, system.result.program.sign
    unit = np.zeros(result.p.size)
    unit[j] = math.copysign(1.0, step)
    moved = change(system, unit, np.zeros(len(system.active.names)))
    bend = second[j, j] if np.isfinite(second[j, j]) else 0.0

    def error(h: float) -> tuple[float, Result]:
        there = resolve(result.p + h * unit)
        return float(np.abs(result.x + h * moved.x - there.x).max()), there

    h = abs(step)
    predicted = sign * (h * moved.value + 0.5 * h * h * bend)
    (whole, there), (half, _) = error(h), error(h / 2.0)
    actual = there.objective - result.objective
    noise = SOLVED_TO * max(1.0, float(np.abs(result.x).max()))
    travelled = max(float(np.abs(there.x - result.x).max()), noise)
    order = math.log2(whole / half) if min(whole, half) > noise else math.nan
    if not there.success:
        holds, remark = None, f"no verified solution there: {there.kind.label}"
    elif (there.active_rows != result.active_rows).any() or (there.active_bounds != result.active_bounds).any():
        holds, remark = None, SAME_SET
    else:
        holds, remark = bool(math.isnan(order) or order >= LOWEST_ORDER), ""
    return Trial(name, step, predicted, actual, whole / travelled, order, holds, remark)
