"""`Problem`: the public door. Every method is a few lines that call a floor below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lagrange.derivatives.derivative_check import check_derivatives as _check_derivatives
from lagrange.derivatives.derivative_report import DerivativeReport
from lagrange.derivatives.evaluation import Derivatives, derivatives_of
from lagrange.feasible_solve import solve_on_manifold
from lagrange.model.captured import captured
from lagrange.model.constraint import Constraint
from lagrange.model.description import Descriptions
from lagrange.model.named_pytree import Vector
from lagrange.model.program import CrossedSides, Definition, Program, bind
from lagrange.model.settings import FEASIBLE_PATH, Settings
from lagrange.newton.monitor import IterationRecord
from lagrange.optimality.examine import DEFAULT_TOLERANCE, examine, flat_multipliers
from lagrange.optimality.infeasibility import Infeasibility, explain_infeasibility
from lagrange.preflight import preflight
from lagrange.preflight_record import Preflight
from lagrange.result import Result
from lagrange.sensitivity.argmin import Argmin
from lagrange.sensitivity.parametric_program import ParametricProgram
from lagrange.solution import Solution
from lagrange.solve import solve

SAME = 1e-7  # values of a function that differ by less are the same


class Problem:
    """minimize (or maximize) f(x, p) subject to lo <= c(x, p) <= hi and lower <= x <= upper.

    Parameters
    ----------
    minimize, maximize : callable
        The objective f(x) or f(x, p), one of the two, returning one number. x and p are any pytrees of
        numbers: an array, a float, a dict, a tuple, a NamedTuple, a dataclass. Plain NumPy functions are
        differentiated exactly; JAX functions too.
    subject_to : dict of str to Constraint
        By name: `lagrange.equals(c, rhs)`, `at_most(c, hi)`, `at_least(c, lo)`, `between(lo, c, hi)`.
    bounds : pair, dict, scipy.optimize.Bounds, function of p, or None
        (lower, upper) of numbers, arrays, pytrees like x or None; for a dict x also {key: (lower, upper)}.
    describe : dict of str to str, or None
        What names mean, for tables, reports and plots: {"radius": "radius of the can [cm]", "objective": "[cm^2]"}, of
        variables, constraints and parameters; elements of arrays inherit. Text and unit may each be left out.

    Raises
    ------
    TypeError
        Where an argument is not what it should be, by name.

    Examples
    --------
    >>> import lagrange as lg
    >>> problem = lg.Problem(
    ...     minimize=lambda x: (x[0] - 2) ** 2 + x[1] ** 2,
    ...     subject_to={"line": lg.equals(lambda x: x[0] + x[1], 1.0)},
    ... )
    >>> solution = problem.solve([0.0, 0.0])
    >>> solution.x.round(6)
    array([ 1.5, -0.5])
    >>> round(solution.shadow_prices["line"], 6)
    -1.0
    """

    def __init__(
        self,
        minimize: Callable[..., Any] | None = None,
        subject_to: Mapping[str, Constraint] | None = None,
        bounds: Any = None,
        *,
        maximize: Callable[..., Any] | None = None,
        describe: Mapping[str, str] | None = None,
    ) -> None:
        if (minimize is None) == (maximize is None):
            raise TypeError("give exactly one of minimize= and maximize=")
        objective = maximize if minimize is None else minimize
        if not callable(objective):
            raise TypeError(f"the objective is a function of (x) or (x, p), got {objective!r}")
        if subject_to is not None and not isinstance(subject_to, Mapping):
            raise TypeError(f"subject_to must be a dict from names to constraints, got {subject_to!r}")
        constraints = dict(subject_to or {})
        for name, item in constraints.items():
            if not isinstance(name, str) or not isinstance(item, Constraint):
                raise TypeError(
                    f"subject_to maps names to lagrange.equals, at_most, at_least or between; "
                    f"the entry {name!r} is {item!r}"
                )
        self.definition = Definition(objective, maximize is not None, constraints, bounds)
        self.descriptions = Descriptions.of(describe)
        # By structure of x and p: the derivatives, and what the functions read when these were compiled.
        self._bound: dict[Any, tuple[Derivatives, tuple[Any, ...]]] = {}
        self._parametric: dict[int, ParametricProgram] = {}

    def solve(
        self,
        x0: Any,
        p: Any = None,
        *,
        tol: float = 1e-8,
        max_iterations: int = 300,
        time_limit: float | None = None,
        method: str = "newton-kkt",
        verbose: int = 0,
        callback: Callable[[IterationRecord], object] | None = None,
        warm: Solution | None = None,
    ) -> Solution:
        """Solve from x0 at parameters p and verify the answer.

        Parameters
        ----------
        x0 : pytree
            Where to start; need not be feasible. It fixes the structure of x.
        p : pytree or None
            Parameters, passed to functions of (x, p).
        tol : float
            Relative tolerance on the unscaled KKT residuals. These settings: `lagrange.model.settings.Settings`.
        max_iterations : int
            Newton systems solved at most.
        time_limit : seconds or None
        method : "newton-kkt" or "feasible-path"
        verbose : int
            0 silent, k > 0 prints every k-th iteration.
        callback : callable
            Called with an `IterationRecord` after each iteration; returning True stops the solve.
        warm : Solution
            A solution of the same problem at nearby parameters, whose active set is tried first.

        Returns
        -------
        Solution
            Always; failures to find an answer are a `stop` and a `kind`, not exceptions.

        Raises
        ------
        TypeError, ValueError
            For input that does not fit, naming the function or the field.
        """
        settings = Settings(tol, max_iterations, time_limit, method, verbose)
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be a function of an IterationRecord or None, got {callback!r}")
        if warm is not None and not isinstance(warm, Solution):
            raise TypeError(f"warm must be a Solution of this problem or None, got {warm!r}")
        before = None if warm is None else warm.result
        if settings.method == FEASIBLE_PATH:
            # x0 may be where the objective cannot be evaluated: the landed point is the first it sees.
            result = solve_on_manifold(self.definition, self._derive, x0, p, settings, callback=callback, warm=before)
        else:
            result = solve(*self.prepare(x0, p), settings, callback=callback, warm=before)
        return Solution(self, result, settings)

    def preflight(self, x0: Any, p: Any = None) -> Preflight:
        """Look before solving: counts, degrees of freedom, shapes, finiteness, scaling, dependent rows, derivatives.

        Returns
        -------
        Preflight
            Print it; `ok` is False where something needs attention, `problems` says what, by name.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x: x @ x, subject_to={
        ...     "sum": lg.equals(lambda x: x.sum(), 1.0), "twice": lg.equals(lambda x: 2 * x.sum(), 2.0)})
        >>> problem.preflight([0.0, 0.0]).ok
        False
        """
        return preflight(*self.prepare(x0, p))

    def examine(
        self, x: Any, p: Any = None, multipliers: Mapping[str, Any] | None = None, *, tol: float = DEFAULT_TOLERANCE
    ) -> Solution:
        """The verdict on a point that another solver found, or a guess, as a `Solution`; the point is not moved.

        Parameters
        ----------
        x, p : pytree
            The point and the parameters.
        multipliers : dict or None
            By constraint name, with the signs of `Solution.multipliers`; None for those that fit best. Those of the
            bounds follow from stationarity.
        tol : float
            Relative tolerance on the unscaled KKT residuals. Default 1e-6: other solvers do not go further unasked.

        Returns
        -------
        Solution
            `success`, `kind`, `message`, `residuals`, `active`, and all its methods.

        Raises
        ------
        TypeError, ValueError
            For input that does not fit, by name.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x: x @ x, subject_to={
        ...     "sum": lg.equals(lambda x: x.sum(), 8.0), "twice": lg.equals(lambda x: 2 * x.sum(), 16.0)})
        >>> problem.examine([0.5, 7.5]).success, problem.examine([4.0, 4.0]).success
        (False, True)
        """
        derivatives, x_flat, p_flat = self.prepare(x, p)
        y = None if multipliers is None else flat_multipliers(derivatives.program, multipliers)
        return Solution(self, examine(derivatives, x_flat, p_flat, y, tol))

    def explain_infeasibility(self, x: Any, p: Any = None) -> Infeasibility:
        """Why no point near x satisfies the constraints: a minimal conflict by name, and the smallest repairs.

        Where all constraints are linear the answer is exact; else it is local.

        Returns
        -------
        Infeasibility
            Print it. `feasible` is True where a point that satisfies everything was found.

        Raises
        ------
        ValueError
            Where a constraint is not finite at x.

        Examples
        --------
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x: x @ x, subject_to={
        ...     "demand": lg.at_least(lambda x: x.sum(), 5.0), "loose": lg.at_least(lambda x: x[0], -5.0)},
        ...     bounds=(None, 2.0))
        >>> why = problem.explain_infeasibility([0.0, 0.0])
        >>> why.conflict
        ('demand', 'upper bound of x[0]', 'upper bound of x[1]')
        >>> round(why.repair["demand"], 6)
        -1.0
        """
        return explain_infeasibility(*self.prepare(x, p))

    def argmin(self, p: Any, *, x0: Any) -> Any:
        """The solution x*(p), differentiable by JAX: `jit`, `grad`, `jacfwd`, `jacrev`, `vmap`, any order.

        Parameters
        ----------
        p : pytree
            Parameters: JAX arrays or tracers, or plain numbers.
        x0 : pytree
            Where every solve starts; a constant.

        Returns
        -------
        pytree like x0
            Of JAX arrays. NaN, with an `ImplicitFunctionWarning`, where no solution was verified; its derivative is NaN
            where it does not exist: a constraint active without pressing, dependent gradients, no strict minimum.

        Examples
        --------
        >>> import jax
        >>> import lagrange as lg
        >>> problem = lg.Problem(minimize=lambda x, p: (x - p) ** 2, bounds=(0.0, None))
        >>> float(jax.grad(lambda p: problem.argmin(p, x0=1.0))(2.0)), float(problem.argmin(-1.0, x0=1.0))
        (1.0, 0.0)
        """
        argmin, start, p_flat = self._argmin(p, x0)
        return argmin.program.variables.unflatten(argmin(start, p_flat)[0])

    def optimal_multipliers(self, p: Any, *, x0: Any) -> dict[str, Any]:
        """The multipliers by constraint name as functions of p that JAX differentiates; see `argmin`."""
        argmin, start, p_flat = self._argmin(p, x0)
        _, y, _ = argmin(start, p_flat)
        blocks, at = {}, 0
        for function in argmin.program.constraints:
            blocks[function.name] = y[at : at + function.size].reshape(function.shape)
            at += function.size
        return blocks

    def optimal_value(self, p: Any, *, x0: Any) -> Any:
        """The optimal objective, as stated, as a function of p that JAX differentiates; see `argmin`."""
        argmin, start, p_flat = self._argmin(p, x0)
        x, _, _ = argmin(start, p_flat)
        return argmin.value(x, p_flat)

    def _argmin(self, p: Any, x0: Any) -> tuple[Argmin, Vector, Any]:
        # What is made here depends on the structure of p only: ones stand for tracers, for which sides may cross.
        import jax
        import numpy as np

        example = jax.tree.map(lambda leaf: np.ones(np.shape(leaf)), p)
        with jax.ensure_compile_time_eval():
            derivatives, start, _ = self._derive(self.definition, x0, example, may_cross=True)
        argmin = self.parametric(derivatives).argmin(lambda x0, p: solve(derivatives, x0, p, Settings()))
        return argmin, start, derivatives.program.parameters.ravel(p, "p")

    def parametric(self, derivatives: Derivatives) -> ParametricProgram:
        """The program of these derivatives as a function of p, with what is compiled for it."""
        return self._parametric.setdefault(id(derivatives), ParametricProgram(derivatives))

    def prepare(self, x0: Any, p: Any = None) -> tuple[Derivatives, Vector, Vector]:
        """Flat x0 and p, and the derivatives of the program, compiled once per structure of x and p.

        Again where what the functions read besides x and p (globals, closures, arrays, attributes) has changed.
        """
        return self._derive(self.definition, x0, p)

    def compiled(self, result: Result) -> Derivatives | None:
        """The derivatives with which this result was found; None where they have given way to others."""
        return self._compiled(result)[0]

    def _compiled(self, result: Result) -> tuple[Derivatives | None, tuple[Any, ...]]:
        # With what the functions read when they were compiled.
        return next((entry for entry in self._bound.values() if entry[0].program is result.program), (None, ()))

    def derivatives_of(self, result: Result) -> Derivatives:
        """The derivatives of the program that this is a result of.

        Raises
        ------
        RuntimeError
            Where its functions read something that has changed since.
        """
        derivatives, reads = self._compiled(result)
        # A counter, or a store of results, changes too: then the functions are the same.
        if derivatives and (reads == _reads(result.program.definition) or _still_holds(result)):
            return derivatives
        if not result.success:
            program = result.program  # of a landing that failed
            return self.prepare(program.variables.tree(result.x), program.parameter_tree(result.p))[0]
        raise RuntimeError(
            "the functions of this problem read something (a global, a closure, an array, an attribute) that has "
            "changed since this solution was found: solve again, and make what is to change a parameter p"
        )

    def _derive(
        self, definition: Definition, x0: Any, p: Any, may_cross: bool = False
    ) -> tuple[Derivatives, Vector, Vector]:
        # The same for this definition or for a part of it.
        key = (
            definition.objective is self.definition.objective,
            tuple(definition.constraints),
            *map(_structure, (x0, p)),
        )
        derivatives, reads = self._bound.get(key, (None, ()))
        if derivatives is None or reads != _reads(definition):
            program = bind(definition, x0, p)
            if definition is self.definition:
                self.descriptions.check(program.variable_names, program.row_names, program.parameters.names())
            x_flat, p_flat = _flat(program, x0, p)
            for sides in (program.row_sides, program.bound_sides):
                try:
                    sides(p_flat)
                except CrossedSides:
                    if not may_cross:
                        raise
            derivatives = derivatives_of(program, x_flat, p_flat)
            self._bound[key] = derivatives, _reads(definition)
        return derivatives, *_flat(derivatives.program, x0, p)


def _reads(definition: Definition) -> tuple[Any, ...]:
    items = definition.constraints.values()
    sides = [side for item in items for side in (item.lower, item.upper) if not callable(side)]
    return captured(definition.objective, *(item.function for item in items), definition.bounds, *sides)


def _still_holds(result: Result) -> bool:
    """The functions return at x what they returned in the solve."""
    program = result.program
    now = np.concatenate([np.ravel(program.evaluate(function, result.x, result.p)) for function in program.functions])
    return np.allclose(now, [result.objective, *result.c], rtol=SAME, atol=SAME, equal_nan=True)


def check_derivatives(problem: Problem, x: Any, p: Any = None) -> DerivativeReport:
    """Compare the derivatives that a solve would use with differences of the functions, at x, p.

    Returns
    -------
    DerivativeReport
        Print it; `ok`, `entries` (what is wrong, by function, row and variable) and `verdicts` (in words:
        a flipped sign, a transposed Jacobian, a factor, a missing row).

    Examples
    --------
    >>> import lagrange as lg
    >>> wrong = lg.supplied(lambda x: x @ x, jacobian=lambda x: -2 * x)
    >>> lg.check_derivatives(lg.Problem(minimize=wrong), [1.0, 2.0]).ok
    False
    """
    return _check_derivatives(*problem.prepare(x, p))


def _flat(program: Program, x0: Any, p: Any) -> tuple[Vector, Vector]:
    x = program.variables.flatten(x0, "x0")
    wrong = np.flatnonzero(~np.isfinite(x))
    if wrong.size:
        raise ValueError(f"x0 must be finite, but {program.variable_names[wrong[0]]} is {x[wrong[0]]}")
    return x, np.empty(0) if p is None else program.parameters.flatten(p, "p")


def _structure(tree: Any) -> Any:
    from lagrange.model.named_pytree import layout_of

    if tree is None:
        return None
    layout = layout_of(tree, "x")
    return layout.treedef, layout.shapes
