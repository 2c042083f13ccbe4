"""`from_cvxpy`: every atom has CVXPY's value and the right slope, names and forms are the user's, errors have names."""

# ruff: noqa: SIM300 (which side of a comparison is constant is what is tested)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy as cp
import jax
import numpy as np
import pytest
import scipy.sparse as sp

import lagrange.interfaces.cvxpy  # noqa: F401 (registers the solver LAGRANGE)
from lagrange.interfaces.cvxpy_atoms import RULES, NotTranslated, evaluate
from lagrange.interfaces.cvxpy_problem import from_cvxpy

RANDOM = np.random.default_rng(0)
C, V = RANDOM.normal(size=(3, 3)), RANDOM.normal(size=4)
x, s, z = cp.Variable(4, name="x"), cp.Variable(name="s"), cp.Variable(3, pos=True, name="z")
X, Y = cp.Variable((3, 3), name="X"), cp.Variable((2, 3), name="Y")
q = cp.Parameter(pos=True, name="q", value=1.7)
POSITIVE_DEFINITE = X @ X.T + np.eye(3)
SPARSE = sp.csr_array(np.diag([1.0, 2.0, 3.0]))
LEAVES = (x, s, z, X, Y, q)

AFFINE = {
    "sum of terms": x + s + 1,
    "negative": -X,
    "constant matrices": C @ X @ Y.T,
    "sparse matrix": SPARSE @ X,
    "matrix vector": Y @ X[0],
    "elementwise": cp.multiply(X, C),
    "scalar times matrix": s * X,
    "parameter times matrix": q * X,
    "division by number": X / 3.0,
    "sums": cp.sum(X, axis=0) + cp.sum(X, axis=1) * cp.sum(Y),
    "sum with kept axis": cp.sum(X, axis=1, keepdims=True),
    "trace": cp.trace(X) * cp.trace(X @ C),
    "transpose": Y.T,
    "reshape by columns": cp.reshape(Y, (3, 2), order="F"),
    "reshape by rows": cp.reshape(Y, (3, 2), order="C"),
    "vec by columns": cp.vec(Y, order="F"),
    "vec by rows": cp.vec(Y, order="C"),
    "hstack": cp.hstack([x, s, V]),
    "hstack of matrices": cp.hstack([X, Y.T]),
    "vstack": cp.vstack([X, Y]),
    "concatenate": cp.concatenate([X, Y], axis=0),
    "bmat": cp.bmat([[X, Y.T], [Y, np.eye(2)]]),
    "entry": X[1, 2],
    "column": X[:, 1],
    "steps": X[::-1, :2],
    "last": x[-1],
    "new axis": X[1:2, None, 0],
    "list of rows": X[[0, 2], :],
    "mask": X[np.array([[True, False, True]] * 3)],
    "diagonal matrix": cp.diag(x),
    "diagonal matrix above": cp.diag(x, 1),
    "diagonal": cp.diag(X),
    "diagonal below": cp.diag(X, -1),
    "kron": cp.kron(C, Y),
    "kron from the right": cp.kron(Y, C),
    "convolve": cp.convolve(V, x),
    "cumsum": cp.cumsum(X, axis=1),
    "diff": cp.diff(x, k=2),
    "partial trace": cp.partial_trace(cp.kron(C, Y @ Y.T), (3, 2), 0),
    "partial transpose": cp.partial_transpose(cp.kron(C, Y @ Y.T), (3, 2), 0),
    "outer": cp.outer(x, V),
    "broadcast": cp.broadcast_to(x, (2, 4)),
    "stack": cp.stack([x, 2 * x]),
    "swapaxes": cp.swapaxes(X, 0, 1),
    "einsum": cp.einsum("ij,jk->ik", C, X),
}

