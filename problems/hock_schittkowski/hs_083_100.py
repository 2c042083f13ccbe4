"""Problems 83 to 100 of Hock and Schittkowski (82 and 94 do not exist)."""

from __future__ import annotations

from math import cos, sin
from typing import Any

import numpy as np

from problems.collection import Array
from problems.hock_schittkowski import colville_shell as shell
from problems.hock_schittkowski.registry import example, inf


@example(
    83,
    x0=(78, 33, 27, 27, 27),
    best=-30665.5386717833,
    lower=(78, 33, 27, 27, 27),
    upper=(102, 45, 45, 45, 45),
    between=((0, 90, 20), (92, 110, 25)),
)
def hs83(x: Array) -> Any:
    """Colville's problem 3."""
    x1, x2, x3, x4, x5 = x
    f = 5.3578547 * x3**2 + 0.8356891 * x1 * x5 + 37.293239 * x1 - 40792.141
    c = (
        85.334407 + 0.0056858 * x2 * x5 + 0.0006262 * x1 * x4 - 0.0022053 * x3 * x5,
        80.51249 + 0.0071317 * x2 * x5 + 0.0029955 * x1 * x2 + 0.0021813 * x3**2,
        9.300961 + 0.0047026 * x3 * x5 + 0.0012547 * x1 * x3 + 0.0019085 * x3 * x4,
    )
    return f, c


A_84 = np.array(
    [
        (8720288.849, -150512.5253, 156.6950325, -476470.3222, -729482.8271),
        (-145421.402, 2931.1506, -40.427932, 5106.192, 15711.36),
        (-155011.1084, 4360.53352, 12.9492344, 10236.884, 13176.786),
        (-326669.5104, 7390.68412, -27.8986976, 16643.076, 30988.146),
    ]
)


@example(
    84,
    x0=(2.52, 2, 37.5, 9.25, 6.8),
    best=-5280335.13321476,
    lower=(0, 1.2, 20, 9, 6.5),
    upper=(1000, 2.4, 60, 9.3, 7),
    between=(0, (294000, 294000, 277200)),
)
def hs84(x: Array) -> Any:
    x1, *others = x
    rows = A_84 @ np.stack([x1, *(x1 * other for other in others)])
    return rows[0] + 24345, rows[1:]


