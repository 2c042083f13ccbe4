"""`python -m problems.validation` measures all differences and writes problems/VALIDATION.md (extras: test, bench).

python -m problems.validation --only tin_can      (prints the lines of one problem, writes nothing)
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from problems.validation import page
from problems.validation.measure import Row, measure, stories
from problems.validation.small_programs import PROGRAMS
from problems.validation.translated import Translated
from problems.validation.translated import measure as measure_program

PAGE = Path(__file__).parents[1] / "VALIDATION.md"
PACKAGES = ("numpy", "scipy", "jax", "cvxpy", "scs", "clarabel", "diffcp", "unopy")


def main(arguments: list[str]) -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog=page.COMMAND, description="Write the page on validation.")
    parser.add_argument("--only", nargs="+", choices=[*stories(), *PROGRAMS], metavar="PROBLEM")
    only = parser.parse_args(arguments).only
    missing = [name for name in PACKAGES if only is None and importlib.util.find_spec(name) is None]
    if missing:
        parser.error(f"the page needs {', '.join(missing)}: pip install -e '.[test,bench]'")
    rows: list[Row] = [measure(name) for name in stories() if only is None or name in only]
    programs: list[Translated] = [measure_program(name) for name in PROGRAMS if only is None or name in only]
    if only is None:
        PAGE.write_text(page.document(rows, programs, versions()), encoding="utf-8")
        return
    for columns in (page.SUMMARY, page.SECOND, page.DERIVATIVES, page.OWN, page.NONLINEAR):
        print(page.table(columns, rows), end="\n\n")
    print(page.table(page.SMALL, programs))


def versions() -> str:
    """What the page was written with."""
    return f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in PACKAGES)}."


if __name__ == "__main__":
    main(sys.argv[1:])
