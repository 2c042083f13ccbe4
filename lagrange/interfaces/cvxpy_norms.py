"""Norms in the problems of CVXPY where they are zero, and have no derivative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.constraints.zero import Equality

from lagrange.interfaces.cvxpy_atoms import dense, evaluate
from lagrange.interfaces.cvxpy_domains import atoms
from lagrange.interfaces.cvxpy_names import shortened
from lagrange.model.program import float64_in_jax

NORMS = ("Pnorm", "PnormApprox")

SMALL_NORM = 1e-6  # a norm below this has a curvature that is too large to start from
SUSPECT = 1e-3  # a norm below this may be what a search failed at
MOVE = 0.01  # how far a start is moved from where a norm is zero
GOLDEN_RATIO = (1.0 + 5.0**0.5) / 2.0


def norm_of_zero(problem: cp.Problem, values: Mapping[int, Any]) -> str:
    """A sentence that names a norm that is about zero at these values of all leaves by id, or ""."""
    equal = {
        row.args[0].id: row.args[1]
        for row in problem.constraints
        if isinstance(row, Equality) and isinstance(row.args[0], cp.Variable)
    }
    with float64_in_jax():
        for atom in atoms([problem.objective, *problem.constraints]):
            inside = atom.args[0]
            if type(atom).__name__ in NORMS and atom.p >= 1.0:
                text, size = str(atom), evaluate(atom, values)
            elif type(atom).__name__ == "quad_over_lin" and isinstance(atom.args[1], cp.Variable):
                # CVXPY's smooth form of the norm t of x, or of an x that is a variable of its own.
                text, size = f"the norm of {equal.get(getattr(inside, 'id', None), inside)}", values[atom.args[1].id]
            else:
                continue
            if np.any(np.asarray(size) < SUSPECT):
                return (
                    f" The search ended where {shortened(text)} is about {float(np.min(size)):.1g}: at zero a norm has "
                    f"no derivative, and an answer there cannot be verified."
                )
    return ""


def move_off_norms_of_zero(problem: cp.Problem) -> None:
    """Give the variables in a norm of zero, which has no derivative, other values nearby.

    CVXPY's smooth form of a norm is exact only where it is minimized, and singular at zero: `from_cvxpy` has no use for
    it.
    """
    moved = set()
    for atom in atoms([problem.objective, *problem.constraints]):
        if type(atom).__name__ in NORMS and np.any(dense(atom.value) < SMALL_NORM):
            for variable in atom.variables():
                if variable.id not in moved and not variable._has_dim_reducing_attr:
                    moved.add(variable.id)
                    # Multiples of the golden ratio without their integer part: no two of them, or of their
                    # differences, cancel.
                    spread = (np.arange(1, variable.size + 1) * GOLDEN_RATIO) % 1.0
                    variable.save_value(dense(variable.value) + MOVE * spread.reshape(variable.shape))
