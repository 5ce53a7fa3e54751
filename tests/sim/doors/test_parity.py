"""Stand-ins carry the signatures of what they replace; what nobody replaces is known by name."""

import importlib
import inspect
import io
import os
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sim.doors import aliases, install
from sim.kernel import SECOND
from tests.sim.conftest import Bench

# Stand-ins whose signature differs on purpose, or only in names that nobody can use as keywords.
DIFFER = {
    "BaseDefaultEventLoopPolicy._Local",  # `__new__` takes anything, in Python 3.13 visibly
    "_local",
    "_discard_cluster_shutdown",
    "_newname",
    "_register_cluster_shutdown",
    "_UnixSelectorEventLoop",
    "__import__",
    "DefaultEndPoint.__hash__",
    "print",
    "RLock",
}

PYTHON = sys.version_info[:2]
LIST = tomllib.loads(Path(__file__).with_name("uncovered.toml").read_text("utf-8"))


def _shape(function: Any) -> list[tuple[str, str, bool]] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        ("" if p.kind is p.POSITIONAL_ONLY else p.name, p.kind.name, p.default is not p.empty)
        for p in parameters
    ]


def _ours(found: Any) -> bool:
    return (getattr(found, "__module__", None) or "").startswith("sim.")


def test_stand_ins_have_the_real_signatures_but_for_those_named_here() -> None:
    different = set()
    for real, stand_in in aliases.known():
        shapes = _shape(real), _shape(stand_in)
        if None not in shapes and shapes[0] != shapes[1]:
            different.add(getattr(real, "__qualname__", repr(real)))

    assert different <= DIFFER
    assert PYTHON != (3, 13) or different == DIFFER, "a difference that is no more"


@pytest.mark.parametrize("name", LIST)
def test_what_no_door_covers_is_listed_with_a_reason(name: str) -> None:
    module = importlib.import_module(name)
    listed = [entry for entries in LIST[name].values() for entry in _of_this_python(entries)]

    found = {key for key in _public(module) if not _covered(module, key)}

    assert sorted(listed) == sorted(set(listed)), "a name stands in the list once"
    assert found - set(listed) == set(), "neither replaced nor listed"
    assert set(listed) - found == set(), "listed, but replaced, or not there at all"


@pytest.mark.parametrize(
    ("real", "made"),
    [
        (io.BufferedReader, lambda: open("/tmp/x", "rb")),
        (io.BufferedWriter, lambda: open("/tmp/x", "wb")),
        (io.BufferedRandom, lambda: open("/tmp/x", "r+b")),
        (io.FileIO, lambda: open("/tmp/x", "rb", buffering=0)),
        (io.TextIOWrapper, lambda: open("/tmp/x", "w")),
        (os.DirEntry, lambda: next(os.scandir("/tmp"))),
    ],
    ids=lambda what: getattr(what, "__name__", ""),
)
def test_what_a_door_hands_out_has_all_the_names_of_the_real_one(
    real: type, made: Callable[[], Any], bench: Bench
) -> None:
    def program() -> None:
        os.makedirs("/tmp", exist_ok=True)
        open("/tmp/x", "w").close()
        missing.append({n for n in dir(real) if not n.startswith("_")} - set(dir(made())))

    missing: list[set[str]] = []
    bench.host("a").launch("p", program)
    bench.kernel.run(SECOND)

    assert missing == [set()]


@pytest.mark.parametrize(
    ("real", "stand_in"),
    [
        (real, stand_in)
        for real, stand_in in aliases.known()
        if isinstance(real, type) and isinstance(stand_in, type)
    ],
    ids=lambda what: what.__qualname__,
)
def test_a_class_has_all_the_methods_of_the_real_one(real: type, stand_in: type) -> None:
    for name in (n for n in dir(real) if not n.startswith("_")):
        method = getattr(stand_in, name)
        shapes = _shape(getattr(real, name)), _shape(method)
        assert None in shapes or shapes[0][1:] == shapes[1][1:], name  # type: ignore[index]


def test_signals_take_their_parameters_by_keyword(bench: Bench) -> None:
    def program() -> None:
        signal.signal(signalnum=signal.SIGUSR1, handler=signal.SIG_IGN)
        found.append(signal.getsignal(signalnum=signal.SIGUSR1))

    found: list[Any] = []
    bench.host("a").launch("p", program)
    bench.kernel.run(SECOND)

    assert found == [signal.SIG_IGN]


def _of_this_python(entries: str) -> Iterator[str]:
    for entry in entries.split():
        name, since, version = entry.partition(">")
        name, until, last = (name, "", "") if since else entry.partition("<")
        if since and tuple(map(int, version.split("."))) > PYTHON:
            continue
        if until and tuple(map(int, last.split("."))) <= PYTHON:
            continue
        yield name


def _public(module: Any) -> list[str]:
    """Return the names of functions and classes of `module` that are no errors."""
    names = getattr(module, "__all__", None) or dir(module)
    return [
        key
        for key in names
        if not key.startswith("_")
        and callable(getattr(module, key))
        and not _is_error(getattr(module, key))
    ]


def _covered(module: Any, key: str) -> bool:
    found = getattr(module, key)
    if (getattr(found, "__module__", None) or "").startswith("sim."):
        return True
    return any(f"{module.__name__}.{key}" in _paths(door) for door in install._DOORS)


@cache
def _paths(door: str) -> frozenset[str]:
    module = sys.modules.get(f"sim.doors.{door}")
    return frozenset(getattr(module, "stand_ins", dict)())


def _is_error(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseException)
