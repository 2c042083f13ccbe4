"""Properties of every solve: known solutions are found, and the answer does not depend on how a problem is told.

Problems are compiled once and solved at many parameters: hypothesis chooses the numbers, not the shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import lagrange as lg
from lagrange import PointKind
from lagrange.model.named_pytree import Vector

N, EQUALITIES, INEQUALITIES = 5, 1, 4
RECOVERED = 1e-8  # x and multipliers, relative to max(1, the largest entry)
WELL_POSED = 0.1  # smallest singular value of the active gradients
SEEDS = st.integers(0, 2**32 - 1)
few = settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])


def assert_close(actual: Any, expected: Any, tolerance: float = RECOVERED) -> None:
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max(initial=0.0)))


# Quadratic programs with a solution chosen first ---------------------------------------------------------


@dataclass(frozen=True)
class Quadratic:
    """minimize scale (x'Q x / 2 + q'x): A x = b, C x <= h, lower <= x <= upper; and its solution x, y, u, z."""

    Q: Vector
    q: Vector
    A: Vector
    b: Vector
    C: Vector
    h: Vector
    lower: Vector
    upper: Vector
    start: Vector
    x: Vector
    y: Vector
    u: Vector
    z: Vector

    @property
    def p(self) -> dict[str, Vector]:
        names = ("Q", "q", "A", "b", "C", "h", "lower", "upper")
        return {name: getattr(self, name) for name in names}


QUADRATIC = lg.Problem(
    minimize=lambda x, p: 0.5 * x @ p["Q"] @ x + p["q"] @ x,
    subject_to={
        "equal": lg.equals(lambda x, p: p["A"] @ x, lambda p: p["b"]),
        "below": lg.at_most(lambda x, p: p["C"] @ x, lambda p: p["h"]),
    },
    bounds=lambda p: (p["lower"], p["upper"]),
)


def quadratic(seed: int, active_rows: int, active_lower: int, active_upper: int) -> Quadratic:
    """Choose x and multipliers, then the data that make the KKT conditions hold: the solution is unique."""
    rng = np.random.default_rng(seed)
    square = rng.normal(size=(N, N))
    Q = square @ square.T + np.eye(N)
    A, C = rng.normal(size=(EQUALITIES, N)), rng.normal(size=(INEQUALITIES, N))
    x, y = rng.normal(size=N), rng.normal(size=EQUALITIES)
    u, z = np.zeros(INEQUALITIES), np.zeros(N)
    u[:active_rows] = rng.uniform(0.1, 5.0, active_rows)
    h = C @ x + np.where(u > 0.0, 0.0, rng.uniform(0.1, 3.0, INEQUALITIES))
    at_bound = rng.permutation(N)[: active_lower + active_upper]
    low, high = at_bound[:active_lower], at_bound[active_lower:]
    z[low], z[high] = -rng.uniform(0.1, 5.0, low.size), rng.uniform(0.1, 5.0, high.size)
    lower = x - np.where(z < 0.0, 0.0, rng.uniform(0.1, 3.0, N))
    upper = x + np.where(z > 0.0, 0.0, rng.uniform(0.1, 3.0, N))
    gradients = np.concatenate([A, C[:active_rows], np.eye(N)[at_bound]])
    assume(np.linalg.svd(gradients, compute_uv=False)[-1] > WELL_POSED)
    # stationarity: Q x + q + A'y + C'u + z = 0
    q = -(Q @ x + A.T @ y + C.T @ u + z)
    return Quadratic(Q, q, A, A @ x, C, h, lower, upper, 3.0 * rng.normal(size=N), x, y, u, z)


@st.composite
def quadratics(draw: st.DrawFn) -> Quadratic:
    free = N - EQUALITIES
    active_rows = draw(st.integers(0, free))
    active_lower = draw(st.integers(0, free - active_rows))
    active_upper = draw(st.integers(0, free - active_rows - active_lower))
    return quadratic(draw(SEEDS), active_rows, active_lower, active_upper)


def assert_solution(solution: lg.Solution, expected: Quadratic, scale: float = 1.0) -> None:
    """The constructed point, with multipliers times `scale`."""
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    assert_close(solution.x, expected.x)
    assert_close(solution.multipliers["equal"] / scale, expected.y)
    assert_close(solution.multipliers["below"] / scale, expected.u)
    assert_close(solution.bound_multipliers / scale, expected.z)


@given(quadratics())
@few
def test_the_constructed_solution_is_found_with_its_multipliers(program: Quadratic) -> None:
    solution = QUADRATIC.solve(program.start, program.p)
    assert_solution(solution, program)
    names = {f"below[{i}]" for i in np.flatnonzero(program.u)} | {"equal[0]"}
    names |= {f"lower bound of x[{i}]" for i in np.flatnonzero(program.z < 0.0)}
    names |= {f"upper bound of x[{i}]" for i in np.flatnonzero(program.z > 0.0)}
    assert set(solution.active) == names
    # Inactive multipliers are exactly zero.
    assert (solution.multipliers["below"][program.u == 0.0] == 0.0).all()
    assert (solution.bound_multipliers[program.z == 0.0] == 0.0).all()


@given(quadratics(), st.permutations(range(N)), st.permutations(range(INEQUALITIES)))
@few
def test_the_order_of_variables_and_rows_does_not_matter(
    program: Quadratic, variables: list[int], rows: list[int]
) -> None:
    permuted = Quadratic(
        program.Q[np.ix_(variables, variables)], program.q[variables], program.A[:, variables], program.b,
        program.C[np.ix_(rows, variables)], program.h[rows], program.lower[variables], program.upper[variables],
        program.start[variables], program.x[variables], program.y, program.u[rows], program.z[variables],
    )  # fmt: skip
    assert_solution(QUADRATIC.solve(permuted.start, permuted.p), permuted)


@given(quadratics(), st.tuples(*[st.floats(-3.0, 3.0)] * (EQUALITIES + INEQUALITIES)))
@few
def test_a_row_in_other_units_has_its_multiplier_in_the_inverse(program: Quadratic, powers: tuple[float, ...]) -> None:
    s = 10.0 ** np.array(powers)
    s_A, s_C = s[:EQUALITIES], s[EQUALITIES:]
    scaled = replace(
        program, A=s_A[:, None] * program.A, b=s_A * program.b, C=s_C[:, None] * program.C, h=s_C * program.h
    )
    solution = QUADRATIC.solve(scaled.start, scaled.p)
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    assert_close(solution.x, program.x)
    assert_close(solution.multipliers["equal"] * s_A, program.y)
    assert_close(solution.multipliers["below"] * s_C, program.u)
    assert_close(solution.bound_multipliers, program.z)


@given(quadratics(), st.floats(-8.0, 8.0))
@few
def test_an_objective_in_other_units_has_all_multipliers_in_them(program: Quadratic, power: float) -> None:
    s = 10.0**power
    scaled = replace(program, Q=s * program.Q, q=s * program.q)
    assert_solution(QUADRATIC.solve(scaled.start, scaled.p), program, scale=s)


@given(quadratics(), SEEDS, st.floats(0.0, 3.0))
@few
def test_a_shift_of_x_shifts_the_solution(program: Quadratic, seed: int, power: float) -> None:
    # x -> x + t, with f(x - t): q becomes q - Q t, sides and bounds move along.
    t = 10.0**power * np.random.default_rng(seed).normal(size=N)
    shifted = replace(
        program, q=program.q - program.Q @ t, b=program.b + program.A @ t, h=program.h + program.C @ t,
        lower=program.lower + t, upper=program.upper + t, x=program.x + t,
    )  # fmt: skip
    solution = QUADRATIC.solve(program.start + t, shifted.p)
    # Numbers as large as |t| lose digits of the multipliers.
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    assert_close(solution.x, shifted.x)
    assert_close(solution.multipliers["below"], program.u, 1e-6)
    assert_close(solution.bound_multipliers, program.z, 1e-6)


@given(quadratics())
@few
def test_solving_again_from_the_solution_takes_at_most_two_iterations(program: Quadratic) -> None:
    first = QUADRATIC.solve(program.start, program.p)
    again = QUADRATIC.solve(first.x, program.p)
    warm = QUADRATIC.solve(first.x, program.p, warm=first)
    assert again.success and again.iterations <= 2
    assert warm.success and warm.iterations <= 1
    for solution in (again, warm):
        assert_solution(solution, program)


# Maximize and minimize -----------------------------------------------------------------------------------

CONSTRAINTS: dict[str, lg.Constraint] = {
    "budget": lg.at_most(lambda x, p: p["price"] @ x, lambda p: p["income"]),
    "mix": lg.equals(lambda x, p: x[0] - p["ratio"] * x[1], 0.0),
}


def utility(x: Any, p: Any) -> Any:
    return p["weight"] @ np.log(x) - 0.1 * x @ x


MAXIMIZE = lg.Problem(maximize=utility, subject_to=CONSTRAINTS, bounds=(1e-3, 1.5))
MINIMIZE = lg.Problem(minimize=lambda x, p: -utility(x, p), subject_to=CONSTRAINTS, bounds=(1e-3, 1.5))


def market(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "weight": rng.uniform(0.5, 2.0, 3),
        "price": rng.uniform(0.5, 2.0, 3),
        "income": rng.uniform(1.0, 4.0),
        "ratio": rng.uniform(0.5, 2.0),
    }


@given(SEEDS)
@few
def test_maximizing_is_minimizing_the_negative(seed: int) -> None:
    p, x0 = market(seed), np.full(3, 0.5)
    up, down = MAXIMIZE.solve(x0, p), MINIMIZE.solve(x0, p)
    assert up.success and down.success and up.kind is down.kind
    assert_close(up.x, down.x)
    assert_close(up.objective, -down.objective)
    for name in CONSTRAINTS:
        assert_close(up.multipliers[name], down.multipliers[name])
        assert_close(up.shadow_prices[name], -down.shadow_prices[name])
        assert_close(up.shadow_prices[name], up.multipliers[name])
    assert_close(up.bound_multipliers, down.bound_multipliers)
    assert up.shadow_prices["budget"] >= -RECOVERED  # more income is never worse


# Shadow prices are derivatives ---------------------------------------------------------------------------

STEPS = 0.02 * 0.5 ** np.arange(3)
ORDER = 1.8  # of central differences is 2
DIFFERENCE_ROUNDING = 1e-7


@pytest.mark.parametrize("problem", [MAXIMIZE, MINIMIZE], ids=["maximize", "minimize"])
@given(seed=SEEDS)
@settings(few, max_examples=10)
def test_the_shadow_price_is_the_derivative_of_the_objective(problem: lg.Problem, seed: int) -> None:
    p, x0 = market(seed), np.full(3, 0.5)
    solution = problem.solve(x0, p)
    moved = [problem.solve(x0, {**p, "income": p["income"] + s * h}) for h in STEPS for s in (1.0, -1.0)]
    assert solution.success and all(item.success for item in moved)
    assume(all(item.active == solution.active for item in moved))  # no kink between
    values = np.array([item.objective for item in moved]).reshape(-1, 2)
    errors = np.abs((values[:, 0] - values[:, 1]) / (2.0 * STEPS) - solution.shadow_prices["budget"])
    # The error falls with the square of the step, down to rounding.
    falls = errors[1:] <= errors[:-1] * 0.5**ORDER
    assert (falls | (errors[1:] < DIFFERENCE_ROUNDING)).all(), errors


# Nonconvex: success means the KKT conditions, checked without the package --------------------------------

WAVES = lg.Problem(
    minimize=lambda x, p: p["height"] @ np.cos(p["wave"] @ x + p["phase"]),
    subject_to={"half": lg.at_most(lambda x, p: p["normal"] @ x, lambda p: p["offset"])},
    bounds=(-2.0, 2.0),
)
BOX = 2.0
KKT_TOLERANCE = 1e-6
NEARBY = 1e-5
ROUNDING = 1e-12


def waves(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    normal, inside = rng.normal(size=3), rng.uniform(-BOX, BOX, 3)
    return {
        "height": rng.normal(size=6),
        "wave": 2.0 * rng.normal(size=(6, 3)),
        "phase": rng.uniform(0.0, 2.0 * np.pi, 6),
        "normal": normal,
        "offset": normal @ inside,
    }


def wave_height(x: Vector, p: dict[str, Any]) -> Vector:
    """The objective at one point or at many (rows)."""
    return np.asarray(np.cos(x @ p["wave"].T + p["phase"]) @ p["height"])


@given(SEEDS)
@settings(few, max_examples=100)
def test_success_on_nonconvex_problems_means_a_local_minimum(seed: int) -> None:
    p = waves(seed)
    rng = np.random.default_rng(seed)
    solution = WAVES.solve(rng.uniform(-BOX, BOX, 3), p)
    assert solution.success  # the feasible set is convex, bounded and not empty
    x, u, z = solution.x, solution.multipliers["half"], solution.bound_multipliers
    gradient = -p["wave"].T @ (p["height"] * np.sin(p["wave"] @ x + p["phase"]))
    slack = p["offset"] - p["normal"] @ x
    np.testing.assert_allclose(gradient + u * p["normal"] + z, 0.0, atol=KKT_TOLERANCE)
    assert slack >= -KKT_TOLERANCE and (np.abs(x) <= BOX + KKT_TOLERANCE).all()
    assert u >= -KKT_TOLERANCE and abs(u * slack) <= KKT_TOLERANCE
    assert (z * x >= -KKT_TOLERANCE).all()  # z > 0 at the upper bound, z < 0 at the lower
    np.testing.assert_allclose(z * (BOX - np.abs(x)), 0.0, atol=KKT_TOLERANCE)
    # And no feasible point nearby is lower.
    near = np.clip(x + NEARBY * rng.normal(size=(500, 3)), -BOX, BOX)
    near = near[near @ p["normal"] <= p["offset"]]
    assert (wave_height(near, p) >= wave_height(x, p) - ROUNDING).all()


# Starts --------------------------------------------------------------------------------------------------

ROSENBROCK = lg.Problem(minimize=lambda x: (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2)


@pytest.mark.parametrize("start", [[-1.2, 1.0], [3.0, -4.0], [0.0, 0.0], [-50.0, 20.0]])
def test_the_answer_does_not_depend_on_the_start_where_it_is_unique(start: list[float]) -> None:
    solution = ROSENBROCK.solve(start)
    assert solution.success and solution.kind is PointKind.STRICT_MINIMUM
    assert_close(solution.x, [1.0, 1.0])
