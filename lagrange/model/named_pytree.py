"""Pytrees of numbers as flat vectors, with a name for every element.

The solver works on flat float64 vectors; people work on `x["radius"]` and `p.prices[2]`. A `Layout` is the
bridge, made once from an example and used in both directions, on NumPy arrays and on JAX tracers alike.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

SHOWN = 8  # elements listed in a sentence


@dataclass(frozen=True)
class Layout:
    """How a pytree lies in a flat vector.

    Attributes
    ----------
    treedef : object or None
        JAX's tree definition; None for a single array or number.
    paths : tuple of str
        One name per leaf ("radius", "legs[0].angle"); for a single array, the name given to `layout_of`.
    shapes : tuple of tuples
        One shape per leaf.
    """

    treedef: Any
    paths: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def size(self) -> int:
        """Number of elements of the flat vector."""
        return sum(math.prod(shape) for shape in self.shapes)

    def names(self) -> list[str]:
        """One name per element: "radius", "x[3]", "stiffness[0,2]"."""
        return [
            element for path, shape in zip(self.paths, self.shapes, strict=True) for element in row_names(path, shape)
        ]

    def unflatten(self, vector: Any) -> Any:
        """The pytree whose elements are those of `vector` (NumPy or JAX)."""
        if self.treedef is None:
            shape = self.shapes[0]
            return vector[0] if shape == () else vector if len(shape) == 1 else vector.reshape(shape)
        leaves, start = [], 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            leaves.append(vector[start] if shape == () else vector[start:stop].reshape(shape))
            start = stop
        return self.treedef.unflatten(leaves)

    def tree(self, vector: Vector) -> Any:
        """As `unflatten`, from NumPy and with Python floats for single numbers: what a user reads."""
        numbers = vector.copy()
        if self.treedef is None:
            return float(numbers[0]) if self.shapes[0] == () else self.unflatten(numbers)
        leaves, start = [], 0
        for shape in self.shapes:
            stop = start + math.prod(shape)
            leaves.append(float(numbers[start]) if shape == () else numbers[start:stop].reshape(shape))
            start = stop
        return self.treedef.unflatten(leaves)

    def flatten(self, tree: Any, what: str) -> Vector:
        """The elements of `tree` as one float64 vector.

        Raises
        ------
        ValueError
            If `tree` has other leaves or shapes than this layout; the message says which.
        """
        paths, leaves, treedef = (("",), [tree], None) if self.treedef is None else _leaves(tree)
        if treedef != self.treedef:
            raise ValueError(
                f"{what} has entries {_listed(paths)}, expected {_listed(self.paths)} as in the first use of it"
            )
        parts = [
            _numbers(leaf, _entry(what, path), shape)
            for leaf, path, shape in zip(leaves, paths, self.shapes, strict=True)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def ravel(self, tree: Any, what: str) -> Any:
        """The elements of `tree`, of JAX arrays or tracers, as one JAX vector of their common floating type.

        Raises
        ------
        ValueError
            As `flatten`.
        """
        import jax.numpy as jnp

        paths, leaves, treedef = (("",), [tree], None) if self.treedef is None else _leaves(tree)
        arrays = [jnp.asarray(leaf) for leaf in leaves]
        shapes = tuple(array.shape for array in arrays)
        if treedef != self.treedef or shapes != self.shapes:
            got = ", ".join(f"{path or what} {shape}" for path, shape in zip(paths, shapes, strict=True))
            expected = ", ".join(f"{path} {shape}" for path, shape in zip(self.paths, self.shapes, strict=True))
            raise ValueError(f"{what} has entries of shapes {got}; expected {expected} as in the first use of it")
        dtype = jnp.result_type(float, *arrays) if arrays else float
        return jnp.concatenate([array.astype(dtype).ravel() for array in arrays])

    def flatten_like(self, tree: Any, what: str, absent: float) -> Vector:
        """A flat vector from `tree`: a number or array for all, a pytree like the example, or None.

        Leaves that are None, and keys that a dict leaves out, become `absent`. Used for bounds.
        """
        if tree is None:
            return np.full(self.size, absent)
        if self.treedef is None or np.isscalar(tree):
            return np.concatenate(
                [
                    _broadcast(tree, f"{what} {path}", shape, absent)
                    for path, shape in zip(self.paths, self.shapes, strict=True)
                ]
            )
        template = self.treedef.unflatten([None] * len(self.shapes))
        if isinstance(tree, dict) and isinstance(template, dict):
            unknown = [str(key) for key in tree if key not in template]
            if unknown:
                raise ValueError(f"{what} names {_listed(unknown)}, but x has {_listed(map(str, template))}")
            tree = {key: template[key] if tree.get(key) is None else tree[key] for key in template}
        try:
            leaves = self.treedef.flatten_up_to(tree)
        except ValueError as error:
            raise ValueError(f"{what} does not have the structure of x, {_listed(self.paths)}: {error}") from None
        return np.concatenate(
            [
                np.full(math.prod(shape), absent)
                if leaf is None
                else _broadcast(leaf, f"{what} of {path}", shape, absent)
                for leaf, path, shape in zip(leaves, self.paths, self.shapes, strict=True)
            ]
        )


def layout_of(tree: Any, root: str) -> Layout:
    """The layout of an example pytree; `root` names it where it is a single array or number.

    Raises
    ------
    TypeError
        If a leaf is not numeric; the message names it.

    Examples
    --------
    >>> layout_of({"radius": 3.0, "legs": [1.0, 2.0]}, "x").names()
    ['legs[0]', 'legs[1]', 'radius']
    >>> layout_of([1.0, 2.0], "x").names()
    ['x[0]', 'x[1]']
    """
    if is_plain(tree):
        array = _array(tree, root)
        return Layout(None, (root,), (array.shape,))
    paths, leaves, treedef = _leaves(tree)
    arrays = [_array(leaf, _entry(root, path)) for path, leaf in zip(paths, leaves, strict=True)]
    return Layout(treedef, paths, tuple(array.shape for array in arrays))


def is_plain(tree: Any) -> bool:
    """True for a number, an array, or a list of numbers: things that NumPy reads as one array."""
    if isinstance(tree, (np.ndarray, np.generic, float, int)) or hasattr(tree, "__jax_array__"):
        return True
    if isinstance(tree, list):
        return all(is_plain(entry) for entry in tree)
    return hasattr(tree, "__array__") and not hasattr(tree, "_fields")


def row_names(path: str, shape: tuple[int, ...]) -> list[str]:
    """Names of the elements of one array: "c" for a scalar, "c[2]", "c[0,1]".

    Examples
    --------
    >>> row_names("c", (2, 2))
    ['c[0,0]', 'c[0,1]', 'c[1,0]', 'c[1,1]']
    """
    if shape == ():
        return [path]
    return [f"{path}[{','.join(map(str, index))}]" for index in np.ndindex(*shape)]


def point_text(names: list[str], x: Vector) -> str:
    """x in words, the first few variables.

    Examples
    --------
    >>> import numpy as np
    >>> point_text(["radius", "height"], np.array([3.0, 10.0]))
    'radius = 3, height = 10'
    """
    shown = ", ".join(f"{name} = {value:.6g}" for name, value in list(zip(names, x, strict=True))[:SHOWN])
    return shown + (", ..." if len(names) > SHOWN else "")


def nested_derivative(matrix: Any, outputs: Layout, inputs: Layout) -> Any:
    """A derivative (outputs.size, inputs.size) nested like `jax.jacobian`: a pytree like the outputs of pytrees like
    the inputs, each leaf of shape (shape of the output leaf) + (shape of the input leaf).

    Examples
    --------
    >>> import numpy as np
    >>> radius, volume = layout_of({"radius": 1.0}, "x"), layout_of({"volume": 1.0}, "p")
    >>> nested_derivative(np.array([[2.0]]), radius, volume)
    {'radius': {'volume': 2.0}}
    """

    def row_block(block: Any, shape: tuple[int, ...]) -> Any:
        leaves, start = [], 0
        for inner in inputs.shapes:
            stop = start + math.prod(inner)
            part = block[:, start:stop].reshape(shape + inner)
            leaves.append(float(part) if part.ndim == 0 and isinstance(part, np.ndarray) else part)
            start = stop
        return leaves[0] if inputs.treedef is None else inputs.treedef.unflatten(leaves)

    blocks, start = [], 0
    for shape in outputs.shapes:
        stop = start + math.prod(shape)
        blocks.append(row_block(matrix[start:stop], shape))
        start = stop
    return blocks[0] if outputs.treedef is None else outputs.treedef.unflatten(blocks)


def _leaves(tree: Any) -> tuple[tuple[str, ...], list[Any], Any]:
    from jax import tree_util

    _register_dataclasses(tree)
    # None is no number: as a leaf it is refused by name, not skipped.
    with_paths, treedef = tree_util.tree_flatten_with_path(tree, is_leaf=lambda node: node is None)
    return tuple(_path_name(path) for path, _ in with_paths), [leaf for _, leaf in with_paths], treedef


def _register_dataclasses(tree: Any) -> None:
    # JAX takes an unregistered dataclass for a leaf. A user's dataclass of numbers is meant as a pytree, so
    # it is registered with JAX the first time it is seen, all fields as data.
    from jax import tree_util

    for leaf in tree_util.tree_leaves(tree):
        if dataclasses.is_dataclass(leaf) and not isinstance(leaf, type):
            names = [field.name for field in dataclasses.fields(leaf)]
            tree_util.register_dataclass(type(leaf), names, [])
            _register_dataclasses([getattr(leaf, name) for name in names])


def _entry(root: str, path: str) -> str:
    return f"{root}{path}" if path.startswith("[") else f"{root} {path}".strip()


def _path_name(path: tuple[Any, ...]) -> str:
    name = ""
    for key in path:
        text = getattr(key, "key", getattr(key, "name", getattr(key, "idx", key)))
        name += f"[{text}]" if isinstance(text, int) else f".{text}" if name else str(text)
    return name


def _array(value: Any, what: str) -> Vector:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{what} is not an array of numbers: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} must hold real numbers, got {value!r} of type {type(value).__name__}")
    return array.astype(np.float64)


def _numbers(value: Any, what: str, shape: tuple[int, ...]) -> Vector:
    array = _array(value, what)
    if array.shape != shape:
        raise ValueError(f"{what} has shape {array.shape}, expected {shape}")
    return array.ravel()


def _broadcast(value: Any, what: str, shape: tuple[int, ...], absent: float) -> Vector:
    array = _array(_without_none(value, absent), what)
    try:
        return np.broadcast_to(array, shape).ravel().copy()
    except ValueError:
        raise ValueError(f"{what} has shape {array.shape}, expected {shape} or a single number") from None


def _without_none(value: Any, absent: float) -> Any:
    # None inside an array of bounds means that there is none, as in SciPy.
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.tolist()
    if isinstance(value, list):
        return [_without_none(entry, absent) for entry in value]
    return absent if value is None else value


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names) or "nothing"
