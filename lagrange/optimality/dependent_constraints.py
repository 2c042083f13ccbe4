"""Active constraints whose gradients are linearly dependent: which follows from which, or contradicts them.

    c3 = 2 c1 - c2      of gradients; of functions too, up to a constant, where it holds at points nearby (structural)

With excess r = value - side of every active constraint, the combination r3 - (2 r1 - r2) compares right sides: a
dependence of functions is redundant where it is zero and inconsistent where the sides can not all be met (Farkas).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Evaluation
from lagrange.derivatives.inspection import user_functions
from lagrange.kkt.dependence import Combination, dependent_rows
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import finite, largest
from lagrange.optimality.active_set import ActiveSet, active_set, elsewhere
from lagrange.optimality.words import combination, page
from lagrange.result import Result

AGREE = 1e-8  # gradients and right sides that differ by less, relative, agree
REDUNDANT, INCONSISTENT, DEPENDENT = "redundant", "inconsistent", "dependent"

# By verdict: what a dependence of functions means, and one of gradients at this x.
EXPLANATIONS = {
    REDUNDANT: (
        "follows from the others: it can be dropped",
        "follows from the others to first order at this x only: it cannot be dropped",
    ),
    INCONSISTENT: (
        "contradicts the others: no point satisfies all of them",
        "contradicts the others to first order at this x; elsewhere they may be satisfied together",
    ),
    DEPENDENT: ("does not follow from the others, but leaves them less room", "is tied to the others at this x only"),
}


@dataclass(frozen=True)
class Dependence:
    """gradient of `name` = sum of coefficients times the gradients of others, at one point.

    Attributes
    ----------
    name : str
    coefficients : dict
        By name; empty where the gradient of `name` is zero.
    verdict : str
        "redundant", "inconsistent", or "dependent" where sides of inequalities face each other.
    mismatch : float
        The combination of value minus side: zero where the right sides agree.
    structural : bool or None
        True where the same combination holds at points nearby, so that the functions depend on each other; False
        where the gradients do so only at this x; None where no point nearby could be evaluated.
    """

    name: str
    coefficients: dict[str, float]
    verdict: str
    mismatch: float
    structural: bool | None

    @property
    def names(self) -> tuple[str, ...]:
        """All constraints involved."""
        return (self.name, *self.coefficients)

    @property
    def equation(self) -> str:
        """ "c3 = 2 c1 - c2"."""
        return f"{self.name} = {combination(self.coefficients)}"

    @property
    def sentence(self) -> str:
        """What it means."""
        everywhere, here = EXPLANATIONS[self.verdict]
        return f"{self.name} {everywhere if self.structural else here}."


@dataclass(frozen=True)
class DependentConstraints:
    """The groups of dependent active constraints of one point; empty where their gradients are independent. Print it.

    Attributes
    ----------
    groups : tuple of Dependence
    active : number of active constraints
    """

    groups: tuple[Dependence, ...]
    active: int

    def __str__(self) -> str:
        if not self.groups:
            return f"Dependent constraints: none among {self.active} active"
        where = {True: "everywhere nearby", False: "only at this x", None: "at this x"}
        rows = [("gradients", "holds", "verdict")]
        rows += [(group.equation, where[group.structural], group.verdict) for group in self.groups]
        head = f"Dependent constraints: {len(self.groups)} among {self.active} active"
        return page(head, rows, "lll", [group.sentence for group in self.groups])


def dependent_constraints(evaluation: Evaluation, result: Result) -> DependentConstraints:
    """The dependent active constraints of a result, with an evaluation of the same program and parameters."""
    active = active_set(evaluation, result)
    found = dependent_rows(active.gradients, active.noise)
    moved = _gradients_nearby(evaluation, result, active) if found else None
    return DependentConstraints(tuple(_dependence(active, item, moved) for item in found), len(active.names))


def _dependence(active: ActiveSet, item: Combination, moved: Vector | None) -> Dependence:
    weights = np.zeros(len(active.names))
    weights[item.row] = 1.0
    weights[list(item.coefficients)] = [-value for value in item.coefficients.values()]
    mismatch = float(weights @ active.excess)
    terms = largest(weights * active.excess)
    structural = None
    if moved is not None:
        size = largest(np.linalg.norm(weights[:, None] * moved, axis=1))
        structural = bool(largest(weights @ moved) <= max(AGREE, active.noise) * size)
    agree = abs(mismatch) <= max(AGREE, active.accuracy) * max(1.0, terms)
    # Turned outward, values below their sides: a nonnegative combination of gradients that is zero, with excess left
    # over, is a contradiction; the same with the first row on the other side of the equation makes it redundant.
    turned = weights * np.where(active.equality, 1.0, active.signs)
    inequality = ~active.equality
    if not agree and any((sign * turned[inequality] >= 0.0).all() and sign * mismatch > 0.0 for sign in (1.0, -1.0)):
        verdict = INCONSISTENT
    elif agree and _follows(turned, inequality, item.row):
        verdict = REDUNDANT
    else:
        verdict = DEPENDENT
    coefficients = {active.names[i]: value for i, value in item.coefficients.items()}
    return Dependence(active.names[item.row], coefficients, verdict, mismatch, structural)


def _follows(turned: Vector, inequality: Mask, row: int) -> bool:
    """Whether the row is implied: an equation by equations, an inequality by nonnegative multiples of inequalities."""
    others = inequality & (turned != 0.0)
    others[row] = False
    if not inequality[row]:
        return not others.any()
    return bool((turned[others] * turned[row] < 0.0).all())


def _gradients_nearby(evaluation: Evaluation, result: Result, active: ActiveSet) -> Vector | None:
    derivatives, p, m = evaluation.derivative_source, evaluation.p, result.program.m
    point = elsewhere(derivatives, result.x, p)
    if point is None:
        return None
    jacobian = user_functions(derivatives, p).jacobian(point)
    moved, on_row = active.gradients.copy(), active.places < m
    moved[on_row] = jacobian[1 + active.places[on_row]]
    return moved if finite(moved) else None
