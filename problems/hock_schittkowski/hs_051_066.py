"""Problems 51 to 66 of Hock and Schittkowski."""

from __future__ import annotations

from math import exp, sqrt
from typing import Any

import numpy as np

from problems.collection import Array
from problems.hock_schittkowski.hs_001_025 import rosenbrock
from problems.hock_schittkowski.registry import example, inf


@example(51, x0=(2.5, 0.5, 2, -1, 0.5), best=0, equalities=3)
def hs51(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - x2) ** 2 + (x2 + x3 - 2) ** 2 + (x4 - 1) ** 2 + (x5 - 1) ** 2
    return f, (x1 + 3 * x2 - 4, x3 + x4 - 2 * x5, x2 - x5)


@example(52, x0=(2, 2, 2, 2, 2), best=1859 / 349, equalities=3)
def hs52(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (4 * x1 - x2) ** 2 + (x2 + x3 - 2) ** 2 + (x4 - 1) ** 2 + (x5 - 1) ** 2
    return f, (x1 + 3 * x2, x3 + x4 - 2 * x5, x2 - x5)


@example(53, x0=(2, 2, 2, 2, 2), best=176 / 43, lower=-10, upper=10, equalities=3)
def hs53(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - x2) ** 2 + (x2 + x3 - 2) ** 2 + (x4 - 1) ** 2 + (x5 - 1) ** 2
    return f, (x1 + 3 * x2, x3 + x4 - 2 * x5, x2 - x5)


@example(
    54,
    x0=(6e3, 1.5, 4e6, 2, 3e-3, 5e7),
    best=-exp(-27 / 280),
    lower=(0, -10, 0, 0, -1, 0),
    upper=(2e4, 10, 1e7, 20, 1, 2e8),
    equalities=1,
)
def hs54(x: Array) -> Any:
    """The density of a normal distribution with correlated x1 and x2."""
    x1, x2, x3, x4, x5, x6 = x
    u1, u2 = (x1 - 1e4) / 8e3, x2 - 1
    h = (
        (u1**2 + 2 * 0.2 * u1 * u2 + u2**2) / (1 - 0.2**2)
        + ((x3 - 2e6) / 7e6) ** 2
        + ((x4 - 10) / 50) ** 2
        + ((x5 - 1e-3) / 0.05) ** 2
        + ((x6 - 1e8) / 5e8) ** 2
    )
    return -np.exp(-h / 2), (x1 + 4e3 * x2 - 1.76e4,)


@example(
    55,
    x0=(1, 2, 0, 0, 0, 2),
    best=19 / 3,
    lower=0,
    upper=(1, inf, inf, 1, inf, inf),
    equalities=6,
    note="another local minimum, near the start and given by CUTEst: 20/3",
)
def hs55(x: Array) -> Any:
    x1, x2, x3, x4, x5, x6 = x
    f = x1 + 2 * x2 + 4 * x5 + np.exp(x1 * x4)
    c = (
        x1 + 2 * x2 + 5 * x5 - 6,
        x1 + x2 + x3 - 3,
        x4 + x5 + x6 - 2,
        x1 + x4 - 1,
        x2 + x5 - 2,
        x3 + x6 - 2,
    )
    return f, c


@example(
    56,
    x0=(1, 1, 1, 0.50973968, 0.50973968, 0.50973968, 0.98511078),
    best=-3.456,
    equalities=4,
    note="start rounded as in CUTEst: asin sqrt(1/4.2) and asin sqrt(5/7.2) to eight digits",
)
def hs56(x: Array) -> Any:
    x1, x2, x3, x4, x5, x6, x7 = x
    c = (
        x1 - 4.2 * np.sin(x4) ** 2,
        x2 - 4.2 * np.sin(x5) ** 2,
        x3 - 4.2 * np.sin(x6) ** 2,
        x1 + 2 * x2 + 2 * x3 - 7.2 * np.sin(x7) ** 2,
    )
    return -x1 * x2 * x3, c


AGES_57 = np.repeat(np.arange(8.0, 43.0, 2.0), (2, 4, 4, 3, 3, 2, 3, 3, 3, 3, 2, 3, 2, 1, 2, 2, 1, 1))
CHLORINE_57 = np.array(
    [
        *(0.49, 0.49, 0.48, 0.47, 0.48, 0.47, 0.46, 0.46, 0.45, 0.43, 0.45, 0.43, 0.43, 0.44, 0.43),
        *(0.43, 0.46, 0.45, 0.42, 0.42, 0.43, 0.41, 0.41, 0.40, 0.42, 0.40, 0.40, 0.41, 0.40, 0.41),
        *(0.41, 0.40, 0.40, 0.40, 0.38, 0.41, 0.40, 0.40, 0.41, 0.38, 0.40, 0.40, 0.39, 0.39),
    ]
)


@example(57, x0=(0.42, 5), best=0.0284596697229867, lower=(0.4, -4), inequalities=1)
def hs57(x: Array) -> Any:
    """Fit of the chlorine that a product still holds to its age in weeks."""
    x1, x2 = x
    residuals = CHLORINE_57 - x1 - (0.49 - x1) * np.exp(-x2 * (AGES_57 - 8))
    return np.sum(residuals**2), (0.49 * x2 - x1 * x2 - 0.09,)


@example(
    58,
    x0=(-2, 1),
    best=(1 + sqrt((sqrt(5) - 1) / 2)) ** 2,
    lower=(-2, -inf),
    upper=(0.5, inf),
    inequalities=3,
    note="not in CUTEst; the book lists 3.19033354957",
)
def hs58(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2), (x2**2 - x1, x1**2 - x2, x1**2 + x2**2 - 1)


@example(
    59,
    x0=(90, 10),
    best=-7.80278947153837,
    lower=0,
    upper=(75, 65),
    inequalities=3,
    note="another local minimum, reached from the start: -6.7495052737",
)
def hs59(x: Array) -> Any:
    x1, x2 = x
    f = (
        -75.196
        + 3.8112 * x1
        - 0.12694 * x1**2
        + 2.0567e-3 * x1**3
        - 1.0345e-5 * x1**4
        + 6.8306 * x2
        - 0.25645 * x2**2
        + 3.4604e-3 * x2**3
        - 1.3514e-5 * x2**4
        + 28.106 / (x2 + 1)
        + 2.8673 * np.exp(5e-4 * x1 * x2)
        - 3.0234e-2 * x1 * x2
        + 1.28134e-3 * x1**2 * x2
        - 3.5256e-5 * x1**3 * x2
        + 2.266e-7 * x1**4 * x2
        - 3.405e-4 * x1 * x2**2
        + 5.2375e-6 * x1**2 * x2**2
        + 6.3e-8 * x1**3 * x2**2
        + 1.6638e-6 * x1 * x2**3
        - 7e-10 * x1**3 * x2**3
    )
    return f, (x1 * x2 - 700, x2 - 8e-3 * x1**2, (x2 - 50) ** 2 - 5 * (x1 - 55))


@example(60, x0=(2, 2, 2), best=0.0325682002550698, lower=-10, upper=10, equalities=1)
def hs60(x: Array) -> Any:
    x1, x2, x3 = x
    f = (x1 - 1) ** 2 + (x1 - x2) ** 2 + (x2 - x3) ** 4
    return f, (x1 * (1 + x2**2) + x3**4 - 4 - 3 * sqrt(2),)


@example(61, x0=(0, 0, 0), best=-143.64614219778, equalities=2)
def hs61(x: Array) -> Any:
    x1, x2, x3 = x
    f = 4 * x1**2 + 2 * x2**2 + 2 * x3**2 - 33 * x1 + 16 * x2 - 24 * x3
    return f, (3 * x1 - 2 * x2**2 - 7, 4 * x1 - x3**2 - 11)


@example(62, x0=(0.7, 0.2, 0.1), best=-26272.5144873183, lower=0, upper=1, equalities=1)
def hs62(x: Array) -> Any:
    x1, x2, x3 = x
    f = -32.174 * (
        255 * np.log((x1 + x2 + x3 + 0.03) / (0.09 * x1 + x2 + x3 + 0.03))
        + 280 * np.log((x2 + x3 + 0.03) / (0.07 * x2 + x3 + 0.03))
        + 290 * np.log((x3 + 0.03) / (0.13 * x3 + 0.03))
    )
    return f, (x1 + x2 + x3 - 1,)


@example(63, x0=(2, 2, 2), best=961.715172130052, lower=0, equalities=2)
def hs63(x: Array) -> Any:
    x1, x2, x3 = x
    f = 1000 - x1**2 - 2 * x2**2 - x3**2 - x1 * x2 - x1 * x3
    return f, (8 * x1 + 14 * x2 + 7 * x3 - 56, x1**2 + x2**2 + x3**2 - 25)


@example(64, x0=(1, 1, 1), best=6299.84242792152, lower=1e-5, inequalities=1)
def hs64(x: Array) -> Any:
    x1, x2, x3 = x
    f = 5 * x1 + 5e4 / x1 + 20 * x2 + 7.2e4 / x2 + 10 * x3 + 1.44e5 / x3
    return f, (1 - 4 / x1 - 32 / x2 - 120 / x3,)


@example(65, x0=(-5, 5, 0), best=0.953528856804783, lower=(-4.5, -4.5, -5), upper=(4.5, 4.5, 5), inequalities=1)
def hs65(x: Array) -> Any:
    x1, x2, x3 = x
    f = (x1 - x2) ** 2 + (x1 + x2 - 10) ** 2 / 9 + (x3 - 5) ** 2
    return f, (48 - x1**2 - x2**2 - x3**2,)


@example(66, x0=(0, 1.05, 2.9), best=0.518163274181541, lower=0, upper=(100, 100, 10), inequalities=2)
def hs66(x: Array) -> Any:
    x1, x2, x3 = x
    return 0.2 * x3 - 0.8 * x1, (x2 - np.exp(x1), x3 - np.exp(x2))
