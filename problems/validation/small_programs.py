"""Small convex programs said in CVXPY, with parameters where disciplined parametrized programming (DPP) allows them.

The numbers are drawn once, so that bounds and constraints are active, none of them just so, and the optimum is
unique: there the derivatives exist.
"""

from __future__ import annotations

from collections.abc import Callable

import cvxpy as cp
import numpy as np

from problems.collection import Array

SEED = 2
PROGRAMS: dict[str, Callable[[np.random.Generator], cp.Problem]] = {}
"""By name."""


def program(name: str) -> cp.Problem:
    """One of PROGRAMS, always with the same numbers."""
    return PROGRAMS[name](np.random.default_rng(SEED))


def small(make: Callable[[np.random.Generator], cp.Problem]) -> Callable[[np.random.Generator], cp.Problem]:
    """Enter a function into PROGRAMS by its name."""
    PROGRAMS[make.__name__] = make
    return make


def parameter(name: str, value: float | Array, nonneg: bool = False) -> cp.Parameter:
    """A parameter of the shape of its value."""
    return cp.Parameter(np.shape(value), value=np.asarray(value), name=name, nonneg=nonneg)


@small
def linear_program(rng: np.random.Generator) -> cp.Problem:
    """The best mix of three products under two limits."""
    x = cp.Variable(3, name="x")
    gain, limit = parameter("gain", rng.uniform(1, 2, 3)), parameter("limit", np.array([1.0, 1.5]))
    return cp.Problem(cp.Maximize(gain @ x), [rng.uniform(0.5, 1.5, (2, 3)) @ x <= limit, x >= 0])


@small
def least_squares_in_a_box(rng: np.random.Generator) -> cp.Problem:
    """Coefficients with limits fitted to data that are parameters."""
    x, b = cp.Variable(4, name="x"), parameter("b", rng.normal(size=6))
    upper = parameter("upper", 0.3)
    return cp.Problem(cp.Minimize(cp.sum_squares(rng.normal(size=(6, 4)) @ x - b)), [x >= -0.3, x <= upper])


@small
def ridge_regression(rng: np.random.Generator) -> cp.Problem:
    """The weight of the penalty and the matrix of the data are parameters."""
    x = cp.Variable(3, name="x")
    A, weight = parameter("A", rng.normal(size=(5, 3))), parameter("weight", 0.5, nonneg=True)
    return cp.Problem(cp.Minimize(cp.sum_squares(A @ x - rng.normal(size=5)) + weight * cp.sum_squares(x)))


@small
def portfolio(rng: np.random.Generator) -> cp.Problem:
    """Least variance for a wanted return, nothing sold short."""
    w, F = cp.Variable(5, name="w", nonneg=True), rng.normal(size=(5, 5))
    returns, wanted = parameter("returns", rng.uniform(size=5)), parameter("wanted", 0.6)
    risk = cp.quad_form(w, F @ F.T / 5 + 0.1 * np.eye(5))
    return cp.Problem(cp.Minimize(risk), [cp.sum(w) == 1, returns @ w >= wanted])


@small
def projection_on_a_ball(rng: np.random.Generator) -> cp.Problem:
    """Onto a ball cut by a plane."""
    x = cp.Variable(3, name="x", value=np.full(3, 0.1))
    point, radius = parameter("point", np.array([2.0, 1.0, 0.5])), parameter("radius", 1.5, nonneg=True)
    rows = [cp.norm(x - np.array([0.1, -0.2, 0.3])) <= radius, x[0] <= 0.8]
    return cp.Problem(cp.Minimize(cp.sum_squares(x - point)), rows)


@small
def sum_of_distances(rng: np.random.Generator) -> cp.Problem:
    """The place of least total distance to three towns, this side of a river."""
    x = cp.Variable(2, name="x", value=np.array([0.2, 0.3]))
    towns = [parameter(f"town{k}", town) for k, town in enumerate(np.array([[0.0, 0.0], [2.0, 0.5], [1.0, 2.0]]))]
    river = parameter("river", 1.1)
    return cp.Problem(cp.Minimize(sum(cp.norm(x - town) for town in towns)), [cp.sum(x) <= river])


