"""D-optimal design: at which temperatures should a chemist measure to fit a parabola?

The yield of a reaction is to be fitted by level + slope t + bend t^2, with t = (temperature - 70 C) / 20 C.
There is time for `runs` measurements at eleven temperatures from 50 to 90 C, each with an error of
standard deviation `error`. Share them so that the three coefficients become as certain as possible: the
volume of their confidence ellipsoid is smallest where the determinant of the information is largest:

    maximize    log det sum_i runs_i f_i f_i' / error^2,   f_i = (1, t_i, t_i^2)      [no unit]
    subject to  sum(runs_i) = runs
                runs_i >= 0

(runs need not be whole numbers). Source: J. Kiefer and J. Wolfowitz, "Optimum designs in regression
problems", Annals of Mathematical Statistics 30 (1959), 271-294, for the theory and the parabola; V.
Fedorov, Theory of Optimal Experiments (1972). Known answer, in closed form: a third of the runs at each
end and a third in the middle. By the equivalence theorem of Kiefer and Wolfowitz (1960) the variance of the
fit is then largest just there: at t it is 3 - 9/2 t^2 (1 - t^2) times error^2 / runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

POSITION = np.linspace(-1.0, 1.0, 11)  # t
TEMPERATURES = [f"{70 + 20 * t:.0f} C" for t in POSITION]
REGRESSORS = np.column_stack([np.ones(POSITION.size), POSITION, POSITION**2])
COEFFICIENTS = 3
SUPPORT = np.isin(np.arange(POSITION.size), [0, 5, 10])  # both ends and the middle


def information(runs: dict[str, Any], p: dict[str, Any]) -> Any:
    """Inverse covariance of the fitted coefficients."""
    shares = np.array([runs[temperature] for temperature in TEMPERATURES])
    return REGRESSORS.T @ (shares[:, None] * REGRESSORS) / p["error"] ** 2


problem = lg.Problem(
    maximize=lambda runs, p: np.linalg.slogdet(information(runs, p))[1],
    subject_to={"runs": lg.equals(lambda runs: sum(runs.values()), lambda p: p["runs"])},
    bounds=(0.0, None),
    describe={
        "objective": "logarithm of the determinant of the information",
        **{temperature: f"runs at {temperature}" for temperature in TEMPERATURES},
        "runs": "runs at all temperatures together",
        "error": "standard deviation of a measurement [% of yield]",
    },
)
p = {"runs": 30.0, "error": 0.5}  # measurements, percent of yield
x0 = dict.fromkeys(TEMPERATURES, p["runs"] / len(TEMPERATURES))


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """A third each."""
    return dict(zip(TEMPERATURES, np.where(SUPPORT, p["runs"] / 3, 0.0), strict=True))


def known_objective(p: dict[str, Any]) -> float:
    """The determinant for a single run is 4/27."""
    return float(COEFFICIENTS * np.log(p["runs"] / p["error"] ** 2) + np.log(4 / 27))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """The determinant grows with the cube of the runs."""
    return {"runs": COEFFICIENTS / p["runs"]}


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """By how much the variance of the fit, which is what a run adds, falls short of the largest one."""
    shortfall = -9 / 2 * POSITION**2 * (1 - POSITION**2) / p["runs"]
    return dict(zip(TEMPERATURES, shortfall, strict=True))


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A concave maximization, said directly."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    runs = {temperature: cp.Variable() for temperature in TEMPERATURES}
    matrix = sum(runs[name] * np.outer(f, f) for name, f in zip(TEMPERATURES, REGRESSORS, strict=True))
    constraints = {"runs": cp.sum(list(runs.values())) == p["runs"]}
    lower = {name: share >= 0 for name, share in runs.items()}
    certainty = cp.log_det(matrix) - 2 * COEFFICIENTS * np.log(p["error"])
    model = cp.Problem(cp.Maximize(certainty), [*constraints.values(), *lower.values()])
    bounds = {name: (constraint, None) for name, constraint in lower.items()}
    return CvxpyModel(model, dict(runs), constraints, bounds)
