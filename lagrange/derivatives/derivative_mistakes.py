"""The usual mistakes in hand-written derivatives, recognized and said in words.

A table of wrong numbers says that something is wrong; "the rows are shifted" says what to do. Each mistake is
a hypothesis about how the given numbers came from the right ones, accepted where it explains every entry.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lagrange.derivatives.difference_limits import SAFETY, Differences, kinks_of
from lagrange.derivatives.inspection import AUTOMATIC
from lagrange.model.named_pytree import Vector

Mask = NDArray[np.bool_]

UNDECIDED, UNDECIDED_IN_ROW = 0.1, 1e-4  # uncertainty worth a word, relative to the entry and its row
SIMPLE_FACTORS = (2.0, 0.5, 3.0, 1 / 3, 4.0, 0.25)  # believed where a single number supports them
SHOWN = 5  # sentences about single rows, before the rest is counted
Y_PROBE = -3.0  # multiplier in place of 1 when second derivatives are asked for: shows whether y is used


def agrees(candidate: Vector, true: Vector, error: Vector, relative: float | Vector) -> Mask:
    """Where `candidate` (rows, columns) is equal to `true` within its error; True where that is infinite."""
    decided = np.isfinite(error)
    with np.errstate(invalid="ignore"):
        rounding = relative * np.maximum(np.abs(candidate), np.abs(true))
        return np.asarray((np.abs(candidate - true) <= np.maximum(SAFETY * error, rounding)) | ~decided)


@dataclass(frozen=True)
class Comparison:
    """Given derivatives (rows, columns) beside those by differences, with the errors of the latter.

    Attributes
    ----------
    relative : relative disagreement that does not matter
    """

    given: Vector
    true: Vector
    error: Vector
    relative: float

    def explains(self, candidate: Vector) -> Mask:
        """Where `candidate` agrees with the differences; True where they decide nothing."""
        return agrees(candidate, self.true, self.error, self.relative)

    @property
    def wrong(self) -> Mask:
        """Where the given entry is wrong."""
        return ~self.explains(self.given)

    @property
    def undecided(self) -> Mask:
        """Where the differences are too rough to tell."""
        size = np.maximum(np.abs(self.given), np.abs(self.true))
        row_size = np.abs(self.given).max(axis=1, initial=0.0, keepdims=True)
        unsure = SAFETY * self.error
        with np.errstate(invalid="ignore"):
            matters = (size > 0.0) & (unsure > UNDECIDED * size) & (unsure > UNDECIDED_IN_ROW * row_size)
        return np.asarray(matters | ~np.isfinite(self.error))

    def part(self, select: Any) -> Comparison:
        """The rows, or rows and columns, that `select` indexes."""
        return self.of(self.given[select], self.true[select], self.error[select])

    def of(self, given: Vector, true: Vector, error: Vector) -> Comparison:
        """Other numbers, judged as strictly."""
        return Comparison(given, true, error, self.relative)


def comparison(
    given: Vector, limits: Differences, rows: slice, tolerance: tuple[float, float], sizes: Vector
) -> tuple[Comparison, Vector]:
    """Given derivatives beside differences, (rows of a function, columns), and the jumps.

    Nothing is decided at kinks and where not finite. `tolerance` is what does not matter, relative to the
    entry and to its row. `sizes` (columns,) are those of the variables, or of their products: times these,
    the entries of a row have one unit, so that its rounding can be told.
    """
    relative, dust = tolerance
    given, slope, error = given[rows], limits.slope[rows], limits.error[rows]
    kinked = kinks_of(slope, limits.jump[rows], limits.jump_error[rows])
    jump = np.where(kinked, limits.jump[rows], 0.0)
    error = np.where(kinked | ~np.isfinite(given), np.inf, error)
    given, slope, error, jump = (item.reshape(-1, sizes.size) for item in (given, slope, error, jump))
    largest = (np.abs(slope) * sizes).max(axis=1, initial=0.0, where=np.isfinite(error), keepdims=True)
    return Comparison(given, slope, error + dust / SAFETY * largest / sizes, relative), jump


def jacobian_mistakes(
    compared: Comparison, title: str, rows: Sequence[str], variables: Sequence[str], widths: Sequence[int]
) -> list[str]:
    """Sentences about the Jacobian of one function; `widths` are the sizes of the leaves of x.

    Examples
    --------
    >>> import numpy as np
    >>> true = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> compared = Comparison(-true, true, np.full((2, 2), 1e-9), 1e-6)
    >>> jacobian_mistakes(compared, "constraint 'c'", ["c[0]", "c[1]"], ["x[0]", "x[1]"], [2])
    ["The Jacobian of constraint 'c' has the opposite sign."]
    """
    whole = f"The Jacobian of {title}"
    if not compared.wrong.any():
        return []
    if compared.given.shape[0] > 1 and _transposed(compared, widths):
        return [f"{whole} is transposed: its rows belong to the values of the function, its columns to x."]
    phrase = _simple(compared)
    if phrase:
        return [f"{whole} {phrase}."]
    rotated = _permutation(compared, rows, "row {} holds the derivatives of {}")
    if rotated:
        return [f"The rows of the Jacobian of {title} are mixed up: {rotated}."]
    turned = compared.of(compared.given.T, compared.true.T, compared.error.T)
    rotated = _permutation(turned, variables, "the column of {} holds the derivatives with respect to {}")
    if rotated:
        return [f"The columns of the Jacobian of {title} are mixed up: {rotated}."]
    return _row_by_row(
        compared,
        rows,
        "The gradient of",
        lambda i, j: f"The derivative of {rows[i]} with respect to {variables[j]}",
        np.ones(compared.given.shape, dtype=bool),
    )


def hessian_mistakes(compared: Comparison, title: str, rows: Sequence[str], variables: Sequence[str]) -> list[str]:
    """Sentences about the second derivatives of one function, whose rows are flat (n, n) matrices."""
    n = len(variables)
    whole = f"The Hessian of {title}"
    if not compared.wrong.any():
        return []
    if title.startswith("constraint"):
        if not compared.given.any():
            return [
                f"The curvature of {title} is missing: its Hessian is given as zero. The Hessian of the "
                f"Lagrangian needs y . c too, unless c is linear."
            ]
        if _ignores_y(compared):
            return [f"{whole} does not depend on y: hessian(x, y) is the Hessian of y . c, not of c."]
    if _half_off_diagonal(compared, n):
        return [f"{whole} holds one triangle only: give both halves of the symmetric matrix."]
    phrase = _simple(compared)
    if phrase:
        return [f"{whole} {phrase}."]
    rotated = _permutation(compared, rows, "the weight of {} meets the second derivatives of {}")
    if rotated:
        return [f"The Hessian of {title} mixes up its rows: {rotated}."]

    def entry(i: int, j: int) -> str:
        first, second = variables[j // n], variables[j % n]
        return f"The second derivative of {rows[i]} with respect to {first} and {second}"

    upper_triangle = np.broadcast_to(np.triu(np.ones((n, n), dtype=bool)).ravel(), compared.given.shape)
    return _row_by_row(compared, rows, "The Hessian of", entry, upper_triangle)


def unexplained(
    compared: Comparison, title: str, columns: Sequence[tuple[str, ...]], source: str, order: str
) -> list[str]:
    """What to say where derivatives that nobody wrote by hand disagree; `columns` name variables or pairs."""
    names = [" and ".join(columns[int(j)]) for j in np.flatnonzero(compared.wrong.any(axis=0))]
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    if source == AUTOMATIC:
        return [
            f"The automatic {order} derivatives of {title} with respect to {shown} disagree with "
            f"differences: the function is rough near x, or takes another way when JAX follows it."
        ]
    return [
        f"The finite differences that the solver takes for the {order} derivatives of {title} are inaccurate "
        f"with respect to {shown}: write the function so that JAX can follow it, or supply derivatives with "
        f"lagrange.supplied."
    ]


def _simple(compared: Comparison) -> str:
    """Zero, opposite sign or a constant factor: "has the opposite sign"; "" where it is none of them."""
    given, true = compared.given, compared.true
    telling = np.isfinite(compared.error) & (np.abs(true) > SAFETY * compared.error)
    if not telling.any():
        return ""
    if not given.any():
        return "is zero"
    if compared.explains(-given).all():
        return "has the opposite sign"
    factor = float(np.median(given[telling] / true[telling]))
    if factor == 0.0 or not compared.explains(given / factor).all():
        return ""
    simple = next((item for item in SIMPLE_FACTORS if np.isclose(abs(factor), item, rtol=1e-4)), None)
    if simple is None and telling.sum() < 2:
        return ""
    size = abs(factor) if simple is None else simple
    text = f"1/{round(1 / size)} of" if simple is not None and size < 1.0 else f"{size:.6g} times"
    return f"is {text} the right one" + (", with the opposite sign" if factor < 0.0 else "")


def _transposed(compared: Comparison, widths: Sequence[int]) -> bool:
    rows = compared.given.shape[0]
    starts = np.cumsum([0, *widths])
    # Undo, leaf by leaf, what reading (columns, rows) as (rows, columns) does.
    undone = [compared.given[:, start:stop].reshape(stop - start, rows).T for start, stop in itertools.pairwise(starts)]
    return bool(compared.explains(np.concatenate(undone, axis=1)).all())


def _ignores_y(compared: Comparison) -> bool:
    # Asked with y = Y_PROBE e_i and divided by it, a Hessian that ignores y is (sum of all) / Y_PROBE.
    total = np.broadcast_to(compared.true.sum(axis=0) / Y_PROBE, compared.given.shape)
    return not compared.of(compared.given, total, compared.error).wrong.any()


def _half_off_diagonal(compared: Comparison, n: int) -> bool:
    # `flat_hessian` symmetrizes, so one triangle arrives as half of each off-diagonal entry.
    factor = np.full((n, n), 2.0)
    np.fill_diagonal(factor, 1.0)
    return bool(compared.explains(compared.given * factor.ravel()).all() and compared.true.any())


def _permutation(compared: Comparison, names: Sequence[str], phrase: str) -> str:
    """Which wrong row holds which other row, where that explains all of them; else ""."""
    wrong = np.flatnonzero(compared.wrong.any(axis=1))
    held = [_held(compared, int(i)) for i in wrong]
    if wrong.size < 2 or None in held:
        return ""
    pairs = [phrase.format(names[int(i)], names[j]) for i, j in zip(wrong, held, strict=True) if j is not None]
    return ", ".join(pairs[:SHOWN]) + (", and so on" if len(pairs) > SHOWN else "")


def _held(compared: Comparison, i: int) -> int | None:
    """The row whose derivatives row i was given, None where it is none or not a single one."""
    candidate = compared.given[[i]]
    holds = [
        j
        for j in range(compared.given.shape[0])
        if j != i and compared.true[j].any() and compared.part([j]).explains(candidate).all()
    ]
    return holds[0] if len(holds) == 1 else None


def _row_by_row(
    compared: Comparison,
    rows: Sequence[str],
    row_title: str,
    entry_title: Callable[[int, int], str],
    considered: Mask,
) -> list[str]:
    """One sentence for each wrong row, the first few in full."""
    wrong = compared.wrong & considered
    bad = np.flatnonzero(wrong.any(axis=1))
    sentences = []
    for i in bad[:SHOWN]:
        held = _held(compared, int(i))
        phrase = f"is that of {rows[held]}" if held is not None else ""
        if (compared.true[i] != 0.0).sum() > 1 or not compared.given[i].any():
            phrase = _simple(compared.part([i])) or phrase
        if phrase:
            sentences.append(f"{row_title} {rows[i]} {phrase}.")
            continue
        places = np.flatnonzero(wrong[i])
        given, true = compared.given[i, places], compared.true[i, places]
        worst = int((np.abs(given - true) / np.maximum(np.abs(given), np.abs(true))).argmax())
        entry = compared.part(np.ix_([i], places[[worst]]))
        more = f" (and {places.size - 1} more of this row)" if places.size > 1 else ""
        sentences.append(
            f"{entry_title(int(i), int(places[worst]))} {_simple(entry) or 'is wrong'}: "
            f"given {given[worst]:.6g}, by differences {true[worst]:.6g}{more}."
        )
    if bad.size > SHOWN:
        sentences.append(
            f"{bad.size - SHOWN} more rows are wrong: {', '.join(rows[i] for i in bad[SHOWN:][:SHOWN])}"
            + (", ..." if bad.size > 2 * SHOWN else "")
            + "."
        )
    return sentences
