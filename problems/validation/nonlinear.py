"""Answers of CVXPY's nonlinear mode: by Uno where it is installed, and by this package's solver within CVXPY.

Uno is independent of this package but gives CVXPY no multipliers (CVXPY 1.9 takes none from any solver of its own).
The solver "LAGRANGE" checks that the models say the same as the stories, multipliers included, with the derivatives of
CVXPY's own engine: not the solver, which is this package's.
"""

from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType
from typing import Any

import cvxpy as cp
import numpy as np

import lagrange.interfaces.cvxpy
from problems.validation.answer import Answer, of_bounds
from problems.validation.cones import bound_multiplier, multiplier
from problems.validation.nonconvex_models import model_of

HAS_UNO = find_spec("unopy") is not None
"""Of the `bench` extra."""
UNO_TOLERANCE = 1e-10
OF_UNO = {"logger": "SILENT", "primal_tolerance": UNO_TOLERANCE, "dual_tolerance": UNO_TOLERANCE}


def by_uno(story: ModuleType, p: Any) -> Answer:
    """Value and x, from the story's start.

    Raises
    ------
    ArithmeticError
        Where Uno finds none.
    """
    known = model_of(story, p)
    try:
        known.model.solve(solver="UNO", nlp=True, **OF_UNO)
    except cp.SolverError as error:
        raise ArithmeticError(str(error)) from None
    if known.model.status != cp.OPTIMAL:
        raise ArithmeticError(f"Uno ends with {known.model.status}")
    x = {key: np.asarray(variable.value, dtype=float) for key, variable in known.variables.items()}
    return Answer(_value(known.model), x, {})


def by_this_solver(story: ModuleType, p: Any) -> Answer:
    """Value, x and multipliers of the CVXPY model."""
    known = model_of(story, p)
    known.model.solve(solver=lagrange.interfaces.cvxpy.NAME, nlp=True)
    x = {key: np.asarray(variable.value, dtype=float) for key, variable in known.variables.items()}
    rows = {name: multiplier(constraint) for name, constraint in known.constraints.items()}
    bounds = {of_bounds(key): bound_multiplier(known.bounds.get(key), array) for key, array in x.items()}
    return Answer(_value(known.model), x, rows | bounds)


def _value(problem: cp.Problem) -> np.ndarray:
    return np.asarray(problem.value, dtype=float).reshape(())