SMOOTH = {
    "division": V / s + x / s,
    "exp": cp.exp(X),
    "log": cp.log(x),
    "log1p": cp.log1p(x),
    "logistic": cp.logistic(X),
    "entr": cp.entr(x),
    "rel_entr": cp.rel_entr(x, cp.exp(x)),
    "kl_div": cp.kl_div(x, s),
    "xexp": cp.xexp(x),
    "sin, cos, tan": cp.nlp.sin(X) + cp.nlp.cos(X) + cp.nlp.tan(X / 4),
    "sinh, asinh, tanh, atanh": cp.nlp.sinh(X) + cp.nlp.asinh(X) + cp.nlp.tanh(X) + cp.nlp.atanh(X / 9),
    "normcdf": cp.nlp.normcdf(X),
    "even and odd powers": X**2 + X**3 + X**0 + X**1,
    "real powers": cp.power(x, 1.5) + cp.sqrt(x) + cp.power(x, 0.3),
    "negative powers": cp.inv_pos(x) + x**-2,
    "power of a parameter": cp.power(x, q),
    "quad_form": cp.quad_form(x[:3], C @ C.T),
    "quad_over_lin": cp.quad_over_lin(X, s) + cp.sum_squares(X),
    "quad_over_lin of columns": cp.quad_over_lin(X, s, axis=0),
    "norms": cp.norm(x) + cp.norm(X, "fro") + cp.pnorm(x, 3) + cp.pnorm(x, 0.5),
    "norms of rows": cp.norm(X, 2, axis=1),
    "mixed norm": cp.mixed_norm(X, 2, 1),
    "total variation": cp.tv(X),
    "geo_mean": cp.geo_mean(x) + cp.geo_mean(x, [1, 0, 2, 1]),
    "geo_mean of columns": cp.geo_mean(cp.exp(X), axis=0),
    "harmonic_mean": cp.harmonic_mean(x),
    "inv_prod": cp.inv_prod(x),
    "prod": cp.prod(X) + cp.prod(x),
    "prod of rows": cp.prod(X, axis=1),
    "cumprod": cp.cumprod(X, axis=1),
    "log_sum_exp": cp.log_sum_exp(x) + cp.log_sum_exp(X),
    "log_sum_exp of rows": cp.log_sum_exp(X, axis=1),
    "log_det": cp.log_det(POSITIVE_DEFINITE),
    "tr_inv": cp.tr_inv(POSITIVE_DEFINITE),
    "matrix_frac": cp.matrix_frac(X[:, 0], POSITIVE_DEFINITE) + cp.matrix_frac(X, POSITIVE_DEFINITE),
    "one_minus_pos": cp.one_minus_pos(x / 9),
    "eye_minus_inv": cp.eye_minus_inv(cp.exp(X) / 20),
    "gmatmul": cp.gmatmul(C, z),
    "statistics": cp.var(x) + cp.std(X) + cp.mean(X),
}

KINKED = {
    "abs": cp.abs(X),
    "maximum": cp.maximum(X, C, 0.0),
    "minimum": cp.minimum(X, C),
    "max": cp.max(X, axis=0),
    "min": cp.min(X),
    "norm1": cp.norm1(X),
    "norm_inf": cp.norm_inf(X, axis=1),
    "huber": cp.huber(X, 0.5),
    "scalene and pos": cp.scalene(X, 2.0, 3.0) + cp.pos(X),
    "approximations": cp.loggamma(x) + cp.log_normcdf(x),
}

ATOMS = AFFINE | SMOOTH | KINKED


def values_at(rng: np.random.Generator) -> dict[int, Any]:
    for leaf in LEAVES:
        positive = leaf.name() in ("x", "s", "z", "q")
        leaf.value = rng.uniform(0.5, 2.0, leaf.shape) if positive else rng.normal(size=leaf.shape)
    return {leaf.id: np.asarray(leaf.value, dtype=float) for leaf in LEAVES}


@pytest.mark.parametrize("name", ATOMS)
def test_an_atom_has_the_value_and_the_slope_that_cvxpy_gives_it(name: str) -> None:
    expression, rng = ATOMS[name], np.random.default_rng(5)
    with jax.enable_x64(True):
        values = values_at(rng)
        actual, expected = evaluate(expression, values), expression.value
        assert np.shape(actual) == expression.shape
        np.testing.assert_allclose(actual, np.reshape(expected, expression.shape), rtol=1e-11, atol=1e-12)
        # The error of a difference quotient falls like the square of the step: down to rounding.
        directions = {key: rng.normal(size=value.shape) for key, value in values.items()}
        weights = rng.normal(size=expression.shape)

        def along(t: Any) -> Any:
            return (weights * evaluate(expression, {key: values[key] + t * directions[key] for key in values})).sum()

        slope = float(jax.grad(along)(0.0))
        errors = [abs((float(along(h)) - float(along(-h))) / (2 * h) - slope) for h in (1e-3, 1e-4)]
        assert errors[1] <= max(0.02 * errors[0], 1e-9 * max(1.0, abs(slope))), errors


