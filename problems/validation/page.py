"""The page: tables of differences with what is accepted below each column, and what they show in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from problems.benchmarks.table import markdown
from problems.validation.answer import SMALLEST_SCALE
from problems.validation.cones import OF_SCS, TOLERANCES
from problems.validation.measure import NEWTON, Row
from problems.validation.nonlinear import UNO_TOLERANCE
from problems.validation.parameters import NARROW, WIDE
from problems.validation.translated import Translated

T = TypeVar("T")

COMMAND = "python -m problems.validation"
ROUNDING = 1e-12
"""Smaller differences are rounding, and not told apart."""
DIGITS = 9
"""Of values."""
ACCEPTED = "*accepted*"
"""The name of the last line of a table, which says how large a difference may be."""


@dataclass(frozen=True)
class Column(Generic[T]):
    """One column of a table."""

    heading: str
    of: Callable[[T], str | float]
    """Words, or a difference."""
    accepted: float | None = None
    """The largest difference that is; None for words."""
    exceptions: Mapping[str, float] = field(default_factory=dict)
    """Larger ones for some problems, which the page explains."""

    def accepts(self, name: str, difference: float) -> bool:
        """Whether a difference is as small as the page says; there may be none to tell (NaN)."""
        most = self.exceptions.get(name, self.accepted)
        return most is None or math.isnan(difference) or difference <= most


SUMMARY: tuple[Column[Row], ...] = (
    Column("problem", lambda row: row.name),
    Column("kind", lambda row: row.kind),
    Column("reference", lambda row: row.reference),
    Column("value found", lambda row: digits(row.value)),
    Column("Δ value", lambda row: row.answer.value, 1e-9),
    Column("Δ multipliers", lambda row: row.answer.multipliers, 1e-8),
    Column("Δ derivatives, reference", lambda row: row.resolved.differences.largest, 5e-5),
    Column("Δ derivatives, known answer", lambda row: row.followed.differences.largest, 1e-7),
)
SECOND: tuple[Column[Row], ...] = (
    Column("problem", lambda row: row.name),
    Column("Δ x, reference", lambda row: row.answer.x, 1e-8),
    Column("Δ value, Clarabel", lambda row: row.second.value, 1e-9),
    Column("Δ x, Clarabel", lambda row: row.second.x, 1e-5),
    Column("Δ multipliers, Clarabel", lambda row: row.second.multipliers, 1e-5),
    Column("Δ value, known", lambda row: row.known.value, 1e-10, {"van_der_pol_control": 1e-4}),
    Column("Δ x, known", lambda row: row.known.x, 1e-9),
    Column("Δ multipliers, known", lambda row: row.known.multipliers, 1e-8),
)
DERIVATIVES: tuple[Column[Row], ...] = (
    Column("problem", lambda row: row.name),
    Column("Δ value', reference", lambda row: row.resolved.differences.value, 1e-7),
    Column("Δ x', reference", lambda row: row.resolved.differences.x, 5e-5),
    Column("Δ multipliers', reference", lambda row: row.resolved.differences.multipliers, 5e-6),
    Column("parameters known", lambda row: f"{row.followed.moves} of {row.moves}"),
    Column("Δ value', known", lambda row: row.followed.differences.value, 1e-8),
    Column("Δ x', known", lambda row: row.followed.differences.x, 1e-7),
    Column("Δ multipliers', known", lambda row: row.followed.differences.multipliers, 1e-8),
)
OWN: tuple[Column[Row], ...] = (
    Column("problem", lambda row: row.name),
    Column("parameters", lambda row: f"{row.own.moves} of {row.moves}"),
    Column("Δ value'", lambda row: row.own.differences.value, 5e-6),
    Column("Δ x'", lambda row: row.own.differences.x, 5e-3, {"economic_dispatch": math.inf}),
    Column("Δ value', as it comes", lambda row: row.own_as_it_comes.differences.value, math.inf),
    Column("Δ x', as it comes", lambda row: row.own_as_it_comes.differences.x, math.inf),
)
NONLINEAR: tuple[Column[Row], ...] = (
    Column("problem", lambda row: row.name),
    Column("Δ value, Uno", lambda row: row.uno.value, 1e-9),
    Column("Δ x, Uno", lambda row: row.uno.x, 1e-8),
    Column("Δ value', Uno", lambda row: row.uno_resolved.differences.value, 1e-6),
    Column("Δ x', Uno", lambda row: row.uno_resolved.differences.x, 1e-5),
    Column("Δ x, LAGRANGE", lambda row: row.within_cvxpy.x, 1e-8),
    Column("Δ multipliers, LAGRANGE", lambda row: row.within_cvxpy.multipliers, 1e-8),
)
SMALL: tuple[Column[Translated], ...] = (
    Column("program", lambda row: row.name),
    Column("kind", lambda row: row.kind),
    Column("parameters", lambda row: str(row.moves)),
    Column("value found", lambda row: digits(row.value)),
    Column("Δ value", lambda row: row.answer.value, 1e-9),
    Column("Δ x", lambda row: row.answer.x, 1e-8),
    Column("Δ dual values", lambda row: row.answer.multipliers, 1e-8),
    Column("Δ value', re-solved", lambda row: row.resolved.value, 1e-6),
    Column("Δ x', re-solved", lambda row: row.resolved.x, 1e-6),
    Column("Δ value', CVXPY", lambda row: row.own.value, 1e-6),
    Column("Δ x', CVXPY", lambda row: row.own.x, 1e-5),
)


def document(rows: list[Row], programs: list[Translated], versions: str) -> str:
    """The whole page."""
    differentiated = [row for row in rows if row.own.moves]
    return f"""# Validation

