"""The documentation is true: its code runs and prints what it says, every public name is in it, and the site builds.

`python tests/test_documentation.py` writes what the code prints into the pages, and the figures it saves into assets.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import pytest

import lagrange as lg

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "reference" not in page.parts)
# A block of code, and after it, with nothing between, the block of what it prints.
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
COLUMNS, WIDEST = "96", 110  # tables are as wide as the terminal; sentences may be wider
COMMAND = "lagrange "  # bash blocks that begin so are run; others install

# Numbers agree to these; residuals, times and counts of iterations are those of one machine.
RELATIVE, ABSOLUTE = 1e-4, 1e-6
NUMBER = re.compile(r"[-+−]?(?<![\w.])\d+\.?\d*(?:e[-+]?\d+)?")
MACHINE = (
    (re.compile(r"\d+ iterations?"), "N iterations"),
    (re.compile(r"\d+ function and \d+ derivative evaluations"), "N evaluations"),
    (re.compile(r"\S+ s$", re.MULTILINE), "T s"),
    (re.compile(r"-{3,}"), "---"),
    (re.compile(r"[^\S\n]+"), " "),
    (re.compile(r"\s*\n\s*"), "\n"),
)


@dataclass(frozen=True)
class Example:
    """One block of code of a page and what the page says that it prints."""

    language: str
    code: str
    output: str
    line: int


def examples(text: str) -> list[Example]:
    return [
        Example(match[1], match[2], match[3] or "", text.count("\n", 0, match.start()) + 1)
        for match in BLOCK.finditer(text)
    ]


def run(example: Example, page: Path, namespace: dict[str, Any]) -> str:
    """What the example prints. Lines of a page are lines of the traceback."""
    printed = io.StringIO()
    if example.language == "bash":
        from lagrange.cli import main

        for line in example.code.splitlines():
            if line.startswith(COMMAND):
                with contextlib.redirect_stdout(printed):
                    main([str(ROOT / word) if word.startswith("problems/") else word for word in line.split()[1:]])
        return printed.getvalue()
    code = compile("\n" * example.line + example.code, str(page), "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


@contextlib.contextmanager
def module_of(page: Path) -> Iterator[dict[str, Any]]:
    """A namespace in which functions are found by their module, as in a file; what a page sets in JAX ends with it."""
    module = ModuleType(f"documentation_{page.stem}")
    sys.modules[module.__name__] = module
    precise = jax.config.jax_enable_x64
    try:
        yield module.__dict__
    finally:
        jax.config.update("jax_enable_x64", precise)
        del sys.modules[module.__name__]


def normal(text: str) -> str:
    for pattern, replacement in MACHINE:
        text = pattern.sub(replacement, text)
    return text.strip()


def agree(said: str, printed: str) -> bool:
    """The same words, and numbers within tolerance."""
    said, printed = normal(said), normal(printed)
    if NUMBER.sub("#", said) != NUMBER.sub("#", printed):
        return False
    pairs = zip(NUMBER.findall(said), NUMBER.findall(printed), strict=True)
    return all(
        abs(a - b) <= ABSOLUTE + RELATIVE * abs(b)
        for a, b in ((float(one.replace("−", "-")), float(other.replace("−", "-"))) for one, other in pairs)
    )


def shown(printed: str) -> str:
    """Output as a page shows it: long sentences are wrapped, tables are not."""
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    is_table = ["  " in line.strip() for line in lines]
    return "\n".join(
        line if table else textwrap.fill(line, WIDEST, break_long_words=False, break_on_hyphens=False)
        for line, table in zip(lines, is_table, strict=True)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_examples_print_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("COLUMNS", COLUMNS)
    with module_of(page) as namespace:
        for example in examples(page.read_text(encoding="utf-8")):
            printed = shown(run(example, page, namespace))
            assert agree(example.output, printed), (
                f"{page.relative_to(ROOT)}, line {example.line}, prints\n{printed}\ninstead of\n{example.output}\n"
                f"If that is right, `python tests/test_documentation.py` writes it."
            )


def test_there_are_examples() -> None:
    assert sum(len(examples(page.read_text(encoding="utf-8"))) for page in PAGES) > 40


def test_agree_sees_words_and_numbers() -> None:
    assert agree("x  1.00000  after 5 iterations", "x 1.000001 after 7 iterations")
    assert not agree("x 1.0", "x 1.1") and not agree("x 1.0", "y 1.0") and not agree("", "x")


def test_every_public_name_is_in_the_reference() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    documented = set(re.findall(r"^::: lagrange(?:\.[\w.]+)?\.(\w+)$", text, re.MULTILINE))
    assert set(lg.__all__) - documented == set()


def _signs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("signs", DOCS / "signs.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")  # trust-constr, on linear functions
def test_the_table_of_signs_is_what_the_tools_return() -> None:
    signs = _signs()
    page = (DOCS / "theory.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in page.splitlines() if "|" in line]
    table = {row[0]: row[1 : 1 + len(signs.CASES)] for row in rows}
    for name, row in {"**the price**": signs.TRUTH, **signs.installed()}.items():
        assert table[name] == [signs.number(value) for value in row], name


def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    missing = [
        name
        for name in ("mkdocs", "material", "mkdocstrings_handlers", "mkdocs_jupyter", "latex2mathml")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (extra docs)")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    site = tmp_path / "site"
    assert (site / "index.html").exists()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert (site / "notebooks" / f"{notebook.stem}.html").exists(), notebook.name
    theory = (site / "theory.html").read_text(encoding="utf-8")
    assert "<math" in theory and "$$" not in theory
    assert "scipy_trust_constr" in theory, "the script that computes the table of signs"
    for page in site.rglob("*.html"):
        assert _dead_anchors(page.read_text(encoding="utf-8")) == set(), page.name


def _dead_anchors(page: str) -> set[str]:
    """Places that a page links to in itself and that are not there."""
    return set(re.findall(r'href="#([^"]+)"', page)) - set(re.findall(r'\bid="([^"]+)"', page))


def write() -> None:
    """Put what the examples print into the pages, and the figures that they save into assets."""
    os.environ |= {"MPLBACKEND": "Agg", "COLUMNS": COLUMNS}
    wanted = set(sys.argv[1:])
    for page in PAGES:
        if wanted and page.stem not in wanted:
            continue
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), module_of(page) as namespace:
            outputs = [shown(run(example, page, namespace)) for example in examples(text)]
            for figure in Path(folder).glob("*.png"):
                if f"assets/{figure.name}" in text:
                    shutil.copy(figure, DOCS / "assets" / figure.name)
        following = iter(outputs)

        def filled(match: re.Match[str], following: Iterator[str] = following) -> str:
            printed, language, code = next(following), match[1], match[2]
            if agree(match[3] or "", printed):
                return match[0]  # what differs is the machine's
            output = f"\n```text\n{printed}\n```\n" if printed else ""
            return f"```{language}\n{code}```\n{output}"

        new = BLOCK.sub(filled, text)
        if new != text:
            page.write_text(new, encoding="utf-8")
            print("wrote", page.relative_to(ROOT))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    write()
