"""The program as the algorithm sees it: standard form, scaled so that no gradient at x0 exceeds 100.

    f_s = s_f f,   c_s = S_c c,    s_i = clip(100 / max |gradient_i(x0)|, 1e-8, 1)

(Waechter and Biegler 2006, section 3.8); an objective or a row in tiny units is scaled up to size 1. Multipliers scale
back as y = S_c y_s / s_f and z = z_s / s_f. Residuals, multipliers and everything a user sees are unscaled: the scaling
never leaves the solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.evaluation import Evaluation
from lagrange.model.named_pytree import Vector
from lagrange.model.reductions import largest
from lagrange.model.standard_form import StandardForm, standard_form

LARGEST_GRADIENT = 100.0
SMALLEST_SCALE = 1e-8
TINY = 1e-3  # an objective or row whose derivatives, values and sides are smaller is in tiny units


@dataclass(frozen=True)
class Scaling:
    """Factors of the objective and of the rows of c (the user's order)."""

    objective: float
    rows: Vector
    typical_gradient: float = 1.0  # unscaled size of the objective's derivatives at x0, at most 1
    typical_value: float = 1.0  # unscaled size of the objective and of its change over |x0|, at most 1
    row_sizes: Vector | float = 1.0  # (m,) unscaled size of a row, below which its violation is judged; at most 1


def gradient_scaling(
    x: Vector, values: Vector, jacobian: Vector, hessian: Vector, sides: tuple[Vector, Vector]
) -> Scaling:
    """Scaling from (f, c), its Jacobian (1 + m, n) and the Hessian of f at the user's x0, and the sides of c.

    Examples
    --------
    >>> import numpy as np
    >>> jacobian = np.array([[1000.0, 0.0], [1.0, 2.0], [1e-9, 0.0]])
    >>> sides = np.array([5.0, 1e-9]), np.array([5.0, np.inf])
    >>> scaling = gradient_scaling(np.ones(2), np.array([3.0, 3.0, 1e-9]), jacobian, np.zeros((2, 2)), sides)
    >>> scaling.objective, scaling.rows
    (0.1, array([1.e+00, 1.e+09]))
    """
    sizes = np.abs(jacobian).max(axis=1, initial=0.0)
    factors = np.maximum(LARGEST_GRADIENT / np.maximum(sizes, LARGEST_GRADIENT), SMALLEST_SCALE)
    typical = min(1.0, max(float(sizes[0]), largest(hessian.ravel()))) or 1.0
    if typical < TINY:
        factors[0] = min(1.0 / typical, 1.0 / SMALLEST_SCALE**2)
    value = min(1.0, max(abs(float(values[0])), largest(jacobian[0] * x))) or typical
    of_rows = sizes[1:]
    for side in (values[1:], *sides):
        of_rows = np.maximum(of_rows, np.where(np.isfinite(side), np.abs(side), 0.0))
    # A gradient of zero at x0 tells nothing.
    of_rows = np.where((of_rows < TINY) & (sizes[1:] > 0.0), np.maximum(of_rows, SMALLEST_SCALE**2), 1.0)
    return Scaling(float(factors[0]), factors[1:] / of_rows, typical, value, of_rows)


class StandardProgram:
    """f, h, and their derivatives at v = (x, s) in standard form, scaled.

    Attributes
    ----------
    equation_sizes, bound_sizes : what residuals of h_E and d are relative to
    bounds, sides : pairs (lower, upper) of the variables and of the rows of c, as the user gave them
    form : StandardForm
        With scaled right sides and bounds of slacks.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        bounds: tuple[Vector, Vector],
        sides: tuple[Vector, Vector],
        scaling: Scaling,
    ) -> None:
        self.evaluation = evaluation
        self.bounds, self.sides = bounds, sides
        self.scaling = scaling
        self.form: StandardForm = standard_form(*bounds, sides[0] * scaling.rows, sides[1] * scaling.rows)
        form = self.form
        self._rows = np.concatenate([[0], 1 + form.rows])
        self._scale = np.concatenate([[scaling.objective], scaling.rows])[self._rows]
        self._offset = np.concatenate([[0.0], form.right_sides, np.zeros(form.m - form.equalities)])
        self._all_free = form.free.size == form.x_fixed.size
        self._in_order = self._rows.size == 1 + scaling.rows.size and bool((np.diff(self._rows) == 1).all())
        self._unscaled = bool((self._scale == 1.0).all())
        # What a residual of the scaled form is relative to, so that it is relative to max(size, |side|) for the user.
        row_scale = (scaling.rows * scaling.row_sizes)[form.rows]
        on_v = np.concatenate([np.ones(form.n), row_scale[form.equalities :]])
        self.equation_sizes = np.maximum(row_scale[: form.equalities], np.abs(form.right_sides))
        self.bound_sizes = np.maximum(on_v[form.index], np.abs(form.bound))

    def full_x(self, x: Vector) -> Vector:
        """All variables of the user from the free ones."""
        if self._all_free:
            return x
        full = self.form.x_fixed.copy()
        full[self.form.free] = x
        return full

    def objective_and_rows(self, x: Vector) -> tuple[float, Vector]:
        """Scaled f and (c_E - b_E, c_I) at the free variables x."""
        values = self.evaluation.values(self.full_x(x))
        if not self._in_order:
            values = values[self._rows]
        if not self._unscaled:
            values = values * self._scale
        values = values - self._offset
        return float(values[0]), values[1:]

    def values(self, v: Vector) -> tuple[float, Vector]:
        """Scaled f and h at v; a value that is not finite makes f infinite."""
        n, equalities = self.form.n, self.form.equalities
        f, h = self.objective_and_rows(v[:n])
        if v.size > n:
            h[equalities:] -= v[n:]
        return f, h

    def derivatives(self, x: Vector, y: Vector, objective_weight: float = 1.0) -> tuple[Vector, Vector, Vector]:
        """Gradient g (n,), Jacobian J (m, n) and Hessian of objective_weight f + y . c (n, n), all scaled."""
        weights = np.empty(1 + y.size)
        weights[0] = objective_weight
        weights[1:] = y
        if not self._unscaled:
            weights *= self._scale
        if self._in_order:
            jacobian, hessian = self.evaluation.derivatives(self.full_x(x), weights)
        else:
            all_weights = np.zeros(1 + self.scaling.rows.size)
            all_weights[self._rows] = weights
            jacobian, hessian = self.evaluation.derivatives(self.full_x(x), all_weights)
            jacobian = jacobian[self._rows]
        if not self._all_free:
            jacobian = jacobian[:, self.form.free]
            hessian = hessian[np.ix_(self.form.free, self.form.free)]
        if not self._unscaled:
            jacobian = jacobian * self._scale[:, None]
        return jacobian[0], jacobian[1:], hessian

    def user_objective(self, f: float) -> float:
        """The objective as the user stated it, from the scaled, signed f."""
        return float(f / self.scaling.objective * self.evaluation.program.sign)

    def unscaled_multipliers(self, y: Vector, z: Vector) -> tuple[Vector, Vector]:
        """Multipliers of the user's rows and bounds, signs of the design: y . c + z . x in the Lagrangian.

        `y` (m,) and `z` (bounds,) belong to the scaled standard form. The entries for variables that are
        fixed are zero here: stationarity determines them.
        """
        form = self.form
        rows = np.zeros(self.scaling.rows.size)
        rows[form.rows] = y * self._scale[1:] / self.scaling.objective
        bounds = np.zeros(form.x_fixed.size)
        bounds[form.free] = -form.scatter(z)[: form.n] / self.scaling.objective
        return rows, bounds
