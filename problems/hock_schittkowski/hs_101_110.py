"""Problems 101 to 110 of Hock and Schittkowski."""

from __future__ import annotations

from math import cos, pi, sin, sqrt
from typing import Any

import numpy as np

from problems.collection import Array
from problems.hock_schittkowski.registry import example, inf

LOWER_101 = (*(0.1,) * 6, 0.01)
NOTE_101 = "as in CUTEst without the book's inactive bound f >= 100; thirds are exact, CUTEst rounds them"


def posynomials(x: Array, a: float) -> Any:
    """A geometric program whose cost, also bounded by 3000, has the power a of x7 in its first term."""
    x1, x2, x3, x4, x5, x6, x7 = x
    f = (
        10 * x1 / x2 * x4**2 / x6**3 * x7**a
        + 15 / x1 / x2**2 * x3 * x4 / x5 / x7**0.5
        + 20 / x1**2 * x2 / x4 / x5**2 * x6
        + 25 * x1**2 * x2**2 / x3 * x5**0.5 / x6**2 * x7
    )
    c1 = (
        0.5 * x1**0.5 / x3 / x6**2 * x7
        + 0.7 * x1**3 * x2 / x3**2 * x6 * x7**0.5
        + 0.2 / x2 * x3 / x4**0.5 * x6 ** (2 / 3) * x7**0.25
    )
    c2 = (
        1.3 / x1**0.5 * x2 / x3 / x5 * x6 + 0.8 * x3 / x4 / x5 * x6**2 + 3.1 / x1 * x2**0.5 / x4**2 / x5 * x6 ** (1 / 3)
    )
    c3 = (
        2 * x1 / x3**1.5 * x5 / x6 * x7 ** (1 / 3)
        + 0.1 * x2 / x3**0.5 * x5 / x6 / x7**0.5
        + 1 / x1 * x2 * x3**0.5 * x5
        + 0.65 / x2**2 * x3 * x5 / x6 * x7
    )
    c4 = (
        0.2 / x1**2 * x2 / x4 * x5**0.5 * x7 ** (1 / 3)
        + 0.3 * x1**0.5 * x2**2 * x3 * x4 ** (1 / 3) / x5 ** (2 / 3) * x7**0.25
        + 0.4 / x1**3 / x2**2 * x3 * x5 * x7**0.75
        + 0.5 / x3**2 * x4 * x7**0.5
    )
    return f, (1 - c1, 1 - c2, 1 - c3, 1 - c4, 3000 - f)


@example(101, x0=(6,) * 7, best=1809.76476557141, lower=LOWER_101, upper=10, inequalities=5, note=NOTE_101)
def hs101(x: Array) -> Any:
    return posynomials(x, a=-0.25)


@example(102, x0=(6,) * 7, best=911.880571430108, lower=LOWER_101, upper=10, inequalities=5, note=NOTE_101)
def hs102(x: Array) -> Any:
    return posynomials(x, a=0.125)


@example(103, x0=(6,) * 7, best=543.667958466281, lower=LOWER_101, upper=10, inequalities=5, note=NOTE_101)
def hs103(x: Array) -> Any:
    return posynomials(x, a=0.5)


@example(
    104,
    x0=(6, 3, 0.4, 0.2, 6, 6, 1, 0.5),
    best=3.95116344010336,
    lower=0.1,
    upper=10,
    between=((0, 0, 0, 0, 1), (inf, inf, inf, inf, 4.2)),
)
def hs104(x: Array) -> Any:
    """Reactor design."""
    x1, x2, x3, x4, x5, x6, x7, x8 = x
    f = 0.4 * (x1 / x7) ** 0.67 + 0.4 * (x2 / x8) ** 0.67 + 10 - x1 - x2
    c = (
        1 - 0.0588 * x5 * x7 - 0.1 * x1,
        1 - 0.0588 * x6 * x8 - 0.1 * x1 - 0.1 * x2,
        1 - 4 * x3 / x5 - 2 / (x3**0.71 * x5) - 0.0588 * x7 / x3**1.3,
        1 - 4 * x4 / x6 - 2 / (x4**0.71 * x6) - 0.0588 * x8 / x4**1.3,
        f,
    )
    return f, c


