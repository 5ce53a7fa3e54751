"""``tempfile``: names drawn for each process, in ``/tmp`` of its host."""

from collections.abc import Iterator
from typing import Any

from sim.doors.files.hanging import door
from sim.process import Process

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


def _names(process: Process) -> Iterator[str]:
    stream = process.stream("tempfile")
    while True:
        yield "".join(stream.choices(_LETTERS, k=8))


@door("tempfile._get_candidate_names")
def candidate_names(process: Process) -> Iterator[str]:
    names: Iterator[str] | None = process.doors.get("tempfile")
    if names is None:
        names = process.doors["tempfile"] = _names(process)
    return names


@door("tempfile._gettempdir", "tempfile._get_default_tempdir")
def temporary_directory(process: Process, *_: Any) -> str:
    return "/tmp"