`{COMMAND}`

{versions}

The answers of this package, and their derivatives with respect to every parameter, beside answers that are not its
own. The numbers are differences: each the largest over all entries, relative to the largest entry of the reference.
Values and multipliers smaller than {SMALLEST_SCALE:g} are compared as if they were so large; a derivative that is
(nearly) zero is measured against one that would change its quantity by a hundredth when the parameter doubles.
"<{ROUNDING:.0e}" is rounding, "–" says that the reference does not know, x' is the derivative of x, and bold is what is
explained at the end. The last line of each table says what is accepted; `tests/test_validation.py` measures all of it
again and holds this page to it.

- **This package**: `problem.solve(x0, p)` and `solution.sensitivity()`, with their defaults.
- **Reference, convex problems**: the story's `cvxpy_model(p)`, solved by CVXPY with SCS (eps {OF_SCS["eps"]:g}), and a
  second time with Clarabel (tolerances {TOLERANCES[0]:g}), an interior-point solver, whose x is exact to about the root
  of the gap it leaves. Signs are mapped: CVXPY's duals of `c <= hi` are our multipliers, those of `c >= lo` their
  negatives.
- **Reference, nonconvex problems**: SciPy: SLSQP from the story's start, then `scipy.optimize.root` on the optimality
  conditions of the constraints that it leaves active; signs and inactive sides are checked. SciPy gets the functions
  and exact derivatives that this package compiles, and nothing of its solver.
- **Known answer**: the closed form, scalar equation or published digits of the story's docstring.
- **Derivatives** of value, x and multipliers: central differences of the reference, and of the known answer, at moved
  parameters, extrapolated; this package has no part in them. The steps are {WIDE[0]:g} to {WIDE[-1]:g} of the
  parameter; for SciPy, Uno and known answers {NARROW[0]:g} to {NARROW[-1]:g}.

## All story problems

{table(SUMMARY, rows)}

Δ is the difference of this package from what the column names: the reference, or the known answer. That of derivatives
is the largest of all derivatives of value, x and multipliers.

## The answers, once more

{table(SECOND, rows)}

## The derivatives, one by one

{table(DERIVATIVES, rows)}

## CVXPY's own derivatives

`problem.solve(requires_grad=True)` and `problem.derivative()`, which is diffcp, for the parameters in which the story's
model is DPP. First made as exact as it gets: around SCS (eps {OF_SCS["eps"]:g}), else around Clarabel, with the dense
factorization (`mode="dense"`). Then as it comes, with all options at their defaults, where nothing is asked of it.
Multipliers are not differentiated by CVXPY.

{table(OWN, differentiated)}

## CVXPY's nonlinear mode

