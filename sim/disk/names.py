"""Names: directories in the page cache, the journal of operations on them, what of it is durable.

A directory operation is a list of steps (directory, name, inode or None for no entry). Steps are
applied to the cached entries at once and to the durable ones when the journal is committed.
"""

import errno
import os
from collections.abc import Iterator

from sim.disk.inode import Inode

NAME_MAX = 255

Step = tuple[Inode, str, Inode | None]


class Change:
    """One directory operation that is not durable yet."""

    __slots__ = ("flushed", "number", "steps", "text")

    def __init__(self, number: int, text: str, steps: list[Step]) -> None:
        self.number = number
        self.text = text
        self.steps = steps
        self.flushed: tuple[Inode, int] | None = None  # (inode, operations) written with it


def failure(number: int, path: str, other: str | None = None) -> OSError:
    """Return the OSError that the system would raise."""
    if other is None:
        return OSError(number, os.strerror(number), path)
    return OSError(number, os.strerror(number), path, None, other)


class Names:
    """The tree of directories of one disk. Paths are absolute and without ``.`` and ``..``."""

    def __init__(self, *, write_through: bool = False) -> None:
        self.write_through = write_through  # operations are durable at once
        self.inodes = 1
        self.root = Inode(2, "/", 0o40755, directory=True)
        self.root.links = 2
        self.journal: list[Change] = []
        self.changes = 0

    def lookup(self, path: str) -> Inode | None:
        """Return what `path` names, None if nothing; NotADirectoryError below a file."""
        found = self.root
        for name in path.split("/"):
            if name:
                entries = found.entries
                if entries is None:
                    raise failure(errno.ENOTDIR, path)
                following = entries.get(name)
                if following is None:
                    return None
                found = following
        return found

    def find(self, path: str) -> Inode:
        """Return what `path` names or raise FileNotFoundError."""
        found = self.lookup(path)
        if found is None:
            raise failure(errno.ENOENT, path)
        return found

    def parent(self, path: str) -> tuple[Inode, str]:
        """Return the directory that holds (or will hold) `path`, and the name in it."""
        above, _, name = path.rpartition("/")
        if len(name) > NAME_MAX:
            raise failure(errno.ENAMETOOLONG, path)
        directory = self.lookup(above or "/")
        if directory is None:
            raise failure(errno.ENOENT, path)
        if directory.entries is None:
            raise failure(errno.ENOTDIR, path)
        return directory, name

    def create(self, path: str, mode: int, *, directory: bool = False) -> Inode:
        """Make a new file or directory; FileExistsError if the name is taken."""
        above, name = self.parent(path)
        assert above.entries is not None
        if not name or name in above.entries:
            raise failure(errno.EEXIST, path)
        self.inodes += 1
        kind = 0o40000 if directory else 0o100000
        made = Inode(self.inodes + 10, path, kind | mode & 0o7777, directory=directory)
        made.links = 1
        if directory:
            made.links = 2
            above.links += 1
        self._carry_out(f"{'mkdir' if directory else 'create'} {path}", [(above, name, made)])
        return made

    def unlink(self, path: str) -> Inode:
        """Take a file's name away; return the file."""
        above, name = self.parent(path)
        gone = self.find(path)
        if gone.entries is not None:
            raise failure(errno.EISDIR, path)
        gone.links -= 1
        self._carry_out(f"unlink {path}", [(above, name, None)])
        return gone

    def rmdir(self, path: str) -> None:
        """Remove an empty directory."""
        if path == "/":
            raise failure(errno.EBUSY, path)
        above, name = self.parent(path)
        gone = self.find(path)
        if gone.entries is None:
            raise failure(errno.ENOTDIR, path)
        if gone.entries:
            raise failure(errno.ENOTEMPTY, path)
        gone.links = 0
        above.links -= 1
        self._carry_out(f"rmdir {path}", [(above, name, None)])

    def link(self, source: str, target: str) -> None:
        """Give a file another name."""
        inode = self.find(source)
        above, name = self.parent(target)
        if self.lookup(target) is not None:
            raise failure(errno.EEXIST, source, target)
        if inode.entries is not None:
            raise failure(errno.EPERM, source, target)
        inode.links += 1
        self._carry_out(f"link {source} -> {target}", [(above, name, inode)])

    def rename(self, source: str, target: str) -> tuple[Change | None, Inode | None]:
        """Move `source` to `target`; return the change and what it replaced."""
        try:
            old_parent, old_name = self.parent(source)
            new_parent, new_name = self.parent(target)
            moved = self.find(source)
            replaced = self.lookup(target)
        except OSError as error:
            raise failure(error.errno or errno.EIO, source, target) from None
        if replaced is moved:
            return None, None
        self._check_rename(moved, replaced, source, target)
        if replaced is not None:
            replaced.links -= 1
        if moved.entries is not None:
            old_parent.links -= 1
            new_parent.links += replaced is None or new_parent is not old_parent
            if replaced is not None:
                replaced.links = 0
                new_parent.links -= new_parent is not old_parent
        steps: list[Step] = [(new_parent, new_name, moved), (old_parent, old_name, None)]
        change = self._carry_out(f"rename {source} -> {target}", steps)
        _rename_paths(moved, target)
        return change, replaced

    def _check_rename(self, moved: Inode, replaced: Inode | None, source: str, target: str) -> None:
        if moved.entries is not None and target.startswith(source.rstrip("/") + "/"):
            raise failure(errno.EINVAL, source, target)
        if source.startswith(target.rstrip("/") + "/"):
            raise failure(errno.ENOTEMPTY, source, target)
        if replaced is None:
            return
        if replaced.entries is None:
            if moved.entries is not None:
                raise failure(errno.ENOTDIR, source, target)
        elif moved.entries is None:
            raise failure(errno.EISDIR, source, target)
        elif replaced.entries:
            raise failure(errno.ENOTEMPTY, source, target)

    def _carry_out(self, text: str, steps: list[Step]) -> Change:
        self.changes += 1
        change = Change(self.changes, text, steps)
        for directory, name, inode in steps:
            assert directory.entries is not None
            if inode is None:
                del directory.entries[name]
            else:
                directory.entries[name] = inode
        if self.write_through:
            apply(change)
        else:
            self.journal.append(change)
        return change

    def commit(self, up_to: int, directory: Inode | None = None) -> None:
        """Make changes numbered at most `up_to` durable: all, or those that touch `directory`."""
        kept: list[Change] = []
        for change in self.journal:
            touches = directory is None or any(step[0] is directory for step in change.steps)
            if change.number <= up_to and touches:
                self._apply(change, kept)
            else:
                kept.append(change)
        self.journal = kept

    def _apply(self, change: Change, earlier: list[Change]) -> None:
        """Make one change durable; what earlier ones wanted with these names is history."""
        apply(change)
        names = {(step[0], step[1]) for step in change.steps}
        for other in earlier:
            other.steps = [step for step in other.steps if (step[0], step[1]) not in names]

    def copy(self) -> "Names":
        """Return an independent copy of the tree and the journal."""
        twin = Names(write_through=self.write_through)
        twin.inodes, twin.changes = self.inodes, self.changes
        copies: dict[Inode, Inode] = {}
        twin.root = _copy(self.root, copies)
        for change in self.journal:
            steps = [
                (_copy(above, copies), name, inode and _copy(inode, copies))
                for above, name, inode in change.steps
            ]
            copied = Change(change.number, change.text, steps)
            if change.flushed is not None:
                copied.flushed = (_copy(change.flushed[0], copies), change.flushed[1])
            twin.journal.append(copied)
        return twin

    def walk(self) -> Iterator[tuple[str, Inode]]:
        """Yield every path below the root with its inode, sorted within each directory."""
        return _walk("", self.root, durable=False)

    def walk_durable(self) -> Iterator[tuple[str, Inode]]:
        """Yield what is certain to be there after a power loss."""
        return _walk("", self.root, durable=True)


