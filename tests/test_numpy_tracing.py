"""Plain NumPy code, as people write it, gives the same values and exact derivatives under JAX."""

import copy
import enum
import functools
import inspect
import itertools
import math
import operator
import subprocess
import sys
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.special
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, mutually_broadcastable_shapes
from numpy import array
from numpy import sin as sine
from numpy.linalg import norm
from scipy.special import gammaln, logsumexp

from lagrange.model.numpy_tracing import NotTraceable, traceable

DIFFERENCE_STEP = 1e-5
DERIVATIVE_TOLERANCE = 1e-7  # of central differences at that step, for functions and derivatives of order one

MATRIX = np.array([[2.0, 0.5, 0.1], [0.3, 3.0, 0.2], [0.1, 0.4, 1.5]])
VECTOR = np.array([0.7, -0.4, 1.2])
INDICES = np.array([2, 0])
LOADS = {"dead": np.array([1.0, 2.0, 3.0]), "factor": 1.5}
POLYNOMIAL = np.poly1d([1.0, -2.0, 0.5])
REPOSITORY = Path(__file__).parents[1]
POINT = np.array([0.6, 1.1, 1.7])
SQUARE = np.array([[1.3, 0.2, 0.4], [0.1, 0.9, 0.3]])


class Choice(enum.Enum):
    FIRST = 1
    SECOND = 2


CHOICE = Choice.FIRST


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def flat(tree):
    """Every number of a result, as NumPy would understand a list."""
    if isinstance(tree, dict):
        return np.concatenate([flat(tree[key]) for key in sorted(tree)])
    return np.asarray(tree, dtype=float).ravel()


def central_differences(function, x):
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = DIFFERENCE_STEP
        step = step.reshape(x.shape)
        columns.append((flat(function(x + step)) - flat(function(x - step))) / (2 * DIFFERENCE_STEP))
    return np.stack(columns, axis=1)


def check(function, x):
    """Value and derivative of the traced function against the plain one."""
    expected = function(x.copy())
    traced = traceable(function)
    result, jacobian = jax.jit(lambda x: (traced(x), jax.jacobian(traced)(x)))(x)
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(result))
    np.testing.assert_allclose(flat(result), flat(expected), rtol=1e-12, atol=1e-13)
    if not isinstance(expected, dict):
        assert result.shape == np.shape(expected)
    rows = [np.asarray(leaf).reshape(-1, x.size) for leaf in jax.tree.leaves(jacobian)]
    np.testing.assert_allclose(
        np.concatenate(rows),
        central_differences(function, x),
        rtol=DERIVATIVE_TOLERANCE,
        atol=DERIVATIVE_TOLERANCE,
    )


# Idioms that need more than one line.


def fill_zeros(x):
    out = np.zeros(3)
    out[0] = x[0] ** 2
    out[1:] = x[1:] * 2
    out[-1] += x[0]
    return out


def fill_empty_like(x):
    out = np.empty_like(x)
    for i in range(len(x)):
        out[i] = x[i] * x[(i + 1) % len(x)]
    return out


def fill_matrix(x):
    out = np.zeros((2, 2))
    out[0, 1] = x[0]
    out[1, :] = x[:2]
    out[:, 0] *= 3
    return np.linalg.det(out) + out


def fill_view(x):
    out = np.zeros((2, 3))
    row = out[0]
    row[1] = x[0]
    out[1] = x
    row += out[1]
    return out


def fill_rows(x):
    out = np.ones((3, 2))
    for row, value in zip(out, x, strict=True):
        row[:] = value
    return out.T @ x


def fill_reshaped(x):
    grid = np.zeros(6).reshape(2, 3)
    grid[1] = x
    line = grid.ravel()
    line[0] = x[2] ** 2
    return grid


def read_view_after_change(x):
    out = x * 2
    tail = out[1:]
    scalar = out[0]
    out[:] = out**2
    return tail * scalar


def change_alias(x):
    y = 2 * x
    z = y
    z *= x
    z -= 1
    return y


def copy_before_change(x):
    y = x.copy()
    y[0] = y[1] * y[2]
    z = copy.deepcopy(y)
    z[1] = 0.0
    return x + y * z


def sort_in_place(x):
    y = -x
    y.sort()
    return y[0] - 2 * y[-1]


def copy_of_global(x):
    stiffness = MATRIX.copy()
    stiffness[0, 0] += x[0]
    stiffness[1:, 1:] *= x[1]
    return np.linalg.solve(stiffness, x)


def assemble(x):
    total = np.zeros(3)
    np.add.at(total, [0, 1, 1], x)
    np.subtract.at(total, np.array([2]), x[0])
    return total


def fill_diagonal(x):
    out = np.outer(x, x)
    np.fill_diagonal(out, x)
    return out


def copy_into(x):
    out = np.zeros((2, 3))
    np.copyto(out, x)
    return out


def masked_assignment(x):
    out = x * 3
    out[out > 4] = 4.0
    return out


def fill_method(x):
    out = np.empty(3)
    out.fill(x[0])
    return out


def swap_rows(x):
    out = np.outer(x, x) + np.eye(3)
    out[0], out[1] = out[1], out[0]  # both rows are views: NumPy writes the second row twice
    return out


