"""Ranging: how far each parameter, right side and bound can move until the active set changes, and what ends it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.derivative_report import aligned
from lagrange.derivatives.evaluation import Derivatives
from lagrange.preflight_record import named
from lagrange.result import bound_name
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.range_end import FARTHEST, NO_LIMIT, End, Move, end_of


@dataclass(frozen=True)
class Range:
    """How far one number can move with the same active set.

    Attributes
    ----------
    name : str
        "volume", "upper bound of height".
    value : float
    lower, upper : float
        Ends of the interval, corrected; infinite where there is none, NaN where it is not determined.
    lower_event, upper_event : str
        What happens there: "shelf becomes active", "volume is released", "no limit".
    first_order : (float, float)
        The same ends by linear extrapolation.
    kink : str
        Where the active set changes at the value itself: what is active on one side only, "cap is active below only".
    """

    name: str
    value: float
    lower: float
    upper: float
    lower_event: str
    upper_event: str
    first_order: tuple[float, float]
    kink: str = ""

    @property
    def decrease(self) -> float:
        """Allowable decrease."""
        return self.value - self.lower

    @property
    def increase(self) -> float:
        """Allowable increase."""
        return self.upper - self.value


@dataclass(frozen=True)
class Ranging:
    """Ranges of parameters, right sides and active bounds. Print it.

    Attributes
    ----------
    parameters : {name of each element of p: Range}
    sides : {name of each constraint row: Range}
        Of its right side as written; rows between two sides have one entry for each, "load (lower)", "load (upper)".
    bounds : {name: Range} of the bounds that are active
    corrected : bool
        False where JAX cannot follow the functions: then the ends are those of first order.
    """

    parameters: dict[str, Range]
    sides: dict[str, Range]
    bounds: dict[str, Range]
    corrected: bool

    def __str__(self) -> str:
        groups = {"Parameters": self.parameters, "Right sides": self.sides, "Active bounds": self.bounds}
        parts = [_table(title, list(group.values())) for title, group in groups.items() if group]
        ranges = [found for group in groups.values() for found in group.values()]
        notes = [
            f"At {found.name} = {_number(found.value)} itself the active set changes: {found.kink}."
            for found in ranges
            if found.kink
        ]
        notes = list(dict.fromkeys(notes))  # a parameter and the row it moves may have one name
        if not self.corrected:
            notes.append("All ends are first-order estimates: JAX cannot follow the functions.")
        elif any(NO_LIMIT in (found.lower_event, found.upper_event) for found in ranges):
            notes.append(f"No limit: none within {FARTHEST:g} times the size of the number.")
        return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])]) or "There is nothing that can move."


@dataclass(frozen=True)
class _Candidate:
    """A number of the problem whose range can be asked for, by its own name or that of what it belongs to."""

    group: str
    move: Move
    names: tuple[str, ...]
    inactive: tuple[float, float, str] | None = None  # side (-1, 1), the value reached, the name of the row

    def answers(self, wanted: str) -> bool:
        return any(name == wanted or name.startswith((f"{wanted}[", f"{wanted}.")) for name in self.names)


def ranging(system: ActiveSystem, derivatives: Derivatives, names: str | Sequence[str] | None = None) -> Ranging:
    """The ranges at the solution of an active system: all, or those of some names.

    Raises
    ------
    ValueError
        For a name of nothing that can move.
    """
    chosen = _chosen(list(_candidates(system)), names)
    groups: dict[str, dict[str, Range]] = {"parameters": {}, "sides": {}, "bounds": {}}
    for item in chosen:
        move = item.move
        found = _range(move, system, derivatives) if item.inactive is None else _of_inactive(move, *item.inactive)
        groups[item.group][move.name] = found
    return Ranging(**groups, corrected=system.at.exact)


def _candidates(system: ActiveSystem) -> Iterable[_Candidate]:
    program, result = system.result.program, system.result
    m, n, q = program.m, program.n, result.p.size
    for name, value, unit in zip(program.parameters.names(), result.p, np.eye(q), strict=True):
        yield _Candidate("parameters", Move(name, float(value), unit, np.zeros(m + n)), (name,))
    values = np.concatenate([result.c, result.x])
    lower, upper = (np.concatenate(pair) for pair in zip(result.sides, result.bounds, strict=True))
    signs = np.full(m + n, np.nan)
    signs[system.active.places] = system.active.signs
    for k in range(m + n):
        ends = [(lower[k], -1.0), (upper[k], 1.0)] if lower[k] != upper[k] else [(upper[k], 0.0)]
        finite = [(float(end), sign) for end, sign in ends if np.isfinite(end)]
        for end, sign in finite:
            move = Move("", end, np.zeros(q), np.eye(m + n)[k])
            if k < m:
                name = program.row_names[k]
                label = f"{name} ({'lower' if sign < 0 else 'upper'})" if len(finite) > 1 else name
                inactive = None if signs[k] == sign else (sign, float(values[k]), name)
                yield _Candidate("sides", _renamed(move, label), (name, label), inactive)
            elif signs[k] == sign:
                variable = program.variable_names[k - m]
                label = bound_name(variable, sign)
                yield _Candidate("bounds", _renamed(move, label), (label, variable))


def _renamed(move: Move, name: str) -> Move:
    return Move(name, move.value, move.dp, move.dside)


def _chosen(candidates: list[_Candidate], names: str | Sequence[str] | None) -> list[_Candidate]:
    if names is None:
        return candidates
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if not any(item.answers(name) for item in candidates):
            known = named(list(dict.fromkeys(item.move.name for item in candidates)))
            raise ValueError(f"{name!r} is no parameter, constraint or active bound: there are {known}")
    return [item for item in candidates if any(item.answers(name) for name in wanted)]


def _of_inactive(move: Move, sign: float, reached: float, name: str) -> Range:
    # The solution does not feel an inactive side until it touches it.
    event = f"{name} becomes active"
    ends = (reached, math.inf) if sign > 0 else (-math.inf, reached)
    events = (event, NO_LIMIT) if sign > 0 else (NO_LIMIT, event)
    return Range(move.name, move.value, *ends, *events, ends)


def _range(move: Move, system: ActiveSystem, derivatives: Derivatives) -> Range:
    below, above = (end_of(move, sign, system, derivatives) for sign in (-1.0, 1.0))
    return Range(
        name=move.name,
        value=move.value,
        lower=below.corrected,
        upper=above.corrected,
        lower_event=below.event,
        upper_event=above.event,
        first_order=(below.first_order, above.first_order),
        kink=_kink(system, below, above),
    )


def _kink(system: ActiveSystem, below: End, above: End) -> str:
    if below.held is None or above.held is None:
        return ""
    active = system.active
    changes = [
        f"{name} is active {'below' if below.held[place] else 'above'} only"
        for name, place in zip(active.names, active.places.tolist(), strict=True)
        if below.held[place] != above.held[place]
    ]
    return ", ".join(changes)


def _table(title: str, ranges: list[Range]) -> str:
    rows = [("name", "value", "from", "to", "ends below with", "ends above with")]
    rows += [
        (r.name, _number(r.value), _number(r.lower), _number(r.upper), r.lower_event, r.upper_event) for r in ranges
    ]
    return f"{title}\n{aligned(rows, 'lrrrll')}"


def _number(value: float) -> str:
    return f"{value:.6g}"
