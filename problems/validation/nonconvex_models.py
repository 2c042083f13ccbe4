"""The nonconvex story problems said in CVXPY, for its nonlinear mode: `model.solve(nlp=True)`.

Each is a second, independent way to write down the story: with other formulas where that is natural, and with the
derivatives of CVXPY's own engine instead of JAX. Constraints are written the same way round as in the story.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import cvxpy as cp
import numpy as np

from problems import ac_optimal_power_flow as grid
from problems import geodesic as globe
from problems import robot_arm as arm
from problems import van_der_pol_control as oscillator
from problems.cvxpy_model import CvxpyModel
from problems.validation.answer import leaves

Variables = Mapping[str, cp.Variable]
MODELS: dict[str, Callable[[Variables, Any], CvxpyModel]] = {}
"""By the name of the story."""


def model_of(story: ModuleType, p: Any) -> CvxpyModel:
    """The story's model at p, its variables at the story's start."""
    x = {key: cp.Variable(value.shape, value=value, name=key) for key, value in leaves(story.x0).items()}
    return MODELS[story.__name__.rpartition(".")[2]](x, p)


def nonconvex(make: Callable[[Variables, Any], CvxpyModel]) -> Callable[[Variables, Any], CvxpyModel]:
    """Enter a function into MODELS by its name."""
    MODELS[make.__name__] = make
    return make


@nonconvex
def sphere_projection(x: Variables, p: Any) -> CvxpyModel:
    """In one vector."""
    place = cp.hstack(list(x.values()))
    beacon, reckoned = (np.array([p[name][axis] for axis in x]) for name in ("beacon", "reckoned"))
    constraints = {"distance": cp.sum_squares(place - beacon) == p["distance"] ** 2}
    return _model(cp.Minimize(cp.sum_squares(place - reckoned)), x, constraints)


@nonconvex
def isoperimetric_problem(x: Variables, p: Any) -> CvxpyModel:
    """The land by the shoelace formula: half the sum of the cross products of neighbouring corners."""
    along, inland = cp.hstack([0.0, x["along"]]), cp.hstack([0.0, x["inland"], 0.0])
    pieces = x["along"].size
    cross = cp.multiply(along[1:], inland[:-1]) - cp.multiply(along[:-1], inland[1:])
    squares = pieces**2 * (cp.square(cp.diff(along)) + cp.square(cp.diff(inland)))
    return _model(cp.Maximize(cp.sum(cross) / 2), x, {"pieces": squares <= p["strip"] ** 2})


@nonconvex
def geodesic(x: Variables, p: Any) -> CvxpyModel:
    """Axis by axis."""
    start, end = globe.place(p["London"], p), globe.place(p["Tokyo"], p)
    ways = [cp.diff(cp.hstack([start[axis], x[axis], end[axis]])) for axis in x]
    pieces = ways[0].size
    energy = p["stiffness"] / 2 * pieces * sum(cp.sum_squares(way) for way in ways)
    on_the_globe = sum(cp.square(bead) for bead in x.values()) == p["radius"] ** 2
    return _model(cp.Minimize(energy), x, {"on the globe": on_the_globe})


@nonconvex
def reactor_design(x: Variables, p: Any) -> CvxpyModel:
    """Balances of both tanks."""
    from problems.reactor_design import LOSE, MAKE

    a1, a2, b1, b2, v1, v2 = (x[f"{kind}.{tank}"] for kind in ("A", "B", "volume") for tank in ("first", "second"))
    make1, make2, lose1, lose2 = MAKE["first"], MAKE["second"], LOSE["first"], LOSE["second"]
    constraints = {
        "A in the first tank": a1 + make1 * v1 * a1 == p["feed"],
        "A in the second tank": a2 + make2 * v2 * a2 - a1 == 0,
        "B in the first tank": b1 + lose1 * v1 * b1 - make1 * v1 * a1 == 0,
        "B in the second tank": b2 + lose2 * v2 * b2 - make2 * v2 * a2 - b1 == 0,
        "budget": cp.sqrt(v1) + cp.sqrt(v2) <= p["budget"],
    }
    return _model(cp.Maximize(b2), x, constraints, {key: (variable >= 0, None) for key, variable in x.items()})


@nonconvex
def robot_arm(x: Variables, p: Any) -> CvxpyModel:
    """Link by link."""
    angle, across, height = 0.0, 0.0, 0.0
    for joint, length in zip(("shoulder", "elbow", "wrist"), p["link"].values(), strict=True):
        angle = angle + x[joint]
        across, height = across + length * cp.nlp.cos(angle), height + length * cp.nlp.sin(angle)
    constraints = {"target across": across == p["target"]["across"], "target height": height == p["target"]["height"]}
    bounds = {joint: (x[joint] >= low, x[joint] <= high) for joint, (low, high) in arm.LIMITS.items()}
    return _model(cp.Minimize((cp.square(x["elbow"]) + cp.square(x["wrist"])) / 2), x, constraints, bounds)


@nonconvex
def van_der_pol_control(x: Variables, p: Any) -> CvxpyModel:
    """Hermite-Simpson collocation."""
    position, velocity, push = x["position"], x["velocity"], x["push"]
    step = oscillator.DURATION / (position.size - 1)

    def acceleration(position: Any, velocity: Any, push: Any) -> Any:
        return cp.multiply(1 - cp.square(position), velocity) - position + push

    def simpson(ends: Any, middle: Any) -> Any:
        return step / 6 * (ends[:-1] + 4 * middle + ends[1:])

    def between(value: Any, slope: Any) -> Any:
        return (value[:-1] + value[1:]) / 2 + step / 8 * (slope[:-1] - slope[1:])

    slope = acceleration(position, velocity, push[::2])
    middle = between(position, velocity), between(velocity, slope), push[1::2]
    effort_at_ends = cp.square(position) + cp.square(velocity) + cp.square(push[::2])
    effort = simpson(effort_at_ends, sum(cp.square(each) for each in middle))
    constraints = {
        "start of position": position[0] == p["position"],
        "start of velocity": velocity[0] == p["velocity"],
        "change of position": cp.diff(position) - simpson(velocity, middle[1]) == 0,
        "change of velocity": cp.diff(velocity) - simpson(slope, acceleration(*middle)) == 0,
    }
    bounds = {"push": (push >= p["smallest_push"], push <= p["largest_push"])}
    return _model(cp.Minimize(cp.sum(effort)), x, constraints, bounds)


@nonconvex
def ac_optimal_power_flow(x: Variables, p: Any) -> CvxpyModel:
    """In polar form: powers from sines and cosines of the angles, where the story takes complex voltages."""
    size = {at: x[f"voltage.{at}"] / grid.NOMINAL_VOLTAGE for at in grid.PLACES}
    angle = {at: np.pi / 180 * x[f"angle.{at}"] if at != grid.REFERENCE else 0.0 for at in grid.PLACES}

    def sent(here: str, there: str, over: complex, at_home: complex) -> tuple[Any, Any]:
        # V (over V_there + at_home V)* for two ends of a line
        turn = angle[here] - angle[there]
        both = cp.multiply(size[here], size[there])
        cos, sin = cp.nlp.cos(turn), cp.nlp.sin(turn)
        real = cp.multiply(both, over.real * cos + over.imag * sin) + at_home.real * cp.square(size[here])
        imaginary = cp.multiply(both, over.real * sin - over.imag * cos) - at_home.imag * cp.square(size[here])
        return grid.BASE * real, grid.BASE * imaginary

    flow: dict[tuple[str, str], tuple[Any, Any]] = {}
    for line in grid.LINES:
        series, ground = grid.admittance_of(line)
        flow |= {(line, here): sent(here, line.replace(here, ""), -series, series + ground) for here in line}
    constraints = {}
    for at in grid.PLACES:
        made = sum(x[f"power.{station}"] for station, where in grid.STATION_AT.items() if where == at)
        reactive = x[f"reactive power.{at}"] if at in grid.REACTIVE_LIMIT else 0.0
        left = [powers for (_, here), powers in flow.items() if here == at]
        constraints[f"power at {at}"] = made - sum(real for real, _ in left) == p["demand"][at]
        constraints[f"reactive power at {at}"] = reactive - sum(other for _, other in left) == p["reactive demand"][at]
    for line, limit in p["limit"].items():
        for end in line:
            # has the gradient of the apparent power where that is at its limit: the same multiplier
            load = (cp.square(flow[line, end][0]) + cp.square(flow[line, end][1])) / (2 * limit) + limit / 2
            constraints[f"line {line} at {end}"] = load <= limit
    bounds = {
        **{f"power.{name}": (0.0, most) for name, most in grid.CAPACITY.items()},
        **{f"reactive power.{at}": (-most, most) for at, most in grid.REACTIVE_LIMIT.items()},
        **{f"voltage.{at}": (grid.LOWEST_VOLTAGE, grid.HIGHEST_VOLTAGE) for at in grid.PLACES},
    }
    sides = {key: (x[key] >= low, x[key] <= high) for key, (low, high) in bounds.items()}
    spent = sum(p["price"][name] * x[f"power.{name}"] for name in grid.STATION_AT)
    return _model(cp.Minimize(spent), x, constraints, sides)


def _model(
    objective: cp.Minimize | cp.Maximize,
    x: Variables,
    constraints: dict[str, cp.Constraint],
    bounds: dict[str, tuple[cp.Constraint | None, cp.Constraint | None]] | None = None,
) -> CvxpyModel:
    bounds = bounds or {}
    sides = [side for pair in bounds.values() for side in pair if side is not None]
    return CvxpyModel(cp.Problem(objective, [*constraints.values(), *sides]), dict(x), constraints, bounds)
