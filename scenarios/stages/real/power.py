"""Power loss of a program's host: its data directory is left as only its syncs have made it.

What its doors wrote down as durable stays (`sim.doors.through.power`). Of the other bytes at the
end of a file any part may stay, of the other changes of names each may or may not, by the seed. Of
the pages that a failed sync gave up some hold zeros, at least one of them.

**Simplified**: names fall back all or none, as with an ordered journal; connections are closed
by the operating system, so that peers are told at once, which a host without power does not do.
"""

import os
import random
import shutil
from pathlib import Path

from sim.disk import BYTES_KEPT, Damage, FileDamage
from sim.doors.through.power import PAGE, Durable, names


def undo(home: Path, ledger: Path, called: str, stream: random.Random) -> Damage:
    """Take away what was not durable in `home`; `called` is its path in plans.

    The ledger is removed: what is left is durable.
    """
    if not ledger.exists():
        return Damage()
    dead = Path(f"{ledger}.dead")
    durable = Durable(ledger)
    undone = _undo_names(home, dead, durable.names) if stream.random() < 0.5 else []
    paths = [path for path in sorted(home.iterdir()) if path.is_file()]
    files = [_lose(path, durable, called, stream) for path in paths]
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


def _lose(path: Path, durable: Durable, called: str, stream: random.Random) -> FileDamage | None:
    """Cut a file somewhere behind what is durable of it, and blank pages that were given up."""
    inode, before = path.stat().st_ino, path.read_bytes()
    unsynced = len(before) - min(durable.sizes.get(inode, 0), len(before))
    given_up = durable.given_up.get(inode, [])
    if not unsynced and not given_up:
        return None
    cut = unsynced - stream.choice((0, stream.randint(0, unsynced), unsynced)) if unsynced else 0
    after = bytearray(before[: len(before) - cut])
    zeros = sum(_blank(after, *stretch, stream) for stretch in given_up)
    path.write_bytes(after)
    differing = [i for i, byte in enumerate(after) if byte != before[i]]
    at = differing[0] if differing else len(after)
    end = len(before) if cut or not differing else differing[-1] + 1
    return FileDamage(
        path=f"{called}/{path.name}",
        unsynced_bytes=max(unsynced, sum(end - start for start, end in given_up)),
        bytes_lost=cut + zeros,
        sectors_kept=0,
        sectors_lost=0,
        sectors_torn=0,
        sectors_undecided=0,
        zeros=zeros,
        size_before=len(before),
        size_after=len(after),
        offset=at,
        wanted=before[at:end][:BYTES_KEPT],
        left=bytes(after[at:end][:BYTES_KEPT]),
    )


def _blank(content: bytearray, start: int, end: int, stream: random.Random) -> int:
    """Let some pages of a stretch hold zeros; return how many bytes that are."""
    pages = range(start // PAGE, (end - 1) // PAGE + 1)
    lost = [page for page in pages if stream.random() < 0.5] or [stream.choice(pages)]
    zeros = 0
    for page in lost:
        low = max(start, page * PAGE)
        high = min(end, (page + 1) * PAGE, len(content))
        if low < high:
            content[low:high] = bytes(high - low)
            zeros += high - low
    return zeros
