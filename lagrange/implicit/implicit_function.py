"""`implicit_function`: F(w, p) = 0 solved for w, as a function of p with derivatives of any order.

w(p0) = w0,    F(w(p), p) = 0 along the segment from p0 to p,    dw/dp = -F_w^-1 F_p
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lagrange.implicit.continuation import Path, follow
from lagrange.implicit.linear_solve import DENSE_LIMIT
from lagrange.implicit.newton import Equations
from lagrange.implicit.radius import radius
from lagrange.implicit.regularity import EPS, NotConverged, Regularity, measure, not_regular
from lagrange.implicit.root import root
from lagrange.implicit.system import System, bind_system
from lagrange.model.named_pytree import Vector, nested_derivative, point_text

NEAR = 1e-3  # of w: where a branch ends, F_w is singular within this distance, or F itself ends there
SOLVED = float(np.sqrt(EPS))  # a residual below this share of the one at w0 is that of a solution


def search(F: Equations, start: tuple[Any, Any, Any], p: Any) -> tuple[Any, Any]:
    """The root on the branch of start = (w0, p0, level), for `root`; see `follow`."""
    w0, p0, level = start
    path = follow(F, w0, p0, p, level)
    return path.w, path.arrived


class ImplicitFunction:
    """w(p) with F(w(p), p) = 0, the branch through (w0, p0). Made by `lagrange.implicit_function`.

    Calling it with numbers or NumPy arrays computes in float64 and returns NumPy; an argument that holds JAX arrays
    gives JAX arrays of its precision, and inside `jax.jit`, `grad`, `jacfwd`, `jacrev` and `vmap` it is a function like
    any other. Where it has no value, a call raises; inside a transformation the value is NaN, with an
    `ImplicitFunctionWarning`.

    The value at p is the one reached from p0 along the straight segment: it does not depend on what was asked before.
    To go around a corner, `move_to` a point between.

    Attributes
    ----------
    w0, p0 : pytrees
        The point that it was made at, w0 corrected by Newton's method.
    """

    def __init__(self, system: System, w0: Vector, p0: Vector) -> None:
        self._system = system
        self._w0, self._p0 = w0, p0

    @property
    def w0(self) -> Any:
        return self._system.unknowns.tree(self._w0)

    @property
    def p0(self) -> Any:
        return self._system.parameters.tree(self._p0)

    def __call__(self, p: Any) -> Any:
        """w(p), like w0.

        Raises
        ------
        NotRegular
            The branch ends before p: where, and along which direction F_w is singular.
        NotConverged
            F is not finite beyond a point of the segment.
        """
        import jax

        leaves = jax.tree.leaves(p)
        if not any(isinstance(leaf, jax.Array) for leaf in leaves):
            return self._system.unknowns.tree(self._value(self._flat(p)))
        flat = self._system.parameters.ravel(p, self._system.argument)
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            value = self._value(self._finite(np.asarray(flat, dtype=np.float64)))
            return self._system.unknowns.unflatten(jax.numpy.asarray(value, dtype=flat.dtype))
        return self._system.unknowns.unflatten(self._traced(flat))

    def __repr__(self) -> str:
        unknowns, parameters = self._system.unknowns, self._system.parameters
        return (
            f"{type(self).__name__} of {self._system.name} through ({point_text(unknowns.names(), self._w0)}) at "
            f"({point_text(parameters.names(), self._p0)})"
        )

    def derivative(self, p: Any) -> Any:
        """dw/dp at p, nested like `jax.jacobian`: a pytree like w of pytrees like p; a plain array for plain w and p.

        Raises
        ------
        NotRegular, NotConverged
        """
        w, p_flat = self._regular_point(p)
        F_w, F_p = self._system.jacobians(w, p_flat)
        return nested_derivative(np.linalg.solve(F_w, -F_p), self._system.unknowns, self._system.parameters)

    def jvp(self, p: Any, dp: Any) -> Any:
        """The derivative along dp, like w: one linear solve, without forming dw/dp."""
        w, p_flat = self._point(p)
        along = self._system.along(w, p_flat, self._flat(dp))
        return self._system.unknowns.tree(self._checked(along, w, p_flat))

    def vjp(self, p: Any, v: Any) -> Any:
        """The gradient of v . w(p) with respect to p, like p: one adjoint solve, without forming dw/dp."""
        w, p_flat = self._point(p)
        against = self._system.against(w, p_flat, self._system.unknowns.flatten(v, "v"))
        return self._system.parameters.tree(self._checked(against, w, p_flat))

    def regularity(self, p: Any) -> Regularity:
        """How far F_w is from singular at w(p): rank, smallest singular value, condition, weakest direction."""
        return measure(self._system, *self._point(p))

    def radius_estimate(self, p: Any, direction: Any = None) -> float:
        """How far from p the function reaches, by the theorem of Newton and Kantorovich; an estimate, no proof.

        Parameters
        ----------
        direction : pytree like p
            The radius along +-direction, in multiples of it. None (default): in all directions, Euclidean norm of p.

        Returns
        -------
        float
            inf where F is linear there.

        Notes
        -----
        See `lagrange.implicit.radius`. It takes all second derivatives of F at p for constant.
        """
        w, p_flat = self._regular_point(p)
        directions = np.eye(p_flat.size) if direction is None else self._flat(direction)[:, None]
        return radius(self._system, w, p_flat, directions)

    def move_to(self, p: Any) -> ImplicitFunction:
        """The same branch with (w(p), p) for its base: what is asked next is followed from there."""
        moved = object.__new__(type(self))
        moved.__dict__.update(self.__dict__)
        moved._w0, moved._p0 = self._regular_point(p)
        return moved

    def _flat(self, p: Any) -> Vector:
        layout, name = self._system.parameters, self._system.argument
        return self._finite(layout.flatten(p, name))

    def _finite(self, p: Vector) -> Vector:
        if not np.isfinite(p).all():
            names = self._system.parameters.names()
            raise ValueError(f"{self._system.argument} must be finite, got ({point_text(names, p)})")
        return p

    def _traced(self, p: Any) -> Any:
        import jax.numpy as jnp

        start = jnp.asarray(self._w0, p.dtype), jnp.asarray(self._p0, p.dtype), jnp.zeros((), p.dtype)
        return root(self._system.residual, search, start, p)

    def _point(self, p: Any) -> tuple[Vector, Vector]:
        flat = self._flat(p)
        return self._value(flat), flat

    def _regular_point(self, p: Any) -> tuple[Vector, Vector]:
        w, flat = self._point(p)
        found = measure(self._system, w, flat)
        if not found.regular:
            raise not_regular(self._system, w, flat, "the derivative does not exist", found, (self._w0, self._p0))
        return w, flat

    def _checked(self, derivative: Vector, w: Vector, p: Vector) -> Vector:
        finite = bool(np.isfinite(derivative).all())
        # Where F_w need not be formed, it is not.
        if finite and w.size > DENSE_LIMIT and self._system.is_determined(w, p):
            return derivative
        found = measure(self._system, w, p)
        if finite and found.regular:
            return derivative
        if not found.regular:
            raise not_regular(self._system, w, p, "the derivative does not exist", found, (self._w0, self._p0))
        raise NotConverged(
            f"the linear system of the derivative of {self._system.name} was not solved: the condition of the Jacobian "
            f"is {found.condition:.2g}"
        )

    def _value(self, p: Vector) -> Vector:
        met = np.zeros(self._system.n)
        path = followed(self._system, self._w0, (self._p0, met), (p, met))
        if not path.arrived:
            raise self._stopped(path, p)
        return np.asarray(path.w)

    def _stopped(self, path: Path, p: Vector) -> Exception:
        system, names = self._system, self._system.parameters.names()
        reached = p + float(path.remaining) * (self._p0 - p)
        if not path.finite:
            return NotConverged(
                f"{system.name} is not finite just beyond ({point_text(names, reached)}), on the way from "
                f"({point_text(names, self._p0)}) to ({point_text(names, p)})"
            )
        where = (
            f"the branch ends at ({point_text(names, reached)}), {1.0 - float(path.remaining):.0%} of the way from "
            f"({point_text(names, self._p0)}) to ({point_text(names, p)})"
        )
        found = measure(system, path.w, reached)
        size = max(float(np.abs(self._w0).max()), float(np.abs(path.w).max()))
        if found.regular and found.distance > NEAR * size:
            return NotConverged(
                f"{where}, though the Jacobian is regular there: {system.name} changes without limit or is not defined "
                f"beyond. Stay on this side"
            )
        return not_regular(system, path.w, reached, where, found, (self._w0, self._p0))


def implicit_function(F: Callable[[Any, Any], Any], w0: Any, p0: Any) -> ImplicitFunction:
    """Solve F(w, p) = 0 for w: the smooth function w(p) through (w0, p0) of the implicit function theorem.

    Parameters
    ----------
    F : callable
        F(w, p), as many values as w has elements: arrays, numbers or any pytree of them. Plain NumPy or JAX.
    w0 : pytree
        A solution at p0, or near one: Newton's method corrects it.
    p0 : pytree
        Where to begin.

    Returns
    -------
    ImplicitFunction

    Raises
    ------
    NotRegular
        F_w is singular at (w0, p0): a fold, a branch point or a cusp.
    NotConverged
        No solution at p0 was found from w0.
    TypeError, ValueError
        F, w0 or p0 do not fit together, by name.

    Notes
    -----
    Krantz and Parks (2002), "The Implicit Function Theorem", theorem 3.3.1; the path is followed as in Deuflhard
    (2004), "Newton Methods for Nonlinear Problems", chapter 5.

    Examples
    --------
    The upper half of the unit circle:

    >>> import lagrange as lg
    >>> y = lg.implicit_function(lambda y, x: x**2 + y**2 - 1, 1.0, 0.0)
    >>> round(y(0.6), 12), round(y.derivative(0.6), 12)
    (0.8, -0.75)
    >>> y(1.5)
    Traceback (most recent call last):
        ...
    lagrange.implicit.regularity.NotRegular: the branch ends at (p = 1), 67% of the way from (p = 0) to (p = 1.5): ...
    """
    system, w, p = bind_system(F, w0, p0)
    return ImplicitFunction(system, base_solution(system, w, p), p)


def base_solution(system: System, w: Vector, p: Vector) -> Vector:
    """The regular solution at p that Newton's method reaches from w, or the error that says why there is none."""
    # From any w:  F(w, p) = s F(w0, p) with s from 1 down to 0 (Newton's homotopy), followed like any other path.
    first = system.value(w, p)
    path = followed(system, w, (p, first), (p, np.zeros_like(first)))
    w_end, names = path.w, system.unknowns.names()
    residual, size = np.abs(system.value(w_end, p)).max(), np.abs(first).max()
    if not path.arrived and residual > SOLVED * size:
        found = measure(system, w_end, p)
        raise NotConverged(
            f"no solution of {system.name} was found from ({point_text(names, w)}) at "
            f"({point_text(system.parameters.names(), p)}): Newton's method ended at ({point_text(names, w_end)}), "
            f"where the largest residual is {residual:.3g} and the smallest singular value of the Jacobian "
            f"{found.smallest_singular_value:.3g}. Start nearer to a solution"
        )
    found = measure(system, w_end, p)
    if not (path.arrived and found.regular):
        raise not_regular(system, w_end, p, "no implicit function passes through this point", found, (w, p))
    return np.asarray(w_end)


@functools.cache
def _compiled_follow() -> Callable[..., Any]:
    import jax

    return jax.jit(follow, static_argnums=0)


def followed(
    system: System, w: Vector, start: tuple[Vector, Vector], end: tuple[Vector, Vector], level: float = 0.0
) -> Path:
    """The solution w of F(w, p) = shift followed from start to end, two pairs (p, shift), in float64."""
    import jax

    with jax.enable_x64(True):
        path = _compiled_follow()(system.shifted, w, start, end, level)
        return Path(*(np.asarray(entry) for entry in path))
