"""What CVXPY calls the answers of `lagrange`.

CVXPY knows: optimal, infeasible, unbounded; the same "_inaccurate", for what was found to less than the accuracy asked
for; user_limit, for where a limit ended the search; and an error, which it raises. The first three are claims, so they
are made only where they are verified:

- optimal: the KKT conditions of the smooth problem were verified and no negative curvature was found. As with every
  nonlinear solver of CVXPY it is a local optimum; it is a global one where the problem is convex.
- infeasible: the violation cannot be reduced nearby. In a convex problem that proves that there is no feasible point.
  In another there may be one elsewhere, and where the violation is small, accuracy may be all that lacks: then the
  status is infeasible_inaccurate, of which CVXPY warns.
- unbounded: the objective has fallen along a feasible ray as far as numbers go.
- optimal_inaccurate: a feasible point without multipliers (Fritz John), which may be a minimum but cannot be verified
  as one; or a point where the KKT conditions hold to the root of the tolerance only.
- user_limit, a point that is not claimed to be optimal, of which CVXPY warns: where a limit or the user stopped the
  iteration; and a saddle point or maximum that was reached again after it was left as often as the solver does.

Everything else is an error, raised with the reason: a point that is not stationary, a value that is not finite.
"""

from __future__ import annotations

import math

from cvxpy import settings as s

from lagrange.model.settings import Settings
from lagrange.model.status import PointKind, StopReason
from lagrange.result import Result

INACCURATE = math.sqrt(Settings().tol)  # relative KKT residuals up to which a point is an inaccurate answer
LIMITS = (StopReason.ITERATION_LIMIT, StopReason.TIME_LIMIT, StopReason.STOPPED_BY_USER)


def cvxpy_status(result: Result, convex: bool) -> str:
    """The status of a result; `convex` says whether its constraints describe a convex set."""
    if result.success:
        return str(s.OPTIMAL)
    if result.kind is PointKind.INFEASIBLE_STATIONARY:
        clear = convex and result.residuals.relative_feasibility > INACCURATE
        return str(s.INFEASIBLE if clear else s.INFEASIBLE_INACCURATE)
    if result.kind is PointKind.UNBOUNDED:
        return str(s.UNBOUNDED)
    if result.stop in LIMITS or result.kind is PointKind.SADDLE_OR_MAXIMUM:
        return str(s.USER_LIMIT)
    if result.kind is PointKind.FRITZ_JOHN:
        return str(s.OPTIMAL_INACCURATE)
    if result.kind is PointKind.NOT_STATIONARY and result.residuals.within(INACCURATE):
        return str(s.OPTIMAL_INACCURATE)
    return str(s.SOLVER_ERROR)


def has_dual_values(result: Result, status: str) -> bool:
    """True where the multipliers of a result satisfy the KKT conditions, at least inaccurately."""
    return result.kind is not PointKind.FRITZ_JOHN and status in (s.OPTIMAL, s.OPTIMAL_INACCURATE)
