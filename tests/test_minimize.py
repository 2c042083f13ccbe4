"""`minimize` against SciPy's own methods, against hand-computed answers, and on every form of bad input."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import BFGS, Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult
from scipy.sparse.linalg import aslinearoperator

from lagrange import DerivativeWarning, PointKind, StopReason
from lagrange.interfaces.minimize import _settings as settings_of
from lagrange.interfaces.minimize import _status as status_of
from lagrange.interfaces.minimize import minimize

pytestmark = pytest.mark.filterwarnings("error")

Array = NDArray[np.float64]

AGREEMENT = 1e-7  # of x and multipliers with exact answers
SCIPY_AGREEMENT = 1e-5  # with SciPy's methods, whose tolerances are looser


# --- problems with known answers ---------------------------------------------------------------------------


def rosenbrock(x: Array) -> Any:
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


def rosenbrock_gradient(x: Array) -> Array:
    bend = x[1] - x[0] ** 2
    return np.array([-2.0 * (1.0 - x[0]) - 400.0 * x[0] * bend, 200.0 * bend])


def rosenbrock_hessian(x: Array) -> Array:
    return np.array([[2.0 - 400.0 * (x[1] - 3.0 * x[0] ** 2), -400.0 * x[0]], [-400.0 * x[0], 200.0]])


def rosenbrock_product(x: Array, direction: Array) -> Array:
    return rosenbrock_hessian(x) @ direction


def hs71(x: Array) -> Any:
    return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]


def hs71_gradient(x: Array) -> Array:
    return np.array([x[3] * (2 * x[0] + x[1] + x[2]), x[0] * x[3], x[0] * x[3] + 1, x[0] * (x[0] + x[1] + x[2])])


def product(x: Array) -> Any:
    return x[0] * x[1] * x[2] * x[3]


def product_gradient(x: Array) -> Array:
    return np.array([x[1] * x[2] * x[3], x[0] * x[2] * x[3], x[0] * x[1] * x[3], x[0] * x[1] * x[2]])


def squares(x: Array) -> Any:
    return (x**2).sum()


HS71_START = [1, 5, 5, 1]
HS71_BOUNDS = [(1, 5)] * 4
HS71_DICTS = [
    {"type": "ineq", "fun": lambda x: product(x) - 25.0},
    {"type": "eq", "fun": lambda x: squares(x) - 40.0},
]

# minimize |x - TARGET|^2 with one upper, one lower side and one equality, all active: v = 2 (TARGET - x).
TARGET = np.array([3.0, -3.0, 0.0])
LOWER, UPPER = np.array([-np.inf, -1.0, 1.0]), np.array([1.0, 5.0, 1.0])
NEAREST, PRICES = np.array([1.0, -1.0, 1.0]), np.array([4.0, -4.0, -2.0])


def distance(x: Array) -> Any:
    return ((x - TARGET) ** 2).sum()


def by_scipy(*args: Any, **kwargs: Any) -> OptimizeResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # trust-constr warns of linear functions
        return scipy.optimize.minimize(*args, **kwargs)


def assert_close(actual: Any, expected: Any, tolerance: float = AGREEMENT) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


# --- the objective and its derivatives ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "derivatives",
    [
        {},
        {"jac": "2-point", "hess": "cs"},
        {"jac": False, "hess": BFGS()},
        {"jac": rosenbrock_gradient},
        {"hess": rosenbrock_hessian},
        {"jac": rosenbrock_gradient, "hess": rosenbrock_hessian},
        {"jac": rosenbrock_gradient, "hess": lambda x: sparse.csr_array(rosenbrock_hessian(x))},
        {"jac": rosenbrock_gradient, "hess": lambda x: aslinearoperator(rosenbrock_hessian(x))},
        {"jac": rosenbrock_gradient, "hessp": rosenbrock_product},
    ],
    ids=lambda derivatives: "-".join(derivatives) or "none",
)
def test_rosenbrock_with_every_source_of_derivatives(derivatives: dict[str, Any]) -> None:
    result = minimize(rosenbrock, [-1.2, 1.0], **derivatives)
    assert result.success and result.status == 0 and result.kind is PointKind.STRICT_MINIMUM
    assert_close(result.x, [1.0, 1.0])
    assert_close(result.jac, rosenbrock_gradient(result.x))
    assert_close(result.grad, result.jac)
    assert_close(result.hess, rosenbrock_hessian(result.x), 1e-12)
    assert result.v == [] and result.constr == []
    assert result.solution.success


def test_supplied_derivatives_are_called_and_counted() -> None:
    calls: dict[str, int] = {"fun": 0, "jac": 0, "hess": 0}

    def counted(name: str, function: Callable[[Array], Any]) -> Callable[[Array], Any]:
        def call(x: Array) -> Any:
            calls[name] += 1
            return function(x)

        return call

    result = minimize(
        counted("fun", rosenbrock),
        [-1.2, 1.0],
        jac=counted("jac", rosenbrock_gradient),
        hess=counted("hess", rosenbrock_hessian),
    )
    assert calls["fun"] == result.nfev + 1  # the first look at the function is not counted
    assert (calls["jac"], calls["hess"]) == (result.njev, result.nhev)


def test_value_and_gradient_from_one_call() -> None:
    points: list[Array] = []

    def both(x: Array) -> tuple[float, list[float]]:
        points.append(x.copy())
        slope = math.exp(float(x[0]))  # float() is what JAX cannot follow
        return slope - x[0] + x[1] ** 2, [slope - 1.0, 2.0 * x[1]]

    result = minimize(both, [1.0, 2.0], jac=True, hess=lambda x: np.diag([math.exp(float(x[0])), 2.0]))
    assert result.success
    assert_close(result.x, [0.0, 0.0])
    assert not any(np.array_equal(before, after) for before, after in pairwise(points))


def test_value_and_gradient_that_jax_can_follow() -> None:
    result = minimize(lambda x: (rosenbrock(x), rosenbrock_gradient(x)), [-1.2, 1.0], jac=True)
    assert_close(result.x, [1.0, 1.0])


def test_jax_functions() -> None:
    def objective(x: Any) -> Any:
        return jnp.sum(jnp.exp(x) - x)

    plain = minimize(objective, [-1.0, 1.0])
    given = minimize(jax.jit(objective), [-1.0, 1.0], jac=jax.grad(objective), hess=jax.hessian(objective))
    paired = minimize(jax.value_and_grad(objective), [-1.0, 1.0], jac=True)
    for result in (plain, given, paired):
        assert result.success
        assert_close(result.x, [0.0, 0.0])


def test_supplied_jax_derivatives_are_float64() -> None:
    def objective(x: Any) -> Any:
        return jnp.sum(jnp.exp(x) - x)

    result = minimize(objective, [-1.0, 1.0], jac=jax.grad(objective))
    assert_close(result.grad, np.expm1(result.x), 1e-15)


def test_the_hessian_is_exact_where_only_the_gradient_is_given() -> None:
    def objective(x: Array) -> Any:
        return math.exp(x[0]) + np.sum(np.array([x[1], x[0]]) ** 4)

    def gradient(x: Array) -> Array:
        return np.array([math.exp(x[0]) + 4 * x[0] ** 3, 4 * x[1] ** 3])

    result = minimize(objective, [1.0, 2.0], jac=gradient)
    assert_close(result.hess, np.diag([math.exp(result.x[0]) + 12 * result.x[0] ** 2, 12 * result.x[1] ** 2]), 1e-14)


def test_args_reach_every_function_of_the_objective_and_are_followed_by_jax() -> None:
    def shifted(x: Array, shift: Array, options: dict[str, float]) -> Any:
        y = np.array([x[0], x[1]]) - shift
        return options["scale"] * math.exp(y[0]) - options["scale"] * y[0] + np.dot(y, y)

    shift, scale = np.array([1.0, -2.0]), {"scale": 3.0}
    result = minimize(shifted, [0.0, 0.0], args=(shift, scale))
    assert_close(result.x, shift)

    def gradient(x: Array, a: float) -> Array:
        return 2.0 * (x - a)

    for derivatives in (
        {"jac": gradient, "hess": lambda x, a: 2.0 * np.eye(2)},
        {"jac": gradient, "hessp": lambda x, d, a: 2.0 * d},
    ):
        result = minimize(lambda x, a: ((x - a) ** 2).sum(), [0.0, 0.0], args=7.0, **derivatives)
        assert_close(result.x, [7.0, 7.0])
        assert_close(result.hess, 2.0 * np.eye(2))


def test_a_second_parameter_with_a_default_is_not_taken_for_parameters_of_the_problem() -> None:
    def power(x: Array, p: int = 2) -> Any:
        return (x[0] - 1.0) ** p

    assert_close(minimize(power, [5.0]).x, [1.0])


@pytest.mark.parametrize("start", [3, 3.0, np.float64(3.0), [3], np.array(3), np.array([3])])
def test_x_is_a_float_vector_for_every_start(start: Any) -> None:
    seen: list[Any] = []

    def objective(x: Array) -> Any:
        seen.append((type(x), x.dtype, x.shape))
        return (x - 0.5) ** 2  # an array of size 1

    result = minimize(objective, start, jac=lambda x: 2.0 * (x - 0.5), hess=lambda x: [[2.0]])
    assert set(seen) == {(np.ndarray, np.dtype(np.float64), (1,))}
    assert_close(result.x, [0.5])
    assert isinstance(result.fun, float) and result.x.shape == (1,)


def test_functions_may_change_their_x() -> None:
    def gradient(x: Array) -> Array:
        x *= 2.0
        return x

    def above_one(x: Array) -> Any:
        x -= 1.0
        return x

    result = minimize(squares, [4.0, 3.0], jac=gradient, constraints=[{"type": "ineq", "fun": above_one}])
    assert_close(result.x, [1.0, 1.0])


def test_a_function_that_jax_cannot_follow_is_solved_with_a_warning() -> None:
    def branching(x: Array, center: float) -> Any:
        return (x[0] - center) ** 2 if x[0] > -100.0 else x[0] ** 2

    with pytest.warns(DerivativeWarning, match="branching"):
        result = minimize(branching, [1.0], args=(4.0,))
    assert_close(result.x, [4.0], 1e-6)


# --- constraints and bounds --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hs71_by_trust_constr() -> OptimizeResult:
    constraints = [
        NonlinearConstraint(product, 25.0, np.inf, jac=product_gradient),
        NonlinearConstraint(squares, 40.0, 40.0, jac=lambda x: 2.0 * x),
    ]
    return by_scipy(
        hs71,
        HS71_START,
        jac=hs71_gradient,
        bounds=HS71_BOUNDS,
        constraints=constraints,
        method="trust-constr",
        options={"xtol": 1e-12, "gtol": 1e-9, "maxiter": 2000},
    )


def test_hs71_with_dicts_agrees_with_slsqp() -> None:
    reference = by_scipy(
        hs71, HS71_START, bounds=HS71_BOUNDS, constraints=HS71_DICTS, method="SLSQP", options={"ftol": 1e-12}
    )
    result = minimize(hs71, HS71_START, bounds=HS71_BOUNDS, constraints=HS71_DICTS)
    assert result.success
    assert_close(result.x, reference.x, SCIPY_AGREEMENT)
    assert_close(result.fun, reference.fun, SCIPY_AGREEMENT)


@pytest.mark.parametrize("supplied", [False, True], ids=["derived", "supplied"])
def test_hs71_agrees_with_trust_constr_multipliers_included(
    supplied: bool, hs71_by_trust_constr: OptimizeResult
) -> None:
    first = {"jac": lambda x: sparse.csr_array(product_gradient(x)[None, :])} if supplied else {}
    second = {"jac": lambda x: 2.0 * x, "hess": lambda x, v: sparse.diags_array(np.full(4, 2.0 * v[0]))}
    constraints = [
        NonlinearConstraint(product, 25.0, np.inf, **first),
        NonlinearConstraint(squares, [40.0], [40.0], **(second if supplied else {})),
    ]
    result = minimize(hs71, HS71_START, bounds=Bounds(1.0, 5.0), constraints=constraints)
    assert result.success
    for name in ("x", "fun", "grad"):
        assert_close(result[name], hs71_by_trust_constr[name], SCIPY_AGREEMENT)
    assert len(result.v) == len(hs71_by_trust_constr.v) == len(result.constr) == 3
    for name in ("v", "constr"):
        for ours, theirs in zip(result[name], hs71_by_trust_constr[name], strict=True):
            assert ours.shape == theirs.shape
            assert_close(ours, theirs, 10 * SCIPY_AGREEMENT)


def test_the_fields_are_what_they_are_called() -> None:
    result = minimize(hs71, HS71_START, bounds=HS71_BOUNDS, constraints=HS71_DICTS)
    x, (of_product, of_squares, of_bounds) = result.x, result.v
    gradient = hs71_gradient(x) + of_product * product_gradient(x) + of_squares * 2.0 * x + of_bounds
    assert_close(result.lagrangian_grad, gradient, 1e-12)
    assert result.optimality == np.abs(result.lagrangian_grad).max() < AGREEMENT
    assert_close(result.jac, hs71_gradient(x), 1e-12)
    assert result.fun == pytest.approx(hs71(x), rel=1e-14)
    assert_close(result.constr[0], [product(x) - 25.0], 1e-12)
    assert_close(result.constr[1], [squares(x) - 40.0], 1e-12)
    assert_close(result.constr[2], x, 0.0)
    violation = max(25.0 - product(x), abs(squares(x) - 40.0), (1.0 - x).max(), (x - 5.0).max(), 0.0)
    assert result.maxcv == result.constr_violation == pytest.approx(violation, abs=1e-14)
    assert result.nit == result.solution.iterations > 0
    assert result.execution_time >= result.solution.time
    assert result.message == result.solution.message
    assert "solution" in str(result)


def test_the_largest_violation_is_reported_at_an_infeasible_point() -> None:
    result = minimize(squares, [5.0, 5.0], constraints=LinearConstraint(np.eye(2), [7.0, 9.0]), options={"maxiter": 0})
    assert not result.success
    assert result.maxcv == pytest.approx(4.0, abs=0.5)  # x0 as it is, up to a push inside the sides


@pytest.mark.parametrize(
    "constraint",
    [
        LinearConstraint(np.eye(3), LOWER, UPPER),
        LinearConstraint(sparse.csr_array(np.eye(3)), LOWER, UPPER),
        LinearConstraint(sparse.coo_matrix(np.eye(3)), LOWER, UPPER),
        NonlinearConstraint(lambda x: 1.0 * x, LOWER, UPPER),
        NonlinearConstraint(lambda x: [x[0], x[1], x[2]], list(LOWER), list(UPPER), jac="3-point"),
        NonlinearConstraint(lambda x: x, LOWER, UPPER, jac=lambda x: np.eye(3), hess=lambda x, v: np.zeros((3, 3))),
        NonlinearConstraint(lambda x: x, LOWER, UPPER, jac=lambda x: sparse.eye_array(3, format="csc")),
    ],
    ids=["dense", "csr", "coo", "nonlinear", "list", "with derivatives", "sparse jacobian"],
)
def test_upper_lower_and_equal_sides_in_one_constraint(constraint: Any) -> None:
    result = minimize(distance, np.zeros(3), constraints=constraint)
    assert result.success
    assert_close(result.x, NEAREST)
    assert_close(result.v[0], PRICES)
    assert len(result.v) == 1


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(LOWER, UPPER),
        [(None, 1), (-1, 5), (1, 1)],
        ((-np.inf, 1.0), (-1.0, 5.0), (1.0, 1.0)),
        np.column_stack([LOWER, UPPER]),
        zip(LOWER, UPPER, strict=True),
    ],
    ids=["Bounds", "with None", "tuples", "array", "zip"],
)
def test_every_form_of_bounds(bounds: Any) -> None:
    result = minimize(distance, np.zeros(3), bounds=bounds)
    assert result.success
    assert_close(result.x, NEAREST)
    assert_close(result.v[-1], PRICES)
    assert len(result.v) == len(result.constr) == 1


def test_two_variables_with_two_bounds_are_not_mixed_up() -> None:
    result = minimize(squares, [3.0, 3.0], bounds=[(1.0, 9.0), (2.0, 8.0)])
    assert_close(result.x, [1.0, 2.0])


def test_an_inactive_two_sided_constraint_and_a_row_without_sides_have_no_multiplier() -> None:
    constraint = NonlinearConstraint(lambda x: [x[0] + x[1], x[0] - x[1]], [-1.0, -np.inf], [1.0, np.inf])
    result = minimize(squares, [3.0, 4.0], constraints=constraint)
    assert_close(result.x, [0.0, 0.0])
    assert_close(result.v[0], [0.0, 0.0])


def test_dicts_with_jac_and_args() -> None:
    calls: list[float] = []

    def gradient(x: Array, total: float) -> list[float]:
        calls.append(total)
        return [1.0, 1.0]

    constraint = {"type": "EQ", "fun": lambda x, total: x[0] + x[1] - total, "jac": gradient, "args": (4.0,)}
    result = minimize(squares, [0.0, 0.0], constraints=constraint)
    assert_close(result.x, [2.0, 2.0])
    assert_close(result.v[0], [-4.0])
    assert set(calls) == {4.0}


def test_a_dict_of_type_ineq_is_a_lower_side() -> None:
    active = {"type": "ineq", "fun": lambda x: x[0] - 2.0}
    inactive = {"type": "ineq", "fun": lambda x: x[1] + 1.0}
    result = minimize(squares, [5.0, 5.0], constraints=[active, inactive])
    assert_close(result.x, [2.0, 0.0])
    assert_close(np.concatenate(result.v), [-4.0, 0.0])


def test_constraints_have_the_names_of_their_functions_where_these_are_unique() -> None:
    def twice(x: Array) -> Any:
        return x[0] + 10.0

    constraints = [
        {"type": "ineq", "fun": product},
        NonlinearConstraint(lambda x: x[0] + 10.0, 0.0, np.inf),
        LinearConstraint([[1.0, 0.0, 0.0, 0.0]], -10.0),
        {"type": "ineq", "fun": twice},
        NonlinearConstraint(twice, 0.0, np.inf),
    ]
    names = list(minimize(squares, np.ones(4), constraints=constraints).solution.multipliers)
    assert names == ["product", "constraint 1", "constraint 2", "constraint 3", "constraint 4"]


@pytest.mark.parametrize("constraints", [None, (), []])
def test_no_constraints(constraints: Any) -> None:
    assert minimize(squares, [1.0], constraints=constraints).v == []


# --- callback and options ----------------------------------------------------------------------------------


def test_callback_gets_x_or_the_intermediate_result_by_the_name_of_its_parameter() -> None:
    points: list[Array] = []
    states: list[OptimizeResult] = []

    def keep(intermediate_result: OptimizeResult) -> None:
        states.append(intermediate_result)

    first = minimize(rosenbrock, [-1.2, 1.0], callback=points.append)
    second = minimize(rosenbrock, [-1.2, 1.0], callback=keep)
    assert len(points) == len(states) == first.nit == second.nit
    assert all(np.array_equal(x, state.x) for x, state in zip(points, states, strict=True))
    assert [state.nit for state in states] == list(range(1, len(states) + 1))
    assert all(state.fun == pytest.approx(rosenbrock(state.x)) for state in states)


def test_a_callback_may_change_its_x_and_return_anything_but_true() -> None:
    def meddle(xk: Array) -> Array:
        xk[:] = 99.0
        return xk

    assert_close(minimize(rosenbrock, [-1.2, 1.0], callback=meddle).x, [1.0, 1.0])


@pytest.mark.parametrize("how", ["StopIteration", "True", "numpy"])
def test_a_callback_stops_the_solve_at_the_last_point(how: str) -> None:
    points: list[Array] = []

    def stop_at_third(xk: Array) -> Any:
        points.append(xk)
        if len(points) < 3:
            return False
        if how == "StopIteration":
            raise StopIteration
        return True if how == "True" else np.True_

    result = minimize(rosenbrock, [-1.2, 1.0], callback=stop_at_third)
    assert len(points) == result.nit == 3
    assert_close(result.x, points[-1], 0.0)
    assert not result.success and result.status == 3
    assert result.solution.stop is StopReason.STOPPED_BY_USER


@pytest.mark.parametrize("name", ["maxiter", "max_iterations"])
def test_iteration_limit(name: str) -> None:
    result = minimize(rosenbrock, [-1.2, 1.0], options={name: 2})
    assert (result.nit, result.status, result.success) == (2, 1, False)
    assert "iteration limit" in result.message


def test_time_limit() -> None:
    result = minimize(rosenbrock, [-1.2, 1.0], options={"time_limit": 1e-12})
    assert (result.nit, result.status, result.success) == (1, 2, False)


def test_disp_prints_and_silence_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    minimize(squares, [1.0, 1.0], options={"disp": False})
    assert capsys.readouterr().out == ""
    minimize(squares, [1.0, 1.0], options={"disp": True})
    assert "objective" in capsys.readouterr().out


def test_tol_and_options_become_settings_of_the_solve() -> None:
    assert settings_of("newton-kkt", 1e-3, {"maxiter": 7, "disp": True, "time_limit": 2.0}) == {
        "method": "newton-kkt",
        "tol": 1e-3,
        "max_iterations": 7,
        "verbose": 1,
        "time_limit": 2.0,
    }
    assert settings_of(None, None, {"tol": 1e-4, "disp": 5}) == {"tol": 1e-4, "verbose": 5}
    assert settings_of(None, None, None) == {}
    assert minimize(rosenbrock, [-1.2, 1.0], tol=1e-12).optimality <= 1e-10


def test_the_signature_is_scipys() -> None:
    assert list(inspect.signature(minimize).parameters) == list(inspect.signature(scipy.optimize.minimize).parameters)
    result = minimize(rosenbrock, [0.0, 0.0], (), None, rosenbrock_gradient, None, None, [(0.0, 0.5), (0.0, 1.0)])
    assert_close(result.x, [0.5, 0.25])


# --- how a solve can end -----------------------------------------------------------------------------------


def test_infeasible() -> None:
    constraints = [{"type": "ineq", "fun": lambda x: x[0] - 2.0}, {"type": "ineq", "fun": lambda x: -x[0]}]
    result = minimize(squares, [1.0, 1.0], constraints=constraints)
    assert not result.success and result.status == 5
    assert "constraint 0" in result.message and "constraint 1" in result.message
    assert result.maxcv >= 1.0 - AGREEMENT


def test_unbounded() -> None:
    result = minimize(lambda x: -x[0], [1.0])
    assert not result.success and result.status == 6 and result.kind is PointKind.UNBOUNDED


def test_not_finite_at_the_start() -> None:
    result = minimize(lambda x: x[0] * np.nan, [1.0])
    assert not result.success and result.status == 4
    assert math.isnan(result.fun)


def test_status_zero_is_success_and_everything_else_is_not() -> None:
    documented = {
        (StopReason.CONVERGED, PointKind.STRICT_MINIMUM): 0,
        (StopReason.ITERATION_LIMIT, PointKind.MINIMUM_NOT_STRICT): 0,
        (StopReason.ITERATION_LIMIT, PointKind.NOT_STATIONARY): 1,
        (StopReason.TIME_LIMIT, PointKind.NOT_STATIONARY): 2,
        (StopReason.STOPPED_BY_USER, PointKind.NOT_STATIONARY): 3,
        (StopReason.NOT_FINITE, PointKind.NOT_STATIONARY): 4,
        (StopReason.CONVERGED, PointKind.INFEASIBLE_STATIONARY): 5,
        (StopReason.CONVERGED, PointKind.UNBOUNDED): 6,
        (StopReason.CONVERGED, PointKind.SADDLE_OR_MAXIMUM): 7,
        (StopReason.NO_PROGRESS, PointKind.FRITZ_JOHN): 8,
        (StopReason.NO_PROGRESS, PointKind.NOT_STATIONARY): 9,
    }
    for (stop, kind), status in documented.items():
        ending: Any = SimpleNamespace(stop=stop, kind=kind, success=kind.is_minimum)
        assert status_of(ending) == status, (stop, kind)


# --- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "SLSQP"}, "method must be None or 'newton-kkt' or 'feasible-path'.*'SLSQP'.*none of SciPy's"),
        ({"method": scipy.optimize.minimize}, "method must be None or 'newton-kkt'"),
        (
            {"options": {"gtol": 1e-6}},
            "unknown option 'gtol'; the options are maxiter, disp, .*max_iterations",
        ),
        ({"options": {"maxiter": 5, "max_iterations": 6}}, "max_iterations is given twice"),
        ({"tol": 1e-6, "options": {"tol": 1e-7}}, "tol is given twice"),
        ({"tol": -1.0}, "tol must be a number between"),
        ({"options": {"maxiter": 2.5}}, "max_iterations must be an integer >= 0, got 2.5"),
        ({"x0": [[1.0, 2.0]]}, r"x0 must be a number or have one dimension, got shape \(1, 2\)"),
        ({"x0": []}, "x0 is empty"),
        ({"jac": "4-point"}, "jac must be a function, None or one of .*got '4-point'"),
        ({"jac": np.ones(2)}, "jac must be a function"),
        ({"hess": np.eye(2)}, "hess must be a function"),
        ({"hessp": 3}, "hessp must be a function"),
        ({"fun": lambda x: x}, r"objective '<lambda>' must return one number, got an array of shape \(2,\)"),
        (
            {"jac": lambda x: np.ones(3)},
            r"Jacobian of objective 'squares' has shape \(3,\), expected .*\(2,\)",
        ),
        ({"jac": lambda x: None}, "Jacobian of objective 'squares' must return real numbers"),
        (
            {"hess": lambda x: np.ones((2, 3))},
            r"Hessian of objective 'squares' has shape \(2, 3\), expected \(2, 2\)",
        ),
        ({"bounds": [(1.0, 0.0), (0.0, 1.0)]}, r"bounds of variable 'x\[0\]' .*lower 1, upper 0"),
        ({"bounds": [(np.nan, 0.0), (0.0, 1.0)]}, r"bounds of variable 'x\[0\]'"),
        ({"bounds": [(0.0, 1.0)]}, "bounds has 1 pairs, but x0 has 2 elements"),
        ({"bounds": [0.0, 1.0]}, r"bounds\[0\] must be a pair \(low, high\), got 0.0"),
        ({"bounds": Bounds([0.0, 0.0, 0.0], 1.0)}, r"lower bound x has shape \(3,\), expected \(2,\)"),
        ({"bounds": Bounds(0.0, 1.0, keep_feasible=True)}, "bounds: keep_feasible=True cannot be promised"),
        (
            {"constraints": NonlinearConstraint(product, 0.0, 1.0, keep_feasible=True)},
            "constraint 0: keep_feasible=True cannot be promised",
        ),
        (
            {"constraints": LinearConstraint(np.ones((1, 3)))},
            "A of constraint 0 has 3 columns, but x0 has 2 elements",
        ),
        (
            {"constraints": {"type": "equal", "fun": squares}},
            "type of constraint 0 must be 'eq' or 'ineq', got 'equal'",
        ),
        ({"constraints": {"fun": squares}}, r"constraint 0 has the keys \['fun'\]; needed are type and fun"),
        ({"constraints": [{"type": "eq", "fun": squares, "jacobian": 1}]}, "allowed jac and args"),
        (
            {"constraints": NonlinearConstraint(squares, 0.0, 1.0, jac="exact")},
            "jac of constraint 0 must be a function",
        ),
        (
            {"constraints": NonlinearConstraint(lambda x: x, [0.0, 0.0, 0.0], 1.0)},
            r"lower side of constraint 'constraint 0' has shape \(3,\), but the function returns \(2,\)",
        ),
        (
            {"constraints": NonlinearConstraint(squares, 2.0, 1.0)},
            "constraint 'squares' is reversed or not a number: lower 2, upper 1",
        ),
        (
            {"constraints": NonlinearConstraint(lambda x: x, 0.0, 1.0, jac=lambda x: np.ones((2, 3)))},
            r"Jacobian of constraint 'constraint 0' has shape \(2, 3\), expected \(2, 2\)",
        ),
        (
            {"constraints": NonlinearConstraint(squares, 0.0, 1.0, hess=lambda x, v: np.ones(3))},
            r"Hessian of constraint 'squares' has shape \(3,\), expected \(2, 2\)",
        ),
        (
            {"constraints": {"type": "eq", "fun": squares, "jac": lambda x: np.ones(3)}},
            r"Jacobian of constraint 'squares' has shape \(3,\)",
        ),
    ],
)
def test_wrong_values_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        minimize(**{"fun": squares, "x0": [1.0, 2.0], **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fun": 3.0}, "fun must be a function, got 3.0"),
        ({"fun": lambda x: None}, "objective '<lambda>' returned None"),
        ({"fun": lambda x: "one"}, "objective '<lambda>' must return real numbers"),
        ({"jac": True}, r"with jac=True, fun must return a pair \(value, gradient\)"),
        ({"fun": lambda x, a: x[0] * a}, "missing 1 required positional argument: 'a'"),
        ({"x0": ["one"]}, "x must hold real numbers"),
        (
            {"constraints": [squares]},
            "constraint 0 must be a LinearConstraint, a NonlinearConstraint or a dict",
        ),
        ({"constraints": Bounds(0.0, 1.0)}, "constraint 0 must be a LinearConstraint"),
        ({"constraints": {"type": "eq", "fun": None}}, "fun of constraint 0 must be a function, got None"),
        ({"constraints": NonlinearConstraint(squares, None, 1.0)}, "side of a constraint is a number"),
        ({"callback": 3}, "callback must be a function, got 3"),
    ],
)
def test_wrong_types_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        minimize(**{"fun": squares, "x0": [1.0, 2.0], **arguments})


def test_a_function_that_changes_its_shape_is_named() -> None:
    def growing(x: Array) -> Any:
        return np.ones(2) if float(x[0]) == 1.0 else np.ones(3)

    with (
        pytest.warns(DerivativeWarning, match="growing"),
        pytest.raises(ValueError, match=r"constraint 'growing' returned shape \(3,\), but shape \(2,\) at x0"),
    ):
        minimize(squares, [1.0, 2.0], constraints=NonlinearConstraint(growing, 0.0, 2.0))


@pytest.mark.parametrize("where", ["fun", "constraint"])
def test_an_exception_of_a_function_comes_through_once_with_a_note(where: str) -> None:
    def failing(x: Array) -> float:
        raise ZeroDivisionError("no such model")

    bad: dict[str, Any] = {"fun": failing}
    if where == "constraint":
        bad = {"fun": squares, "constraints": {"type": "eq", "fun": failing}}
    with pytest.raises(ZeroDivisionError, match="no such model") as raised:
        minimize(**bad, x0=[1.0, 2.0])
    assert len(raised.value.__notes__) == 1
    assert "'failing'" in raised.value.__notes__[0] and "[1. 2.]" in raised.value.__notes__[0]


@pytest.mark.parametrize("which", ["jac", "hess", "callback"])
def test_an_exception_of_a_derivative_or_of_the_callback_comes_through(which: str) -> None:
    def failing(x: Array) -> float:
        raise ZeroDivisionError("no such model")

    arguments: dict[str, Any] = {which: failing}
    with pytest.raises(ZeroDivisionError, match="no such model"):
        minimize(rosenbrock, [1.0, 2.0], **arguments)
