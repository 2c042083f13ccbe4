"""What the site takes from outside this folder, and formulas as MathML, which browsers show without any script."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import NavigableString
from latex2mathml.converter import convert
from markdown.extensions.toc import nest_toc_tokens
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files
from mkdocs.structure.toc import TableOfContents, get_toc

import lagrange

logger = get_plugin_logger("formulas")
ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Pages that other parts of the repository write: {path in the site: file}.
BROUGHT_IN = {
    "benchmarks/hock_schittkowski.md": ROOT / "problems" / "benchmarks" / "hock_schittkowski.md",
    "benchmarks/validation.md": ROOT / "problems" / "VALIDATION.md",
}
FIRST_TABLE = re.compile(r"^<!-- first table of (\S+) -->$", re.MULTILINE)
CODE = re.compile(r"^( *)<!-- code of (\S+) -->$", re.MULTILINE)
MEMBERS = re.compile(r"^<!-- members of (\w+) -->$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)")
EXPONENT = re.compile(r"(\de)-(\d)")
VARIANTS = {"double-struck": "DOUBLE-STRUCK", "script": "SCRIPT", "bold": "BOLD", "fraktur": "FRAKTUR"}
REWRITTEN = {"{aligned}": "{split}", r"\bigl\|": r"\lVert ", r"\bigr\|": r"\rVert "}
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(?!\s)([^$]+?)(?<!\s)\$", re.DOTALL)
# What mkdocstrings writes for an attribute or a return value without a description: a dash and nothing.
NO_DESCRIPTION = re.compile(r"\s*–\s*(?:<div class=\"doc-md-description\">\s*</div>)?\s*</li>")
VERBATIM = {"code", "pre", "script", "style", "textarea", "math"}


def on_config(config: Any) -> Any:
    """Every notebook that exists, and every page brought in, gets its place in the navigation."""
    for entry in config.nav:
        if isinstance(entry, dict) and "Notebooks" in entry:
            entry["Notebooks"] = [{_title(path): f"notebooks/{path.name}"} for path in NOTEBOOKS]
    at = config.nav.index("benchmarks.md")
    config.nav[at] = {"Benchmarks": ["benchmarks.md", *(page for page, path in BROUGHT_IN.items() if path.exists())]}
    config.watch += [str(ROOT / "lagrange"), str(ROOT / "notebooks")]
    return config


def on_files(files: Files, config: Any) -> Files:
    """The files outside this folder."""
    for path in NOTEBOOKS:
        files.append(File(f"notebooks/{path.name}", str(ROOT), config.site_dir, config.use_directory_urls))
    for page, path in BROUGHT_IN.items():
        if path.exists():
            files.append(File.generated(config, page, content=_as_page(path.read_text(encoding="utf-8"))))
    return files


on_files.mkdocs_priority = 100  # before the plugin that renders notebooks looks for them


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """`<!-- first table of FILE -->`, `<!-- members of ENUMERATION -->` and `<!-- code of FILE -->` are replaced."""
    markdown = CODE.sub(lambda match: _code(ROOT / match[2], match[1]), markdown)
    markdown = FIRST_TABLE.sub(lambda match: _first_table(ROOT / match[1]), markdown)
    return MEMBERS.sub(lambda match: _members(match[1]), markdown)


def on_page_content(content: str, page: Any, config: Any, files: Files) -> str:
    """Formulas become MathML, in notebooks too; the script that would fetch a renderer is taken out."""
    if page.file.src_uri.endswith(".ipynb"):
        soup = _notebook(content)
        page.toc = _contents(soup)
        return str(soup)
    content = NO_DESCRIPTION.sub("</li>", content)
    if "arithmatex" not in content:
        return content
    soup = BeautifulSoup(content, "html.parser")
    for element in soup.select(".arithmatex"):
        source = element.get_text()
        element.clear()
        element.append(_mathml(source[2:-2], block=element.name == "div"))
    return str(soup)


def _notebook(content: str) -> BeautifulSoup:
    soup = BeautifulSoup(content, "html.parser")
    for script in soup.find_all("script"):
        if "mathjax" in (script.get("src") or "").lower() or "MathJax" in script.text:
            script.decompose()
    texts = [text for cell in soup.select(".jp-RenderedMarkdown") for text in cell.find_all(string=lambda s: "$" in s)]
    for text in texts:
        if any(parent.name in VERBATIM for parent in text.parents) or type(text) is not NavigableString:
            continue
        pieces: list[Any] = []
        end = 0
        for match in FORMULA.finditer(text):
            pieces += [text[end : match.start()], _mathml(match[1] or match[2], block=match[1] is not None)]
            end = match.end()
        text.replace_with(*pieces, text[end:])
    return soup


def _contents(soup: BeautifulSoup) -> TableOfContents:
    # The plugin that renders notebooks leaves the code in a heading out of its own list.
    tokens = []
    for heading in soup.select(".jp-RenderedMarkdown :is(h1, h2, h3)[id]"):
        words = heading.get_text().removesuffix("¶").strip()
        tokens.append({"level": int(heading.name[1]), "id": heading["id"], "name": html.escape(words)})
    return get_toc(nest_toc_tokens(tokens))


def _mathml(source: str, block: bool) -> Any:
    tex = html.unescape(source.strip())
    for unknown, known in REWRITTEN.items():
        tex = tex.replace(unknown, known)
    formula = BeautifulSoup(convert(tex, display="block" if block else "inline"), "html.parser")
    if re.search(r"[\\&]", formula.text):
        logger.warning(f"this formula has something that latex2mathml does not know: {source}")
    # Browsers know one variant, "normal": the others are letters of their own.
    for element in formula.find_all(mathvariant=True):
        kind = VARIANTS.get(element["mathvariant"])
        if kind is not None:
            element.string = "".join(_letter(kind, letter) for letter in element.text)
            del element["mathvariant"]
    return formula


def _letter(kind: str, letter: str) -> str:
    if not letter.isascii() or not letter.isalpha():
        return letter
    name = f"{kind} {'CAPITAL' if letter.isupper() else 'SMALL'} {letter.upper()}"
    for candidate in (f"MATHEMATICAL {name}", name):
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            continue
    return letter


def _title(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    first = "".join(cells[0]["source"]).splitlines()[0]
    return first.lstrip("# ").strip()


def _first_table(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith("|")), len(lines))
    return "\n".join(lines[start:end])


def _code(path: Path, indent: str) -> str:
    lines = ["```python", *path.read_text(encoding="utf-8").splitlines(), "```"]
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def _members(enumeration: str) -> str:
    rows = [f"| `{member.name}` | {member.label} | {member.advice} |" for member in getattr(lagrange, enumeration)]
    return "\n".join(["| member | `label` | `advice` |", "|---|---|---|", *rows])


def _as_page(markdown: str) -> str:
    """Links to files of the repository become their text, those are not pages; 1e-12 stays in one piece in tables."""
    lines = LINK.sub(lambda match: match[1], markdown).splitlines()
    return "\n".join(EXPONENT.sub("\\1\u2011\\2", line) if line.startswith("|") else line for line in lines)
