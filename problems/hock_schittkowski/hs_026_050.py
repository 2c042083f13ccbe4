"""Problems 26 to 50 of Hock and Schittkowski."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import numpy as np

from problems.collection import Array
from problems.hock_schittkowski.registry import example, inf


@example(26, x0=(-2.6, 2, 2), best=0, equalities=1)
def hs26(x: Array) -> Any:
    x1, x2, x3 = x
    return (x1 - x2) ** 2 + (x2 - x3) ** 4, ((1 + x2**2) * x1 + x3**4 - 3,)


@example(27, x0=(2, 2, 2), best=0.04, equalities=1)
def hs27(x: Array) -> Any:
    x1, x2, x3 = x
    return 0.01 * (x1 - 1) ** 2 + (x2 - x1**2) ** 2, (x1 + x3**2 + 1,)


@example(28, x0=(-4, 1, 1), best=0, equalities=1)
def hs28(x: Array) -> Any:
    x1, x2, x3 = x
    return (x1 + x2) ** 2 + (x2 + x3) ** 2, (x1 + 2 * x2 + 3 * x3 - 1,)


@example(29, x0=(1, 1, 1), best=-16 * sqrt(2), inequalities=1)
def hs29(x: Array) -> Any:
    x1, x2, x3 = x
    return -x1 * x2 * x3, (48 - x1**2 - 2 * x2**2 - 4 * x3**2,)


@example(30, x0=(1, 1, 1), best=1, lower=(1, -10, -10), upper=10, inequalities=1)
def hs30(x: Array) -> Any:
    x1, x2, x3 = x
    return x1**2 + x2**2 + x3**2, (x1**2 + x2**2 - 1,)


@example(31, x0=(1, 1, 1), best=6, lower=(-10, 1, -10), upper=(10, 10, 1), inequalities=1)
def hs31(x: Array) -> Any:
    x1, x2, x3 = x
    return 9 * x1**2 + x2**2 + 9 * x3**2, (x1 * x2 - 1,)


@example(32, x0=(0.1, 0.7, 0.2), best=1, lower=0, inequalities=1, equalities=1)
def hs32(x: Array) -> Any:
    x1, x2, x3 = x
    f = (x1 + 3 * x2 + x3) ** 2 + 4 * (x1 - x2) ** 2
    return f, (6 * x2 + 4 * x3 - x1**3 - 3, 1 - x1 - x2 - x3)


@example(
    33,
    x0=(0, 0, 3),
    best=sqrt(2) - 6,
    lower=0,
    upper=(inf, inf, 5),
    inequalities=2,
    note="another local minimum, near the start and given by CUTEst: -4 at (0, 0, 2)",
)
def hs33(x: Array) -> Any:
    x1, x2, x3 = x
    f = (x1 - 1) * (x1 - 2) * (x1 - 3) + x3
    return f, (x3**2 - x2**2 - x1**2, x1**2 + x2**2 + x3**2 - 4)


@example(34, x0=(0, 1.05, 2.9), best=-log(log(10)), lower=0, upper=(100, 100, 10), inequalities=2)
def hs34(x: Array) -> Any:
    x1, x2, x3 = x
    return -x1, (x2 - np.exp(x1), x3 - np.exp(x2))


@example(35, x0=(0.5, 0.5, 0.5), best=1 / 9, lower=0, inequalities=1)
def hs35(x: Array) -> Any:
    """Beale's quadratic program."""
    x1, x2, x3 = x
    f = 9 - 8 * x1 - 6 * x2 - 4 * x3 + 2 * x1**2 + 2 * x2**2 + x3**2 + 2 * x1 * x2 + 2 * x1 * x3
    return f, (3 - x1 - x2 - 2 * x3,)


@example(36, x0=(10, 10, 10), best=-3300, lower=0, upper=(20, 11, 42), inequalities=1)
def hs36(x: Array) -> Any:
    """The largest parcel the post office takes, with bounds on its sides."""
    x1, x2, x3 = x
    return -x1 * x2 * x3, (72 - x1 - 2 * x2 - 2 * x3,)


@example(37, x0=(10, 10, 10), best=-3456, lower=0, upper=42, inequalities=2)
def hs37(x: Array) -> Any:
    """The largest parcel the post office takes."""
    x1, x2, x3 = x
    girth = x1 + 2 * x2 + 2 * x3
    return -x1 * x2 * x3, (72 - girth, girth)


@example(38, x0=(-3, -1, -3, -1), best=0, lower=-10, upper=10)
def hs38(x: Array) -> Any:
    """Colville's problem 4, known as Wood's function."""
    x1, x2, x3, x4 = x
    return (
        100 * (x2 - x1**2) ** 2
        + (1 - x1) ** 2
        + 90 * (x4 - x3**2) ** 2
        + (1 - x3) ** 2
        + 10.1 * ((x2 - 1) ** 2 + (x4 - 1) ** 2)
        + 19.8 * (x2 - 1) * (x4 - 1)
    )


