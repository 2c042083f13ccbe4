"""Constrained optimization with verified answers: Newton-KKT, multipliers, and the implicit function theorem."""

from lagrange.derivatives.evaluation import DerivativeWarning
from lagrange.derivatives.supplied import supplied
from lagrange.interfaces.minimize import minimize
from lagrange.model.constraint import Constraint, at_least, at_most, between, equals
from lagrange.model.status import PointKind, StopReason
from lagrange.problem import Problem, check_derivatives
from lagrange.solution import Solution

__all__ = [
    "Constraint",
    "DerivativeWarning",
    "PointKind",
    "Problem",
    "Solution",
    "StopReason",
    "at_least",
    "at_most",
    "between",
    "check_derivatives",
    "equals",
    "minimize",
    "supplied",
]
