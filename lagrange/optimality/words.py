"""Numbers and names as the sentences and tables of this room write them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from lagrange.derivatives.derivative_report import aligned
from lagrange.model.named_pytree import Vector
from lagrange.preflight_record import NAMED, WIDTH

SHARE = 1e-3  # entries of a direction below this, relative to the largest, are not named


def number(value: float) -> str:
    """A number as people write it.

    Examples
    --------
    >>> number(0.1 + 0.2), number(-0.0), number(float("inf"))
    ('0.3', '0', 'inf')
    """
    return "0" if value == 0 else f"{value:.6g}"


def combination(coefficients: Mapping[str, float]) -> str:
    """A linear combination of named things; "0" where it is empty.

    Examples
    --------
    >>> combination({"c1": 2.0, "c2": -1.0, "lower bound of x": 1.0})
    '2 c1 - c2 + (lower bound of x)'
    """
    terms = []
    for name, coefficient in coefficients.items():
        size = number(abs(coefficient))
        shown = f"({name})" if " " in name else name
        terms.append(("- " if coefficient < 0 else "+ ") + (shown if size == "1" else f"{size} {shown}"))
    text = " ".join(terms)
    return ("-" + text[2:] if text.startswith("- ") else text.removeprefix("+ ")) or "0"


def direction(names: Sequence[str], d: Vector) -> str:
    """A direction in words, the largest entries first.

    Examples
    --------
    >>> direction(["a", "b", "c"], np.array([0.6, 0.0, -0.8]))
    'c -0.8, a +0.6'
    """
    size = np.abs(d).max(initial=0.0)
    order = [i for i in np.argsort(-np.abs(d), kind="stable") if abs(d[i]) > SHARE * size]
    more = f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
    return ", ".join(f"{names[i]} {d[i]:+.3g}" for i in order[:NAMED]) + more


def page(headline: str, rows: Sequence[Sequence[str]], alignment: str, sentences: Sequence[str] = ()) -> str:
    """A headline, a table whose first row is its head, and sentences under it."""
    table = [aligned(rows, alignment)] if len(rows) > 1 else []
    text = "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in sentences)
    return "\n\n".join([textwrap.fill(headline, WIDTH), *table, *([text] if text else [])])
