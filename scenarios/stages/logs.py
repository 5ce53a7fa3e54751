"""UBSCore's log as evidence: all of it, also what snapshots have made superfluous."""

from system.wal.reader import effective


def whole(files: dict[str, bytes], deleted: dict[str, bytes]) -> dict[str, bytes]:
    """Return a log's files with those that were cut off before the first of them."""
    if not files:
        return files
    first = min(_first_lsn(name) for name in effective(files)[0])
    return {**{n: c for n, c in deleted.items() if _first_lsn(n) < first}, **files}


def _first_lsn(name: str) -> int:
    return int(name.removesuffix(".log").rpartition("-")[2])
