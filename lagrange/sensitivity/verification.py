"""Predicted against re-solved: the check that a sensitivity is true.

Each parameter is moved by +-h and +-h/2 and the problem solved again. A first-order prediction of x that is right has
an error of order h^2, the second-order one of the objective an error of order h^3: halving h shows both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.derivative_report import aligned
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import largest
from lagrange.result import Result
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.directional import Change, change
from lagrange.sensitivity.not_differentiable import NotDifferentiable

STEP = 1e-2  # relative to |p|, or to 1 where p is zero
LOWEST_ORDER = 1.5  # of the error of x; 2 is right
LOWEST_VALUE_ORDER = 2.5, 1.5  # of the error of the objective with and without its second derivative; 3 and 2 are right
SOLVED_TO = 1e-7  # errors of x below this, relative, are those of the solves
VALUE_SOLVED_TO = 1e-9  # and of the objective, relative to it and to the size of grad L times x
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
    value_order : float
        Order of the error of the objective: 3 where both its derivatives are right.
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
    value_order: float
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
        rows = [("parameter", "step", "predicted", "re-solved", "error of x", "order", "of value", "")]
        rows += [
            (
                trial.parameter,
                f"{trial.step:+.3g}",
                _shown(trial.predicted, "+.6g"),
                _shown(trial.actual, "+.6g"),
                _shown(trial.x_error, ".1e"),
                _shown(trial.order, ".1f"),
                _shown(trial.value_order, ".1f"),
                {True: "agrees", False: "DIFFERS", None: trial.remark}[trial.holds],
            )
            for trial in self.trials
        ]
        return aligned(rows, "lrrrrrrl")


def _shown(value: float, how: str) -> str:
    return "" if math.isnan(value) else format(value, how)


def verify(system: ActiveSystem, resolve: Resolve, step: float = STEP) -> Verification:
    """Move every parameter both ways by `step`, relative, and solve again."""
    if not 0.0 < step < math.inf:
        raise ValueError(f"step must be a positive number, got {step}")
    trials = []
    for j, name in enumerate(system.result.program.parameters.names()):
        size = abs(float(system.result.p[j])) or 1.0
        trials += [_trial(system, resolve, name, j, sign * step * size) for sign in (1.0, -1.0)]
    return Verification(tuple(trials))


def _trial(system: ActiveSystem, resolve: Resolve, name: str, j: int, step: float) -> Trial:
    result, sign = system.result, system.result.program.sign
    unit = np.zeros(result.p.size)
    unit[j] = math.copysign(1.0, step)
    try:
        moved = change(system, unit, np.zeros(len(system.active.names)))
    except NotDifferentiable as error:
        nothing = math.nan
        return Trial(name, step, nothing, nothing, nothing, nothing, nothing, None, error.cause or str(error))
    bent = math.isfinite(moved.bend)

    def predicted(h: float) -> float:
        return sign * (h * moved.value + (0.5 * h * h * moved.bend if bent else 0.0))

    def errors(h: float) -> tuple[float, float, Result]:
        there = resolve(result.p + h * unit)
        missed = there.objective - result.objective - predicted(h)
        return largest(result.x + h * moved.x - there.x), abs(missed), there

    h = abs(step)
    (whole, value_whole, there), (half, value_half, _) = errors(h), errors(h / 2.0)
    actual = there.objective - result.objective
    noise = SOLVED_TO * max(1.0, largest(result.x))
    size = max(abs(result.objective), abs(actual), result.residuals.stationarity_scale * largest(result.x))
    order, value_order = _slope(whole, half, noise), _slope(value_whole, value_half, VALUE_SOLVED_TO * size)
    if not there.success:
        holds, remark = None, f"no verified solution there: {there.kind.label}"
    elif _is_another_set(system, moved, there):
        holds, remark = None, SAME_SET
    else:
        right = order >= LOWEST_ORDER, value_order >= LOWEST_VALUE_ORDER[0 if bent else 1]
        holds = all(fine or math.isnan(seen) for fine, seen in zip(right, (order, value_order), strict=True))
        remark = ""
    travelled = max(largest(there.x - result.x), noise)
    return Trial(name, step, predicted(h), actual, whole / travelled, order, value_order, holds, remark)


def _slope(whole: float, half: float, noise: float) -> float:
    """The order of an error that halving the step shows; nan where it is rounding."""
    return math.log2(whole / half) if min(whole, half) > noise else math.nan


def _is_another_set(system: ActiveSystem, moved: Change, there: Result) -> bool:
    # What is held on this side must be active there, and nothing that was inactive; weak ones may be either.
    active = np.concatenate([there.active_rows, there.active_bounds]) != 0.0
    held, known = np.zeros(active.size, dtype=bool), np.zeros(active.size, dtype=bool)
    held[system.active.places], known[system.active.places] = moved.held, True
    return bool((held & ~active).any() or (active & ~known).any())