def test_every_rule_is_tested() -> None:
    seen: set[str] = set()
    stack = list(ATOMS.values())
    while stack:
        atom = stack.pop()
        seen.add(type(atom).__name__)
        stack += atom.args
    same_as_others = {name for name in RULES if name.endswith("_wrap")} | {"conj", "real", "conv", "upper_tri"}
    twins = {"Power", "Pnorm", "GeoMean"}  # PowerApprox and so on are what CVXPY's functions make, or the other way
    missing = RULES.keys() - seen - same_as_others - twins - {f"{name}Approx" for name in twins}
    assert not missing


def test_upper_triangles() -> None:
    value = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(np.ravel(evaluate(cp.upper_tri(X), {X.id: value})), value[np.triu_indices(3, 1)])


# The problem ----------------------------------------------------------------------------------------------------


def tin_can() -> tuple[cp.Problem, cp.Parameter]:
    radius, height = cp.Variable(name="radius", nonneg=True), cp.Variable(name="height", bounds=[0, 12])
    radius.value, height.value = 3.0, 10.0
    volume = cp.Parameter(name="volume", value=330.0)
    area = 2 * np.pi * radius * (radius + height)
    holds = np.pi * cp.multiply(cp.square(radius), height) == volume
    return cp.Problem(cp.Minimize(area), [holds.set_label("volume")]), volume


def test_names_starts_and_values() -> None:
    problem, _ = tin_can()
    model = from_cvxpy(problem)
    assert model.x0 == {"radius": 3.0, "height": 10.0}
    assert model.p == {"volume": 330.0}
    solution = model.problem.solve(model.x0, model.p)
    radius = (330.0 / (2 * np.pi)) ** (1 / 3)
    assert solution.success
    assert float(solution.x["radius"]) == pytest.approx(radius, rel=1e-9)
    # dA/dV = 2/3 A/V, for a shape that scales.
    assert float(solution.shadow_prices["volume"]) == pytest.approx(2 / 3 * solution.objective / 330.0, rel=1e-9)
    assert model.problem.definition.bounds["height"] == (0.0, 12.0)
    assert [variable.value for variable in problem.variables()] == [3.0, 10.0], "from_cvxpy leaves the problem alone"


def test_sensitivity_to_parameters_of_cvxpy() -> None:
    problem, volume = tin_can()
    model = from_cvxpy(problem)
    sensitivity = model.problem.solve(model.x0, model.p).sensitivity()
    radius = problem.variables()[0]
    step, radii = 1e-2, []
    for move in (-step, step):
        volume.value = 330.0 + move
        problem.solve(solver="LAGRANGE", nlp=True)
        radii.append(float(radius.value))
    assert float(sensitivity.x["radius"]["volume"]) == pytest.approx((radii[1] - radii[0]) / (2 * step), rel=1e-6)


def test_functions_are_differentiable_in_parameters() -> None:
    w, a, P = cp.Variable(2, name="w"), cp.Parameter(2, name="a"), cp.Parameter((2, 2), PSD=True, name="P")
    d = cp.Parameter(pos=True, name="d")
    a.value, P.value, d.value = np.array([1.0, 2.0]), np.array([[2.0, 0.5], [0.5, 1.0]]), 2.0
    objective = cp.quad_form(w, P) + cp.quad_over_lin(w - a, d) + cp.sum(cp.abs(a)) + cp.max(a) * w[0]
    model = from_cvxpy(cp.Problem(cp.Minimize(objective), [a @ w >= d * a[0]]))
    function, row = model.problem.definition.objective, next(iter(model.problem.definition.constraints.values()))
    rng, at = np.random.default_rng(1), {"w": np.array([0.3, -0.4])}
    with jax.enable_x64(True):
        gradient = jax.grad(lambda p: function(at, p) + row.lower(p) * row.function(at, p))(model.p)
        direction = {name: rng.normal(size=np.shape(value)) for name, value in model.p.items()}
        values = []
        for h in (-1e-5, 1e-5):
            p = {name: model.p[name] + h * direction[name] for name in model.p}
            values.append(float(function(at, p) + row.lower(p) * row.function(at, p)))
        slope = sum(float(np.sum(gradient[name] * direction[name])) for name in model.p)
    assert (values[1] - values[0]) / 2e-5 == pytest.approx(slope, rel=1e-8)


