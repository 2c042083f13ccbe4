"""Reports: every format of every kind of solution, markup that stays text, and the page in a real browser."""

from __future__ import annotations

import functools
import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import lagrange as lg
import lagrange.report as report_package
from lagrange.cli import main
from lagrange.report.gathering import gather
from lagrange.report.rendering import escaped_markdown, record
from lagrange.report.text import printable
from problems import economic_dispatch, tin_can

SCRIPT, IMAGE, BOLD = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    '_"><b onmouseover=alert(1)>\n|',
)


def can() -> lg.Solution:
    """The tin can, with units."""
    problem = lg.Problem(
        minimize=tin_can.area,
        subject_to={
            "volume": lg.equals(tin_can.volume, lambda p: p["volume"]),
            "shelf": lg.at_most(lambda x, p: x["height"], tin_can.SHELF),
        },
        bounds={"radius": (0, None), "height": (0, None)},
        describe={
            "objective": "sheet metal [cm^2]",
            "radius": "radius of the can [cm]",
            "height": "height of the can [cm]",
            "volume": "what the can holds [cm^3]",
            "shelf": "height of the can under the shelf [cm]",
        },
    )
    return problem.solve(tin_can.x0, tin_can.p)


def dispatch() -> lg.Solution:
    """Three parameters, nested; one variable at its bound."""
    return economic_dispatch.problem.solve(economic_dispatch.x0, economic_dispatch.p)


def kink() -> lg.Solution:
    """max(p, 0) at p = 0: an active bound with a multiplier of zero."""
    problem = lg.Problem(minimize=lambda x, p: (x[0] - p) ** 2 + x[1] ** 2, bounds=(0.0, None))
    return problem.solve([1.0, 1.0], 0.0)


def dependent() -> lg.Solution:
    """The same equation twice."""
    subject_to = {
        "once": lg.equals(lambda x: x.sum(), lambda p: p["total"]),
        "twice": lg.equals(lambda x: 2 * x.sum(), lambda p: 2 * p["total"]),
    }
    return lg.Problem(minimize=lambda x: x @ x, subject_to=subject_to).solve([0.3, 0.1], {"total": 1.0})


def two_limits() -> lg.Solution:
    """The same limit twice: the price of each depends on the side."""
    subject_to = {"one": lg.at_most(lambda x: x[0], 1.0), "two": lg.at_most(lambda x: 2 * x[0], lambda p: p)}
    return lg.Problem(minimize=lambda x: (x[0] - 2) ** 2, subject_to=subject_to).solve([0.0], 2.0)


def infeasible() -> lg.Solution:
    """The unit disk against a + b >= 3."""
    subject_to = {
        "disk": lg.at_most(lambda x: x["a"] ** 2 + x["b"] ** 2, 1.0),
        "far": lg.at_least(lambda x: x["a"] + x["b"], lambda p: p["far"]),
    }
    return lg.Problem(minimize=lambda x: x["a"], subject_to=subject_to).solve({"a": 0.3, "b": 0.2}, {"far": 3.0})


def not_finite() -> lg.Solution:
    """The objective is nan at the start."""
    subject_to = {"row": lg.at_most(lambda x: x[0], 1.0)}
    return lg.Problem(minimize=lambda x: np.log(x[0]), subject_to=subject_to).solve([-1.0])


def flat() -> lg.Solution:
    """A valley of minima: nothing is differentiable."""
    return lg.Problem(minimize=lambda x, p: (x[0] + x[1] - p) ** 2).solve([1.0, 0.0], 1.0)


def no_parameters() -> lg.Solution:
    """One limit, no parameters."""
    subject_to = {"line": lg.at_most(lambda x: x[0] + x[1], 1.0)}
    return lg.Problem(minimize=lambda x: (x[0] - 2) ** 2 + x[1] ** 2, subject_to=subject_to).solve([0.0, 0.0])


def no_constraints() -> lg.Solution:
    """Arrays x and p, maximized."""
    return lg.Problem(maximize=lambda x, p: -(x - p) @ (x - p)).solve(np.zeros(3), np.array([1.0, 2.0, -3.0]))


def hostile() -> lg.Solution:
    """Names and texts that would be markup."""
    problem = lg.Problem(
        minimize=lambda x, p: (x[SCRIPT] - p[IMAGE]) ** 2 + x["$a_b$"] ** 2,
        subject_to={BOLD: lg.at_most(lambda x: x[SCRIPT] + x["$a_b$"], 1.0)},
        describe={SCRIPT: f"text {SCRIPT} & 'q' [<u>]", "objective": "a `b` [</title>]"},
    )
    return problem.solve({SCRIPT: 0.0, "$a_b$": 0.0}, {IMAGE: 2.0})


