"""The same programs with librdkafka and with our stand-in, against our broker."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.kafka import standin, transcripts
from tests.conformance.kafka.clients import LISTED, compare, unlisted
from tests.conformance.kafka.played import PROGRAMS

RECORDED = transcripts.read("clients")


def librdkafka(*programs: str) -> dict[str, Any]:
    """Run programs with the real library; return what each saw and asked."""
    command = [sys.executable, "-m", "tests.conformance.kafka.librdkafka", *programs]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return dict(map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_stand_in_does_what_librdkafka_did(program: str) -> None:
    ours = standin.run(program)

    wrong = unlisted(program, compare(program, ours, RECORDED.sequences[program]))

    assert not wrong, "\n".join([RECORDED.header.age(), *wrong])


@pytest.fixture(scope="module")
def live() -> dict[str, Any]:
    """What librdkafka does today."""
    return librdkafka(*PROGRAMS)


@pytest.mark.real
@pytest.mark.parametrize("program", PROGRAMS)
def test_librdkafka_does_what_it_did_when_it_was_recorded(
    program: str, live: dict[str, Any]
) -> None:
    found = compare(program, live[program], RECORDED.sequences[program])

    assert not {spot: pair for spot, pair in found.items() if spot not in LISTED}


@pytest.mark.parametrize(("spot", "module"), LISTED.items())
def test_a_listed_difference_stands_under_simplified(spot: Any, module: str) -> None:
    text = Path(module).read_text(encoding="utf-8").split('"""')[1]
    simplified = text.partition("**Simplified**")[2]
    assert spot.program in simplified
    assert "tests/conformance/kafka" in simplified


def test_what_is_recorded_is_what_is_run() -> None:
    assert list(RECORDED.sequences) == list(PROGRAMS)


def test_another_request_is_a_difference() -> None:
    recorded = RECORDED.sequences["simple_producer"]
    altered = json.loads(json.dumps(recorded))
    altered["asked"]["Produce"].append(altered["asked"]["Produce"][0])
    altered["seen"]["reported_s"] += 1

    found = unlisted("simple_producer", compare("simple_producer", altered, recorded))

    assert len(found) == 2
