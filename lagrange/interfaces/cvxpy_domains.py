"""Where CVXPY's atoms are defined: intervals for their arguments, and which variables those intervals bound.

Beyond its domain an atom is either not finite in `jax.numpy`, as log is, so that no iteration goes there; or it is
finite and wrong, as 1/x is beyond its pole, and must be kept inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from lagrange.interfaces.cvxpy_atoms import dense, evaluate, weighted
from lagrange.model.named_pytree import Vector

Node = Any  # an expression, an objective or a constraint of CVXPY
Interval = tuple[Any, Any]  # numbers, or arrays like the argument

HALF_LINE = (0.0, np.inf)
SELECTIONS = frozenset({"index", "special_index", "reshape", "transpose", "Promote"})
POWERS = ("Power", "PowerApprox")


def domains(atom: cp.Expression, convex: bool) -> Iterator[tuple[int, Interval, bool]]:
    """The arguments of an atom that are restricted: which, to what interval, and whether the atom is finite beyond.

    `convex` says whether the atom belongs to a problem that follows CVXPY's rules of convexity (DCP). There the powers
    3, 5, 6, 7, 9, ... are those of CVXPY's conic solvers, for x >= 0 only; elsewhere they are taken for all x.
    """
    name = type(atom).__name__
    if name in ("log", "entr"):
        yield 0, HALF_LINE, False
    elif name in ("GeoMean", "GeoMeanApprox"):
        lower = np.full(atom.args[0].shape, -np.inf)
        places = np.arange(atom.args[0].size, dtype=np.float64).reshape(atom.args[0].shape)
        lower.reshape(-1)[np.asarray(weighted(atom, places)).astype(np.intp)] = 0.0
        yield 0, (lower, np.inf), False
    elif name in POWERS:
        exponent = atom.p_used if atom.p_used is not None else atom.p.value
        if exponent is not None and is_one_sided(float(exponent), convex):
            yield 0, HALF_LINE, float(exponent).is_integer() and exponent > 0.0
    elif name in ("Pnorm", "PnormApprox"):
        if atom.p < 1.0:
            yield 0, HALF_LINE, False
    elif name == "log1p":
        yield 0, (-1.0, np.inf), False
    elif name in ("rel_entr", "kl_div"):
        yield 0, HALF_LINE, False
        # 0 log(0 / y) is 0 for all y.
        yield 1, HALF_LINE, atom.args[0].is_constant()
    elif name == "quad_over_lin":
        yield 1, HALF_LINE, False
    elif name == "tan":
        yield 0, (-np.pi / 2.0, np.pi / 2.0), True
    elif name == "atanh":
        yield 0, (-1.0, 1.0), False


def is_one_sided(exponent: float, convex: bool) -> bool:
    """True where CVXPY's power is defined for x >= 0 only; see `domains`."""
    if exponent < 0.0 or not exponent.is_integer():
        return True
    return convex and exponent > 1.0 and int(exponent).bit_count() != 1


def starts_inside(atom: cp.Expression, arguments: list[cp.Expression], convex: bool) -> bool:
    """True where the arguments have values from which the search stays where the atom is defined."""
    if type(atom).__name__ == "DivExpression":
        return bool(np.all(dense(arguments[1].value) != 0.0))
    restricted = domains(atom, convex)
    return all(stays_inside(arguments[place], interval, beyond) for place, interval, beyond in restricted)


def stays_inside(argument: cp.Expression, interval: Interval, finite_beyond: bool) -> bool:
    """True where an argument of an atom never leaves its interval, or leaves it only to where nothing is finite."""
    if argument.is_constant() or selected(argument) is not None:
        return True  # the interval is the bound of a variable
    lower, upper = interval
    if finite_beyond:
        return bool(np.all(lower == 0.0) and np.all(upper == np.inf) and argument.is_nonneg())
    value = dense(argument.value)
    return bool(np.all((lower < value) & (value < upper)))


def selected(expression: cp.Expression) -> tuple[cp.Variable, NDArray[np.intp]] | None:
    """The variable whose entries an expression is, and which (counted row by row); None for any other expression."""
    inner = expression
    while type(inner).__name__ in SELECTIONS:
        inner = inner.args[0]
    if not isinstance(inner, cp.Variable) or inner._has_dim_reducing_attr:
        return None
    places = np.arange(inner.size, dtype=np.float64).reshape(inner.shape)
    return inner, np.asarray(evaluate(expression, {inner.id: places})).ravel().astype(np.intp)


def domain_bounds(problem: cp.Problem, convex: bool) -> dict[int, tuple[Vector, Vector]]:
    """Bounds of every variable by id, from the domains of the atoms it is an argument of."""
    bounds = {item.id: (np.full(item.shape, -np.inf), np.full(item.shape, np.inf)) for item in problem.variables()}
    for atom in atoms([problem.objective, *problem.constraints]):
        for place, interval, _ in domains(atom, convex):
            found = selected(atom.args[place])
            if found is not None:
                variable, places = found
                lower, upper = (np.broadcast_to(side, atom.args[place].shape).ravel() for side in interval)
                sides = bounds[variable.id]
                np.maximum.at(sides[0].reshape(-1), places, lower)
                np.minimum.at(sides[1].reshape(-1), places, upper)
    return bounds


def atoms(parts: list[Node]) -> Iterator[cp.Expression]:
    """All atoms inside the parts, once each, that depend on variables or parameters."""
    stack, seen = list(parts), set()
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen.add(id(node))
            stack += node.args
            if isinstance(node, cp.Expression) and node.args and (node.variables() or node.parameters()):
                yield node
