"""Why a solve stopped, and what kind of point it returned: two questions, two enumerations.

Every member carries one sentence of plain advice, shown under the table of a solution.
"""

from enum import Enum


class StopReason(Enum):
    """Why the iteration ended. It says nothing about the quality of the point: see `PointKind`.

    Examples
    --------
    >>> StopReason.ITERATION_LIMIT.advice
    'Raise max_iterations, or start closer to the solution.'
    """

    CONVERGED = ("converged", "The iteration ended by itself.")
    ITERATION_LIMIT = ("iteration limit", "Raise max_iterations, or start closer to the solution.")
    TIME_LIMIT = ("time limit", "Raise time_limit, or start closer to the solution.")
    STOPPED_BY_USER = ("stopped by user", "The best point found so far is returned.")
    NOT_FINITE = (
        "not finite",
        "Add bounds that keep x where the function is defined, or start from another point.",
    )
    NO_PROGRESS = (
        "no progress",
        "Check the derivatives with lagrange.check_derivatives, look for kinks, and rescale the problem.",
    )

    def __init__(self, label: str, advice: str) -> None:
        self.label = label
        self.advice = advice


class PointKind(Enum):
    """What the returned point is, by its unscaled first- and second-order conditions.

    Examples
    --------
    >>> PointKind.FRITZ_JOHN.label
    'point without multipliers (Fritz John)'
    """

    STRICT_MINIMUM = (
        "strict local minimum",
        "First- and second-order conditions hold; no nearby feasible point is as good.",
    )
    MINIMUM_NOT_STRICT = (
        "stationary, second order undecided",
        "No descent direction of first or second order exists, but the curvature along some direction is "
        "zero to rounding: nearby points may be equally good.",
    )
    SADDLE_OR_MAXIMUM = (
        "saddle point or maximum",
        "The objective still improves along some feasible direction: start elsewhere.",
    )
    FRITZ_JOHN = (
        "point without multipliers (Fritz John)",
        "The gradients of the active constraints cannot balance the objective: no Lagrange multiplier exists. "
        "Reformulate the named constraints, for example by replacing g(x)^3 >= 0 with g(x) >= 0.",
    )
    INFEASIBLE_STATIONARY = (
        "infeasible: the violation cannot be reduced nearby",
        "The named rows conflict at this point: relax one of them, or start elsewhere.",
    )
    UNBOUNDED = (
        "unbounded",
        "The objective falls without limit along the named ray: a bound or a constraint is missing.",
    )
    NOT_STATIONARY = (
        "not stationary",
        "The point does not satisfy the first-order conditions; do not use it as an answer.",
    )

    def __init__(self, label: str, advice: str) -> None:
        self.label = label
        self.advice = advice

    @property
    def is_minimum(self) -> bool:
        """True where the first-order conditions hold and no negative curvature was found."""
        return self in (PointKind.STRICT_MINIMUM, PointKind.MINIMUM_NOT_STRICT)
