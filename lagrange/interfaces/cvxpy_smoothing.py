"""CVXPY's smooth reformulations, only where `jax.numpy` needs them.

- Atoms with kinks (abs, max, norm1, huber, ...) get an auxiliary variable that bounds them, as in CVXPY's own nonlinear
  interface: min |x| becomes min t with -t <= x <= t. That is exact in a disciplined nonlinear program.
- Smooth atoms stay as they are, so that no auxiliary variable comes between the user and the derivatives. Only where
  the start lies outside of an atom's domain, as x = 0 does for log(x - 1), or where the atom has finite values beyond
  it, as 1 / (x - 1) has, the argument becomes a variable of its own with bounds that keep it inside.
- Where the start makes a norm zero, it is moved a little.
- A variable that is itself the argument of such an atom gets the atom's domain as bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.reductions.dnlp2smooth.canonicalizers import SMOOTH_CANON_METHODS

from lagrange.interfaces.cvxpy_atoms import KINKED, NotTranslated, dense, rule_of
from lagrange.interfaces.cvxpy_domains import Node, atoms, domains, starts_inside, stays_inside
from lagrange.interfaces.cvxpy_leaves import start
from lagrange.interfaces.cvxpy_names import short, shortened

METHODS: dict[str, Callable[..., Any]] = {kind.__name__: method for kind, method in SMOOTH_CANON_METHODS.items()}

MARGIN = 1e-3  # how far inside of its domain an argument must start


@dataclass
class Smoothing:
    """One pass over a problem, collecting the auxiliary variables and constraints it makes.

    Attributes
    ----------
    convex : bool
        Whether the problem follows CVXPY's rules of convexity; see `cvxpy_domains.domains`.
    constraints : list of (text of the atom, constraint)
    variables : dict
        The text of the atom by the id of its auxiliary variable.
    """

    convex: bool
    constraints: list[tuple[str, cp.Constraint]] = field(default_factory=list)
    variables: dict[int, str] = field(default_factory=dict)
    done: dict[int, Node] = field(default_factory=dict)

    def smooth(self, node: Node) -> Node:
        """The node with smooth atoms only, except where no variable occurs."""
        if isinstance(node, cp.Expression) and (node.is_constant() or not node.args):
            return node
        if id(node) not in self.done:
            arguments = [self.smooth(argument) for argument in node.args]
            if type(node).__name__ in KINKED:
                self.done[id(node)] = self._reformulated(node, arguments)
            elif isinstance(node, cp.Expression) and not starts_inside(node, arguments, self.convex):
                self.done[id(node)] = self._kept_inside(node, arguments)
            elif all(new is old for new, old in zip(arguments, node.args, strict=True)):
                self.done[id(node)] = node
            else:
                self.done[id(node)] = node.copy(arguments)
        return self.done[id(node)]

    def _kept_inside(self, atom: cp.Expression, arguments: list[cp.Expression]) -> cp.Expression:
        if type(atom).__name__ == "DivExpression":
            return self._reformulated(atom, arguments)
        inside, text = list(arguments), short(str(atom), type(atom).__name__)
        for place, interval, finite_beyond in domains(atom, self.convex):
            argument = arguments[place]
            if not stays_inside(argument, interval, finite_beyond):
                # Its bounds are those of the atom, whose argument it is.
                inside[place] = variable = cp.Variable(argument.shape)
                lower, upper = (np.broadcast_to(side, argument.shape) for side in interval)
                value = dense(argument.value)
                well_inside = (lower + MARGIN <= value) & (value <= upper - MARGIN)
                variable.save_value(np.where(well_inside, value, start(None, lower, upper)))
                self.variables[variable.id] = text
                self.constraints.append((text, variable == argument))
        return atom.copy(inside)

    def _reformulated(self, atom: cp.Expression, arguments: list[cp.Expression]) -> cp.Expression:
        known = {variable.id for argument in arguments for variable in argument.variables()}
        is_fraction = type(atom).__name__ == "sum_largest" and not isinstance(atom.k, int)
        method = _part_of_largest if is_fraction else METHODS[type(atom).__name__]
        smooth, constraints = method(atom, arguments)
        text = short(str(atom), type(atom).__name__)
        for variable in [item for part in (smooth, *constraints) for item in part.variables()]:
            if variable.id not in known and variable.id not in self.variables:
                self.variables[variable.id] = text
        self.constraints += [(text, constraint) for constraint in constraints]
        return smooth


def _part_of_largest(atom: cp.Expression, arguments: list[cp.Expression]) -> tuple[cp.Expression, list[cp.Constraint]]:
    # The sum of the k largest entries is the least value of sum of t + k q with t >= x - q and t >= 0. CVXPY's method
    # is for whole k, and cvar has others.
    if atom.axis is not None:
        raise NotTranslated(f"{shortened(str(atom))}: with an axis lagrange takes a whole number of largest entries")
    x = cp.vec(arguments[0], order="F")
    q, t = cp.Variable(), cp.Variable(x.shape)
    q.save_value(np.quantile(dense(x.value), max(0.0, 1.0 - atom.k / x.size)))
    t.save_value(np.maximum(dense(x.value) - q.value, 0.0))
    return cp.reshape(cp.sum(t) + atom.k * q, atom.shape, order="F"), [x - q <= t, t >= 0]


def check_atoms(problem: cp.Problem) -> None:
    """Raise where an atom of the problem has no translation.

    Raises
    ------
    NotTranslated
        For an atom without a rule, by name.
    cvxpy.error.DNLPError
        For an atom with a kink in a place where its smooth form would not be exact.
    """
    for part in (problem.objective, *problem.constraints):
        kinks = []
        for atom in atoms([part]):
            if type(atom).__name__ in KINKED and not atom.is_constant():
                kinks.append(atom)
            else:
                rule_of(atom)
        # Cones have no such test, and need none: their arguments are affine.
        if kinks and hasattr(part, "is_dnlp") and not part.is_dnlp():
            raise cp.error.DNLPError(
                f"{shortened(str(kinks[0]))} has a kink that cannot be made smooth in {shortened(str(part))}: the "
                f"solver would gain by moving away from it"
            )