VALUES_105 = np.array([*range(95, 96), *range(105, 225, 5), *range(230, 255, 5)], dtype=float)
COUNTS_105 = np.array(
    [
        *(1, 1, 4, 4, 15, 15, 15, 13, 21, 12, 17, 4, 20, 8, 17),
        *(8, 6, 6, 7, 4, 3, 3, 8, 1, 6, 5, 1, 7, 1, 2),
    ]
)


@example(
    105,
    x0=(0.1, 0.2, 100, 125, 175, 11.2, 13.2, 15.8),
    best=1136.30730357407,
    lower=(1e-3, 1e-3, 100, 130, 170, 5, 5, 5),
    upper=(0.499, 0.499, 180, 210, 240, 25, 25, 25),
    inequalities=1,
    note="better than the 1138.416240 that the book and CUTEst list",
)
def hs105(x: Array) -> Any:
    """Maximum likelihood for a mixture of three normal distributions, from 235 observations."""
    weights = np.stack([x[0], x[1], 1 - x[0] - x[1]])
    means, deviations = x[2:5], x[5:8]
    u = (VALUES_105[:, np.newaxis] - means) / deviations
    density = np.exp(-(u**2) / 2) @ (weights / deviations) / sqrt(2 * pi)
    return -(COUNTS_105 @ np.log(density)), (weights[2],)


@example(
    106,
    x0=(5000, 5000, 5000, 200, 350, 150, 225, 425),
    best=7049.24802052866,
    lower=(100, 1000, 1000, 10, 10, 10, 10, 10),
    upper=(10000, 10000, 10000, 1000, 1000, 1000, 1000, 1000),
    inequalities=6,
    note="better than the 7049.330923 that the book and CUTEst list",
)
def hs106(x: Array) -> Any:
    """Heat exchanger design."""
    x1, x2, x3, x4, x5, x6, x7, x8 = x
    c = (
        1 - 0.0025 * (x4 + x6),
        1 - 0.0025 * (x5 + x7 - x4),
        1 - 0.01 * (x8 - x5),
        x1 * x6 - 833.33252 * x4 - 100 * x1 + 83333.333,
        x2 * x7 - 1250 * x5 - x2 * x4 + 1250 * x4,
        x3 * x8 - 1250000 - x3 * x5 + 2500 * x5,
    )
    return x1 + x2 + x3, c


@example(
    107,
    x0=(0.8, 0.8, 0.2, 0.2, 1.0454, 1.0454, 1.0454, 0, 0),
    best=5055.01180354382,
    lower=(0, 0, -inf, -inf, 0.90909, 0.90909, 0.90909, -inf, -inf),
    upper=(inf, inf, inf, inf, 1.0909, 1.0909, 1.0909, inf, inf),
    equalities=6,
)
def hs107(x: Array) -> Any:
    """Static power scheduling."""
    x1, x2, x3, x4, x5, x6, x7, x8, x9 = x
    c, d = 48.4 / 50.176 * sin(0.25), 48.4 / 50.176 * cos(0.25)
    y1, y2, y3, y4 = np.sin(x8), np.cos(x8), np.sin(x9), np.cos(x9)
    y5, y6 = np.sin(x8 - x9), np.cos(x8 - x9)
    rows = (
        0.4 - x1 + 2 * c * x5**2 - x5 * x6 * (d * y1 + c * y2) - x5 * x7 * (d * y3 + c * y4),
        0.4 - x2 + 2 * c * x6**2 + x5 * x6 * (d * y1 - c * y2) + x6 * x7 * (d * y5 - c * y6),
        0.8 + 2 * c * x7**2 + x5 * x7 * (d * y3 - c * y4) - x6 * x7 * (d * y5 + c * y6),
        0.2 - x3 + 2 * d * x5**2 + x5 * x6 * (c * y1 - d * y2) + x5 * x7 * (c * y3 - d * y4),
        0.2 - x4 + 2 * d * x6**2 - x5 * x6 * (c * y1 + d * y2) - x6 * x7 * (c * y5 + d * y6),
        2 * d * x7**2 - 0.337 - x5 * x7 * (c * y3 + d * y4) + x6 * x7 * (c * y5 - d * y6),
    )
    return 3000 * x1 + 1000 * x1**3 + 2000 * x2 + 666.667 * x2**3, rows


