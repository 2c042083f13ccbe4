"""Linear systems with the Jacobian of a map, solved so that JAX can transpose and differentiate the solution.

Up to `DENSE_LIMIT` unknowns the Jacobian is formed and factorized once, for the system and its transpose; beyond, GMRES
(Saad and Schultz 1986) needs products with it only. Either way the answer is checked: where the matrix is singular to
rounding, or the residual does not become small, the solution is NaN and never a plausible number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lapack

from lagrange.model.named_pytree import Vector

Array = Any  # a JAX array or tracer
Map = Callable[[Any], Any]  # array to array

DENSE_LIMIT = 500  # unknowns up to which a Jacobian is formed
SINGULAR = 10.0  # a smallest singular value below this many roundings of the largest counts as zero
INVERSE_ITERATIONS = 3
KRYLOV_VECTORS = 30  # between restarts of GMRES
RESTARTS = 30
REFINEMENTS = 3
ROUGH, ROUGH_VECTORS = 0.1, 2
KRYLOV_TARGET, KRYLOV_ACCEPTED = 0.75, 2.0 / 3.0  # relative residuals, as powers of the rounding unit


class Inverse(NamedTuple):
    """The inverse of one linear map, applied to vectors.

    Attributes
    ----------
    apply, apply_transposed : callable
        x with A x = b, and with A'x = b; NaN where that cannot be had.
    sign : array or None
        Sign of det A where A was factorized: 0 where it is singular to rounding, NaN where it is not finite.
    """

    apply: Map
    apply_transposed: Map
    sign: Any


def inverse(matvec: Map, like: Array) -> Inverse:
    """The inverse of the linear map `matvec` on vectors like `like`; nothing here is differentiated."""
    return _factorized(matvec, like) if like.size <= DENSE_LIMIT else _iterated(matvec, like)


def dense_inverse(matrix: Vector) -> Inverse:
    """The inverse of a NumPy matrix, with the same answers where it is singular or not finite."""
    n = len(matrix)
    if not np.isfinite(matrix).all():
        return Inverse(lambda b: np.full(n, np.nan), lambda b: np.full(n, np.nan), np.float64(np.nan))
    rows, columns = equilibration(np, matrix)
    scaled = rows[:, None] * matrix * columns
    lu, pivots, _ = lapack.dgetrf(scaled)
    reciprocal_condition, _ = lapack.dgecon(lu, np.abs(scaled).sum(axis=0).max())
    if not reciprocal_condition > SINGULAR * n * np.finfo(np.float64).eps:
        return Inverse(lambda b: np.full(n, np.nan), lambda b: np.full(n, np.nan), np.float64(0.0))
    exchanges = np.count_nonzero(pivots != np.arange(n))
    sign = np.prod(np.sign(lu.diagonal())) * (-1.0) ** exchanges
    return Inverse(
        lambda b: columns * lapack.dgetrs(lu, pivots, rows * b)[0],
        lambda b: rows * lapack.dgetrs(lu, pivots, columns * b, trans=1)[0],
        sign,
    )


def solve(matvec: Map, b: Array) -> Array:
    """x with matvec(x) = b, to be differentiated and transposed at will: the adjoint system uses the same factors."""
    from jax import lax

    if b.size > DENSE_LIMIT:
        return lax.custom_linear_solve(matvec, b, solve=_krylov, transpose_solve=_krylov)
    inverted = _factorized(matvec, b)
    return lax.custom_linear_solve(
        matvec,
        b,
        solve=lambda _, rhs: inverted.apply(rhs),
        transpose_solve=lambda _, rhs: inverted.apply_transposed(rhs),
    )


def rough_solution(matvec: Map, b: Array) -> Array:
    """x with A x near b: exact up to `DENSE_LIMIT` unknowns, beyond from a few Krylov vectors, for its size only."""
    import jax.numpy as jnp
    from jax.scipy.sparse.linalg import gmres

    if b.size <= DENSE_LIMIT:
        return _factorized(matvec, b).apply(b)
    method: Any = gmres  # untyped in JAX
    size = jnp.maximum(jnp.linalg.norm(b), np.finfo(b.dtype).tiny)
    x, _ = method(matvec, b / size, tol=ROUGH, restart=ROUGH_VECTORS, maxiter=1, solve_method="batched")
    return size * x


def _factorized(matvec: Map, like: Array) -> Inverse:
    import jax
    import jax.numpy as jnp

    matrix = jax.lax.stop_gradient(jax.jacfwd(matvec)(jnp.zeros_like(like)))
    lu, pivots = jax.scipy.linalg.lu_factor(matrix)
    singular = _is_singular(matrix, lu, pivots)

    def apply(b: Array, transposed: int = 0) -> Array:
        return jnp.where(singular, jnp.nan, jax.scipy.linalg.lu_solve((lu, pivots), b, trans=transposed))

    exchanges = jnp.sum(pivots != jnp.arange(like.size))
    sign = jnp.prod(jnp.sign(jnp.diagonal(lu))) * (1 - 2 * (exchanges % 2))
    sign = jnp.where(jnp.all(jnp.isfinite(matrix)), jnp.where(singular, 0.0, sign), jnp.nan)
    return Inverse(apply, lambda b: apply(b, 1), sign)


def _is_singular(matrix: Array, lu: Array, pivots: Array) -> Array:
    # The smallest singular value by inverse iteration on A'A, of the matrix with rows and columns of size 1: a
    # singular matrix must not hide behind units, nor a regular one be refused for them.
    import jax
    import jax.numpy as jnp

    n = matrix.shape[0]
    rows, columns = equilibration(jnp, matrix)
    vector = jnp.ones(n, matrix.dtype) / jnp.sqrt(n)
    growth = jnp.asarray(1.0, matrix.dtype)
    for _ in range(INVERSE_ITERATIONS):
        # (R A C)^-1 = C^-1 A^-1 R^-1
        half = jax.scipy.linalg.lu_solve((lu, pivots), vector / rows) / columns
        whole = jax.scipy.linalg.lu_solve((lu, pivots), half / columns, trans=1) / rows
        growth = jnp.linalg.norm(whole)
        vector = whole / growth
    smallest = 1.0 / jnp.sqrt(growth)  # nan where a pivot is zero
    return ~(smallest > SINGULAR * n * np.finfo(matrix.dtype).eps)


def equilibration(xp: Any, matrix: Array) -> tuple[Array, Array]:
    """Factors of rows and columns (powers of two) that bring the largest entry of each to between 1/2 and 1.

    `xp` is NumPy or jax.numpy.
    """
    rows = _power_of_two(xp, xp.max(xp.abs(matrix), axis=1))
    columns = _power_of_two(xp, xp.max(xp.abs(matrix * rows[:, None]), axis=0))
    return rows, columns


def _power_of_two(xp: Any, sizes: Array) -> Array:
    usable = (sizes > 0) & xp.isfinite(sizes)
    return xp.where(usable, xp.exp2(-xp.ceil(xp.log2(xp.where(usable, sizes, 1.0)))), 1.0)


def _iterated(matvec: Map, like: Array) -> Inverse:
    import jax

    transposed = jax.linear_transpose(matvec, like)
    return Inverse(lambda b: _krylov(matvec, b), lambda b: _krylov(lambda v: transposed(v)[0], b), None)


def _krylov(matvec: Map, b: Array) -> Array:
    import jax.numpy as jnp
    from jax import lax
    from jax.scipy.sparse.linalg import gmres

    method: Any = gmres  # untyped in JAX
    eps = float(np.finfo(b.dtype).eps)
    wanted = eps**KRYLOV_TARGET * jnp.linalg.norm(b)

    def improve(state: tuple[Array, Array, int]) -> tuple[Array, Array, int]:
        # JAX's incremental variant stops at a residual that it only believes; the other one, once more on what is left.
        # Right sides of length 1, since it takes short ones for zero.
        x, left, k = state
        size = jnp.linalg.norm(left)
        change, _ = method(
            matvec, left / size, tol=wanted / size, restart=KRYLOV_VECTORS, maxiter=RESTARTS, solve_method="batched"
        )
        x = x + size * change
        return x, b - matvec(x), k + 1

    def goes_on(state: tuple[Array, Array, int]) -> Array:
        _, left, k = state
        return (jnp.linalg.norm(left) > wanted) & (k < REFINEMENTS)

    x, left, _ = lax.while_loop(goes_on, improve, (jnp.zeros_like(b), b, 0))
    return jnp.where(jnp.linalg.norm(left) <= eps**KRYLOV_ACCEPTED * jnp.linalg.norm(b), x, jnp.nan)
