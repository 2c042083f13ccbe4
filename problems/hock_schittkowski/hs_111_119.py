"""Problems 111 to 119 of Hock and Schittkowski (115 does not exist)."""

from __future__ import annotations

from typing import Any

import numpy as np

from problems.collection import Array
from problems.hock_schittkowski import colville_shell as shell
from problems.hock_schittkowski.registry import example, inf

ENERGY_111 = np.array([-6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662, -22.179])
ATOMS_111 = np.array(
    [
        (1.0, 2, 2, 0, 0, 1, 0, 0, 0, 1),
        (0, 0, 0, 1, 2, 1, 1, 0, 0, 0),
        (0, 0, 1, 0, 0, 0, 1, 1, 2, 1),
    ]
)
TOTALS_111 = np.array([2.0, 1, 1])


@example(111, x0=(-2.3,) * 10, best=-47.7610908593659, lower=-100, upper=100, equalities=3)
def hs111(x: Array) -> Any:
    """Chemical equilibrium, problem 112 in the logarithms of the amounts."""
    moles = np.exp(x)
    return moles @ (ENERGY_111 + x - np.log(np.sum(moles))), ATOMS_111 @ moles - TOTALS_111


@example(
    112,
    x0=(0.1,) * 10,
    best=-47.7610908593659,
    lower=1e-6,
    equalities=3,
    note="better than the -47.707579 that the book and CUTEst list; the value of problem 111",
)
def hs112(x: Array) -> Any:
    """Chemical equilibrium: the smallest free energy of ten species of three elements."""
    return x @ (ENERGY_111 + np.log(x / np.sum(x))), ATOMS_111 @ x - TOTALS_111


@example(113, x0=(2, 3, 5, 5, 1, 2, 7, 3, 6, 10), best=24.3062090681798, inequalities=8)
def hs113(x: Array) -> Any:
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10 = x
    f = (
        x1**2
        + x2**2
        + x1 * x2
        - 14 * x1
        - 16 * x2
        + (x3 - 10) ** 2
        + 4 * (x4 - 5) ** 2
        + (x5 - 3) ** 2
        + 2 * (x6 - 1) ** 2
        + 5 * x7**2
        + 7 * (x8 - 11) ** 2
        + 2 * (x9 - 10) ** 2
        + (x10 - 7) ** 2
        + 45
    )
    c = (
        105 - 4 * x1 - 5 * x2 + 3 * x7 - 9 * x8,
        -10 * x1 + 8 * x2 + 17 * x7 - 2 * x8,
        8 * x1 - 2 * x2 - 5 * x9 + 2 * x10 + 12,
        -3 * (x1 - 2) ** 2 - 4 * (x2 - 3) ** 2 - 2 * x3**2 + 7 * x4 + 120,
        -5 * x1**2 - 8 * x2 - (x3 - 6) ** 2 + 2 * x4 + 40,
        -0.5 * (x1 - 8) ** 2 - 2 * (x2 - 4) ** 2 - 3 * x5**2 + x6 + 30,
        -(x1**2) - 2 * (x2 - 2) ** 2 + 2 * x1 * x2 - 14 * x5 + 6 * x6,
        3 * x1 - 6 * x2 - 12 * (x9 - 8) ** 2 + 7 * x10,
    )
    return f, c


@example(
    114,
    x0=(1745, 12000, 110, 3048, 1974, 89.2, 92.8, 8, 3.6, 145),
    best=-1768.80696371625,
    lower=(1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 85, 90, 3, 1.2, 145),
    upper=(2000, 16000, 120, 5000, 2000, 93, 95, 12, 4, 162),
    inequalities=8,
    equalities=3,
)
def hs114(x: Array) -> Any:
    """Alkylation process."""
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10 = x
    a, b = 0.99, 0.9
    g1 = 35.82 - 0.222 * x10 - b * x9
    g2 = -133 + 3 * x7 - a * x10
    g5 = 1.12 * x1 + 0.13167 * x1 * x8 - 0.00667 * x1 * x8**2 - a * x4
    g6 = 57.425 + 1.098 * x8 - 0.038 * x8**2 + 0.325 * x6 - a * x7
    c = (
        g1,
        g2,
        -g1 + x9 * (1 / b - b),
        -g2 + (1 / a - a) * x10,
        g5,
        g6,
        -g5 + (1 / a - a) * x4,
        -g6 + (1 / a - a) * x7,
        1.22 * x4 - x1 - x5,
        98000 * x3 / (x4 * x9 + 1000 * x3) - x6,
        (x2 + x5) / x1 - x8,
    )
    return 5.04 * x1 + 0.035 * x2 + 10 * x3 + 3.36 * x5 - 0.063 * x4 * x7, c