@example(39, x0=(2, 2, 2, 2), best=-1, equalities=2)
def hs39(x: Array) -> Any:
    x1, x2, x3, x4 = x
    return -x1, (x2 - x1**3 - x3**2, x1**2 - x2 - x4**2)


@example(40, x0=(0.8, 0.8, 0.8, 0.8), best=-0.25, equalities=3)
def hs40(x: Array) -> Any:
    x1, x2, x3, x4 = x
    return -x1 * x2 * x3 * x4, (x1**3 + x2**2 - 1, x1**2 * x4 - x3, x4**2 - x2)


@example(
    41,
    x0=(2, 2, 2, 2),
    best=52 / 27,
    lower=0,
    upper=(1, 1, 1, 2),
    equalities=1,
    note="another stationary value: 2, at x1 x2 x3 = 0",
)
def hs41(x: Array) -> Any:
    x1, x2, x3, x4 = x
    return 2 - x1 * x2 * x3, (x1 + 2 * x2 + 2 * x3 - x4,)


@example(42, x0=(1, 1, 1, 1), best=28 - 10 * sqrt(2), equalities=2)
def hs42(x: Array) -> Any:
    x1, x2, x3, x4 = x
    f = (x1 - 1) ** 2 + (x2 - 2) ** 2 + (x3 - 3) ** 2 + (x4 - 4) ** 2
    return f, (x1 - 2, x3**2 + x4**2 - 2)


@example(43, x0=(0, 0, 0, 0), best=-44, inequalities=3)
def hs43(x: Array) -> Any:
    """Rosen and Suzuki's problem."""
    x1, x2, x3, x4 = x
    f = x1**2 + x2**2 + 2 * x3**2 + x4**2 - 5 * x1 - 5 * x2 - 21 * x3 + 7 * x4
    c = (
        8 - x1**2 - x2**2 - x3**2 - x4**2 - x1 + x2 - x3 + x4,
        10 - x1**2 - 2 * x2**2 - x3**2 - 2 * x4**2 + x1 + x4,
        5 - 2 * x1**2 - x2**2 - x3**2 - 2 * x1 + x2 + x4,
    )
    return f, c


@example(44, x0=(0, 0, 0, 0), best=-15, lower=0, inequalities=6, note="another local minimum: -13")
def hs44(x: Array) -> Any:
    """Konno's nonconvex quadratic program."""
    x1, x2, x3, x4 = x
    f = x1 - x2 - x3 - x1 * x3 + x1 * x4 + x2 * x3 - x2 * x4
    c = (
        8 - x1 - 2 * x2,
        12 - 4 * x1 - x2,
        12 - 3 * x1 - 4 * x2,
        8 - 2 * x3 - x4,
        8 - x3 - 2 * x4,
        5 - x3 - x4,
    )
    return f, c


@example(45, x0=(2, 2, 2, 2, 2), best=1, lower=0, upper=(1, 2, 3, 4, 5))
def hs45(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    return 2 - x1 * x2 * x3 * x4 * x5 / 120


@example(46, x0=(sqrt(2) / 2, 1.75, 0.5, 2, 2), best=0, equalities=2)
def hs46(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - x2) ** 2 + (x3 - 1) ** 2 + (x4 - 1) ** 4 + (x5 - 1) ** 6
    return f, (x1**2 * x4 + np.sin(x4 - x5) - 1, x2 + x3**4 * x4**2 - 2)


@example(
    47,
    x0=(2, sqrt(2), -1, 2 - sqrt(2), 0.5),
    best=0,
    equalities=3,
    note="the cubic term allows lower values, for example the local minimum -0.0267141827",
)
def hs47(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - x2) ** 2 + (x2 - x3) ** 3 + (x3 - x4) ** 4 + (x4 - x5) ** 4
    return f, (x1 + x2**2 + x3**3 - 3, x2 - x3**2 + x4 - 1, x1 * x5 - 1)


@example(48, x0=(3, 5, -3, 2, -2), best=0, equalities=2)
def hs48(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - 1) ** 2 + (x2 - x3) ** 2 + (x4 - x5) ** 2
    return f, (x1 + x2 + x3 + x4 + x5 - 5, x3 - 2 * (x4 + x5) + 3)


@example(49, x0=(10, 7, 2, -3, 0.8), best=0, equalities=2)
def hs49(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - x2) ** 2 + (x3 - 1) ** 2 + (x4 - 1) ** 4 + (x5 - 1) ** 6
    return f, (x1 + x2 + x3 + 4 * x4 - 7, x3 + 5 * x5 - 6)


@example(50, x0=(35, -31, 11, 5, -5), best=0, equalities=3)
def hs50(x: Array) -> Any:
    x1, x2, x3, x4, x5 = x
    f = (x1 - x2) ** 2 + (x2 - x3) ** 2 + (x3 - x4) ** 4 + (x4 - x5) ** 2
    c = x1 + 2 * x2 + 3 * x3 - 6, x2 + 2 * x3 + 3 * x4 - 6, x3 + 2 * x4 + 3 * x5 - 6
    return f, c
