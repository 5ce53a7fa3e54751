"""Hanging the doors: names that were taken before are found and mended."""

import importlib
import logging
import os
import queue
import random
import sys
import tempfile
import threading
import time
from types import ModuleType
from typing import Any

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
