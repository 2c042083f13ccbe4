"""The logarithmic barrier of the bound list, and the primal-dual quantities of one iterate.

    phi(v) = f - mu sum_k log d_k + kappa mu sum_{k one-sided} d_k

The last term keeps variables with a single bound from drifting away (Waechter and Biegler 2006, section 3.7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import highest, largest, lowest, total
from lagrange.model.standard_form import StandardForm

MU_LINEAR, MU_POWER = 0.2, 1.5  # kappa_mu, theta_mu
SOLVED_FACTOR = 10.0  # kappa_epsilon: a barrier problem is solved to 10 mu
SMALLEST_TAU = 0.99
DAMPING = 1e-5  # kappa_d
MULTIPLIER_CORRIDOR = 1e10  # kappa_Sigma: z stays within this factor of mu / d
LARGEST_UNSCALED_MULTIPLIER = 100.0  # s_max: mean multipliers above it relax the error measure
BOUND_RELAXATION = 1e-8
BOUND_PUSH = 1e-2  # kappa_1 = kappa_2: how far inside its bounds the start is moved


@dataclass(frozen=True)
class Iterate:
    """One primal-dual point with the function values that belong to it."""

    v: Vector  # (x, s)
    y: Vector  # multipliers of h
    z: Vector  # multipliers of d, positive
    d: Vector  # distances to the bounds, positive
    f: float
    h: Vector

    @property
    def theta(self) -> float:
        """Infeasibility ||h||_1."""
        return total(self.h)


class Barrier:
    """The barrier of one standard form whose bounds are relaxed a little, so that an interior exists."""

    def __init__(self, form: StandardForm, relaxation: float = BOUND_RELAXATION) -> None:
        self.form = form
        self.bound = form.bound - form.sign * relaxation * np.maximum(1.0, np.abs(form.bound))
        sides = np.bincount(form.index, minlength=form.size)
        self.one_sided = (sides[form.index] == 1) * DAMPING
        self.ones = np.ones(form.index.size)

    def distances(self, v: Vector) -> Vector:
        """Distances to the relaxed bounds."""
        form = self.form
        distances: Vector = form.sign * (v[form.index] - self.bound)
        return distances

    def value(self, f: float, d: Vector, mu: float) -> float:
        """phi from the objective and the distances; infinite where a distance is not positive."""
        if not d.size:
            return f
        if lowest(d) <= 0.0:
            return math.inf
        return f + mu * float(self.one_sided.dot(d) - self.ones.dot(np.log(d)))

    def force(self, d: Vector, mu: float) -> Vector:
        """-d phi / d d_k: what the barrier would have for multipliers."""
        force: Vector = mu / d - mu * self.one_sided
        return force

    def steps(self, dv: Vector) -> Vector:
        """Change of the distances along dv."""
        return self.form.sign * dv[self.form.index]

    def interior(self, v: Vector) -> Vector:
        """v moved inside its bounds by at least 1e-2, relative to the bound and to the width of its interval."""
        low, high = replace(self.form, bound=self.bound).limits()
        width = high - low
        # An infinite side stays infinite: -inf + 0 and +inf - 0.
        push_low = np.where(np.isfinite(low), BOUND_PUSH * np.minimum(np.maximum(1.0, np.abs(low)), width), 0.0)
        push_high = np.where(np.isfinite(high), BOUND_PUSH * np.minimum(np.maximum(1.0, np.abs(high)), width), 0.0)
        return np.minimum(np.maximum(v, low + push_low), high - push_high)

    def corridor(self, z: Vector, d: Vector, mu: float) -> Vector:
        """z kept within a factor 1e10 of the primal multipliers mu / d."""
        center = mu / d
        return np.minimum(np.maximum(z, center / MULTIPLIER_CORRIDOR), center * MULTIPLIER_CORRIDOR)


def fraction_to_boundary(values: Vector, steps: Vector, tau: float) -> float:
    """The largest alpha in (0, 1] with values + alpha steps >= (1 - tau) values.

    Examples
    --------
    >>> import numpy as np
    >>> fraction_to_boundary(np.array([1.0, 1.0]), np.array([-2.0, 5.0]), 0.5)
    0.25
    """
    if not values.size:
        return 1.0
    fastest = lowest(steps / values)
    return 1.0 if fastest >= -tau else -tau / fastest


@dataclass(frozen=True)
class Errors:
    """Largest entries of the scaled KKT residuals (Waechter and Biegler 2006, equation 5)."""

    dual: float
    primal: float
    largest_product: float  # of d z
    smallest_product: float
    dual_scale: float
    product_scale: float

    def total(self, mu: float) -> float:
        """E(mu), with d z = mu wanted."""
        product = max(self.largest_product - mu, mu - self.smallest_product)
        return max(self.dual / self.dual_scale, self.primal, product / self.product_scale)


def kkt_errors(dual_residual: Vector, it: Iterate) -> Errors:
    """The errors of one iterate, from its dual residual grad_v L."""
    bounds = it.z.size
    all_y, all_z = total(it.y), total(it.z)
    products = it.d * it.z
    return Errors(
        dual=largest(dual_residual),
        primal=largest(it.h),
        largest_product=highest(products, 0.0),
        smallest_product=lowest(products),
        dual_scale=_scale((all_y + all_z) / max(1, it.y.size + bounds)),
        product_scale=_scale(all_z / max(1, bounds)),
    )


def _scale(mean_multiplier: float) -> float:
    return max(LARGEST_UNSCALED_MULTIPLIER, mean_multiplier) / LARGEST_UNSCALED_MULTIPLIER
