"""SciPy's arguments as lagrange's: functions of x alone, bounds, and named constraints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import scipy  # its submodules load when they are first used, so importing lagrange stays quick

from lagrange.derivatives.supplied import supplied
from lagrange.model.constraint import Constraint, at_least, between, equals
from lagrange.model.named_pytree import Vector

Function = Callable[..., Any]

DIFFERENCES = ("2-point", "3-point", "cs")  # SciPy's finite differences: lagrange derives exactly instead
DICT_KEYS = ("type", "fun", "jac", "args")


def objective(fun: Any, args: Any, jac: Any, hess: Any, hessp: Any) -> Function:
    args = args if isinstance(args, tuple) else (args,)
    function = _of_x(fun, args, "fun")
    jacobian: Function | None = None
    if jac is True:
        function, jacobian = _value_and_gradient(function)
    elif _is_given(jac, "jac"):
        jacobian = _of_x(jac, args, "jac")
    hessian: Function | None = None
    if _is_given(hess, "hess"):
        hessian = _of_x(hess, args, "hess")
    elif _is_given(hessp, "hessp"):

        def hessian(x: Vector) -> Vector:
            return np.column_stack([hessp(x.copy(), direction, *args) for direction in np.eye(x.size)])

    return _with_derivatives(function, jacobian, hessian)


def _is_given(derivative: Any, what: str) -> bool:
    """Whether the user supplies this derivative; False where `lagrange` is to take it."""
    if callable(derivative):
        return True
    automatic = (
        derivative is None or derivative is False or isinstance(derivative, scipy.optimize.HessianUpdateStrategy)
    )
    if automatic or (isinstance(derivative, str) and derivative in DIFFERENCES):
        return False
    raise ValueError(f"{what} must be a function, None or one of {DIFFERENCES}, got {derivative!r}")


def _with_derivatives(function: Function, jacobian: Function | None, hessian: Function | None) -> Function:
    given = jacobian is not None or hessian is not None
    return supplied(function, jacobian, hessian) if given else function


def _of_x(function: Any, args: tuple[Any, ...], what: str) -> Function:
    """x -> function(x, *args), so that no further parameter of the function is taken for lagrange's p.

    It gets a copy of x, as from SciPy: it may change it.
    """
    if not callable(function):
        raise TypeError(f"{what} must be a function, got {function!r}")
    return _in_place_of(function, lambda x: function(x.copy(), *args))


def _in_place_of(function: Function, wrapper: Any) -> Function:
    # It also takes the module: what is the user's is copied with all it reaches when JAX follows it.
    wrapper.__module__ = getattr(function, "__module__", None)
    wrapper.__name__ = getattr(function, "__name__", type(function).__name__)
    return wrapper  # type: ignore[no-any-return]


def _value_and_gradient(function: Function) -> tuple[Function, Function]:
    """The two halves of a function that returns (value, gradient)."""
    latest = _LatestPair()
    value = _in_place_of(function, lambda x: latest.at(function, x)[0])
    return value, lambda x: latest.at(function, x)[1]


class _LatestPair:
    """The latest (value, gradient), so that asking for both at one x costs one call."""

    def __init__(self) -> None:
        self._x: Vector | None = None
        self._pair: Any = None

    def at(self, function: Function, x: Any) -> Any:
        """function(x)."""
        if not isinstance(x, np.ndarray):  # JAX follows the function: there are no numbers to keep
            return function(x)
        if self._x is None or not np.array_equal(self._x, x):
            pair = function(x)
            if not (isinstance(pair, tuple | list) and len(pair) == 2):
                raise TypeError(f"with jac=True, fun must return a pair (value, gradient), got {pair!r}")
            self._x, self._pair = x.copy(), pair
        return self._pair


def bounds_of(bounds: Any, n: int) -> Any:
    """Bounds as `Problem` takes them; a sequence of pairs becomes a pair of lists."""
    if bounds is None:
        return None
    if isinstance(bounds, scipy.optimize.Bounds):
        _refuse_keep_feasible(bounds, "bounds")
        return bounds
    pairs = list(bounds)
    if len(pairs) != n:
        raise ValueError(f"bounds has {len(pairs)} pairs, but x0 has {n} elements")
    for i, pair in enumerate(pairs):
        if np.shape(pair) != (2,):
            raise ValueError(f"bounds[{i}] must be a pair (low, high), got {pair!r}")
    return [low for low, _ in pairs], [high for _, high in pairs]


def _refuse_keep_feasible(item: Any, what: str) -> None:
    # SciPy's rule: no effect where both sides are equal.
    if np.any(np.asarray(item.keep_feasible, dtype=bool) & (np.asarray(item.lb) != np.asarray(item.ub))):
        raise ValueError(
            f"{what}: keep_feasible=True cannot be promised, functions are evaluated at x0, slightly outside "
            f"bounds, and at points that violate constraints; leave it out"
        )


def named_constraints(constraints: Any, n: int) -> dict[str, Constraint]:
    if constraints is None:
        return {}
    single = isinstance(constraints, Mapping) or not isinstance(constraints, Iterable)
    items = [constraints] if single else list(constraints)
    own_names = [_function_name(item) for item in items]
    places = [f"constraint {i}" for i in range(len(items))]
    return {
        own if own and own_names.count(own) == 1 else place: _constraint(item, n, place)
        for item, own, place in zip(items, own_names, places, strict=True)
    }


def _function_name(item: Any) -> str:
    """The name of a constraint's function; empty where it has none, or is a lambda."""
    function = item.get("fun") if isinstance(item, Mapping) else getattr(item, "fun", None)
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else ""


