"""The manifold h(x) = 0 as data: the user's constraint bound to the layout of x, derivatives, and the way onto it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lagrange.implicit.regularity import EPS, NotConverged, NotRegular, Regularity
from lagrange.implicit.system import System, evaluated, flat_array, flat_start, name_of
from lagrange.kkt.dependence import NEGLIGIBLE, dependent_groups
from lagrange.kkt.null_space import RangeNullSpace
from lagrange.model.named_pytree import Layout, Vector, point_text
from lagrange.model.numpy_tracing import traceable

ON_THE_MANIFOLD = 1e-9  # |h| below this, relative to |A| |x|, is zero
LANDING_STEPS = 50


@dataclass(frozen=True, eq=False)
class Manifold:
    """The constraint h(x) = 0.

    Attributes
    ----------
    name : how messages call h;  rows : one name per row of it;  layout : of x
    call : h on pytrees of JAX arrays
    """

    name: str
    layout: Layout
    rows: tuple[str, ...]
    call: Callable[[Any], Any]

    def value(self, x: Any) -> Any:
        """h on a flat JAX array."""
        return flat_array(self.call(self.layout.unflatten(x)), x.dtype)

    @functools.cached_property
    def _compiled(self) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
        import jax

        return jax.jit(self.value), jax.jit(jax.jacobian(self.value)), jax.jit(jax.hessian(self.value))

    def derivative(self, order: int, x: Vector) -> Vector:
        """h, h' or h'' at x: (m,), (m, n), (m, n, n)."""
        import jax

        with jax.enable_x64(True):
            return np.asarray(self._compiled[order](x))


def bind_manifold(h: Callable[[Any], Any], x0: Any) -> tuple[Manifold, Vector]:
    """The manifold of h and flat x0, looked at once on real numbers.

    Raises
    ------
    TypeError, ValueError
        h or x0 are not what they should be, by name.
    """
    name = name_of(h)
    layout, x = flat_start(x0, "x")
    rows, _ = evaluated(h, "x0", (layout, x))
    if not rows.size:
        raise ValueError(f"{name} has no rows: there is no constraint")
    return Manifold(name, layout, tuple(rows.names()), traceable(h)), x


def basis_of(A: Vector) -> RangeNullSpace:
    """Bases of the normal and tangent space of rows of length 1: units do not decide the rank."""
    lengths = np.linalg.norm(A, axis=1)
    return RangeNullSpace(A / np.where(lengths > 0.0, lengths, 1.0)[:, None])


def is_met(manifold: Manifold, x: Vector) -> bool:
    """True where h(x) is zero to rounding."""
    h, A = manifold.derivative(0, x), manifold.derivative(1, x)
    size = np.maximum(np.abs(A) @ np.maximum(np.abs(x), 1.0), EPS)
    return bool((np.abs(h) <= ON_THE_MANIFOLD * size).all())


def landed(manifold: Manifold, x: Vector) -> Vector:
    """The point of the manifold that Gauss-Newton steps of least length lead to, x <- x - A^+ h.

    Raises
    ------
    NotConverged
        Where they lead to none: which row is left.
    """
    before = np.inf
    for _ in range(LANDING_STEPS):
        h, A = manifold.derivative(0, x), manifold.derivative(1, x)
        if not (np.isfinite(h).all() and np.isfinite(A).all()):
            break
        basis = basis_of(A)
        lengths = np.linalg.norm(A, axis=1)
        step = basis.Y @ basis.normal_coordinates(-h / np.where(lengths > 0.0, lengths, 1.0))
        size = float(np.abs(step).max(initial=0.0))
        if size <= 4.0 * EPS * float(np.abs(x).max()) or (size >= before and is_met(manifold, x)):
            break
        x, before = x + step, size
    if not is_met(manifold, x):
        h = manifold.derivative(0, x)
        worst = int(np.nanargmax(np.abs(h))) if not np.isnan(h).all() else 0
        raise NotConverged(
            f"no point of {manifold.name}(x) = 0 was found near x0: {manifold.rows[worst]} is {h[worst]:.3g} at "
            f"({point_text(manifold.layout.names(), x)}). Start nearer to the manifold"
        )
    return x


def singular(manifold: Manifold, x: Vector, where: str) -> NotRegular:
    """The error that says where h' loses rank, and which rows are to blame."""
    A = manifold.derivative(1, x)
    A = np.where(np.isfinite(A), A, 0.0)
    names, rows = manifold.layout.names(), manifold.rows
    groups = dependent_groups(A, rows)
    zero = [group[0] for group in groups if len(group) == 1]
    dependent = [f"{first} depends on {', '.join(others)}" for first, *others in groups if others]
    blamed = [f"the gradient of {row} is zero" for row in zero] + dependent
    rank = RangeNullSpace(A).rank
    left = np.linalg.svd(A)[0][:, -1]
    found = Regularity(
        regular=False,
        rank=rank,
        size=A.shape[0],
        margin=0.0,
        smallest_singular_value=float(np.linalg.svd(A, compute_uv=False)[-1]),
        condition=float("inf"),
        null_direction=left,
        distance=0.0,
        rounding=float("inf"),
        weakest=tuple(rows[i] for i in np.flatnonzero(np.abs(left) > NEGLIGIBLE)),
    )
    why = f": {'; '.join(blamed)}" if blamed else ""
    message = (
        f"{where}, at ({point_text(names, x)}){why}. "
        f"{'No manifold passes through: start at another point.' if blamed else 'Take a chart nearer by: move_to.'}"
    )
    return NotRegular(message, manifold.layout.tree(x), None, found)


@functools.cache
def chart_system(manifold: Manifold, r: int, d: int) -> System:
    """F(v, p) = B h(x0 + Z u + Y v) with p = (u, x0, Z, Y, B): r equations, compiled once for all charts of h."""
    n, m = manifold.layout.size, len(manifold.rows)
    sizes = np.cumsum([0, d, n, n * d, n * r, r * m]).tolist()

    def equations(v: Any, p: Any) -> Any:
        u, x0, Z, Y, B = (p[start:stop] for start, stop in pairwise(sizes))
        x = x0 + Z.reshape(n, d) @ u + Y.reshape(n, r) @ v
        return B.reshape(r, m) @ manifold.value(x)

    normal, frame = Layout(None, ("v",), ((r,),)), Layout(None, ("u",), ((sizes[-1],),))
    return System(manifold.name, equations, normal, frame, tuple(f"{manifold.name}[{i}]" for i in range(r)), "u")
