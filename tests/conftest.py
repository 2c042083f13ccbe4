"""What several test files share: a problem in the standard form that the algorithm sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.evaluation import Evaluation
from lagrange.derivatives.scaling import Scaling, StandardProgram, gradient_scaling


@pytest.fixture(scope="session")
def standard_program() -> Callable[..., StandardProgram]:
    """standard_program(problem, x0, p=None, scaling=None): as `solve` makes it, or with this scaling."""

    def make(problem: lg.Problem, x0: Any, p: Any = None, scaling: Scaling | None = None) -> StandardProgram:
        derivatives, x, p = problem.prepare(x0, p)
        program, evaluation = derivatives.program, Evaluation(derivatives, p)
        jacobian, hessian = evaluation.derivatives(x, np.eye(1 + program.m)[0])
        sides = program.row_sides(p)
        scaling = scaling or gradient_scaling(x, evaluation.values(x), jacobian, hessian, sides)
        return StandardProgram(evaluation, program.bound_sides(p), sides, scaling)

    return make
