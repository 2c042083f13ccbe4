"""The Hock-Schittkowski collection through `lagrange` and its peers, side by side in one run.

    python -m problems.benchmarks.compare                                    (needs the `bench` extra)
    python -m problems.benchmarks.compare --only HS71 HS100 --solvers lagrange ipopt

What makes the comparison fair:

- All solvers get the same starting points and the same exact derivatives from the same compiled functions
  (`oracle.py`); SLSQP takes first derivatives only. Problems with kinks or jumps are left out.
- Every answer is judged alike, on x alone (`check.py`).
- Overhead is what a whole solve call takes less what its functions take (`peers.py` says where the line
  runs): the cost of the solver, independent of how fast a problem's functions are. CPU time is that of the
  process, so that a solver gains nothing by working in several threads; the threads that XLA may use inside
  a function are inside for both clocks. Each number is the median of several runs after a warm-up, the
  solvers taking turns, so that other load on the machine meets all of them. BLAS has one thread.
- Ratios to Ipopt carry over to other machines; seconds do not.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from problems.benchmarks.answer import MAX_ITERATIONS, TOLERANCE
from problems.benchmarks.check import OBJECTIVE_TOLERANCE
from problems.benchmarks.measure import CLOSE, PASS, RUNS, TIGHT, Outcome, measure
from problems.benchmarks.peers import (
    PACKAGES,
    SLSQP_FTOL,
    SOLVERS,
    TRUST_CONSTR_GTOL,
    TRUST_CONSTR_ITERATIONS,
    TRUST_CONSTR_XTOL,
)
from problems.benchmarks.table import REFERENCE, appendix, solved_by_all, summary, troubles
from problems.hock_schittkowski import PROBLEMS

MODULE = "problems.benchmarks.compare"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Read by the linear algebra libraries when they load, so set before this process starts."""
SMOOTH = [name for name, record in PROBLEMS.items() if record.smooth]


def main(arguments: Sequence[str]) -> None:
    """Measure, print the summary, and write the tables where asked."""
    options = _options(arguments)
    results: dict[str, dict[str, Outcome]] = {}
    for name in options.only:
        results[name] = measure(PROBLEMS[name], options.solvers, options.runs)
        line = "  ".join(f"{solver} {outcome.iterations}" for solver, outcome in results[name].items())
        print(f"{name:6s} {line}", file=sys.stderr, flush=True)
    print(summary(results, options.solvers))
    if options.output is not None:
        options.output.write_text(_document(results, options.solvers, arguments, options.runs), encoding="utf-8")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SMOOTH, default=SMOOTH, metavar="HS71")
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=list(SOLVERS))
    parser.add_argument("--runs", type=int, default=RUNS, help="timed runs of each solve (default %(default)s)")
    parser.add_argument("--output", type=Path, help="a Markdown file to write")
    return parser.parse_args(arguments)


def _document(results: dict[str, dict[str, Outcome]], solvers: list[str], arguments: Sequence[str], runs: int) -> str:
    common = len(solved_by_all(results, solvers))
    return f"""# The Hock-Schittkowski collection, side by side

`{_command(arguments)}`

{_versions(solvers)}.

{len(results)} smooth problems, exact derivatives for all, every answer checked independently. Solvers have
their defaults but for: tolerance {TOLERANCE:g} and {MAX_ITERATIONS} iterations; SLSQP ftol {SLSQP_FTOL:g};
trust-constr gtol {TRUST_CONSTR_GTOL:g}, xtol {TRUST_CONSTR_XTOL:g}, {TRUST_CONSTR_ITERATIONS} iterations;
uno is Uno's preset filtersqp, uno-ipopt its preset ipopt.
Ratios are what carries over to other machines; seconds do not.

- **solved**: the solver says so, and the check of x agrees: feasible and stationary within {PASS:g}, each
  relative to its scale, and an objective right to {OBJECTIVE_TOLERANCE:g}. **at {TIGHT:g}**: the same within
  {TIGHT:g}.
- **false successes**: the solver says so, and the check does not agree. **close**: those of them that pass at
  {CLOSE:g}.
- **failed**: no claim. **unclaimed**: those of them whose x passes the check all the same.
- **recognised**: the solver says that no multiplier exists at the solution (HS13).
- **local**: solved, at a local minimum that is worse than the best known.
- **iterations**, **evaluations** (points at which f and c were evaluated): over the {common} problems that
  every solver here solves.
- **overhead**: time of a solve call less the time inside functions, {REFERENCE} = 1: geometric means over the
  problems solved by both of CPU and wall time, and the ratio of the sums of CPU time. Medians of {runs} runs,
  fewer where a solve takes seconds. Ipopt's includes CasADi's bridge to Python: on HS71 about a fifth of it.

{summary(results, solvers)}

## Iterations by problem

{appendix(results, solvers)}

## Not solved

{troubles(results, solvers)}
"""


def _command(arguments: Sequence[str]) -> str:
    # no absolute path: the table is committed
    shown = [Path(entry).name if Path(entry).is_absolute() else entry for entry in arguments]
    return " ".join(["python -m", MODULE, *shown])


def _versions(solvers: list[str]) -> str:
    packages = ["jax", "numpy", "scipy", *(PACKAGES[solver] for solver in solvers if solver in PACKAGES)]
    listed = ", ".join(f"{package} {version(package)}" for package in dict.fromkeys(packages))
    return f"Python {platform.python_version()}, {listed}; {_ipopt_version(solvers)}BLAS in one thread"


def _ipopt_version(solvers: list[str]) -> str:
    if "ipopt" not in solvers:
        return ""
    return "Ipopt as bundled with casadi, linear solver MUMPS; "


if __name__ == "__main__":
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        os.execve(sys.executable, [sys.executable, "-m", MODULE, *sys.argv[1:]], os.environ | ONE_THREAD)
    main(sys.argv[1:])
