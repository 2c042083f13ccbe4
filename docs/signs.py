"""What each tool returns as the multiplier of the same small constraints: the table of the page on theory.

Every case has one variable and a true price, the derivative of the objective with respect to the number 1 on the right:

    minimize (x - 3)^2    x <= 1    -4          maximize -(x - 3)^2    x <= 1     4
    minimize x^2          x >= 1     2          maximize -x^2          x >= 1    -2
    minimize x^2          x == 1     2          maximize -x^2          x == 1    -2

`python docs/signs.py` prints a row for every tool that is installed. Tools that only take linear problems get the same
prices from 4 x and 2 x.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np

CASES = ("x <= 1", "x >= 1", "x = 1", "bound x <= 1", "bound x >= 1", "max, x <= 1", "max, x >= 1", "max, x = 1")
TRUTH = (-4.0, 2.0, 2.0, -4.0, 2.0, 4.0, -2.0, -2.0)

Row = tuple[float | None, ...]


def down(x):
    """Falls towards 3: presses against x <= 1."""
    return (x[0] - 3.0) ** 2


def up(x):
    """Rises from 0: presses against x >= 1."""
    return x[0] ** 2


def lagrange_tool() -> dict[str, Row]:
    import lagrange as lg

    def solve(constraint=None, bounds=None, **objective):
        return lg.Problem(subject_to={} if constraint is None else {"c": constraint}, bounds=bounds, **objective).solve(
            [0.5]
        )

    first = lambda x: x[0]  # noqa: E731
    rows = [
        solve(lg.at_most(first, 1.0), minimize=down),
        solve(lg.at_least(first, 1.0), minimize=up),
        solve(lg.equals(first, 1.0), minimize=up),
        solve(lg.at_most(first, 1.0), maximize=lambda x: -down(x)),
        solve(lg.at_least(first, 1.0), maximize=lambda x: -up(x)),
        solve(lg.equals(first, 1.0), maximize=lambda x: -up(x)),
    ]
    upper, lower = solve(bounds=(None, 1.0), minimize=down), solve(bounds=(1.0, None), minimize=up)
    y = [float(row.multipliers["c"]) for row in rows]
    prices = [float(row.shadow_prices["c"]) for row in rows]
    z = [float(item.bound_multipliers[0]) for item in (upper, lower)]
    by_bound = [float(item.sensitivity().bounds.objective["x[0]"]) for item in (upper, lower)]
    return {
        "lagrange, `multipliers`, `bound_multipliers`": (*y[:3], *z, *y[3:]),
        "lagrange, `shadow_prices`, `sensitivity().bounds`": (*prices[:3], *by_bound, *prices[3:]),
    }


def scipy_trust_constr() -> dict[str, Row]:
    from scipy.optimize import Bounds, NonlinearConstraint, minimize

    def solve(fun, low, high, bounds=False):
        inside = {"bounds": Bounds([low], [high])} if bounds else {}
        rows = {} if bounds else {"constraints": NonlinearConstraint(lambda x: x[0], low, high)}
        found = minimize(fun, [0.5], method="trust-constr", options={"gtol": 1e-10, "xtol": 1e-12}, **inside, **rows)
        return float(np.ravel(found.v[0])[0])

    inf = np.inf
    return {
        "SciPy `trust-constr`, `v`": (
            *(solve(down, -inf, 1.0), solve(up, 1.0, inf), solve(up, 1.0, 1.0)),
            *(solve(down, -inf, 1.0, bounds=True), solve(up, 1.0, inf, bounds=True), None, None, None),
        )
    }


def scipy_slsqp() -> dict[str, Row]:
    from scipy.optimize import NonlinearConstraint, minimize

    def solve(fun, constraint):
        return float(minimize(fun, [0.5], method="SLSQP", constraints=constraint).multipliers[0])

    dicts = (
        solve(down, {"type": "ineq", "fun": lambda x: 1.0 - x[0]}),
        solve(up, {"type": "ineq", "fun": lambda x: x[0] - 1.0}),
        solve(up, {"type": "eq", "fun": lambda x: x[0] - 1.0}),
    )
    objects = [
        solve(fun, NonlinearConstraint(lambda x: x[0], low, high))
        for fun, low, high in ((down, -np.inf, 1.0), (up, 1.0, np.inf), (up, 1.0, 1.0))
    ]
    return {
        "SciPy `SLSQP`, `multipliers`, dicts": (*dicts, *5 * [None]),
        "SciPy `SLSQP`, `multipliers`, `NonlinearConstraint`": (*objects, *5 * [None]),
    }


def scipy_linprog() -> dict[str, Row]:
    from scipy.optimize import linprog

    free = (None, None)
    at_most = linprog([-4.0], A_ub=[[1.0]], b_ub=[1.0], bounds=free).ineqlin.marginals[0]
    at_least = linprog([2.0], A_ub=[[-1.0]], b_ub=[-1.0], bounds=free).ineqlin.marginals[0]
    equal = linprog([2.0], A_eq=[[1.0]], b_eq=[1.0], bounds=free).eqlin.marginals[0]
    upper = linprog([-4.0], bounds=(None, 1.0)).upper.marginals[0]
    lower = linprog([2.0], bounds=(1.0, None)).lower.marginals[0]
    row = (at_most, at_least, equal, upper, lower)
    return {"SciPy `linprog` (HiGHS), `marginals`": (*map(float, row), *3 * [None])}


def cvxpy() -> dict[str, Row]:
    import cvxpy as cp

    def solve(sense, objective, constraint):
        x = cp.Variable()
        rows = [constraint(x)]
        cp.Problem(sense(objective(x)), rows).solve(solver=cp.CLARABEL)
        return float(rows[0].dual_value)

    falls, rises = lambda x: cp.square(x - 3), cp.square
    return {
        "CVXPY (Clarabel), `dual_value`": (
            solve(cp.Minimize, falls, lambda x: x <= 1),
            solve(cp.Minimize, rises, lambda x: x >= 1),
            solve(cp.Minimize, rises, lambda x: x == 1),
            *(None, None),
            solve(cp.Maximize, lambda x: -falls(x), lambda x: x <= 1),
            solve(cp.Maximize, lambda x: -rises(x), lambda x: x >= 1),
            solve(cp.Maximize, lambda x: -rises(x), lambda x: x == 1),
        )
    }


def casadi() -> dict[str, Row]:
    import casadi as ca

    x = ca.SX.sym("x")

    def solve(f, low, high, bounds=False):
        quiet = {"ipopt": {"print_level": 0, "sb": "yes", "tol": 1e-10}, "print_time": False}
        rows = {} if bounds else {"g": x}
        solver = ca.nlpsol("solver", "ipopt", {"x": x, "f": f, **rows}, quiet)
        side = ("lbx", "ubx") if bounds else ("lbg", "ubg")
        found = solver(x0=0.5, **dict(zip(side, (low, high), strict=True)))
        return float(found["lam_x" if bounds else "lam_g"])

    falls, rises, inf = (x - 3.0) ** 2, x**2, np.inf
    return {
        "CasADi with Ipopt, `lam_g`, `lam_x`": (
            *(solve(falls, -inf, 1.0), solve(rises, 1.0, inf), solve(rises, 1.0, 1.0)),
            *(solve(falls, -inf, 1.0, bounds=True), solve(rises, 1.0, inf, bounds=True), None, None, None),
        )
    }


def pyomo() -> dict[str, Row]:
    import pyomo.environ as pyo

    def solve(slope, constraint, sense=None):
        model = pyo.ConcreteModel()
        model.x = pyo.Var()
        model.objective = pyo.Objective(expr=slope * model.x, sense=sense or pyo.minimize)
        model.c = pyo.Constraint(expr=constraint(model.x))
        model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
        pyo.SolverFactory("appsi_highs").solve(model)
        return float(model.dual[model.c])

    return {
        "Pyomo (HiGHS), suffix `dual`": (
            solve(-4.0, lambda x: x <= 1),
            solve(2.0, lambda x: x >= 1),
            solve(2.0, lambda x: x == 1),
            *(None, None),
            solve(4.0, lambda x: x <= 1, pyo.maximize),
            solve(-2.0, lambda x: x >= 1, pyo.maximize),
            solve(-2.0, lambda x: x == 1, pyo.maximize),
        )
    }


def gurobipy() -> dict[str, Row]:
    import gurobipy as gp

    environment = gp.Env(params={"OutputFlag": 0})

    def model_of(slope, sense, low=-np.inf, high=np.inf):
        model = gp.Model(env=environment)
        x = model.addVar(lb=low, ub=high, obj=slope)
        model.ModelSense = sense
        return model, x

    def solve(slope, constraint, sense=gp.GRB.MINIMIZE):
        model, x = model_of(slope, sense)
        row = model.addConstr(constraint(x))
        model.optimize()
        return float(row.Pi)

    def bound(slope, low, high):
        model, x = model_of(slope, gp.GRB.MINIMIZE, low, high)
        model.optimize()
        return float(x.RC)

    return {
        "Gurobi, `Pi`, `RC`": (
            solve(-4.0, lambda x: x <= 1),
            solve(2.0, lambda x: x >= 1),
            solve(2.0, lambda x: x == 1),
            *(bound(-4.0, -np.inf, 1.0), bound(2.0, 1.0, np.inf)),
            solve(4.0, lambda x: x <= 1, gp.GRB.MAXIMIZE),
            solve(-2.0, lambda x: x >= 1, gp.GRB.MAXIMIZE),
            solve(-2.0, lambda x: x == 1, gp.GRB.MAXIMIZE),
        )
    }


TOOLS: dict[str, tuple[Callable[[], dict[str, Row]], ...]] = {
    "lagrange": (lagrange_tool,),
    "scipy": (scipy_trust_constr, scipy_slsqp, scipy_linprog),
    "cvxpy": (cvxpy,),
    "casadi": (casadi,),
    "pyomo": (pyomo,),
    "gurobipy": (gurobipy,),
}


def installed() -> dict[str, Row]:
    """The rows of all tools that can be imported."""
    return {
        name: row
        for package, tools in TOOLS.items()
        if importlib.util.find_spec(package) is not None
        for tool in tools
        for name, row in tool().items()
    }


def number(value: float | None) -> str:
    """As the table shows it."""
    return "" if value is None else f"{round(value, 3) + 0.0:+g}".replace("-", "−")


if __name__ == "__main__":
    print("|", " | ".join(("", *CASES)), "|")
    print("| price |", " | ".join(map(number, TRUTH)), "|")
    for name, row in installed().items():
        print("|", " | ".join((name, *map(number, row))), "|")