@example(
    85,
    x0=(900, 80, 115, 267, 27),
    best=-2.21560468847628,
    lower=(704.4148, 68.6, 0, 193, 25),
    upper=(906.3855, 288.88, 134.75, 287.0966, 84.1988),
    between=(
        (
            *(0, 213.1, 17.505, 11.275, 214.228, 7.458, 0.961, 1.612, 0.146, 107.99, 922.693, 926.832),
            *(18.766, 1072.163, 8961.448, 0.063, 71084.33, 2802713, 0, -21, 110.6),
        ),
        (
            *(inf, inf, 1053.6667, 35.03, 665.585, 584.463, 265.916, 7.046, 0.222, 273.366, 1286.105),
            *(1444.046, 537.141, 3247.039, 26844.086, 0.386, 140000, 12146108, inf, inf, inf),
        ),
    ),
    note="coefficients as in CUTEst; better than the -1.90513375 that the book and CUTEst list",
)
def hs85(x: Array) -> Any:
    """Net profit of a wood-pulp plant: y are its 20 state variables, c its intermediate results."""
    x1, x2, x3, x4, x5 = x
    y1 = x2 + x3 + 41.6
    c1 = 0.024 * x4 - 4.62
    y2 = 12.5 / c1 + 12
    c2 = 3.535e-4 * x1**2 + 0.5311 * x1 + 0.08705 * x1 * y2
    c3 = 0.052 * x1 + 78 + 2.377e-3 * x1 * y2
    y3 = c2 / c3
    y4 = 19 * y3
    c4 = 0.04782 * (x1 - y3) + 0.1956 * (x1 - y3) ** 2 / x2 + 0.6376 * y4 + 1.594 * y3
    c5 = 100 * x2
    c6 = x1 - y3 - y4
    c7 = 0.95 - c4 / c5
    y5 = c6 * c7
    y6 = x1 - y3 - y4 - y5
    c8 = 0.995 * (y4 + y5)
    y7 = c8 / y1
    y8 = c8 / 3798
    c9 = y7 - 0.0663 * y7 / y8 - 0.3153
    y9 = 96.82 / c9 + 0.321 * y1
    y10 = 2.29 * y3 + 1.258 * y4 + 1.29 * y5 + 1.71 * y6
    y11 = 1.71 * x1 + 0.58 * y3 - 0.452 * y4
    c10 = 12.3 / 752.3
    c11 = 1.74125 * x1 * y2
    c12 = 0.9995 * y10 + 1998
    y12 = c10 * x1 + c11 / c12
    y13 = c12 - 1.75 * y2
    y14 = 3623 + 64.4 * x2 + 58.4 * x3 + 146312 / (y9 + x5)
    c13 = 0.9995 * y10 - 0.1121 * y14 + 60.8 * x2 + 48 * x4 - 5095
    y15 = y13 / c13
    y16 = 148000 - 331000 * y15 + 40 * y13 - 61 * y15 * y13
    c14 = 2324 * y10 - 28740000 * y2
    y17 = 14130000 - 1328 * y10 - 531 * y11 + c14 / c12
    c15 = y13 / y15 - y13 / 0.52
    c16 = 1.104 - 0.72 * y15
    c17 = y9 + x5
    c18 = c15 / c16
    c19 = y2 / c12
    y18 = y4 - 0.28 / 0.72 / y5
    y19 = -3496 * c19
    y20 = 62212 / c17 - y1
    f = (
        -5.843e-7 * y17
        + 1.17e-4 * y14
        + 2.358e-5 * y13
        + 1.502e-6 * y16
        + 0.0321 * y12
        + 0.00423 * y5
        + 1e-4 * c18
        + 37.48 * c19
        - 0.1365
    )
    c = (
        *(1.5 * x2 - x3, y1, y2, y3, y4, y5, y6, y7, y8, y9, y10),
        *(y11, y12, y13, y14, y15, y16, y17, y18, y19, y20),
    )
    return f, c


@example(86, x0=(0, 0, 0, 0, 1), best=-32.3486789657227, lower=0, inequalities=10)
def hs86(x: Array) -> Any:
    """Colville's problem 1."""
    return shell.E @ x + x @ shell.C @ x + shell.D @ x**3, shell.A @ x - shell.B


@example(
    87,
    x0=(107.8119, 196.3186, 373.8307, 420, 21.30713, 0.153292),
    best=8926.05271455,
    lower=(0, 0, 340, 340, -1000, 0),
    upper=(400, 1000, 420, 420, 10000, 0.5236),
    equalities=4,
    smooth=False,
    note="the cost jumps at x1 = 300 and x2 = 100, 200; best is its limit as x2 grows to 100, and as x2 "
    "grows to 200 the limit is 8996.88102439; start and angle 1.48577 as in CUTEst, while the book's "
    "8927.5977 belongs to the angle 1.48477",
)
def hs87(x: Array) -> Any:
    """A network of two generators, whose price per unit depends on how much is bought."""
    x1, x2, x3, x4, x5, x6 = x
    impedance, angle, loss_angle, admittance = 131.078, 1.48577, 1.47588, 0.90798 / 131.078
    f1 = np.where(x1 < 300, 30 * x1, 31 * x1)
    f2 = np.where(x2 < 100, 28 * x2, np.where(x2 < 200, 29 * x2, 30 * x2))
    flow = x3 * x4 / impedance
    c = (
        300 - x1 - flow * np.cos(angle - x6) + admittance * cos(loss_angle) * x3**2,
        -x2 - flow * np.cos(angle + x6) + admittance * cos(loss_angle) * x4**2,
        -x5 - flow * np.sin(angle + x6) + admittance * sin(loss_angle) * x4**2,
        200 - flow * np.sin(angle - x6) + admittance * sin(loss_angle) * x3**2,
    )
    return f1 + f2, c