def swap_scalars(x):
    out = x.copy()
    out[0], out[1] = out[1], out[0]
    return out * x


def change_through_asarray(x):
    y = np.asarray(x, dtype=float)
    y[0] = 2 * x[1]
    return x * y


def change_copies(x):
    out = np.outer(x, [1.0, 2.0])
    out.flatten()[0] = 9.0
    out.T.reshape(-1)[0] = 9.0  # a transposed matrix has to be copied to be flat
    for v in out[0]:
        v += 1.0
    return out


def chained_indices(x):
    out = np.zeros((2, 2, 2))
    out[0][1][0] = x[0]
    out[1, 0][1] += x[1]
    out.T[0] += x[:2]
    return out


def assemble_elements(x):
    stiffness = np.zeros((4, 4))
    for i, k in enumerate(x):
        nodes = [i, i + 1]
        stiffness[np.ix_(nodes, nodes)] += k * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return stiffness


def counts_with_nonlocal(x):
    count = 0

    def weighted(v):
        nonlocal count
        count += 1
        return count * v

    return sum(weighted(v) for v in x)


def compares_enum(x):
    return math.exp(x[0]) if CHOICE is Choice.FIRST else 0.0


def ignores_floating_point_errors(x):
    with np.errstate(all="ignore"):
        return np.log(x) + np.finfo(float).eps


def running_sum(x):
    s = 0
    t = np.zeros(())
    for i in range(x.size):
        s += x[i] ** 2
        t += x[i]
    return s * t


def unpack(x):
    a, b, c = x
    return a * b - c / a


def imports_inside(x):
    import math as m

    import numpy as numerics
    from numpy import array as make

    return numerics.sum(make([m.sin(x[0]), x[1]])) * m.pi


def recursion(x, depth=3):
    return x[0] if depth == 0 else math.sin(recursion(x, depth - 1)) * x[1]


def helper(x):
    return np.array([math.exp(x[0]), x[1] * x[2]])


def mutual(x, depth=2):
    return np.sum(x) if depth == 0 else mutual_other(x, depth)


def mutual_other(x, depth):
    return mutual(np.array([x[0], 2 * x[1], depth]), depth - 1)


def nested_functions(x):
    scale = x[0]

    def inner(v):
        return math.sqrt(v) * scale

    return np.array([inner(v) for v in x])


def generator(x):
    def squares():
        for v in x:
            yield math.pow(v, 2.5)

    return sum(squares()) + math.fsum(v for v in x)


def make_closure(weights):
    def objective(x):
        return np.dot(weights, np.array([math.log(v) for v in x]))

    return objective


@functools.lru_cache
def cached_weight(i):
    return math.sqrt(i + 1)


def decorated(function):
    @functools.wraps(function)
    def twice(x):
        return 2 * function(x)

    return twice


@decorated
def with_decorator(x):
    return np.array([x[0], math.cosh(x[1])])


@functools.lru_cache(maxsize=2)
def cached_objective(key):
    return math.tan(key / 4)


@np.vectorize
def vectorized(v, w):
    return math.sinh(v) * w


class Model:
    def __init__(self, matrix):
        self.matrix = matrix
        self.calls = 0

    def quadratic(self, x):
        self.calls += 1
        return np.array([x[0], x[1], x[2]]) @ self.matrix @ x

    @property
    def scale(self):
        return math.sqrt(self.matrix[0, 0])

    @staticmethod
    def square(v):
        return math.pow(v, 2)

    def objective(self, x):
        return self.quadratic(x) * self.scale + self.square(x[0])

    def __call__(self, x):
        return self.objective(x)


@dataclass(frozen=True)
class Spring:
    stiffness: float

    def energy(self, stretch):
        return self.stiffness * math.pow(stretch, 2) / 2


SPRINGS = [Spring(1.0), Spring(2.0), Spring(3.0)]


def objects_in_list(x):
    return sum(spring.energy(v) for spring, v in zip(SPRINGS, x, strict=True))


PARTS = {"log": lambda v: math.log(v), "square": np.square}


def functions_in_dict(x):
    return PARTS["log"](x[0]) + PARTS["square"](x[1])


def type_checks(x):
    if isinstance(x, np.ndarray) and isinstance(x[0], float) and np.isscalar(x[0]) and not np.isscalar(x):
        return np.sum(x**2)
    return 0.0


def catches_errors(x):
    try:
        return math.log(x[0])
    except Exception:
        return 0.0


def constant_branch(x):
    counts = np.arange(4)
    total = 0.0
    for i in counts[counts > 1]:
        total = total + x[i - 1] * float(i)
    return total if np.sum(counts) > 3 and bool(counts[1]) else 0.0


def stress(x):
    area, length, load = x
    sigma = load / area
    return {"stress": sigma, "both": [sigma, load * length], "matrix": np.array([[area, 1.0], [0.0, length]])}


def logistic(x):
    margins = MATRIX @ x
    return np.sum(np.log1p(np.exp(-margins))) + 0.5 * np.linalg.norm(x) ** 2


def chained_where(x):
    return np.where(x > 1, x**2, np.where(x > 0.8, 2 * x, np.abs(x)))


