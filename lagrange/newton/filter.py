"""The filter: pairs (theta, phi) of infeasibility and barrier objective that a new point must improve on.

It sees two numbers and no iterate (Fletcher and Leyffer 2002; Waechter and Biegler 2006, section 2.3).
"""

from __future__ import annotations

from dataclasses import dataclass, field

THETA_MARGIN = 1e-5  # gamma_theta: required relative decrease of the infeasibility
PHI_MARGIN = 1e-8  # gamma_phi: required decrease of the objective per unit of infeasibility


@dataclass
class Filter:
    """Forbidden corners of the (theta, phi) plane.

    Examples
    --------
    >>> filter = Filter(theta_max=10.0)
    >>> filter.add(1.0, 5.0)
    >>> filter.accepts(0.5, 100.0), filter.accepts(2.0, 4.0), filter.accepts(2.0, 6.0)
    (True, True, False)
    """

    theta_max: float
    entries: list[tuple[float, float]] = field(default_factory=list)

    def accepts(self, theta: float, phi: float) -> bool:
        """True where no entry dominates the point."""
        if theta > self.theta_max:
            return False
        return all(theta < entry_theta or phi < entry_phi for entry_theta, entry_phi in self.entries)

    def add(self, theta: float, phi: float) -> None:
        """Forbid every point that does not improve on (theta, phi) by the margins."""
        corner = ((1.0 - THETA_MARGIN) * theta, phi - PHI_MARGIN * theta)
        self.entries = [entry for entry in self.entries if entry[0] < corner[0] or entry[1] < corner[1]]
        self.entries.append(corner)

    def clear(self) -> None:
        """Forget all entries (a new barrier parameter is a new problem)."""
        self.entries.clear()
