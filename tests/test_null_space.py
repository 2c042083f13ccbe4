"""The dense factorization against the full KKT matrix: solutions, rank, inertia, refinement."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from lagrange.kkt.factorization import Factorization
from lagrange.kkt.null_space import NullSpaceFactorization, RangeNullSpace
from lagrange.model.named_pytree import Vector

SOLVED = 1e-9  # relative residual of a solution, against the size of its terms
SEEDS = range(6)


@dataclass(frozen=True)
class System:
    """A KKT system: the data of the protocol's docstring and a right side."""

    W: Vector
    sigma: Vector | None
    J: Vector
    equalities: int
    gamma: float
    r_v: Vector
    r_h: Vector

    @property
    def n(self) -> int:
        return self.W.shape[0]

    def matrix(self, delta: float = 0.0) -> Vector:
        """The whole KKT matrix, slacks included; delta on the diagonal of x."""
        n, m = self.n, self.J.shape[0]
        slacks = 0 if self.sigma is None else self.sigma.size - n
        on_v = np.zeros((n + slacks, n + slacks))
        on_v[:n, :n] = self.W + delta * np.eye(n)
        if self.sigma is not None:
            on_v += np.diag(self.sigma)
        rows = np.zeros((m, n + slacks))
        rows[:, :n] = self.J
        if slacks:
            rows[self.equalities :, n:] = -np.eye(slacks)
        return np.block([[on_v, rows.T], [rows, -self.gamma * np.eye(m)]])

    def factorized(self, delta: float = 0.0) -> tuple[NullSpaceFactorization, bool]:
        factorization = NullSpaceFactorization(self.W, self.sigma, self.J, self.equalities, gamma=self.gamma)
        return factorization, factorization.regularize(delta)


def random_system(
    seed: int,
    n: int = 6,
    equalities: int = 2,
    inequalities: int = 0,
    gamma: float = 0.0,
    with_sigma: bool = True,
    definite: bool = True,
) -> System:
    rng = np.random.default_rng(seed)
    square = rng.normal(size=(n, n))
    W = square @ square.T + 0.1 * np.eye(n) if definite else square + square.T
    sigma = rng.uniform(0.1, 2.0, n + inequalities) if with_sigma or inequalities else None
    m = equalities + inequalities
    return System(
        W, sigma, rng.normal(size=(m, n)), equalities, gamma,
        rng.normal(size=n + inequalities), rng.normal(size=m),
    )  # fmt: skip


SHAPES = {
    "no rows": dict(equalities=0),
    "no rows, no sigma": dict(equalities=0, with_sigma=False),
    "equalities": dict(equalities=2),
    "equalities, no sigma": dict(equalities=3, with_sigma=False),
    "as many equalities as variables": dict(equalities=6, with_sigma=False),
    "inequalities": dict(equalities=0, inequalities=4),
    "more inequalities than variables": dict(equalities=1, inequalities=9),
    "both": dict(equalities=2, inequalities=3),
    "one variable": dict(n=1, equalities=0, inequalities=2),
    "regularized equalities": dict(equalities=3, gamma=1e-2),
    "regularized rows": dict(equalities=2, inequalities=3, gamma=1e-2),
    "more regularized equalities than variables": dict(equalities=8, inequalities=1, gamma=0.5),
}


def assert_solves(system: System, dv: Vector, dy: Vector, delta: float = 0.0, tolerance: float = SOLVED) -> None:
    solution, right = np.concatenate([dv, dy]), np.concatenate([system.r_v, system.r_h])
    matrix = system.matrix(delta)
    size = np.abs(matrix) @ np.abs(solution) + np.abs(right)
    np.testing.assert_array_less(np.abs(matrix @ solution - right), tolerance * np.maximum(size, 1.0))


