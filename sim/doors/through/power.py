"""Power: what of a program's data directory is durable, kept by its doors for a loss of power.

SIGKILL leaves the page cache; so the doors write down what each sync covered, and keep a second
name for every file whose last name goes. Who cuts the power (`undo` of what is not written down)
does it when the program is dead.

**Faithful**: bytes and names count as durable when the sync that covers them has returned, over
all incarnations. A sync that fails marks what it had to write as clean: another sync does not cover
that, unless its page was written to again (Rebello et al., "Can Applications Recover from fsync
Failures?", ATC 2020).
**Simplified**: files only grow: bytes written over are durable at once.
"""

import json
import os
from pathlib import Path
from typing import Any

PAGE = 4096

_open, _write, _close = os.open, os.write, os.close
_link, _stat, _fstat, _scandir, _isdir = os.link, os.stat, os.fstat, os.scandir, os.path.isdir


class Ledger:
    """The ledger of syncs of one data directory, `home`; kept in the file `path`.

    A line is ``{"names": {name: inode}, "sizes": {inode: bytes}}``: what a sync covered, or
    ``{"failed": {inode: bytes}}``: what one did not. Dead files are kept by inode in the folder
    ``path + ".dead"``.
    """

    def __init__(self, path: str, home: str) -> None:
        self.path, self.home = path, home
        self.dead = f"{path}.dead"
        if not os.path.exists(path):
            self._begin()

    def synced(self, descriptor: int) -> None:
        """Write down what a sync that has returned has made durable."""
        status = _fstat(descriptor)
        where = os.readlink(f"/proc/self/fd/{descriptor}")
        if where == self.home:
            self._note({"names": names(self.home)})
        elif where.startswith(self.home + "/"):
            self._note({"sizes": {str(status.st_ino): status.st_size}})

    def failed(self, descriptor: int) -> None:
        """Write down that a sync of a file has failed."""
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(self.home + "/"):
            status = _fstat(descriptor)
            self._note({"failed": {str(status.st_ino): status.st_size}})

    def going(self, path: Any) -> None:
        """Keep the file called `path`, whose name is about to go or to be another's."""
        where = os.path.abspath(os.fsdecode(path))
        if os.path.dirname(where) != self.home or not os.path.exists(where):
            return
        kept = f"{self.dead}/{_stat(where).st_ino}"
        if not os.path.exists(kept):
            _link(where, kept)

    def _begin(self) -> None:
        """Take what is there for durable: nobody has kept account of it."""
        os.makedirs(self.dead, exist_ok=True)
        with _scandir(self.home) as entries:
            sizes = {str(each.inode()): each.stat().st_size for each in entries if each.is_file()}
        self._note({"names": names(self.home), "sizes": sizes})

    def _note(self, note: dict[str, Any]) -> None:
        descriptor = _open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _write(descriptor, json.dumps(note).encode() + b"\n")
        _close(descriptor)


def names(home: str) -> dict[str, int]:
    """Return the files of a directory, by name, as inodes."""
    with _scandir(home) as entries:
        return {each.name: each.inode() for each in entries if each.is_file()}


class Durable:
    """What a ledger says is durable: inodes by name, sizes by inode.

    `given_up` are the stretches, by inode, that a failed sync had to write and no other one will.
    """

    def __init__(self, path: Path) -> None:
        self.names: dict[str, int] = {}
        self.sizes: dict[int, int] = {}
        self.given_up: dict[int, list[tuple[int, int]]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            self._read(json.loads(line))

    def _read(self, note: dict[str, Any]) -> None:
        self.names = note.get("names", self.names)
        for word, size in note.get("failed", {}).items():
            start = self.sizes.get(int(word), 0)
            if size > start:
                self.given_up.setdefault(int(word), []).append((start, size))
        for word, size in note.get("sizes", {}).items():
            self.sizes[int(word)] = size
            self._rescue(int(word), size)

    def _rescue(self, inode: int, size: int) -> None:
        """Take out the pages that were written to again, at their end, before this sync."""
        left = [
            (start, end if end == size else end - end % PAGE)
            for start, end in self.given_up.get(inode, ())
        ]
        self.given_up[inode] = [(start, end) for start, end in left if start < end]
