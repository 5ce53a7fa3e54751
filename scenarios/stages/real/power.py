"""Power loss of a program's host: its data directory is left as only its syncs have made it.

What its doors wrote down as durable stays (`sim.doors.through.power`). Of the other bytes at the
end of a file any part may stay, of the other changes of names each may or may not, by the seed.

**Simplified**: names fall back all or none, as with an ordered journal; connections are closed
by the operating system, so that peers are told at once, which a host without power does not do.
"""

import os
import random
import shutil
from pathlib import Path

from sim.disk import BYTES_KEPT, Damage, FileDamage
from sim.doors.through.power import durable, names


def undo(home: Path, ledger: Path, called: str, stream: random.Random) -> Damage:
    """Take away what was not durable in `home`; `called` is its path in plans.

    The ledger is removed: what is left is durable.
    """
    if not ledger.exists():
        return Damage()
    dead = Path(f"{ledger}.dead")
    kept, sizes = durable(ledger)
    undone = _undo_names(home, dead, kept) if stream.random() < 0.5 else []
    files = [_cut(path, sizes, called, stream) for path in sorted(home.iterdir()) if path.is_file()]
    ledger.unlink()
    shutil.rmtree(dead, ignore_errors=True)
    return Damage(files=tuple(file for file in files if file is not None), undone=tuple(undone))


def _undo_names(home: Path, dead: Path, kept: dict[str, int]) -> list[str]:
    """Give the directory the names it durably has; return what was undone, in words."""
    seen = names(str(home))
    undone: list[str] = []
    inodes = {inode: home / name for name, inode in seen.items()}
    aside = {inode: dead / str(inode) for inode in kept.values()}
    for inode, keeper in aside.items():  # so that no file is lost while names move
        if not keeper.exists() and inode in inodes:
            os.link(inodes[inode], keeper)
    for name, inode in seen.items():
        if kept.get(name) != inode:
            (home / name).unlink()
            undone.append(f"{name} appeared")
    for name, inode in kept.items():
        if seen.get(name) != inode and aside[inode].exists():
            os.link(aside[inode], home / name)
            undone.append(f"{name} went")
    return undone


def _cut(
    path: Path, sizes: dict[int, int], called: str, stream: random.Random
) -> FileDamage | None:
    """Cut a file somewhere behind what is durable of it."""
    status = path.stat()
    synced = min(sizes.get(status.st_ino, 0), status.st_size)
    unsynced = status.st_size - synced
    if not unsynced:
        return None
    left = stream.choice((0, stream.randint(0, unsynced), unsynced))
    wanted = path.read_bytes()[synced + left :]
    os.truncate(path, synced + left)
    return FileDamage(
        path=f"{called}/{path.name}",
        unsynced_bytes=unsynced,
        bytes_lost=unsynced - left,
        sectors_kept=0,
        sectors_lost=0,
        sectors_torn=0,
        sectors_undecided=0,
        zeros=0,
        size_before=status.st_size,
        size_after=synced + left,
        offset=synced + left,
        wanted=wanted[:BYTES_KEPT],
    )
