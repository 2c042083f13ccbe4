"""The second-order conditions, with the right quantifier over multipliers and the right cone.

Sufficient: for every d != 0 of the critical cone there is a multiplier with d'W(y)d > 0. Necessary (under the
constraint qualification of Mangasarian and Fromovitz): with >= 0 (Nocedal and Wright 2006, theorems 12.5 and 12.6;
Ben-Tal 1980, "Second-order and related extremality conditions in nonlinear programming", J. Optim. Theory Appl. 31).
The cone is the same for all multipliers: held are the sides on which some multiplier presses.
"""

from __future__ import annotations

import numpy as np

from lagrange.derivatives.evaluation import Evaluation
from lagrange.kkt.critical_cone import (
    CURVATURE_TOLERANCE,
    FACES,
    cone_curvatures,
    curves_down,
    curves_up,
    eigenpairs,
    is_rounding,
    size_of_terms,
    step_left,
)
from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.newton.second_order import SAME_CURVATURE, SETTLED_STEP
from lagrange.optimality.active_set import ActiveSet
from lagrange.optimality.check import Check
from lagrange.optimality.multiplier_polyhedron import MultiplierPolyhedron
from lagrange.optimality.words import direction as in_words
from lagrange.optimality.words import number
from lagrange.preflight_record import named
from lagrange.result import Result

ROUNDS = 5  # multipliers tried where they are not unique


def second_order(
    evaluation: Evaluation, result: Result, active: ActiveSet, polyhedron: MultiplierPolyhedron, pressed: Mask
) -> Check:
    """The second-order check at a point with multipliers; `pressed` are the constraints held in the critical cone."""
    held, weak = active.gradients[pressed], (active.signs[:, None] * active.gradients)[~pressed]
    tangent = RangeNullSpace(active.unit[pressed], active.noise).Z
    if not tangent.shape[1]:
        return Check(True, np.inf, "The active constraints leave no direction to move in.")
    unique = not polyhedron.null.shape[1]
    multipliers = active.multipliers if unique or polyhedron.contains(active.multipliers) else polyhedron.least_norm()
    which = "" if unique else " with the multipliers returned"
    for _ in range(1 if unique else ROUNDS):
        W = _hessian(evaluation, result, active, multipliers)
        values, vectors = eigenpairs(tangent, W)
        if values[0] > CURVATURE_TOLERANCE or curves_up(active.unit[pressed], W, result.x, active.noise):
            return _positive(evaluation, result, active, multipliers, W, values, vectors, which)
        cone = [(values[0], vectors[:, 0])] if not len(weak) else list(cone_curvatures(W, held, weak))
        hidden = None if len(weak) else curves_down(active.unit[pressed], W, result.x, active.noise)
        if hidden is not None and unique and _is_certain(evaluation, result, active, multipliers, W, hidden):
            return _negative(result, float(hidden @ W @ hidden), hidden, "")
        if len(weak) > FACES and all(value > CURVATURE_TOLERANCE for value, _ in cone):
            return Check(None, np.nan, f"{len(weak)} weakly active constraints: the cone has too many faces to search.")
        if not cone:
            return Check(True, np.inf, "The critical cone is the single point 0: every move raises the objective.")
        lowest, d = min(cone, key=lambda pair: pair[0])
        if lowest > CURVATURE_TOLERANCE:
            return Check(
                True,
                float(d @ W @ d),
                f"Curvature is positive on the critical cone{which}, though not on the whole tangent space of the "
                f"constraints that press: {named(_names(active, ~pressed))} must stay on their side.",
            )
        best, limit = float(d @ W @ d), np.inf
        if not unique:
            # Does the curvature along d stay as low with the best multipliers for it?
            limit, multipliers = polyhedron.extreme(_row_curvatures(evaluation, result, active, d))
            W = _hessian(evaluation, result, active, multipliers)
            best = float(d @ W @ d)
        zero = CURVATURE_TOLERANCE * size_of_terms(tangent, W)
        if unique or (np.isfinite(limit) and best <= zero):
            down = best < -zero and _is_certain(evaluation, result, active, multipliers, W, d)
            answer = _negative if down else _undecided
            return answer(result, best, d, "" if unique else " with all multipliers")
        which = f" with the multipliers {_listed(active, multipliers)}"
    words = in_words(result.program.variable_names, d)
    return Check(None, 0.0, f"The multipliers are not unique, and none tried curves up along {words} and all others.")


def _positive(
    evaluation: Evaluation,
    result: Result,
    active: ActiveSet,
    multipliers: Vector,
    W: Vector,
    values: Vector,
    vectors: Vector,
    which: str,
) -> Check:
    # A point still on its way to a degenerate minimum (x^4) has curvature that falls with every step.
    residual = active.objective_gradient + multipliers @ active.gradients
    step = step_left(values, vectors, W, residual, CURVATURE_TOLERANCE)
    d = vectors[:, 0]
    margin = float(d @ W @ d)
    if largest(step) > SETTLED_STEP * max(1.0, largest(result.x)):
        after = d @ _hessian(evaluation, result, active, multipliers, result.x + step) @ d
        if after < SAME_CURVATURE * margin:
            return _undecided(result, float(after), d, which)
    if not _is_certain(evaluation, result, active, multipliers, W, d):
        return _undecided(result, margin, d, which)
    return Check(
        True, margin, f"The Lagrangian curves up along every direction the constraints that press allow{which}."
    )


def _negative(result: Result, margin: float, d: Vector, which: str) -> Check:
    words = in_words(result.program.variable_names, d)
    return Check(False, margin, f"The Lagrangian curves down{which} along {words}, a direction the constraints allow.")


def _undecided(result: Result, margin: float, d: Vector, which: str) -> Check:
    words = in_words(result.program.variable_names, d)
    return Check(None, margin, f"The curvature{which} along {words} is zero to rounding: higher orders decide.")


def _is_certain(
    evaluation: Evaluation, result: Result, active: ActiveSet, multipliers: Vector, W: Vector, d: Vector
) -> bool:
    """The curvature along d is not what rounding of x has made of it."""

    def hessian(x: Vector) -> Vector:
        return _hessian(evaluation, result, active, multipliers, np.clip(x, *result.bounds))

    return not is_rounding(d, W, hessian, result.x)


def _hessian(
    evaluation: Evaluation, result: Result, active: ActiveSet, multipliers: Vector, x: Vector | None = None
) -> Vector:
    weights = active.spread(multipliers, result.program.m + result.program.n)[: result.program.m]
    _, W = evaluation.derivatives(result.x if x is None else x, np.concatenate([[1.0], weights]))
    return W


def _row_curvatures(evaluation: Evaluation, result: Result, active: ActiveSet, d: Vector) -> Vector:
    """(k,) d'(Hessian of the constraint)d; zero for bounds."""
    m = result.program.m
    curvatures = np.zeros(len(active.names))
    for k, place in enumerate(active.places):
        if place < m:
            _, hessian = evaluation.derivatives(result.x, np.eye(1 + m)[1 + place])
            curvatures[k] = d @ hessian @ d
    return curvatures


def _names(active: ActiveSet, mask: Mask) -> list[str]:
    return [name for name, shown in zip(active.names, mask, strict=True) if shown]


def _listed(active: ActiveSet, multipliers: Vector) -> str:
    return named([f"{name}: {number(value)}" for name, value in zip(active.names, multipliers, strict=True) if value])
