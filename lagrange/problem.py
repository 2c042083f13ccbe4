"""`Problem`: the public door. Every method is a few lines that call a floor below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lagrange.derivatives.derivative_check import check_derivatives as _check_derivatives
from lagrange.derivatives.derivative_report import DerivativeReport
from lagrange.derivatives.evaluation import Derivatives, derivatives_of
from lagrange.model.constraint import Constraint
from lagrange.model.named_pytree import Vector
from lagrange.model.program import Definition, Program, bind
from lagrange.model.settings import Settings
from lagrange.newton.monitor import IterationRecord
from lagrange.preflight import preflight
from lagrange.preflight_record import Preflight
from lagrange.solution import Solution
from lagrange.solve import solve


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
        self._bound: dict[Any, Derivatives] = {}

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
            Relative tolerance on the unscaled KKT residuals (default 1e-8).
        max_iterations, time_limit, method, verbose
            See `lagrange.model.settings.Settings`.
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
        derivatives, x_flat, p_flat = self.prepare(x0, p)
        result = solve(
            derivatives, x_flat, p_flat, settings, callback=callback, warm=None if warm is None else warm.result
        )
        return Solution(self, result)

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

    def prepare(self, x0: Any, p: Any = None) -> tuple[Derivatives, Vector, Vector]:
        """Flat x0 and p, and the derivatives of the program, compiled at most once per structure of x and p."""
        key = _structure(x0), _structure(p)
        derivatives = self._bound.get(key)
        if derivatives is None:
            program = bind(self.definition, x0, p)
            x_flat, p_flat = _flat(program, x0, p)
            program.row_sides(p_flat)
            program.bound_sides(p_flat)
            derivatives = derivatives_of(program, x_flat, p_flat)
            self._bound[key] = derivatives
        return derivatives, *_flat(derivatives.program, x0, p)


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