def _constraint(item: Any, n: int, what: str) -> Constraint:
    if isinstance(item, Mapping):
        return _constraint_of_dict(item, what)
    if not isinstance(item, scipy.optimize.LinearConstraint | scipy.optimize.NonlinearConstraint):
        raise TypeError(f"{what} must be a LinearConstraint, a NonlinearConstraint or a dict, got {item!r}")
    _refuse_keep_feasible(item, what)
    if isinstance(item, scipy.optimize.LinearConstraint):
        return _linear_constraint(item, n, what)
    function = _constraint_function(item.fun, (), item.jac, item.hess, what)
    return between(_side(item.lb), function, _side(item.ub))


def _constraint_of_dict(item: Mapping[str, Any], what: str) -> Constraint:
    unknown = [key for key in item if key not in DICT_KEYS]
    if unknown or not {"type", "fun"} <= item.keys():
        raise ValueError(f"{what} has the keys {list(item)}; needed are type and fun, allowed jac and args")
    function = _constraint_function(item["fun"], tuple(item.get("args", ())), item.get("jac"), None, what)
    kind = str(item["type"]).lower()
    if kind == "eq":
        return equals(function, 0.0)
    if kind == "ineq":
        return at_least(function, 0.0)
    raise ValueError(f"the type of {what} must be 'eq' or 'ineq', got {item['type']!r}")


def _constraint_function(fun: Any, args: tuple[Any, ...], jac: Any, hess: Any, what: str) -> Function:
    function = _of_x(fun, args, f"fun of {what}")
    jacobian = _of_x(jac, args, f"jac of {what}") if _is_given(jac, f"jac of {what}") else None
    hessian: Function | None = None
    if _is_given(hess, f"hess of {what}"):

        def hessian(x: Vector, y: Any) -> Any:
            return hess(x.copy(), np.reshape(y, -1))  # one multiplier, too, comes as a vector

    return _with_derivatives(function, jacobian, hessian)


def _linear_constraint(item: Any, n: int, what: str) -> Constraint:
    matrix = np.asarray(item.A.toarray() if scipy.sparse.issparse(item.A) else item.A, dtype=np.float64)
    if matrix.shape[1] != n:
        raise ValueError(f"A of {what} has {matrix.shape[1]} columns, but x0 has {n} elements")
    no_curvature = np.zeros((n, n))
    function = supplied(lambda x: matrix @ x, jacobian=lambda x: matrix, hessian=lambda x, y: no_curvature)
    return between(_side(item.lb), function, _side(item.ub))


def _side(side: Any) -> Any:
    # One number for all rows, also for a function that returns a number and not a vector.
    array = np.asarray(side)
    return array.item() if array.size == 1 else array
