"""Charts of constraint manifolds against their geometry: circles, spheres, tori, rotations, linkages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lagrange as lg
from lagrange.model.named_pytree import Vector


class Crank(NamedTuple):
    a: Any  # end of the crank of length 1 at the origin
    b: Any  # end of the rocker of length 3 at (4, 0)


def torus(x: Any) -> Any:
    return (np.sqrt(x[0] ** 2 + x[1] ** 2) - 3) ** 2 + x[2] ** 2 - 1


def rotation(R: Any) -> Any:
    return (R.T @ R - np.eye(3))[np.triu_indices(3)]


def stiefel(V: Any) -> Any:
    return (V.T @ V - np.eye(2))[np.triu_indices(2)]


def linkage(x: Any) -> Any:
    gap, rocker = x.b - x.a, x.b - np.array([4.0, 0.0])
    return {"crank": x.a @ x.a - 1.0, "coupler": gap @ gap - 3.5**2, "rocker": rocker @ rocker - 3.0**2}


def rocker_end(angle: float) -> Vector:
    """The upper intersection of the circle of the coupler around the crank's end and that of the rocker."""
    a, pivot = np.array([np.cos(angle), np.sin(angle)]), np.array([4.0, 0.0])
    distance = np.linalg.norm(pivot - a)
    along = (3.5**2 - 3.0**2 + distance**2) / (2 * distance)
    e = (pivot - a) / distance
    return a + along * e + np.sqrt(3.5**2 - along**2) * np.array([-e[1], e[0]])


# h, x0, rank, dimension
MANIFOLDS: dict[str, tuple[Callable[[Any], Any], Any, int, int]] = {
    "circle": (lambda x: x @ x - 4, [2.0, 0.0], 1, 1),
    "sphere": (lambda x: x @ x - 4, [0.0, 1.2, 1.6], 1, 2),
    "ellipsoid": (lambda x: x[0] ** 2 + x[1] ** 2 / 4 + x[2] ** 2 / 9 - 1, [0.6, 0.0, 2.4], 1, 2),
    "torus": (torus, [4.0, 0.0, 0.0], 1, 2),
    "rotations": (rotation, np.eye(3), 6, 3),
    "Stiefel": (stiefel, np.eye(3)[:, :2], 3, 3),
    "linkage": (linkage, Crank(np.array([1.0, 0.0]), rocker_end(0.0)), 3, 1),
    "sphere and cylinder": (
        lambda x: np.array([x @ x - 4, (x[0] - 1) ** 2 + x[1] ** 2 - 1]),
        [1.0, 1.0, np.sqrt(2.0)],
        2,
        1,
    ),
    "plane": (lambda x: np.array([x[0] + x[1] - 1, x[1] - x[2]]), [0.5, 0.5, 0.5], 2, 1),
    "redundant": (lambda x: np.array([x @ x - 1, 2 * (x @ x - 1)]), [0.6, 0.8], 1, 1),
    "squared": (lambda x: np.array([x @ x - 1, (x @ x - 1) ** 2]), [0.6, 0.8], 1, 1),
}


@functools.cache
def chart(name: str) -> lg.Chart:
    return lg.Chart(*MANIFOLDS[name][:2])


def flat(tree: Any) -> Vector:
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


def assert_second_order(f: Callable[[Any], Any], at: Vector, step: Vector, derivative: Vector) -> None:
    """Central differences of f approach the derivative along step with the second power of the step."""
    steps = np.logspace(0.0, -1.0, 5)
    errors = [np.abs((flat(f(at + h * step)) - flat(f(at - h * step))) / (2 * h) - derivative).max() for h in steps]
    if max(errors) < 1e-12:
        return
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert 1.9 < slope < 2.1, (slope, errors)


