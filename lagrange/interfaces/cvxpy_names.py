"""Names for what CVXPY leaves nameless."""

from __future__ import annotations

from collections.abc import Iterable

SHORT, LONG = 40, 80  # letters that a name, and a text inside a message, may have


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, with a number after those that occurred before.

    Examples
    --------
    >>> distinct(["x", "y", "x"])
    ('x', 'y', 'x#2')
    """
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
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
