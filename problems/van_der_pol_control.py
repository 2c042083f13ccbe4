"""Van der Pol control: bring an oscillator that excites itself to rest, with as little push as possible.

The oscillator of van der Pol is released at position 1. A push that is limited to both sides shall make it
quiet within five seconds:

    minimize    integral of velocity^2 + position^2 + push^2 over 0 <= t <= 5
    subject to  position' = velocity
                velocity' = (1 - position^2) velocity - position + push
                position(0) = start of position,   velocity(0) = start of velocity
                smallest_push <= push <= largest_push

Direct collocation (Hermite-Simpson): on each of thirty intervals position and velocity are cubic in time and
keep their equations at both ends and in the middle; the push is free at all these times. All is without
units but the time [s]. The shadow price of a start is the adjoint variable at t = 0. Source: E. Balsa
Canto, J. Banga, A. Alonso and V. Vassiliadis, Journal of Process Control 12 (2002), 243-255, case study 6.1;
collocation: C. Hargraves and S. Paris, Journal of Guidance, Control, and Dynamics 10 (1987), 338-342. Known
answer: 2.86726 (published: 2.867259538 by PROPT with 60 collocation points); the value below is found without
optimization, from the boundary value problem of Pontryagin's principle. What is left of the difference is
the grid's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import solve_bvp

import lagrange as lg

DURATION = 5.0  # s
INTERVALS = 30
KNOWN_TO = 1e-4  # relative: thirty intervals come so near to the known objective, which knows no grid


def acceleration(position: Any, velocity: Any, push: Any) -> Any:
    """Right side of van der Pol's equation."""
    return (1 - position**2) * velocity - position + push


def effort(position: Any, velocity: Any, push: Any) -> Any:
    """What is summed up over time."""
    return velocity**2 + position**2 + push**2


def in_the_middle(x: dict[str, Any]) -> tuple[Any, Any]:
    """Position and velocity in the middle of all intervals, from the cubics through their ends."""
    position, velocity, push = x["position"], x["velocity"], x["push"][::2]
    step = DURATION / (len(position) - 1)
    slope = acceleration(position, velocity, push)
    middle_position = (position[:-1] + position[1:]) / 2 + step / 8 * (velocity[:-1] - velocity[1:])
    middle_velocity = (velocity[:-1] + velocity[1:]) / 2 + step / 8 * (slope[:-1] - slope[1:])
    return middle_position, middle_velocity


def by_simpson(ends: Any, middle: Any) -> Any:
    """Integral over every interval, from the values at its ends and in its middle."""
    return DURATION / len(middle) / 6 * (ends[:-1] + 4 * middle + ends[1:])


def total_effort(x: dict[str, Any]) -> Any:
    """Integral of the effort."""
    ends = effort(x["position"], x["velocity"], x["push"][::2])
    return np.sum(by_simpson(ends, effort(*in_the_middle(x), x["push"][1::2])))


def position_gap(x: dict[str, Any]) -> Any:
    """By how much the position misses its equation on every interval."""
    return np.diff(x["position"]) - by_simpson(x["velocity"], in_the_middle(x)[1])


def velocity_gap(x: dict[str, Any]) -> Any:
    """By how much the velocity misses its equation on every interval."""
    ends = acceleration(x["position"], x["velocity"], x["push"][::2])
    return np.diff(x["velocity"]) - by_simpson(ends, acceleration(*in_the_middle(x), x["push"][1::2]))


def start(intervals: int, p: dict[str, Any]) -> dict[str, Any]:
    """At rest where it is released; the push is given at the ends and in the middle of all intervals."""
    return {
        "position": np.full(intervals + 1, p["position"]),
        "velocity": np.zeros(intervals + 1),
        "push": np.zeros(2 * intervals + 1),
    }


problem = lg.Problem(
    minimize=total_effort,
    subject_to={
        "start of position": lg.equals(lambda x: x["position"][0], lambda p: p["position"]),
        "start of velocity": lg.equals(lambda x: x["velocity"][0], lambda p: p["velocity"]),
        "change of position": lg.equals(position_gap, 0.0),
        "change of velocity": lg.equals(velocity_gap, 0.0),
    },
    bounds=lambda p: {"push": (p["smallest_push"], p["largest_push"])},
)
p = {"position": 1.0, "velocity": 0.0, "smallest_push": -0.3, "largest_push": 1.0}
x0 = start(INTERVALS, p)


def by_pontryagin(p: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """The least effort, and the adjoint variables at t = 0 by the names of the starts.

    Of all pushes within the limits the best one makes push^2 + adjoint push least, where `adjoint` is that
    of the velocity; at t = 5 both adjoint variables vanish.
    """

    def slopes(_: Any, y: np.ndarray) -> np.ndarray:
        position, velocity, of_position, of_velocity, _ = y
        push = np.clip(-of_velocity / 2, p["smallest_push"], p["largest_push"])
        return np.array(
            [
                velocity,
                acceleration(position, velocity, push),
                -2 * position + of_velocity * (2 * position * velocity + 1),
                -2 * velocity - of_position - of_velocity * (1 - position**2),
                effort(position, velocity, push),
            ]
        )

    def ends(first: np.ndarray, last: np.ndarray) -> np.ndarray:
        return np.array([first[0] - p["position"], first[1] - p["velocity"], first[4], last[2], last[3]])

    time = np.linspace(0.0, DURATION, 101)
    answer = solve_bvp(slopes, ends, time, np.zeros((5, time.size)), tol=1e-9, max_nodes=20000)
    return float(answer.y[4, -1]), {"position": float(answer.y[2, 0]), "velocity": float(answer.y[3, 0])}


def known_objective(p: dict[str, Any]) -> float:
    """Least effort of all pushes, on no grid."""
    return by_pontryagin(p)[0]
