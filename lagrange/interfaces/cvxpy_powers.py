"""Powers that CVXPY defines for x >= 0 only, found again in the smooth problem that it hands to a nonlinear solver.

In a problem that follows its rules of convexity (DCP), CVXPY's power(x, 3) and power(x, -2) are for x >= 0. Its smooth
form forgets that: it keeps x^3, and makes 1 / z with z = x^2 of the other, as it does of the quotient 1 / x^2, which is
for all x. So where the smooth problem shows what was meant, rows are added; where it does not, the answer tells whether
it matters. Likewise it keeps the entries of a geometric mean that have no weight from being negative, as they may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import jax
import jax.numpy as jnp
import numpy as np
from cvxpy.constraints.zero import Equality

from lagrange.interfaces.cvxpy_atoms import evaluate
from lagrange.interfaces.cvxpy_domains import POWERS, atoms, is_one_sided
from lagrange.model.program import float64_in_jax


@dataclass(frozen=True)
class OneSidedPowers:
    """Arguments of powers: those that must not be negative, those of which that is not known, and those that may be.

    The last are entries without a weight in a geometric mean.
    """

    certain: tuple[cp.Expression, ...] = ()
    doubtful: tuple[cp.Expression, ...] = ()
    unweighted: tuple[cp.Expression, ...] = ()


def one_sided_powers(smooth: cp.Problem) -> OneSidedPowers:
    """What is to be known of the powers in a smooth problem."""
    rows = [constraint for constraint in smooth.constraints if not _is_of_smooth_form(constraint)]
    unweighted = tuple(entries for row in smooth.constraints if _is_of_mean(row) for entries in _without_weight(row))
    if not cp.Problem(smooth.objective, rows).is_dcp():
        return OneSidedPowers(unweighted=unweighted)  # powers are for all x, as in CVXPY's nonlinear interface
    found = list(atoms([smooth.objective, *smooth.constraints]))
    squares = {
        row.args[0].id: row.args[1].args[0]
        for row in smooth.constraints
        if isinstance(row, Equality) and isinstance(row.args[0], cp.Variable) and _is_power(row.args[1], "even")
    }
    inverses = [atom.args[1].args[0] for atom in found if _is_inverse(atom)]
    of_inverses = [squares[z.id] for z in inverses if z.id in squares]
    powers = [atom.args[0] for atom in found if _is_power(atom, "one-sided") and not atom.args[0].is_nonneg()]
    if smooth.is_dcp():
        return OneSidedPowers(certain=tuple(powers), unweighted=unweighted)
    return OneSidedPowers(doubtful=(*powers, *of_inverses), unweighted=unweighted)


def _is_of_smooth_form(constraint: cp.Constraint) -> bool:
    """True for the equations that CVXPY makes of log_sum_exp, geo_mean and powers, which are not convex."""
    if not isinstance(constraint, Equality):
        return False
    lhs, rhs = constraint.args
    is_of_sum = type(lhs).__name__ == "Sum" and type(lhs.args[0]).__name__ == "exp"
    return is_of_sum or _is_of_mean(constraint) or (isinstance(lhs, cp.Variable) and _is_power(rhs, "any"))


def _is_of_mean(constraint: cp.Constraint) -> bool:
    """True for log(t) == sum of w log(x), with variables t and x."""
    if not isinstance(constraint, Equality):
        return False
    t = constraint.args[0]
    return type(t).__name__ == "log" and isinstance(t.args[0], cp.Variable) and len(constraint.args[1].variables()) == 1


def _without_weight(constraint: cp.Constraint) -> list[cp.Expression]:
    (x,) = constraint.args[1].variables()
    with float64_in_jax():
        slopes = jax.jacobian(lambda at: evaluate(constraint.args[1], {x.id: at}))(jnp.ones(x.shape))
    unused = ~np.any(np.reshape(slopes, (-1, *x.shape)), axis=0)
    return [x[unused]] if unused.any() else []


def _is_power(atom: cp.Expression, kind: str) -> bool:
    if type(atom).__name__ not in POWERS or atom.p_used is None:
        return False
    exponent = float(atom.p_used)
    is_even = exponent.is_integer() and int(exponent) % 2 == 0
    return kind == "any" or (is_even if kind == "even" else exponent > 1.0 and is_one_sided(exponent, True))


def _is_inverse(atom: cp.Expression) -> bool:
    """True for the product of ones and 1 / z: CVXPY's power makes an array of ones, as a quotient seldom has it."""
    if type(atom).__name__ != "multiply" or not isinstance(atom.args[0], cp.Constant):
        return False
    ones, power = atom.args
    is_inverse = type(power).__name__ in POWERS and power.p_used == -1 and isinstance(power.args[0], cp.Variable)
    return bool(is_inverse and ones.shape == power.shape and np.all(ones.value == 1.0))
