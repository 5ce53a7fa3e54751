"""What the documents say is there: commands and options, targets, scenarios, files, links."""

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
from tests.examples import examples

ROOT = Path(__file__).parents[1]
FRONT_DOOR = ROOT / "README.md"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OURS = ("system/", "sim/", "scenarios/", "reports/", "tests/", "backends/")


def written() -> dict[Path, str]:
    """Every document that a person wrote, by its path."""
    paths = [FRONT_DOOR, *(path for top in OURS for path in (ROOT / top).rglob("README.md"))]
    return {path: path.read_text(encoding="utf-8") for path in paths}


DOCUMENTS = written()
EXAMPLES = [path for text in DOCUMENTS.values() for path, _ in examples(text)]
PROSE = {path: re.sub(r"```.*?```", "", text, flags=re.DOTALL) for path, text in DOCUMENTS.items()}


def spans(text: str) -> list[str]:
    """Return what stands in backticks; a pipe has a backslash where it stands in a table."""
    within = re.findall(r"`([^`]+)`", re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE))
    return [" ".join(span.replace("\\|", "|").split()) for span in within]


def lines(text: str) -> list[str]:
    """Return the lines of indented blocks, without what is said of them."""
    blocks = re.findall(r"^ {4}(\S.*)$", text.replace("\\\n", " "), flags=re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in blocks]


SAID = {path: (*spans(text), *lines(text)) for path, text in PROSE.items()}
SPANS = [span for text in PROSE.values() for span in spans(text)]
EVERYTHING = [text for said in SAID.values() for text in said]
COMMANDS = sorted({text for text in EVERYTHING if re.match(r"wavetank\s", text)})
TARGETS = {
    name
    for text in EVERYTHING
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
            named = {*catalog.names(), *(Path(path).stem for path in EXAMPLES)}
            assert rest[0] in named


def test_every_command_is_in_the_front_door() -> None:
    said = [text for text in SAID[FRONT_DOOR] if re.match(r"wavetank\s", text)]
    named = {command for line in said for command in re.split(r"[\s|]+", line)[1:3]}

    assert set(wavetank.commands) - named <= {"demo"}  # that one is `make demo`


def test_every_option_that_stands_alone_belongs_to_some_command() -> None:
    groups = [wavetank, *(c for c in wavetank.commands.values() if isinstance(c, click.Group))]
    commands = [command for group in groups for command in group.commands.values()]
    known = {name for command in commands for one in command.params for name in one.opts}
    alone = {text.split()[0] for text in SPANS if text.startswith("--")}

    programs, interpreter = {"--config", "--shard"}, {"--enable-optimizations"}
    assert alone - known <= {"--help"} | programs | interpreter


def test_targets_exist_and_are_what_make_help_lists() -> None:
    made = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, flags=re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)

    assert made >= TARGETS
    assert phony is not None
    assert made <= set(phony[1].split()), "a file of that name would keep it from being made"


def test_scenarios_and_controls_exist() -> None:
    fields = ROOT / "system/README.md"  # names what requests and answers consist of
    named = [text for path, said in SAID.items() if path != fields for text in said]
    words = {word for text in named for word in re.findall(r"^[a-z0-9]+(?:_[a-z0-9]+)+$", text)}
    told = {one.name for metrics in catalogue.described().values() for one in metrics}
    others = {"confluent_kafka", *(Path(path).stem for path in EXAMPLES)}

    assert words - set(catalog.names()) - told - others == set()


def test_every_planted_bug_is_in_the_table_of_controls() -> None:
    table = {
        name for text in spans(PROSE[ROOT / "scenarios/controls/README.md"]) for name in [text]
    }

    assert set(controls.names()) - table == set()


def test_every_document_is_linked_from_the_front_door() -> None:
    links = set(re.findall(r"\]\(([^)#]+)", DOCUMENTS[FRONT_DOOR]))

    assert {str(path.relative_to(ROOT)) for path in DOCUMENTS} - links == {"README.md"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", DOCUMENTS[path]):
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), f"{target} is not there"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", PROSE[there], flags=re.MULTILINE)
            assert anchor in {
                re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings
            }


def test_files_exist() -> None:
    named = {text for text in SPANS if re.fullmatch(r"[a-zA-Z0-9_./-]+", text)}
    paths = {text for text in named if text.startswith(OURS) or text == "compose.yaml"}

    assert len(paths) > 10
    assert [path for path in paths - set(EXAMPLES) if not (ROOT / path).exists()] == []


def test_modules_and_programs_exist() -> None:
    told = [text for text in EVERYTHING if text.startswith("python -m ")]
    modules = {line.split()[2] for line in told}

    assert [name for name in modules if importlib.util.find_spec(name) is None] == []
    programs = {line.split()[3] for line in told if line.startswith("python -m system ")}
    assert programs
    assert {name for text in programs for name in text.split("|")} <= set(PROGRAMS)


def test_the_front_door_counts_what_the_document_about_conformance_counts() -> None:
    front = [row[1:] for row in _rows(FRONT_DOOR, "**Conformance**", "**Speed**")]
    told = [row[1:7] for row in _rows(ROOT / "tests/conformance/README.md", "# Held", "")]

    assert [_counts(row) for row in front] == [_counts(row) for row in told]
    assert len(front) > 5


def _rows(path: Path, begin: str, end: str) -> list[list[str]]:
    """Return the rows of the tables in a part of a document, without their heads."""
    text = DOCUMENTS[path].partition(begin)[2]
    part = text.partition(end)[0] if end else text
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [row for row in rows if any(re.search(r"\d", cell) for cell in row[1:])]


def _counts(row: list[str]) -> list[str]:
    return re.findall(r"\d[\d,]*\d|\d", " | ".join(row))
