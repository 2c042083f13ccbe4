"""Inequalities on atoms with kinks as several smooth inequalities: |x| <= b is x <= b and -x <= b.

That needs no auxiliary variable, which would be undetermined, and with it all derivatives, wherever the inequality is
not active. An atom with very many pieces, as norm1 has, is left to `cvxpy_smoothing`.
"""

from __future__ import annotations

from collections.abc import Iterable

import cvxpy as cp
import numpy as np
from cvxpy.constraints.nonpos import Inequality

from lagrange.interfaces.cvxpy_atoms import KINKED, dense
from lagrange.interfaces.cvxpy_domains import atoms

Pieces = list[cp.Expression]  # of shape (number of pieces, *shape): an expression is the maximum or minimum over them


def pieces_of(constraints: Iterable[cp.Constraint]) -> dict[int, Inequality]:
    """Of the constraints that can be split, the inequality that says the same of all pieces, by CVXPY's id."""
    split = {constraint.id: _in_pieces(constraint) for constraint in constraints}
    return {key: constraint for key, constraint in split.items() if constraint is not None}


def _in_pieces(constraint: cp.Constraint) -> Inequality | None:
    """The inequality with a first axis over the pieces of its kinked side; None where there is nothing to split."""
    if not isinstance(constraint, Inequality):
        return None
    lhs, rhs = constraint.args
    for side, other, is_upper in ((lhs, rhs, True), (rhs, lhs, False)):
        if not _has_kinks(side):
            continue
        found = _pieces(side, is_upper)
        if found is not None and side.shape == constraint.shape:
            found = [piece for piece in found if not _always_holds(piece, other, is_upper)] or found
            stack = cp.concatenate(found, axis=0) if len(found) > 1 else found[0]
            return Inequality(stack, other) if is_upper else Inequality(other, stack)
    return None


def _pieces(node: cp.Expression, is_upper: bool) -> Pieces | None:
    """What an expression is the maximum (`is_upper`) or minimum of; None where it is not."""
    name = type(node).__name__
    if not _has_kinks(node):
        return [cp.reshape(node, (1, *node.shape), order="C")]
    if name == "NegExpression":
        inner = _pieces(node.args[0], not is_upper)
        return None if inner is None else [-piece for piece in inner]
    if name == "AddExpression":
        return _of_sum(node, is_upper)
    if name == ("maximum" if is_upper else "minimum"):
        parts = [_pieces(argument, is_upper) for argument in node.args]
        return [_widened(piece, node.shape) for part in parts for piece in part or ()] if all(parts) else None
    if any(_has_kinks(argument) for argument in node.args) or not (is_upper or name == "min"):
        return None
    (argument,) = node.args
    if name == "abs":
        return [cp.reshape(side, (1, *node.shape), order="C") for side in (argument, -argument)]
    if name in (("max", "norm_inf") if is_upper else ("min",)):
        sides = (argument, -argument) if name == "norm_inf" else (argument,)
        return _over_axis(sides, node)
    return None


def _of_sum(node: cp.Expression, is_upper: bool) -> Pieces | None:
    kinked = [argument for argument in node.args if _has_kinks(argument)]
    if len(kinked) != 1:
        return None  # as many pieces as the product of those of the terms
    pieces = _pieces(kinked[0], is_upper)
    rest = sum(argument for argument in node.args if argument is not kinked[0])
    return None if pieces is None else [_widened(piece, node.shape) + rest for piece in pieces]


def _over_axis(sides: tuple[cp.Expression, ...], node: cp.Expression) -> Pieces | None:
    if node.axis is None:
        return [cp.reshape(side, (side.size, *node.shape), order="C") for side in sides]
    if not isinstance(node.axis, int) or node.args[0].ndim != 2:
        return None
    moved = [side if node.axis % 2 == 0 else side.T for side in sides]
    return [cp.reshape(side, (side.shape[0], *node.shape), order="C") for side in moved]


def _widened(piece: cp.Expression, shape: tuple[int, ...]) -> cp.Expression:
    missing = len(shape) - (piece.ndim - 1)
    lifted = cp.reshape(piece, (piece.shape[0], *[1] * missing, *piece.shape[1:]), order="C") if missing else piece
    return lifted if lifted.shape[1:] == shape else cp.broadcast_to(lifted, (piece.shape[0], *shape))


def _has_kinks(node: cp.Expression) -> bool:
    return any(type(atom).__name__ in KINKED and not atom.is_constant() for atom in atoms([node]))


def _always_holds(piece: cp.Expression, other: cp.Expression, is_upper: bool) -> bool:
    # A number against a number, as 0 in max(x, 0) <= 1: no row.
    if not (piece.is_constant() and other.is_constant()) or piece.parameters() or other.parameters():
        return False
    gap = dense(other.value) - dense(piece.value)
    return bool(np.all(gap >= 0.0 if is_upper else gap <= 0.0))
