"""What a story file hands back from `cvxpy_model(p)`: the same problem in CVXPY, with its parts by name.

CVXPY is an optional extra, so story files import it (and this module) only inside that function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cvxpy as cp


@dataclass(frozen=True)
class CvxpyModel:
    """A story problem said in CVXPY, so that values and duals can be compared entry by entry.

    model        the CVXPY problem, with the objective in the story's own sense and units.
    variables    by the keys of the story's x ("x" when x is an array); an expression where the model
                 works in other variables (logarithms, say).
    constraints  by the story's names, each written the same way round, with everything that varies on
                 the left: `c <= hi`, `c >= lo`, `c == rhs`. A name is left out where CVXPY cannot say
                 the constraint, or where its multipliers are not unique.
    bounds       (lower, upper) constraints by variable key, written `v >= lo` and `v <= hi`; None where
                 the model needs none. A key that is left out has no bound that can be active.
    """

    model: cp.Problem
    variables: dict[str, cp.Expression]
    constraints: dict[str, cp.Constraint]
    bounds: dict[str, tuple[cp.Constraint | None, cp.Constraint | None]]
