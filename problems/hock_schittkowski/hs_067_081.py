"""Problems 67 to 81 of Hock and Schittkowski."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from scipy.special import ndtr

from problems.collection import Array
from problems.hock_schittkowski.registry import example


@example(
    67,
    x0=(1745, 12000, 110),
    best=-1162.02698005969,
    lower=1e-5,
    upper=(2000, 16000, 120),
    between=((0, 0, 85, 90, 3, 0.01, 145), (5000, 2000, 93, 95, 12, 4, 162)),
    note="the book's two inner iterations (stopped at 1e-3) are replaced by the roots they converge to",
)
def hs67(x: Array) -> Any:
    """Colville's problem 8, an alkylation process; HS114 is the same with the y as variables.

    y6 solves   y6 = (x2 + y3)/x1,  y3 = 1.22 y2 - x1,  y2 = 0.01 x1 (112 + 13.167 y6 - 0.6667 y6^2)
    y4 solves   y4 = 98000 x3/(y2 y7 + 1000 x3),  with y7 linear in y4
    Both are quadratic equations; these are the roots that the iterations converge to.
    """
    x1, x2, x3 = x
    # a y6^2 + b y6 = d, the larger root
    a, b = 1.22 * 0.006667, 1 - 1.22 * 0.13167
    d = x2 / x1 - 1 + 1.22 * 1.12
    y6 = (-b + np.sqrt(b**2 + 4 * a * d)) / (2 * a)
    y2 = 0.01 * x1 * (112 + 13.167 * y6 - 0.6667 * y6**2)
    y3 = 1.22 * y2 - x1
    # y5 = octane + 0.325 y4,  y7 = offset - slope y4
    # slope y2 y4^2 - p y4 + 98000 x3 = 0,  p = offset y2 + 1000 x3, the smaller root
    octane = 86.35 + 1.098 * y6 - 0.038 * y6**2 - 0.325 * 89
    slope = 0.222 * 3 * 0.325
    offset = 35.82 - 0.222 * (3 * octane - 133)
    p = offset * y2 + 1000 * x3
    y4 = 2 * 98000 * x3 / (p + np.sqrt(p**2 - 4 * slope * y2 * 98000 * x3))
    y5 = octane + 0.325 * y4
    y8 = 3 * y5 - 133
    y7 = 35.82 - 0.222 * y8
    f = 5.04 * x1 + 0.035 * x2 + 10 * x3 + 3.36 * y3 - 0.063 * y2 * y5
    return f, (y2, y3, y4, y5, y6, y7, y8)


def control_chart(x: Array, a: float, b: float, d: float, n: int) -> Any:
    """Cost of a control chart in quality control: x3 and x4 are tail probabilities of a normal law."""
    x1, x2, x3, x4 = x
    growth = np.exp(x1) - 1
    f = (a * n - (b * growth - x3) * x4 / (growth + x4)) / x1
    return f, (x3 - 2 * ndtr(-x2), x4 - ndtr(-x2 + d * sqrt(n)) - ndtr(-x2 - d * sqrt(n)))


@example(68, x0=(1, 1, 1, 1), best=-0.920425003639751, lower=(1e-4, 0, 0, 0), upper=(100, 100, 2, 2), equalities=2)
def hs68(x: Array) -> Any:
    return control_chart(x, a=1e-4, b=1, d=1, n=24)


@example(69, x0=(1, 1, 1, 1), best=-956.712886650031, lower=(1e-4, 0, 0, 0), upper=(100, 100, 2, 2), equalities=2)
def hs69(x: Array) -> Any:
    return control_chart(x, a=0.1, b=1000, d=1, n=4)


TIMES_70 = np.array([0.1, *range(1, 19)])
OBSERVED_70 = np.array(
    [
        *(0.00189, 0.1038, 0.268, 0.506, 0.577, 0.604, 0.725, 0.898, 0.947, 0.845),
        *(0.702, 0.528, 0.385, 0.257, 0.159, 0.0869, 0.0453, 0.01509, 0.00189),
    ]
)
MEAN_TIME_70 = 7.658
TWO_PI_70 = 6.2832


@example(
    70,
    x0=(2, 4, 0.04, 2),
    best=0.00749846357442766,
    lower=1e-5,
    upper=(100, 100, 1, 100),
    inequalities=1,
)
def hs70(x: Array) -> Any:
    """Fit of a mixture of two gamma densities (Stirling's formula for the factorial) to a tracer curve."""
    x1, x2, x3, x4 = x
    b = x3 + (1 - x3) * x4
    t = TIMES_70 / MEAN_TIME_70

    def density(shape: Any, rate: Any) -> Any:
        stirling = np.sqrt(shape / TWO_PI_70) / (1 + 1 / (12 * shape))
        return stirling * rate**shape * t ** (shape - 1) * np.exp(shape * (1 - rate * t))

    residuals = x3 * density(x2, b) + (1 - x3) * density(x1, b / x4) - OBSERVED_70
    return np.sum(residuals**2), (b,)


@example(71, x0=(1, 5, 5, 1), best=17.0140172891563, lower=1, upper=5, inequalities=1, equalities=1)
def hs71(x: Array) -> Any:
    x1, x2, x3, x4 = x
    f = x1 * x4 * (x1 + x2 + x3) + x3
    return f, (x1 * x2 * x3 * x4 - 25, x1**2 + x2**2 + x3**2 + x4**2 - 40)


@example(72, x0=(1, 1, 1, 1), best=727.679357789613, lower=1e-3, upper=(4e5, 3e5, 2e5, 1e5), inequalities=2)
def hs72(x: Array) -> Any:
    """Smallest stratified sample with two bounds on variances."""
    x1, x2, x3, x4 = x
    c = (
        0.0401 - 4 / x1 - 2.25 / x2 - 1 / x3 - 0.25 / x4,
        0.010085 - 0.16 / x1 - 0.36 / x2 - 0.64 / x3 - 0.64 / x4,
    )
    return 1 + x1 + x2 + x3 + x4, c


@example(73, x0=(1, 1, 1, 1), best=29.8943781591434, lower=0, inequalities=2, equalities=1)
def hs73(x: Array) -> Any:
    """Cattle feed: the cheapest mixture with enough protein in 95 of 100 cases."""
    x1, x2, x3, x4 = x
    deviation = np.sqrt(0.28 * x1**2 + 0.19 * x2**2 + 20.5 * x3**2 + 0.62 * x4**2)
    c = (
        2.3 * x1 + 5.6 * x2 + 11.1 * x3 + 1.3 * x4 - 5,
        12 * x1 + 11.9 * x2 + 41.8 * x3 + 52.1 * x4 - 21 - 1.645 * deviation,
        x1 + x2 + x3 + x4 - 1,
    )
    return 24.55 * x1 + 26.75 * x2 + 39 * x3 + 40.5 * x4, c


def power_network(x: Array) -> Any:
    """Two generators and three nodes; the first row is the angle between the last two."""
    x1, x2, x3, x4 = x
    f = 3 * x1 + 1e-6 * x1**3 + 2 * x2 + 2e-6 / 3 * x2**3
    c = (
        x4 - x3,
        1000 * (np.sin(-x3 - 0.25) + np.sin(-x4 - 0.25)) + 894.8 - x1,
        1000 * (np.sin(x3 - 0.25) + np.sin(x3 - x4 - 0.25)) + 894.8 - x2,
        1000 * (np.sin(x4 - 0.25) + np.sin(x4 - x3 - 0.25)) + 1294.8,
    )
    return f, c


@example(
    74,
    x0=(0, 0, 0, 0),
    best=5126.49810959527,
    lower=(0, 0, -0.55, -0.55),
    upper=(1200, 1200, 0.55, 0.55),
    between=((-0.55, 0, 0, 0), (0.55, 0, 0, 0)),
)
def hs74(x: Array) -> Any:
    return power_network(x)


@example(
    75,
    x0=(0, 0, 0, 0),
    best=5174.41269537774,
    lower=(0, 0, -0.48, -0.48),
    upper=(1200, 1200, 0.48, 0.48),
    between=((-0.48, 0, 0, 0), (0.48, 0, 0, 0)),
)
def hs75(x: Array) -> Any:
    return power_network(x)


@example(76, x0=(0.5, 0.5, 0.5, 0.5), best=-103 / 22, lower=0, inequalities=3)
def hs76(x: Array) -> Any:
    x1, x2, x3, x4 = x
    f = x1**2 + 0.5 * x2**2 + x3**2 + 0.5 * x4**2 - x1 * x3 + x3 * x4 - x1 - 3 * x2 + x3 - x4
    return f, (5 - x1 - 2 * x2 - x3 - x4, 4 - 3 * x1 - x2 - 2 * x3 + x4, x2 + 4 * x3 - 1.5)


@example(77, x0=(2, 2, 2, 2, 2), best=0.241505128790179, equalities=2)
def hs77(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - 1) ** 2 + (x1 - x2) ** 2 + (x3 - 1) ** 2 + (x4 - 1) ** 4 + (x5 - 1) ** 6
    return f, (x1**2 * x4 + np.sin(x4 - x5) - 2 * sqrt(2), x2 + x3**4 * x4**2 - 8 - sqrt(2))


@example(78, x0=(-2, 1.5, 2, -1, -1), best=-2.91970040896368, equalities=3)
def hs78(x: Array) -> Any:
    """Powell's problem."""
    x1, x2, x3, x4, x5 = x
    f = x1 * x2 * x3 * x4 * x5
    return f, (x @ x - 10, x2 * x3 - 5 * x4 * x5, x1**3 + x2**3 + 1)


@example(79, x0=(2, 2, 2, 2, 2), best=0.0787768208710569, equalities=3)
def hs79(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - 1) ** 2 + (x1 - x2) ** 2 + (x2 - x3) ** 2 + (x3 - x4) ** 4 + (x4 - x5) ** 4
    c = x1 + x2**2 + x3**3 - 2 - 3 * sqrt(2), x2 - x3**2 + x4 + 2 - 2 * sqrt(2), x1 * x5 - 2
    return f, c


BOX_80 = np.array([2.3, 2.3, 3.2, 3.2, 3.2])


@example(80, x0=(-2, 2, 2, -1, -1), best=0.053949847770272, lower=-BOX_80, upper=BOX_80, equalities=3)
def hs80(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = np.exp(x1 * x2 * x3 * x4 * x5)
    return f, (x @ x - 10, x2 * x3 - 5 * x4 * x5, x1**3 + x2**3 + 1)


@example(81, x0=(-2, 2, 2, -1, -1), best=0.053949847770272, lower=-BOX_80, upper=BOX_80, equalities=3)
def hs81(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = np.exp(x1 * x2 * x3 * x4 * x5) - 0.5 * (x1**3 + x2**3 + 1) ** 2
    return f, (x @ x - 10, x2 * x3 - 5 * x4 * x5, x1**3 + x2**3 + 1)
