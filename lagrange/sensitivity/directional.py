"""One-sided derivatives of the solution along a change of parameters and sides.

With strict complementarity and independent gradients they are those of the active system. Else, along (G t, r t):

1. the multipliers that count are those of { max lambda . r t : lambda a multiplier }     (Gauvin and Dubeau 1982)
2. dx solves    min d'Wd / 2 + d'G t    subject to  A_i d + r_i t  = 0   where lambda_i presses or i is an equality,
                                                    A_i d + r_i t <= 0   on the other active sides
   (Jittorntrum 1984, Math. Program. Study 21; Ralph and Dempe 1995, Math. Program. 70, theorem 2)

and the value changes by f_p t + lambda . r t, and bends by

    [dx; t]' Lambda'' [dx; t]    where the multipliers that count are one point         (Shapiro 1988, SIAM J. Control
                                                                                          Optim. 26)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.optimality.multiplier_polyhedron import NEGLIGIBLE
from lagrange.preflight_record import named
from lagrange.sensitivity.active_system import ActiveSystem, Linearized
from lagrange.sensitivity.cone_program import cone_program
from lagrange.sensitivity.not_differentiable import NotDifferentiable


@dataclass(frozen=True)
class Change:
    """One-sided derivatives along one direction.

    Attributes
    ----------
    x : (n,);  multipliers : (k,) of the active constraints, nan where they are not determined
    value : of the signed objective
    bend : its one-sided second derivative, nan where the multipliers on this side are not determined
    held : (k,) which constraints stay active on this side
    limit : (k,) the multipliers that the solutions on this side tend to
    determined : the gradients of the held constraints are independent, so there is one path on this side
    rates : (k,) d multipliers / dt on that path, from `limit`
    """

    x: Vector
    multipliers: Vector
    value: float
    bend: float
    held: Mask
    limit: Vector
    determined: bool
    rates: Vector


def change(system: ActiveSystem, dp: Vector, dside: Vector) -> Change:
    """The change along dp (q,) and a change of the active sides (k,).

    Raises
    ------
    NotDifferentiable
        The constraints cannot all be met along this direction, or the second-order conditions fail.
    """
    active = system.active
    shift = system.at.r @ dp - dside
    multipliers, at = active.multipliers, system.at
    if not system.unique:
        limit, multipliers = system.polyhedron.extreme(shift)
        if not np.isfinite(limit):
            touched = named(_touched(system))
            raise NotDifferentiable(
                f"along this direction the active constraints {touched} contradict each other: there is no solution "
                f"beyond. Move them so that they stay consistent, or drop the one that repeats others",
                cause=f"{touched} contradict each other: no solution beyond",
            )
        if not system.constant_rank and not _is_one_point(system, shift):
            raise NotDifferentiable(
                f"the gradients of {named(_touched(system))} depend on each other at this point only, and along this "
                f"direction many multipliers count: how x moves is not told by one of them. Solve again nearby",
                cause="the active gradients depend on each other at this point only",
            )
        at = system.linearized(multipliers)
        shift = at.r @ dp - dside
    pressure = active.signs * multipliers / active.units
    held = active.equality | (active.strong if system.unique else pressure > active.zero_pressure)
    # Rows of length 1, their multipliers in units of their own.
    lengths, unit = active.lengths, active.unit
    unit_shift, turned = shift / lengths, active.signs[~held, None] * unit[~held]
    _check_curvature(system, at, held)
    found = cone_program(
        at.W, at.G @ dp, unit[held], -unit_shift[held], turned, -active.signs[~held] * unit_shift[~held]
    )
    if found is None:
        raise NotDifferentiable(
            f"along this direction the active constraints {named(active.names)} cannot all be met: the problem becomes "
            f"infeasible",
            cause=f"{named(active.names)} cannot all be met: no solution beyond",
        )
    rates = np.zeros(len(active.names))
    rates[held], rates[~held] = found.y / lengths[held], active.signs[~held] * found.z / lengths[~held]
    moved = rates.copy()
    if not system.unique:
        moved[_is_touched(system)] = np.nan
    stays = held.copy()
    stays[~held] = found.z > 0.0
    value = float(at.direct @ dp + multipliers @ shift)
    determined = system.unique or RangeNullSpace(active.unit[stays], active.noise).rank == stays.sum()
    d = found.d
    bend = float(dp @ at.second @ dp + 2.0 * (at.G @ dp) @ d + d @ at.W @ d) if determined else np.nan
    return Change(d, moved, value, bend, stays, multipliers, bool(determined), rates)


def _is_one_point(system: ActiveSystem, shift: Vector) -> bool:
    # { max lambda . shift } over a segment is one end of it, unless all of it is as good.
    per_unit = shift / system.active.lengths
    slope = largest(per_unit @ system.polyhedron.null)
    return system.polyhedron.null.shape[1] == 1 and slope > NEGLIGIBLE * (largest(per_unit) or 1.0)


def _check_curvature(system: ActiveSystem, at: Linearized, held: Mask) -> None:
    if system.unique and system.curved:
        return
    Z = RangeNullSpace(system.active.unit[held], system.active.noise).Z
    if Z.shape[1] and np.linalg.eigvalsh(Z.T @ at.W @ Z)[0] <= NEGLIGIBLE * (np.abs(at.W).max() or 1.0):
        raise NotDifferentiable(
            "the second-order condition fails with the multipliers that count along this direction: x may jump",
            cause="the second-order condition fails: x may jump",
        )


def _is_touched(system: ActiveSystem) -> Mask:
    return np.asarray(np.abs(system.polyhedron.null).max(axis=1, initial=0.0) > NEGLIGIBLE)


def _touched(system: ActiveSystem) -> list[str]:
    return [name for name, touched in zip(system.active.names, _is_touched(system), strict=True) if touched]