@example(
    116,
    x0=(0.5, 0.8, 0.9, 0.1, 0.14, 0.5, 489, 80, 650, 450, 150, 150, 150),
    best=97.5875095580705,
    lower=(0.1, 0.1, 0.1, 1e-4, 0.1, 0.1, 0.1, 0.1, 500, 0.1, 1, 1e-4, 1e-4),
    upper=(1, 1, 1, 0.1, 0.9, 0.9, 1000, 1000, 1000, 500, 150, 150, 150),
    between=((0, 0, 0, 50, *(0,) * 9, 0.9), (inf, inf, inf, 250, *(inf,) * 10)),
    note="better than the 97.588409 that the book and CUTEst list; another local minimum: 97.591",
)
def hs116(x: Array) -> Any:
    """Membrane separation in three stages."""
    x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13 = x
    a, b, c, d, e = 0.002, 1.262626, 1.231059, 0.03475, 0.975
    f = x11 + x12 + x13
    rows = (
        x3 - x2,
        x2 - x1,
        1 - a * (x7 - x8),
        f,
        x13 - b * x10 + c * x3 * x10,
        x5 - d * x2 - e * x2 * x5 + 0.00975 * x2**2,
        x6 - d * x3 - e * x3 * x6 + 0.00975 * x3**2,
        x5 * x7 - x1 * x8 - x4 * x7 + x4 * x8,
        1 - a * (x2 * x9 + x5 * x8 - x1 * x8 - x6 * x9) - x5 - x6,
        x2 * x9 - x3 * x10 - x6 * x9 - 500 * x2 + 500 * x6 + x2 * x10,
        x4 - d * x1 - e * x1 * x4 + 0.00975 * x1**2,
        x11 - b * x8 + c * x1 * x8,
        x12 - b * x9 + c * x2 * x9,
        x2 - a * (x2 * x10 - x3 * x10),
    )
    return f, rows


@example(
    117,
    x0=(*(1e-3,) * 6, 60, *(1e-3,) * 8),
    best=32.3486789657227,
    lower=0,
    inequalities=5,
)
def hs117(x: Array) -> Any:
    """Colville's problem 2, the dual of problem 86."""
    u, v = x[:10], x[10:]
    f = 2 * (shell.D @ v**3) + v @ shell.C @ v - shell.B @ u
    return f, 2 * (shell.C @ v) + 3 * shell.D * v**2 + shell.E - shell.A.T @ u


DEMAND_118 = np.array([60.0, 50, 70, 85, 100])


@example(
    118,
    x0=(20, 55, 15, 20, 60, 20, 20, 60, 20, 20, 60, 20, 20, 60, 20),
    best=664.82045,
    lower=(8, 43, 3, *(0,) * 12),
    upper=(21, 57, 16, *(90, 120, 60) * 4),
    between=((*(-7,) * 12, *DEMAND_118), (*(6, 7, 6) * 4, *(inf,) * 5)),
)
def hs118(x: Array) -> Any:
    """Three products over five periods: smooth production that meets the demand."""
    production = x.reshape(5, 3)
    changes = (production[1:] - production[:-1]).reshape(12)
    f = np.sum(production @ np.array([2.3, 1.7, 2.2]) + production**2 @ np.array([1e-4, 1e-4, 1.5e-4]))
    return f, np.concatenate([changes, np.sum(production, axis=1)])


PAIRS_119 = np.array(
    [
        *((1, 1), (1, 4), (1, 7), (1, 8), (1, 16), (2, 2), (2, 3), (2, 7), (2, 10), (3, 3), (3, 7), (3, 9)),
        *((3, 10), (3, 14), (4, 4), (4, 7), (4, 11), (4, 15), (5, 5), (5, 6), (5, 10), (5, 12), (5, 16)),
        *((6, 6), (6, 8), (6, 15), (7, 7), (7, 11), (7, 13), (8, 8), (8, 10), (8, 15), (9, 9), (9, 12)),
        *((9, 16), (10, 10), (10, 14), (11, 11), (11, 13), (12, 12), (12, 14), (13, 13), (13, 14)),
        *((14, 14), (15, 15), (16, 16)),
    ]
)
B_119 = np.array(
    [
        (0.22, 0.20, 0.19, 0.25, 0.15, 0.11, 0.12, 0.13, 1, 0, 0, 0, 0, 0, 0, 0),
        (-1.46, 0, -1.30, 1.82, -1.15, 0, 0.80, 0, 0, 1, 0, 0, 0, 0, 0, 0),
        (1.29, -0.89, 0, 0, -1.16, -0.96, 0, -0.49, 0, 0, 1, 0, 0, 0, 0, 0),
        (-1.10, -1.06, 0.95, -0.54, 0, -1.78, -0.41, 0, 0, 0, 0, 1, 0, 0, 0, 0),
        (0, 0, 0, -1.43, 1.51, 0.59, -0.33, -0.43, 0, 0, 0, 0, 1, 0, 0, 0),
        (0, -1.72, -0.33, 0, 1.62, 1.24, 0.21, -0.26, 0, 0, 0, 0, 0, 1, 0, 0),
        (1.12, 0, 0, 0.31, 0, 0, 1.12, 0, -0.36, 0, 0, 0, 0, 0, 1, 0),
        (0, 0.45, 0.26, -1.10, 0.58, 0, -1.03, 0.10, 0, 0, 0, 0, 0, 0, 0, 1),
    ]
)
C_119 = np.array([2.5, 1.1, -3.1, -3.5, 1.3, 2.1, 2.3, -1.5])


@example(119, x0=(10,) * 16, best=244.899697516801, lower=0, upper=5, equalities=8)
def hs119(x: Array) -> Any:
    """Colville's problem 7."""
    u = x**2 + x + 1
    return np.sum(u[PAIRS_119[:, 0] - 1] * u[PAIRS_119[:, 1] - 1]), B_119 @ x - C_119
