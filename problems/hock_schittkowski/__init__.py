"""The Hock-Schittkowski collection: 116 small nonlinear programs as plain NumPy functions.

    from problems.hock_schittkowski import PROBLEMS
    solution = PROBLEMS["HS71"].problem().solve(PROBLEMS["HS71"].x0)

W. Hock and K. Schittkowski, Test Examples for Nonlinear Programming Codes, Lecture Notes in Economics
and Mathematical Systems 187, Springer, 1981. Numbers 82, 94 and 115 do not exist in the book. Where the
CUTEst version of a problem differs from the book (start, data, scale), CUTEst's is taken and `note` says so.
"""

# importing a module registers its problems: the order of these imports is the order of the book
from problems.hock_schittkowski import (
    hs_001_025,
    hs_026_050,
    hs_051_066,
    hs_067_081,
    hs_083_100,
    hs_101_110,
    hs_111_119,
)
from problems.hock_schittkowski.registry import PROBLEMS

__all__ = [
    "PROBLEMS",
    "hs_001_025",
    "hs_026_050",
    "hs_051_066",
    "hs_067_081",
    "hs_083_100",
    "hs_101_110",
    "hs_111_119",
]