def grow_list(x):
    rows = []
    for v in x:
        rows.append([v, v**2])
    rows.append([1, np.pi])
    return np.array(rows)


def mixed_with_jax(x):
    return jnp.sum(jnp.sin(np.array([x[0], x[1]]))) + np.sum(jax.vmap(lambda v: v * jnp.stack([v, 2.0]))(x))


IDIOMS = {
    # Operators and builtins.
    "operators": lambda x: (x + 1) * 2 - x / 3 + 2 / x - (1 - x) + x**2 + 2**x - -x + +x,
    "constant array left": lambda x: VECTOR * x + VECTOR / x - VECTOR,
    "constant matrix product": lambda x: MATRIX @ x + x @ MATRIX,
    "scalar of numpy left": lambda x: np.float64(2.0) * x + VECTOR[0] * x[1] + np.float64(3.0) ** x,
    "floor and remainder": lambda x: x // 0.7 + x % 0.7 + 2.0 % x + divmod(x[2], 0.7)[1],
    "abs, pow, round": lambda x: abs(-x) + pow(x, 3) + round(x[0]) + x.round(2),
    "builtin sum": lambda x: sum(x) + sum(v * v for v in x) + sum([x[0], 1]),
    "list operand": lambda x: x * [1, 2, 3] + [x[0], 1.0, 2.0],
    "operator module": lambda x: functools.reduce(operator.mul, x, 1.0),
    "comparison as number": lambda x: (x > 1) * x + (x <= 1) * x**2,
    "unpacking": unpack,
    "running sum": running_sum,
    "zip and enumerate": lambda x: sum(i * v * w for i, (v, w) in enumerate(itertools.pairwise(x))),
    "map": lambda x: np.array(list(map(math.sin, x))),
    "reversed": lambda x: np.array(list(reversed(x))) * x,
    # Indexing.
    "slices": lambda x: x[1:] * x[:-1] + x[::-1][:2] + x[-1],
    "two dimensions": lambda x: np.outer(x, x)[1, :] + np.outer(x, x)[:, [0, 2]].sum(axis=1),
    "index array": lambda x: x[INDICES] + x[[0, 1]] * x[np.array([True, True, False])],
    "newaxis": lambda x: x[:, None] - x[None, :] + x[np.newaxis, ..., np.newaxis][0],
    "traced index": lambda x: x[np.argmax(x)] + x[np.argsort(-x)][1],
    "flat and item": lambda x: x.flat[1] + x[:1].item() + np.array(x.tolist()).item(2),
    # Attributes and methods.
    "methods": lambda x: x.sum() + x.mean() + x.prod() + x.std() + x.var() + x.max() + x.min() + x.dot(x),
    "shape methods": lambda x: np.outer(x, x).reshape(-1).reshape((3, 3)).T.flatten().ravel()[: x.shape[0] * x.ndim],
    "transposes": lambda x: np.outer(x, x**2).transpose().swapaxes(0, 1).transpose(1, 0)[0],
    "astype and copy": lambda x: x.astype(float) + x.copy() + x.astype(np.float64, copy=False) * x.size,
    "cumulative methods": lambda x: x.cumsum() * x.cumprod() + x.clip(0.7, 1.5) + x.repeat(2).take([0, 2, 4]),
    "trace and diagonal": lambda x: np.outer(x, x).trace() + np.outer(x, x).diagonal() + x.squeeze(),
    "complex": lambda x: (np.exp(1j * x)).real + np.abs(x + 2j * x) + (x * 1j).imag + np.conj(x).real,
    # Making arrays.
    "array of scalars": lambda x: np.array([x[0], x[1] ** 2, 3.0]),
    "array of lists": lambda x: np.array([[x[0], 1.0], [x[1], x[2]]]) @ np.array((x[0], 2)),
    "array of arrays": lambda x: np.array([x, 2 * x]) + np.asarray([x, VECTOR]),
    "imported array": lambda x: array([sine(x[0]), x[1]]),
    "asarray with type": lambda x: np.asarray([x[0], 1], dtype=float) + np.array(x, dtype=np.float64)[1:],
    "atleast": lambda x: np.atleast_1d(x[0]) + np.atleast_2d(x)[0],
    "full and ones": lambda x: np.full(3, x[0]) + np.ones(3) * x + np.full_like(x, 2.0) + np.zeros_like(x),
    "grown list": grow_list,
    "arange and linspace": lambda x: np.arange(3) * x + np.linspace(0, 1, 3) + np.linspace(x[0], x[1], 3),
    "eye and diag": lambda x: np.eye(3) @ x + np.diag(x) @ x + np.diag(np.diag(x)),
    "returned list": lambda x: [x[0] - 1, x[1] ** 2],
    "returned nested list": lambda x: [[x[0], 2], [math.sin(x[1]), x.sum()]],
    "returned tuple": lambda x: (x[0] * x[1], np.sum(x)),
    "returned dict": stress,
    "constant result": lambda x: 3.0,
    "constant array result": lambda x: VECTOR * 2,
    # Assignment.
    "fill zeros": fill_zeros,
    "fill empty_like": fill_empty_like,
    "fill matrix": fill_matrix,
    "fill through a view": fill_view,
    "fill rows of a loop": fill_rows,
    "fill a reshaped array": fill_reshaped,
    "view read after change": read_view_after_change,
    "change of an alias": change_alias,
    "copy before change": copy_before_change,
    "sort in place": sort_in_place,
    "copy of a global array": copy_of_global,
    "swap of rows": swap_rows,
    "swap of scalars": swap_scalars,
    "change through asarray": change_through_asarray,
    "change of copies": change_copies,
    "chained indices": chained_indices,
    "assembly of elements": assemble_elements,
    "add.at": assemble,
    "fill_diagonal": fill_diagonal,
    "copyto": copy_into,
    "assignment by mask": masked_assignment,
    "fill method": fill_method,
    # NumPy's functions.
    "elementary functions": lambda x: np.exp(x) + np.log(x) + np.sqrt(x) + np.sin(x) * np.tanh(x) + np.arctan2(x, 2),
    "powers": lambda x: np.power(x, 2.5) + np.square(x) + np.cbrt(x) + np.reciprocal(x) + np.float_power(x, 2),
    "reductions": lambda x: np.sum(x) + np.prod(x) + np.mean(x) + np.std(x, ddof=1) + np.max(x) + np.ptp(x),
    "reductions along an axis": lambda x: (
        np.sum(np.outer(x, x), axis=0) + np.mean(np.outer(x, x), axis=1, keepdims=True)
    ),
    "sum of a list": lambda x: np.sum([x[0] ** 2, x[1]]) + np.dot([x[0], x[1]], [1, 2]) + np.max([x[0], 2 * x[1]]),
    "where": chained_where,
    "maximum and clip": lambda x: np.maximum(x, 1) + np.minimum(x, VECTOR) + np.clip(x, 0.7, None) + np.fmax(0, x - 1),
    "select and piecewise": lambda x: (
        np.select([x < 1, x < 1.5], [x**2, 3 * x], 1.0)
        + np.piecewise(x, [x < 1, x >= 1], [lambda v: v, lambda v: v**2])
    ),
    "concatenate": lambda x: np.concatenate([x, [x[0], 2.0], VECTOR]) * np.append(np.hstack([x[0], x]), np.ones(4)),
    "stack": lambda x: np.stack([x, x**2]) + np.vstack((x, VECTOR)) + np.column_stack([x[:2], x[1:], x[:2]]),
    "block": lambda x: np.block([[np.outer(x, x), x[:, None]], [x, 1.0]]),
    "index tricks": lambda x: np.r_[x[0], x, 1.0] * np.r_[1, 2, 3, 4, 5] + np.c_[x, x].sum(),
    "split": lambda x: np.split(np.outer(x, x), 3)[1] + np.array_split(x, 2)[0].sum(),
    "tile, roll, flip, pad": lambda x: np.tile(x, 2)[:3] + np.roll(x, 1) + np.flip(x) + np.pad(x, 1)[:3],
    "einsum": lambda x: np.einsum("i,ij,j->", x, MATRIX, x) + np.einsum("ii", np.outer(x, x)),
    "products": lambda x: np.dot(x, MATRIX) + np.cross(x, VECTOR) + np.inner(x, x) + np.outer(x, x)[0] + np.vdot(x, x),
    "kron, tensordot": lambda x: np.kron(x, x)[:3] + np.tensordot(MATRIX, x, axes=1) + np.matmul(MATRIX, x),
    "differences": lambda x: np.diff(x) + np.gradient(x)[:2] + np.cumsum(x)[1:] + np.cumprod(x)[:2],
    "integrals and tables": lambda x: np.trapezoid(x, dx=0.5) + np.interp(x, [0.0, 1.0, 2.0], [0.0, 3.0, 4.0]),
    "interpolated values": lambda x: np.interp(0.3, [0.0, 0.5, 1.0], x),
    "polynomials": lambda x: np.polyval([1, 2, 3], x) + np.polyval(x, 2.0) + POLYNOMIAL(x),
    "new polynomials": lambda x: np.polynomial.polynomial.polyval(x, [1.0, 2.0, 3.0]),
    "statistics": lambda x: np.var(x) + np.median(x) + np.average(x, weights=[1, 2, 3]) + np.percentile(x, 40),
    "sorting": lambda x: np.sort(-x) * VECTOR + np.convolve(x, [1, 2])[:3],
    "ufunc methods": lambda x: np.add.reduce(x) + np.multiply.accumulate(x) + np.multiply.outer(x, x)[1],
    "reduce of hypot": lambda x: np.hypot.reduce(x) + np.logaddexp.reduce(x) + np.logaddexp(x, 0),
    "meshgrid": lambda x: sum(np.meshgrid(x, x[:2])) + np.broadcast_to(x, (2, 3)),
    "nan functions": lambda x: np.nansum(x) + np.nan_to_num(x) + np.sign(x) + np.heaviside(x - 1, 0.5),
    "fft": lambda x: np.abs(np.fft.fft(x)) ** 2 + np.fft.ifft(np.fft.fft(x)).real,
    "vectorize": lambda x: np.vectorize(lambda v: math.exp(-v) * 2)(x),
    "vectorized helper": lambda x: vectorized(x, 2.0) + vectorized(1.0, 2.0),
    "apply_along_axis": lambda x: np.apply_along_axis(np.sum, 0, np.outer(x, x)),
    # Linear algebra.
    "norm": lambda x: np.linalg.norm(x) + norm(x, 1) + np.linalg.norm(x - VECTOR, ord=3),
    "solve and inv": lambda x: np.linalg.solve(MATRIX + np.diag(x), VECTOR) + np.linalg.inv(np.diag(x)) @ x,
    "det": lambda x: np.linalg.det(MATRIX * x) + np.linalg.slogdet(MATRIX + np.diag(x))[1],
    "eigenvalues": lambda x: np.linalg.eigvalsh(np.diag(x) + 0.1) + np.linalg.eigh(np.diag(x) + 0.1).eigenvalues,
    "cholesky": lambda x: np.linalg.cholesky(np.diag(x) + 0.1),
    "matrix power and multi_dot": lambda x: (
        np.linalg.matrix_power(np.diag(x), 3) + np.linalg.multi_dot([MATRIX, np.diag(x), MATRIX])
    ),
    "svd and pinv": lambda x: np.linalg.svd(MATRIX * x, compute_uv=False) + np.linalg.pinv(np.diag(x)) @ x,
    "scipy.linalg": lambda x: scipy.linalg.solve(MATRIX, x) + scipy.linalg.expm(np.diag(x))[0],
    # math and scipy.special.
    "math": lambda x: math.exp(x[0]) + math.sin(x[1]) * math.sqrt(x[2]) + math.log(x[0], 3) + math.pi**2,
    "math, more": lambda x: math.atan2(x[0], x[1]) + math.hypot(x[0], x[1]) + math.fabs(-x[2]) + math.gamma(x[1]),
    "math on sequences": lambda x: math.fsum(x) + math.prod(x) + math.dist(x, VECTOR) + math.fsum([x[0], 1]),
    "math rounding": lambda x: math.floor(x[0]) + math.ceil(x[1]) * x[2] + math.trunc(x[2]),
    "imported from math": lambda x: exp(x[0]) * sqrt(x[1]),
    "scipy.special": lambda x: scipy.special.erf(x) + scipy.special.ndtr(x) + scipy.special.expit(x) + gammaln(x),
    "scipy.special, more": lambda x: (
        logsumexp(x) + scipy.special.xlogy(x, x) + scipy.special.psi(x) + scipy.special.logsumexp([x[0], 1.0])
    ),
    "softmax and entropy": lambda x: scipy.special.softmax(x) * scipy.special.entr(x) + scipy.special.log1p(x),
    # Ways to write a function.
    "imports inside": imports_inside,
    "helper": lambda x: helper(x) * 2,
    "recursion": recursion,
    "mutual recursion": mutual,
    "nested functions": nested_functions,
    "generator": generator,
    "nonlocal counter": counts_with_nonlocal,
    "enum": compares_enum,
    "errstate": ignores_floating_point_errors,
    "closure": make_closure(VECTOR),
    "cached helpers": lambda x: sum(cached_weight(i) * cached_objective(v) for i, v in enumerate(x)),
    "decorator": with_decorator,
    "partial": functools.partial(recursion, depth=1),
    "bound method": Model(MATRIX).objective,
    "callable object": Model(MATRIX),
    "object in closure": (lambda model: lambda x: model.objective(x) / model.scale)(Model(MATRIX)),
    "objects in a list": objects_in_list,
    "functions in a dict": functions_in_dict,
    "data in a dict": lambda x: LOADS["dead"] @ x * LOADS["factor"] + np.array([LOADS["dead"][0], x[0]]),
    "default argument": lambda x, weights=VECTOR, root=math.sqrt: np.array([root(v) for v in x]) @ weights,
    "walrus and conditional": lambda x: (n := len(x)) * x[0] if x.ndim == 1 and len(x) == 3 else n,
    "type checks": type_checks,
    "except clause": catches_errors,
    "branch on constants": constant_branch,
    "format": lambda x: x[0] if f"{x[0]:.3f} {x} {VECTOR[0]:.1f}" else x[1],
    "logistic regression": logistic,
    "with jax": mixed_with_jax,
}


