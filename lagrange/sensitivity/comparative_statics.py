"""Comparative statics: signs of the responses, the envelope split in two, and Le Chatelier's comparison.

dV/dp = f_p + lambda . (c - b)_p        direct effect + effect through the constraints

Le Chatelier: with another constraint held, responses are smaller (Samuelson 1947, "Foundations of Economic
Analysis", chapter 3): they solve the same linear system with one more row; with one freed at its price, one less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lagrange.derivatives.derivative_report import aligned
from lagrange.kkt.null_space import NullSpaceFactorization
from lagrange.model.named_pytree import Vector, nested_derivative
from lagrange.sensitivity.active_system import ActiveSystem
from lagrange.sensitivity.derivative import Derivative

ROUNDING = 1e-13  # of the largest response to a parameter
NO_RESPONSE = 1e-9  # responses below this, relative to the largest of their parameter, have the sign "0"


@dataclass(frozen=True)
class ComparativeStatics:
    """Print it.

    Attributes
    ----------
    signs : {variable: {parameter: "+", "-", "0" or "?"}}
        Of dx*/dp; "?" where the derivative does not exist.
    envelope : {parameter: (direct, through constraints, total)}
        d objective / dp as stated, split into the objective's own and the constraints' part.
    """

    signs: dict[str, dict[str, str]]
    envelope: dict[str, tuple[float, float, float]]

    def __str__(self) -> str:
        parameters = list(self.envelope)
        rows: list[tuple[str, ...]] = [("response of", *parameters)]
        rows += [(name, *(row[p] for p in parameters)) for name, row in self.signs.items()]
        split: list[tuple[str, ...]] = [("objective", "direct", "through constraints", "total")]
        split += [(name, *(f"{part:+.6g}" for part in parts)) for name, parts in self.envelope.items()]
        return aligned(rows, "l" + "r" * len(parameters)) + "\n\n" + aligned(split, "lrrr")


def comparative_statics(system: ActiveSystem, found: Derivative) -> ComparativeStatics:
    """Signs and envelope of a solution from its derivatives with respect to the parameters."""
    program, at = system.result.program, system.at
    names = program.parameters.names()
    # Zero is a response that is rounding beside the largest one, and beside the variable's own size.
    x, p = np.abs(system.result.x), np.abs(system.result.p)
    with np.errstate(divide="ignore"):
        own = np.where((x[:, None] > 0.0) & (p > 0.0), x[:, None] / p, np.inf)
    largest = np.nanmax(np.abs(found.x), axis=0, initial=0.0)
    size = np.maximum(np.minimum(largest, own), ROUNDING / NO_RESPONSE * largest)
    signs = {
        variable: {name: _sign(found.x[i, j], float(size[i, j])) for j, name in enumerate(names)}
        for i, variable in enumerate(program.variable_names)
    }
    direct, total = program.sign * at.direct, program.sign * found.value
    envelope = {
        name: (float(direct[j]) + 0.0, float(total[j] - direct[j]) + 0.0, float(total[j]) + 0.0)
        for j, name in enumerate(names)
    }
    return ComparativeStatics(signs, envelope)


@dataclass(frozen=True)
class LeChatelier:
    """Responses as they are, and with constraints held or freed. Print it.

    Attributes
    ----------
    x, x_restricted : pytree like x of pytrees like p
        dx/dp without and with the change.
    changed : str
        What was held and freed, in words.
    rows : (variable, parameter, dx/dp without, dx/dp with the change)
    """

    x: object
    x_restricted: object
    changed: str
    rows: tuple[tuple[str, str, float, float], ...]

    def __str__(self) -> str:
        rows = [("response of", "to", "as it is", self.changed)]
        rows += [(name, p, f"{plain:+.6g}", f"{restricted:+.6g}") for name, p, plain, restricted in self.rows]
        return aligned(rows, "llrr")


def le_chatelier(system: ActiveSystem, hold: Sequence[str], free: Sequence[str]) -> LeChatelier:
    """dx/dp beside the one where variables or inactive constraints are held, and active ones freed at their price.

    Raises
    ------
    ValueError
        For a name that is no variable or constraint row, or that cannot be held or freed.
    """
    program, active, at = system.result.program, system.active, system.at
    n, m = program.n, program.m
    known = program.row_names + program.variable_names
    for name in free:
        if name not in active.names:
            raise ValueError(f"{name!r} is not active: only {', '.join(active.names) or 'nothing'} can be freed")
    for name in hold:
        if name not in known:
            raise ValueError(f"{name!r} is no constraint row and no variable: there are {', '.join(known)}")
        if name in active.names:
            raise ValueError(f"{name!r} is active already: it is held as it is")
    jacobian, _ = system.evaluation.derivatives(system.result.x, np.zeros(1 + m))
    values = np.concatenate([jacobian[1:], np.eye(n)]), np.concatenate([at.rows[1:], np.zeros((n, at.rows.shape[1]))])
    added = [known.index(name) for name in hold]
    kept = np.array([name not in free for name in active.names], dtype=bool)
    A = np.concatenate([active.gradients[kept], values[0][added]])
    r = np.concatenate([at.r[kept], values[1][added]])
    layouts = program.variables, program.parameters
    plain, restricted = _response(at.W, at.G, active.gradients, at.r) + 0.0, _response(at.W, at.G, A, r) + 0.0
    changes = (f"{what} {', '.join(names)}" for what, names in (("held:", hold), ("freed:", free)) if names)
    rows = (
        (variable, parameter, float(plain[i, j]), float(restricted[i, j]))
        for i, variable in enumerate(program.variable_names)
        for j, parameter in enumerate(program.parameters.names())
    )
    return LeChatelier(
        nested_derivative(plain, *layouts),
        nested_derivative(restricted, *layouts),
        ", ".join(changes) or "nothing changed",
        tuple(rows),
    )


def _response(W: Vector, G: Vector, A: Vector, r: Vector) -> Vector:
    lengths = np.linalg.norm(A, axis=1)
    lengths = np.where(lengths > 0.0, lengths, 1.0)[:, None]
    A, r = A / lengths, r / lengths
    factorization = NullSpaceFactorization(W, None, A, A.shape[0])
    if not factorization.regularize(0.0):
        raise ValueError("without the freed constraints the second-order condition fails: there is no response")
    columns = [factorization.solve(-g, -a)[0] for g, a in zip(G.T, r.T, strict=True)]
    return np.column_stack(columns) if columns else np.empty((W.shape[0], 0))


def _sign(value: float, size: float) -> str:
    if np.isnan(value):
        return "?"
    if abs(value) <= NO_RESPONSE * size:
        return "0"
    return "+" if value > 0.0 else "-"
