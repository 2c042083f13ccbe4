"""`minimize`: SciPy's call and SciPy's result, solved by `Problem`.

Everything here is translation: SciPy's arguments into a `Problem`, a `Solution` into an `OptimizeResult`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy  # its submodules load when they are first used, so importing lagrange stays quick

from lagrange.derivatives.evaluation import Evaluation
from lagrange.interfaces.scipy_arguments import Function, bounds_of, named_constraints, objective
from lagrange.model.named_pytree import Vector
from lagrange.model.settings import METHODS
from lagrange.model.status import PointKind, StopReason
from lagrange.newton.monitor import IterationRecord
from lagrange.problem import Problem
from lagrange.solution import Solution

LIMITS = {
    StopReason.ITERATION_LIMIT: 1,
    StopReason.TIME_LIMIT: 2,
    StopReason.STOPPED_BY_USER: 3,
    StopReason.NOT_FINITE: 4,
}
KINDS = {
    PointKind.INFEASIBLE_STATIONARY: 5,
    PointKind.UNBOUNDED: 6,
    PointKind.SADDLE_OR_MAXIMUM: 7,
    PointKind.FRITZ_JOHN: 8,
}
OTHERWISE = 9

ALIASES = {"maxiter": "max_iterations", "disp": "verbose"}
OPTIONS = ("tol", "max_iterations", "time_limit", "verbose")


def minimize(
    fun: Function,
    x0: Any,
    args: Any = (),
    method: str | None = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Function | None = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Function | None = None,
    options: Mapping[str, Any] | None = None,
) -> scipy.optimize.OptimizeResult:
    """Minimize fun(x, *args) subject to bounds and constraints, called as `scipy.optimize.minimize`.

    Every call derives and compiles its functions anew: to solve one problem many times, use `Problem`.

    Parameters
    ----------
    fun : callable
        fun(x, *args), a number or an array of size 1, for x of shape (n,); with jac=True (number, gradient).
    x0 : number or array_like, shape (n,)
        Where to start; need not be feasible.
    args : tuple
        Further arguments of fun, jac, hess and hessp (not of the constraints).
    method : None, "newton-kkt" or "feasible-path"
        See `Problem.solve`; none of SciPy's. By "feasible-path", fun is called at points that satisfy all equality
        constraints and nowhere else; where no such point is found, fun and what derives from it are nan, and the
        result has the constraints that were in the way.
    jac : callable, True, or None
        jac(x, *args), shape (n,). None, False, "2-point", "3-point" and "cs" all ask for what `lagrange`
        does by itself: derivatives by JAX, exact to rounding, and finite differences with a
        `DerivativeWarning` only where JAX cannot follow the function.
    hess, hessp : callable or None
        hess(x, *args), shape (n, n): an array, a sparse matrix or a LinearOperator; or, where hess is not
        callable, its product hessp(x, d, *args) with d. Else as for jac, also for a HessianUpdateStrategy.
    bounds : scipy.optimize.Bounds, sequence of n pairs (low, high), or None
        None or an infinity in a pair for "no bound".
    constraints : one or a sequence of LinearConstraint, NonlinearConstraint, dict
        Derivatives as for fun; sparse matrices are taken. A dict has `type` ("eq" for fun(x, *args) = 0,
        "ineq" for >= 0), `fun`, and optionally `jac` and `args`. In messages a constraint has the name of
        its function, if it has one that no other has, else "constraint 0", by its place.
    tol : float
        Relative tolerance on the unscaled KKT residuals, default 1e-8.
    callback : callable
        callback(xk), or callback(*, intermediate_result) with the fields x, fun and nit: SciPy's rule, by
        the name of the only parameter. Returning True or raising StopIteration ends the solve at this point.
    options : dict
        `maxiter` or `max_iterations`, `disp` or `verbose`, `time_limit`, `tol`: see `Problem.solve`.

    Returns
    -------
    scipy.optimize.OptimizeResult
        With L = f + the sum of v . c over constraints and bounds, as in SciPy's trust-constr, the fields are:

        x, fun, jac, grad, hess
            The point, and there the objective, its gradient (`jac` as from most of SciPy's methods, `grad`
            as from trust-constr) and its Hessian.
        success, status, message
            `success` is verified: the KKT conditions hold and no negative curvature was found. `status`:
            0 success, 1 iteration limit, 2 time limit, 3 stopped by the callback or Ctrl-C, 4 a value that is
            not finite, 5 infeasible, 6 unbounded, 7 saddle point or maximum, 8 point without multipliers,
            9 no progress.
        v, constr
            Lists: multipliers and values of the constraints in the order given, then, where bounds are given,
            the multipliers of the bounds and x. A positive multiplier: the upper side is active.
        lagrangian_grad, optimality
            The gradient of L, and its largest absolute entry.
        maxcv, constr_violation
            The largest violation of a constraint or bound: one number with the names of two SciPy methods.
        nit, nfev, njev, nhev
            Newton systems solved; points at which the functions were evaluated; points at which their first
            and second derivatives were, always together, the returned point included. Not counted: the calls
            that follow a function once in order to derive it, and the steps of finite differences.
        execution_time
            Seconds, derivation and compilation included.
        kind, solution
            The `PointKind`, and the `Solution` with all that `lagrange` knows about it.

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit, by name. Also for `keep_feasible`, which cannot be promised: x0 itself,
        points a little outside the bounds and the steps of finite differences are evaluated.
    Exception
        What a function raises; from fun and the constraints with a note that names the function and x.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import NonlinearConstraint
    >>> def rosenbrock(x, a, b):
    ...     return (a - x[0]) ** 2 + b * (x[1] - x[0] ** 2) ** 2
    >>> disk = NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 1.0)
    >>> result = minimize(rosenbrock, [0.0, 0.0], args=(1.0, 100.0), constraints=disk)
    >>> result.x.round(6), result.v[0].round(6)
    (array([0.786415, 0.617698]), array([0.121497]))
    """
    started = time.perf_counter()
    settings = _settings(method, tol, options)
    start = np.atleast_1d(x0)
    if start.ndim != 1:
        raise ValueError(f"x0 must be a number or have one dimension, got shape {start.shape}")
    problem = Problem(
        minimize=objective(fun, args, jac, hess, hessp),
        subject_to=named_constraints(constraints, start.size),
        bounds=bounds_of(bounds, start.size),
    )
    solution = problem.solve(start, callback=_watcher(callback), **settings)
    return _scipy_result(solution, bounds is not None, started)


def _settings(method: str | None, tol: float | None, options: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of `Problem.solve`."""
    if method is not None and method not in METHODS:
        raise ValueError(
            f"method must be None or {' or '.join(map(repr, METHODS))}, got {method!r}: "
            f"lagrange has its own method and none of SciPy's"
        )
    given = {"method": method, "tol": tol}
    settings: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for option, value in (options or {}).items():
        name = ALIASES.get(option, option)
        if name not in OPTIONS:
            raise ValueError(f"unknown option {option!r}; the options are {', '.join((*ALIASES, *OPTIONS))}")
        if name in settings:
            raise ValueError(f"{name} is given twice, the second time as the option {option!r}")
        settings[name] = int(value) if option == "disp" and isinstance(value, bool) else value
    return settings


