"""`lagrange` as a nonlinear solver of CVXPY: importing this module registers it.

    import lagrange.interfaces.cvxpy
    problem.solve(solver="LAGRANGE", nlp=True)

CVXPY makes the problem smooth (its DNLP reductions), `lagrange` solves it with the derivatives of CVXPY's own engine,
and the dual values of the constraints as the user wrote them come back in CVXPY's signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy import settings as s
from cvxpy.reductions.solution import Solution, failure_solution
from cvxpy.reductions.solvers import defines
from cvxpy.reductions.solvers.nlp_solvers.nlp_solver import NLPsolver

from lagrange.interfaces.cvxpy_program import SmoothProgram, smooth_program
from lagrange.interfaces.cvxpy_status import cvxpy_status, has_dual_values
from lagrange.model.named_pytree import Vector
from lagrange.model.settings import Settings
from lagrange.result import Result
from lagrange.solve import solve

NAME = "LAGRANGE"
OPTIONS = ("tol", "max_iterations", "time_limit")
CACHE = "lagrange"  # the key under which CVXPY keeps our last answer between solves of a problem with parameters
RUNS = "all_objs_from_best_of"  # the key under which CVXPY hands over the objectives of its runs

CITATION = """
@software{lagrange,
  title = {lagrange: constrained optimization with verified answers},
  author = {{The lagrange developers}},
  year = {2025}
}
"""


@dataclass(frozen=True)
class Remembered:
    """What one solve leaves for the next of the same problem: the answer, and where each variable lies in it."""

    variables: tuple[int, ...]  # CVXPY's ids, in the order of the program
    x: Vector  # in CVXPY's order
    result: Result


class Lagrange(NLPsolver):  # type: ignore[misc]  # CVXPY is untyped
    """The solver "LAGRANGE" of `cvxpy.Problem.solve(solver="LAGRANGE", nlp=True)`.

    Options, as keywords of `solve`: `tol` (default 1e-8), `max_iterations` (300), `time_limit` (seconds, None); see
    `lagrange.model.settings.Settings`. `verbose=True` prints the iterations.

    The start is the value that the variables have, where they have one. A problem with parameters that is solved again
    starts from the multipliers and the active set of the last answer too, if its variables still hold that answer and
    unless `warm_start=False`.

    `problem.solver_stats.extra_stats["result"]` is the `lagrange.result.Result` of the smooth problem: with the kind of
    point, the message, the residuals, and the multipliers of bounds given as attributes, which have no dual value in
    CVXPY.

    Raises
    ------
    cvxpy.SolverError
        Where there is no answer, with the reason; for options and constraints that are not understood, by name; where
        the smooth form that CVXPY makes of a convex problem has forgotten the domain of an atom, and the answer is
        beyond it (see `lagrange.interfaces.cvxpy_powers`).

    Examples
    --------
    >>> import cvxpy as cp
    >>> import lagrange.interfaces.cvxpy
    >>> x = cp.Variable(2, nonneg=True)
    >>> budget = x[0] + 2 * x[1] <= 4
    >>> problem = cp.Problem(cp.Maximize(x[0] * x[1]), [budget])
    >>> round(float(problem.solve(solver="LAGRANGE", nlp=True)), 6), problem.status
    (2.0, 'optimal')
    >>> x.value.round(6), round(float(budget.dual_value), 6)
    (array([2., 1.]), 1.0)
    """

    def name(self) -> str:
        """The name by which CVXPY knows it."""
        return NAME

    def import_solver(self) -> None:
        """Nothing to import: this module is part of the solver."""

    def apply(self, problem: cp.Problem) -> tuple[dict[str, Any], SmoothProgram]:
        """The smooth problem as data, and what is needed to read its answer."""
        program = smooth_program(problem)
        return {"program": program}, program

    def solve_via_data(
        self,
        data: dict[str, Any],
        warm_start: bool,
        verbose: bool,
        solver_opts: dict[str, Any],
        solver_cache: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Solve; the answer is a dict because CVXPY adds an entry to it after `best_of` runs."""
        program: SmoothProgram = data["program"]
        settings = _settings(solver_opts, verbose)
        if program.reversed_bounds:
            return {"reversed_bounds": program.reversed_bounds}
        x0, warm = program.x0, None
        remembered = (solver_cache or {}).get(CACHE) if warm_start else None
        if remembered is not None and _still_holds(remembered, program):
            x0, warm = remembered.x, remembered.result
        result = solve(program.derivatives(), program.to_lagrange(x0), np.empty(0), settings, warm=warm)
        if verbose:
            print(result.message)
        if solver_cache is not None and result.success:
            solver_cache[CACHE] = Remembered(program.variable_ids, program.to_cvxpy(result.x), result)
        return {"result": result}

    def invert(self, solution: dict[str, Any], inverse_data: SmoothProgram) -> Solution:
        """CVXPY's record of the answer to the smooth problem."""
        if "reversed_bounds" in solution:
            message = f"The bounds of {solution['reversed_bounds']} exclude each other."
            return failure_solution(s.INFEASIBLE, {s.EXTRA_STATS: {"message": message, **_runs(solution)}})
        result: Result = solution["result"]
        status = cvxpy_status(result, inverse_data.convex)
        beyond = inverse_data.beyond_power(result.x)
        if beyond and status not in (s.INFEASIBLE, s.INFEASIBLE_INACCURATE):  # less of a domain stays infeasible
            raise cp.SolverError(
                f"Solver '{NAME}' ended where {beyond} is negative. CVXPY's power(x, p) is for x >= 0 in a "
                f"convex problem where p is less than 0 or 3, 5, 6, 7, ..., a quotient such as 1 / x**2 is not, and "
                f"CVXPY's smooth form does not tell which was meant: add {beyond} >= 0, or use lagrange.from_cvxpy."
            )
        if inverse_data.held_by_no_weight(result.x) and status != s.UNBOUNDED:  # more of a domain stays unbounded
            raise cp.SolverError(
                f"Solver '{NAME}': CVXPY's smooth form of geo_mean keeps all entries from being negative, those with a "
                f"weight of zero too, and holds one of them. Leave them out of the mean, or use lagrange.from_cvxpy."
            )
        message = result.message
        if status in (s.SOLVER_ERROR, s.USER_LIMIT):
            message += inverse_data.norm_of_zero(result.x)
        if status == s.SOLVER_ERROR:
            raise cp.SolverError(f"Solver '{NAME}' found no answer. {message}")
        extra = {"result": result, "message": message, **_runs(solution)}
        attributes = {s.NUM_ITERS: result.iterations, s.SOLVE_TIME: result.seconds, s.EXTRA_STATS: extra}
        if status in s.INF_OR_UNB:
            return failure_solution(status, attributes)
        duals = inverse_data.dual_values(result.y if has_dual_values(result, status) else None)
        return Solution(status, result.objective, inverse_data.variable_values(result.x), duals, attributes)

    def cite(self, data: dict[str, Any]) -> str:
        """What to cite, as BibTeX."""
        return CITATION


