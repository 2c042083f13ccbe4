"""What a first solve costs in a new process, imports and compilation included: HS71, four ways.

    python -m problems.benchmarks.first_solve          (needs the `bench` extra for CasADi)

Every measurement is a process of its own that reads the clock before its first import and after its answer;
the processes of the different solvers take turns. The time Python itself needs to start is not counted.
SLSQP estimates gradients by finite differences; CasADi and `lagrange` differentiate exactly.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

from problems.benchmarks.table import markdown

RUNS = 5
EXPECTED = 17.0140173
"""The objective of HS71 at its solution."""
AGREEMENT = 1e-5

FUNCTIONS = """
def objective(x):
    return x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2]

def product(x):
    return x[0] * x[1] * x[2] * x[3]

def squares(x):
    return x[0] ** 2 + x[1] ** 2 + x[2] ** 2 + x[3] ** 2

start = [1.0, 5.0, 5.0, 1.0]
"""

IMPORT_LAGRANGE = """
import lagrange
"""

LAGRANGE = """
import lagrange as lg
problem = lg.Problem(
    objective,
    subject_to={"product": lg.at_least(product, 25.0), "squares": lg.equals(squares, 40.0)},
    bounds=(1.0, 5.0),
)
answer = problem.solve(start).objective
"""

SLSQP = """
from scipy.optimize import minimize
constraints = [
    {"type": "ineq", "fun": lambda x: product(x) - 25.0},
    {"type": "eq", "fun": lambda x: squares(x) - 40.0},
]
answer = minimize(objective, start, bounds=[(1.0, 5.0)] * 4, constraints=constraints, method="SLSQP").fun
"""

CASADI = """
import casadi
x = casadi.SX.sym("x", 4)
nlp = {"x": x, "f": objective(x), "g": casadi.vertcat(product(x), squares(x))}
silent = {"print_time": False, "ipopt": {"print_level": 0, "sb": "yes"}}
solver = casadi.nlpsol("solver", "ipopt", nlp, silent)
answer = solver(x0=start, lbx=1.0, ubx=5.0, lbg=[25.0, 40.0], ubg=[float("inf"), 40.0])["f"]
"""

PROGRAMS = {
    "import lagrange": IMPORT_LAGRANGE,
    "lagrange": LAGRANGE,
    "SciPy SLSQP": SLSQP,
    "CasADi + Ipopt": CASADI,
}


def seconds(program: str) -> float:
    """Seconds from before the first import to after the answer, in a new process.

    Raises
    ------
    RuntimeError
        If the answer is not the solution.
    """
    source = (
        f"{FUNCTIONS}\nimport time\nbegin = time.perf_counter()\nanswer = None\n{program}\n"
        "print(time.perf_counter() - begin, 'nothing' if answer is None else float(answer))"
    )
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    taken, answer = ended.stdout.split()[-2:]
    if answer != "nothing" and abs(float(answer) - EXPECTED) > AGREEMENT * EXPECTED:
        raise RuntimeError(f"the objective is {answer}, not {EXPECTED}")
    return float(taken)


def main() -> None:
    """Measure and print the table."""
    for program in PROGRAMS.values():  # byte code and disk caches
        seconds(program)
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(RUNS):
        for name, program in PROGRAMS.items():
            taken[name].append(seconds(program))
    rows = [[name, f"{min(values):.2f}", f"{median(values):.2f}"] for name, values in taken.items()]
    print(markdown(("HS71 in a new process", "best, s", "median, s"), rows))


if __name__ == "__main__":
    main()