CASES = (
    can, dispatch, kink, dependent, two_limits, infeasible, not_finite, flat, no_parameters, no_constraints, hostile,
)  # fmt: skip


@functools.cache
def solved(case: Callable[[], lg.Solution]) -> lg.Solution:
    return case()


ENDINGS = ("html", "md", "txt", "json")
SHOWN: dict[str, Callable[[str], str]] = {
    "html": lambda name: html.escape(printable(name)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "md": escaped_markdown,
    "txt": printable,
    "json": lambda name: json.dumps(name, ensure_ascii=False)[1:-1],
}
"""How a name looks in each format."""


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """written(case, ending): the text of its report, made once."""
    folder = tmp_path_factory.mktemp("reports")

    @functools.cache
    def write(case: Callable[[], lg.Solution], ending: str) -> str:
        return solved(case).report(folder / f"{case.__name__}.{ending}").read_text(encoding="utf-8")

    return write


# Every format of every case ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_every_format_has_every_name_and_the_page_is_sound(
    written: Callable[..., str], case: Callable[[], lg.Solution]
) -> None:
    program = solved(case).result.program
    for ending in ENDINGS:
        text = written(case, ending)
        for name in [*program.variable_names, *program.row_names, *program.parameters.names()]:
            assert SHOWN[ending](name) in text, (ending, name)
    for question in (
        "The answer",
        "Variables",
        "Constraints",
        "Can it be trusted?",
        "Multipliers",
        "How did it get there?",
    ):
        assert all(question in written(case, ending) for ending in ("html", "md", "txt")), question
    check_page(written(case, "html"))


def test_the_order_is_that_of_the_questions(written: Callable[..., str]) -> None:
    titles = (
        "The answer", "Variables", "Constraints", "Can it be trusted?", "Multipliers", "What if a parameter moves?",
        "What moves what? Elasticities", "Which parameters matter most?", "Value against each parameter",
        "Are the predictions true?", "How did it get there?", "How it was computed",
    )  # fmt: skip
    for ending, mark in (("html", "<h2[^>]*>{}</h2>"), ("md", "## {}\n"), ("txt", "\n{}\n---")):
        places = [re.search(mark.format(re.escape(title)), written(can, ending)) for title in titles]
        starts = [place.start() if place else -1 for place in places]
        assert -1 not in starts and starts == sorted(starts), ending


def test_prices_stand_in_words_and_units(written: Callable[..., str]) -> None:
    for ending in ("html", "md", "txt"):
        assert "One more cm³ of volume costs 0.534054 cm²." in written(can, ending)
    text = written(can, "txt")
    assert "The upper limit of shelf costs nothing as long as it stays above 7.48988 cm." in text
    assert "up to 1357.17 cm³ (shelf becomes active)" in text.replace("\n", " ")
    assert "The smallest sheet metal found is 264.357 cm²" in text
    assert "Raising the upper bound of coal by 1 MW saves 0.562465 $/h." in written(dispatch, "txt")
    assert "One more MW of demand costs 8.57607 $/h." in written(dispatch, "txt")


def test_where_prices_differ_from_side_to_side_both_are_told(written: Callable[..., str]) -> None:
    text = written(two_limits, "txt").replace("\n", " ")
    assert "Raising the upper limit of one by 1 changes nothing; lowering it by 1 raises the objective by 2." in text
    assert "they form a set of dimension 1" in text and "two = 2 one" in text
    assert "makes the problem infeasible; one unit less makes the problem infeasible" in written(dependent, "txt")


def test_a_kink_is_told(written: Callable[..., str]) -> None:
    text = written(kink, "txt").replace("\n", " ")
    assert "How the solution moves: one-sided." in text
    assert "p: there is a kink here: lower bound of x[0] is active below only; on either side" in text


def test_a_failure_names_the_conflict_and_its_repair(written: Callable[..., str]) -> None:
    text = written(infeasible, "txt").replace("\n", " ")
    assert "No point nearby satisfies disk, far together" in text
    assert "-1.58579" in text and "Multipliers" in text
    assert "How the solution moves is undefined" in text and "Elasticities" not in text
    assert "no verified answer" in written(infeasible, "html")
    assert "is nan at x0" in written(not_finite, "txt")


def test_what_there_is_not_is_said(written: Callable[..., str]) -> None:
    assert "The problem has no parameters." in written(no_parameters, "txt")
    assert "no constraints besides bounds" in written(no_constraints, "txt")
    assert "second-order condition fails" in written(flat, "txt").replace("\n", " ")


