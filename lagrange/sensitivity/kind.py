"""The kind of a sensitivity: which derivatives exist at a solution, and why others do not."""

from __future__ import annotations

from lagrange.model.named_pytree import point_text
from lagrange.model.status import PointKind
from lagrange.preflight_record import named
from lagrange.result import Result
from lagrange.sensitivity.active_system import ActiveSystem

SMOOTH, ONE_SIDED, NOT_UNIQUE, UNDEFINED = "smooth", "one-sided", "multipliers not unique", "undefined"


def kind_of(system: ActiveSystem | None, result: Result) -> tuple[str, str]:
    """The kind, and a sentence with names that says why."""
    if system is None:
        return UNDEFINED, f"the point is no verified solution ({result.kind.label})."
    active = system.active
    if not system.polyhedron.exists:
        return UNDEFINED, "no Lagrange multiplier exists at this point."
    if not system.curved or result.kind is not PointKind.STRICT_MINIMUM:
        where = point_text(result.program.variable_names, system.weakest)
        return UNDEFINED, f"the second-order condition fails: no positive curvature along ({where})."
    if not system.unique:
        return NOT_UNIQUE, f"the gradients of the active constraints depend on each other: {named(active.names)}."
    if not active.strong.all():
        weak = [name for name, strong in zip(active.names, active.strong, strict=True) if not strong]
        return ONE_SIDED, f"{named(weak)} is active with a multiplier of zero: the two sides differ."
    return SMOOTH, "all active constraints press, their gradients are independent, and the curvature is positive."
