"""Why no point satisfies the constraints: a minimal conflict by name, the smallest repairs, a certificate.

A set of sides is in conflict where its least total violation is positive. The sides with multipliers in that elastic
problem are in conflict already; the deletion filter then drops every side without which a conflict remains
(Chinneck 2008, "Feasibility and infeasibility in optimization", chapters 6 and 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.blame import not_finite
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import finite
from lagrange.optimality.elastic import Relaxed, System, least_violation, system_of
from lagrange.optimality.words import number, page
from lagrange.preflight_record import named

PRESSES = 1e-6  # multipliers above this have a part in the certificate


@dataclass(frozen=True)
class Infeasibility:
    """What stands in the way of feasibility near a point. Print it.

    Attributes
    ----------
    feasible : bool or None
        True where a point that satisfies everything was found, None where neither that nor a conflict was found.
    conflict : tuple of str
        Sides that cannot be satisfied together; empty where feasible.
    irreducible : bool
        True where dropping any one of them makes the others satisfiable.
    certificate : dict
        By name, a multiplier for each side of the conflict, the largest of size 1, with the signs of the design: the
        gradients of the conflict cancel with them at the point of its least violation.
    repair : dict
        By name, what to add to right sides so that all rows can be satisfied, with the least sum of changes; bounds
        stay. A change of an upper side is positive, of a lower side negative.
    repair_alone : dict
        By name, for each side of the conflict: what to add to it if it alone moves; None where that is not enough.
    violation : float
        The least sum of violations of the rows.
    x
        Like x: the point of least violation; where feasible, one that satisfies everything.
    exact : bool
        True where all constraints are linear. Else every statement is local: true near x, not proven elsewhere.
    """

    feasible: bool | None
    conflict: tuple[str, ...]
    irreducible: bool
    certificate: dict[str, float]
    repair: dict[str, float]
    repair_alone: dict[str, float | None]
    violation: float
    x: Any
    exact: bool

    @property
    def message(self) -> str:
        """The finding in words."""
        if self.feasible:
            return "Feasible: there is a point that satisfies all constraints, so that there is nothing to explain."
        if self.feasible is None:
            return "Undecided: no feasible point was found, but no point of least violation either; try another x."
        scope = "No point satisfies" if self.exact else "No point nearby satisfies"
        if len(self.conflict) == 1:
            return f"Infeasible: {scope} {self.conflict[0]}."
        minimal = "; without any one of them the others can be" if self.irreducible else ""
        return f"Infeasible: {scope} {named(self.conflict)} together{minimal}."

    def __str__(self) -> str:
        if not self.conflict:
            return self.message
        rows = [("in conflict", "certificate", "change if it alone moves", "smallest repair")]
        rows += [
            (
                name,
                number(self.certificate[name]),
                "not enough" if (alone := self.repair_alone[name]) is None else f"{alone:+.6g}",
                _change(self.repair.get(name)),
            )
            for name in self.conflict
        ]
        others = [(name, "", "", _change(change)) for name, change in self.repair.items() if name not in self.conflict]
        notes = [
            f"Smallest repair of all rows together: changes of right sides that add up to {number(self.violation)}."
        ]
        if not self.exact:
            notes.append(
                "Some constraints are nonlinear: this holds near x. Another start may find a feasible point or "
                "another conflict."
            )
        return page(self.message, [*rows, *others], "lrrr", notes)


def explain_infeasibility(derivatives: Derivatives, x: Vector, p: Vector) -> Infeasibility:
    """The conflict among the constraints near x at parameters p.

    Raises
    ------
    ValueError
        Where the constraints are not finite at x.
    """
    evaluation, program = Evaluation(derivatives, p), derivatives.program
    values, (jacobian, hessian) = evaluation.values(x), evaluation.derivatives(x, np.zeros(1 + program.m))
    if not finite(values[1:], jacobian[1:]):
        raise ValueError(not_finite(program, x, values, jacobian, hessian, "x") + " Start from another point.")
    system = system_of(evaluation, x)
    rows, bounds = _split(system, range(len(system.sides)))
    first = least_violation(system, rows, bounds, x)
    everything = range(len(system.sides))
    is_met = _met(system, everything, first.x)
    conflict: tuple[int, ...] = ()
    irreducible = False
    if first.solved and not is_met:
        conflict, irreducible = _filtered(system, first, x)
    alone = {system.sides[i].name: _alone(system, i, first.x) for i in conflict}
    names = [system.sides[i].name for i in conflict]
    return Infeasibility(
        feasible=True if is_met else False if conflict else None,
        conflict=tuple(names),
        irreducible=irreducible,
        certificate=dict(zip(names, _certificate(system, conflict, first), strict=True)),
        repair={
            system.sides[i].name: change
            for i, change in first.violation.items()
            if conflict and not system.sides[i].is_met(system.values(first.x)[system.sides[i].place])
        },
        repair_alone=alone,
        violation=0.0 if is_met else first.total,
        x=program.variables.unflatten(first.x.copy()),
        exact=system.linear,
    )


def _filtered(system: System, first: Relaxed, x: Vector) -> tuple[tuple[int, ...], bool]:
    """The deletion filter: a set in conflict, and whether every proper subset was seen to be satisfiable."""
    pressing = [i for i, y in first.multipliers.items() if abs(y) > PRESSES]
    starts = [first.x, x]
    suspects = pressing if _satisfiable(system, pressing, starts) is False else list(first.multipliers)
    irreducible = True
    for side in sorted(suspects, key=lambda i: (system.sides[i].place < system.rows, i)):
        rest = [i for i in suspects if i != side]
        answer = _satisfiable(system, rest, starts)
        if answer is False:
            suspects = rest
        irreducible &= answer is not None
    return tuple(sorted(suspects)), irreducible


def _satisfiable(system: System, sides: Sequence[int], starts: Sequence[Vector]) -> bool | None:
    """Whether a point that meets these sides is found from one of the starts; None where no search ended."""
    rows, bounds = _split(system, sides)
    answer: bool | None = None
    for start in starts:
        relaxed = least_violation(system, rows, bounds, start)
        if _met(system, sides, relaxed.x):
            return True
        answer = False if relaxed.solved else answer
    return answer


def _alone(system: System, side: int, start: Vector) -> float | None:
    others = [i for i in range(len(system.sides)) if i != side]
    relaxed = least_violation(system, [side], others, start)
    return relaxed.violation[side] if relaxed.solved and _met(system, others, relaxed.x) else None


def _certificate(system: System, conflict: Sequence[int], first: Relaxed) -> list[float]:
    if not conflict:
        return []
    multipliers = least_violation(system, *_split(system, conflict), first.x).multipliers
    size = max((abs(y) for y in multipliers.values()), default=0.0) or 1.0
    return [multipliers.get(i, np.nan) / size for i in conflict]


def _split(system: System, sides: Sequence[int]) -> tuple[list[int], list[int]]:
    """Rows, which are soft, and bounds, which are held."""
    rows = [i for i in sides if system.sides[i].place < system.rows]
    return rows, [i for i in sides if system.sides[i].place >= system.rows]


def _met(system: System, sides: Sequence[int], x: Vector) -> bool:
    values = system.values(x)
    return all(system.sides[i].is_met(values[system.sides[i].place]) for i in sides)


def _change(change: float | None) -> str:
    return "" if change is None else f"{change:+.6g}"
