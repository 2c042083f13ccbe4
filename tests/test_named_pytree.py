"""Layouts: every element of a pytree has one place in the flat vector and one name, in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lagrange.model.named_pytree import is_plain, layout_of, row_names


class Legs(NamedTuple):
    left: Any
    right: Any


@dataclass
class Robot:
    legs: Any
    mass: Any


@dataclass
class Fleet:
    first: Robot
    second: Robot


TREES = {
    "number": (3.0, ["x"]),
    "integer": (3, ["x"]),
    "NumPy number": (np.float32(3.0), ["x"]),
    "0-d array": (np.array(3.0), ["x"]),
    "array": (np.arange(2.0), ["x[0]", "x[1]"]),
    "integer array": (np.arange(2), ["x[0]", "x[1]"]),
    "list": ([1.0, 2.0], ["x[0]", "x[1]"]),
    "nested list": ([[1.0, 2.0]], ["x[0,0]", "x[0,1]"]),
    "matrix": (np.eye(2), ["x[0,0]", "x[0,1]", "x[1,0]", "x[1,1]"]),
    "dict": ({"b": 1.0, "a": np.array([2.0, 3.0])}, ["a[0]", "a[1]", "b"]),
    "nested dict": ({"u": {"v": 1.0}}, ["u.v"]),
    "integer keys": ({2: 1.0, 1: 4.0}, ["[1]", "[2]"]),
    "tuple": ((1.0, np.array([2.0])), ["[0]", "[1][0]"]),
    "NamedTuple": (Legs(1.0, np.array([2.0, 5.0])), ["left", "right[0]", "right[1]"]),
    "dataclass": (Robot(Legs(1.0, 2.0), 3.0), ["legs.left", "legs.right", "mass"]),
    "nested dataclass": (
        Fleet(Robot([1.0, 2.0], 3.0), Robot([4.0, 5.0], 6.0)),
        ["first.legs[0]", "first.legs[1]", "first.mass", "second.legs[0]", "second.legs[1]", "second.mass"],
    ),
    "empty leaf": ({"a": np.empty(0), "b": 1.0}, ["b"]),
}
tree_of = pytest.mark.parametrize("kind", TREES)


def assert_same_tree(actual: Any, expected: Any) -> None:
    leaves, structure = jax.tree_util.tree_flatten(actual)
    expected_leaves, expected_structure = jax.tree_util.tree_flatten(expected)
    assert structure == expected_structure
    for leaf, expected_leaf in zip(leaves, expected_leaves, strict=True):
        np.testing.assert_array_equal(leaf, np.asarray(expected_leaf, dtype=float), strict=True)


@tree_of
def test_names_and_size(kind: str) -> None:
    tree, names = TREES[kind]
    layout = layout_of(tree, "x")
    assert layout.names() == names
    assert layout.size == len(names)


@tree_of
def test_there_and_back(kind: str) -> None:
    tree, names = TREES[kind]
    layout = layout_of(tree, "x")
    vector = np.arange(1.0, 1.0 + len(names))
    assert layout.flatten(tree, "x").dtype == np.float64
    again = layout.unflatten(vector)
    np.testing.assert_array_equal(layout.flatten(again, "x"), vector, strict=True)
    if not isinstance(tree, list):
        assert jax.tree_util.tree_structure(again) == jax.tree_util.tree_structure(tree)


def test_the_tree_comes_back_with_its_values_and_shapes() -> None:
    tree = {"a": np.arange(6.0).reshape(2, 3), "b": (1.0, Legs(7.0, np.array([8.0])))}
    layout = layout_of(tree, "x")
    assert_same_tree(layout.unflatten(layout.flatten(tree, "x")), tree)


def test_names_and_elements_correspond() -> None:
    tree = {"grid": np.arange(4.0).reshape(2, 2), "mass": 9.0}
    layout = layout_of(tree, "x")
    elements = dict(zip(layout.names(), layout.flatten(tree, "x"), strict=True))
    assert elements == {"grid[0,0]": 0.0, "grid[0,1]": 1.0, "grid[1,0]": 2.0, "grid[1,1]": 3.0, "mass": 9.0}


def test_unflatten_follows_jax_tracers() -> None:
    layout = layout_of({"a": np.ones((2, 2)), "b": 1.0}, "x")

    def weighted(vector: Any) -> Any:
        tree = layout.unflatten(vector)
        return jnp.trace(tree["a"]) * tree["b"]

    gradient = jax.grad(weighted)(jnp.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    np.testing.assert_allclose(gradient, [5.0, 0.0, 0.0, 5.0, 5.0])


@given(st.recursive(
    st.floats(-1e6, 1e6),
    lambda inner: st.one_of(
        st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, min_size=1, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=8,
))  # fmt: skip
@settings(derandomize=True, deadline=None, max_examples=60)
def test_any_tree_of_numbers_survives_with_distinct_names(tree: Any) -> None:
    layout = layout_of(tree, "x")
    vector = layout.flatten(tree, "x")
    assert layout.unflatten(vector) == tree
    assert len(set(layout.names())) == layout.size == vector.size


# Errors --------------------------------------------------------------------------------------------------


def test_other_entries_are_named() -> None:
    layout = layout_of({"radius": 1.0, "height": 2.0}, "x")
    with pytest.raises(ValueError, match="p0 has entries 'radius', expected 'height', 'radius'"):
        layout.flatten({"radius": 1.0}, "p0")


def test_another_shape_is_named() -> None:
    layout = layout_of({"legs": np.ones(3)}, "x")
    with pytest.raises(ValueError, match=r"x0 legs has shape \(2,\), expected \(3,\)"):
        layout.flatten({"legs": np.ones(2)}, "x0")
    with pytest.raises(ValueError, match=r"x0 has shape \(2,\), expected \(3,\)"):
        layout_of(np.ones(3), "x").flatten([1.0, 2.0], "x0")


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ({"a": "text"}, "x a"),
        ({"a": 1j}, "x a"),
        (np.array([1.0, None], dtype=object), "x"),
        ([1.0, [2.0, 3.0]], "x"),
        ("text", "x"),
    ],
)
def test_what_is_not_a_real_number_is_named(tree: Any, named: str) -> None:
    with pytest.raises(TypeError, match=rf"^{named} (must hold real numbers|is not an array of numbers)"):
        layout_of(tree, "x")


# Bounds and the like: one value for many -----------------------------------------------------------------

X = {"a": np.ones(2), "b": 1.0}  # flat: a[0], a[1], b


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, [-9.0, -9.0, -9.0]),
        (4.0, [4.0, 4.0, 4.0]),
        ({"a": 5.0}, [5.0, 5.0, -9.0]),
        ({"a": [5.0, 6.0], "b": 7.0}, [5.0, 6.0, 7.0]),
        ({"a": None, "b": 7.0}, [-9.0, -9.0, 7.0]),
        ({}, [-9.0, -9.0, -9.0]),
    ],
)
def test_flatten_like_a_dict(value: Any, expected: list[float]) -> None:
    flat = layout_of(X, "x").flatten_like(value, "the lower bound", -9.0)
    np.testing.assert_array_equal(flat, expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"c": 1.0}, "the lower bound names 'c', but x has 'a', 'b'"),
        ({"a": [1.0, 2.0, 3.0]}, r"the lower bound of a has shape \(3,\), expected \(2,\)"),
        ([1.0, 2.0, 3.0], "the lower bound does not have the structure of x"),
        (np.ones(3), "the lower bound does not have the structure of x"),
    ],
)
def test_flatten_like_refuses_by_name(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layout_of(X, "x").flatten_like(value, "the lower bound", -9.0)


def test_flatten_like_a_nested_dict() -> None:
    layout = layout_of({"a": {"u": 1.0, "v": np.ones(2)}, "b": 1.0}, "x")
    np.testing.assert_array_equal(layout.flatten_like({"b": 5.0}, "side", -9.0), [-9.0, -9.0, -9.0, 5.0])
    np.testing.assert_array_equal(layout.flatten_like({"a": {"u": 4.0, "v": 3.0}}, "side", -9.0), [4.0, 3.0, 3.0, -9.0])


def test_flatten_like_an_array() -> None:
    layout = layout_of(np.ones((2, 2)), "x")
    np.testing.assert_array_equal(layout.flatten_like([1.0, 2.0], "side", 0.0), [1.0, 2.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"side x has shape \(3,\), expected \(2, 2\)"):
        layout.flatten_like(np.ones(3), "side", 0.0)


def test_a_broadcast_side_is_a_copy() -> None:
    side = np.array([1.0, 2.0])
    flat = layout_of(np.ones(2), "x").flatten_like(side, "side", 0.0)
    flat[0] = 7.0
    assert side[0] == 1.0


@pytest.mark.parametrize(
    ("tree", "plain"),
    [(1.0, True), ([1, 2.0], True), (np.ones(2), True), ([[1.0]], True), (jnp.ones(1), True),
     ({"a": 1.0}, False), ((1.0, 2.0), False), ([{"a": 1.0}], False), (Legs(1.0, 2.0), False)],
)  # fmt: skip
def test_what_numpy_reads_as_one_array(tree: Any, plain: bool) -> None:
    assert is_plain(tree) is plain


def test_names_of_rows_without_elements() -> None:
    assert row_names("c", (0,)) == []
    assert row_names("c", (1,)) == ["c[0]"]