TERMS_88 = 30
"""So many terms of the series are kept."""


def positive_roots(count: int) -> Array:
    """The first positive roots of mu tan(mu) = 1, by the fixed point mu = j pi + arctan(1/mu)."""
    mu = np.arange(count) * np.pi + 1.0
    for _ in range(100):
        mu = np.arange(count) * np.pi + np.arctan(1 / mu)
    return np.asarray(mu, dtype=float)


MU_88 = positive_roots(TERMS_88)
A_88 = 2 * np.sin(MU_88) / (MU_88 + np.sin(MU_88) * np.cos(MU_88))
S_88 = 2 * A_88 * (np.cos(MU_88) - np.sin(MU_88) / MU_88)
# integral of cos(mu_i s) cos(mu_j s) over 0 <= s <= 1; np.sinc(t) is sin(pi t)/(pi t)
COSINES_88 = 0.5 * (np.sinc(np.add.outer(MU_88, MU_88) / np.pi) + np.sinc(np.subtract.outer(MU_88, MU_88) / np.pi))
R_88 = np.outer(A_88 * MU_88**2, A_88 * MU_88**2) * COSINES_88


def heat_conduction(x: Array) -> Any:
    """Bang-bang heating of a rod: |x|^2 is the time it takes, the row bounds the final error.

    rho_j(x) = -(exp(-mu_j^2 p_1) - 2 exp(-mu_j^2 p_2) + 2 exp(-mu_j^2 p_3) - ... + (-1)^n)/mu_j^2,
    p_i = x_i^2 + ... + x_n^2
    """
    n = x.shape[0]
    signs = np.array([1.0, *(2.0 * (-1.0) ** i for i in range(1, n))])
    p = np.stack([x[i:] @ x[i:] for i in range(n)])
    rho = -(np.exp(-np.outer(MU_88**2, p)) @ signs + (-1) ** n) / MU_88**2
    error = 2 / 15 + S_88 @ rho + rho @ R_88 @ rho
    return x @ x, (1e-4 - error,)


@example(88, x0=(0.5, -0.5), best=1.3626568148899, inequalities=1)
def hs88(x: Array) -> Any:
    return heat_conduction(x)


@example(89, x0=(0.5, -0.5, 0.5), best=1.3626568148899, inequalities=1)
def hs89(x: Array) -> Any:
    return heat_conduction(x)


@example(90, x0=(0.5, -0.5, 0.5, -0.5), best=1.3626568148899, inequalities=1)
def hs90(x: Array) -> Any:
    return heat_conduction(x)


@example(91, x0=(0.5, -0.5, 0.5, -0.5, 0.5), best=1.3626568148899, inequalities=1)
def hs91(x: Array) -> Any:
    return heat_conduction(x)


@example(92, x0=(0.5, -0.5, 0.5, -0.5, 0.5, -0.5), best=1.3626568148899, inequalities=1)
def hs92(x: Array) -> Any:
    return heat_conduction(x)


@example(93, x0=(5.54, 4.4, 12.02, 11.82, 0.702, 0.852), best=135.075962829152, lower=0, inequalities=2)
def hs93(x: Array) -> Any:
    """Transformer design."""
    x1, x2, x3, x4, x5, x6 = x
    core, coil = x1 * x4 * (x1 + x2 + x3), x2 * x3 * (x1 + 1.57 * x2 + x4)
    f = 0.0204 * core + 0.0187 * coil + 0.0607 * core * x5**2 + 0.0437 * coil * x6**2
    c = 1e-3 * x1 * x2 * x3 * x4 * x5 * x6 - 2.07, 1 - 6.2e-4 * core * x5**2 - 5.8e-4 * coil * x6**2
    return f, c


UPPER_95 = (0.31, 0.046, 0.068, 0.042, 0.028, 0.0134)


