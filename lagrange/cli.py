"""The command `lagrange`: solve or check a problem that stands in a Python file, or report on its solution."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import runpy
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from lagrange.derivatives.evaluation import DerivativeWarning
from lagrange.model.named_pytree import layout_of
from lagrange.model.settings import Settings
from lagrange.problem import Problem

SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130  # exit codes; the last as shells have it

DESCRIPTION = "Solve constrained optimization problems and verify the answers."
EPILOG = """\
FILE is a Python file that defines

    problem   a lagrange.Problem
    x0        where to start
    p         the parameters, if the problem has any

example:

    lagrange solve tin_can.py --set volume=400

exit codes: 0 success, 1 no verified answer (check: something to look at), 2 bad input
"""
# The name that a problem file sees as its own: that of no other module, whatever the file is called.
MODULE_NAME = "__lagrange_problem_file__"


class BadInput(Exception):
    """What the user has to change, in words."""


@dataclass(frozen=True)
class ProblemFile:
    """What a problem file defines."""

    problem: Problem
    x0: Any
    p: Any


def main(argv: list[str] | None = None) -> int:
    """Run the command with these arguments (default: those of the process).

    Returns
    -------
    int
        0 for success, 1 where the solve failed or the check found something, 2 for bad input.
    """
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = functools.partial(_show_warning, warnings.showwarning)
            code: int = arguments.run(arguments)
    except BadInput as error:
        print(f"lagrange: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("lagrange: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


def solve(arguments: argparse.Namespace) -> int:
    """`lagrange solve`: solve and print the solution, as tables or as JSON."""
    # With --json the standard output is for the record alone: what is printed on the way goes elsewhere.
    output = sys.stderr if arguments.json else sys.stdout
    with contextlib.redirect_stdout(output), _defined_in(arguments.file) as given, _explained(arguments.file):
        solution = given.problem.solve(
            given.x0,
            with_values(given.p, arguments.set),
            tol=arguments.tol,
            max_iterations=arguments.max_iterations,
            time_limit=arguments.time_limit,
            verbose=arguments.verbose,
        )
    if arguments.json:
        from lagrange.report.tables import record

        print(json.dumps(record(solution), indent=2, allow_nan=False))
    else:
        from rich.console import Console

        from lagrange.report.text import print_solution

        if arguments.verbose:
            print()
        print_solution(solution, Console())
    return SUCCESS if solution.success else FAILURE


def report(arguments: argparse.Namespace) -> int:
    """`lagrange report`: solve and write a report."""
    from lagrange.report.rendering import RENDERERS, write_report
    from lagrange.report.tables import headline

    output = arguments.output or Path(f"{arguments.file.stem}.html")
    if output.suffix.lower() not in RENDERERS:
        raise BadInput(f"-o {output}: a report is a file that ends in {', '.join(RENDERERS)}")
    if not output.parent.is_dir():
        raise BadInput(f"-o {output}: there is no folder {output.parent}")
    with _defined_in(arguments.file) as given, _explained(arguments.file):
        solution = given.problem.solve(
            given.x0,
            with_values(given.p, arguments.set),
            tol=arguments.tol,
            max_iterations=arguments.max_iterations,
            time_limit=arguments.time_limit,
        )
        write_report(solution, output, arguments.title or arguments.file.stem.replace("_", " "))
    print(f"{output}: {headline(solution)}")
    return SUCCESS if solution.success else FAILURE


def check(arguments: argparse.Namespace) -> int:
    """`lagrange check`: look at the problem at x0 without solving it."""
    with _defined_in(arguments.file) as given, _explained(arguments.file):
        p = with_values(given.p, arguments.set)
        findings = given.problem.preflight(given.x0, p)
    print(findings)
    return SUCCESS if findings.ok else FAILURE


def with_values(p: Any, assignments: Sequence[str]) -> Any:
    """The parameters p with values set as on the command line: "volume=400", "price[2]=7", "price=7".

    A name stands for itself and for everything inside it.

    Raises
    ------
    BadInput
        For an unknown name, with the names there are, and for a value that is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> p = {"price": np.array([1.0, 2.0, 3.0]), "volume": np.array([330.0])}
    >>> with_values(p, ["volume=400", "price=5", "price[2]=7"])
    {'price': array([5., 5., 7.]), 'volume': array([400.])}
    """
    if not assignments:
        return p
    if p is None:
        raise BadInput("--set: the file defines no parameters p")
    layout = layout_of(p, "p")
    names, values = layout.names(), layout.flatten(p, "p")
    for assignment in assignments:
        name, _, text = (part.strip() for part in assignment.rpartition("="))
        if not name:
            raise BadInput(f"--set {assignment}: write NAME=VALUE, for example --set {names[0]}=1")
        try:
            value = float(text)
        except ValueError:
            raise BadInput(f"--set {assignment}: {text!r} is not a number") from None
        places = [i for i, full in enumerate(names) if full == name or full.startswith((f"{name}.", f"{name}["))]
        if not places:
            raise BadInput(f"--set {assignment}: there is no parameter {name!r}; there are {', '.join(names)}")
        values[places] = value
    return layout.unflatten(values)


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("lagrange", description=DESCRIPTION, epilog=EPILOG, formatter_class=style)
    parser.add_argument("--version", action="version", version=f"lagrange {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    solving = commands.add_parser("solve", help="solve the problem in FILE and print the solution")
    solving.set_defaults(run=solve)
    solving.add_argument("file", type=Path, metavar="FILE", help="Python file that defines problem, x0 and p")
    _add_set(solving)
    _add_settings(solving)
    solving.add_argument(
        "--verbose", type=int, default=Settings.verbose, metavar="N", help="print every N-th iteration"
    )
    solving.add_argument("--json", action="store_true", help="print the solution as JSON")

    reporting = commands.add_parser("report", help="solve the problem in FILE and write a report")
    reporting.set_defaults(run=report)
    reporting.add_argument("file", type=Path, metavar="FILE", help="Python file that defines problem, x0 and p")
    reporting.add_argument(
        "-o", "--output", type=Path, metavar="REPORT", help="ends in .html, .md, .txt or .json (default: .html, here)"
    )
    reporting.add_argument("--title", help="(default the name of FILE)")
    _add_set(reporting)
    _add_settings(reporting)

    checking = commands.add_parser("check", help="look at the problem in FILE without solving it")
    checking.set_defaults(run=check)
    checking.add_argument("file", type=Path, metavar="FILE", help="Python file that defines problem, x0 and p")
    _add_set(checking)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tol", type=float, default=Settings.tol, help="relative tolerance (default %(default)g)")
    parser.add_argument(
        "--max-iterations",
        type=int,
        default=Settings.max_iterations,
        metavar="N",
        help="(default %(default)d)",
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="(default none)")


def _version() -> str:
    try:
        return metadata.version("lagrange")
    except metadata.PackageNotFoundError:
        return "(not installed: run from its source)"


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter: volume=400, price[2]=7, or price=7 for all of price; may be repeated",
    )


@contextlib.contextmanager
def _defined_in(file: Path) -> Iterator[ProblemFile]:
    """What the file defines, while its folder is importable as it is for `python FILE`."""
    if not file.is_file():
        raise BadInput(f"there is no file {file}")
    with _importable(file.resolve().parent):
        with _explained(file, is_loading=True):
            defined = runpy.run_path(str(file.resolve()), run_name=MODULE_NAME)
        missing = [name for name in ("problem", "x0") if name not in defined]
        if missing:
            raise BadInput(f"{file} defines no {' and no '.join(missing)}")
        problem = defined["problem"]
        if not isinstance(problem, Problem):
            raise BadInput(f"problem in {file} must be a lagrange.Problem, got {type(problem).__name__}")
        yield ProblemFile(problem, defined["x0"], defined.get("p"))


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in the folder can be imported inside this context, and are forgotten after it."""
    search_path, known = list(sys.path), {_root(name) for name in sys.modules}
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = search_path
        new_roots = {_root(name) for name in sys.modules} - known
        local = {root for root in new_roots if _is_in(sys.modules.get(root), folder)}
        for name in [name for name in sys.modules if _root(name) in local]:
            del sys.modules[name]


