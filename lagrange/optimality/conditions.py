"""Which conditions hold at a point: constraint qualifications, strict complementarity, second order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # scipy.optimize loads when it is first used

from lagrange.derivatives.evaluation import Evaluation
from lagrange.kkt.dependence import Combination, dependent_rows
from lagrange.kkt.null_space import RANK_TOLERANCE, RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.status import PointKind
from lagrange.optimality.active_set import NO_PRESSURE, ActiveSet, active_set
from lagrange.optimality.check import Check
from lagrange.optimality.multiplier_polyhedron import HIGHS, MultiplierPolyhedron
from lagrange.optimality.second_order import second_order
from lagrange.optimality.words import combination, number, page
from lagrange.preflight_record import named
from lagrange.result import Result

NO_SLOPE = 1e-9  # common slopes below this are zero
PART = 1e-6  # weights of a combination below this, relative to the largest, are not named
SENTENCES = 3  # combinations told in one detail


@dataclass(frozen=True)
class Conditions:
    """What is known about a point beyond small residuals. Print it.

    Attributes
    ----------
    licq : Check
        Linear independence of the active gradients. Margin: their smallest singular value at length 1.
    mfcq : Check
        Mangasarian and Fromovitz (1967): independent equality gradients, and a direction that leads strictly inside
        all active inequalities. Margin: the largest common slope of gradients of length 1 along d, |d_i| <= 1.
    strict_complementarity : Check
        Some multipliers press on every active inequality. Margin: the largest possible smallest one, times the
        length of its gradient, relative to the sum |grad f| + |J|'|y| + |z| of the stationarity condition.
    second_order : Check
        The second-order sufficient condition. Margin: the smallest curvature d'Wd over unit directions of the
        tangent space or the critical cone.
    """

    licq: Check
    mfcq: Check
    strict_complementarity: Check
    second_order: Check

    def __str__(self) -> str:
        checks = {
            "LICQ": self.licq,
            "MFCQ": self.mfcq,
            "strict complementarity": self.strict_complementarity,
            "second order": self.second_order,
        }
        rows = [("condition", "holds", "margin")]
        # Without a number to measure there is no margin to show.
        rows += [
            (name, check.answer, f"{check.margin:.3g}" if np.isfinite(check.margin) else "–")
            for name, check in checks.items()
        ]
        return page("Conditions", rows, "llr", [f"{name}: {check.detail}" for name, check in checks.items()])


def conditions(evaluation: Evaluation, result: Result) -> Conditions:
    """The conditions at the x of a result, with an evaluation of the same program at the same parameters."""
    active = active_set(evaluation, result)
    polyhedron = MultiplierPolyhedron(active)
    licq = _licq(active, result.kind)
    mfcq = _mfcq(active, result.kind, licq)
    if not polyhedron.exists:
        why = (
            "No multiplier exists at this point."
            if result.kind is PointKind.FRITZ_JOHN
            else "The point does not satisfy the first-order conditions."
        )
        nothing = Check(None, np.nan, why)
        return Conditions(licq, mfcq, nothing, nothing)
    low, high = polyhedron.intervals()
    # A side is held in the critical cone where some multiplier presses on it.
    most = np.where(active.signs > 0.0, high, -low) / active.units
    pressed = active.equality | (most > active.zero_pressure)
    return Conditions(
        licq,
        mfcq,
        _strict_complementarity(active, polyhedron, most, pressed),
        second_order(evaluation, result, active, polyhedron, pressed),
    )


def _licq(active: ActiveSet, kind: PointKind) -> Check:
    k, n = active.gradients.shape
    if not k:
        return Check(True, np.inf, "No constraint is active.")
    margin = float(np.linalg.svd(active.unit, compute_uv=False)[-1]) if k <= n else 0.0
    if margin <= RANK_TOLERANCE:
        return Check(False, margin, _dependence(active, dependent_rows(active.unit, RANK_TOLERANCE)))
    if kind is PointKind.FRITZ_JOHN:
        return Check(
            False,
            margin,
            f"The gradients of {named(active.names)} vanish or cancel in the limit: multipliers would exist otherwise.",
        )
    if margin <= active.noise:
        return Check(None, margin, f"The gradients of {named(active.names)} are dependent to within the accuracy of x.")
    gradients = "gradient of" if k == 1 else "gradients of"
    return Check(
        True, margin, f"The {gradients} {named(active.names)} {'is not zero' if k == 1 else 'are independent'}."
    )


def _dependence(active: ActiveSet, combinations: list[Combination]) -> str:
    sentences = []
    lengths = active.lengths
    for item in combinations[:SENTENCES]:
        # Coefficients of the gradients as they are, not of length 1.
        terms = {active.names[i]: value * lengths[item.row] / lengths[i] for i, value in item.coefficients.items()}
        name = active.names[item.row]
        sentences.append(f"{name} = {combination(terms)}" if terms else f"that of {name} is zero")
    more = f" and {len(combinations) - SENTENCES} more" if len(combinations) > SENTENCES else ""
    return f"The active gradients are dependent: {'; '.join(sentences)}{more}."


def _mfcq(active: ActiveSet, kind: PointKind, licq: Check) -> Check:
    names = np.array(active.names)
    if not names.size:
        return licq
    equality, unit = active.equality, active.unit
    equations = RangeNullSpace(unit[equality])
    if equations.rank < equality.sum():
        combinations = dependent_rows(unit[equality])
        involved = {i for item in combinations for i in (item.row, *item.coefficients)}
        listed = named(names[equality][sorted(involved)].tolist())
        return Check(False, 0.0, f"The gradients of the equations {listed} are dependent.")
    if equality.all():
        return Check(licq.holds, licq.margin, f"No inequality is active. {licq.detail}")
    # maximize t  subject to  G Z w + t <= 0,  |Z w| <= 1:   d = Z w is tangent to the equations
    G, Z = (active.signs[:, None] * unit)[~equality], equations.Z
    k, (n, w) = len(G), Z.shape
    A = np.vstack([np.column_stack([G @ Z, np.ones(k)]), np.column_stack([np.vstack([Z, -Z]), np.zeros(2 * n)])])
    b = np.concatenate([np.zeros(k), np.ones(2 * n)])
    objective = np.append(np.zeros(w), -1.0)
    found = scipy.optimize.linprog(objective, A_ub=A, b_ub=b, bounds=(None, None), options=HIGHS)
    slope = max(0.0, float(found.x[-1]))
    weights = -found.ineqlin.marginals[:k]
    involved_names = named(names[~equality][weights > PART * weights.max()].tolist())
    if kind is PointKind.FRITZ_JOHN:
        return Check(
            False, slope, f"No direction leads strictly inside {involved_names}: multipliers would exist then."
        )
    if slope <= NO_SLOPE:
        return Check(False, 0.0, f"No direction leads strictly inside {involved_names} together.")
    if slope <= active.noise:
        return Check(None, slope, f"Whether a direction leads strictly inside {involved_names} is beyond accuracy.")
    return Check(True, slope, f"A direction leads strictly inside all of {named(names[~equality].tolist())}.")


def _strict_complementarity(active: ActiveSet, polyhedron: MultiplierPolyhedron, most: Vector, pressed: Mask) -> Check:
    margin = polyhedron.largest_smallest()
    if not (~active.equality).any():
        return Check(True, np.inf, "No inequality is active.")
    names = np.array(active.names)
    among = "" if not polyhedron.null.shape[1] else " in the set of multipliers"
    if pressed.all():
        smallest = names[~active.equality][most[~active.equality].argmin()]
        return Check(True, margin, f"Every active inequality presses{among}; the least: {smallest}.")
    weak = named(names[~pressed].tolist())
    is_are = "is" if (~pressed).sum() == 1 else "are"
    zero = bool((most[~pressed] <= NO_PRESSURE).all())
    how = "zero" if zero else f"zero to the accuracy of x ({number(active.zero_pressure)})"
    return Check(
        False if zero else None, max(0.0, margin), f"{weak} {is_are} active with a multiplier of {how}{among}."
    )
