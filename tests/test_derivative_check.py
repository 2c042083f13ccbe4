"""The check of derivatives: right ones pass at every scale, usual mistakes are found, named and explained."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lagrange as lg
from lagrange.derivatives.derivative_check import check_derivatives
from lagrange.derivatives.derivative_report import DerivativeReport
from lagrange.derivatives.difference_limits import DIRECTIONS, directional_limits, ladder
from problems import chemical_equilibrium, hanging_chain, tin_can
from problems.collection import Array
from problems.hock_schittkowski import PROBLEMS

X = np.array([0.5, 0.7, -1.2])
SAMPLE = [*list(PROBLEMS)[1::4], "HS13"]  # thirty problems, all of them smooth at their start
ERROR_MARGIN = 20.0  # the check forgives this many error estimates


def check(problem: lg.Problem, x: Any, p: Any = None) -> DerivativeReport:
    return check_derivatives(*problem.prepare(x, p))


def ring(x: Array) -> Array:
    return np.array([x @ x, x[0] * x[1] * x[2], x[0] - x[2] ** 3])


def ring_jacobian(x: Array) -> Array:
    return np.array([2 * x, [x[1] * x[2], x[0] * x[2], x[0] * x[1]], [1.0, 0.0, -3 * x[2] ** 2]])


def ring_hessian(x: Array, y: Array) -> Array:
    product = np.array([[0.0, x[2], x[1]], [x[2], 0.0, x[0]], [x[1], x[0], 0.0]])
    return np.asarray(2 * y[0] * np.eye(3) + y[1] * product - 6 * y[2] * x[2] * np.diag([0.0, 0.0, 1.0]))


def ring_problem(
    jacobian: Callable[..., Any] = ring_jacobian, hessian: Callable[..., Any] | None = ring_hessian
) -> lg.Problem:
    return lg.Problem(
        minimize=lambda x: (x[0] - 1) ** 2 + x[1] ** 2 * x[2],
        subject_to={"ring": lg.equals(lg.supplied(ring, jacobian, hessian), 1.0)},
    )


def with_entry(function: Callable[..., Array], place: tuple[int, int], factor: float) -> Callable[..., Array]:
    """The function with one entry of its matrix multiplied by a factor."""

    def changed(*arguments: Any) -> Array:
        matrix = np.array(function(*arguments))
        matrix[place] *= factor
        return matrix

    return changed


# Right derivatives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "x", "p"),
    [
        (ring_problem(), X, None),
        (tin_can.problem, tin_can.x0, tin_can.p),
        (chemical_equilibrium.problem, chemical_equilibrium.x0, getattr(chemical_equilibrium, "p", None)),
        (hanging_chain.problem, hanging_chain.x0, getattr(hanging_chain, "p", None)),
    ],
    ids=["supplied", "tin can", "chemical equilibrium", "hanging chain"],
)
def test_right_derivatives_pass(problem: lg.Problem, x: Any, p: Any) -> None:
    report = check(problem, x, p)
    assert report.ok, report
    assert report.entries == () and report.verdicts == ()
    assert "wrong" not in str(report)


@pytest.mark.parametrize("scale", [1e-8, 1e-6, 1e-3, 1e3, 1e8])
def test_right_derivatives_pass_at_every_scale(scale: float) -> None:
    # Variables of size `scale` and 1 / scale, values of size 1 to scale^-2, one of them next to zero.
    x = np.array([2.0 * scale, 3.0 / scale, 0.0])

    def rows(v: Array) -> Array:
        return np.array([np.exp(v[0] / scale) * v[1] + v[2], v[0] * v[1] - 6.0, v[0] ** 2 / scale + 1e-6 * v[2] ** 2])

    def jacobian(v: Array) -> Array:
        e = np.exp(v[0] / scale)
        return np.array([[e * v[1] / scale, e, 1.0], [v[1], v[0], 0.0], [2 * v[0] / scale, 0.0, 2e-6 * v[2]]])

    problem = lg.Problem(
        minimize=lambda v: np.log(v[0] / scale) + (v[1] * scale) ** 2,
        subject_to={"rows": lg.equals(rows, 0.0)},
    )
    report = check(problem, x)
    assert report.ok, report

    broken = lg.Problem(
        minimize=lambda v: v[2],
        subject_to={"rows": lg.equals(lg.supplied(rows, with_entry(jacobian, (1, 1), 1.001)), 0.0)},
    )
    found = check(broken, x).entries
    assert [(entry.row, entry.variables) for entry in found] == [("rows[1]", ("x[1]",))]


def test_values_next_to_zero_with_large_terms_pass() -> None:
    problem = lg.Problem(
        minimize=lambda x: (1e8 + x[0]) - 1e8,
        subject_to={"balance": lg.equals(lambda x: 1e6 * (x[0] - x[1]) + (x[0] - x[1]) ** 3, 0.0)},
    )
    assert check(problem, np.array([1.0, 1.0])).ok


@pytest.mark.parametrize("name", SAMPLE)
def test_no_false_alarm(name: str) -> None:
    report = check(PROBLEMS[name].problem(), PROBLEMS[name].x0)
    assert report.ok, report


def test_error_estimates_cover_the_errors() -> None:
    # Analytic functions of different roughness; the estimate must not be beaten by more than the margin.
    x = np.array([0.3])
    rows: dict[str, tuple[Callable[[Array], Array], float]] = {
        "cubic": (lambda v: v**3, 3 * x[0] ** 2),
        "rough": (lambda v: np.sin(1e4 * v), 1e4 * np.cos(1e4 * x[0])),
        "huge": (lambda v: 1e12 + np.exp(v), np.exp(x[0])),
        "tiny": (lambda v: 1e-12 * np.log(v), 1e-12 / x[0]),
        "pole": (lambda v: 1 / (v - 0.3001), -1 / (x[0] - 0.3001) ** 2),
    }
    for name, (function, expected) in rows.items():
        limits = directional_limits(function, x, function(x), np.ones(1), ladder(x[0]))
        assert abs(limits.slope[0] - expected) <= ERROR_MARGIN * limits.error[0], name
        assert limits.error[0] <= 1e-2 * abs(expected), name


# Mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jacobian", "words"),
    [
        (lambda x: -ring_jacobian(x), ["Jacobian of constraint 'ring'", "opposite sign"]),
        (lambda x: ring_jacobian(x).T, ["Jacobian of constraint 'ring'", "transposed"]),
        (lambda x: 2 * ring_jacobian(x), ["Jacobian of constraint 'ring'", "2 times"]),
        (lambda x: ring_jacobian(x) / 2, ["Jacobian of constraint 'ring'", "1/2 of"]),
        (lambda x: 0 * ring_jacobian(x), ["Jacobian of constraint 'ring'", "is zero"]),
        (lambda x: np.roll(ring_jacobian(x), 1, axis=0), ["row ring[1] holds the derivatives of ring[0]"]),
        (
            lambda x: ring_jacobian(x)[:, [1, 0, 2]],
            ["column of x[0] holds the derivatives with respect to x[1]"],
        ),
        (lambda x: ring_jacobian(x) * [[1], [0], [1]], ["gradient of ring[1] is zero"]),
        (lambda x: ring_jacobian(x) * [[1], [-1], [1]], ["gradient of ring[1]", "opposite sign"]),
        (lambda x: ring_jacobian(x)[[0, 1, 1]], ["gradient of ring[2] is that of ring[1]"]),
    ],
    ids=[
        "sign",
        "transposed",
        "twice",
        "half",
        "zero",
        "shifted",
        "columns",
        "zero row",
        "row sign",
        "copied row",
    ],
)
def test_wrong_jacobian_is_explained(jacobian: Callable[[Array], Array], words: list[str]) -> None:
    report = check(ring_problem(jacobian, None), X)
    assert not report.ok
    assert len(report.verdicts) == 1
    assert all(word in report.verdicts[0] for word in words), report.verdicts
    assert all(entry.function == "constraint 'ring'" and entry.order == 1 for entry in report.entries)


@pytest.mark.parametrize("factor", [1.0001, 1.1, 0.0, -1.0, 1e6])
def test_one_wrong_entry_among_a_hundred(factor: float) -> None:
    A = np.random.default_rng(3).normal(size=(10, 10))
    supplied = lg.supplied(lambda x: A @ np.sin(x), with_entry(lambda x: A * np.cos(x), (7, 4), factor))
    problem = lg.Problem(minimize=lambda x: x @ x, subject_to={"wave": lg.at_most(supplied, 1.0)})
    x = np.linspace(-1.0, 1.0, 10)
    report = check(problem, x)
    (entry,) = report.entries
    assert (entry.row, entry.variables, entry.order) == ("wave[7]", ("x[4]",), 1)
    true = A[7, 4] * np.cos(x[4])
    assert entry.differences == pytest.approx(true, rel=1e-8)
    assert entry.given == pytest.approx(factor * true, rel=1e-12)
    assert "derivative of wave[7] with respect to x[4]" in report.verdicts[0]


def test_one_wrong_entry_where_variables_are_moved_in_groups() -> None:
    n = 3 * DIRECTIONS
    A = np.random.default_rng(4).normal(size=(5, n))
    supplied = lg.supplied(lambda x: A @ np.sin(x), with_entry(lambda x: A * np.cos(x), (2, 100), 1.01))
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"wave": lg.at_most(supplied, 1.0)})
    report = check(problem, np.linspace(-1.0, 1.0, n))
    assert [(entry.row, entry.variables) for entry in report.entries] == [("wave[2]", ("x[100]",))]


@pytest.mark.parametrize(
    ("hessian", "words"),
    [
        (lambda x, y: 0 * ring_hessian(x, y), ["curvature of constraint 'ring' is missing"]),
        (lambda x, y: -ring_hessian(x, y), ["Hessian of constraint 'ring'", "opposite sign"]),
        (lambda x, y: 2 * ring_hessian(x, y), ["Hessian of constraint 'ring'", "2 times"]),
        (lambda x, y: ring_hessian(x, np.ones(3)), ["Hessian of constraint 'ring' does not depend on y"]),
        (lambda x, y: np.tril(ring_hessian(x, y)), ["one triangle only"]),
        (lambda x, y: ring_hessian(x, y[[1, 2, 0]]), ["mixes up its rows"]),
        (lambda x, y: ring_hessian(x, y * [1, 0, 1]), ["Hessian of ring[1] is zero"]),
    ],
    ids=["missing", "sign", "twice", "no y", "triangle", "rows", "zero row"],
)
def test_wrong_hessian_is_explained(hessian: Callable[[Array, Array], Array], words: list[str]) -> None:
    report = check(ring_problem(ring_jacobian, hessian), X)
    assert not report.ok
    assert len(report.verdicts) == 1
    assert all(word in report.verdicts[0] for word in words), report.verdicts
    assert report.entries and all(entry.order == 2 for entry in report.entries)


def test_hessian_of_one_row_that_ignores_y() -> None:
    # With y = 1 it would be right.
    bowl = lg.supplied(lambda x: x @ x, lambda x: 2 * x, lambda x, y: 2 * np.eye(2))
    problem = lg.Problem(minimize=lambda x: x[0], subject_to={"bowl": lg.at_most(bowl, 1.0)})
    assert "bowl' does not depend on y" in check(problem, np.ones(2)).verdicts[0]


def test_one_wrong_second_derivative() -> None:
    def hessian(x: Array, y: Array) -> Array:
        return np.asarray(ring_hessian(x, y) + 1e-3 * y[2] * np.diag([1.0, 0.0, 0.0]))

    report = check(ring_problem(ring_jacobian, hessian), X)
    (entry,) = report.entries
    assert (entry.row, entry.variables) == ("ring[2]", ("x[0]", "x[0]"))
    assert entry.given == pytest.approx(1e-3)
    assert abs(entry.differences) < 1e-6
    assert "ring[2] with respect to x[0] and x[0]" in report.verdicts[0]


def test_second_derivatives_are_not_judged_by_wrong_first_ones() -> None:
    report = check(ring_problem(lambda x: -ring_jacobian(x)), X)
    assert [item.outcomes for item in report.functions] == [("right", "right"), ("8 wrong", "not judged")]


def test_error_hidden_at_a_symmetric_point_is_seen_nearby() -> None:
    problem = lg.Problem(minimize=lg.supplied(lambda x: x @ x, lambda x: x))
    report = check(problem, np.zeros(3))
    assert "1/2 of the right one. (Seen at a point near x.)" in report.verdicts[0]


def test_transposed_leaf_of_a_pytree() -> None:
    # A Jacobian given as a pytree is reshaped by leaf, so that a transposed leaf fits.
    A = np.arange(6.0).reshape(3, 2) + 1.0
    wrong = lg.supplied(lambda x: A @ x["u"] + x["v"], lambda x: {"u": A.T, "v": np.ones(3)})
    problem = lg.Problem(minimize=lambda x: x["v"], subject_to={"map": lg.equals(wrong, 0.0)})
    report = check(problem, {"u": np.array([1.0, 2.0]), "v": 1.0})
    assert "transposed" in report.verdicts[0]


def test_jacobian_of_another_shape_is_reported() -> None:
    problem = lg.Problem(minimize=lg.supplied(lambda x: x @ x, lambda x: np.ones((3, 3))))
    report = check(problem, np.ones(3))
    assert not report.ok
    assert "(3, 3), expected (1, 3)" in report.obstacles[0]


def test_maximize_is_reported_with_the_sign_of_the_user() -> None:
    problem = lg.Problem(maximize=lg.supplied(lambda x: 3 * x[0], lambda x: np.array([4.0])))
    (entry,) = check(problem, np.array([1.0])).entries
    assert entry.given == 4.0
    assert entry.differences == pytest.approx(3.0)


# Points where there is nothing right to compare with -----------------------------------------------------


def test_kink_is_named_and_not_called_wrong() -> None:
    report = check(lg.Problem(minimize=lambda x: np.abs(x[2]) + x[0] ** 2), np.array([1.0, 2.0, 0.0]))
    assert not report.ok
    assert report.entries == ()
    (kink,) = report.kinks
    assert kink.variables == ("x[2]",)
    assert (kink.left, kink.right) == pytest.approx((-1.0, 1.0))
    assert "not differentiable here with respect to x[2]" in report.verdicts[0]


def test_kink_of_a_derivative_is_no_error() -> None:
    report = check(lg.Problem(minimize=lambda x: np.maximum(x[0], 0.0) ** 2 + x[1]), np.zeros(2))
    assert report.ok
    (kink,) = report.kinks
    assert (kink.variables, kink.order) == (("x[0]", "x[0]"), 2)
    assert (kink.left, kink.right) == pytest.approx((0.0, 2.0), abs=1e-6)


def test_derivative_that_is_not_finite_is_named() -> None:
    problem = lg.Problem(minimize=lambda x: np.sqrt(x[1]) + x[0], bounds=(0, None))
    report = check(problem, np.array([1.0, 0.0]))
    assert not report.ok
    assert report.entries == ()
    assert report.obstacles == ("The derivative of the objective with respect to x[1] is inf at x.",)


def test_sources_are_named() -> None:
    def branching(x: Array) -> float:
        return float(x[0]) ** 2 if float(x[0]) > 0 else 0.0

    constraints = {"half": lg.at_most(lg.supplied(lambda x: x @ x, lambda x: 2 * x), 1.0)}
    problem = lg.Problem(minimize=branching, subject_to=constraints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lg.DerivativeWarning)
        report = check(problem, np.array([1.0, 2.0]))
    assert [item.sources for item in report.functions] == [
        ("finite differences", "finite differences"),
        ("supplied", "automatic"),
    ]
    assert report.functions[0].outcomes == ("right", "not judged")


def test_inaccurate_finite_differences_are_reported() -> None:
    # Steps of the solver's differences are relative to max(1, |x|): far too long for this scale.
    def fine_print(x: Array) -> float:
        return float(np.sin(float(x[0]) * 1e9))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lg.DerivativeWarning)
        report = check(lg.Problem(minimize=fine_print), np.array([1e-10]))
    assert [entry.variables for entry in report.entries] == [("x[0]",)]
    assert "finite differences" in report.verdicts[0] and "inaccurate" in report.verdicts[0]


def test_report_reads_as_aligned_tables() -> None:
    report = check(ring_problem(with_entry(ring_jacobian, (1, 2), 1.5)), X)
    lines = str(report).splitlines()
    assert lines[0] == "Derivatives: 1 wrong derivative"
    (entry,) = [line for line in lines if line.startswith("d ring[1] / d x[2]")]
    assert entry.split()[-3:] == ["0.525", "0.35", "3.3e-01"]
    heading = lines[lines.index(entry) - 2]
    assert heading.rindex("given") + len("given") == entry.index("0.525") + len("0.525")