@example(
    108,
    x0=(1,) * 9,
    best=-sqrt(3) / 2,
    lower=(*(-inf,) * 8, 0),
    inequalities=13,
    note="another local minimum: -0.67498",
)
def hs108(x: Array) -> Any:
    """The largest hexagon whose diameter is at most one."""
    x1, x2, x3, x4, x5, x6, x7, x8, x9 = x
    f = -0.5 * (x1 * x4 - x2 * x3 + x3 * x9 - x5 * x9 + x5 * x8 - x6 * x7)
    c = (
        1 - x3**2 - x4**2,
        1 - x5**2 - x6**2,
        1 - x9**2,
        1 - x1**2 - (x2 - x9) ** 2,
        1 - (x1 - x5) ** 2 - (x2 - x6) ** 2,
        1 - (x1 - x7) ** 2 - (x2 - x8) ** 2,
        1 - (x3 - x5) ** 2 - (x4 - x6) ** 2,
        1 - (x3 - x7) ** 2 - (x4 - x8) ** 2,
        1 - x7**2 - (x8 - x9) ** 2,
        x3 * x9,
        x5 * x8 - x6 * x7,
        x1 * x4 - x2 * x3,
        -x5 * x9,
    )
    return f, c


@example(
    109,
    x0=(0,) * 9,
    best=5362.0691811096,
    lower=(0, 0, -0.55, -0.55, 196, 196, 196, -400, -400),
    upper=(inf, inf, 0.55, 0.55, 252, 252, 252, 800, 800),
    between=((-0.55, *(0,) * 8), (0.55, inf, inf, *(0,) * 6)),
)
def hs109(x: Array) -> Any:
    """Power network with two generators, three nodes, active and reactive power."""
    x1, x2, x3, x4, x5, x6, x7, x8, x9 = x
    a, b, c = 50.176, sin(0.25), cos(0.25)
    shunt = c - 0.7533e-3 * a / 2
    f = 3 * x1 + 1e-6 * x1**3 + 2 * x2 + 0.522074e-6 * x2**3
    rows = (
        x4 - x3,
        2250000 - x1**2 - x8**2,
        2250000 - x2**2 - x9**2,
        x5 * (x6 * np.sin(-x3 - 0.25) + x7 * np.sin(-x4 - 0.25) + 2 * b * x5) - a * x1 + 400 * a,
        x6 * (x5 * np.sin(x3 - 0.25) + x7 * np.sin(x3 - x4 - 0.25) + 2 * b * x6) - a * x2 + 400 * a,
        x7 * (x5 * np.sin(x4 - 0.25) + x6 * np.sin(x4 - x3 - 0.25) + 2 * b * x7) + 881.779 * a,
        x5 * (x6 * np.cos(-x3 - 0.25) + x7 * np.cos(-x4 - 0.25) - 2 * shunt * x5) + a * x8 - 200 * a,
        x6 * (x5 * np.cos(x3 - 0.25) + x7 * np.cos(x3 - x4 - 0.25) - 2 * shunt * x6) + a * x9 - 200 * a,
        x7 * (x5 * np.cos(x4 - 0.25) + x6 * np.cos(x4 - x3 - 0.25) - 2 * shunt * x7) - 22.938 * a,
    )
    return f, rows


@example(110, x0=(9,) * 10, best=-45.7784697074463, lower=2.001, upper=9.999)
def hs110(x: Array) -> Any:
    return np.sum(np.log(x - 2) ** 2 + np.log(10 - x) ** 2) - np.prod(x) ** 0.2