The nonconvex stories a second time, said in CVXPY (`problems/validation/nonconvex_models.py`) and solved with
`nlp=True`: by Uno (tolerances {UNO_TOLERANCE:g}), whose answers and their central differences are independent of this
package in solver, in derivatives and in how the problem is written down; and by the solver "LAGRANGE", which is this
package's own: that checks only the models, but with them the multipliers, which CVXPY takes from no other solver.

{table(NONLINEAR, [row for row in rows if row.reference == NEWTON])}

## Small programs through `from_cvxpy`

Convex programs said in CVXPY with parameters, translated by `lg.from_cvxpy`: the answer, dual values included, against
SCS; the derivatives against central differences of SCS's answers and against CVXPY's own.

{table(SMALL, programs)}

## What is notable

{notes()}
"""


NOTES = {
    "economic_dispatch": """CVXPY's own dx/dp is wrong here, by up to a fifth, and more around SCS, which does not come
to its end; around Clarabel no warning is given. The known answer and central differences of CVXPY's own answers agree
with this package to ten digits. It is the units: the conic form that diffcp needs holds squares of hundreds of MW; the
same program said in units of 100 MW is differentiated rightly.""",
    "consumer_choice": """As it comes, CVXPY's dx/dp is wrong by more than its size, without a warning: the iterative
solver below diffcp (LSQR) stops early, however exact the answer itself is. With `mode="dense"` it agrees with this
package to three digits, and the known answer agrees with this package to ten.""",
    "d_optimal_design": """The one semidefinite problem. Around SCS diffcp's derivatives are right; around Clarabel
those of diffcp 1.1 are wrong, for the same answer: dx/d(runs) comes out as 0.42, 0.16, 0.42 instead of a third each.
This is why SCS comes first above.""",
    "hanging_chain": """SCS does not come to its end here, so the reference's own errors are larger than elsewhere;
the known answer is the sharper judge.""",
    "optimal_transport": """Supplies and demands must keep the same total: one equation follows from the others. The
multipliers of `supply` and `demand` are not unique and are compared with nobody's; those of the bounds are. A single
supply cannot move, so its derivatives do not exist (`sensitivity().kind` says so), and are taken along
`direction(dp)` for ten independent pairs of a supply and a demand.""",
    "truss_sizing": """The constraint on the far bar is not convex and is not in the CVXPY model; the known answer
covers its multiplier.""",
    "ac_optimal_power_flow": """The known answer is PYPOWER's, at these parameters only; derivatives are judged by
SciPy and Uno.""",
    "van_der_pol_control": """The known answer is that of the oscillator without a grid, from Pontryagin's principle:
the value of thirty intervals differs from it by what the grid costs. SciPy solves the same grid.""",
    "robot_arm": """The closed form holds only while the hand is as long as the upper arm: it judges the derivatives
by the target, SciPy and Uno those by the links, too.""",
}
"""What the numbers do not say of themselves, by problem."""


def notes() -> str:
    """As a list."""
    return "\n".join(f"- **{name}**: {' '.join(text.split())}" for name, text in NOTES.items())


def table(columns: tuple[Column[T], ...], rows: Iterable[T]) -> str:
    """Markdown, with what is accepted as the last line."""
    lines = [[cell(column, column.of(row), str(columns[0].of(row))) for column in columns] for row in rows]
    last = [
        ACCEPTED,
        *("" if column.accepted in (None, math.inf) else f"{column.accepted:.0e}" for column in columns[1:]),
    ]
    return markdown([column.heading for column in columns], [*lines, last])


def cell(column: Column[T], entry: str | float, name: str) -> str:
    """As the page shows it: differences to one digit, those in bold that the page has to explain."""
    if isinstance(entry, str):
        return entry
    if math.isnan(entry):
        return "–"
    shown = f"<{ROUNDING:.0e}" if entry < ROUNDING else f"{entry:.0e}"
    return f"**{shown}**" if column.accepted is not None and entry > column.accepted else shown


def digits(value: float) -> str:
    """A value as the page shows it."""
    return f"{value:.{DIGITS}g}"


def parsed(page: str, heading: str) -> dict[str, dict[str, str]]:
    """A table of the page by the names of its lines and columns, from the title of its section."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [
        [entry.strip() for entry in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"
    ]
    header, _, *body = lines
    return {line[0]: dict(zip(header, line, strict=True)) for line in body}