@pytest.mark.parametrize("delta", [0.0, 0.3])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_solution_is_that_of_the_full_matrix(shape: str, delta: float) -> None:
    for seed in SEEDS:
        system = random_system(seed, **SHAPES[shape])  # type: ignore[arg-type]
        factorization, definite = system.factorized(delta)
        assert definite
        dv, dy = factorization.solve(system.r_v, system.r_h)
        expected = np.linalg.solve(system.matrix(delta), np.concatenate([system.r_v, system.r_h]))
        np.testing.assert_allclose(np.concatenate([dv, dy]), expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_many_right_sides_with_one_factorization() -> None:
    system = random_system(0, equalities=2, inequalities=3)
    factorization, _ = system.factorized()
    rng = np.random.default_rng(1)
    for _ in range(3):
        other = replace(system, r_v=rng.normal(size=9), r_h=rng.normal(size=5))
        assert_solves(other, *factorization.solve(other.r_v, other.r_h))


def test_the_inputs_are_left_as_they_were() -> None:
    system = random_system(2, equalities=2, inequalities=3)
    W, J, r_v, r_h = system.W.copy(), system.J.copy(), system.r_v.copy(), system.r_h.copy()
    factorization, _ = system.factorized(0.5)
    factorization.solve(system.r_v, system.r_h)
    for now, before in ((system.W, W), (system.J, J), (system.r_v, r_v), (system.r_h, r_h)):
        np.testing.assert_array_equal(now, before)


def test_it_is_a_factorization_of_the_protocol() -> None:
    factorization: Factorization = random_system(3).factorized(0.25)[0]
    assert (factorization.rank, factorization.equalities, factorization.delta) == (2, 2, 0.25)


def test_a_basis_that_is_known_is_used_and_another_is_not() -> None:
    system = random_system(4)
    basis = RangeNullSpace(system.J)
    assert NullSpaceFactorization(system.W, system.sigma, system.J, 2, basis=basis).basis is basis
    stale = RangeNullSpace(system.J + 1.0)
    factorization = NullSpaceFactorization(system.W, system.sigma, system.J, 2, basis=stale)
    assert factorization.basis is not stale
    factorization.regularize(0.0)
    assert_solves(system, *factorization.solve(system.r_v, system.r_h))


# Inertia -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "as many equalities as variables"])
def test_the_verdict_on_the_inertia_is_that_of_the_eigenvalues(shape: str) -> None:
    # The inertia of a minimum: as many positive eigenvalues of the whole matrix as there are v.
    verdicts = []
    for seed in range(12):
        indefinite = random_system(seed, definite=False, **SHAPES[shape])  # type: ignore[arg-type]
        size = indefinite.r_v.size
        for delta in (0.0, 1.0, 3.0, 30.0):
            eigenvalues = np.linalg.eigvalsh(indefinite.matrix(delta))
            expected = int((eigenvalues > 0.0).sum()) == size
            assert indefinite.factorized(delta)[1] is expected
            verdicts.append(expected)
    assert any(verdicts) and not all(verdicts)


def test_a_vertex_is_a_minimum_whatever_the_hessian() -> None:
    system = random_system(5, equalities=6, with_sigma=False, definite=False)
    factorization, definite = system.factorized()
    assert definite
    assert_solves(system, *factorization.solve(system.r_v, system.r_h))


@pytest.mark.parametrize("curvature", [0.0, 1e-16, -1e-16])
def test_curvature_that_is_zero_to_rounding_is_not_definite(curvature: float) -> None:
    W = np.diag([1.0, curvature])
    rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    factorization = NullSpaceFactorization(rotation @ W @ rotation.T, None, np.empty((0, 2)), 0)
    assert not factorization.regularize(0.0)
    assert factorization.regularize(1e-4)


def test_the_hessian_matters_on_the_tangent_space_only() -> None:
    # Saddle x0^2 - x1^2 on the line x1 = 0 is a minimum, on x0 = 0 a maximum.
    W = np.diag([2.0, -2.0])
    assert NullSpaceFactorization(W, None, np.array([[0.0, 3.0]]), 1).regularize(0.0)
    maximum = NullSpaceFactorization(W, None, np.array([[3.0, 0.0]]), 1)
    assert not maximum.regularize(0.0) and not maximum.regularize(1.9) and maximum.regularize(2.1)


# Rank ----------------------------------------------------------------------------------------------------


def with_dependent_rows(system: System, noise: float = 0.0) -> System:
    """The system with two more equalities: a combination of the others, and one of them doubled."""
    combinations = np.array([[1.0, -2.0], [0.0, 2.0]])
    extra, right = combinations @ system.J[:2], combinations @ system.r_h[:2]
    if noise:
        extra = extra + noise * np.random.default_rng(9).normal(size=extra.shape)
    J = np.concatenate([system.J[:2], extra, system.J[2:]])
    return replace(system, J=J, equalities=4, r_h=np.concatenate([system.r_h[:2], right, system.r_h[2:]]))


@pytest.mark.parametrize("inequalities", [0, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_dependent_consistent_rows_are_solved(seed: int, inequalities: int) -> None:
    system = with_dependent_rows(random_system(seed, inequalities=inequalities))
    factorization, definite = system.factorized()
    assert definite and (factorization.rank, factorization.equalities) == (2, 4)
    dv, dy = factorization.solve(system.r_v, system.r_h)
    assert_solves(system, dv, dy)
    assert np.count_nonzero(dy[:4]) == 2  # zero on rows that depend on others
    # x does not depend on which rows are kept.
    independent = random_system(seed, inequalities=inequalities)
    expected = np.linalg.solve(independent.matrix(), np.concatenate([independent.r_v, independent.r_h]))
    np.testing.assert_allclose(dv, expected[: dv.size], rtol=1e-8, atol=1e-9)


def test_nearly_dependent_rows_are_dependent_at_rounding_and_independent_above() -> None:
    system = random_system(0)
    assert with_dependent_rows(system, noise=1e-13).factorized()[0].rank == 2
    nearly = with_dependent_rows(system, noise=1e-6).factorized()[0]
    assert nearly.rank == 4 and nearly.rank_margin < 1e-4


@pytest.mark.parametrize(
    ("A", "rank"),
    [
        (np.zeros((2, 3)), 0),
        (np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), 1),
        (np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]]), 2),
        (np.arange(12.0).reshape(4, 3), 2),
        (np.eye(3) * 1e-30, 3),
        (np.eye(3), 3),
    ],
)
def test_range_and_null_space(A: Vector, rank: int) -> None:
    basis = RangeNullSpace(A)
    assert basis.rank == rank == np.linalg.matrix_rank(A)
    Y, Z = basis.Y, basis.Z
    n = A.shape[1]
    assert Y.shape == (n, rank) and Z.shape == (n, n - rank)
    Q = np.concatenate([Y, Z], axis=1)
    np.testing.assert_allclose(Q.T @ Q, np.eye(n), atol=1e-14)
    np.testing.assert_allclose(A @ Z, 0.0, atol=1e-13 * np.abs(A).max())
    assert sorted(basis.pivots.tolist()) == list(range(A.shape[0]))
    assert np.linalg.matrix_rank(A[basis.pivots[:rank]]) == rank


