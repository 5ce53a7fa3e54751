"""The disk of one host: what faults do to it, what the harness puts there and finds there."""

import random

from sim.disk.chance import Chance
from sim.disk.damage import Damage, FileDamage, Interrupted
from sim.disk.inode import Inode
from sim.disk.powerloss import lose_content, lose_names
from sim.disk.profile import Profile
from sim.disk.syncing import Syncing
from sim.disk.trouble import Rule

_DIRECTORIES = ("/etc", "/tmp", "/var/lib", "/var/log", "/var/tmp", "/home", "/run")


class Disk(Syncing):
    """One file system on one drive. The caller says what time it is and waits; nothing blocks.

    With `lazy`, a sector that may hold several contents after a power loss is decided when it is
    first read, and stays open through further power losses until then.
    """

    def __init__(
        self,
        profile: Profile | str = "ext4-ordered",
        stream: random.Random | None = None,
        *,
        capacity: int = 1 << 34,
        chance: Chance | None = None,
        lazy: bool = False,
    ) -> None:
        super().__init__(profile, stream or random.Random(0), capacity, chance)
        self.lazy = lazy
        self.rules: list[Rule] = []
        self.read_only = False
        self.interrupted: list[Interrupted] = []
        self.keeps = ""  # what begins like this is kept aside when it is deleted, for evidence
        self.kept: dict[str, bytes] = {}
        for path in _DIRECTORIES:
            self.make_directories(path)

    def bury(self, path: str, inode: Inode) -> None:
        """Let go of a file whose name was taken away."""
        if self.keeps and path.startswith(self.keeps):
            self.kept.setdefault(path, self._content(inode))  # a lost unlink may come again
        self.forget(inode)

    def inject(
        self,
        door: str,
        error: int,
        path: str = "*",
        *,
        times: int | None = None,
        short: int | None = None,
    ) -> Rule:
        """Let calls at `door` fail: ``os.write os.read os.fsync open os.rename os.unlink ...``."""
        rule = Rule(door, error, path, times, short)
        self.rules.append(rule)
        return rule

    def heal(self, rule: Rule) -> None:
        """Take a rule away; harmless if it is gone."""
        if rule in self.rules:
            self.rules.remove(rule)

    def failing(self, door: str, path: str) -> Rule | None:
        """Return the rule by which this call fails, if there is one; doors ask if `rules`."""
        for rule in self.rules:
            if rule.strikes(door, path):
                return rule
        return None

    def damage_sector(self, path: str, sector: int) -> None:
        """Make a sector unreadable until it is written in full."""
        self.names.find(path).bad.add(sector)

    def rot(self, path: str, offset: int, bit: int = 0) -> None:
        """Flip a bit on the drive, for good."""
        inode = self.names.find(path)
        self._decide(inode, offset, 1)
        for content in (inode.data, inode.durable):
            if offset < len(content):
                content[offset] ^= 1 << bit

    def power_loss(self, chance: Chance | None = None) -> Damage:
        """Lose the page cache and the drive's cache; return what that destroyed."""
        chance = chance or self.chance
        chance.begin()
        self.life += 1
        undone, kept = lose_names(self.names, self.profile, chance)
        damages: list[FileDamage] = []
        found: dict[Inode, int] = {}
        for _, inode in self.names.walk():
            found[inode] = found.get(inode, 0) + 1
        self.used = 0
        for inode, links in found.items():
            inode.locks, inode.opens, inode.failures_seen = None, 0, True
            if inode.entries is None:
                inode.links = links
                damage = lose_content(inode, self.profile, chance, lazy=self.lazy)
                self.used += len(inode.data)
                if damage is not None:
                    damages.append(damage)
        return Damage(files=tuple(damages), undone=undone, kept=kept)

    def make_directories(self, path: str) -> None:
        """Make a directory and those above it, durable at once."""
        made = ""
        for name in path.strip("/").split("/"):
            made = f"{made}/{name}"
            if self.names.lookup(made) is None:
                self.names.create(made, 0o755, directory=True)
        self.names.commit(self.names.changes)

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Put a file there, durable at once; its directories too."""
        above = path.rpartition("/")[0]
        if above:
            self.make_directories(above)
        inode = self.names.lookup(path) or self.names.create(path, mode)
        self.truncate(inode, 0)
        self.write(inode, 0, bytes(content))
        inode.apply(len(inode.pending))
        self.names.commit(self.names.changes)

    def cached(self, path: str) -> bytes | None:
        """Return what a program would read there now; None if there is no such file."""
        inode = self.names.lookup(path)
        return None if inode is None or inode.entries is not None else self._content(inode)

    def _content(self, inode: Inode) -> bytes:
        if inode.undecided:
            self._decide(inode, 0, len(inode.data))
        return bytes(inode.data)

    def durable(self, path: str) -> bytes | None:
        """Return what a power loss could not take; None if the file might be gone."""
        return self.durable_files(path).get(path)

    def cached_files(self, under: str = "/") -> dict[str, bytes]:
        """Return the files at or below `under` as programs see them."""
        return {
            path: self._content(inode)
            for path, inode in self.names.walk()
            if inode.entries is None and _is_under(path, under)
        }

    def durable_files(self, under: str = "/") -> dict[str, bytes]:
        """Return the files at or below `under` that no power loss can take, as they then are."""
        files = {}
        for path, inode in self.names.walk_durable():
            if inode.entries is None and _is_under(path, under):
                self._decide(inode, 0, len(inode.durable))
                files[path] = bytes(inode.durable)
        return files

    def copy(self, stream: random.Random | None = None) -> "Disk":
        """Return an independent copy of the state; rules and open files stay behind."""
        twin = Disk(self.profile, stream or self.stream, capacity=self.capacity, lazy=self.lazy)
        twin.names, twin.used, twin.read_only = self.names.copy(), self.used, self.read_only
        return twin


def _is_under(path: str, under: str) -> bool:
    return path == under or path.startswith(under.rstrip("/") + "/")
