"""Problems 1 to 25 of Hock and Schittkowski."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from problems.collection import Array
from problems.hock_schittkowski.registry import example, inf


def rosenbrock(x1: Any, x2: Any) -> Any:
    """The banana-shaped valley that many problems of the book share; 0 at (1, 1)."""
    return 100 * (x2 - x1**2) ** 2 + (1 - x1) ** 2


@example(1, x0=(-2, 1), best=0, lower=(-inf, -1.5))
def hs1(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2)


@example(
    2,
    x0=(-2, 1),
    best=0.0504261878936,
    lower=(-inf, 1.5),
    note="from the start solvers reach the local minimum 4.941229",
)
def hs2(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2)


@example(3, x0=(10, 1), best=0, lower=(-inf, 0))
def hs3(x: Array) -> Any:
    x1, x2 = x
    return x2 + 1e-5 * (x2 - x1) ** 2


@example(4, x0=(1.125, 0.125), best=8 / 3, lower=(1, 0))
def hs4(x: Array) -> Any:
    x1, x2 = x
    return (x1 + 1) ** 3 / 3 + x2


@example(5, x0=(0, 0), best=-sqrt(3) / 2 - pi / 3, lower=(-1.5, -3), upper=(4, 3))
def hs5(x: Array) -> Any:
    x1, x2 = x
    return np.sin(x1 + x2) + (x1 - x2) ** 2 - 1.5 * x1 + 2.5 * x2 + 1


@example(6, x0=(-1.2, 1), best=0, equalities=1)
def hs6(x: Array) -> Any:
    x1, x2 = x
    return (1 - x1) ** 2, (10 * (x2 - x1**2),)


@example(7, x0=(2, 2), best=-sqrt(3), equalities=1)
def hs7(x: Array) -> Any:
    x1, x2 = x
    return np.log(1 + x1**2) - x2, ((1 + x1**2) ** 2 + x2**2 - 4,)


@example(8, x0=(2, 1), best=-1, equalities=2)
def hs8(x: Array) -> Any:
    """A system of equations: the objective is constant."""
    x1, x2 = x
    return -1.0, (x1**2 + x2**2 - 25, x1 * x2 - 9)


@example(9, x0=(0, 0), best=-0.5, equalities=1)
def hs9(x: Array) -> Any:
    x1, x2 = x
    return np.sin(pi * x1 / 12) * np.cos(pi * x2 / 16), (4 * x1 - 3 * x2,)


@example(10, x0=(-10, 10), best=-1, inequalities=1)
def hs10(x: Array) -> Any:
    x1, x2 = x
    return x1 - x2, (-3 * x1**2 + 2 * x1 * x2 - x2**2 + 1,)


@example(11, x0=(4.9, 0.1), best=-8.49846422315468, inequalities=1)
def hs11(x: Array) -> Any:
    x1, x2 = x
    return (x1 - 5) ** 2 + x2**2 - 25, (x2 - x1**2,)


@example(12, x0=(0, 0), best=-30, inequalities=1)
def hs12(x: Array) -> Any:
    x1, x2 = x
    f = 0.5 * x1**2 + x2**2 - x1 * x2 - 7 * x1 - 7 * x2
    return f, (25 - 4 * x1**2 - x2**2,)


@example(13, x0=(-2, -2), best=1, lower=0, inequalities=1, note="no multiplier exists at the solution (1, 0)")
def hs13(x: Array) -> Any:
    """The feasible set ends in a cusp at the solution: a Fritz John point that is no KKT point."""
    x1, x2 = x
    return (x1 - 2) ** 2 + x2**2, ((1 - x1) ** 3 - x2,)


@example(14, x0=(2, 2), best=9 - 23 / 8 * sqrt(7), inequalities=1, equalities=1)
def hs14(x: Array) -> Any:
    x1, x2 = x
    return (x1 - 2) ** 2 + (x2 - 1) ** 2, (1 - 0.25 * x1**2 - x2**2, x1 - 2 * x2 + 1)


@example(15, x0=(-2, 1), best=306.5, upper=(0.5, inf), inequalities=2)
def hs15(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2), (x1 * x2 - 1, x1 + x2**2)


@example(
    16,
    x0=(-2, 1),
    best=0.25,
    lower=(-0.5, -inf),
    upper=(0.5, 1),
    inequalities=2,
    note="other local minima: 3.9821, 23.1447",
)
def hs16(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2), (x1 + x2**2, x1**2 + x2)


@example(17, x0=(-2, 1), best=1, lower=(-0.5, -inf), upper=(0.5, 1), inequalities=2)
def hs17(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2), (x2**2 - x1, x1**2 - x2)


@example(18, x0=(2, 2), best=5, lower=(2, 0), upper=50, inequalities=2)
def hs18(x: Array) -> Any:
    x1, x2 = x
    return 0.01 * x1**2 + x2**2, (x1 * x2 - 25, x1**2 + x2**2 - 25)


@example(19, x0=(20.1, 5.84), best=-6961.81387558015, lower=(13, 0), upper=100, inequalities=2)
def hs19(x: Array) -> Any:
    x1, x2 = x
    c = (x1 - 5) ** 2 + (x2 - 5) ** 2 - 100, 82.81 - (x1 - 6) ** 2 - (x2 - 5) ** 2
    return (x1 - 10) ** 3 + (x2 - 20) ** 3, c


@example(
    20,
    x0=(-2, 1),
    best=81.5 - 25 * sqrt(3),
    lower=(-0.5, -inf),
    upper=(0.5, inf),
    inequalities=3,
    note="another local minimum: 40.1987",
)
def hs20(x: Array) -> Any:
    x1, x2 = x
    return rosenbrock(x1, x2), (x1 + x2**2, x1**2 + x2, x1**2 + x2**2 - 1)


@example(21, x0=(-1, -1), best=-99.96, lower=(2, -50), upper=50, inequalities=1)
def hs21(x: Array) -> Any:
    x1, x2 = x
    return 0.01 * x1**2 + x2**2 - 100, (10 * x1 - x2 - 10,)


@example(22, x0=(2, 2), best=1, inequalities=2)
def hs22(x: Array) -> Any:
    x1, x2 = x
    return (x1 - 2) ** 2 + (x2 - 1) ** 2, (2 - x1 - x2, x2 - x1**2)


@example(23, x0=(3, 1), best=2, lower=-50, upper=50, inequalities=5)
def hs23(x: Array) -> Any:
    x1, x2 = x
    c = x1 + x2 - 1, x1**2 + x2**2 - 1, 9 * x1**2 + x2**2 - 9, x1**2 - x2, x2**2 - x1
    return x1**2 + x2**2, c


@example(24, x0=(1, 0.5), best=-1, lower=0, inequalities=3)
def hs24(x: Array) -> Any:
    x1, x2 = x
    f = ((x1 - 3) ** 2 - 9) * x2**3 / (27 * sqrt(3))
    return f, (x1 / sqrt(3) - x2, x1 + sqrt(3) * x2, 6 - x1 - sqrt(3) * x2)


LEVELS_25 = np.arange(1, 100) / 100
TIMES_25 = 25 + (-50 * np.log(LEVELS_25)) ** (2 / 3)


@example(
    25,
    x0=(100, 12.5, 3),
    best=0,
    lower=(0.1, 0, 0),
    upper=(100, 25.6, 5),
    note="the start lies on a plateau of height 32.835",
)
def hs25(x: Array) -> Any:
    """Fit of three parameters to 99 exact values; the start lies on a plateau."""
    x1, x2, x3 = x
    residuals = np.exp(-((TIMES_25 - x2) ** x3) / x1) - LEVELS_25
    return np.sum(residuals**2)
