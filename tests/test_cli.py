"""The command `lagrange`, run as its users do except for the process of its own."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import problems
from lagrange.cli import BAD_INPUT, FAILURE, INTERRUPTED, SUCCESS, BadInput, main, with_values
from lagrange.problem import Problem

STORIES = Path(problems.__path__[0])
TIN_CAN = str(STORIES / "tin_can.py")

QUADRATIC = """
import lagrange as lg

problem = lg.Problem(minimize=lambda x: (x[0] - 1) ** 2, bounds=(0, None))
x0 = [3.0]
"""

PRICES = """
import lagrange as lg
import numpy as np

def cost(x, p):
    return ((x - p["price"]) ** 2).sum() + p["nested"]["base"] + p["nested"]["extra"]

problem = lg.Problem(minimize=cost)
x0 = np.zeros(3)
p = {"price": np.array([1.0, 2.0, 3.0]), "prices": 5.0, "nested": {"base": 1.0, "extra": 10.0}}
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes a problem file and returns its path."""

    def writer(text: str, name: str = "file.py") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return writer


def bad_input(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says on stderr, having refused its input."""
    assert main(list(arguments)) == BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("lagrange: ")
    assert "Traceback" not in captured.err
    return captured.err


def record(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = SUCCESS) -> dict[str, Any]:
    """What `solve --json` prints."""
    assert main(["solve", *arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


# Solving


@pytest.mark.parametrize("story", ["tin_can", "optimal_transport", "markowitz_portfolio", "maximum_entropy"])
def test_story_files_are_solved(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", str(STORIES / f"{story}.py")]) == SUCCESS
    captured = capsys.readouterr()
    assert captured.out.startswith(("Strict local minimum, verified", "Strict local maximum, verified"))
    assert "Variables" in captured.out
    assert "\x1b" not in captured.out
    assert captured.err == ""


def test_a_parameter_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", TIN_CAN, "--set", "volume=400"]) == SUCCESS
    lines = capsys.readouterr().out.split("\n")
    assert next(line for line in lines if line.startswith("volume")).split()[1:5] == ["cm³", "400", "400", "400"]


def test_the_last_of_several_values_counts(capsys: pytest.CaptureFixture[str]) -> None:
    answer = record(capsys, TIN_CAN, "--set", "volume=100", "--set", " volume = 4e2 ")
    assert answer["p"] == {"volume": 400.0}
    assert answer["objective"] == pytest.approx(300.53, abs=0.01)


def test_elements_and_whole_arrays_are_set(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(PRICES)
    answer = record(capsys, file, "--set", "price=7", "--set", "price[2]=-1", "--set", "nested=0.5")
    assert answer["p"] == {"price": [7.0, 7.0, -1.0], "prices": 5.0, "nested": {"base": 0.5, "extra": 0.5}}
    assert answer["x"] == pytest.approx([7.0, 7.0, -1.0])
    assert answer["objective"] == pytest.approx(1.0)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer = record(capsys, TIN_CAN)
    assert answer["success"] is True
    assert answer["kind"] == "STRICT_MINIMUM"
    assert answer["stop"] == "CONVERGED"
    assert answer["message"].startswith("Strict local minimum")
    assert answer["x"]["height"] == pytest.approx(2 * answer["x"]["radius"])
    assert answer["multipliers"]["shelf"] == 0.0
    assert answer["shadow_prices"]["volume"] == -answer["multipliers"]["volume"]
    assert set(answer["residuals"]) == {"stationarity", "feasibility", "complementarity"}


def test_json_of_a_failure_is_json_too(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        "import lagrange as lg\nimport numpy as np\n"
        "problem = lg.Problem(minimize=lambda x: np.where(x[0] > 0, x[0], np.nan))\nx0 = [-1.0]\n"
    )
    answer = record(capsys, file, code=FAILURE)
    assert answer["success"] is False
    assert answer["objective"] is None
    assert answer["residuals"]["stationarity"] is None


def test_with_json_only_the_record_is_on_stdout(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", write("print('loading')\n" + QUADRATIC), "--json", "--verbose", "1"]) == SUCCESS
    captured = capsys.readouterr()
    assert json.loads(captured.out)["success"] is True
    assert captured.err.startswith("loading\n")
    assert "objective" in captured.err


def test_verbose_prints_the_progress_before_the_solution(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", TIN_CAN, "--verbose", "1"]) == SUCCESS
    loud = capsys.readouterr().out
    assert loud.split("\n")[0].split()[0] == "iter"
    assert "\n\nStrict local minimum" in loud
    main(["solve", TIN_CAN])
    assert "iter " not in capsys.readouterr().out


def test_a_solve_that_fails_exits_with_1(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        "import lagrange as lg\n"
        "problem = lg.Problem(minimize=lambda x: x @ x, subject_to={\n"
        "    '[bold]low': lg.at_most(lambda x: x[0], 1.0), 'high': lg.at_least(lambda x: x[0], 2.0)})\n"
        "x0 = [0.0]\n"
    )
    assert main(["solve", file]) == FAILURE
    out = capsys.readouterr().out
    assert out.startswith("Infeasible")
    assert "[bold]low" in out
    assert out.count("in conflict") == 2


def test_limits_reach_the_solver(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", TIN_CAN, "--max-iterations", "1"]) == FAILURE
    assert "iteration limit" in capsys.readouterr().out
    slow = QUADRATIC.replace("(x[0] - 1) ** 2", "(x[0] - 1) ** 4")
    assert main(["solve", write(slow), "--time-limit", "1e-9"]) == FAILURE
    assert "time limit" in capsys.readouterr().out
    assert "tol must be a number between" in bad_input(capsys, "solve", TIN_CAN, "--tol", "7")


def test_every_setting_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    original = Problem.solve

    def noting(problem: Problem, x0: Any, p: Any, **settings: Any) -> Any:
        seen.append(settings)
        return original(problem, x0, p, **settings)

    monkeypatch.setattr(Problem, "solve", noting)
    given = ["--tol", "1e-6", "--max-iterations", "50", "--time-limit", "60", "--verbose", "7"]
    assert main(["solve", TIN_CAN, *given]) == SUCCESS
    assert main(["solve", TIN_CAN]) == SUCCESS
    assert seen == [
        {"tol": 1e-6, "max_iterations": 50, "time_limit": 60.0, "verbose": 7},
        {"tol": 1e-8, "max_iterations": 300, "time_limit": None, "verbose": 0},
    ]


@pytest.mark.filterwarnings("default::lagrange.DerivativeWarning")
def test_ctrl_c_during_a_solve_returns_the_best_point(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    interrupting = (
        "import lagrange as lg\n"
        "calls = []\n"
        "def cost(x):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 40:\n"
        "        raise KeyboardInterrupt\n"
        "    return (float(x[0]) - 1) ** 4\n"
        "problem = lg.Problem(minimize=cost)\n"
        "x0 = [30.0]\n"
    )
    answer = record(capsys, write(interrupting), code=FAILURE)
    assert answer["stop"] == "STOPPED_BY_USER"
    assert answer["x"][0] < 30


@pytest.mark.filterwarnings("default::lagrange.DerivativeWarning")
def test_a_derivative_warning_is_one_line(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(QUADRATIC.replace("x[0] - 1", "float(x[0]) - 1"))
    assert main(["solve", file]) == SUCCESS
    captured = capsys.readouterr()
    assert captured.err.startswith("lagrange: warning: objective '<lambda>': derivatives are taken by finite")
    assert captured.err.count("\n") == 1


# Bad input


def test_unknown_parameters_are_refused_with_the_names(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(PRICES)
    names = "nested.base, nested.extra, price[0], price[1], price[2], prices"
    for wrong in ("pric", "price[3]", "price[", "nested.", "Prices"):
        error = bad_input(capsys, "solve", file, "--set", f"{wrong}=1")
        assert error == f"lagrange: --set {wrong}=1: there is no parameter {wrong!r}; there are {names}\n"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("volume=much", "'much' is not a number"),
        ("volume=", "'' is not a number"),
        ("volume", "write NAME=VALUE, for example --set volume=1"),
        ("=3", "write NAME=VALUE, for example --set volume=1"),
    ],
)
def test_malformed_assignments(assignment: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in bad_input(capsys, "solve", TIN_CAN, "--set", assignment)


def test_values_of_a_single_array_or_number() -> None:
    assert with_values([1.0, 2.0], ["p[1]=5"]).tolist() == [1.0, 5.0]
    assert with_values(np.zeros((2, 2)), ["p=3"]).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert with_values(2.0, ["p=3"]) == 3.0
    given = {"a": np.zeros(2)}
    assert with_values(given, []) is given
    with_values(given, ["a=1"])
    assert given["a"].tolist() == [0.0, 0.0]


def test_there_must_be_parameters_to_set(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert "defines no parameters p" in bad_input(capsys, "solve", write(QUADRATIC), "--set", "a=1")
    with pytest.raises(BadInput):
        with_values(None, ["a=1"])


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "nothing.py")
    assert bad_input(capsys, "solve", missing) == f"lagrange: there is no file {missing}\n"
    assert bad_input(capsys, "check", str(tmp_path)) == f"lagrange: there is no file {tmp_path}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x0 = [1.0]\n", "defines no problem\n"),
        (QUADRATIC.replace("x0 =", "start ="), "defines no x0\n"),
        ("", "defines no problem and no x0\n"),
        ("problem = 3\nx0 = 1.0\n", "must be a lagrange.Problem, got int\n"),
    ],
)
def test_files_that_define_too_little(text: str, message: str, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert bad_input(capsys, "solve", write(text)).endswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = a / 0\n", "line 2: ZeroDivisionError: division by zero\n    b = a / 0\n"),
        (
            "import no_such_module_at_all\n",
            "line 1: ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("a = 1\ndef f(:\n", "line 2: SyntaxError: invalid syntax\n    def f(:\n"),
        ("import sys\nsys.exit(3)\n", "line 2: SystemExit: 3\n    sys.exit(3)\n"),
        (
            "import lagrange\nlagrange.Problem()\n",
            "line 2: TypeError: give exactly one of minimize= and maximize=",
        ),
    ],
)
def test_an_exception_in_the_file(text: str, message: str, write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(text)
    assert bad_input(capsys, "solve", file).startswith(f"lagrange: {file}, {message}")


def test_an_exception_in_a_function_of_the_file(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        "import lagrange as lg\n"
        "def cost(x):\n"
        "    return x['nothing']\n"
        "problem = lg.Problem(minimize=cost)\n"
        "x0 = {'a': 1.0}\n"
    )
    error = bad_input(capsys, "solve", file)
    assert error.startswith(f"lagrange: {file}, line 3: KeyError: 'nothing'\n    return x['nothing']\n")
    assert error.split("\n")[2].startswith("raised by objective 'cost' at x0 = {'a': ")


def test_an_x0_that_does_not_fit(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    error = bad_input(capsys, "solve", write(QUADRATIC.replace("[3.0]", "[]")))
    assert error == "lagrange: x0 is empty: there is nothing to solve for\n"


def test_a_mistake_of_the_package_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise IndexError("ours")

    monkeypatch.setattr(Problem, "solve", broken)
    with pytest.raises(IndexError, match="ours"):
        main(["solve", TIN_CAN])


def test_ctrl_c_outside_a_solve(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", write("raise KeyboardInterrupt\n")]) == INTERRUPTED
    assert capsys.readouterr().err == "lagrange: interrupted\n"


@pytest.mark.parametrize("arguments", [[], ["solve"], ["dance", "x.py"], ["solve", TIN_CAN, "--tol", "little"]])
def test_bad_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == BAD_INPUT
    assert "usage: lagrange" in capsys.readouterr().err


# The file's surroundings


def test_the_folder_of_the_file_is_importable_and_forgotten(write: Any, tmp_path: Path) -> None:
    write("TARGET = 4.0\n", "sibling_of_test.py")
    (tmp_path / "package_of_test").mkdir()
    write("", "package_of_test/__init__.py")
    write("WEIGHT = 2.0\n", "package_of_test/inner.py")
    file = write(
        "import lagrange as lg\n"
        "from sibling_of_test import TARGET\n"
        "def cost(x):\n"
        "    from package_of_test.inner import WEIGHT\n"  # while it is solved
        "    return WEIGHT * (x[0] - TARGET) ** 2\n"
        "problem = lg.Problem(minimize=cost)\n"
        "x0 = [0.0]\n"
    )
    search_path = list(sys.path)
    assert main(["solve", file]) == SUCCESS
    assert sys.path == search_path
    left = [name for name in sys.modules if "of_test" in name or "problem_file" in name]
    assert left == []


def test_a_changed_sibling_is_read_again(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(
        "import lagrange as lg\nfrom other_sibling_of_test import TARGET\n"
        "problem = lg.Problem(minimize=lambda x: (x[0] - TARGET) ** 2)\nx0 = [0.0]\n"
    )
    for target in ("4.0", "15.0"):  # of different lengths, since Python's cache looks at size and time
        write(f"TARGET = {target}\n", "other_sibling_of_test.py")
        assert record(capsys, file)["x"] == [pytest.approx(float(target))]


def test_libraries_below_the_folder_stay_imported(write: Any, tmp_path: Path) -> None:
    """A virtual environment may lie in the folder of the file: what comes from it is not the file's own."""
    (tmp_path / "environment").mkdir()
    write("", "environment/library_of_test.py")
    file = write(f"import sys\nsys.path.append({str(tmp_path / 'environment')!r})\nimport library_of_test\n")
    assert main(["solve", file]) == BAD_INPUT
    assert sys.modules.pop("library_of_test").__file__ == str(tmp_path / "environment" / "library_of_test.py")


def test_a_file_is_not_run_as_the_main_program(write: Any) -> None:
    assert main(["solve", write(QUADRATIC + "\nif __name__ == '__main__':\n    raise RuntimeError\n")]) == SUCCESS


def test_dataclasses_and_names_without_suffix(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "import lagrange as lg\n"
        "@dataclass\n"
        "class Box:\n"
        "    width: float\n"
        "    depth: float\n"
        "problem = lg.Problem(minimize=lambda b: (b.width - 1) ** 2 + (b.depth - 2) ** 2)\n"
        "x0 = Box(0.0, 0.0)\n"
    )
    assert record(capsys, write(text, "no-suffix"))["x"] == {
        "width": pytest.approx(1.0),
        "depth": pytest.approx(2.0),
    }


# Checking, help, version


class Findings:
    """What `Problem.preflight` returns, as far as the command knows it."""

    def __init__(self, ok: bool, x0: Any, p: Any) -> None:
        self.ok = ok
        self.words = f"looked at {sorted(x0)} with {p}"

    def __str__(self) -> str:
        return self.words


@pytest.mark.parametrize("ok", [True, False])
def test_check_prints_the_findings(
    ok: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Problem, "preflight", lambda _, x0, p: Findings(ok, x0, p), raising=False)
    assert main(["check", TIN_CAN]) == (SUCCESS if ok else FAILURE)
    assert capsys.readouterr().out == "looked at ['height', 'radius'] with {'volume': 330.0}\n"


def test_check_refuses_bad_input(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert "defines no problem" in bad_input(capsys, "check", write("x0 = 1.0\n"))
    assert "there is no parameter" in bad_input(capsys, "check", TIN_CAN, "--set", "x=1")


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(metadata, "version", {"lagrange": "1.2.3"}.__getitem__)
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == SUCCESS
    assert capsys.readouterr().out == "lagrange 1.2.3\n"


def test_help_has_an_example_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == SUCCESS
    text = capsys.readouterr().out
    (example,) = (line.split() for line in text.split("\n") if line.startswith("    lagrange "))
    assert len(text.split("\n")) < 30
    assert main([str(STORIES / word) if word.endswith(".py") else word for word in example[1:]]) == SUCCESS
