"""One answer about a point: yes, no or cannot decide, by what margin, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One condition at one point.

    Attributes
    ----------
    holds : bool or None
        None for "cannot decide".
    margin : float
        How clearly it holds; what it measures is said where the check is made. inf where there is nothing that
        could fail, nan where nothing could be measured.
    detail : str
        One sentence with the names of the constraints or variables that decide.
    """

    holds: bool | None
    margin: float
    detail: str

    @property
    def answer(self) -> str:
        """ "yes", "no" or "cannot decide"."""
        return {True: "yes", False: "no", None: "cannot decide"}[self.holds]
