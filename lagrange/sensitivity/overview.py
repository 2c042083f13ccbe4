"""A sensitivity on one page: what exists, the derivatives by parameter, the prices to both sides, what else to ask."""

from __future__ import annotations

import math

import numpy as np

from lagrange.optimality.words import number, page
from lagrange.result import Result
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.derivative import Derivative
from lagrange.sensitivity.kind import UNDEFINED

VARIABLES, PARAMETERS, ROWS = 6, 12, 12  # shown of long lists
NEGLIGIBLE = 1e-14  # derivatives below this, relative to the largest or to the slopes, are rounding
PRICES = "Shadow prices: how fast the objective changes when a side moves down and when it moves up"
MORE = (
    "Ask for more: .x, .multipliers, .objective, .sides, .direction(dp), .predict(p), .ranging(), .verify(), "
    ".comparative_statics()."
)


def overview(system: ActiveSystem | None, result: Result, kind: str, reason: str, found: Derivative) -> str:
    """The page; `found` are the derivatives in the parameters, nan where they do not exist."""
    program, zero = result.program, NEGLIGIBLE * result.residuals.stationarity_scale
    parts = [page(f"Sensitivity: {kind}: {reason}", [], "")]
    if np.isfinite(found.value).any():
        variables, more = program.variable_names[:VARIABLES], program.n > VARIABLES
        rows = [("d / d", "objective", *variables, *(["..."] if more else []))]
        size = NEGLIGIBLE * float(np.abs(found.x[np.isfinite(found.x)]).max(initial=0.0))
        for name, value, moves in zip(program.parameters.names()[:PARAMETERS], found.value, found.x.T, strict=False):
            shown = (_shown(move, size) for move in moves[:VARIABLES])
            rows.append((name, _shown(program.sign * value, zero), *shown, *([""] if more else [])))
        alignment = "l" + "r" * (len(rows[0]) - 1)
        parts.append(page("Derivatives of the solution", rows, alignment, _rest(result.p.size - PARAMETERS)))
    if system is not None and system.active.names and kind != UNDEFINED:
        names, places = system.active.names, system.active.places
        prices = [[_shown(price, zero) for price in side[places]] for side in system.prices]
        table = [("active", "down", "up"), *zip(names[:ROWS], *prices, strict=False)]
        parts.append(page(PRICES, table, "lrr", _rest(len(names) - ROWS)))
    return "\n\n".join([*parts, page(MORE, [], "")])


def _rest(count: int) -> list[str]:
    return [f"... and {count} more"] if count > 0 else []


def _shown(value: float, zero: float) -> str:
    return "none" if math.isnan(value) else number(0.0 if abs(value) <= zero else value)
