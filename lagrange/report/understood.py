"""What a report asks of a solution."""

from __future__ import annotations

from typing import Any, Protocol

from lagrange.model.description import Descriptions
from lagrange.model.settings import Settings
from lagrange.optimality.conditions import Conditions
from lagrange.optimality.dependent_constraints import DependentConstraints
from lagrange.optimality.multiplier_set import MultiplierSet
from lagrange.report.tables import Solved
from lagrange.sensitivity.sensitivity import Sensitivity


class Understood(Solved, Protocol):
    """What the reports ask: a `lagrange.Solution`."""

    @property
    def problem(self) -> Any: ...
    @property
    def descriptions(self) -> Descriptions: ...
    @property
    def settings(self) -> Settings | None: ...
    def conditions(self) -> Conditions: ...
    def multiplier_set(self) -> MultiplierSet: ...
    def dependent_constraints(self) -> DependentConstraints: ...
    def sensitivity(self) -> Sensitivity: ...
