"""What is tried again where the barrier phase has not ended at a verified minimum: one remedy for each known cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lagrange.derivatives.inspection import nearby_point
from lagrange.derivatives.scaling import StandardProgram
from lagrange.model.reductions import largest
from lagrange.model.status import PointKind
from lagrange.newton.barrier import BOUND_RELAXATION, Iterate
from lagrange.newton.barrier_phase import FIRST_MU, NEGLIGIBLE_VIOLATION, End, Outcome
from lagrange.newton.second_order import leave
from lagrange.newton.starting_point import starting_point
from lagrange.verdict import Judged

RESTART_MU = 1e-4  # barrier parameter after leaving a saddle
LEAVINGS = 5  # saddles left at most
TIGHTENINGS = 3  # times the barrier's tolerance is tightened when the unscaled residuals are not met
TIGHTEN = 0.01
FLAT = 1e-6  # gradients of violated rows below this do not tell how to reduce the violation
ENDED_WELL = (End.POLISHED, End.CONVERGED)


@dataclass(frozen=True)
class Attempt:
    """One run of the barrier phase: from where (None: the opening has led somewhere without it), and how."""

    it: Iterate | None
    tol: float
    mu: float = FIRST_MU
    relaxation: float = BOUND_RELAXATION


Remedy = Callable[[StandardProgram, Attempt, Outcome, Judged], Attempt | None]
"""(program, the last attempt, how it ended, what that is worth) -> the next attempt; None where it is no help."""


def without_relaxation(standard: StandardProgram, last: Attempt, outcome: Outcome, judged: Judged) -> Attempt | None:
    """Functions may be undefined just beyond a bound, where the relaxed one lies (entropy at 0)."""
    it, form = outcome.iterate, standard.form
    if judged.bend is not None or it is None or outcome.end not in (End.NO_PROGRESS, End.NOT_FINITE):
        return None
    if not (form.distances(it.v) <= BOUND_RELAXATION * np.maximum(1.0, np.abs(form.bound))).any():
        return None
    return replace(last, it=starting_point(standard, it.v[: form.n]), mu=FIRST_MU, relaxation=0.0)


def beside_a_flat_violation(
    standard: StandardProgram, last: Attempt, outcome: Outcome, judged: Judged
) -> Attempt | None:
    """Where the gradients of all violated rows vanish, the violation may have a saddle: look from nearby."""
    it, evaluation, form = outcome.iterate, standard.evaluation, standard.form
    if it is None or outcome.end is not End.INFEASIBLE_STATIONARY:
        return None
    violated = np.abs(it.h) > NEGLIGIBLE_VIOLATION
    _, J, _ = standard.derivatives(it.v[: form.n], np.zeros(it.h.size))
    if not violated.any() or largest(J[violated].ravel()) > FLAT:
        return None
    point = nearby_point(evaluation.derivative_source, standard.full_x(it.v[: form.n]), evaluation.p)
    return None if point is None else replace(last, it=starting_point(standard, point[form.free]), mu=FIRST_MU)


def sharper(standard: StandardProgram, last: Attempt, outcome: Outcome, judged: Judged) -> Attempt | None:
    """The scaled, relaxed problem is solved, but the user's is not."""
    if outcome.end not in ENDED_WELL or judged.bend is not None or judged.kinks or outcome.iterate is None:
        return None
    tol = TIGHTEN * last.tol
    return replace(last, it=outcome.iterate, tol=tol, mu=tol)


def off_the_saddle(standard: StandardProgram, last: Attempt, outcome: Outcome, judged: Judged) -> Attempt | None:
    """From a saddle, along the direction that leads down."""
    if outcome.end not in ENDED_WELL or judged.bend is None or judged.bend.kind is not PointKind.SADDLE_OR_MAXIMUM:
        return None
    point = judged.point
    it = starting_point(standard, leave(standard, point.x, point.y, judged.bend.direction))
    return replace(last, it=Iterate(it.v, it.y, RESTART_MU / it.d, it.d, it.f, it.h), mu=RESTART_MU)


REMEDIES: tuple[tuple[Remedy, int], ...] = (
    (without_relaxation, 1),
    (beside_a_flat_violation, 1),
    (sharper, TIGHTENINGS),
    (off_the_saddle, LEAVINGS),
)
"""In the order in which they are tried, and how often in one search."""
