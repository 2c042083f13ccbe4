"""Every solver of the comparison behind one door: set up once, then solve as often as one likes.

What is built before the first solve (models, symbolic work, compilation) is not measured; what one solve call
does is. Peers get the same compiled functions as `lagrange`, through a cache that answers repeated questions
at one x. The clock runs from where a callback enters Python to where it leaves, so that reshaping for a
peer's interface counts as function time; `lagrange`'s own handling around its functions counts as overhead.
What a peer's bridge between Python and its language costs is the peer's.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import lagrange as lg
from lagrange.derivatives.evaluation import Derivatives
from lagrange.model.named_pytree import Vector
from lagrange.model.status import PointKind
from problems.benchmarks.answer import MAX_ITERATIONS, TOLERANCE, Answer, Run
from problems.benchmarks.oracle import Oracle
from problems.collection import Array

TRUST_CONSTR_ITERATIONS = 1000
"""It needs more of them than the others."""
SLSQP_FTOL = 1e-10
"""Its only tolerance, on the change of the objective. It solves more of the collection with this than with
1e-8, where it stops too early, or 1e-12, where it often has the answer and cannot claim it."""
TRUST_CONSTR_GTOL = 1e-12
"""With 1e-8 it stops before its barrier parameter is small and is off by 1e-4 in f."""
TRUST_CONSTR_XTOL = 1e-10


class _ClockedProblem(lg.Problem):
    """The same problem on the oracle's compiled and clocked functions."""

    def __init__(self, problem: lg.Problem, derivatives: Derivatives) -> None:
        definition = problem.definition
        super().__init__(definition.objective, definition.constraints, definition.bounds)
        self.clocked = derivatives

    def prepare(self, x0: Any, p: Any = None) -> tuple[Derivatives, Vector, Vector]:
        _, *flat = super().prepare(x0, p)
        return self.clocked, flat[0], flat[1]


def lagrange(oracle: Oracle) -> Run:
    """This package."""
    problem = _ClockedProblem(oracle.record.problem(), oracle.clocked_derivatives())

    def run() -> Answer:
        solution = problem.solve(oracle.record.x0, tol=TOLERANCE, max_iterations=MAX_ITERATIONS)
        return Answer(
            x=solution.x,
            success=solution.success,
            no_multiplier=solution.kind is PointKind.FRITZ_JOHN,
            iterations=solution.iterations,
            evaluations=solution.evaluations.values,
            status=solution.kind.name,
        )

    return run


def ipopt(oracle: Oracle) -> Run:
    """Ipopt through CasADi."""
    from problems.benchmarks.ipopt import ipopt as prepared

    return prepared(oracle)


def pounce(oracle: Oracle) -> Run:
    """POUNCE's `Problem` with exact derivatives."""
    import pounce

    record, timed = oracle.record, oracle.clock.timed
    n, m = record.n, record.m
    lower_triangle = np.tril_indices(n)
    everywhere = tuple(indices.ravel() for indices in np.indices((m, n)))

    def hessian(x: Array, y: Array, sigma: float) -> Array:
        return oracle.hessian(x, sigma, y)[lower_triangle]

    def flat_jacobian(x: Array) -> Array:
        return oracle.jacobian(x).ravel()

    functions = SimpleNamespace(
        objective=timed(oracle.objective),
        gradient=timed(oracle.gradient),
        hessianstructure=lambda: lower_triangle,
        hessian=timed(hessian),
    )
    if m:
        functions.constraints = timed(oracle.constraints)
        functions.jacobianstructure = lambda: everywhere
        functions.jacobian = timed(flat_jacobian)
    problem = pounce.Problem(
        n, m, functions, record.lower, record.upper, record.constraint_lower, record.constraint_upper
    )
    for option, value in {"print_level": 0, "tol": TOLERANCE, "max_iter": MAX_ITERATIONS}.items():
        problem.add_option(option, value)

    def run() -> Answer:
        x, information = problem.solve(record.x0)
        status = _text(information["status_msg"])
        success = information["status"] in (0, 1)  # solved, solved to acceptable level
        return Answer(np.asarray(x), success, False, int(information["iter_count"]), oracle.evaluations, status)

    return run


