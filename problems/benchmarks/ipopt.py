"""Ipopt with MUMPS, through CasADi's `nlpsol`, on functions that read and write CasADi's own buffers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import casadi
import numpy as np

from problems.benchmarks.answer import MAX_ITERATIONS, TOLERANCE, Answer, Run
from problems.benchmarks.oracle import Oracle

SUCCESS = ("Solve_Succeeded", "Solved_To_Acceptable_Level")
LEAN: dict[str, Any] = {"no_nlp_grad": True, "print_time": False, "show_eval_warnings": False}
"""CasADi builds and prints nothing that the solve does not need."""
OPTIONS: dict[str, Any] = {"print_level": 0, "sb": "yes", "tol": TOLERANCE, "max_iter": MAX_ITERATIONS}
"""Ipopt's own defaults, silent."""


class Buffered(casadi.Callback):
    """A CasADi function of dense vectors that Python evaluates without conversions.

    `inputs` and `outputs` map names to sparsities; `function` takes one array per input and returns the
    nonzeros of each output, column by column.
    """

    def __init__(
        self,
        name: str,
        inputs: dict[str, Any],
        outputs: dict[str, Any],
        oracle: Oracle,
        function: Callable[..., Sequence[Any]],
    ) -> None:
        casadi.Callback.__init__(self)
        self.inputs, self.outputs = list(inputs.items()), list(outputs.items())
        self.function = function
        self.clocked = oracle.clock.timed(self.evaluate)
        self.construct(name, {})

    def get_n_in(self) -> int:
        return len(self.inputs)

    def get_n_out(self) -> int:
        return len(self.outputs)

    def get_name_in(self, i: int) -> str:
        return self.inputs[i][0]

    def get_name_out(self, i: int) -> str:
        return self.outputs[i][0]

    def get_sparsity_in(self, i: int) -> Any:
        return self.inputs[i][1]

    def get_sparsity_out(self, i: int) -> Any:
        return self.outputs[i][1]

    def has_eval_buffer(self) -> bool:
        return True

    def eval_buffer(self, arguments: Any, results: Any) -> int:
        return self.clocked(arguments, results)

    def evaluate(self, arguments: Any, results: Any) -> int:
        """Fill the buffers that are wanted; empty ones come as None."""
        given = [np.frombuffer(entry) if entry else np.empty(0) for entry in arguments]
        for result, value in zip(results, self.function(*given), strict=True):
            if result:
                np.frombuffer(result)[:] = value
        return 0


def ipopt(oracle: Oracle) -> Run:
    """Set up one problem for Ipopt."""
    record = oracle.record
    n, m, dense = record.n, record.m, casadi.Sparsity.dense
    x_and_p = {"x": dense(n), "p": dense(0)}
    f, g = {"f": dense(1)}, {"g": dense(m)}
    columns, rows = np.tril_indices(n)  # the upper triangle, column by column
    nlp = Buffered("nlp", x_and_p, f | g, oracle, lambda x, p: (oracle.objective(x), oracle.constraints(x)))
    derivatives = {
        "grad_f": Buffered(
            "grad_f",
            x_and_p,
            f | {"grad_f_x": dense(n)},
            oracle,
            lambda x, p: (oracle.objective(x), oracle.gradient(x)),
        ),
        "jac_g": Buffered(
            "jac_g",
            x_and_p,
            g | {"jac_g_x": dense(m, n)},
            oracle,
            lambda x, p: (oracle.constraints(x), oracle.jacobian(x).ravel(order="F")),
        ),
        "hess_lag": Buffered(
            "hess_lag",
            x_and_p | {"lam_f": dense(1), "lam_g": dense(m)},
            {"triu_hess_gamma_x_x": casadi.Sparsity.upper(n)},
            oracle,
            lambda x, p, sigma, y: (oracle.hessian(x, sigma[0], y)[rows, columns],),
        ),
    }
    solver = casadi.nlpsol("solver", "ipopt", nlp, {**derivatives, **LEAN, "ipopt": OPTIONS})
    given = {"x0": record.x0, "lbx": record.lower, "ubx": record.upper}
    if m:
        given |= {"lbg": record.constraint_lower, "ubg": record.constraint_upper}
    # CasADi does not keep its callbacks alive: the closure must.
    alive = (nlp, derivatives)

    def run() -> Answer:
        assert alive
        x = solver(**given)["x"].full().ravel()
        statistics = solver.stats()
        status = statistics["return_status"]
        iterations = int(statistics["iter_count"])
        return Answer(x, status in SUCCESS, False, iterations, oracle.evaluations, status)

    return run
