"""A problem of CVXPY into a `Problem`, and a `Solution` back into the problem of CVXPY."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import cvxpy as cp
import jax.numpy as jnp
import numpy as np
from cvxpy import settings as s
from cvxpy.reductions.solution import Solution as CvxpySolution

from lagrange.interfaces.cvxpy_atoms import evaluate
from lagrange.interfaces.cvxpy_bounds import bounds_of, depends_on_parameters, higher, intersected
from lagrange.interfaces.cvxpy_constraints import Translated, summed, translated
from lagrange.interfaces.cvxpy_domains import domain_bounds
from lagrange.interfaces.cvxpy_leaves import Leaves, leaves_of, parameter_values, start
from lagrange.interfaces.cvxpy_names import constraint_name, constraint_names
from lagrange.interfaces.cvxpy_norms import move_off_norms_of_zero, norm_of_zero
from lagrange.interfaces.cvxpy_pieces import pieces_of
from lagrange.interfaces.cvxpy_smoothing import Smoothing, check_atoms
from lagrange.interfaces.cvxpy_status import cvxpy_status, has_dual_values
from lagrange.model.named_pytree import Vector
from lagrange.model.program import float64_in_jax
from lagrange.problem import Problem
from lagrange.solution import Solution

Bounds = dict[int, tuple[Vector, Vector]]  # of variables, by CVXPY's id


def translate(
    problem: cp.Problem,
) -> tuple[Problem, dict[str, Any], dict[str, Any] | None, cp.Problem, Leaves, dict[int, Translated]]:
    """What `FromCvxpy` holds."""
    if not problem.variables():
        raise ValueError("the problem has no variables: there is nothing to solve for")
    check_atoms(problem)
    p = parameter_values(leaves_of(problem, [variable.name() for variable in problem.variables()]))
    convex = problem.is_dcp()
    written = {constraint.id: constraint for constraint in problem.constraints}  # one that is given twice, once
    with float64_in_jax(), _values_at_the_start(problem, _bounds(problem, domain_bounds(problem, convex))):
        move_off_norms_of_zero(problem)
        smoothing = Smoothing(convex)
        objective = smoothing.smooth(problem.objective)
        split = pieces_of(written.values())
        constraints = [smoothing.smooth(split.get(key, constraint)) for key, constraint in written.items()]
        auxiliary = [constraint for _, constraint in smoothing.constraints]
        smooth = cp.Problem(objective, constraints + auxiliary)
        names = [smoothing.variables.get(variable.id, variable.name()) for variable in smooth.variables()]
        leaves = leaves_of(smooth, names)
        domains = domain_bounds(smooth, convex)
        bounds = _bounds(smooth, domains)
        x0 = {
            name: leaves.free(name, start(variable.value, *bounds[variable.id]))
            for name, variable in leaves.variables.items()
        }
    labels = [constraint_name(c.label, str(c), i) for i, c in enumerate(written.values())]
    labels += [f"smooth form of {text}" for text, _ in smoothing.constraints]
    rows, radii = constraint_names(labels, [isinstance(constraint, cp.SOC) for constraint in constraints + auxiliary])
    parts = [translated(*item, leaves) for item in zip(constraints + auxiliary, rows, radii, strict=True)]
    is_maximum = isinstance(objective, cp.Maximize)
    stated = Problem(
        **{"maximize" if is_maximum else "minimize": _objective(objective.expr, leaves)},
        subject_to={name: row for part in parts for name, row in part.rows.items()},
        bounds=_stated_bounds(leaves, bounds, domains),
    )
    translations = {
        key: summed(part, constraint.shape) if key in split else part
        for (key, constraint), part in zip(written.items(), parts, strict=False)
    }
    return stated, x0, p, problem, leaves, translations


def _bounds(problem: cp.Problem, domains: Bounds) -> Bounds:
    """Bounds at the values that the parameters have, within the domains of atoms."""
    attributes = {variable.id: bounds_of(variable) for variable in problem.variables()}
    return {
        key: (np.maximum(lower, domains[key][0]), np.minimum(upper, domains[key][1]))
        for key, (lower, upper) in attributes.items()
    }


def _stated_bounds(leaves: Leaves, bounds: Bounds, domains: Bounds) -> Any:
    """Bounds by name; a function of p where they depend on it, or where not all p are allowed."""
    moving = [name for name, variable in leaves.variables.items() if depends_on_parameters(variable)]
    fixed = {name: tuple(leaves.free(name, side) for side in bounds[v.id]) for name, v in leaves.variables.items()}
    if not moving and not leaves.restricted:
        return fixed

    def bounds_at(p: Any) -> dict[str, Any]:
        values, result = leaves({}, p), dict(fixed)
        leaves.check(p)
        for name in moving:
            variable = leaves.variables[name]
            lower, upper = intersected(variable, lambda side: evaluate(side, values))
            low, high = domains[variable.id]
            result[name] = leaves.free(name, higher(lower, low)), leaves.free(name, -higher(-upper, -high))
        return result

    return bounds_at


def _objective(expression: cp.Expression, leaves: Leaves) -> Any:
    def objective(x: Any, p: Any = None) -> Any:
        return jnp.reshape(evaluate(expression, leaves(x, p)), ())

    return objective


@contextmanager
def _values_at_the_start(problem: cp.Problem, bounds: Bounds) -> Iterator[None]:
    # CVXPY's reformulations start their auxiliary variables from the values of the others, which are the user's: they
    # are put back. (Not `variable.value`: of a sparse variable it is no value that can be saved.)
    before = [(variable, variable._value) for variable in problem.variables()]
    try:
        for variable, value in before:
            if value is None:
                variable.save_value(start(None, *bounds[variable.id]))
        yield
    finally:
        for variable, value in before:
            variable.save_value(value)


def unpack(problem: cp.Problem, leaves: Leaves, translations: Mapping[int, Translated], solution: Solution) -> None:
    """Give the CVXPY problem the status, values and dual values of a solution. See `FromCvxpy.unpack`."""
    # The least violation of a cone, of sum of X^2 - t^2, may be found on the wrong side of it: that proves nothing.
    is_convex = problem.is_dcp() and not any(isinstance(constraint, cp.SOC) for constraint in problem.constraints)
    status = cvxpy_status(solution.result, is_convex)
    with float64_in_jax():
        values = leaves(solution.x, solution.p)
    if status == s.SOLVER_ERROR:
        raise cp.SolverError(f"lagrange found no answer. {solution.message}{norm_of_zero(problem, values)}")
    with float64_in_jax():
        primal = {variable.id: np.asarray(values[variable.id]) for variable in problem.variables()}
        duals = {}
        if has_dual_values(solution.result, status):
            duals = {key: part.dual_value(solution.multipliers, values) for key, part in translations.items()}
    objective = solution.objective
    if status in s.INF_OR_UNB:
        worst = np.inf if isinstance(problem.objective, cp.Minimize) else -np.inf
        objective = worst if status in (s.INFEASIBLE, s.INFEASIBLE_INACCURATE) else -worst
    problem.unpack(CvxpySolution(status, objective, primal, duals, {}))
    if not duals:
        for constraint in problem.constraints:
            for variable in constraint.dual_variables:
                variable.save_value(None)
