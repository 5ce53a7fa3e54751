"""Profiles: what a file system and its drive promise about data that nobody has synced yet.

Sources: fsync(2), rename(2); ext4's documentation of ``data=ordered`` and ``auto_da_alloc``;
Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014); Rebello et al., "Can
Applications Recover from fsync Failures?" (ATC 2020); Linux ``Documentation/core-api/errseq.rst``.
"""

from dataclasses import dataclass
from typing import Literal

SECTOR = 512
PAGE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One file system on one drive.

    `atomic_unit`: bytes that a power loss never splits; below a sector, sectors tear.
    `append`: what the end of a grown file may hold if its data did not arrive. ``after-data``:
    nothing, the size follows the data; ``after-blocks``: zeros, but only within the block in
    which the file ended before.
    `ordered_journal`: directory operations survive in order; otherwise any subset of them does.
    `sync_commits_names`: syncing a file also makes earlier directory operations durable.
    `replace_flushes`: renaming over an existing file writes the new one's data first.
    `sync_failure`: pages of a failed fsync are marked ``clean`` though they are not durable, or
    ``revert`` to what is durable, or stay ``dirty``.
    """

    name: str
    write_through: bool = False
    atomic_unit: Literal[8, 512, 4096] = 512
    append: Literal["after-data", "after-blocks", "zeros", "garbage"] = "zeros"
    ordered_journal: bool = False
    sync_commits_names: bool = False
    rename_atomic: bool = True
    replace_flushes: bool = False
    sync_failure: Literal["clean", "revert", "dirty"] = "clean"
    sync_least_ns: int = 100_000
    sync_mean_ns: int = 400_000
    sync_most_ns: int = 2_000_000


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(name="ideal", write_through=True),
        Profile(
            name="ext4-ordered",
            append="after-blocks",
            ordered_journal=True,
            sync_commits_names=True,
            replace_flushes=True,
        ),
        Profile(
            name="btrfs",
            append="after-data",
            atomic_unit=4096,
            replace_flushes=True,
            sync_failure="revert",
        ),
        Profile(name="posix"),
        Profile(name="weak", atomic_unit=8, append="garbage", rename_atomic=False),
    )
}
