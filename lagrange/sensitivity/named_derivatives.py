"""Flat derivatives of one solution as pytrees, by the names of its problem; what does not exist raises when read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.model.named_pytree import Layout, Vector
from lagrange.model.program import Program
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.kind import NOT_UNIQUE, ONE_SIDED, SMOOTH, UNDEFINED
from lagrange.sensitivity.not_differentiable import MISSING, Guarded, NotDifferentiable, guarded

SCALAR = Layout(None, ("value",), ((),))
ASK = {
    ONE_SIDED: " Ask for one side: sensitivity.direction(dp).",
    NOT_UNIQUE: " Ask for one side: sensitivity.direction(dp), sensitivity.shadow_prices.",
    UNDEFINED: " See solution.conditions().",
    SMOOTH: "",
}

Block = tuple[Vector, Layout, Layout]
"""A derivative matrix with the layouts of its rows and columns; entries that do not exist are nan."""


@dataclass(frozen=True)
class NamedDerivatives:
    """How derivatives of this program are shown, and why some do not exist.

    Attributes
    ----------
    system : the active system; None at a point that is no verified solution
    kind, reason : of the sensitivity
    """

    program: Program
    system: ActiveSystem | None
    kind: str
    reason: str

    @property
    def constraint_layouts(self) -> dict[str, Layout]:
        """The layout of every constraint's rows."""
        return {
            function.name: Layout(None, (function.name,), (function.shape,)) for function in self.program.constraints
        }

    @property
    def active_names(self) -> tuple[str, ...]:
        """Names of the active constraints."""
        return () if self.system is None else self.system.active.names

    def spread(self, rows: Vector) -> Vector:
        """(m + n, ...) from the active constraints to all rows and variables: inactive multipliers stay zero."""
        full = np.zeros((self.program.m + self.program.n, rows.shape[1]))
        if self.system is None:
            return full * np.nan
        full[self.system.active.places] = rows
        return full

    def like_p(self, values: Vector) -> Any:
        """The derivative of a number."""
        return self.guarded(values[None, :], SCALAR, self.program.parameters)

    def guarded(self, matrix: Vector, outputs: Layout, inputs: Layout) -> Any:
        """One derivative matrix.

        Raises
        ------
        NotDifferentiable
            For a part that does not exist; for dicts on reading it.
        ValueError
            It is in the parameters, and there are none.
        """
        if inputs is self.program.parameters:
            self.check_parameters()
        exists = np.isfinite(matrix)
        return guarded(np.where(exists, matrix + 0.0, np.nan), exists, outputs, inputs, self.explain)

    def by_name(self, blocks: Mapping[str, Block]) -> Mapping[str, Any]:
        """Several: one that does not exist at all raises when it is read."""
        entries: dict[str, Any] = {}
        for name, block in blocks.items():
            try:
                entries[name] = self.guarded(*block)
            except NotDifferentiable:
                entries[name] = MISSING
        return Guarded(entries, self.explain) if any(entry is MISSING for entry in entries.values()) else entries

    def check_parameters(self) -> None:
        """Raise a ValueError where there are no parameters to move."""
        if not self.program.parameters.size:
            raise ValueError(
                "the problem has no parameters to move: give p to solve, or ask for sensitivity.sides, "
                "sensitivity.bounds and sensitivity.shadow_prices"
            )

    def explain(self) -> NotDifferentiable:
        """The error for a derivative that does not exist."""
        direction = None
        if self.system is not None and self.kind == UNDEFINED:
            direction = self.program.variables.tree(self.system.weakest)
        return NotDifferentiable(f"this derivative does not exist: {self.reason}{ASK[self.kind]}", direction)
