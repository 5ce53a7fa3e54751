"""Hanging the doors: names that were taken before are found and mended."""

import importlib
import logging
import os
import pickle
import queue
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sim.doors import clocks, entropy, install, names, threads


def test_aliases_taken_by_the_standard_library_are_mended() -> None:
    assert threading._time is time.monotonic  # type: ignore[attr-defined]
    assert queue.time is time.monotonic  # type: ignore[attr-defined]
    assert random._urandom is os.urandom is entropy.urandom  # type: ignore[attr-defined]
    assert isinstance(logging._lock, threads.RLock)  # type: ignore[attr-defined]
    assert isinstance(tempfile._once_lock, threads.Lock)  # type: ignore[attr-defined]


def test_a_scan_finds_aliases_defaults_attributes_and_locks(monkeypatch: Any) -> None:
    module: Any = ModuleType("taken_early")
    code = """
class Thing:
    clock = staticmethod(real_sleep)
    def wait(self, sleep=real_sleep): return sleep
def wait(sleep=real_sleep): return sleep
"""
    module.real_sleep = clocks._sleep
    module.lock = names.allocate_lock()
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, "taken_early", module)

    mended = install.scan(["taken_early"])

    assert module.real_sleep is module.wait() is module.Thing.clock is time.sleep
    assert module.Thing().wait() is time.sleep
    assert type(module.lock) is threads.Lock
    assert len(mended) == 5
    assert install.scan(["taken_early"]) == []


LATE = """
from functools import partial
from sim.doors.clocks import _sleep as sleep, _clock_gettime_ns as gettime  # the real ones

TABLE = {"nap": sleep, "other": 1}
ROW = (sleep, 2)
QUEUE = [sleep]
second = partial(sleep, 1)  # a call that C carries out

class Napper:
    nap = staticmethod(sleep)

    @classmethod
    def rest(cls, seconds, pause=sleep):
        pause(seconds)

    def doze(self, seconds, *, pause=sleep):
        pause(seconds)

def by_default(seconds, pause=sleep):
    pause(seconds)

def by_keyword(seconds, *, pause=sleep):
    pause(seconds)

def by_c_code(seconds):
    list(map(sleep, [seconds]))
"""

NAPS: dict[str, Callable[[Any], Any]] = {
    "an alias": lambda late: late.sleep(1),
    "a table": lambda late: late.TABLE["nap"](1),
    "a tuple": lambda late: late.ROW[0](1),
    "a list": lambda late: late.QUEUE[0](1),
    "a bound call": lambda late: late.second(),
    "a static method": lambda late: late.Napper.nap(1),
    "a default of a class method": lambda late: late.Napper.rest(1),
    "a keyword of a method": lambda late: late.Napper().doze(1),
    "a default": lambda late: late.by_default(1),
    "a keyword": lambda late: late.by_keyword(1),
    "a caller in C": lambda late: late.by_c_code(1),
    "another clock": lambda late: late.sleep(1 + late.gettime(time.CLOCK_PROCESS_CPUTIME_ID)),
}


@pytest.mark.parametrize("how", ["import", "import_module", "in C"])
@pytest.mark.parametrize("nap", NAPS)
def test_a_module_that_comes_later_is_mended_as_it_comes(
    nap: str, how: str, arena: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "came_late.py").write_text(LATE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "came_late", raising=False)

    def body() -> None:
        if how == "import":
            import came_late as late  # type: ignore[import-not-found]  # noqa: PLC0415
        elif how == "import_module":
            late = importlib.import_module("came_late")
        else:
            late = pickle.loads(b"ccame_late\nNapper\n.")  # imports by PyImport_Import
            late = sys.modules[late.__module__]
        NAPS[nap](late)

    arena.run(body)

    assert arena.kernel.now >= 10**9, "it slept in the world, not outside"


def test_installing_again_changes_nothing() -> None:
    before = (time.sleep, threading.Lock, os.environ)
    install.install()
    assert (time.sleep, threading.Lock, os.environ) == before


def test_every_stand_in_has_the_name_and_the_words_of_the_real_one() -> None:
    for door in ("clocks", "entropy", "threads", "processes", "asynchrony"):
        stand_ins = importlib.import_module(f"sim.doors.{door}").stand_ins()
        for path in stand_ins:
            holder, attribute = names.holder_of(path)
            assert hasattr(holder, attribute), path


def test_the_import_system_keeps_the_real_locks(arena: Any) -> None:
    def body() -> None:
        importlib.import_module("this_module_is_not_there_at_all")

    process = arena.launch("body", body)
    arena.kernel.run(10**9)
    assert process.stderr[-1].startswith("ModuleNotFoundError")
