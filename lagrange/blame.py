"""Names for what went wrong: the rows in conflict, the ray, the function that is not finite."""

from __future__ import annotations

import numpy as np

from lagrange.derivatives.scaling import StandardProgram
from lagrange.model.named_pytree import Vector, point_text
from lagrange.model.program import Program
from lagrange.model.reductions import finite
from lagrange.newton.barrier import Iterate
from lagrange.result import bound_name

BLAMED = 1e-3  # shares of the largest contribution that earn a name


def not_finite(
    program: Program, x: Vector, values: Vector, jacobian: Vector, hessian: Vector, point: str = "x0"
) -> str:
    """A sentence that names the first function value or derivative at x that is not finite; "" if all are."""
    if finite(values, jacobian, hessian):
        return ""
    titles = [program.objective.title, *(f"constraint {name!r}" for name in program.row_names)]
    names = program.variable_names
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        i = wrong[0]
        return f"The {titles[i]} is {values[i]} at {point} = ({point_text(names, x)})."
    places = np.argwhere(~np.isfinite(jacobian))
    if places.size:
        i, j = places[0]
        return (
            f"The derivative of the {titles[i]} with respect to {names[j]} is {jacobian[i, j]} "
            f"at {point} = ({point_text(names, x)})."
        )
    places = np.argwhere(~np.isfinite(hessian))
    if places.size:
        i, j = places[0]
        return (
            f"A second derivative of {titles[0]} or of a constraint, with respect to {names[i]} and {names[j]}, "
            f"is {hessian[i, j]} at {point} = ({point_text(names, x)})."
        )
    return ""


def conflict(standard: StandardProgram, it: Iterate) -> tuple[str, ...]:
    """Rows and bounds with a share in the certificate J'h = gamma D'z of a stationary violation."""
    form, program = standard.form, standard.evaluation.program
    share = np.abs(it.h) / np.abs(it.h).max()
    names = [program.row_names[form.rows[i]] for i in np.flatnonzero(share > BLAMED)]
    on_x = (form.index < form.n) & (it.z > BLAMED * np.abs(it.y).max()) & (it.z > it.d)
    names += [bound_name(program.variable_names[form.free[form.index[k]]], -form.sign[k]) for k in np.flatnonzero(on_x)]
    return tuple(names)


def ray(names: list[str], x: Vector) -> tuple[str, ...]:
    """The direction in which x has gone to infinity: "height +1".

    Examples
    --------
    >>> import numpy as np
    >>> ray(["a", "b", "c"], np.array([1e21, -2e21, 3.0]))
    ('a +0.5', 'b -1')
    """
    direction = x / np.abs(x).max()
    return tuple(f"{names[i]} {direction[i]:+.3g}" for i in np.flatnonzero(np.abs(direction) > BLAMED))


def violated(names: list[str], c: Vector, sides: tuple[Vector, Vector], tol: float) -> tuple[str, ...]:
    """Names of the rows outside their sides."""
    outside = np.maximum(sides[0] - c, c - sides[1])
    return tuple(names[i] for i in np.flatnonzero(outside > tol))
