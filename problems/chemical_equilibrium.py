"""Chemical equilibrium: what is in the flame of burning hydrazine?

Half a mole of hydrazine and half a mole of oxygen (N2H4 + O2) burn at 3500 K and 750 psi. Ten species
can form; the mixture settles where its Gibbs free energy is smallest, and no atom is lost:

    minimize    sum n_j (g_j + log(n_j / sum n))      [free energy / RT, so in moles]
    subject to  2 mol H, 1 mol N, 1 mol O             [moles of atoms, three equations]
                n >= 1e-6                             [moles]

g_j is the species' free energy (with the pressure's part) over RT. The multipliers are the elements'
chemical potentials over RT, with the sign turned. Source: W. B. White, S. M. Johnson and G. B. Dantzig,
"Chemical equilibrium in complex mixtures", The Journal of Chemical Physics 28 (1958), 751-755; it is
problem 112 of Hock and Schittkowski (1981), with the best known value -47.76109. Known answer: the
conditions n_j = N exp(-g_j - a_j . y) leave four unknowns, three multipliers and the total number of
moles N, found here by a root finder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import root

import lagrange as lg

if TYPE_CHECKING:
    from problems.cvxpy_model import CvxpyModel

SPECIES = ("H", "H2", "H2O", "N", "N2", "NH", "NO", "O", "O2", "OH")
FREE_ENERGY = np.array([-6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.100, -10.708, -26.662, -22.179])
ATOMS = {
    "hydrogen": np.array([1, 2, 2, 0, 0, 1, 0, 0, 0, 1]),
    "nitrogen": np.array([0, 0, 0, 1, 2, 1, 1, 0, 0, 0]),
    "oxygen": np.array([0, 0, 1, 0, 0, 0, 1, 1, 2, 1]),
}
SMALLEST_AMOUNT = 1e-6  # moles; keeps the logarithm finite and is never reached


def moles(x: dict[str, Any]) -> Any:
    """The amounts as one array, in the order of SPECIES."""
    return np.array([x[name] for name in SPECIES])


def free_energy(x: dict[str, Any]) -> Any:
    """Gibbs free energy of the mixture over RT."""
    n = moles(x)
    return np.sum(n * (FREE_ENERGY + np.log(n / np.sum(n))))


def atoms_of(element: str) -> Callable[[dict[str, Any]], Any]:
    """The function that counts one element's atoms in the mixture [mol]."""
    return lambda x: ATOMS[element] @ moles(x)


problem = lg.Problem(
    minimize=free_energy,
    subject_to={
        "hydrogen": lg.equals(atoms_of("hydrogen"), lambda p: p["hydrogen"]),
        "nitrogen": lg.equals(atoms_of("nitrogen"), lambda p: p["nitrogen"]),
        "oxygen": lg.equals(atoms_of("oxygen"), lambda p: p["oxygen"]),
    },
    bounds=(SMALLEST_AMOUNT, None),
    describe={
        "objective": "Gibbs free energy over RT [mol]",
        **dict.fromkeys(SPECIES, "[mol]"),
        **{element: f"atoms of {element} [mol]" for element in ATOMS},
    },
)
x0 = dict.fromkeys(SPECIES, 0.1)
p = {"hydrogen": 2.0, "nitrogen": 1.0, "oxygen": 1.0}


def _equilibrium(p: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Moles of every species, and the three multipliers, from the four equations of the mass action law."""
    counts = np.vstack(list(ATOMS.values()))
    amounts = np.array([p[element] for element in ATOMS])

    def residual(unknowns: np.ndarray) -> np.ndarray:
        fractions = np.exp(-FREE_ENERGY - counts.T @ unknowns[:3])
        return np.append(np.exp(unknowns[3]) * counts @ fractions - amounts, np.sum(fractions) - 1)

    # All species equally frequent is a fair first guess of the potentials.
    guess = np.linalg.lstsq(counts.T, -FREE_ENERGY + np.log(len(SPECIES)), rcond=None)[0]
    unknowns = root(residual, np.append(guess, 0.0), tol=1e-14).x
    return np.exp(unknowns[3] - FREE_ENERGY - counts.T @ unknowns[:3]), unknowns[:3]


def known_x(p: dict[str, Any]) -> dict[str, Any]:
    """Moles by species."""
    return dict(zip(SPECIES, _equilibrium(p)[0], strict=True))


def known_objective(p: dict[str, Any]) -> float:
    """Minus the potentials times the atoms: the mixture's free energy is that of its elements."""
    return -float(sum(p[element] * y for element, y in zip(ATOMS, _equilibrium(p)[1], strict=True)))


def known_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Minus the elements' chemical potentials over RT."""
    return dict(zip(ATOMS, _equilibrium(p)[1], strict=True))


def known_bound_multipliers(p: dict[str, Any]) -> dict[str, Any]:
    """Every species is there."""
    return dict.fromkeys(SPECIES, 0.0)


def cvxpy_model(p: dict[str, Any]) -> CvxpyModel:
    """A relative entropy program, said directly; the entropy itself keeps the amounts positive."""
    import cvxpy as cp

    from problems.cvxpy_model import CvxpyModel

    n = cp.Variable(len(SPECIES))
    constraints = {element: counts @ n == p[element] for element, counts in ATOMS.items()}
    energy = FREE_ENERGY @ n + cp.sum(cp.rel_entr(n, cp.sum(n) * np.ones(len(SPECIES))))
    model = cp.Problem(cp.Minimize(energy), list(constraints.values()))
    return CvxpyModel(model, {name: n[j] for j, name in enumerate(SPECIES)}, constraints, bounds={})
