"""The house of the design: a file imports only from floors below, its import is light, and nothing global changes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lagrange"
TOP = 11  # lagrange/__init__.py: the public names, above every floor

FLOORS = {
    "model": 0,
    "derivatives": 1,
    "kkt": 2,
    "implicit": 3,
    "newton": 4,
    "solve": 5,
    "landing": 5,
    "feasible_solve": 5,
    "result": 5,
    "verdict": 5,
    "blame": 5,
    "kinks": 5,
    "remedies": 5,
    "preflight": 5,
    "preflight_record": 5,
    "sensitivity": 7,
    "optimality": 6,
    "report": 8,
    "problem": 9,
    "solution": 9,
    "cli": 10,
    "interfaces": 10,
}
"""The floor of every folder, and of every file of the top folder."""


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def room(module: str) -> str:
    """The folder of a module, or its own name in the top folder."""
    return module.split(".")[1] if "." in module else ""


def floor(module: str) -> int:
    return FLOORS[room(module)] if "." in module else TOP


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules of the package that the code imports, inside functions too, but not those for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in node.orelse:
                yield from imports(ast.Module([other], []))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "lagrange")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute in this package"
            if node.module and node.module.split(".")[0] == "lagrange":
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield inner if inner in FILES else node.module
        else:
            yield from imports(node)


IMPORTS = {module: sorted(set(imports(ast.parse(file.read_text())))) for module, file in FILES.items()}


def violations(imported: dict[str, list[str]]) -> list[str]:
    """Imports that lead up, or sideways into another room."""
    return [
        f"{module} (floor {floor(module)}) imports {other} (floor {floor(other)})"
        for module, others in imported.items()
        for other in others
        if not (floor(other) < floor(module) or same_room(module, other))
    ]


def same_room(module: str, other: str) -> bool:
    both_on_top = all(name.count(".") == 1 and FILES[name].name != "__init__.py" for name in (module, other))
    return floor(module) == floor(other) and (both_on_top or room(module) == room(other))


def test_every_file_has_a_floor() -> None:
    assert {room(module) for module in FILES if "." in module} <= set(FLOORS)
    assert len(FILES) > 40


def test_files_import_from_floors_below_or_from_their_own_room() -> None:
    assert violations(IMPORTS) == []


def test_there_are_no_cycles() -> None:
    try:
        TopologicalSorter({module: set(others) - {module} for module, others in IMPORTS.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle of imports: {' -> '.join(error.args[1])}")
    assert not any(module in others for module, others in IMPORTS.items())


def test_nothing_below_imports_a_door() -> None:
    doors = {"lagrange", "lagrange.problem", "lagrange.solution", "lagrange.cli", "lagrange.interfaces.minimize"}
    for module, others in IMPORTS.items():
        if floor(module) < FLOORS["problem"]:
            assert not doors & set(others), module


def test_the_enforcement_sees_an_import_upward_and_one_sideways() -> None:
    assert violations({"lagrange.model.program": ["lagrange.kkt.residuals"]})
    assert violations({"lagrange.newton.filter": ["lagrange.solve"]})
    assert violations({"lagrange.cli": ["lagrange.interfaces.minimize"]})
    assert violations({"lagrange.kkt.residuals": ["lagrange"]})
    assert not violations({"lagrange.newton.filter": ["lagrange.newton.barrier", "lagrange.model.program"]})
    assert not violations({"lagrange.solve": ["lagrange.verdict"]})


def test_the_reader_sees_imports_in_functions_and_not_those_for_type_checkers() -> None:
    code = """
from typing import TYPE_CHECKING
import lagrange.solve
from lagrange.kkt import residuals
if TYPE_CHECKING:
    from lagrange.problem import Problem
else:
    import lagrange.result
def late():
    try:
        from lagrange.report.text import solution_text
    finally:
        pass
"""
    assert set(imports(ast.parse(code))) == {
        "lagrange.solve", "lagrange.kkt.residuals", "lagrange.result", "lagrange.report.text",
    }  # fmt: skip


# A light import, and no global setting changed -----------------------------------------------------------


def run(script: str) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_import_is_light() -> None:
    # JAX costs about half a second and waits for the first solve; rich and matplotlib for the first report.
    run("""
import sys
import lagrange
heavy = {"jax", "jaxlib", "matplotlib", "rich", "cvxpy", "pandas"} & set(sys.modules)
assert not heavy, heavy
""")


def test_no_global_setting_changes() -> None:
    run("""
import warnings

import jax
import jax.numpy as jnp
import numpy as np


def settings():
    return (
        dict(jax.config.values),
        jnp.ones(1).dtype,
        np.geterr(),
        np.get_printoptions(),
        list(warnings.filters),
        np.random.get_state()[1].tolist(),
    )


before = settings()
import lagrange as lg

assert settings() == before
problem = lg.Problem(
    lambda x, p: p * (x @ x) + np.exp(x[0]),
    {"product": lg.at_least(lambda x: x[0] * x[1], 1.0)},
    bounds=(0.0, 10.0),
)
solution = problem.solve([3.0, 0.1], 1.0)
assert solution.success
str(solution)
problem.preflight([3.0, 0.1], 1.0)
lg.check_derivatives(problem, [3.0, 0.1], 1.0)
assert settings() == before
""")
