"""The KKT residuals of a point, in the user's units: what `success` is decided on.

stationarity      max | grad f + J'y + z |
feasibility       max distance of c from [lo, hi] and of x from its bounds
complementarity   max | multiplier * slack | over all sides, or | multiplier | where the side does not exist
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import highest, largest

CANCELLATION = 1e3


@dataclass(frozen=True)
class Residuals:
    """Unscaled residuals, and the scales against which a tolerance is relative.

    Attributes
    ----------
    stationarity, feasibility, complementarity : float
        In the user's units.
    stationarity_scale : float
        The size of the terms in grad f + J'y + z, see `stationarity_scale`.
    relative_feasibility : float
        Violations divided by max(1, |side|), or by the size of a row in tiny units.
    complementarity_scale : float
        max(|f|, typical size): multiplier times slack has the units of the objective.
    """

    stationarity: float
    feasibility: float
    complementarity: float
    stationarity_scale: float
    relative_feasibility: float
    complementarity_scale: float

    @property
    def relative(self) -> float:
        """The largest of the three, each relative to its scale; nan where one of them is."""
        return highest(
            np.array(
                [
                    self.stationarity / self.stationarity_scale,
                    self.relative_feasibility,
                    self.complementarity / self.complementarity_scale,
                ]
            )
        )

    def within(self, tol: float) -> bool:
        """True where all three are at most tol, relative to their scales (False for nan)."""
        return bool(self.relative <= tol)


def kkt_residuals(
    f: float,
    c: Vector,
    gradient: Vector,
    jacobian: Vector,
    x: Vector,
    y: Vector,
    z: Vector,
    bounds: tuple[Vector, Vector],
    sides: tuple[Vector, Vector],
    typical_gradient: float = 1.0,
    typical_value: float = 1.0,
    row_sizes: Vector | float = 1.0,
) -> Residuals:
    """Residuals at x with multipliers y of the rows and z of the bounds (signs: y, z > 0 at upper sides).

    `typical_gradient` and `typical_value` are sizes of grad f and f away from the solution, at most 1: an objective
    in tiny units must not look stationary everywhere; `row_sizes` (m,) are those of rows in tiny units.

    Examples
    --------
    >>> import numpy as np
    >>> one, none = np.ones(1), np.empty(0)
    >>> r = kkt_residuals(1.0, none, 2 * one, np.empty((0, 1)), one, none, -2 * one,
    ...                   (one, np.inf * one), (none, none))
    >>> r.stationarity, r.feasibility, r.complementarity
    (0.0, 0.0, 0.0)
    """
    dual = gradient + jacobian.T @ y + z
    values = np.concatenate([x, c])
    lower = np.concatenate([bounds[0], sides[0]])
    upper = np.concatenate([bounds[1], sides[1]])
    multipliers = np.concatenate([z, y])
    violation = np.maximum(0.0, np.maximum(lower - values, values - upper))
    nearest = np.where(values - upper > lower - values, upper, lower)
    smallest = np.concatenate([np.ones(x.size), np.broadcast_to(row_sizes, c.shape)])
    size = np.maximum(smallest, np.abs(np.where(np.isfinite(nearest), nearest, 0.0)))
    side = np.where(multipliers > 0.0, upper, lower)
    slack = np.where(np.isfinite(side), np.abs(values - side), 1.0)
    return Residuals(
        stationarity=highest(np.abs(dual), 0.0),
        feasibility=highest(violation, 0.0),
        complementarity=highest(np.abs(multipliers * slack), 0.0),
        stationarity_scale=stationarity_scale(gradient, jacobian, y, z, typical_gradient),
        relative_feasibility=highest(violation / size, 0.0),
        complementarity_scale=max(abs(f), typical_value),
    )


def stationarity_scale(gradient: Vector, jacobian: Vector, y: Vector, z: Vector, typical: float) -> float:
    """What grad f + J'y + z is relative to: its largest term, but not less than `typical`.

    Multipliers that cancel each other do not count beyond 1e3 times the gradient: with them, anything would
    look small.
    """
    terms = highest(np.abs(gradient) + np.abs(y).dot(np.abs(jacobian)) + np.abs(z), 0.0)
    return min(max(typical, terms), CANCELLATION * max(typical, largest(gradient)))