# What every chart promises -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MANIFOLDS)
def test_chart(name: str) -> None:
    h, x0, rank, dimension = MANIFOLDS[name]
    there = chart(name)
    assert (there.rank, there.dimension) == (rank, dimension)
    Z, Y = there.tangent, there.normal
    np.testing.assert_allclose(np.hstack([Y, Z]).T @ np.hstack([Y, Z]), np.eye(rank + dimension), atol=1e-13)
    at0 = jax.tree.map(np.asarray, x0) if isinstance(x0, tuple) else np.asarray(x0)
    np.testing.assert_allclose(flat(there.x0), flat(at0), atol=1e-13)
    assert_tangent(there, h)
    rng = np.random.default_rng(0)
    for _ in range(5):
        u = 0.2 * rng.uniform(-1, 1, dimension)
        x = there(u)
        assert np.abs(flat(h(x))).max() <= 1e-12
        np.testing.assert_allclose(there.coordinates(x), u, atol=1e-13)
    direction = 0.1 * rng.uniform(0.5, 1.0, dimension)
    D = np.vstack([np.reshape(block, (-1, dimension)) for block in jax.tree.leaves(there.derivative(u))])
    assert_second_order(there, u, direction, D @ direction)
    assert there.pivot(np.zeros(dimension)) == pytest.approx(1.0, abs=1e-14)
    pivots = [there.pivot(t * direction) for t in (0.0, 1.0, 2.0, 3.0)]
    assert all(later <= before + 1e-14 for before, later in pairwise(pivots))


def assert_tangent(there: lg.Chart, h: Callable[[Any], Any]) -> None:
    for column in there.tangent.T:
        moved = [
            jax.tree.unflatten(jax.tree.structure(there.x0), parts(flat(there.x0) + t * column, there.x0))
            for t in (1e-5, -1e-5)
        ]
        assert np.abs(flat(h(moved[0])) - flat(h(moved[1]))).max() <= 1e-12


def parts(x: Vector, like: Any) -> list[Vector]:
    leaves = jax.tree.leaves(like)
    ends = np.cumsum([np.size(leaf) for leaf in leaves])
    return [part.reshape(np.shape(leaf)) for part, leaf in zip(np.split(x, ends[:-1]), leaves, strict=True)]


@pytest.mark.parametrize("name", ["torus", "sphere and cylinder"])
def test_under_jax(name: str) -> None:
    there, d = chart(name), MANIFOLDS[name][3]
    u, direction = np.full(d, 0.15), np.full(d, 0.1)
    with jax.enable_x64(True):
        first, second = jax.jit(lambda u: (jax.jacfwd(there)(u), jax.jacfwd(jax.jacrev(there))(u)))(u)
        mapped = jax.vmap(there)(jnp.array([u, -u]))
    np.testing.assert_allclose(first, there.derivative(u), atol=1e-12)
    np.testing.assert_allclose(mapped, [there(u), there(-u)], atol=1e-14)
    assert_second_order(
        lambda u: there.derivative(u) @ direction, u, direction, np.asarray(second) @ direction @ direction
    )


def test_the_end_inside_of_jax_is_nan_with_a_warning() -> None:
    with pytest.warns(lg.ImplicitFunctionWarning):
        x = jax.jit(jax.vmap(chart("circle")))(jnp.array([[1.0], [3.0]]))
        jax.effects_barrier()
    assert np.isfinite(x[0]).all() and np.isnan(x[1]).any()


# Dependent variables and curvature -----------------------------------------------------------------------


def test_dependent_variables_by_name() -> None:
    assert sorted(len(others) for others in chart("plane").dependent.values()) == [1, 1]
    assert chart("circle").dependent == {"x[0]": ("x[1]",)}
    assert chart("sphere").dependent == {"x[2]": ("x[0]", "x[1]")}
    tank = lg.Chart(lambda x: x["level"] - x["inflow"] * 3.0, {"level": 3.0, "inflow": 1.0, "colour": 5.0})
    assert tank.dependent == {"inflow": ("level",)}
    assert tank.dimension == 2


@pytest.mark.parametrize("u", [None, [0.3, -0.5]])
def test_curvature_of_a_sphere(u: Any) -> None:
    x = chart("sphere").x0 if u is None else chart("sphere")(u)
    bend = chart("sphere").curvature(u)
    np.testing.assert_allclose(bend, -np.einsum("n,ab->nab", x / 4.0, np.eye(2)), atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 1.0, np.pi / 2, 2.0, np.pi])