def _root(module_name: str) -> str:
    return module_name.partition(".")[0]


def _is_in(module: ModuleType | None, folder: Path) -> bool:
    """Whether a module or package lies directly in the folder."""
    file = Path(getattr(module, "__file__", None) or "")
    return (file.parent.parent if file.name == "__init__.py" else file.parent) == folder


@contextlib.contextmanager
def _explained(file: Path, is_loading: bool = False) -> Iterator[None]:
    """Turn errors of the file and of what it asks for into `BadInput` that shows the file's own line.

    An error that is neither the file's nor a complaint of this package about its input passes unchanged: it
    is a mistake of this package, and its traceback is needed.
    """
    try:
        yield
    except BadInput:
        raise
    except (Exception, SystemExit) as error:
        place = _place(file, error)
        what = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
        notes = getattr(error, "__notes__", [])
        if place is not None:
            number, line = place
            lines = [f"{file}, line {number}: {what}", f"    {line.strip()}", *notes]
        elif is_loading:
            lines = [f"{file}: {what}", *notes]
        elif isinstance(error, (TypeError, ValueError)):
            lines = [str(error), *notes]
        else:
            raise
        raise BadInput("\n".join(lines)) from None


def _place(file: Path, error: BaseException) -> tuple[int, str] | None:
    """Number and text of the line of the file at which the error came up, None where it has no part in it."""
    path = str(file.resolve())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if frames:
        return frames[-1].lineno or 0, frames[-1].line or ""
    if isinstance(error, SyntaxError) and error.filename == path and error.lineno is not None:
        return error.lineno, error.text or ""
    return None


def _show_warning(show_other: Callable[..., None], message: Warning | str, *details: Any) -> None:
    """A `DerivativeWarning` in its own words only: the line of this package that gave it adds nothing."""
    if isinstance(message, DerivativeWarning):
        print(f"lagrange: warning: {message}", file=sys.stderr)
    else:
        show_other(message, *details)