@small
def second_order_cone(rng: np.random.Generator) -> cp.Problem:
    """A linear cost under a cone whose apex moves."""
    x, t = cp.Variable(2, name="x"), cp.Variable(name="t")
    cost, apex = parameter("cost", np.array([0.6, -0.3])), parameter("apex", np.array([0.2, 0.1]))
    x.value, t.value = np.array([1.0, 1.0]), np.array(2.0)
    return cp.Problem(cp.Minimize(cost @ x + t), [cp.SOC(t, x - apex), x[0] + x[1] >= 1])


@small
def maximum_entropy(rng: np.random.Generator) -> cp.Problem:
    """Probabilities with a given mean."""
    q, mean = cp.Variable(5, name="q"), parameter("mean", 3.4)
    return cp.Problem(cp.Maximize(cp.sum(cp.entr(q))), [cp.sum(q) == 1, np.arange(1.0, 6.0) @ q == mean, q[4] <= 0.25])


@small
def relative_entropy(rng: np.random.Generator) -> cp.Problem:
    """The nearest distribution to a prior that keeps a limit."""
    q, total = cp.Variable(4, name="q"), parameter("total", 3.0)
    limit = parameter("limit", 0.5)
    return cp.Problem(cp.Minimize(cp.sum(cp.kl_div(q, rng.uniform(1, 2, 4)))), [cp.sum(q) == total, q[0] <= limit])


@small
def soft_maximum(rng: np.random.Generator) -> cp.Problem:
    """log-sum-exp of linear functions: the convex form of a geometric program."""
    x, b = cp.Variable(3, name="x"), parameter("b", rng.normal(size=5))
    level = parameter("level", 1.0)
    value = cp.log_sum_exp(rng.normal(size=(5, 3)) @ x + b) + 0.5 * cp.sum_squares(x)
    return cp.Problem(cp.Minimize(value), [x[0] - 2 * x[1] == level])


@small
def logistic_regression(rng: np.random.Generator) -> cp.Problem:
    """With weights in a ball."""
    w, size = cp.Variable(3, name="w"), parameter("size", 0.3, nonneg=True)
    shift = parameter("shift", 1.0)
    loss = cp.sum(cp.logistic(rng.normal(size=(12, 3)) @ w - shift))
    return cp.Problem(cp.Minimize(loss), [cp.sum_squares(w) <= size, w[0] >= 0.1])


@small
def lasso(rng: np.random.Generator) -> cp.Problem:
    """The kinks become auxiliary variables; some coefficients are zero."""
    x, b = cp.Variable(4, name="x"), parameter("b", rng.normal(size=6))
    weight = parameter("weight", 1.5, nonneg=True)
    return cp.Problem(cp.Minimize(cp.sum_squares(rng.normal(size=(6, 4)) @ x - b) + weight * cp.norm1(x)))


@small
def robust_fit(rng: np.random.Generator) -> cp.Problem:
    """Huber's loss: some residuals count by their square, others by their size."""
    x, b = cp.Variable(2, name="x"), parameter("b", 2 * rng.normal(size=7))
    total = parameter("total", 0.7)
    return cp.Problem(cp.Minimize(cp.sum(cp.huber(rng.normal(size=(7, 2)) @ x - b, 1.0))), [cp.sum(x) <= total])


@small
def smallest_largest_residual(rng: np.random.Generator) -> cp.Problem:
    """Chebyshev's fit, a little regularized: several residuals are the largest."""
    x, largest, b = cp.Variable(2, name="x"), cp.Variable(name="largest"), parameter("b", rng.normal(size=5))
    residual = rng.normal(size=(5, 2)) @ x - b
    return cp.Problem(cp.Minimize(largest + 0.2 * cp.sum_squares(x)), [cp.norm_inf(residual) <= largest])


@small
def water_filling(rng: np.random.Generator) -> cp.Problem:
    """Logarithms, some of their shares zero."""
    x, noise = cp.Variable(4, name="x"), parameter("noise", np.array([0.8, 1.0, 1.2, 3.0]))
    power = parameter("power", 1.5)
    return cp.Problem(cp.Maximize(cp.sum(cp.log(noise + x))), [x >= 0, cp.sum(x) <= power])


@small
def matrix_with_row_sums(rng: np.random.Generator) -> cp.Problem:
    """The nearest matrix with given row sums and a smallest entry."""
    X, sums = cp.Variable((2, 3), name="X"), parameter("sums", np.array([1.0, 2.0]))
    near, least = parameter("near", rng.normal(size=(2, 3))), parameter("least", 0.2)
    return cp.Problem(cp.Minimize(cp.sum_squares(X - near)), [cp.sum(X, axis=1) == sums, least <= X])
