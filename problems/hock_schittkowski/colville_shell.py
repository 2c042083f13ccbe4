"""The data that problem 86 (Colville's primal) and problem 117 (its dual, "Shell dual") share.

primal:  minimize e . x + x' C x + d . x^3  subject to  A x >= b, x >= 0
"""

from __future__ import annotations

import numpy as np

A = np.array(
    [
        (-16, 2, 0, 1, 0),
        (0, -2, 0, 4, 2),
        (-3.5, 0, 2, 0, 0),
        (0, -2, 0, -4, -1),
        (0, -9, -2, 1, -2.8),
        (2, 0, -4, 0, 0),
        (-1, -1, -1, -1, -1),
        (-1, -2, -3, -2, -1),
        (1, 2, 3, 4, 5),
        (1, 1, 1, 1, 1),
    ]
)
B = np.array([-40, -2, -0.25, -4, -4, -1, -40, -60, 5, 1])
C = np.array(
    [
        (30.0, -20, -10, 32, -10),
        (-20, 39, -6, -31, 32),
        (-10, -6, 10, -6, -10),
        (32, -31, -6, 39, -20),
        (-10, 32, -10, -20, 30),
    ]
)
D = np.array([4.0, 8, 10, 6, 2])
E = np.array([-15.0, -27, -36, -18, -12])