@pytest.mark.parametrize("name", IDIOMS)
def test_idiom_has_the_same_value_and_exact_derivatives(name):
    check(IDIOMS[name], POINT)


MATRIX_IDIOMS = {
    "frobenius": lambda x: np.sum(x**2) + np.linalg.norm(x, "fro"),
    "rows": lambda x: np.array([np.dot(row, row) for row in x]),
    "columns": lambda x: x[:, 0] * x[:, -1] + x.T[1].sum(),
    "quadratic forms": lambda x: np.einsum("ij,jk,lk->il", x, MATRIX, x),
    "distances": lambda x: np.sqrt(((x[:, None, :] - MATRIX[None, :, :]) ** 2).sum(axis=-1)),
    "axis tuple": lambda x: x.sum(axis=(0, 1)) + x.mean(0) + x.max(axis=1, keepdims=True),
    "determinant": lambda x: np.linalg.det(x @ x.T),
    "triangles": lambda x: np.tril(x) + np.triu(x, 1) + x[np.triu_indices(2)].sum(),
}


@pytest.mark.parametrize("name", MATRIX_IDIOMS)
def test_idiom_on_a_matrix(name):
    check(MATRIX_IDIOMS[name], SQUARE)


# What cannot be followed: the line is marked, the reason is the second entry, and the function that the
# message names is the one around the marked line.


