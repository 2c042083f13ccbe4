"""Reactor design: two stirred tanks in a row that make as much as possible of an intermediate product.

Substance A turns into B, the product, and B turns into waste: A -> B -> C, both at rates in proportion to
the concentration. The feed passes through two stirred tanks, the second a little cooler. How large should
they be, if tanks cost the square root of their volume?

    maximize    B.second                                                                    [mol/l]
    subject to  A.first (1 + make_1 volume.first) = feed                                    [mol/l]
                A.second (1 + make_2 volume.second) - A.first = 0                           [mol/l]
                B.first (1 + lose_1 volume.first) - make_1 volume.first A.first = 0         [mol/l]
                B.second (1 + lose_2 volume.second) - B.first - make_2 volume.second A.second = 0
                sqrt(volume.first) + sqrt(volume.second) <= budget                          [money]
                all concentrations and volumes >= 0                                         [mol/l, m^3]

The flow is 1 m^3/s, so a volume [m^3] is a mean time of stay [s]. There are local maxima, 0.3881 and 0.3746
mol/l, in which all is spent on one tank. Source: V. Manousiouthakis and D. Sourlas, Chemical Engineering
Communications 115 (1992), 127-147; H. Ryoo and N. Sahinidis, Computers and Chemical Engineering 19 (1995),
551-566. Known answer: 0.38881 mol/l with volumes of 3.036 and 5.097 m^3 (published); to all digits from the
balances, which give everything as a function of the first volume, whose derivative is put to zero here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq

import lagrange as lg

TANKS = ("first", "second")
MAKE = {"first": 0.09755988, "second": 0.99 * 0.09755988}  # rate of A -> B [1/s]
LOSE = {"first": 0.0391908, "second": 0.9 * 0.0391908}  # rate of B -> C [1/s]
TINY = 1e-30  # imaginary step: the derivative without any rounding
NEAR_BEST = (0.2, 0.7)  # fractions of the budget for the first tank between which the best one lies


def gain_of_a(x: dict[str, Any], tank: str) -> Any:
    """What leaves or reacts of A in a tank, over the flow [mol/l]."""
    return x["A"][tank] * (1 + MAKE[tank] * x["volume"][tank])


def gain_of_b(x: dict[str, Any], tank: str) -> Any:
    """What leaves or reacts of B in a tank, less what is made of it there [mol/l]."""
    made = MAKE[tank] * x["volume"][tank] * x["A"][tank]
    return x["B"][tank] * (1 + LOSE[tank] * x["volume"][tank]) - made


problem = lg.Problem(
    maximize=lambda x: x["B"]["second"],
    subject_to={
        "A in the first tank": lg.equals(lambda x: gain_of_a(x, "first"), lambda p: p["feed"]),
        "A in the second tank": lg.equals(lambda x: gain_of_a(x, "second") - x["A"]["first"], 0.0),
        "B in the first tank": lg.equals(lambda x: gain_of_b(x, "first"), 0.0),
        "B in the second tank": lg.equals(lambda x: gain_of_b(x, "second") - x["B"]["first"], 0.0),
        "budget": lg.at_most(lambda x: sum(np.sqrt(x["volume"][tank]) for tank in TANKS), lambda p: p["budget"]),
    },
    bounds=(0.0, None),
    describe={
        "objective": "concentration of the product [mol/l]",
        "A": "concentration [mol/l]",
        "B": "concentration [mol/l]",
        "volume": "of a tank [m^3]",
        **{f"{substance} in the {tank} tank": "balance [mol/l]" for substance in "AB" for tank in TANKS},
        "feed": "concentration of A [mol/l]",
        "budget": "for the square roots of both volumes [money]",
    },
)
x0 = {
    "A": {"first": 1.0, "second": 1.0},
    "B": {"first": 0.0, "second": 0.0},
    "volume": {"first": 1.0, "second": 1.0},
}
p = {"feed": 1.0, "budget": 4.0}  # mol/l, square root of m^3


def _tanks(share: Any, p: dict[str, Any]) -> dict[str, Any]:
    """Everything from the share of the budget that the first tank gets (complex for its derivative)."""
    volume = {"first": (share * p["budget"]) ** 2, "second": ((1 - share) * p["budget"]) ** 2}
    make, lose = ({tank: rate[tank] * volume[tank] for tank in TANKS} for rate in (MAKE, LOSE))
    a_first = p["feed"] / (1 + make["first"])
    a_second = a_first / (1 + make["second"])
    b_first = make["first"] * a_first / (1 + lose["first"])
    b_second = (b_first + make["second"] * a_second) / (1 + lose["second"])
    return {
        "A": {"first": a_first, "second": a_second},
        "B": {"first": b_first, "second": b_second},
        "volume": volume,
    }


def _derivative(function: Callable[[Any], Any], at: float) -> float:
    """Derivative of an analytic function, exact to rounding: no difference is taken."""
    return float(np.imag(function(at + TINY * 1j)) / TINY)


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """The share at which the product does not change."""
    share = brentq(
        lambda share: _derivative(lambda s: _tanks(s, p)["B"]["second"], share), *NEAR_BEST, xtol=1e-15, rtol=1e-15
    )
    return _tanks(share, p)


def known_objective(p: dict[str, Any]) -> float:
    """Product at that share."""
    return float(known_x(p)["B"]["second"])


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Stationarity in B.second, B.first, A.second, A.first and volume.first, one after the other."""
    x = known_x(p)
    a, b, volume = x["A"], x["B"], x["volume"]
    make, lose = ({tank: rate[tank] * volume[tank] for tank in TANKS} for rate in (MAKE, LOSE))
    b_second = 1 / (1 + lose["second"])
    b_first = b_second / (1 + lose["first"])
    a_second = b_second * make["second"] / (1 + make["second"])
    a_first = (a_second + b_first * make["first"]) / (1 + make["first"])
    first = "first"
    worth = b_first * (MAKE[first] * a[first] - LOSE[first] * b[first]) - a_first * MAKE[first] * a[first]
    return {
        "A in the first tank": a_first,
        "A in the second tank": a_second,
        "B in the first tank": b_first,
        "B in the second tank": b_second,
        "budget": 2 * np.sqrt(volume[first]) * worth,
    }
