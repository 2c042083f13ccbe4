"""What sensitivities of one program need beyond its derivatives in x, each made once, when it is first asked for."""

from __future__ import annotations

from lagrange.derivatives.evaluation import Derivatives
from lagrange.derivatives.parameter_derivatives import ParameterSource, parameter_source
from lagrange.model.named_pytree import Vector
from lagrange.sensitivity.argmin import Argmin, SolveAt


class ParametricProgram:
    """A program as a function of its parameters.

    Attributes
    ----------
    derivatives : Derivatives
    """

    def __init__(self, derivatives: Derivatives) -> None:
        self.derivatives = derivatives
        self._source: ParameterSource | None = None
        self._argmin: Argmin | None = None

    def source(self, x: Vector, p: Vector) -> ParameterSource:
        """Derivatives in p; x, p are where the functions are looked at first."""
        if self._source is None:
            self._source = parameter_source(self.derivatives, x, p)
        return self._source

    def argmin(self, solve_at: SolveAt) -> Argmin:
        """The solution as a function of p for JAX."""
        if self._argmin is None:
            self._argmin = Argmin(self.derivatives, solve_at)
        return self._argmin
