"""Constrained optimization with verified answers: Newton-KKT, multipliers, and the implicit function theorem."""

from lagrange.derivatives.evaluation import DerivativeWarning
from lagrange.derivatives.supplied import supplied
from lagrange.implicit.chart import Chart
from lagrange.implicit.fixed_point import FixedPoint, fixed_point
from lagrange.implicit.implicit_function import ImplicitFunction, implicit_function
from lagrange.implicit.inverse_function import InverseFunction, inverse_function
from lagrange.implicit.regularity import NotConverged, NotRegular
from lagrange.implicit.root import ImplicitFunctionWarning
from lagrange.interfaces.cvxpy_problem import from_cvxpy
from lagrange.interfaces.minimize import minimize
from lagrange.model.constraint import Constraint, at_least, at_most, between, equals
from lagrange.model.status import PointKind, StopReason
from lagrange.problem import Problem, check_derivatives
from lagrange.sensitivity.not_differentiable import NotDifferentiable
from lagrange.solution import Solution

__all__ = [
    "Chart",
    "Constraint",
    "DerivativeWarning",
    "FixedPoint",
    "ImplicitFunction",
    "ImplicitFunctionWarning",
    "InverseFunction",
    "NotConverged",
    "NotDifferentiable",
    "NotRegular",
    "PointKind",
    "Problem",
    "Solution",
    "StopReason",
    "at_least",
    "at_most",
    "between",
    "check_derivatives",
    "equals",
    "fixed_point",
    "from_cvxpy",
    "implicit_function",
    "inverse_function",
    "minimize",
    "supplied",
]