def branches(x):
    if x[0] > 0:  # refused
        return x[0]
    return -x[0]


def branches_in_helper(x):
    return 2 * branches(x)


def asserts(x):
    assert np.all(x > 0)  # refused
    return x.sum()


def takes_maximum(x):
    return max(x[0], x[1])  # refused


def sorts_python_list(x):
    return sorted(x)[0]  # refused


def compares_in_comprehension(x):
    return sum(v for v in x if v > 1)  # refused


def loops_on_value(x):
    total = x[0]
    while total < 10:  # refused
        total = 2 * total
    return total


def converts_to_float(x):
    return float(x[0]) ** 2  # refused


def converts_to_int(x):
    return x[int(x[0])]  # refused


def counts_by_value(x):
    return sum(x[0] for _ in range(x[1].astype(int)))  # refused


def uses_as_key(x):
    table = {}
    table[x[0]] = 1.0  # refused
    return x[1]


def calls_brentq(x):
    return scipy.optimize.brentq(lambda t: math.cos(t) - t * x[0], 0.0, 2.0)  # refused


def calls_stdlib(x):
    import statistics

    return statistics.variance(x)  # refused


def draws_random(x):
    return np.random.normal(x[0])  # refused


def draws_from_generator(x):
    return np.random.default_rng(0).normal(x[0])  # refused