def test_another_ending_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"\.html, \.md, \.txt, \.json; got 'can\.pdf'"):
        solved(can).report("can.pdf")


def test_the_title_is_that_of_the_file_unless_given(tmp_path: Path) -> None:
    assert solved(not_finite).report(tmp_path / "my_first.md").read_text().startswith("# my first\n")
    assert solved(not_finite).report(tmp_path / "a.md", title="1 < 2").read_text().startswith("# 1 \\< 2\n")


# JSON ----------------------------------------------------------------------------------------------------


def test_json_round_trip_has_numbers_and_says_what_is_absent() -> None:
    content = gather(solved(can), "can")
    record_of_it = record(content)
    assert json.loads(json.dumps(record_of_it, allow_nan=False)) == record_of_it
    assert (record_of_it["format"], record_of_it["version"]) == ("lagrange report", 1)
    (volume, shelf) = record_of_it["constraints"]
    assert volume["sides"][0]["right"] == content.constraints[0].sides[0].right
    assert (shelf["lower"], shelf["sides"][0]["increase"]) == ("-inf", "inf")
    assert record_of_it["elasticities"]["values"][0] == [pytest.approx(2 / 3)]
    assert record_of_it["answer"]["conflict"] == {"reason": "There is no conflict to explain."}


def test_json_of_a_failure(written: Callable[..., str]) -> None:
    found = json.loads(written(infeasible, "json"))
    assert found["answer"]["conflict"]["names"] == ["disk", "far"]
    assert "undefined" in found["tornado"]["reason"]
    assert json.loads(written(not_finite, "json"))["answer"]["value"] is None


def test_re_solved_numbers_are_those_of_a_solve(written: Callable[..., str]) -> None:
    found = json.loads(written(can, "json"))
    bar = found["tornado"]["bars"][0]
    assert (bar["low_value"], bar["high_value"]) == (297.0, pytest.approx(363.0))
    assert bar["high"] == pytest.approx(tin_can.known_objective({"volume": 363.0}), rel=1e-9)
    curve = found["curves"]["curves"][0]
    known = [tin_can.known_objective({"volume": point}) for point in curve["points"]]
    assert curve["values"] == pytest.approx(known, rel=1e-8)
    assert found["verified"]["holds"] is True


# HTML ----------------------------------------------------------------------------------------------------

DATA = {"type": "application/json", "id": "what-if-data"}
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "p", "h1", "h2", "h3", "nav", "ul", "li", "main",
    "section", "span", "div", "figure", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary",
    "footer", "script", "label", "strong", "output", "input", "button", "noscript",
    "svg", "g", "path", "use", "defs", "text", "tspan", "rect", "clippath", "pattern",
}  # fmt: skip
VOID = {"meta", "input", "br", "img", "link", "hr"}


class Page(HTMLParser):
    """What a page holds, as a browser reads it: tags with attributes, and whether they are nested rightly."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def check_page(text: str) -> None:
    """The page is sound and loads nothing."""
    page = Page(text)
    assert page.open == []
    assert {name for name, _ in page.tags} <= ALLOWED_TAGS
    assert [attributes for attributes in page.all("script") if attributes not in ({}, DATA)] == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action")]
        link = attributes.get("href", attributes.get("xlink:href"))
        assert link is None or (link.startswith("#") and link[1:] in ids)
        for key in ("aria-labelledby", "aria-describedby", "for"):
            assert attributes.get(key) is None or attributes[key] in ids
    for drawing in re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL):
        ElementTree.fromstring(drawing)


@pytest.mark.parametrize("case", [can, dispatch])
def test_the_page_can_be_read_by_those_who_cannot_see_it(
    written: Callable[..., str], case: Callable[[], lg.Solution]
) -> None:
    text = written(case, "html")
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}] and len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attributes.get("scope") for attributes in page.all("th"))
    assert all(attributes.get("aria-label") or attributes.get("aria-hidden") for attributes in page.all("svg"))
    sliders = [attributes["id"] for attributes in page.all("input")]
    assert len(sliders) == solved(case).result.p.size
    assert set(sliders) <= {attributes.get("for") for attributes in page.all("label")}


def test_colours_of_text_are_readable_in_both_schemes() -> None:
    sheet = (Path(report_package.__path__[0]) / "templates" / "report.css").read_text()
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", sheet, re.S)[:2]
    )
    for scheme in (light, dark):
        for role in ("ink", "muted", "one", "other", "good", "bad", "open"):
            for background in ("paper", "raised"):
                assert contrast(scheme[role], scheme[background]) >= 4.5, (role, background)


def contrast(one: str, other: str) -> float:
    """Of two colours, as the Web Content Accessibility Guidelines define it."""

    def luminance(color: str) -> float:
        parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_hostile_names_are_text(written: Callable[..., str]) -> None:
    text = written(hostile, "html")
    for markup in (SCRIPT, IMAGE, "<b on", "<u>", "</title>]"):
        assert markup not in text
    assert html.escape(SCRIPT) in text
    data = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, flags=re.DOTALL)
    assert data is not None and json.loads(data[1])["parameters"][0]["name"] == IMAGE
    assert "\\<script\\>" in written(hostile, "md") and not re.search(r"(?<!\\)<", written(hostile, "md"))
    assert BOLD not in written(hostile, "txt")  # its line break is shown, not made


# The panel in a real browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium; tests are skipped where it is not installed."""
    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    yield opened
    opened.quit()


