"""UBSCore's log as evidence: all of it, also what snapshots have made superfluous."""

from system.wal.reader import effective


def whole(files: dict[str, bytes], deleted: dict[str, bytes]) -> dict[str, bytes]:
    """Return a log's files with those that were cut off before the last of them.

    Not only before the first: a power loss may undo one deletion and not the next.
    """
    if not files:
        return files
    last = max(_first_lsn(name) for name in effective(files)[0])
    return {**{n: c for n, c in deleted.items() if _first_lsn(n) < last}, **files}


def _first_lsn(name: str) -> int:
    return int(name.removesuffix(".log").rpartition("-")[2])