def writes_out(x):
    y = np.zeros(3)
    np.multiply(x, 2, out=y)  # refused
    return y


def selects_by_mask(x):
    return x[x > 1].sum()  # refused


def finds_unique(x):
    return np.unique(x)  # refused


def has_no_counterpart(x):
    return scipy.special.jv(0, x)  # refused


def changes_global(x):
    VECTOR[0] = x[0]  # refused
    return VECTOR * x


def hides_the_refusal(x):
    try:
        return float(x[0])  # refused
    except Exception:
        return 0.0


def branches_in_jax(x):
    y = jnp.sin(x)
    return y if jnp.sum(y) > 0 else -y  # refused


def fills_integers_in_object_array(x):
    return np.array([x[0], x[1]], dtype=object)  # refused


def prints_bytes(x):
    return len(x.tobytes()) * x[0]  # refused


BRANCH = "it branches on the value of its argument"
FLOAT = "it converts its argument to a Python float"
UNTRACEABLE = [
    (branches, branches, BRANCH),
    (branches_in_helper, branches, BRANCH),
    (asserts, asserts, BRANCH),
    (takes_maximum, takes_maximum, BRANCH),
    (sorts_python_list, sorts_python_list, BRANCH),
    (compares_in_comprehension, compares_in_comprehension, BRANCH),
    (loops_on_value, loops_on_value, BRANCH),
    (converts_to_float, converts_to_float, FLOAT),
    (converts_to_int, converts_to_int, "it converts its argument to a Python int"),
    (counts_by_value, counts_by_value, "it uses the value of its argument as an index or a count"),
    (uses_as_key, uses_as_key, "it uses its argument as a key of a dictionary, a set or a cache"),
    (calls_brentq, calls_brentq, "it calls foreign code (scipy.optimize.brentq)"),
    (calls_stdlib, calls_stdlib, "it calls foreign code (statistics.variance)"),
    (draws_random, draws_random, "it calls numpy.random.normal, which has no counterpart in JAX"),
    (draws_from_generator, draws_from_generator, "it calls foreign code (numpy.random.Generator.normal)"),
    (writes_out, writes_out, "it lets numpy.multiply write into an array (out=)"),
    (selects_by_mask, selects_by_mask, "it selects elements by the values of its argument"),
    (finds_unique, finds_unique, "it calls numpy.unique, whose result has a form that depends on values"),
    (has_no_counterpart, has_no_counterpart, "it calls scipy.special.jv, which has no counterpart in JAX"),
    (changes_global, changes_global, "it changes an array that lives outside of it"),
    (hides_the_refusal, hides_the_refusal, FLOAT),
    (branches_in_jax, branches_in_jax, BRANCH),
    (prints_bytes, prints_bytes, "it uses ndarray.tobytes, which JAX cannot follow"),
]


def marked_line(function):
    lines, first = inspect.getsourcelines(function)
    return first + next(i for i, line in enumerate(lines) if "# refused" in line)


@pytest.mark.parametrize(("function", "culprit", "reason"), UNTRACEABLE, ids=[f.__name__ for f, _, _ in UNTRACEABLE])
def test_refusal_names_function_line_and_reason(function, culprit, reason):
    with pytest.raises(NotTraceable) as caught:
        jax.jit(traceable(function))(POINT)
    assert caught.value.function == culprit.__name__
    assert caught.value.filename == __file__
    assert caught.value.line == marked_line(culprit)
    assert caught.value.reason == reason
    assert all(part in str(caught.value) for part in (culprit.__name__, str(caught.value.line), reason))
    assert np.array_equal(VECTOR, [0.7, -0.4, 1.2])


