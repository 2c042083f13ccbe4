"""CVXPY's smooth reformulations, only where `jax.numpy` needs them.

- Atoms with kinks (abs, max, norm1, huber, ...) get an auxiliary variable that bounds them, as in CVXPY's own nonlinear
  interface: min |x| becomes min t with -t <= x <= t. That is exact in a disciplined nonlinear program.
- Smooth atoms stay as they are, so that no auxiliary variable comes between the user and the derivatives. Only where
  the start lies outside of an atom's domain, as x = 0 does for log(x - 1), the argument becomes a variable of its own
  with bounds that keep it inside, as CVXPY does always.
- Where the start makes a norm zero, it is moved a little.
- A variable that is itself the argument of such an atom gets the atom's domain as bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.reductions.dnlp2smooth.canonicalizers import SMOOTH_CANON_METHODS
from numpy.typing import NDArray

from lagrange.interfaces.cvxpy_atoms import KINKED, dense, evaluate, rule_of
from lagrange.interfaces.cvxpy_names import short, shortened
from lagrange.model.named_pytree import Vector

Node = Any  # an expression, an objective or a constraint of CVXPY
METHODS: dict[str, Callable[..., Any]] = {kind.__name__: method for kind, method in SMOOTH_CANON_METHODS.items()}

SMALL_NORM = 1e-6  # a norm below this has a curvature that is too large to start from
MOVE = 0.01  # how far a start is moved from where a norm is zero
GOLDEN_RATIO = (1.0 + 5.0**0.5) / 2.0
HALF_LINE = (0.0, np.inf)
SELECTIONS = frozenset({"index", "special_index", "reshape", "transpose", "Promote"})


@dataclass
class Smoothing:
    """One pass over a problem, collecting the auxiliary variables and constraints it makes.

    Attributes
    ----------
    constraints : list of (text of the atom, constraint)
    variables : dict
        The text of the atom by the id of its auxiliary variable.
    """

    constraints: list[tuple[str, cp.Constraint]] = field(default_factory=list)
    variables: dict[int, str] = field(default_factory=dict)
    done: dict[int, Node] = field(default_factory=dict)

    def smooth(self, node: Node) -> Node:
        """The node with smooth atoms only, except where no variable occurs."""
        if isinstance(node, cp.Expression) and (node.is_constant() or not node.args):
            return node
        if id(node) not in self.done:
            arguments = [self.smooth(argument) for argument in node.args]
            name = type(node).__name__
            if name in KINKED or (name in METHODS and not _starts_inside(node, arguments)):
                self.done[id(node)] = self._reformulated(node, arguments)
            elif all(new is old for new, old in zip(arguments, node.args, strict=True)):
                self.done[id(node)] = node
            else:
                self.done[id(node)] = node.copy(arguments)
        return self.done[id(node)]

    def _reformulated(self, atom: cp.Expression, arguments: list[cp.Expression]) -> cp.Expression:
        known = {variable.id for argument in arguments for variable in argument.variables()}
        smooth, constraints = METHODS[type(atom).__name__](atom, arguments)
        text = short(str(atom), type(atom).__name__)
        for variable in [item for part in (smooth, *constraints) for item in part.variables()]:
            if variable.id not in known and variable.id not in self.variables:
                self.variables[variable.id] = text
        self.constraints += [(text, constraint) for constraint in constraints]
        return smooth


def _starts_inside(atom: cp.Expression, arguments: list[cp.Expression]) -> bool:
    """True where the arguments have values at which the atom and its derivatives are defined."""
    name = type(atom).__name__
    if name == "DivExpression":
        return bool(np.all(dense(arguments[1].value) != 0.0))
    inside = True
    for place, (lower, upper) in domains(atom):
        if selected(arguments[place]) is None:
            value = dense(arguments[place].value)
            inside &= bool(np.all((lower < value) & (value < upper)))
    return inside


def domains(atom: cp.Expression) -> Iterator[tuple[int, tuple[float, float]]]:
    """The arguments of an atom that are restricted, and to what interval."""
    name = type(atom).__name__
    if name in ("log", "entr", "GeoMean", "GeoMeanApprox"):
        yield 0, HALF_LINE
    elif name in ("Power", "PowerApprox") and atom.p_used is not None:
        # Even powers are defined everywhere, and so are the odd ones that are positive.
        if atom.p_used % 2 not in (0.0, 1.0) or (atom.p_used < 0.0 and atom.p_used % 2 == 1.0):
            yield 0, HALF_LINE
    elif name == "log1p":
        yield 0, (-1.0, np.inf)
    elif name in ("rel_entr", "kl_div"):
        yield 0, HALF_LINE
        yield 1, HALF_LINE
    elif name == "quad_over_lin":
        yield 1, HALF_LINE
    elif name == "tan":
        yield 0, (-np.pi / 2.0, np.pi / 2.0)
    elif name == "atanh":
        yield 0, (-1.0, 1.0)


def selected(expression: cp.Expression) -> tuple[cp.Variable, NDArray[np.intp]] | None:
    """The variable whose entries an expression is, and which (counted row by row); None for any other expression."""
    inner = expression
    while type(inner).__name__ in SELECTIONS:
        inner = inner.args[0]
    if not isinstance(inner, cp.Variable) or inner._has_dim_reducing_attr:
        return None
    places = np.arange(inner.size, dtype=np.float64).reshape(inner.shape)
    return inner, np.asarray(evaluate(expression, {inner.id: places})).ravel().astype(np.intp)


def bounds_of(problem: cp.Problem) -> dict[int, tuple[Vector, Vector]]:
    """Bounds of every variable by id: those of its attributes, within the domains of the atoms it is argument of."""
    bounds: dict[int, tuple[Vector, Vector]] = {}
    for variable in problem.variables():
        low, high = (np.array(np.broadcast_to(dense(side), variable.shape)) for side in variable.get_bounds())
        bounds[variable.id] = low, high
    for atom in _atoms([problem.objective, *problem.constraints]):
        for place, (lower, upper) in domains(atom):
            found = selected(atom.args[place])
            if found is not None:
                variable, places = found
                sides = bounds[variable.id]
                sides[0].reshape(-1)[places] = np.maximum(sides[0].reshape(-1)[places], lower)
                sides[1].reshape(-1)[places] = np.minimum(sides[1].reshape(-1)[places], upper)
    return bounds


def move_off_norms_of_zero(problem: cp.Problem) -> None:
    """Give the variables in a norm of zero, which has no derivative, other values nearby.

    CVXPY's smooth form of a norm is exact only where it is minimized, and singular at zero, so it is not used here.
    """
    moved = set()
    for atom in _atoms([problem.objective, *problem.constraints]):
        if type(atom).__name__ in ("Pnorm", "PnormApprox") and np.any(dense(atom.value) < SMALL_NORM):
            for variable in atom.variables():
                if variable.id not in moved and not variable._has_dim_reducing_attr:
                    moved.add(variable.id)
                    # Multiples of the golden ratio without their integer part: no two of them, or of their
                    # differences, cancel.
                    spread = (np.arange(1, variable.size + 1) * GOLDEN_RATIO) % 1.0
                    variable.save_value(dense(variable.value) + MOVE * spread.reshape(variable.shape))


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
        for atom in _atoms([part]):
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


def _atoms(parts: list[Node]) -> Iterator[cp.Expression]:
    """All atoms inside the parts, once each, that depend on variables or parameters."""
    stack, seen = list(parts), set()
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            stack += node.args
            if isinstance(node, cp.Expression) and node.args and (node.variables() or node.parameters()):
                yield node
