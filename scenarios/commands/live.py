"""The folder of a run with real processes while it goes on; of one that fails its logs are kept."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from os import getpid
from pathlib import Path

from scenarios.errors import Infrastructure

LIVE = "live"
_LOGS = ("output.log", "stderr.*.log")  # those of servers, those of programs
FAILED = "failed"


@contextmanager
def living(parent: Path, name: str) -> Generator[Path]:
    """Have a folder for a run while it goes on.

    If the machine fails it, the logs that are in there stay in `parent`, and the error names them.
    """
    live = _live(parent, name)
    try:
        yield live
    except Infrastructure as error:
        folder = parent / f"{name}-{FAILED}"
        logs = keep_logs(live, folder)
        words = renamed(str(error), logs)
        more = f"\nall logs are in {folder}" if logs and words == str(error) else ""
        raise Infrastructure(words + more) from None
    finally:
        _clear(live)


def keep_logs(live: Path, folder: Path) -> dict[str, str]:
    """Copy all logs in `live` to `folder`, in place of older ones; return their names, old to new.

    A full disk keeps none: what went wrong is told all the same.
    """
    kept = {}
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for log in [log for pattern in _LOGS for log in live.rglob(pattern)]:
            copy = folder / log.relative_to(live)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, copy)
            kept[str(log.resolve())] = kept[str(log)] = str(copy)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return {}
    return kept


def renamed(words: str, logs: dict[str, str]) -> str:
    """Return `words` with the new names of `logs` in place of the old ones."""
    for old, new in logs.items():
        words = words.replace(old, new)
    return words


def _live(parent: Path, name: str) -> Path:
    """Return a folder for a run while it goes on; those that killed runs have left are removed."""
    for left in parent.glob(f".*.*.{LIVE}"):
        if not Path("/proc", left.name.split(".")[-2]).exists():
            _clear(left)
    return parent / f".{name}.{getpid()}.{LIVE}"


def _clear(live: Path) -> None:
    try:
        shutil.rmtree(live)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Infrastructure(f"{live} cannot be removed: {error.strerror}") from None