def test_constraints_stand_as_written() -> None:
    a, b = cp.Variable(2, name="a"), cp.Parameter(2, name="b", value=[1.0, 2.0])
    constraints = [
        a <= b,
        0.5 <= a[0],
        a[0] == cp.square(a[1]),
        cp.sum(a) <= 1 + a[0] ** 3 + cp.exp(a[1]) + cp.sum(a**2),
    ]
    constraints.append((3 >= a).set_label("cap"))
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(a - 1)), constraints))
    rows = model.problem.definition.constraints
    assert list(rows) == [
        "constraint[0] (a <= b)",
        "constraint[1] (0.5 <= a[0])",
        "constraint[2] (a[0] == PowerApprox(a[1], 2.0))",
        "constraint[3]",
        "cap",
    ]
    first, second, third, fourth, cap = rows.values()
    assert np.array_equal(first.upper({"b": np.array([5.0, 6.0])}), [5.0, 6.0])
    assert (second.lower, second.upper) == (0.5, np.inf)
    assert third.equality and (third.lower, third.upper) == (0.0, 0.0)
    assert (fourth.lower, fourth.upper) == (-np.inf, 0.0)
    assert (cap.lower, cap.upper) == (-np.inf, 3.0)


def test_names_that_occur_twice() -> None:
    a, b = cp.Variable(name="a"), cp.Variable(name="a")
    model = from_cvxpy(cp.Problem(cp.Minimize(a**2 + (b - 1) ** 2)))
    assert list(model.x0) == ["a", "a#2"]
    model.unpack(model.problem.solve(model.x0))
    assert (float(a.value), float(b.value)) == pytest.approx((0.0, 1.0))


def test_maximize_and_matrix_parameters() -> None:
    M, A = cp.Variable((2, 3), name="M"), cp.Parameter((2, 3), name="A", value=np.arange(6.0).reshape(2, 3))
    limit = cp.sum_squares(M) <= 5.0
    problem = cp.Problem(cp.Maximize(cp.sum(cp.multiply(A, M))), [limit])
    M.value = np.ones((2, 3))
    model = from_cvxpy(problem)
    solution = model.problem.solve(model.x0, model.p)
    size = np.linalg.norm(A.value)
    np.testing.assert_allclose(solution.x["M"], A.value * np.sqrt(5.0) / size, atol=1e-9)
    assert float(next(iter(solution.shadow_prices.values()))) == pytest.approx(size / (2 * np.sqrt(5.0)))
    model.unpack(solution)
    assert problem.value == pytest.approx(size * np.sqrt(5.0))


@pytest.mark.parametrize("attribute", ["symmetric", "diag"])
def test_variables_with_fewer_free_entries(attribute: str) -> None:
    target = np.array([[1.0, 2.0], [4.0, 5.0]])
    S = cp.Variable((2, 2), name="S", **{attribute: True})
    model = from_cvxpy(cp.Problem(cp.Minimize(cp.sum_squares(S - target))))
    assert model.x0["S"].shape == ((3,) if attribute == "symmetric" else (2,))
    model.unpack(model.problem.solve(model.x0))
    value = S.value.toarray() if sp.issparse(S.value) else S.value
    expected = (target + target.T) / 2 if attribute == "symmetric" else np.diag(np.diag(target))
    np.testing.assert_allclose(value, expected, atol=1e-9)


# Kinks and domains ----------------------------------------------------------------------------------------------


