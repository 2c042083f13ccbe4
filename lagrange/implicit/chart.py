"""`Chart`: a constraint manifold h(x) = 0 as a smooth surface with coordinates, near a point where its rank is full.

With A = h'(x0), normal basis Y and tangent basis Z from the pivoted QR factorization that the solver uses,

    x(u) = x0 + Z u + Y v(u),     h(x(u)) = 0,

and v(u) is an implicit function: the theorem at work on F(v, u) = B h(x0 + Z u + Y v), B = (A Y)^+, so that F_v = I at
the start. The chart ends where F_v becomes singular; a chart at another point goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import qr

from lagrange.implicit.implicit_function import followed, search
from lagrange.implicit.manifold import basis_of, bind_manifold, chart_system, is_met, landed, singular
from lagrange.implicit.radius import radius
from lagrange.implicit.regularity import NotRegular
from lagrange.implicit.root import root
from lagrange.implicit.system import System
from lagrange.kkt.dependence import NEGLIGIBLE
from lagrange.model.named_pytree import Layout, Vector, nested_derivative, point_text

TRIED = 1e-3  # tangent step, relative to |x|, that tells redundant rows from a singular point
SWITCH = 0.5  # pivot below which a walk changes charts
HALVINGS = 20


class Chart:
    """Coordinates of the manifold h(x) = 0 near x0.

    Parameters
    ----------
    h : callable
        h(x), any number of rows. Plain NumPy or JAX.
    x0 : pytree
        A point of the manifold, or near it: it is moved onto it first.

    Attributes
    ----------
    x0 : pytree
        The point at u = 0.
    rank, margin : int, float
        Rank of h'(x0), and its smallest accepted pivot relative to the largest (rows scaled to length 1).
    tangent, normal : (n, d), (n, rank)
        Orthonormal bases Z and Y of the tangent and the normal space at x0, on the flat vector of x.
    dimension : int
        d = n - rank.

    Raises
    ------
    NotRegular
        The rank of h' drops at x0 (a node, a cusp, an isolated point): no manifold there. Which rows, and how.
    NotConverged
        No point of the manifold was found near x0.

    Notes
    -----
    Rows that merely repeat others are no obstacle: h' then has a constant rank, and the rows that are independent
    define the manifold (constant rank theorem; Lee 2013, "Introduction to Smooth Manifolds", theorem 5.12).

    Examples
    --------
    >>> import numpy as np
    >>> import lagrange as lg
    >>> sphere = lg.Chart(lambda x: x @ x - 1, [0.0, 0.0, 1.0])
    >>> sphere.dimension, sphere.dependent
    (2, {'x[2]': ('x[0]', 'x[1]')})
    >>> point = sphere(np.array([0.6, 0.0]))
    >>> round(float(np.linalg.norm(point)), 12)
    1.0
    """

    def __init__(self, h: Callable[[Any], Any], x0: Any) -> None:
        self._manifold, x = bind_manifold(h, x0)
        self._set(landed(self._manifold, x))
        if self.rank < len(self._manifold.rows):
            self._check_constant_rank()

    def _set(self, x: Vector) -> None:
        A = self._manifold.derivative(1, x)
        basis = basis_of(A)
        self._x, self._A = x, A
        self.rank, self.margin = basis.rank, basis.margin
        self.normal, self.tangent = basis.Y, basis.Z
        self._B = np.linalg.pinv(A @ basis.Y)

    @property
    def x0(self) -> Any:
        return self._manifold.layout.tree(self._x)

    @property
    def dimension(self) -> int:
        return self._x.size - self.rank

    @property
    def dependent(self) -> dict[str, tuple[str, ...]]:
        """Which variables are functions of which others on the manifold, by pivoting: {"z": ("x", "y")}."""
        # A P = Q [R1 R2]:  the first variables change by -(A Pfirst)^+ (A Pothers) with the others. Taken beside x0,
        # so that a change that vanishes at x0 by symmetry is seen too.
        pivots = qr(self._A, pivoting=True, mode="economic")[2]
        first, others = pivots[: self.rank], pivots[self.rank :]
        beside, _ = self._point(np.full(self.dimension, TRIED * (self._size or 1.0)))
        A = self._manifold.derivative(1, beside)
        moves = np.linalg.lstsq(A[:, first], -A[:, others])[0]
        names = self._manifold.layout.names()
        pairs = sorted(zip(first.tolist(), moves, strict=True), key=lambda pair: pair[0])
        return {
            names[i]: tuple(names[j] for j in sorted(others[np.abs(row) > NEGLIGIBLE].tolist())) for i, row in pairs
        }

    def __call__(self, u: Any) -> Any:
        """The point of the manifold with tangent coordinates u, shape (d,); like x0.

        For JAX arrays and tracers it can be differentiated, and is NaN where the chart has ended.

        Raises
        ------
        NotRegular
            The chart ends before u. Go on with a chart nearer by: `move_to`.
        """
        import jax

        if isinstance(u, jax.core.Tracer):
            import jax.numpy as jnp

            frame = self._frame(u)
            start = jnp.zeros(self.rank, u.dtype), self._frame(jnp.zeros_like(u)), self._size + jnp.max(jnp.abs(u))
            v = root(self._system.residual, search, start, frame)
            return self._manifold.layout.unflatten(self._x + self.tangent @ u + self.normal @ v)
        return self._manifold.layout.tree(self._point(self._coordinates(u))[0])

    def __repr__(self) -> str:
        names = self._manifold.layout.names()
        return (
            f"Chart of {self._manifold.name}(x) = 0 at ({point_text(names, self._x)}): dimension "
            f"{self.dimension}, rank {self.rank} of {len(self._manifold.rows)} rows, margin {self.margin:.2g}"
        )

    def coordinates(self, x: Any) -> Vector:
        """u = Z'(x - x0): where a point of the manifold lies in this chart, shape (d,)."""
        return np.asarray((self._manifold.layout.flatten(x, "x") - self._x) @ self.tangent)

    def derivative(self, u: Any) -> Any:
        """dx/du at u: shape (n, d), or a pytree like x0 of such arrays."""
        D = self._derivative(self._coordinates(u))
        coordinates = Layout(None, ("u",), ((self.dimension,),))
        return nested_derivative(D, self._manifold.layout, coordinates)

    def retract(self, x: Any, v: Any) -> Any:
        """The point of the manifold reached from x along the tangent part of v: a retraction of second order.

        Moves by v and back along the normal space at x (Absil and Malick 2012, SIAM J. Optim. 22, the orthographic
        retraction). x and v are like x0.

        Raises
        ------
        NotRegular
            There is no such point: v is too long for the curvature of the manifold.
        """
        layout = self._manifold.layout
        there = self._at(landed(self._manifold, layout.flatten(x, "x")))
        return layout.tree(there._point(layout.flatten(v, "v") @ there.tangent)[0])

    def curvature(self, u: Any = None) -> Vector:
        """Second fundamental form at u (None: at x0), shape (n, d, d): the normal acceleration of geodesics.

        II(a, b) = -Y (A Y)^+ h''[a, b] for a, b in the orthonormal tangent basis of `move_to(u)`. On a sphere of
        radius R it is -x/R^2 times the identity.
        """
        if u is not None:
            return self.move_to(u).curvature()
        bend = self._manifold.derivative(2, self._x)
        Z = self.tangent
        return np.asarray(0.0 - np.einsum("nr,rm,mjk,ja,kb->nab", self.normal, self._B, bend, Z, Z))

    def radius_estimate(self) -> float:
        """How far |u| the chart reaches, by the theorem of Newton and Kantorovich; an estimate, no proof."""
        frame = self._frame(np.zeros(self.dimension))
        along_u = np.eye(frame.size, self.dimension)
        return radius(self._system, np.zeros(self.rank), frame, along_u)

    def pivot(self, u: Any) -> float:
        """How well the chart still sees the manifold at u: smallest singular value of F_v, 1 at x0, 0 where it ends."""
        return self._pivot(self._point(self._coordinates(u))[0])

    def move_to(self, u: Any) -> Chart:
        """The chart at the point with coordinates u, its tangent basis turned as little as possible."""
        return self._at(self._point(self._coordinates(u))[0])

    def walk(self, direction: Any, length: float, step: float = 0.1) -> list[Any]:
        """Points of a path that starts along `direction` and goes as straight as it can, changing charts on the way.

        Each step follows the section of the manifold by its direction and the normal space, a geodesic up to third
        order in the step. Where the pivot of a chart falls below 0.5 the step is halved and a new chart begins, so a
        whole circle, sphere or linkage can be walked around.

        Parameters
        ----------
        direction : pytree like x0
            Its tangent part gives the direction.
        length : float
            Of the path, measured in the tangent spaces.
        step : float
            Between the points returned.

        Returns
        -------
        list
            Points like x0, the first one x0.

        Raises
        ------
        NotRegular
            The rank drops on the way: the manifold has a singular point there.
        """
        velocity = self._manifold.layout.flatten(direction, "direction") @ self.tangent
        if not np.linalg.norm(velocity) > 0.0:
            raise ValueError("direction has no tangent part: it is normal to the manifold at x0")
        for name, value in (("length", length), ("step", step)):
            if not 0.0 < value < np.inf:
                raise ValueError(f"{name} must be a positive number, got {value!r}")
        count = max(1, int(np.ceil(length / step)))
        chart, velocity, points = self, velocity / np.linalg.norm(velocity), [self.x0]
        for _ in range(count):
            chart, velocity = chart._stride(velocity, length / count)
            points.append(chart.x0)
        return points

    def _stride(self, velocity: Vector, distance: float, halvings: int = HALVINGS) -> tuple[Chart, Vector]:
        u = distance * velocity
        try:
            x, path_ended = self._point(u)[0], None
        except NotRegular as error:
            x, path_ended = self._x, error
        if path_ended is None and self._pivot(x) >= SWITCH:
            chart = self._at(x)
            moved = (self._derivative(u) @ velocity) @ chart.tangent
            return chart, moved / np.linalg.norm(moved)
        if not halvings:
            raise path_ended or singular(self._manifold, x, "the walk ends")
        chart, velocity = self._stride(velocity, distance / 2, halvings - 1)
        return chart._stride(velocity, distance / 2, halvings - 1)

    @property
    def _size(self) -> float:
        # v is a part of x: rounding is relative to x.
        return float(np.abs(self._x).max())

    @property
    def _system(self) -> System:
        return chart_system(self._manifold, self.rank, self.dimension)

    def _frame(self, u: Any) -> Any:
        fixed = np.concatenate([self._x, self.tangent.ravel(), self.normal.ravel(), self._B.ravel()])
        if isinstance(u, np.ndarray):
            return np.concatenate([u, fixed])
        import jax.numpy as jnp

        return jnp.concatenate([u, jnp.asarray(fixed, u.dtype)])

    def _coordinates(self, u: Any) -> Vector:
        flat = Layout(None, ("u",), ((self.dimension,),)).flatten(np.atleast_1d(u), "u")
        if not np.isfinite(flat).all():
            raise ValueError(f"u must be finite, got {flat}")
        return flat

    def _point(self, u: Vector) -> tuple[Vector, Vector]:
        """x and v at u."""
        if not self.rank:
            return self._x + u, np.empty(0)
        met, origin = np.zeros(self.rank), np.zeros(self.dimension)
        level = self._size + float(np.abs(u).max(initial=0.0))
        path = followed(self._system, met, (self._frame(origin), met), (self._frame(u), met), level)
        reached = (1.0 - float(path.remaining)) * u
        x = self._x + self.tangent @ reached + self.normal @ path.w
        if not path.arrived:
            raise singular(self._manifold, x, f"the chart ends {1.0 - float(path.remaining):.0%} of the way to u = {u}")
        return x, path.w

    def _derivative(self, u: Vector) -> Vector:
        # dx/du = Z + Y dv/du
        x, _ = self._point(u)
        A = self._manifold.derivative(1, x)
        return np.asarray(
            self.tangent - self.normal @ np.linalg.solve(self._B @ A @ self.normal, self._B @ A @ self.tangent)
        )

    def _pivot(self, x: Vector) -> float:
        # Cosine of the largest angle between the normal spaces at x0 and at x.
        A = self._manifold.derivative(1, x)
        if not np.isfinite(A).all():
            return 0.0
        there = basis_of(A)
        if there.rank < self.rank:
            return 0.0
        return float(np.linalg.norm(there.Y.T @ self.normal, -2)) if self.rank else 1.0

    def _at(self, x: Vector) -> Chart:
        chart = object.__new__(Chart)
        chart._manifold = self._manifold
        chart._set(x)
        if chart.rank < self.rank:
            raise singular(self._manifold, x, "the rank drops")
        # The tangent basis nearest to this one: the polar factor of the change of basis.
        left, _, right = np.linalg.svd(chart.tangent.T @ self.tangent)
        chart.tangent = chart.tangent @ (left @ right)
        return chart

    def _check_constant_rank(self) -> None:
        # Redundant rows stay zero where the independent ones are; at a singular point they do not.
        step = TRIED * (self._size or 1.0)
        # Along the axes, and askew to them: a product of coordinates vanishes on the axes.
        askew = 1.0 / np.sqrt(1.0 + np.arange(self.dimension))
        for direction in np.vstack([np.eye(self.dimension), -np.eye(self.dimension), askew, -askew]):
            x, _ = self._point(step * direction)
            if not is_met(self._manifold, x):
                raise singular(self._manifold, self._x, "the rank of h' drops here")