def _watcher(callback: Function | None) -> Callable[[IterationRecord], bool] | None:
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"callback must be a function, got {callback!r}")
    by_name = set(inspect.signature(callback).parameters) == {"intermediate_result"}

    def watch(record: IterationRecord) -> bool:
        state = scipy.optimize.OptimizeResult(x=record.x.copy(), fun=record.objective, nit=record.iteration)
        try:
            stop = callback(intermediate_result=state) if by_name else callback(state.x)
        except StopIteration:
            return True
        return isinstance(stop, bool | np.bool_) and bool(stop)

    return watch


def _scipy_result(solution: Solution, bounded: bool, started: float) -> scipy.optimize.OptimizeResult:
    result, counts = solution.result, solution.evaluations
    jacobian, hessian = _derivatives(solution)
    lagrangian_gradient = jacobian[0] + jacobian[1:].T @ result.y + result.z
    by_constraint = result.program.by_constraint
    multipliers = [np.ravel(block) for block in by_constraint(result.y).values()]
    values = [np.ravel(block) for block in by_constraint(result.c).values()]
    return scipy.optimize.OptimizeResult(
        x=result.x,
        fun=result.objective,
        success=result.success,
        status=_status(solution),
        message=result.message,
        nit=result.iterations,
        nfev=counts.values,
        njev=counts.derivatives + 1,
        nhev=counts.derivatives + 1,
        jac=jacobian[0],
        grad=jacobian[0],
        hess=hessian,
        v=[*multipliers, result.z] if bounded else multipliers,
        constr=[*values, result.x] if bounded else values,
        lagrangian_grad=lagrangian_gradient,
        optimality=float(np.abs(lagrangian_gradient).max()),
        maxcv=result.residuals.feasibility,
        constr_violation=result.residuals.feasibility,
        execution_time=time.perf_counter() - started,
        kind=result.kind,
        solution=solution,
    )


def _derivatives(solution: Solution) -> tuple[Vector, Vector]:
    """Jacobian of (f, c) and Hessian of f at the solution; nan where no point was found to call f at."""
    result = solution.result
    n, rows = result.x.size, 1 + result.y.size
    if result.program.definition is not solution.problem.definition:  # that of a landing
        return np.full((rows, n), np.nan), np.full((n, n), np.nan)
    # As they were in the solve: counters in the user's functions may have moved since.
    derivatives = solution.problem.compiled(result) or solution.problem.prepare(result.x)[0]
    return Evaluation(derivatives, result.p).derivatives(result.x, np.eye(rows)[0])


def _status(solution: Solution) -> int:
    if solution.success:
        return 0
    return LIMITS.get(solution.stop) or KINDS.get(solution.kind, OTHERWISE)