def uno(oracle: Oracle, preset: str = "filtersqp") -> Run:
    """Uno with one of its presets."""
    import unopy

    record, timed = oracle.record, oracle.clock.timed
    n, m = record.n, record.m
    lower_triangle = np.tril_indices(n)

    def fill(function: Callable[..., Any]) -> Callable[..., None]:
        # Uno's callbacks write into their last argument.
        def filling(*arguments: Any) -> None:
            arguments[-1][:] = function(*arguments[:-1])

        return timed(filling)

    model = unopy.Model(unopy.PROBLEM_NONLINEAR, n, record.lower, record.upper, unopy.ZERO_BASED_INDEXING)
    model.set_objective(unopy.MINIMIZE, timed(oracle.objective), fill(oracle.gradient))
    if m:
        model.set_constraints(
            m,
            fill(oracle.constraints),
            record.constraint_lower,
            record.constraint_upper,
            m * n,
            *(indices.ravel() for indices in np.indices((m, n))),
            fill(lambda x: oracle.jacobian(x).ravel()),
        )
    model.set_lagrangian_hessian(
        lower_triangle[0].size,
        unopy.LOWER_TRIANGLE,
        *lower_triangle,
        fill(lambda x, sigma, y: oracle.hessian(x, sigma, y)[lower_triangle]),
    )
    model.set_lagrangian_sign_convention(unopy.MULTIPLIER_POSITIVE)
    model.set_initial_primal_iterate(record.x0)
    solver = unopy.UnoSolver()
    solver.set_preset(preset)
    for option, value in {"logger": "SILENT", "print_solution": False}.items():
        solver.set_option(option, value)
    for option in ("primal_tolerance", "dual_tolerance"):
        solver.set_option(option, TOLERANCE)
    solver.set_option("max_iterations", MAX_ITERATIONS)

    def run() -> Answer:
        result = solver.optimize(model)
        stopped = result.optimization_status == unopy.OptimizationStatus.SUCCESS
        return Answer(
            x=np.array(result.primal_solution),
            success=stopped and result.solution_status == unopy.SolutionStatus.FEASIBLE_KKT_POINT,
            no_multiplier=stopped and result.solution_status == unopy.SolutionStatus.FEASIBLE_FJ_POINT,
            iterations=int(result.number_iterations),
            evaluations=oracle.evaluations,
            status=f"{result.optimization_status.name}, {result.solution_status.name}",
        )

    return run


def uno_ipopt(oracle: Oracle) -> Run:
    """Uno as an interior-point method."""
    return uno(oracle, "ipopt")


def slsqp(oracle: Oracle) -> Run:
    """SciPy's SLSQP; no second derivatives."""
    from scipy.optimize import Bounds, minimize

    record, timed = oracle.record, oracle.clock.timed
    low, high = record.constraint_lower, record.constraint_upper
    equal = low == high
    above, below = np.isfinite(low) & ~equal, np.isfinite(high) & ~equal

    def inequalities(x: Array) -> Array:
        c = oracle.constraints(x)
        return np.concatenate([(c - low)[above], (high - c)[below]])

    def inequality_jacobian(x: Array) -> Array:
        jacobian = oracle.jacobian(x)
        return np.concatenate([jacobian[above], -jacobian[below]])

    def equalities(x: Array) -> Array:
        rows: Array = (oracle.constraints(x) - low)[equal]
        return rows

    def equality_jacobian(x: Array) -> Array:
        rows: Array = oracle.jacobian(x)[equal]
        return rows

    constraints = []
    if equal.any():
        constraints.append({"type": "eq", "fun": timed(equalities), "jac": timed(equality_jacobian)})
    if above.any() or below.any():
        constraints.append({"type": "ineq", "fun": timed(inequalities), "jac": timed(inequality_jacobian)})
    arguments: dict[str, Any] = {
        "fun": timed(oracle.objective),
        "jac": timed(oracle.gradient),
        "bounds": Bounds(record.lower, record.upper),
        "constraints": constraints,
        "method": "SLSQP",
        "options": {"ftol": SLSQP_FTOL, "maxiter": MAX_ITERATIONS},
    }

    def run() -> Answer:
        result = minimize(x0=record.x0, **arguments)
        return Answer(result.x, bool(result.success), False, result.nit, oracle.evaluations, result.message)

    return run


def trust_constr(oracle: Oracle) -> Run:
    """SciPy's trust-constr with exact Hessians."""
    from scipy.optimize import Bounds, NonlinearConstraint, minimize

    record, timed = oracle.record, oracle.clock.timed
    no_multipliers = np.zeros(record.m)

    def objective_hessian(x: Array) -> Array:
        return oracle.hessian(x, 1.0, no_multipliers)

    def constraint_hessian(x: Array, y: Array) -> Array:
        return oracle.hessian(x, 0.0, y)

    constraints = []
    if record.m:
        constraints.append(
            NonlinearConstraint(
                timed(oracle.constraints),
                record.constraint_lower,
                record.constraint_upper,
                jac=timed(oracle.jacobian),
                hess=timed(constraint_hessian),
            )
        )
    arguments: dict[str, Any] = {
        "fun": timed(oracle.objective),
        "jac": timed(oracle.gradient),
        "hess": timed(objective_hessian),
        "bounds": Bounds(record.lower, record.upper),
        "constraints": constraints,
        "method": "trust-constr",
        "options": {"gtol": TRUST_CONSTR_GTOL, "xtol": TRUST_CONSTR_XTOL, "maxiter": TRUST_CONSTR_ITERATIONS},
    }

    def run() -> Answer:
        result = minimize(x0=record.x0, **arguments)
        return Answer(result.x, bool(result.success), False, result.nit, oracle.evaluations, result.message)

    return run


def _text(message: Any) -> str:
    return message.decode() if isinstance(message, bytes) else str(message)


SOLVERS: dict[str, Callable[[Oracle], Run]] = {
    "lagrange": lagrange,
    "ipopt": ipopt,
    "pounce": pounce,
    "uno": uno,
    "uno-ipopt": uno_ipopt,
    "slsqp": slsqp,
    "trust-constr": trust_constr,
}

PACKAGES = {
    "ipopt": "casadi",
    "pounce": "pounce-solver",
    "uno": "unopy",
    "uno-ipopt": "unopy",
    "slsqp": "scipy",
    "trust-constr": "scipy",
}
"""The package that brings each peer."""
