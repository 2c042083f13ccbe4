"""Support vector machine: a straight line that tells two kinds of iris apart by their petals.

Twenty flowers, ten Iris versicolor (label -1) and ten Iris virginica (+1), are given by length and width
of a petal. The line weights . petal + bias = 0 shall leave the widest possible street between the kinds;
a flower that does not keep to its side of the street pays for its shortfall:

    minimize    |weights|^2 / 2 + penalty sum(shortfall)
    subject to  label_i (weights . petal_i + bias) + shortfall_i >= 1,  i = 1, ..., 20
                shortfall >= 0

Minus the multipliers are the weights of the support vectors. Source: C. Cortes and V. Vapnik,
"Support-vector networks", Machine Learning 20 (1995), 273-297; the flowers are numbers 51-60 and 101-110
of R. A. Fisher's data, Annals of Eugenics 7 (1936), 179-188. Known answer: which flowers lie on the
street's edges and which pay is stated below; given that, the conditions are linear equations, solved here
by elimination (valid as long as the penalty does not change the two lists).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

VERSICOLOR = [(4.7, 1.4), (4.5, 1.5), (4.9, 1.5), (4.0, 1.3), (4.6, 1.5)]
VERSICOLOR += [(4.5, 1.3), (4.7, 1.6), (3.3, 1.0), (4.6, 1.3), (3.9, 1.4)]
VIRGINICA = [(6.0, 2.5), (5.1, 1.9), (5.9, 2.1), (5.6, 1.8), (5.8, 2.2)]
VIRGINICA += [(6.6, 2.1), (4.5, 1.7), (6.3, 1.8), (5.8, 1.8), (6.1, 2.5)]
PETAL = np.array(VERSICOLOR + VIRGINICA)  # length, width [cm]
LABEL = np.repeat([-1.0, 1.0], [len(VERSICOLOR), len(VIRGINICA)])
FLOWERS = LABEL.size


def side(x: dict[str, Any]) -> Any:
    """How far each flower is on its own side, in half street widths, once its shortfall is made up."""
    return LABEL * (PETAL @ x["weights"] + x["bias"]) + x["shortfall"]


problem = lg.Problem(
    minimize=lambda x, p: x["weights"] @ x["weights"] / 2 + p["penalty"] * np.sum(x["shortfall"]),
    subject_to={"right side of the street": lg.at_least(side, 1.0)},
    bounds={"shortfall": (0.0, None)},
    describe={
        "objective": "misfit [cm^-2]",
        "weights": "square to the line [cm^-1]",
        "bias": "shift of the line",
        "shortfall": "of a flower, in half street widths",
        "right side of the street": "in half street widths, shortfall made up",
        "penalty": "for a shortfall of 1 [cm^-2]",
    },
)
x0 = {"weights": np.array([1.0, 1.0]), "bias": -6.0, "shortfall": np.ones(FLOWERS)}
p = {"penalty": 5.0}

ON_THE_EDGE = [4, 13]  # flowers on the street's edges for this p, counted from 0
SHORT = [2, 6, 11, 16]  # flowers with a shortfall for this p


def _solution(p: dict[str, Any]) -> tuple[dict[str, Any], np.ndarray]:
    """The line, and the support weights s: weights = sum s_i label_i petal_i, 0 = sum s_i label_i."""
    support = np.zeros(FLOWERS)
    support[SHORT] = p["penalty"]
    signed = LABEL[:, None] * np.column_stack([PETAL, np.ones(FLOWERS)])
    edge = signed[ON_THE_EDGE]
    # Unknowns: the line (weights, bias), then the support weights of the flowers on the edges.
    kkt = np.block([[np.diag([1.0, 1.0, 0.0]), -edge.T], [edge, np.zeros((len(edge), len(edge)))]])
    unknowns = np.linalg.solve(kkt, np.concatenate([support @ signed, np.ones(len(edge))]))
    support[ON_THE_EDGE] = unknowns[3:]
    shortfall = np.zeros(FLOWERS)
    shortfall[SHORT] = 1 - signed[SHORT] @ unknowns[:3]
    return {"weights": unknowns[:2], "bias": unknowns[2], "shortfall": shortfall}, support


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """The line and the shortfalls."""
    return _solution(p)[0]


def known_objective(p: dict[str, Any]) -> float:
    """Half the squared weights plus what the shortfalls cost."""
    x = known_x(p)
    return float(x["weights"] @ x["weights"] / 2 + p["penalty"] * np.sum(x["shortfall"]))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Minus the support vectors' weights."""
    return {"right side of the street": -_solution(p)[1]}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """What of the penalty the support weight leaves over: penalty - s + z = 0."""
    return {"weights": np.zeros(2), "bias": 0.0, "shortfall": _solution(p)[1] - p["penalty"]}


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A quadratic program, said directly."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    weights, bias, shortfall = cp.Variable(2), cp.Variable(), cp.Variable(FLOWERS)
    constraints = {"right side of the street": cp.multiply(LABEL, PETAL @ weights + bias) + shortfall >= 1.0}
    lower = shortfall >= 0
    cost = cp.sum_squares(weights) / 2 + p["penalty"] * cp.sum(shortfall)
    model = cp.Problem(cp.Minimize(cost), [*constraints.values(), lower])
    variables = {"weights": weights, "bias": bias, "shortfall": shortfall}
    return CvxpyModel(model, variables, constraints, {"shortfall": (lower, None)})
