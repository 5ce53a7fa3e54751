"""Stand-ins carry the signatures of what they replace; what nobody replaces is known by name."""

import importlib
import inspect
import sys
from typing import Any

import pytest

from sim.doors import aliases, install

# Stand-ins whose signature differs on purpose, or only in names that nobody can use as keywords.
DIFFER = {
    "_discard_cluster_shutdown",
    "_newname",
    "_register_cluster_shutdown",
    "_UnixSelectorEventLoop",
    "__import__",
    "DefaultEndPoint.__hash__",
    "getsignal",  # positional only
    "kill",
    "print",
    "RLock",
    "signal",  # positional only
    "unraisablehook",
}

# Public functions that no door replaces. Of the real world they use what other stand-ins give
# (`queue.Queue` its locks, `tempfile` its files), or compute only, or the net refuses them.
UNCOVERED = {
    "fcntl": "",
    "queue": "LifoQueue PriorityQueue Queue",
    "random": "Random SystemRandom",
    "secrets": "SystemRandom choice compare_digest randbelow randbits token_bytes token_hex "
    "token_urlsafe",
    "signal": "Handlers Sigmasks Signals default_int_handler getitimer pidfd_send_signal "
    "pthread_sigmask sigpending strsignal struct_siginfo valid_signals",
    "tempfile": "NamedTemporaryFile SpooledTemporaryFile TemporaryDirectory TemporaryFile "
    "gettempdir gettempdirb gettempprefix gettempprefixb mkdtemp mkstemp mktemp",
    "threading": "Barrier BoundedSemaphore ExceptHookArgs Semaphore Thread Timer getprofile "
    "gettrace setprofile settrace stack_size",
    "time": "clock_getres clock_settime clock_settime_ns get_clock_info pthread_getcpuclockid "
    "strptime struct_time",
}


def _shape(function: Any) -> list[tuple[str, str, bool]] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [(p.name, p.kind.name, p.default is not p.empty) for p in parameters]


def _ours(found: Any) -> bool:
    return (getattr(found, "__module__", None) or "").startswith("sim.")


def test_stand_ins_have_the_real_signatures_but_for_those_named_here() -> None:
    different = set()
    for real, stand_in in aliases.known():
        shapes = _shape(real), _shape(stand_in)
        if None not in shapes and shapes[0] != shapes[1]:
            different.add(getattr(real, "__qualname__", repr(real)))

    assert different <= DIFFER


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the names are those of Python 3.11")
@pytest.mark.parametrize("name", UNCOVERED)
def test_what_no_door_covers_is_known(name: str) -> None:
    module = importlib.import_module(name)
    covered = {path for door in install._DOORS for path in _paths(door)}

    uncovered = {
        key
        for key in getattr(module, "__all__", None) or dir(module)
        if not key.startswith("_")
        and callable(getattr(module, key))
        and not _ours(getattr(module, key))
        and f"{name}.{key}" not in covered
        and not _is_error(getattr(module, key))
    }

    assert uncovered == set(UNCOVERED[name].split())


def _paths(door: str) -> set[str]:
    module = sys.modules.get(f"sim.doors.{door}")
    return set(getattr(module, "stand_ins", dict)())


def _is_error(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseException)
