"""Kinks at a point: functions whose slope jumps there, as that of max(a, b) where a = b.

Along a line r through x, for three steps t, each a part of the one before,

    |v(x + t r) - 2 v(x) + v(x - t r)|   falls like t at a kink, and like t^2 where v is smooth.

Derivatives tell nothing there: those of JAX are one of the two, or their mean, and the mean may be zero at a maximum.
"""

from __future__ import annotations

import functools

import numpy as np

from lagrange.derivatives.difference_limits import SEED
from lagrange.derivatives.scaling import StandardProgram
from lagrange.model.named_pytree import Vector

STEPS = (1e-6, 1e-6 / 16, 1e-6 / 64)  # relative to |x_j|, at least to 1
FALLS = (4.0, 0.5)  # a kink falls with the step; this factor times more or less is no kink
JUMP = 1e-3  # jumps of the slope below this, relative to the slope, do not matter
NOISE = 1e4 * float(np.finfo(np.float64).eps)  # of a value, relative to its terms


def kinks(standard: StandardProgram, x: Vector, values: Vector, jacobian: Vector, matters: Vector) -> tuple[str, ...]:
    """Names of the functions with a kink at x: "objective 'cost'", "constraint 'cap'".

    Parameters
    ----------
    values, jacobian : of (signed f, c) at x
    matters : (1 + m,) True for the objective and the rows that are active
    """
    evaluation, program = standard.evaluation, standard.evaluation.program
    sizes = np.maximum(1.0, np.abs(x))
    step = STEPS[0] * sizes
    # Outside of its bounds a function need not be defined, and a kink there is no matter.
    free = (x - step > standard.bounds[0]) & (x + step < standard.bounds[1])
    r = np.where(free, sizes * _direction(x.size), 0.0)
    noise = NOISE * (np.abs(values) + np.abs(jacobian) @ np.abs(x))
    slope = np.abs(jacobian) @ np.abs(r)
    suspects = np.asarray(matters, dtype=bool)
    before = np.full(values.size, np.inf)
    for t, previous in zip(STEPS, (np.inf, *STEPS), strict=False):
        try:
            bend = np.abs(evaluation.values(x + t * r) - 2.0 * values + evaluation.values(x - t * r))
        except Exception:  # a function of the user's that is not defined beside its constraints: nothing can be seen
            return ()
        suspects &= bend > np.maximum(noise, JUMP * t * slope)  # false for nan
        if np.isfinite(previous):
            expected = before * t / previous
            suspects &= (bend < FALLS[0] * expected) & (bend > FALLS[1] * expected)
        if not suspects.any():
            return ()
        before = bend
    titles = [program.objective.title, *(f"constraint {name!r}" for name in program.row_names)]
    return tuple(title for title, kinked in zip(titles, suspects, strict=True) if kinked)


@functools.lru_cache(maxsize=8)
def _direction(n: int) -> Vector:
    random = np.random.default_rng(SEED)
    return np.asarray(random.uniform(0.5, 1.0, n) * random.choice([-1.0, 1.0], n))
