"""CVXPY's variables and parameters by name, and the arrays they stand for.

A variable with fewer free entries than its shape has (symmetric, diag, sparsity) is the vector of its free entries: the
upper triangle row by row, the diagonal, the nonzeros.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from lagrange.interfaces.cvxpy_atoms import NotTranslated, dense
from lagrange.interfaces.cvxpy_names import distinct
from lagrange.model.named_pytree import Vector

NO_ENTRY = -1
SIGNS: Mapping[str, Callable[[Any], Any]] = {
    "nonneg": lambda value: value >= 0,
    "nonpos": lambda value: value <= 0,
    "pos": lambda value: value > 0,
    "neg": lambda value: value < 0,
}
REFUSED = ("PSD", "NSD", "boolean", "integer", "complex", "imag", "hermitian")


@dataclass(frozen=True)
class Leaves:
    """Where the values of CVXPY's leaves are found in x and p.

    Attributes
    ----------
    variables, parameters : dict
        CVXPY's leaves by name.
    entries : dict
        By the name of a variable with fewer free entries than its shape has: for each place in its array the number of
        the free entry there, or -1 for a zero.
    """

    variables: Mapping[str, cp.Variable]
    parameters: Mapping[str, cp.Parameter]
    entries: Mapping[str, NDArray[np.intp]]

    def __call__(self, x: Mapping[str, Any], p: Mapping[str, Any] | None) -> dict[int, Any]:
        """The arrays of all leaves that are in x and p, by CVXPY's ids.

        Raises
        ------
        ValueError
            Where p is not a dict of all parameters in their shapes, by name.
        """
        values = {self.variables[name].id: self.array(name, value) for name, value in x.items()}
        if self.parameters:
            self._check_shapes(p)
        if p is not None:
            values.update({self.parameters[name].id: value for name, value in p.items()})
        return values

    def _check_shapes(self, p: Any) -> None:
        wanted = ", ".join(map(repr, self.parameters))
        if not isinstance(p, Mapping):
            raise ValueError(f"p must be a dict with the keys {wanted}, as in solve(model.x0, model.p), got {p!r}")
        for name in self.parameters.keys() - p.keys():
            raise ValueError(f"p has no value for the parameter {name!r}: it must have the keys {wanted}")
        for name in p.keys() - self.parameters.keys():
            raise ValueError(f"p has the key {name!r}, but no parameter has that name: the parameters are {wanted}")
        for name, parameter in self.parameters.items():
            if isinstance(p[name], list | tuple):
                raise ValueError(f"the parameter {name!r} must be an array, but p gives it a {type(p[name]).__name__}")
            if np.shape(p[name]) != parameter.shape:
                raise ValueError(
                    f"the parameter {name!r} has the shape {parameter.shape}, but p gives it {np.shape(p[name])}"
                )

    @property
    def restricted(self) -> dict[str, cp.Parameter]:
        """The parameters that are declared to have a sign, by name."""
        return {name: item for name, item in self.parameters.items() if any(item.attributes[sign] for sign in SIGNS)}

    def check(self, p: Mapping[str, Any]) -> None:
        """Raise where a parameter does not have its sign. Inside of JAX's tracing, where there are no numbers, never.

        Raises
        ------
        ValueError
            By name: what follows from the sign of a parameter, such as convexity, does not hold for another.
        """
        for name, parameter in self.restricted.items():
            for sign, allows in SIGNS.items():
                is_wrong = parameter.attributes[sign] and not isinstance(p[name], jax.core.Tracer)
                if is_wrong and not np.all(allows(np.asarray(p[name]))):
                    raise ValueError(f"the parameter {name!r} is declared {sign} and cannot be {p[name]!s}")

    def array(self, name: str, free: Any) -> Any:
        """A variable's array from its free entries."""
        if name not in self.entries:
            return free
        places = self.entries[name]
        return jnp.where(places == NO_ENTRY, 0.0, jnp.asarray(free)[places])

    def free(self, name: str, array: Any) -> Any:
        """A variable's free entries from its array."""
        if not isinstance(array, jax.Array):
            array = np.broadcast_to(dense(array), self.variables[name].shape)
        if name not in self.entries:
            return array.copy()
        first = np.unique(self.entries[name], return_index=True)
        return array.ravel()[first[1][first[0] != NO_ENTRY]]


def leaves_of(problem: cp.Problem, names: Iterable[str]) -> Leaves:
    """The leaves of a problem, its variables by these names.

    Raises
    ------
    NotTranslated
        For a variable that is not an array of real numbers, or is restricted to a cone, by name.
    """
    variables = dict(zip(distinct(names), problem.variables(), strict=True))
    parameters = dict(zip(distinct(item.name() for item in problem.parameters()), problem.parameters(), strict=True))
    entries = {name: _free_entries(variable) for name, variable in variables.items() if _is_reduced(variable, name)}
    return Leaves(variables, parameters, entries)


def parameter_values(leaves: Leaves) -> dict[str, Any] | None:
    """p, or None where there are no parameters.

    Raises
    ------
    ValueError
        Where a parameter has no value, by name.
    """
    for name, parameter in leaves.parameters.items():
        if parameter.value is None:
            raise ValueError(f"the parameter {name!r} has no value")
    return {name: dense(parameter.value) for name, parameter in leaves.parameters.items()} or None


def refused_attribute(variable: cp.Variable) -> str:
    """The attribute for which a variable cannot be taken, or ""."""
    # A list of places, which may be the place 0 alone, is an attribute too.
    return next((kind for kind in REFUSED if _is_given(variable.attributes[kind])), "")


def _is_given(attribute: Any) -> bool:
    if attribute is None or isinstance(attribute, bool):
        return bool(attribute)
    return np.size(attribute) > 0


def _is_reduced(variable: cp.Variable, name: str) -> bool:
    refused = refused_attribute(variable)
    if refused:
        raise NotTranslated(f"the variable {name!r} has the attribute {refused}: lagrange takes real variables")
    return bool(variable._has_dim_reducing_attr or variable.attributes["symmetric"])


def _free_entries(variable: cp.Variable) -> NDArray[np.intp]:
    places = np.full(variable.shape, NO_ENTRY)
    if variable.attributes["symmetric"]:
        rows, columns = np.triu_indices(variable.shape[-1])
        places[..., rows, columns] = np.arange(np.size(places[..., rows, columns])).reshape(*variable.shape[:-2], -1)
        places[..., columns, rows] = places[..., rows, columns]
    elif variable.attributes["diag"]:
        np.fill_diagonal(places, np.arange(variable.shape[0]))
    else:
        places[variable.sparse_idx] = np.arange(variable._reduced_size)
    return places


def start(value: Any, lower: Vector, upper: Vector) -> Vector:
    """The value of a variable; where it is None, as in CVXPY, between its bounds, one unit from the only one, or zero.

    Examples
    --------
    >>> start(None, np.array([0.0, 1.0, -np.inf, -np.inf]), np.array([3.0, np.inf, 1.0, np.inf]))
    array([1.5, 2. , 0. , 0. ])
    """
    if value is not None:
        return np.asarray(dense(value), dtype=np.float64)
    below, above = np.isfinite(lower), np.isfinite(upper)
    low, high = np.where(below, lower, 0.0), np.where(above, upper, 0.0)
    return np.select([below & above, below, above], [(low + high) / 2.0, low + 1.0, high - 1.0], 0.0)
