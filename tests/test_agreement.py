"""What README says is there: commands and their options, targets, scenarios, files, metrics."""

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

from reports.observability import catalogue
from scenarios import catalog, controls
from scenarios.cli import wavetank
from system.__main__ import PROGRAMS

ROOT = Path(__file__).parents[1]
_TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
README = re.sub(r"```.*?```", "", _TEXT, flags=re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

SPANS = [
    text.replace("\n", " ")
    for text in re.findall(r"`([^`]+)`", re.sub(r"^ {4}.*$", "", README, flags=re.MULTILINE))
]
_BLOCKS = re.findall(r"^ {4}(\S.*)$", README.replace("\\\n", " "), flags=re.MULTILINE)
LINES = [line.partition("  #")[0].strip() for line in _BLOCKS]
COMMANDS = [text for text in (*SPANS, *LINES) if re.match(r"wavetank\s", text)]
TARGETS = {
    name
    for text in (*SPANS, *LINES)
    if (match := re.match(r"make ([a-z-]+)", text))
    for name in match.groups()
}


def resolved(words: list[str]) -> list[tuple[click.Command, list[str]]]:
    """The commands that a line stands for ("up|down" are two), each with what follows it."""
    found: list[tuple[click.Command, list[str]]] = [(wavetank, words)]
    while any(isinstance(command, click.Group) and rest for command, rest in found):
        deeper: list[tuple[click.Command, list[str]]] = []
        for command, rest in found:
            if not isinstance(command, click.Group) or not rest or rest[0].startswith("-"):
                deeper.append((command, []))
                continue
            for name in rest[0].split("|"):
                assert name in command.commands, f"there is no command {name}"
                deeper.append((command.commands[name], rest[1:]))
        found = deeper
    return found


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_and_each_of_its_options_exists(line: str) -> None:
    for command, rest in resolved(shlex.split(line)[1:]):
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        options = {word.partition("=")[0] for word in rest if re.match("--?[a-z]", word)}
        assert options <= known | {"--help"}, f"{command.name} has no {options - known}"
        if command.name in ("run", "hunt", "twin") and rest and re.match("[a-z]", rest[0]):
            assert rest[0] in catalog.names()


def test_every_command_is_in_the_front_door() -> None:
    named = {command for line in COMMANDS for command in re.split(r"[\s|]+", line)[1:3]}

    assert set(wavetank.commands) - named <= {"demo"}  # that one is `make demo`


def test_every_option_that_stands_alone_belongs_to_some_command() -> None:
    groups = [wavetank, *(c for c in wavetank.commands.values() if isinstance(c, click.Group))]
    commands = [command for group in groups for command in group.commands.values()]
    known = {name for command in commands for one in command.params for name in one.opts}
    alone = {text.split()[0] for text in SPANS if text.startswith("--")}

    assert alone - known <= {"--config", "--shard"}  # those of the programs


def test_targets_exist_and_are_what_make_help_lists() -> None:
    made = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, flags=re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)

    assert made >= TARGETS
    assert phony is not None
    assert made <= set(phony[1].split()), "a file of that name would keep it from being made"


def test_scenarios_and_controls_exist() -> None:
    words = {word for text in SPANS for word in re.findall(r"^[a-z0-9]+(?:_[a-z0-9]+)+$", text)}
    told = {one.name for metrics in catalogue.described().values() for one in metrics}
    libraries = {"confluent_kafka"}

    assert words - set(catalog.names()) - told - libraries == set()
    assert set(controls.names()) & words


def test_files_exist() -> None:
    spans = {text for text in SPANS if re.fullmatch(r"[a-zA-Z0-9_./-]+", text)}
    ours = ("system/", "sim/", "scenarios/", "reports/", "tests/", "backends/")
    paths = {text for text in spans if text.startswith(ours) or text == "compose.yaml"}

    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_modules_and_programs_exist() -> None:
    lines = [text for text in (*SPANS, *LINES) if text.startswith("python -m ")]
    modules = {line.split()[2] for line in lines}

    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
    (programs,) = (line.split()[3] for line in lines if line.startswith("python -m system "))
    assert set(programs.split("|")) <= set(PROGRAMS)