def test_principal_curvatures_of_a_torus(angle: float) -> None:
    # tube radius 1: curvatures 1 and cos(angle) / (3 + cos(angle)), toward the tube's centre
    x = np.array([3 + np.cos(angle), 0.0, np.sin(angle)])
    there = lg.Chart(torus, x)
    inward = -np.array([np.cos(angle), 0.0, np.sin(angle)])
    principal = np.linalg.eigvalsh(np.einsum("n,nab->ab", inward, there.curvature()))
    np.testing.assert_allclose(principal, sorted([1.0, np.cos(angle) / (3 + np.cos(angle))]), atol=1e-12)


def test_curvature_is_the_second_derivative_of_the_chart_at_its_origin() -> None:
    for name in ("circle", "rotations"):
        there = chart(name)
        e = np.eye(there.dimension)[0]
        h = 1e-3
        second = (flat(there(h * e)) - 2 * flat(there.x0) + flat(there(-h * e))) / h**2
        np.testing.assert_allclose(there.curvature()[:, 0, 0], second, atol=1e-5)
    np.testing.assert_array_equal(chart("plane").curvature(), 0.0)


# Retraction and walks ------------------------------------------------------------------------------------


def test_retraction_is_of_second_order() -> None:
    x, v = np.array([0.0, 1.2, 1.6]), np.array([1.0, 0.8, -0.6])  # v is tangent, |v| = sqrt 2
    steps = np.logspace(-0.5, -1.5, 5)
    speed = np.linalg.norm(v)

    def geodesic(t: float) -> Vector:
        return np.cos(t * speed / 2) * x + np.sin(t * speed / 2) * 2 * v / speed

    errors = [np.linalg.norm(chart("sphere").retract(x, t * v) - geodesic(t)) for t in steps]
    assert 2.9 < np.polyfit(np.log(steps), np.log(errors), 1)[0] < 3.1
    normal = x / 2.0
    np.testing.assert_allclose(
        chart("sphere").retract(x, 0.3 * v + 5.0 * normal), chart("sphere").retract(x, 0.3 * v), atol=1e-13
    )
    with pytest.raises(lg.NotRegular):
        chart("sphere").retract(x, 5.0 * v)


def turned(points: list[Vector]) -> float:
    angles = np.unwrap([np.arctan2(x[1], x[0]) for x in points])
    return float(angles[-1] - angles[0])


def test_around_a_circle() -> None:
    # Each step of s in the tangent turns by arcsin(s/R).
    count = 64
    step = 2.0 * np.sin(2 * np.pi / count)
    points = chart("circle").walk([0.0, 1.0], count * step, step)
    assert len(points) == count + 1
    assert max(abs(x @ x - 4) for x in points) < 1e-12
    assert turned(points) == pytest.approx(2 * np.pi, abs=1e-9)
    np.testing.assert_allclose(points[-1], points[0], atol=1e-9)
    back = chart("circle").walk([0.0, -1.0], count * step, step)
    assert turned(back) == pytest.approx(-2 * np.pi, abs=1e-9)


