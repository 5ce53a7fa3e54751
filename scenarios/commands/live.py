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
        words, folder = str(error), parent / f"{name}-{FAILED}"
        if keep_logs(live, folder):
            words = moved(words, live, folder)
            words += "" if str(folder) in words else f"\nall logs are in {folder}"
        raise Infrastructure(words) from None
    finally:
        _clear(live)


def keep_logs(live: Path, folder: Path) -> bool:
    """Copy all logs in `live` to `folder`, in place of older ones; false if there is nothing there.

    A full disk keeps none: what went wrong is told all the same.
    """
    logs = [log for pattern in _LOGS for log in live.rglob(pattern)]
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for log in logs:
            copy = folder / log.relative_to(live)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, copy)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
    return folder.is_dir()


def moved(words: str, live: Path, folder: Path) -> str:
    """Return `words` about files in `live`, which are in `folder` now."""
    return words.replace(str(live.resolve()), str(folder)).replace(str(live), str(folder))


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