def test_the_slider_moves_the_prediction_and_says_where_it_ends(browser: Any, tmp_path: Path) -> None:
    browser.get(solved(can).report(tmp_path / "can.html").as_uri())
    cells = "return [...document.querySelectorAll('#what-if-results .predicted')].map(cell => cell.textContent)"
    move = (
        "const s = document.getElementById('slider-0'); s.value = arguments[0] === 'max' ? s.max : arguments[0];"
        "s.dispatchEvent(new Event('input')); return document.getElementById('what-if-verdict').textContent"
    )
    assert browser.execute_script("return document.getElementById('what-if-panel').hidden") is False
    assert browser.execute_script(cells) == ["264.357", "7.48988", "3.74494"]
    # A key press moves it, as for everyone who has no mouse.
    browser.find_element("id", "slider-0").send_keys("\ue014")
    step = (
        float(browser.execute_script("return document.getElementById('slider-0-value').textContent").split()[0]) - 330
    )
    found = [float(text) for text in browser.execute_script(cells)]
    predicted = solved(can).sensitivity().predict({"volume": 330.0 + step})
    assert found == pytest.approx([predicted.objective, predicted.x["height"], predicted.x["radius"]], rel=1e-5)
    verdict = browser.execute_script(move, 10)
    assert verdict.startswith("✓ Valid") and "solved again" in verdict
    assert "shelf becomes active" in browser.execute_script(move, "max")
    assert "No longer valid" in browser.execute_script(move, "max")
    browser.execute_script("document.getElementById('what-if-reset').click()")
    assert browser.execute_script(cells)[0] == "264.357"
    assert browser.get_log("browser") == []


def test_hostile_names_do_nothing_in_the_browser(browser: Any, tmp_path: Path) -> None:
    browser.get(solved(hostile).report(tmp_path / "hostile.html").as_uri())
    assert browser.execute_script("return document.querySelectorAll('script').length") == 2
    assert IMAGE in browser.find_element("css selector", ".slider label").text
    assert browser.get_log("browser") == []  # an alert would have stopped every call before


# The command ---------------------------------------------------------------------------------------------


def test_the_command_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "square.py"
    file.write_text(
        "import lagrange as lg\nproblem = lg.Problem(minimize=lambda x, p: (x - p) ** 2)\nx0, p = 1.0, 2.0\n"
    )
    assert main(["report", str(file), "-o", str(tmp_path / "square.txt"), "--set", "p=3"]) == 0
    assert "square.txt: Strict local minimum, verified" in capsys.readouterr().out
    assert "x = 3." in (tmp_path / "square.txt").read_text()


def test_the_command_refuses_what_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "square.py"
    file.write_text("")
    for output, words in (("square.pdf", "ends in .html"), ("missing/square.html", "there is no folder")):
        assert main(["report", str(file), "-o", str(tmp_path / output)]) == 2
        assert words in capsys.readouterr().err


def test_nothing_heavy_is_imported_before_a_report() -> None:
    code = "import lagrange, sys; print({'jinja2', 'matplotlib', 'rich'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_row_at_a_kink_says_so(tmp_path: Path) -> None:
    problem = lg.Problem(lambda x, p: (x["x"] - p) ** 2 + x["y"] ** 2, {"cap": lg.at_most(lambda x: x["x"], 1.0)})
    text = problem.solve({"x": 0.0, "y": 1.0}, 1.0).report(tmp_path / "kink.md").read_text(encoding="utf-8")
    assert "| no limit | no limit | kink here: cap is active below only |" in text
    assert "above -inf" not in text
    assert "another local solution" not in text  # x goes with p, and comes back
