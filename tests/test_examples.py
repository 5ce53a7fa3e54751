"""What the documents tell a person to add: it is added to a copy of the project, and run."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples import examples
from tests.scenarios.commanding import ROOT, wavetank

PACKAGES = ("sim", "system", "scenarios", "reports")
FRONT_DOOR = (ROOT / "README.md").read_text(encoding="utf-8")
MORE = (ROOT / "scenarios/README.md").read_text(encoding="utf-8")
FILES = dict(examples(FRONT_DOOR) + examples(MORE))
CHECKERS = "reports/invariants/__init__.py"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all that the documents add to it."""
    top = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, top / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, source in FILES.items():
        assert not (ROOT / path).exists(), f"{path} is no example any more"
        (top / path).write_text(source, encoding="utf-8")
    (line,) = re.findall(r"^ {4}(\"I19\": .*)$", MORE, flags=re.MULTILINE)
    table = (top / CHECKERS).read_text(encoding="utf-8")
    table = table.replace("    log,\n", "    limits,\n    log,\n", 1)
    table = table.replace("\n}\n", f"\n    {line}\n}}\n", 1)
    (top / CHECKERS).write_text(table, encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", top)
    return top


def test_every_block_of_python_is_a_file_that_is_tried() -> None:
    assert len(FILES) == len(re.findall("```python", FRONT_DOOR + MORE)) > 3


@pytest.mark.parametrize(
    ("story", "says"),
    [
        ("untold_deposit", "1 planned, 1 bit"),
        ("slow_brokers", "SlowAnswers(host='kafka-3'"),
        ("nine_deposits", "17 promises"),
    ],
)
def test_what_is_added_holds(copy: Path, story: str, says: str) -> None:
    done = wavetank("run", story, "--no-report", directory=copy)

    assert done.returncode == 0, done.stdout + done.stderr
    assert says in done.stdout
    assert "bit nothing" not in done.stdout


def test_the_planted_bug_is_caught_by_its_invariant(copy: Path) -> None:
    arguments = ("--campaigns", "1", "-j", "1")
    done = wavetank("controls", "untold_forgotten", *arguments, directory=copy)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^untold_forgotten +I3 ", done.stdout, flags=re.MULTILINE)


def test_the_checker_finds_whom_the_document_names(copy: Path) -> None:
    done = wavetank("run", "writeup", "--no-report", directory=copy)

    assert done.returncode == 1
    assert "OVER_LIMIT" in done.stdout


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("check", [("format", "--check"), ("check",)])
def test_examples_are_written_like_the_rest(copy: Path, path: str, check: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "ruff", *check, path]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