def process(x: Array, b: tuple[float, float, float, float]) -> Any:
    """A linear cost and four bilinear rows that differ in their right sides b only."""
    x1, x2, x3, x4, x5, x6 = x
    f = 4.3 * x1 + 31.8 * x2 + 63.3 * x3 + 15.8 * x4 + 68.5 * x5 + 4.7 * x6
    c1 = 17.1 * x1 + 38.2 * x2 + 204.2 * x3 + 212.3 * x4 + 623.4 * x5 + 1495.5 * x6
    c1 = c1 - 169 * x1 * x3 - 3580 * x3 * x5 - 3810 * x4 * x5 - 18500 * x4 * x6 - 24300 * x5 * x6
    c2 = 17.9 * x1 + 36.8 * x2 + 113.9 * x3 + 169.7 * x4 + 337.8 * x5 + 1385.2 * x6
    c2 = c2 - 139 * x1 * x3 - 2450 * x4 * x5 - 16600 * x4 * x6 - 17200 * x5 * x6
    c3 = -273 * x2 - 70 * x4 - 819 * x5 + 26000 * x4 * x5
    c4 = 159.9 * x1 - 311 * x2 + 587 * x4 + 391 * x5 + 2198 * x6 - 14000 * x1 * x6
    return f, (c1 - b[0], c2 - b[1], c3 - b[2], c4 - b[3])


@example(95, x0=(0,) * 6, best=0.0156195252423939, lower=0, upper=UPPER_95, inequalities=4)
def hs95(x: Array) -> Any:
    return process(x, b=(4.97, -1.88, -29.08, -78.02))


@example(96, x0=(0,) * 6, best=0.0156195252423939, lower=0, upper=UPPER_95, inequalities=4)
def hs96(x: Array) -> Any:
    return process(x, b=(4.97, -1.88, -69.08, -118.02))


@example(
    97,
    x0=(0,) * 6,
    best=3.13580912280702,
    lower=0,
    upper=UPPER_95,
    inequalities=4,
    note="another local minimum: 4.07124",
)
def hs97(x: Array) -> Any:
    return process(x, b=(32.97, 25.12, -29.08, -78.02))


@example(98, x0=(0,) * 6, best=3.13580912280702, lower=0, upper=UPPER_95, inequalities=4)
def hs98(x: Array) -> Any:
    return process(x, b=(32.97, 25.12, -124.08, -173.02))


THRUST_99 = np.array([50.0, 50, 75, 75, 75, 100, 100])
STEP_99 = np.array([25.0, 25, 50, 50, 50, 90, 90])
GRAVITY_99 = 32.0


@example(99, x0=(0.5,) * 7, best=-831079891.510108, lower=0, upper=1.58, equalities=2)
def hs99(x: Array) -> Any:
    """Ascent of a rocket: the farthest range for a given final height and climbing speed."""
    climb = THRUST_99 * np.sin(x) - GRAVITY_99
    speed = np.cumsum(climb * STEP_99)
    speed_before = speed - climb * STEP_99
    height = np.sum(0.5 * climb * STEP_99**2 + speed_before * STEP_99)
    reach = np.sum(THRUST_99 * STEP_99 * np.cos(x))
    return -(reach**2), (height - 1e5, speed[-1] - 1e3)


@example(100, x0=(1, 2, 0, 4, 0, 1, 1), best=680.630057374402, inequalities=4)
def hs100(x: Array) -> Any:
    x1, x2, x3, x4, x5, x6, x7 = x
    f = (
        (x1 - 10) ** 2
        + 5 * (x2 - 12) ** 2
        + x3**4
        + 3 * (x4 - 11) ** 2
        + 10 * x5**6
        + 7 * x6**2
        + x7**4
        - 4 * x6 * x7
        - 10 * x6
        - 8 * x7
    )
    c = (
        127 - 2 * x1**2 - 3 * x2**4 - x3 - 4 * x4**2 - 5 * x5,
        282 - 7 * x1 - 3 * x2 - 10 * x3**2 - x4 + x5,
        196 - 23 * x1 - x2**2 - 6 * x6**2 + 8 * x7,
        3 * x1 * x2 - 4 * x1**2 - x2**2 - 2 * x3**2 - 5 * x6 + 11 * x7,
    )
    return f, c