def test_refusal_by_jax_itself_keeps_its_words():
    with pytest.raises(NotTraceable, match=r"it calls numpy\.array, which JAX refuses: ") as caught:
        jax.jit(traceable(fills_integers_in_object_array))(POINT)
    assert caught.value.line == marked_line(fills_integers_in_object_array)


def test_refusal_of_foreign_callable_has_a_name():
    with pytest.raises(NotTraceable) as caught:
        jax.jit(traceable(math.factorial))(3.0)
    assert caught.value.function == "factorial"


# Exceptions of the user's own come through.


def raises_on_purpose(x):
    raise ValueError("volume must be positive")


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (raises_on_purpose, ValueError),
        (lambda x: {"a": 1}["b"] * x, KeyError),
        (lambda x: x / (1 // 0), ZeroDivisionError),
        (lambda x: x[3], IndexError),
        (lambda x: x[:, 0], IndexError),
        (lambda x: x.volume, AttributeError),
        (lambda x: x[0] + "a", TypeError),
        (lambda x: len(x[0]), TypeError),
        (lambda x: list(x[0]), TypeError),
        (lambda x: undefined_name * x, NameError),  # noqa: F821
        (lambda x: jnp.sin(x) * raises_on_purpose(x), ValueError),
        (lambda x: math.exp(x), TypeError),
    ],
)
def test_own_exceptions_come_through(function, error):
    with pytest.raises(error):
        function(POINT.copy())
    with pytest.raises(error) as caught:
        jax.jit(traceable(function))(POINT)
    assert not isinstance(caught.value, NotTraceable)


def test_assignment_out_of_bounds_is_an_error():
    def overflows(x):
        out = np.zeros(2)
        out[2] = x[0]
        return out

    with pytest.raises(IndexError):
        jax.jit(traceable(overflows))(POINT)


def test_float_into_integer_array_is_cut_as_numpy_does():
    def cuts(x):
        out = np.zeros(3, dtype=int)
        out[:] = 10 * x
        return out

    assert np.array_equal(jax.jit(traceable(cuts))(POINT), cuts(POINT))

    def adds(x):
        out = np.zeros(3, dtype=int)
        out += x
        return out

    with pytest.raises(TypeError):
        adds(POINT)
    with pytest.raises(TypeError):
        jax.jit(traceable(adds))(POINT)


# JAX functions work as they are.


def test_jax_function_gets_the_tracer_itself():
    seen = []

    def model(x):
        seen.append(x)
        return jnp.sum(jnp.tanh(x))

    result = jax.grad(traceable(model))(jnp.asarray(POINT))
    assert isinstance(seen[0], jax.core.Tracer)
    assert len(seen) == 1
    np.testing.assert_allclose(result, 1 / np.cosh(POINT) ** 2, rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [jnp.sin, jax.jit(lambda x: jnp.cumsum(x)), jax.grad(lambda x: jnp.sum(x**3)), jax.vmap(jnp.exp)],
)
def test_jax_callables(function):
    np.testing.assert_array_equal(jax.jit(traceable(function))(POINT), jax.jit(function)(POINT))


def test_numpy_functions_themselves():
    for function in (np.sin, np.sum, np.linalg.norm, scipy.special.erf):
        np.testing.assert_allclose(jax.jit(traceable(function))(POINT), function(POINT), rtol=1e-14)


def test_vmap_and_second_derivatives():
    batch = np.stack([POINT, 2 * POINT])
    values = jax.vmap(traceable(logistic))(batch)
    np.testing.assert_allclose(values, [logistic(x) for x in batch], rtol=1e-13)
    hessian = jax.hessian(traceable(logistic))(jnp.asarray(POINT))
    gradient = jax.grad(traceable(logistic))
    np.testing.assert_allclose(
        hessian, central_differences(lambda x: gradient(jnp.asarray(x)), POINT), atol=DERIVATIVE_TOLERANCE
    )


# Pytrees.


class Can(NamedTuple):
    radius: float
    height: float


@jax.tree_util.register_dataclass
@dataclass
class Tank:
    radius: float
    levels: np.ndarray

    def volume(self):
        return math.pi * self.radius**2 * np.sum(self.levels)


def surface(x, p):
    return 2 * np.pi * x["radius"] * (x["radius"] + x["height"]) + math.exp(p["load"]) * np.max([1.0, 2.0])


def test_dict_of_floats_with_parameters():
    x, p = {"radius": 3.0, "height": 10.0}, {"load": 0.5}
    value, (dx, dp) = jax.jit(jax.value_and_grad(traceable(surface), argnums=(0, 1)))(x, p)
    assert value == pytest.approx(surface(x, p), rel=1e-14)
    assert dx["height"] == pytest.approx(2 * np.pi * 3.0)
    assert dx["radius"] == pytest.approx(2 * np.pi * 16.0)
    assert dp["load"] == pytest.approx(2 * math.exp(0.5))


def test_named_tuple():
    def volume(x):
        return math.pi * math.pow(x.radius, 2) * x.height

    gradient = jax.jit(jax.grad(traceable(volume)))(Can(3.0, 10.0))
    assert isinstance(gradient, Can)
    assert gradient.height == pytest.approx(9 * math.pi)

    result = jax.jit(traceable(lambda x: Can(math.sqrt(x[0]), x[1:])))(POINT)
    assert isinstance(result, Can)
    np.testing.assert_allclose(result.height, POINT[1:])


