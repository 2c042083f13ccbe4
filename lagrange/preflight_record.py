"""What a preflight found, as a record and as a page to read."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from lagrange.derivatives.derivative_report import DerivativeReport, aligned

LISTED = 10  # entries of a list that are shown
NAMED = 5  # names in a sentence
WIDTH = 110  # of sentences
LABEL = 22  # width of the left column


@dataclass(frozen=True)
class Counts:
    """Sizes of the problem; `rank` is that of the equality Jacobian at x0, None where it is not finite."""

    variables: int
    fixed: int
    equalities: int
    inequalities: int
    rows_without_sides: int
    bounds: int
    parameters: int
    rank: int | None

    @property
    def free(self) -> int:
        """Variables that are solved for."""
        return self.variables - self.fixed

    @property
    def degrees_of_freedom(self) -> int | None:
        """Free variables minus the rank of the equality Jacobian at x0."""
        return None if self.rank is None else self.free - self.rank


@dataclass(frozen=True)
class ConstraintShape:
    """One constraint function: its shape, and how its rows divide."""

    name: str
    shape: tuple[int, ...]
    equalities: int
    inequalities: int


@dataclass(frozen=True)
class Violation:
    """A value at x0 outside [lower, upper], and by how much."""

    name: str
    value: float
    lower: float
    upper: float

    @property
    def amount(self) -> float:
        """Distance from the interval."""
        return max(self.lower - self.value, self.value - self.upper)

    def __str__(self) -> str:
        side = f"below {self.lower:.6g}" if self.value < self.lower else f"above {self.upper:.6g}"
        if self.lower == self.upper:
            side = f"instead of {self.lower:.6g}"
        return f"{self.name} = {self.value:.6g}, {side} (by {self.amount:.3g})"


@dataclass(frozen=True)
class Scale:
    """Largest and smallest nonzero gradients, with their names."""

    largest: tuple[str, float]
    smallest: tuple[str, float]

    @property
    def ratio(self) -> float:
        """Largest over smallest."""
        return self.largest[1] / self.smallest[1]


@dataclass(frozen=True)
class Preflight:
    """The problem at x0, p before any solve. Print it.

    Attributes
    ----------
    counts : Counts
    constraints : shapes by constraint
    outside_bounds : variables of x0 outside their bounds
    violations : constraint rows that x0 violates, the worst first (no error: x0 need not be feasible)
    row_scale, variable_scale : gradient sizes by row and by variable; None where there is none
    suggested_factors : {row: factor} where the ratio by row is above 1e6
    zero_rows : rows whose gradient is zero at x0
    unused : variables that no function depends on
    dependent : groups of equality rows: a row, then those whose gradients at x0 it is a combination of
    derivatives : the check of derivatives
    problems : sentences, each with the culprit and what to do; empty where nothing is wrong
    """

    counts: Counts
    constraints: tuple[ConstraintShape, ...]
    outside_bounds: tuple[Violation, ...]
    violations: tuple[Violation, ...]
    row_scale: Scale | None
    variable_scale: Scale | None
    suggested_factors: dict[str, float]
    zero_rows: tuple[str, ...]
    unused: tuple[str, ...]
    dependent: tuple[tuple[str, ...], ...]
    derivatives: DerivativeReport
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True where there is no problem."""
        return not self.problems

    def __str__(self) -> str:
        k = len(self.problems)
        head = "Preflight: ready" if self.ok else f"Preflight: {k} problem{'s' if k > 1 else ''}"
        sections = [head, self._size(), self._start(), self._scaling(), self.derivatives.tables()]
        if self.problems:
            numbered = [
                textwrap.fill(sentence, WIDTH, initial_indent=f"{i:3d}. ", subsequent_indent=" " * 5)
                for i, sentence in enumerate(self.problems, 1)
            ]
            sections.append("\n".join(["Problems", *numbered]))
        return "\n\n".join(sections)

    def _size(self) -> str:
        counts = self.counts
        rank = "rank unknown" if counts.rank is None else f"rank {counts.rank} at x0"
        freedom = (
            "unknown, the Jacobian is not finite"
            if counts.rank is None
            else f"{counts.degrees_of_freedom} = {counts.free} free variables - rank {counts.rank}"
        )
        lines = [
            "Size",
            _line("variables", f"{counts.variables}" + (f" ({counts.fixed} fixed)" if counts.fixed else "")),
            _line("parameters", f"{counts.parameters}"),
            _line("equalities", f"{counts.equalities}" + (f" ({rank})" if counts.equalities else "")),
            _line("inequalities", f"{counts.inequalities}"),
            _line("bounds", f"{counts.bounds}"),
            _line("degrees of freedom", freedom),
        ]
        if self.constraints:
            cells = [("constraint", "shape", "equalities", "inequalities")] + [
                (
                    item.name,
                    str(item.shape) if item.shape else "scalar",
                    str(item.equalities),
                    str(item.inequalities),
                )
                for item in self.constraints
            ]
            lines += ["", *textwrap.indent(aligned(cells, "llrr"), "  ").splitlines()]
        return "\n".join(lines)

    def _start(self) -> str:
        lines = ["Start"]
        for label, items in (("outside its bounds", self.outside_bounds), ("violated rows", self.violations)):
            lines.append(_line(label, f"{len(items)}" + (", the worst first:" if len(items) > 1 else "")))
            lines += [f"    {item}" for item in items[:LISTED]]
            if len(items) > LISTED:
                lines.append(f"    ... and {len(items) - LISTED} more")
        return "\n".join(lines)

    def _scaling(self) -> str:
        lines = ["Scaling: largest entries of the gradients at x0"]
        for label, scale in (("by row", self.row_scale), ("by variable", self.variable_scale)):
            if scale is not None:
                (high, most), (low, least) = scale.largest, scale.smallest
                text = f"from {least:.3g} ({low}) to {most:.3g} ({high}), ratio {scale.ratio:.1e}"
                text = f"{most:.3g} ({high})" if high == low else text
                lines.append(_line(label, text))
        if self.zero_rows:
            lines.append(_line("zero gradients", named(self.zero_rows)))
        return "\n".join(lines)


def _line(label: str, text: str) -> str:
    return f"  {label:<{LABEL}}{text}"


def named(names: Sequence[str]) -> str:
    """The first few of many names, separated by commas."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
