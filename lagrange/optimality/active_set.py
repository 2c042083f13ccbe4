"""The constraints that are active at a point, and how firmly: slack against multiplier.

For an inequality side with gradient a, slack s >= 0 and multiplier lambda (turned to be >= 0), in units of their own:

    pressure = lambda |a| / size of the terms in grad L,      room = s / max(1, |side|, sum |a_j x_j|)

In mixed units a variable with steep terms would hide the pressure on another one: the pressure is the larger of that in
the user's units and that in units of 1 / sqrt(W_jj), in which all curvatures are alike and offsets do not count.

    strongly active   pressure > room, and above what the accuracy of the point can tell from zero
    weakly active     room is zero to that accuracy, or below the pressure, and the pressure is zero
    inactive          else

On the central path pressure * room = mu: one of the two is large, and no tolerance on the slack alone decides
(Facchinei, Fischer and Kanzow 1998, "On the accurate identification of active constraints", SIAM J. Optim. 9, compare
the slack with a root of the residual; here that root is only the zero of weakly active sides).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.difference_limits import SEED
from lagrange.derivatives.evaluation import Derivatives, Evaluation
from lagrange.derivatives.inspection import nearby_point, user_functions
from lagrange.kkt.null_space import RANK_TOLERANCE, RangeNullSpace
from lagrange.model.named_pytree import Mask, Vector
from lagrange.model.reductions import largest
from lagrange.model.standard_form import Indices
from lagrange.model.status import PointKind
from lagrange.result import Result, bound_name

ROUNDING = 1e-12  # room below this is rounding
LOOSEST = 1e-4  # room above this is never zero, however inaccurate the point
REACH = 10.0  # times the Newton step on the active constraints: how far x may be from where they meet
AT_ZERO = 1e-2  # variables smaller than this move as far as those that are zero
UNVERIFIED = 1e-6  # room that is zero at a point without multipliers, whose accuracy no residual tells
LEAST_CURVATURE = 1e-24  # second derivatives below this, relative to the largest, tell no unit
NO_PRESSURE = 1e-8  # pressure below this is zero, however accurate the point

# Elsewhere the numbers a solver holds for multipliers balance nothing.
KINDS_WITH_MULTIPLIERS = (PointKind.STRICT_MINIMUM, PointKind.MINIMUM_NOT_STRICT, PointKind.SADDLE_OR_MAXIMUM)


@dataclass(frozen=True)
class ActiveSet:
    """The active constraints: equalities, fixed variables, inequality rows, bounds, in this order.

    Attributes
    ----------
    names : (k,) "volume", "fixed height", "upper bound of height"
    gradients : (k, n) of the rows of c and of the variables, not turned
    signs : (k,) of the multiplier: +1 (upper side, >= 0), -1 (lower side, <= 0), 0 (equality, any)
    multipliers : (k,) as the result has them; zero where it has none
    excess : (k,) value minus side
    strong : (k,) equalities and strongly active sides; the others are weakly active
    places : (k,) entry of (y, z)
    objective_gradient : (n,) of the signed objective
    size : what multipliers times gradients are relative to
    units : (k,) of each multiplier: with it a constraint presses with 1
    accuracy : relative size of a slack, or of a distance in x, that is zero at this point
    zero_pressure : pressure that is zero at this point
    balanced : the point is one at which multipliers were verified
    basis : of the unit gradients of the strongly active constraints
    noise : how far unit gradients change within the accuracy of x; gradients closer than that may be dependent
    """

    names: tuple[str, ...]
    gradients: Vector
    signs: Vector
    multipliers: Vector
    excess: Vector
    strong: Mask
    places: Indices
    objective_gradient: Vector
    size: float
    units: Vector
    accuracy: float
    zero_pressure: float
    noise: float
    balanced: bool
    basis: RangeNullSpace

    @functools.cached_property
    def lengths(self) -> Vector:
        """(k,) lengths of the gradients; 1 where a gradient is zero."""
        lengths = np.linalg.norm(self.gradients, axis=1)
        return np.where(lengths > 0.0, lengths, 1.0)

    @functools.cached_property
    def unit(self) -> Vector:
        """(k, n) gradients of length 1; zero gradients stay zero."""
        return np.asarray(self.gradients / self.lengths[:, None])

    @property
    def equality(self) -> Mask:
        """(k,) True where the multiplier may have any sign."""
        return np.asarray(self.signs == 0.0)

    def spread(self, multipliers: Vector, entries: int) -> Vector:
        """(y, z) from multipliers (k,) of the active constraints, zero elsewhere."""
        full = np.zeros(entries)
        full[self.places] = multipliers
        return full


def active_set(evaluation: Evaluation, result: Result) -> ActiveSet:
    """The constraints that are active at the x of a result, violated ones included.

    Parameters
    ----------
    evaluation : Evaluation
        Of the same program at the same parameters.
    """
    x, m = result.x, result.program.m
    known = result.kind in KINDS_WITH_MULTIPLIERS
    multipliers = np.concatenate([result.y, result.z]) if known else np.zeros(m + x.size)
    # With the weights of the Lagrangian: its Hessian, which is asked for next, comes along.
    jacobian, W = evaluation.derivatives(x, np.concatenate([[1.0], multipliers[:m]]))
    values = np.concatenate([result.c, x])
    lower, upper = (np.concatenate(pair) for pair in zip(result.sides, result.bounds, strict=True))
    equal = lower == upper
    lengths = np.concatenate([np.linalg.norm(jacobian[1:], axis=1), np.ones(x.size)])
    size = result.residuals.stationarity_scale if known else largest(jacobian[0]) or 1.0
    x_size = max(1.0, largest(x))
    accuracy = _accuracy(result) if known else UNVERIFIED
    zero_pressure = max(NO_PRESSURE, accuracy)
    pressure_of_one = np.maximum(lengths / size, _in_units_of_curvature(jacobian, W, multipliers, size))
    signed_pressure = multipliers * pressure_of_one
    # One side of each row and variable can be active: the one that presses, else the nearer one.
    below, above = values - lower, upper - values
    is_upper = equal | np.where(np.abs(signed_pressure) > zero_pressure, signed_pressure > 0.0, above < below)
    slack, side = np.where(is_upper, above, below), np.where(is_upper, upper, lower)
    pressure = np.where(is_upper, signed_pressure, -signed_pressure)
    finite = np.isfinite(side)
    room = np.full(slack.size, np.inf)
    terms = np.concatenate([np.abs(jacobian[1:]) @ np.abs(x), np.abs(x)])
    room[finite] = slack[finite] / np.maximum(np.maximum(1.0, np.abs(side)), terms)[finite]
    strong = finite & (equal | (pressure > np.maximum(room, zero_pressure)))
    weak = finite & ~strong & ((room <= accuracy) | ((pressure > room) & (pressure > 0.0)))

    on_row = np.arange(values.size) < m
    order = [equal & on_row, equal & ~on_row, ~equal & on_row, ~equal & ~on_row]
    places = np.concatenate([np.flatnonzero(group & (strong | weak)) for group in order])
    signs = np.where(equal, 0.0, np.where(is_upper, 1.0, -1.0))[places]
    gradients, excess = _gradients(jacobian, places, m), (values - side)[places]
    distance = (max(ROUNDING, result.residuals.relative) if known else accuracy) * x_size
    pressing, steepness = strong[places], lengths[places]
    basis = RangeNullSpace(gradients[pressing] / np.where(steepness > 0.0, steepness, 1.0)[pressing, None])
    if known and basis.rank:
        # Where gradients are nearly dependent, a small excess is a long way: Newton's step tells how long.
        step = basis.Y @ basis.normal_coordinates((excess / steepness)[pressing])
        distance = max(distance, min(REACH * largest(step), LOOSEST * x_size))
    return ActiveSet(
        names=tuple(_name(result, int(place), sign) for place, sign in zip(places, signs, strict=True)),
        gradients=gradients,
        signs=signs,
        multipliers=multipliers[places],
        excess=excess,
        strong=strong[places],
        places=places,
        objective_gradient=jacobian[0],
        size=size,
        units=1.0 / np.where(pressure_of_one > 0.0, pressure_of_one, 1.0)[places],
        accuracy=accuracy,
        zero_pressure=zero_pressure,
        noise=max(RANK_TOLERANCE, _change(evaluation, x, distance, gradients, places, m)),
        balanced=known,
        basis=basis,
    )


def _in_units_of_curvature(jacobian: Vector, W: Vector, multipliers: Vector, size: float) -> Vector:
    """(m + n,) pressure per multiplier where variable j is measured in 1 / sqrt(W_jj); 0 without curvature."""
    m, diagonal = len(jacobian) - 1, np.abs(W.diagonal())
    curved = diagonal > LEAST_CURVATURE * largest(diagonal)
    units = np.where(curved, 1.0 / np.sqrt(np.where(curved, diagonal, 1.0)), 0.0)
    rows = np.abs(jacobian) * units
    terms = rows[0] + np.abs(multipliers[:m]) @ rows[1:] + np.abs(multipliers[m:]) * units
    if not curved.any():
        return np.zeros(multipliers.size)
    # Where all terms vanish, `size` is what they typically are: that of the variable with the steepest ones.
    steepest = max(largest(terms), size * float(units[curved].min()))
    return np.concatenate([rows[1:].max(axis=1, initial=0.0), units]) / steepest


def elsewhere(derivatives: Derivatives, x: Vector, p: Vector) -> Vector | None:
    """A seeded point well away from x, inside the bounds, where all functions are finite; None where none was found."""
    return nearby_point(derivatives, np.where(np.abs(x) < AT_ZERO, 0.0, x), p)


def _accuracy(result: Result) -> float:
    # Full Newton steps end at rounding. Elsewhere a weakly active side has slack and multiplier of about the root
    # of the residual.
    if result.polished:
        return ROUNDING
    return min(max(ROUNDING, math.sqrt(result.residuals.relative)), LOOSEST)


def _change(evaluation: Evaluation, x: Vector, distance: float, gradients: Vector, places: Indices, m: int) -> float:
    """The largest change of a gradient, relative to its length, over this distance in a seeded direction."""
    if not places.size:
        return 0.0
    away = x + distance * _signs(x.size)
    jacobian = user_functions(evaluation.derivative_source, evaluation.p).jacobian(away)
    moved = _gradients(jacobian, places, m)
    change, lengths = np.linalg.norm(moved - gradients, axis=1), np.linalg.norm(gradients, axis=1)
    known = np.isfinite(change) & (lengths > 0.0)
    return float((change[known] / lengths[known]).max(initial=0.0))


@functools.lru_cache(maxsize=8)
def _signs(n: int) -> Vector:
    return np.random.default_rng(SEED).choice([-1.0, 1.0], n)


def _gradients(jacobian: Vector, places: Indices, m: int) -> Vector:
    on_row = places < m
    gradients = np.zeros((places.size, jacobian.shape[1]))
    gradients[on_row] = jacobian[1 + places[on_row]]
    gradients[np.flatnonzero(~on_row), places[~on_row] - m] = 1.0
    return gradients


def _name(result: Result, place: int, sign: float) -> str:
    program = result.program
    if place < program.m:
        return program.row_names[place]
    variable = program.variable_names[place - program.m]
    return bound_name(variable, sign) if sign else f"fixed {variable}"
