"""`fixed_point`: z = g(z, theta) solved for z, the implicit function of g(z, theta) - z; a deep equilibrium layer.

    dz/dtheta = (I - g_z)^-1 g_theta

No iterate is stored for the derivative: one adjoint solve replaces backpropagation through the iterations (Bai, Kolter
and Koltun 2019, "Deep Equilibrium Models", theorem 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lagrange.implicit.implicit_function import ImplicitFunction
from lagrange.implicit.iteration import SOLVERS, searcher, stepwise, tolerance
from lagrange.implicit.linear_solve import DENSE_LIMIT
from lagrange.implicit.regularity import NotConverged
from lagrange.implicit.root import root
from lagrange.implicit.system import System, evaluated, flat_array, flat_start, name_of
from lagrange.model.named_pytree import Vector
from lagrange.model.numpy_tracing import traceable

MAX_ITERATIONS = 500
STARTS = 8  # random starts that look for other fixed points
SAME_POINT = 1e-6  # relative distance below which two fixed points are one


@dataclass(frozen=True)
class Contraction:
    """Evidence that g contracts, or that it does not, at one fixed point.

    Attributes
    ----------
    norm : float
        || g_z ||, the largest singular value: below 1, g contracts near z and the fixed point is unique there.
    spectral_radius : float
        Largest |eigenvalue| of g_z: below 1, Picard's iteration converges from nearby, its error shrinking by it.
    contracts : bool
        norm < 1. A local statement: g may not contract elsewhere.
    starts, same, others : int
        Random starts tried, how many came to this fixed point, and how many to another one.
    unique : bool or None
        False where another fixed point was found; None otherwise: starts are evidence, no proof.
    """

    norm: float
    spectral_radius: float
    contracts: bool
    starts: int
    same: int
    others: int
    unique: bool | None

    def __str__(self) -> str:
        local = "contracts" if self.contracts else "does not contract"
        picard = "converges" if self.spectral_radius < 1.0 else "does not converge"
        return (
            f"g {local} at the fixed point: norm {self.norm:.3g}, spectral radius {self.spectral_radius:.3g}, so "
            f"Picard's iteration {picard} from nearby. Of {self.starts} random starts {self.same} came here, "
            f"{self.others} to another fixed point"
        )


class FixedPoint(ImplicitFunction):
    """z(theta) with z = g(z, theta): an `ImplicitFunction` of theta. Made by `lagrange.fixed_point`."""

    def __init__(
        self, system: System, z0: Vector, theta: Vector, solver: str, tol: float | None, max_iterations: int
    ) -> None:
        super().__init__(system, z0, theta)
        self.solver, self.tol, self.max_iterations = solver, tol, max_iterations
        self._search = searcher(solver, tol, max_iterations)

    def residuals(self, theta: Any) -> Vector:
        """The relative residual |g(z) - z| / |g(z)| after each iteration, the start first: how the solver converges.

        For solver "anderson" and "picard".
        """
        import jax

        if self.solver == "newton":
            raise ValueError('residuals are those of an iteration: take solver="anderson" or "picard"')
        begin, step = stepwise()
        flat = self._flat(theta)
        with jax.enable_x64(True):
            state = begin(self._system.residual, self._w0, flat)
            seen = [float(state.relative_residual)]
            wanted = tolerance(self.tol, state.z)
            while wanted < seen[-1] < np.inf and len(seen) <= self.max_iterations:
                state = step(self._system.residual, self.solver, state, flat)
                seen.append(float(state.relative_residual))
        return np.array(seen)

    def contraction(self, theta: Any, starts: int = STARTS, seed: int = 0) -> Contraction:
        """Evidence of contraction and uniqueness at z(theta).

        Parameters
        ----------
        starts : int
            Random starts (normal, of the size of z) from which other fixed points are looked for.
        seed : int
            Of the random starts.
        """
        z, flat = self._point(theta)
        norm, radius = _size_of_derivative(self._system, z, flat)
        generator = np.random.default_rng(seed)
        size = max(1.0, float(np.abs(z).max()))
        reached = [self._search_from(size * generator.normal(size=z.size), flat) for _ in range(starts)]
        distances = [float(np.abs(other - z).max()) / size for other, found in reached if found]
        same = sum(distance <= SAME_POINT for distance in distances)
        others = len(distances) - same
        return Contraction(norm, radius, norm < 1.0, starts, same, others, False if others else None)

    def _traced(self, p: Any) -> Any:
        import jax.numpy as jnp

        return root(self._system.residual, self._search, jnp.asarray(self._w0, p.dtype), p)

    def _search_from(self, z0: Vector, theta: Vector) -> tuple[Vector, bool]:
        import jax

        with jax.enable_x64(True):
            z, found = _compiled(self._search)(self._system.residual, z0, theta)
            return np.asarray(z), bool(found)

    def _value(self, p: Vector) -> Vector:
        z, found = self._search_from(self._w0, p)
        if found:
            return z
        with np.errstate(over="ignore", invalid="ignore"):
            level, size = float(np.linalg.norm(self._system.value(z, p))), float(np.linalg.norm(z))
        where = f"no fixed point of {self._system.name} was found: |g(z) - z| is {level:.3g} at |z| = {size:.3g}"
        if self.solver == "newton":
            raise NotConverged(f"{where}, where g_z - I is singular or g is not finite. Start elsewhere")
        raise NotConverged(
            f"{where}, after {self.max_iterations} iterations of {self.solver} at most. Raise max_iterations, start "
            f'nearer, or take solver="newton", which needs no contraction'
        )


def fixed_point(
    g: Callable[[Any, Any], Any],
    z0: Any,
    theta: Any,
    solver: str = "anderson",
    *,
    tol: float | None = None,
    max_iterations: int = MAX_ITERATIONS,
) -> FixedPoint:
    """The solution of z = g(z, theta) as a differentiable function of theta.

    Parameters
    ----------
    g : callable
        g(z, theta), with values like z. Plain NumPy or JAX.
    z0 : pytree
        Where every iteration starts.
    theta : pytree
        An example of the parameters: weights, inputs, anything that g depends on.
    solver : "anderson", "newton" or "picard"
        Anderson's acceleration (default) and Picard's iteration need values of g only; Newton's method needs no
        contraction, and its derivative (by GMRES beyond 500 unknowns).
    tol : float or None
        Relative residual |g(z) - z| / |g(z)|; None (default) for 4e-11 in float64 and 2e-5 in float32.
    max_iterations : int
        Of Anderson and Picard, default 500. Memory does not depend on it.

    Returns
    -------
    FixedPoint
        z(theta), with all of `ImplicitFunction`, `contraction(theta)` and `residuals(theta)`.

    Raises
    ------
    TypeError, ValueError
        Where the arguments do not fit together, by name.

    Examples
    --------
    >>> import numpy as np
    >>> import lagrange as lg
    >>> z = lg.fixed_point(lambda z, theta: theta * np.cos(z), 0.5, 1.0)
    >>> round(z(1.0), 10)
    0.7390851332
    >>> z.contraction(1.0).contracts
    True
    """
    name = name_of(g)
    if solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(map(repr, SOLVERS))}, got {solver!r}")
    if tol is not None and not 0.0 < tol < 1.0:
        raise ValueError(f"tol must be a number between 0 and 1 or None, got {tol!r}")
    if not (isinstance(max_iterations, int) and max_iterations > 0):
        raise ValueError(f"max_iterations must be a positive integer, got {max_iterations!r}")
    unknowns, z = flat_start(z0, "z")
    parameters, flat = flat_start(theta, "theta", may_be_empty=True)
    values, _ = evaluated(g, "z0", (unknowns, z), (parameters, flat))
    plain = values.treedef is None, unknowns.treedef is None
    if plain[0] != plain[1] or values.treedef != unknowns.treedef or values.shapes != unknowns.shapes:
        raise ValueError(
            f"{name} must return values like z: it returns {_shapes(values)}, but z0 is {_shapes(unknowns)}"
        )
    traced = traceable(g)

    def difference(z: Any, theta: Any) -> Any:
        flat = flat_array(z, float)
        return flat_array(traced(z, theta), flat.dtype) - flat

    system = System(name, difference, unknowns, parameters, tuple(unknowns.names()), "theta")
    return FixedPoint(system, z, flat, solver, tol, max_iterations)


def _compiled(search: Any) -> Any:
    import jax

    return jax.jit(search, static_argnums=0)


def _shapes(layout: Any) -> str:
    pairs = zip(layout.paths, layout.shapes, strict=True)
    return ", ".join(f"{path} {shape}" for path, shape in pairs)


def _size_of_derivative(system: System, z: Vector, theta: Vector) -> tuple[float, float]:
    """The largest singular value and the largest |eigenvalue| of g_z = F_z + I."""
    if z.size <= DENSE_LIMIT:
        g_z = system.jacobians(z, theta)[0] + np.eye(z.size)
        return float(np.linalg.norm(g_z, 2)), float(np.abs(np.linalg.eigvals(g_z)).max())
    import jax
    from scipy.sparse.linalg import LinearOperator, eigs, svds

    with jax.enable_x64(True):
        _, along = jax.linearize(lambda z: system.residual(z, theta) + z, jax.numpy.asarray(z))
        against = jax.linear_transpose(along, jax.numpy.asarray(z))
        forward, backward = jax.jit(along), jax.jit(lambda v: against(v)[0])
        operator = LinearOperator(
            (z.size, z.size),
            matvec=lambda v: np.asarray(forward(v.ravel())),
            rmatvec=lambda v: np.asarray(backward(v.ravel())),
            dtype=np.float64,
        )
        start = np.ones(z.size)
        norm = svds(operator, k=1, return_singular_vectors=False, v0=start)[0]
        radius = np.abs(eigs(operator, k=1, return_eigenvectors=False, v0=start))[0]
    return float(norm), float(radius)