def test_range_and_null_space_without_rows() -> None:
    basis = RangeNullSpace(np.empty((0, 3)))
    assert (basis.rank, basis.margin) == (0, np.inf)
    np.testing.assert_array_equal(basis.Z, np.eye(3))
    assert basis.Y.shape == (3, 0) and basis.multipliers(np.ones(3)).shape == (0,)


def test_margin_is_the_distance_to_losing_rank() -> None:
    assert RangeNullSpace(np.diag([4.0, 1.0, 2.0])).margin == pytest.approx(0.25)
    assert RangeNullSpace(np.array([[1.0, 0.0], [1.0, 1e-12]])).margin == pytest.approx(1.0)  # rank 1
    assert RangeNullSpace(np.zeros((1, 2))).margin == 0.0


def test_normal_coordinates_and_least_squares_multipliers() -> None:
    rng = np.random.default_rng(7)
    A = rng.normal(size=(3, 5))
    basis = RangeNullSpace(A)
    residual, gradient = rng.normal(size=3), rng.normal(size=5)
    np.testing.assert_allclose(A @ basis.Y @ basis.normal_coordinates(residual), residual, atol=1e-12)
    expected = np.linalg.lstsq(A.T, gradient, rcond=None)[0]
    np.testing.assert_allclose(basis.multipliers(gradient), expected, atol=1e-12)


# Large weights -------------------------------------------------------------------------------------------


# Eliminating weights of this size leaves W with relative errors of rounding times size; refining once squares them.
@pytest.mark.parametrize(("largest", "tolerance"), [(1e4, 1e-12), (1e8, 1e-11), (1e12, 1e-6)])
@pytest.mark.parametrize("seed", SEEDS)
def test_weights_of_active_bounds_and_slacks(seed: int, largest: float, tolerance: float) -> None:
    # Near a solution sigma = z / d is huge where a bound is active and tiny elsewhere.
    system = random_system(seed, n=6, equalities=2, inequalities=4)
    sigma = np.random.default_rng(100 + seed).uniform(0.5, 2.0, 10) / largest
    sigma[[0, 6, 8]] *= largest**2
    system = replace(system, sigma=sigma)
    factorization, definite = system.factorized()
    assert definite
    dv, dy = factorization.solve(system.r_v, system.r_h)
    assert_solves(system, dv, dy, tolerance=tolerance)


def test_one_step_of_refinement_gains_digits() -> None:
    losses = []
    for seed in range(20):
        system = random_system(seed, n=6, equalities=0, inequalities=4)
        system = replace(system, sigma=np.concatenate([np.full(6, 1e-3), np.full(4, 1e12)]))
        factorization, _ = system.factorized()
        right, matrix = np.concatenate([system.r_v, system.r_h]), system.matrix()
        once = np.concatenate(factorization._solve_once(system.r_v, system.r_h))
        refined = np.concatenate(factorization.solve(system.r_v, system.r_h))
        losses.append(np.abs(matrix @ once - right).max() / np.abs(matrix @ refined - right).max())
    assert np.median(losses) > 10.0