def _runs(solution: dict[str, Any]) -> dict[str, Any]:
    return {RUNS: solution[RUNS]} if RUNS in solution else {}


def _settings(options: dict[str, Any], verbose: bool) -> Settings:
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise cp.SolverError(
            f"Solver '{NAME}' has no option {unknown[0]!r}; its options are {', '.join(map(repr, OPTIONS))}."
        )
    try:
        return Settings(**options, verbose=int(verbose))
    except ValueError as error:
        raise cp.SolverError(f"Solver '{NAME}': {error}.") from None


def _still_holds(remembered: Remembered, program: SmoothProgram) -> bool:
    # Auxiliary variables are made anew for every solve; the user's own keep their ids, and must keep their values for
    # the last multipliers to be of use.
    if remembered.x.size != program.x0.size or len(remembered.variables) != len(program.variable_ids):
        return False
    same = np.repeat(
        [old == new for old, new in zip(remembered.variables, program.variable_ids, strict=True)], program.sizes
    )
    return bool(same.any() and np.array_equal(remembered.x[same], program.x0[same]))


def _register() -> None:
    solver = Lagrange()
    defines.SOLVER_MAP_NLP[NAME] = solver
    for names in (defines.NLP_SOLVERS, defines.INSTALLED_SOLVERS):
        if NAME not in names:
            names.append(NAME)


_register()