KINKS: dict[str, Callable[[cp.Variable], cp.Expression]] = {
    "abs": lambda v: cp.sum(cp.abs(v - np.array([1.0, 2.0]))) + cp.sum_squares(v),
    "maximum": lambda v: cp.sum(cp.maximum(v, 1 - v, 0.2)) + 0.1 * cp.sum_squares(v),
    "max": lambda v: cp.max(cp.hstack([v, -2 * v + 1])) + 0.1 * cp.sum_squares(v),
    "norm1": lambda v: cp.norm1(v) + cp.sum_squares(v - 2),
    "norm_inf": lambda v: cp.norm_inf(v - 1) + cp.sum_squares(v),
    "huber": lambda v: cp.sum(cp.huber(v - 3, 0.5)) + cp.sum_squares(v),
    "sum_largest": lambda v: cp.sum_largest(cp.hstack([v, 1 - v]), 2) + cp.sum_squares(v),
    "minus min": lambda v: -cp.min(v) + cp.sum_squares(v - np.array([0.0, 3.0])) - cp.sum(cp.minimum(v, 1.0)),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_become_smooth(name: str) -> None:
    v = cp.Variable(2, name="v")
    problem = cp.Problem(cp.Minimize(KINKS[name](v)), [v[0] + 2 * v[1] == 1])
    expected, _ = problem.solve(solver=cp.CLARABEL), problem.constraints[0].dual_value
    v.save_value(None)
    model = from_cvxpy(problem)
    assert "v" in model.x0 and len(model.x0) > 1
    model.unpack(model.problem.solve(model.x0))
    assert problem.status == cp.OPTIMAL
    assert problem.value == pytest.approx(expected, abs=1e-7)
    assert model.source is problem


def test_a_kink_of_parameters_needs_no_variable() -> None:
    v, c = cp.Variable(name="v"), cp.Parameter(name="c", value=-2.0)
    model = from_cvxpy(cp.Problem(cp.Maximize(v - v**2), [v <= cp.abs(c)]))
    assert list(model.x0) == ["v"]
    row = next(iter(model.problem.definition.constraints.values()))
    assert float(row.upper({"c": -3.0})) == 3.0


def test_a_kink_in_the_wrong_place_is_refused_by_name() -> None:
    v = cp.Variable(name="v")
    with pytest.raises(cp.error.DNLPError, match=r"abs\(v\) has a kink that cannot be made smooth in maximize"):
        from_cvxpy(cp.Problem(cp.Maximize(cp.abs(v)), [v <= 1, v >= -1]))
    with pytest.raises(cp.error.DNLPError, match=r"1.0 <= abs\(v\)"):
        from_cvxpy(cp.Problem(cp.Minimize(v**2), [cp.abs(v) >= 1]))


def test_the_domain_of_an_atom_bounds_its_variable() -> None:
    v, w = cp.Variable(3, name="v"), cp.Variable(name="w")
    model = from_cvxpy(cp.Problem(cp.Maximize(cp.log(v[1]) + cp.sum(cp.sqrt(v[::2])) - cp.sum(v) - cp.inv_pos(w) - w)))
    lower, _ = model.problem.definition.bounds["v"]
    np.testing.assert_array_equal(lower, [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(model.x0["v"], [1.0, 1.0, 1.0])
    assert model.problem.definition.bounds["w"][0] == 0.0
    solution = model.problem.solve(model.x0)
    np.testing.assert_allclose(solution.x["v"], [0.25, 1.0, 0.25], atol=1e-8)


def test_a_start_outside_of_a_domain_is_moved_inside_by_a_variable() -> None:
    v = cp.Variable(name="v")
    inside = from_cvxpy(cp.Problem(cp.Minimize(v - cp.log(v + 1))))
    assert list(inside.x0) == ["v"]
    outside = from_cvxpy(cp.Problem(cp.Minimize(v - cp.log(v - 1))))
    assert set(outside.x0) == {"v", "log(v + -1.0)"}
    assert float(outside.problem.solve(outside.x0).x["v"]) == pytest.approx(2.0, abs=1e-8)


def test_a_start_that_makes_a_norm_zero_is_moved_a_little() -> None:
    X, A = cp.Variable((4, 2), name="X"), np.array([[0.0, 0.0], [3.0, 1.0]])
    lengths = cp.norm(X[1:] - X[:-1], 2, axis=1)
    problem = cp.Problem(cp.Minimize(cp.sum(X[:, 1])), [lengths <= 1.5, X[::3] == A])  # a hanging chain
    model = from_cvxpy(problem)
    assert list(model.x0) == ["X"] and 0.0 < np.max(np.abs(model.x0["X"])) < 0.02
    assert X.value is None
    expected = problem.solve(solver=cp.CLARABEL)
    model.unpack(model.problem.solve(model.x0))
    assert (problem.status, problem.value) == (cp.OPTIMAL, pytest.approx(expected, abs=1e-6))
    outward = from_cvxpy(cp.Problem(cp.Maximize(cp.norm(X[0])), [X >= -1, X <= 2]))
    assert outward.problem.solve(outward.x0).objective == pytest.approx(np.sqrt(8.0)), "a norm is not relaxed"


# Errors and the way back ----------------------------------------------------------------------------------------


def test_what_has_no_translation_is_named() -> None:
    M, v = cp.Variable((2, 2), name="M"), cp.Variable(name="v")
    for problem, words in (
        (cp.Problem(cp.Minimize(cp.lambda_max(M))), r"the atom lambda_max in lambda_max\(M\)"),
        (cp.Problem(cp.Minimize(cp.normNuc(M))), "the atom normNuc"),
        (cp.Problem(cp.Minimize(cp.trace(M)), [M >> 0]), "of type PSD"),
        (cp.Problem(cp.Minimize(v), [cp.ExpCone(v, 1, M[0, 0])]), "of type ExpCone"),
        (
            cp.Problem(cp.Minimize(cp.trace(cp.Variable((2, 2), PSD=True, name="Q")))),
            "variable 'Q' has the attribute PSD",
        ),
        (cp.Problem(cp.Minimize(cp.Variable(boolean=True, name="yes"))), "variable 'yes' has the attribute boolean"),
    ):
        with pytest.raises(NotTranslated, match=words):
            from_cvxpy(problem)
    with pytest.raises(ValueError, match="parameter 'c' has no value"):
        from_cvxpy(cp.Problem(cp.Minimize(cp.square(v - cp.Parameter(name="c")))))
    with pytest.raises(ValueError, match="no variables"):
        from_cvxpy(cp.Problem(cp.Minimize(cp.Constant(1.0))))


def test_answers_that_are_none_are_said_so_in_cvxpy() -> None:
    v = cp.Variable(2, name="v")
    limit = v[0] + v[1] <= 1

    def unpacked(problem: cp.Problem) -> tuple[str, Any, Any]:
        v.save_value(None)
        model = from_cvxpy(problem)
        model.unpack(model.problem.solve(model.x0))
        return problem.status, problem.value, limit.dual_value

    assert unpacked(cp.Problem(cp.Minimize(cp.sum_squares(v)), [limit])) == (cp.OPTIMAL, pytest.approx(0.0), 0.0)
    assert unpacked(cp.Problem(cp.Minimize(v[0]), [limit, v >= 1])) == (cp.INFEASIBLE, np.inf, None)
    assert unpacked(cp.Problem(cp.Maximize(v[0]), [limit, v >= 1])) == (cp.INFEASIBLE, -np.inf, None)
    assert unpacked(cp.Problem(cp.Maximize(v[0]), [limit])) == (cp.UNBOUNDED, np.inf, None)
    nonconvex = cp.Problem(cp.Minimize(v[0]), [limit, v[0] * v[1] == -1, v >= 0.1])
    assert unpacked(nonconvex)[0] == cp.INFEASIBLE_INACCURATE
    with pytest.raises(cp.SolverError, match="not finite"):
        v.value = np.array([710.0, 0.0])
        model = from_cvxpy(cp.Problem(cp.Minimize(cp.exp(cp.square(v[0])) + v[1] ** 2)))
        model.unpack(model.problem.solve(model.x0))