def test_dataclass_is_given_to_the_function_as_it_is():
    tank = Tank(2.0, POINT)
    gradient = jax.jit(jax.grad(traceable(lambda x: x.volume())))(tank)
    assert isinstance(gradient, Tank)
    np.testing.assert_allclose(gradient.levels, np.full(3, 4 * math.pi))
    result = jax.jit(traceable(lambda x: Tank(x.radius * 2, [x.levels[0], 1.0])))(tank)
    assert isinstance(result, Tank)
    np.testing.assert_allclose(result.levels, [POINT[0], 1.0])


def test_list_of_floats_as_variables():
    def product(x):
        return np.array(x) @ np.array(x) + np.prod(x) + x[0]

    gradient = jax.jit(jax.grad(traceable(product)))([1.0, 2.0, 3.0])
    np.testing.assert_allclose(np.array(gradient), [2 + 6 + 1, 4 + 3, 6 + 2])


def test_arrays_of_different_shapes_stay_a_list():
    result = jax.jit(traceable(lambda x: [x[0] * math.e, x[1:]]))(POINT)
    assert isinstance(result, list)
    assert [leaf.shape for leaf in result] == [(), (2,)]


# Nothing outside of the function changes.


def test_nothing_outside_changes():
    log = []
    model = Model(MATRIX)
    before = (np.sin, math.exp, MATRIX.copy(), VECTOR.copy())

    def objective(x):
        log.append(x)
        return model.quadratic(np.array([x[0], math.exp(x[1]), 1.0]))

    jax.jit(traceable(objective))(POINT)
    assert log == []
    assert model.calls == 0
    assert type(model) is Model
    assert np.sin is before[0]
    assert math.exp is before[1]
    np.testing.assert_array_equal(MATRIX, before[2])
    np.testing.assert_array_equal(VECTOR, before[3])
    assert isinstance(objective(POINT), float)


def test_input_is_not_changed():
    def scales(x):
        x *= 2
        x[0] = 1.0
        return x

    point = jnp.asarray(POINT)
    np.testing.assert_allclose(traceable(scales)(point), [1.0, 2.2, 3.4])
    np.testing.assert_array_equal(point, POINT)


def test_globals_are_read_at_each_call():
    namespace = {"np": np, "weight": np.array([1.0, 0.0, 0.0])}
    exec("def weighted(x):\n    return np.dot(weight, np.array([x[0], x[1], x[2]]))", namespace)
    weighted = traceable(namespace["weighted"])
    assert weighted(jnp.asarray(POINT)) == POINT[0]
    namespace["weight"] = np.array([0.0, 2.0, 0.0])
    assert weighted(jnp.asarray(POINT)) == 2 * POINT[1]


def test_import_does_not_import_jax():
    code = "import lagrange.model.numpy_tracing, sys; print('jax' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# Random shapes.

numbers = st.floats(-2.0, 2.0, allow_nan=False).map(lambda v: round(v, 3))
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
SHAPE_IDIOMS = [
    lambda x: np.sum(np.tanh(x) ** 2, axis=-1) + x[..., 0],
    lambda x: np.exp(-(x**2)).reshape(-1)[::-1],
    lambda x: np.array([np.sin(row).sum() * 2 for row in x]),
    lambda x: np.cumsum(x, axis=0).T @ np.ones(x.shape[0]),
    lambda x: x - x.mean(axis=0, keepdims=True) + np.moveaxis(x, 0, -1).sum(),
]


def fill_shifted(x):
    out = np.zeros_like(x)
    last = out[-1:]
    out[:-1] = x[1:] ** 2
    last[...] = x[0]
    out.T[0] += 1.0
    return out


@settings(max_examples=12, deadline=None)
@given(st.data(), st.sampled_from([*SHAPE_IDIOMS, fill_shifted]), shapes)
def test_random_shapes(data, function, shape):
    x = data.draw(arrays(float, shape, elements=numbers))
    with jax.enable_x64(True):
        direction = np.cos(np.arange(x.size)).reshape(shape)
        result, slope = jax.jvp(traceable(function), (jnp.asarray(x),), (jnp.asarray(direction),))
    np.testing.assert_allclose(result, function(x.copy()), rtol=1e-12, atol=1e-12)
    step = DIFFERENCE_STEP * direction
    difference = (function(x + step) - function(x - step)) / (2 * DIFFERENCE_STEP)
    np.testing.assert_allclose(slope, difference, rtol=1e-6, atol=1e-6)


@settings(max_examples=12, deadline=None)
@given(st.data(), mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_random_broadcasting(data, broadcast):
    left, right = (data.draw(arrays(float, shape, elements=numbers)) for shape in broadcast.input_shapes)

    def function(a, b):
        return np.maximum(a, b) * a - np.where(b > 0, a, 2 * b) + np.hypot(a, 1.0)

    with jax.enable_x64(True):
        result = traceable(function)(jnp.asarray(left), jnp.asarray(right))
    np.testing.assert_allclose(result, function(left, right), rtol=1e-12, atol=1e-12)