def test_around_a_great_circle() -> None:
    count = 40
    step = 2.0 * np.sin(2 * np.pi / count)
    x0, direction = np.array([0.0, 1.2, 1.6]), np.array([1.0, 0.8, -0.6])
    points = np.array(chart("sphere").walk(direction, count * step, step))
    normal = np.cross(x0, direction)
    np.testing.assert_allclose(points @ normal, 0.0, atol=1e-9)  # never leaves its plane
    np.testing.assert_allclose(points[-1], x0, atol=1e-8)
    np.testing.assert_allclose(points[count // 2], -x0, atol=1e-8)


def test_long_steps_change_charts() -> None:
    points = chart("circle").walk([0.0, 1.0], 12.0, 3.0)  # each step longer than the radius
    assert len(points) == 5
    assert max(abs(x @ x - 4) for x in points) < 1e-12
    assert 4.0 < turned(points) < 8.0


def test_full_turn_of_a_crank() -> None:
    # Grashof: shortest + longest = 1 + 4 < 3 + 3.5, the crank turns fully, the rocker rocks.
    start = chart("linkage").x0
    points = chart("linkage").walk(Crank(np.array([0.0, 1.0]), np.zeros(2)), 14.0, 0.1)
    angles = np.unwrap([np.arctan2(x.a[1], x.a[0]) for x in points])
    assert (np.diff(angles) > 0).all() and angles[-1] > 2 * np.pi
    for angle, x in zip(angles, points, strict=True):
        np.testing.assert_allclose(x.b, rocker_end(angle), atol=1e-9)  # the same assembly all the way
    last = int(np.searchsorted(angles, 2 * np.pi)) - 1
    nearby = lg.Chart(linkage, points[last])
    back = nearby(nearby.coordinates(start))
    np.testing.assert_allclose(flat(back), flat(start), atol=1e-9)


def test_walk_refuses_a_normal_direction() -> None:
    with pytest.raises(ValueError, match="normal to the manifold"):
        chart("circle").walk([1.0, 0.0], 1.0)


@pytest.mark.parametrize(("length", "step"), [(1.0, 0.0), (1.0, -0.1), (np.nan, 0.1), (1.0, np.nan)])
def test_walk_refuses_lengths_that_are_none(length: float, step: float) -> None:
    with pytest.raises(ValueError, match=r"length|step"):
        chart("circle").walk([0.0, 1.0], length, step)


@pytest.mark.parametrize(
    ("h", "x0", "direction", "singular"),
    [
        (lambda x: x[0] ** 4 - x[0] ** 2 + x[1] ** 2, [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]),
        (lambda x: x[1] ** 2 - x[0] ** 3, [1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]),
    ],
    ids=["figure eight", "cusp"],
)
def test_walk_into_a_singular_point(h: Any, x0: Any, direction: Any, singular: Any) -> None:
    with pytest.raises(lg.NotRegular) as caught:
        lg.Chart(h, x0).walk(direction, 8.0)
    np.testing.assert_allclose(caught.value.w, singular, atol=1e-2)


# Ends and radii ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("u", [2.0, 2.5, 100.0, -2.0, -30.0])
def test_chart_of_a_circle_ends_at_its_radius(u: float) -> None:
    with pytest.raises(lg.NotRegular, match="the chart ends") as caught:
        chart("circle")(u)
    np.testing.assert_allclose(caught.value.w, [0.0, np.sign(u) * 2.0], atol=1e-6)
    np.testing.assert_allclose(chart("circle")(1.999 * np.sign(u)), [np.sqrt(4 - 1.999**2), 1.999 * np.sign(u)])


@pytest.mark.parametrize("R", [1e-9, 1e6])
def test_radius_estimate_of_a_circle(R: float) -> None:
    there = lg.Chart(lambda x: x @ x - R**2, [R, 0.0])
    assert 0.5 * R < there.radius_estimate() <= R
    np.testing.assert_allclose(there(0.6 * R), [0.8 * R, 0.6 * R], rtol=1e-9)


def test_planes_have_no_end() -> None:
    # v = 0 all over: its rounding errors are not small beside it
    rng = np.random.default_rng(0)
    plane = lg.Chart(lambda x: 0.1 * x[0] + 0.3 * x[1] + 0.7 * x[2] - 1.1, [1.0, 1.0, 1.0])
    for u in 10.0 * rng.normal(size=(40, 2)):
        np.testing.assert_allclose(plane(u), plane.x0 + plane.tangent @ u, atol=1e-12)


def test_radius_estimate_of_others() -> None:
    assert 0.5 < chart("sphere").radius_estimate() <= 2.0
    assert chart("plane").radius_estimate() == np.inf
    np.testing.assert_allclose(
        chart("plane")([100.0]), chart("plane").x0 + 100.0 * chart("plane").tangent[:, 0], atol=1e-11
    )


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_redundant_rows_in_any_units(scale: float) -> None:
    there = lg.Chart(lambda x: np.array([x @ x - scale**2, 2 * (x @ x - scale**2)]), [0.0, scale])
    assert (there.rank, there.dimension) == (1, 1)


# Where there is no chart ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("h", "x0"),
    [
        (lambda x: x[0] ** 4 - x[0] ** 2 + x[1] ** 2, [0.0, 0.0]),
        (lambda x: x[0] * x[1], [0.0, 0.0]),  # a node whose branches are the axes
        (lambda x: x[0] ** 2 * x[1] - x[1] ** 3, [0.0, 0.0]),
        (lambda x: x[1] ** 2 - x[0] ** 3, [0.0, 0.0]),
        (lambda x: x @ x, [0.0, 0.0]),
        (lambda x: x[0] ** 2 + x[1] ** 2 - x[2] ** 2, [0.0, 0.0, 0.0]),
        (lambda x: x[0] * x[1] * x[2], [0.0, 0.0, 0.0]),
        (lambda x: (x @ x - 1) ** 2, [0.0, 1.0]),
    ],
    ids=["figure eight", "axes", "three lines", "cusp", "isolated", "cone", "planes", "square"],
)
def test_zero_gradient_is_refused_by_name(h: Any, x0: Any) -> None:
    with pytest.raises(lg.NotRegular, match=r"the gradient of .* is zero") as caught:
        lg.Chart(h, x0)
    np.testing.assert_array_equal(caught.value.w, x0)
    assert caught.value.regularity.rank == 0


@pytest.mark.parametrize(
    "h",
    [
        lambda x: {"small": (x[0] - 1) ** 2 + x[1] ** 2 - 1, "large": x @ x - 4},  # Viviani's node
        lambda x: {"small": (x[0] - 1) ** 2 + x[1] ** 2 + x[2] ** 2 - 1, "large": x @ x - 4},  # touching spheres
    ],
    ids=["Viviani", "touching"],
)
def test_dependent_gradients_are_refused_by_name(h: Any) -> None:
    with pytest.raises(lg.NotRegular, match=r"small depends on large|large depends on small") as caught:
        lg.Chart(h, [2.0, 0.0, 0.0])
    np.testing.assert_allclose(caught.value.w, [2.0, 0.0, 0.0], atol=1e-6)


def test_inconsistent_rows() -> None:
    with pytest.raises(lg.NotConverged, match=r"no point of .* was found near x0: inner|outer"):
        lg.Chart(lambda x: {"inner": x @ x - 1, "outer": x @ x - 2}, [0.0, 1.0])
    with pytest.raises(lg.NotConverged, match="Start nearer"):
        lg.Chart(lambda x: x @ x + 1, [1.0, 0.0])


def test_start_is_moved_onto_the_manifold() -> None:
    np.testing.assert_allclose(lg.Chart(lambda x: x @ x - 1, [3.0, 4.0]).x0, [0.6, 0.8], atol=1e-14)
    np.testing.assert_allclose(lg.Chart(lambda x: x @ x - 1, [3e6, 4e6]).x0, [0.6, 0.8], atol=1e-14)


def root_graph() -> lg.Chart:
    return lg.Chart(lambda x: np.sqrt(x[0]) - x[1], [1.0, 1.0])


def test_where_the_constraint_is_not_finite() -> None:
    with pytest.raises((lg.NotRegular, lg.NotConverged)):
        root_graph().walk([-1.0, -0.5], 3.0)


@pytest.mark.parametrize("u", [[np.nan], [np.inf], [1.0, 2.0]])
def test_coordinates_that_are_none(u: Any) -> None:
    with pytest.raises(ValueError, match="u "):
        chart("circle")(u)


def test_pytrees() -> None:
    def h(x: Any) -> Any:
        return x["a"] ** 2 + x["b"] @ x["b"] - 1

    there = lg.Chart(h, {"a": 1.0, "b": np.zeros(2)})
    x = there([0.1, 0.2])
    assert set(x) == {"a", "b"} and x["a"] == pytest.approx(np.sqrt(0.95)) and x["b"].shape == (2,)
    assert there.derivative([0.1, 0.2])["b"].shape == (2, 2)
    assert there.dependent == {"a": ("b[0]", "b[1]")}
    np.testing.assert_allclose(there.coordinates(x), [0.1, 0.2], atol=1e-14)
    assert there.retract(there.x0, {"a": 0.0, "b": np.array([0.6, 0.0])})["a"] == pytest.approx(0.8)
    assert there.walk({"a": 0.0, "b": np.array([0.0, 1.0])}, 0.3)[0]["a"] == 1.0
    with pytest.raises(ValueError, match="expected 'a', 'b'"):
        there.coordinates({"a": 1.0})