def apply(change: Change) -> None:
    """Apply the steps of `change` to the durable entries."""
    for directory, name, inode in change.steps:
        if inode is None:
            directory.durable_entries.pop(name, None)
        else:
            directory.durable_entries[name] = inode
    if change.flushed is not None:
        inode, end = change.flushed
        inode.apply(max(end - inode.first, 0))


def _walk(prefix: str, directory: Inode, *, durable: bool) -> Iterator[tuple[str, Inode]]:
    entries = directory.durable_entries if durable else directory.entries or {}
    for name in sorted(entries):
        path, inode = f"{prefix}/{name}", entries[name]
        yield path, inode
        if inode.entries is not None:
            yield from _walk(path, inode, durable=durable)


def _rename_paths(inode: Inode, path: str) -> None:
    inode.path = path
    for name, below in (inode.entries or {}).items():
        _rename_paths(below, f"{path}/{name}")


def _copy(inode: Inode, copies: dict[Inode, Inode]) -> Inode:
    twin = copies.get(inode)
    if twin is None:
        twin = copies[inode] = inode.copy()
        if twin.entries is not None:
            twin.entries = {name: _copy(below, copies) for name, below in twin.entries.items()}
        durable = twin.durable_entries
        twin.durable_entries = {name: _copy(below, copies) for name, below in durable.items()}
    return twin
