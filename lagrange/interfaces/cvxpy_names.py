"""Names for what CVXPY leaves nameless."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

SHORT, LONG = 40, 80  # letters that a name, and a text inside a message, may have


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, with a number after those that occurred before: the first that makes a name nobody else has.

    Examples
    --------
    >>> distinct(["x", "y", "x"])
    ('x', 'y', 'x#2')
    >>> distinct(["x", "x", "x#2"])
    ('x', 'x#3', 'x#2')
    """
    names = tuple(names)
    taken, seen, result = set(names), set(), []
    for name in names:
        unused = name
        if name in seen:
            unused = next(new for new in (f"{name}#{i}" for i in itertools.count(2)) if new not in taken)
            taken.add(unused)
        seen.add(name)
        result.append(unused)
    return tuple(result)


def short(text: str, otherwise: str) -> str:
    """The text, where it is short enough to stand in a table; else something shorter.

    Examples
    --------
    >>> short("x + y <= 1.0", "constraint[0]")
    'x + y <= 1.0'
    """
    return text if len(text) <= SHORT else otherwise


def shortened(text: str) -> str:
    """The beginning of a text, for messages.

    Examples
    --------
    >>> shortened("x + y <= 1.0")
    'x + y <= 1.0'
    """
    return text if len(text) <= LONG else text[: LONG - 3] + "..."


def constraint_name(label: str | None, text: str, place: int) -> str:
    """The label of a constraint; else its place, with the constraint itself where it is short.

    Examples
    --------
    >>> constraint_name(None, "x + y <= 1.0", 0)
    'constraint[0] (x + y <= 1.0)'
    >>> constraint_name("budget", "budget: x + y <= 1.0", 0)
    'budget'
    """
    if label is not None:
        return label
    return f"constraint[{place}] ({text})" if len(text) <= SHORT else f"constraint[{place}]"


def constraint_names(labels: Sequence[str], are_cones: Sequence[bool]) -> tuple[list[str], list[str]]:
    """Distinct names of constraints, and of the second row that each cone has ("" for the others).

    Examples
    --------
    >>> constraint_names(["ball", "ball: radius"], [True, False])
    (['ball', 'ball: radius'], ['ball: radius#2', ''])
    """
    of_cones = [f"{label}: radius" for label, is_cone in zip(labels, are_cones, strict=True) if is_cone]
    names = distinct([*labels, *of_cones])
    radii = iter(names[len(labels) :])
    return list(names[: len(labels)]), [next(radii) if is_cone else "" for is_cone in are_cones]
