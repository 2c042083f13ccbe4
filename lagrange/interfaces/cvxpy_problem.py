"""`from_cvxpy`: a problem of CVXPY as a `Problem`, with exact derivatives with respect to its parameters too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lagrange.problem import Problem
from lagrange.solution import Solution

if TYPE_CHECKING:
    import cvxpy as cp

    from lagrange.interfaces.cvxpy_constraints import Translated
    from lagrange.interfaces.cvxpy_leaves import Leaves


@dataclass(frozen=True)
class FromCvxpy:
    """A problem of CVXPY, translated by `from_cvxpy`.

    Attributes
    ----------
    problem : Problem
        Its x is a dict by the names of CVXPY's variables, its p one by the names of its parameters.
    x0, p : dict
        Where to start: the values that the variables had, else a point within their bounds, a little aside where a norm
        would be zero; and the values that the parameters had, None where there are none. Both stay as they are when
        those in CVXPY change. A p that has not all parameters, in their shapes and with the signs they are declared to
        have, is refused by name.
    source : cvxpy.Problem
    leaves, translations
        Which variable has which name, and by CVXPY's id which constraint has become which rows.
    """

    problem: Problem
    x0: dict[str, Any]
    p: dict[str, Any] | None
    source: cp.Problem
    leaves: Leaves
    translations: Mapping[int, Translated]

    def unpack(self, solution: Solution) -> None:
        """Write a solution into the CVXPY problem: its status, the values of its variables, its dual values.

        Parameters
        ----------
        solution : Solution
            Of `problem`, at any p. The values of CVXPY's parameters stay as they are.

        Raises
        ------
        cvxpy.SolverError
            Where there is no answer to any accuracy, with the reason; see `lagrange.interfaces.cvxpy_status`.

        Examples
        --------
        >>> import cvxpy as cp
        >>> import lagrange as lg
        >>> x = cp.Variable(name="x")
        >>> limit = x <= 1
        >>> problem = cp.Problem(cp.Minimize((x - 3) ** 2), [limit])
        >>> model = lg.from_cvxpy(problem)
        >>> model.unpack(model.problem.solve(model.x0))
        >>> problem.status, float(x.value), float(limit.dual_value)
        ('optimal', 1.0, 4.0)
        """
        from lagrange.interfaces.cvxpy_translation import unpack

        unpack(self.source, self.leaves, self.translations, solution)


def from_cvxpy(problem: cp.Problem) -> FromCvxpy:
    """A problem of CVXPY, convex or not, as a `Problem`: multipliers, conditions, sensitivities to its parameters.

    Parameters
    ----------
    problem : cvxpy.Problem
        Any problem of smooth atoms; atoms with kinks (abs, max, norm1, huber, ...) where CVXPY's nonlinear interface
        (DNLP) allows them. Those that are all of one side of an inequality, such as abs(x) <= 2 or max(x) <= t, become
        one inequality for each of their pieces, along a first axis; others become auxiliary variables, named after the
        atom. Equalities, inequalities, second-order cones; real variables, with signs and bounds as attributes, which
        may be parameters.

    Returns
    -------
    FromCvxpy
        `problem`, `x0` and `p`: call `model.problem.solve(model.x0, model.p)`, or give other values. x and p are dicts
        by CVXPY's names, arrays of the shapes they have in CVXPY; of a variable that is symmetric, diagonal or sparse
        the entries that are free. Constraints are named by their labels, else "constraint[0]" and so on with the
        constraint itself where it is short, and stand as written: the shadow price of `x <= c` is that of c.
        `unpack(solution)` writes an answer back into the CVXPY problem.

    Raises
    ------
    lagrange.interfaces.cvxpy_atoms.NotTranslated
        For an atom, a constraint or a variable that has no translation, by name (a ValueError).
    cvxpy.error.DNLPError
        For an atom with a kink where its smooth form would not be exact.
    ValueError
        For a parameter without a value, or a problem without variables.

    Examples
    --------
    >>> import cvxpy as cp
    >>> import lagrange as lg
    >>> x, c = cp.Variable(2, name="x"), cp.Parameter(name="c", value=1.0)
    >>> total = (cp.sum(x) == c).set_label("total")
    >>> model = lg.from_cvxpy(cp.Problem(cp.Minimize(x[0] ** 2 + 3 * x[1] ** 2), [total]))
    >>> solution = model.problem.solve(model.x0, model.p)
    >>> solution.x["x"].round(6), round(float(solution.shadow_prices["total"]), 6)
    (array([0.75, 0.25]), 1.5)
    >>> solution.sensitivity().x["x"]["c"].round(6)
    array([0.75, 0.25])
    """
    from lagrange.interfaces.cvxpy_translation import translate

    return FromCvxpy(*translate(problem))
