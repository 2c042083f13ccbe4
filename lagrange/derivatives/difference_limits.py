"""Derivatives as limits of difference quotients, each with an error estimate that can be believed.

One step size has no error estimate, so a ladder of steps is taken, from coarse to fine. As the step h
shrinks, a central quotient first approaches the derivative like h^2 (truncation), then leaves it like 1 / h
(rounding). Richardson extrapolation (Ridders 1982) removes the leading truncation terms. The error of a rung
is what the finer rungs say about it: how far they lie away, with the growth of rounding discounted. The rung
with the least error is the answer, for every row of the function separately: no scale is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lagrange.model.named_pytree import Vector

RUNGS = 9  # steps tried
COARSEST = 2.0**-3  # first step, relative to max(1, |x|)
FINEST = 2.0**-27  # last step, relative to max(1, |x|)
FINEST_RELATIVE = 2.0**-13  # last step at most, relative to |x|, where x is small but not zero
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)  # rounding of a difference, relative to the values
DIRECTIONS = 64  # directions tried first; where there are more variables, they are moved in groups
GROUPS_OPENED = 8  # suspicious groups that are taken apart
SEED = 20260217  # of the signs with which the members of a group move
SAFETY = 20.0  # disagreement beyond this many error estimates is meant (right derivatives: 4 at most)
KINK = 1e-3  # jump of a slope, relative to the slopes, that is a kink
CENTRAL_POWERS = (2, 4)  # a central quotient is exact up to terms in h^2, h^4, ...
JUMP_POWERS = (1, 3)  # forward minus backward quotient: h, h^3, ...


@dataclass(frozen=True)
class Limits:
    """Directional derivatives of all rows of a function.

    Attributes
    ----------
    slope, error : central derivative and its error; the error is infinite where no rung is conclusive
    jump, jump_error : right slope minus left slope, zero for a smooth row, and its error
    """

    slope: Vector
    error: Vector
    jump: Vector
    jump_error: Vector


def ladder(x: float) -> Vector:
    """Steps for a variable with value x, powers of two from coarse to fine, in constant ratio.

    Examples
    --------
    >>> ladder(0.0)[:3]
    array([0.125     , 0.015625  , 0.00195312])
    """
    size = 2.0 ** np.ceil(np.log2(max(1.0, abs(x))))
    finest = FINEST * size
    if x != 0.0:
        finest = min(finest, FINEST_RELATIVE * abs(x))
    octaves = np.ceil(np.log2(COARSEST * size / finest) / (RUNGS - 1))
    return np.asarray(COARSEST * size * 2.0 ** (-octaves * np.arange(RUNGS)))


def directional_limits(
    function: Callable[[Vector], Vector], x: Vector, center: Vector, direction: Vector, steps: Vector
) -> Limits:
    """Derivatives at x along `direction` of a function that returns (rows,); `center` is its value at x.

    Rungs on which the function is not finite are left out: the steps may reach beyond its domain.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([2.0])
    >>> limits = directional_limits(lambda x: x**3, x, x**3, np.ones(1), ladder(2.0))
    >>> bool(abs(limits.slope[0] - 12.0) < 1e-9), bool(abs(limits.jump[0]) < 1e-6)
    (True, True)
    """
    right, left = np.empty((steps.size, center.size)), np.empty((steps.size, center.size))
    forward, backward = np.empty((steps.size, 1)), np.empty((steps.size, 1))
    along = int(np.abs(direction).argmax())
    for k, step in enumerate(steps):
        above, below = x + step * direction, x - step * direction
        right[k], left[k] = function(above), function(below)
        # The steps that floating-point numbers really took.
        forward[k] = (above[along] - x[along]) / direction[along]
        backward[k] = (x[along] - below[along]) / direction[along]
    with np.errstate(all="ignore"):
        right_slope, left_slope = (right - center) / forward, (center - left) / backward
        central = (right - left) / (forward + backward)
        rounding = ROUNDING * np.maximum(np.maximum(np.abs(right), np.abs(left)), np.abs(center)) / forward
        # A step too fine to change the value says nothing, unless coarser ones did not change it either.
        moved = np.isfinite(right - left) & ((right != center) | (left != center))
        silent = ~moved & np.logical_or.accumulate(moved, axis=0)
        central[silent] = np.nan
        jumps = np.where(silent, np.nan, right_slope - left_slope)
        slope, error = _limit(central, steps, rounding, CENTRAL_POWERS)
        jump, jump_error = _limit(jumps, steps, 2.0 * rounding, JUMP_POWERS)
    return Limits(slope, error, jump, jump_error)


@dataclass(frozen=True)
class Differences:
    """The Jacobian by differences, (rows, n) each as in `Limits`, beside a given one.

    Attributes
    ----------
    unopened : variables that were moved in groups in which something is wrong, but not one by one
    """

    slope: Vector
    error: Vector
    jump: Vector
    jump_error: Vector
    unopened: int


def jacobian_limits(
    function: Callable[[Vector], Vector],
    x: Vector,
    given: Vector,
    suspicious: Callable[[Vector, Limits], bool],
) -> Differences:
    """The Jacobian at x by differences, to be compared with `given` (rows, n).

    Every variable is moved by itself where there are few. Many variables are moved in groups: where
    `suspicious(given slope, limits)` is False for a group, its members count as agreeing with the given ones;
    the first suspicious groups are opened.
    """
    n, center = x.size, function(x)
    slope, error = given.copy(), np.zeros(given.shape)
    jump, jump_error = np.zeros(given.shape), np.full(given.shape, np.inf)
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], n)
    opened = unopened = 0
    for group in np.array_split(np.arange(n), min(n, DIRECTIONS)):
        if group.size > 1:
            direction = np.zeros(n)
            direction[group] = signs[group] * 2.0 ** np.ceil(np.log2(np.maximum(1.0, np.abs(x[group]))))
            limits = directional_limits(function, x, center, direction, ladder(0.0))
            if not suspicious(given @ direction, limits):
                continue
            if opened == GROUPS_OPENED:
                unopened += group.size
                continue
            opened += 1
        for j in group:
            limits = directional_limits(function, x, center, np.eye(1, n, j)[0], ladder(x[j]))
            slope[:, j], error[:, j] = limits.slope, limits.error
            jump[:, j], jump_error[:, j] = limits.jump, limits.jump_error
    return Differences(slope, error, jump, jump_error, unopened)


def kinks_of(slope: Vector, jump: Vector, jump_error: Vector) -> NDArray[np.bool_]:
    """Where the slopes on both sides differ, beyond the error of the jump."""
    with np.errstate(invalid="ignore"):
        size = np.maximum(SAFETY * jump_error, KINK * (np.abs(slope) + np.abs(jump)))
        return np.asarray(np.isfinite(jump_error) & (np.abs(jump) > size))


def _limit(values: Vector, steps: Vector, rounding: Vector, powers: tuple[int, ...]) -> tuple[Vector, Vector]:
    """The limit of values (rungs, rows) as the steps go to zero, and its error, by row."""
    ratio = steps[0] / steps[1]
    estimates, errors = [values], [_errors(values, steps) + rounding]
    for power in powers:
        factor = ratio**power
        values = (factor * values[1:] - values[:-1]) / (factor - 1.0)
        rounding = rounding[1:]  # an extrapolated rung has the rounding of the finer one
        estimates.append(values)
        errors.append(_errors(values, steps[: values.shape[0]]) + rounding)
    all_estimates, all_errors = np.concatenate(estimates), np.concatenate(errors)
    all_errors[~np.isfinite(all_estimates) | np.isnan(all_errors)] = np.inf
    best = all_errors.argmin(axis=0)[None]
    estimate = np.take_along_axis(all_estimates, best, axis=0)[0]
    return estimate, np.take_along_axis(all_errors, best, axis=0)[0]


def _errors(values: Vector, steps: Vector) -> Vector:
    # e_k = max over finer rungs l of |v_k - v_l| h_l / h_(k+1):  the next rung in full, rounding in the
    # later ones scaled back to it. Rungs without a finite finer one have no estimate.
    errors = np.full(values.shape, np.nan)
    for k in range(steps.size - 1):
        away = np.abs(values[k] - values[k + 1 :]) * (steps[k + 1 :] / steps[k + 1])[:, None]
        errors[k] = np.fmax.reduce(away, axis=0)
    return errors
