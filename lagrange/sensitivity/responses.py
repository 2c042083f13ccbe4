"""What a `Sensitivity` answers with: changes, extrapolations and elasticities, nested like x and p."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Direction:
    """One-sided derivatives along a change of the parameters.

    Attributes
    ----------
    x : pytree like x
    multipliers : dict by constraint name, nan where they are not determined
    bound_multipliers : pytree like x
    objective : float
        As the user stated it.
    """

    x: Any
    multipliers: dict[str, Any]
    bound_multipliers: Any
    objective: float


@dataclass(frozen=True)
class Elasticity:
    """Relative changes: percent of the result per percent of the parameter; nan where the result is zero.

    Attributes
    ----------
    x : pytree like x of pytrees like p
    objective : pytree like p
    """

    x: Any
    objective: Any


@dataclass(frozen=True)
class Prediction:
    """The solution at other parameters, extrapolated from this one.

    Attributes
    ----------
    x, multipliers : first order
    objective : float
        Second order, on this side; first order where the multipliers are not determined.
    """

    x: Any
    multipliers: dict[str, Any]
    objective: float


@dataclass(frozen=True)
class SideDerivatives:
    """Derivatives with respect to right sides, by constraint name, or to active bounds, by variable.

    Attributes
    ----------
    x : {name: pytree like x, each leaf of its shape + that of the constraint}
    objective : {name: shaped like the constraint}
        The shadow price.
    """

    x: Mapping[str, Any]
    objective: Mapping[str, Any]
