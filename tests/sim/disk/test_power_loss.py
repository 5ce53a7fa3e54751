"""What power losses may leave, for every profile, against a model that knows what is legal."""

import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.disk import PAGE, PROFILES, Chosen, Damage, Disk, Inode

_DIRECTORY = "/var/lib/log"
_NAMES = ("a", "b", "c")


class _Model:
    """Knows of each file all contents since its last sync, and of each name all holders."""

    def __init__(self, profile: str, seed: int) -> None:
        self.disk = Disk(profile, random.Random(seed))
        self.disk.make_directories(_DIRECTORY)
        self.histories: dict[Inode, list[bytes]] = {}
        self.holders: dict[str, list[Inode | None]] = {name: [None] for name in _NAMES}

    def path(self, name: str) -> str:
        return f"{_DIRECTORY}/{name}"

    def carry_out(self, call: str, name: str, *args: Any) -> None:
        inode = self.disk.names.lookup(self.path(name))
        if call == "create":
            if inode is None:
                self.hold(name, self.disk.names.create(self.path(name), 0o644))
        elif call == "sync directory":
            above = self.disk.names.find(_DIRECTORY)
            self.disk.sync(above, self.disk.mark(above))
            self.holders = {name: holders[-1:] for name, holders in self.holders.items()}
        elif inode is not None:
            getattr(self, call)(name, inode, *args)

    def hold(self, name: str, inode: Inode | None) -> None:
        self.holders[name].append(inode)
        if inode is not None:
            self.histories.setdefault(inode, [b""])

    def note(self, inode: Inode) -> None:
        self.histories[inode].append(bytes(inode.data))

    def append(self, name: str, inode: Inode, content: bytes) -> None:
        self.disk.write(inode, len(inode.data), content)
        self.note(inode)

    def overwrite(self, name: str, inode: Inode, content: bytes) -> None:
        self.disk.write(inode, len(inode.data) // 3, content)
        self.note(inode)

    def truncate(self, name: str, inode: Inode, size: int) -> None:
        self.disk.truncate(inode, size)
        self.note(inode)

    def sync(self, name: str, inode: Inode) -> None:
        self.disk.sync(inode, self.disk.mark(inode))
        self.histories[inode] = self.histories[inode][-1:]

    def unlink(self, name: str, inode: Inode) -> None:
        self.disk.bury(self.path(name), self.disk.names.unlink(self.path(name)))
        self.hold(name, None)

    def rename(self, name: str, inode: Inode, other: str) -> None:
        if name != other:
            _, replaced = self.disk.names.rename(self.path(name), self.path(other))
            if replaced is not None:
                self.disk.forget(replaced)
            self.hold(other, inode)
            self.hold(name, None)

    def check(self, damage: Damage) -> None:
        """Everything found is legal, and nothing synced is lost."""
        if self.disk.profile.write_through:
            assert not damage.bites
        for name, holders in self.holders.items():
            inode = self.disk.names.lookup(self.path(name))
            assert inode in holders, f"{name} is held by what never held it"
            if inode is not None:
                self.check_content(self.histories[inode], bytes(inode.data))
        inodes = {inode for _, inode in self.disk.names.walk()}  # a file may have two names
        assert self.disk.used == sum(len(inode.data) for inode in inodes)
        assert self.disk.cached_files() == self.disk.durable_files()

    def check_content(self, versions: list[bytes], found: bytes) -> None:
        synced = versions[0]
        sizes = [len(version) for version in versions]
        between = len(found) % PAGE == 0 and min(sizes) <= len(found) <= max(sizes)
        assert between or len(found) in sizes
        if self.disk.profile.append == "garbage":
            found = found[: len(synced)]
        blank = self.disk.profile.append != "after-data"
        shrunk = min(sizes) < len(synced)
        for at, byte in enumerate(found):
            legal = {version[at] for version in versions if at < len(version)}
            if shrunk or (blank and at >= len(synced)):
                legal.add(0)
            assert byte in legal, f"byte {at} is {byte}, which was never there"
        if len(versions) == 1:
            assert found == synced[: len(found)]
            assert len(found) == len(synced) or self.disk.profile.append == "garbage"


_CONTENTS = st.tuples(st.integers(1, 255), st.sampled_from((1, 100, 511, 512, 700, 5000))).map(
    lambda drawn: bytes([drawn[0]]) * drawn[1]
)
_NAME = st.sampled_from(_NAMES)
_CALLS = st.one_of(
    st.tuples(st.just("create"), _NAME),
    st.tuples(st.just("append"), _NAME, _CONTENTS),
    st.tuples(st.just("append"), _NAME, _CONTENTS),
    st.tuples(st.just("overwrite"), _NAME, _CONTENTS),
    st.tuples(st.just("truncate"), _NAME, st.sampled_from((0, 10, 600, 6000))),
    st.tuples(st.just("sync"), _NAME),
    st.tuples(st.just("sync directory"), _NAME),
    st.tuples(st.just("unlink"), _NAME),
    st.tuples(st.just("rename"), _NAME, _NAME),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(PROFILES)),
    st.integers(0, 2**32),
    st.lists(_CALLS, max_size=25),
    st.lists(_CALLS, max_size=8),
)
def test_every_image_after_a_power_loss_is_legal(
    profile: str, seed: int, first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]
) -> None:
    model = _Model(profile, seed)
    for name in _NAMES[:2]:
        model.carry_out("create", name)
        model.carry_out("append", name, b"s" * 900)
        model.carry_out("sync", name)
    model.carry_out("sync directory", "a")
    for calls in (first, second):
        for call in calls:
            model.carry_out(*call)
        model.check(model.disk.power_loss())
        left = model.disk.cached_files()
        assert not model.disk.power_loss().bites, "what a power loss left, the next one leaves"
        assert model.disk.cached_files() == left
        for name in _NAMES:
            inode = model.disk.names.lookup(model.path(name))
            model.holders[name] = [inode]
            if inode is not None:
                model.histories[inode] = [bytes(inode.data)]


def _log(profile: str, seed: int = 0, **options: Any) -> tuple[Disk, Inode]:
    disk = Disk(profile, random.Random(seed), **options)
    disk.put("/var/lib/log", b"s" * 700)
    return disk, disk.names.find("/var/lib/log")


def _outcomes(profile: str) -> set[str]:
    """Name what 200 power losses did to a log with 3000 un-synced bytes and a new name."""
    seen: set[str] = set()
    for seed in range(200):
        disk, log = _log(profile, seed)
        disk.write(log, 700, b"z" * 3000)
        disk.write(log, 3700, b"z" * 5000)
        disk.names.rename("/var/lib/log", "/var/lib/new")
        damage = disk.power_loss()
        path = "/var/lib/log" if damage.undone else "/var/lib/new"
        seen.add("rename lost" if damage.undone else "rename kept")
        tail = (disk.cached(path) or b"")[700:]
        whole = "nothing" if not tail else "all" if tail == b"z" * 8000 else "part"
        seen.add(whole)
        seen.update({"torn"} if any(file.torn for file in damage.files) else ())
        seen.update({"zeros"} if b"\0" in tail else ())
        seen.update({"hole"} if b"\0" * 512 in tail.rstrip(b"\0") else ())
        seen.update({"garbage"} if tail.strip(b"z\0") else ())
    return seen


def test_many_seeds_reach_every_state_that_a_profile_allows_and_no_other() -> None:
    always = {"rename lost", "rename kept", "nothing", "all", "part", "torn"}
    assert _outcomes("ideal") == {"rename kept", "all"}
    assert _outcomes("btrfs") == always
    assert _outcomes("ext4-ordered") == always | {"zeros", "hole"}
    assert _outcomes("posix") == always | {"zeros", "hole"}
    assert _outcomes("weak") - {"zeros", "hole"} == always | {"garbage"}


def _all_images(profile: str, *, lazy: bool) -> set[bytes]:
    images: set[bytes] = set()
    choices: tuple[int, ...] | None = ()
    while choices is not None:
        chance = Chosen(choices)
        disk, log = _log(profile, chance=chance, lazy=lazy)
        disk.write(log, 300, b"x" * 300)
        disk.write(log, 700, b"y" * 500)
        disk.power_loss()
        images.add(disk.cached("/var/lib/log") or b"")
        choices = chance.following()
    return images


@pytest.mark.parametrize("profile", ["ext4-ordered", "posix", "weak"])
def test_deciding_sectors_when_they_are_read_gives_the_same_images(profile: str) -> None:
    eager = _all_images(profile, lazy=False)
    assert eager == _all_images(profile, lazy=True)
    assert len(eager) > 8


def test_an_undecided_sector_stays_open_until_somebody_reads_it() -> None:
    disk, log = _log("posix", chance=Chosen((1, 0, 1)), lazy=True)
    disk.write(log, 0, b"n" * 700)
    damage = disk.power_loss()
    assert damage.files[0].sectors_undecided == 2
    assert disk.power_loss().bites == 0
    assert disk.read(log, 512, 188) in {b"n" * 188, b"s" * 188}
    assert len(log.undecided) == 1
    disk.write(log, 0, b"w")
    assert not log.undecided


def test_a_sync_covers_what_was_written_before_it_began() -> None:
    disk, log = _log("posix")
    disk.write(log, 700, b"early")
    mark = disk.mark(log)
    disk.write(log, 705, b"late")
    disk.sync(log, mark)
    assert disk.durable("/var/lib/log") == b"s" * 700 + b"early"
    disk.power_loss(Chosen())
    disk.sync(log, mark)  # of a life before: nothing
    assert disk.cached("/var/lib/log") == b"s" * 700 + b"early"


def test_a_replaced_file_comes_back_if_the_rename_is_lost() -> None:
    disk, _ = _log("posix")
    disk.names.create("/var/lib/new", 0o644)
    disk.names.rename("/var/lib/new", "/var/lib/log")
    damage = disk.power_loss(Chosen())
    assert disk.cached("/var/lib/log") == b"s" * 700
    assert "rename /var/lib/new -> /var/lib/log" in damage.undone
    assert any("undone: rename" in line for line in damage.lines())


def test_a_file_without_a_durable_name_is_lost_though_its_data_was_synced() -> None:
    for profile, survives in (("posix", False), ("ext4-ordered", True)):
        disk = Disk(profile)
        new = disk.names.create("/var/lib/new", 0o644)
        disk.write(new, 0, b"data")
        disk.sync(new, disk.mark(new))
        disk.power_loss(Chosen())
        assert (disk.cached("/var/lib/new") == b"data") is survives


def test_damage_says_what_was_lost_in_numbers() -> None:
    disk, log = _log("posix")
    disk.write(log, 700, b"z" * 1000)
    damage = disk.power_loss(Chosen((1,)))  # the size, but no sector
    assert damage.files[0].size_after == 1700
    assert damage.files[0].zeros == damage.bytes_lost == 1000
    assert "1000 of 1000 un-synced bytes lost" in damage.lines()[0]


@given(
    profile=st.sampled_from(sorted(PROFILES)),
    seed=st.integers(0, 10**6),
    writes=st.lists(
        st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=900)), min_size=1
    ),
)
@example(profile="weak", seed=0, writes=[(1545, b"\0")])  # garbage in the hole before a write
@settings(max_examples=80, deadline=None)
def test_damage_shows_what_stood_there_and_what_is_left(
    profile: str, seed: int, writes: list[tuple[int, bytes]]
) -> None:
    disk = Disk(profile, random.Random(seed))
    disk.put("/f", bytes(range(256)) * 5)
    file = disk.names.find("/f")
    for offset, content in writes:
        disk.write(file, offset, content)
    seen = disk.cached("/f") or b""

    damage = disk.power_loss()

    left = disk.cached("/f") or b""
    for found in damage.files:
        assert seen[found.offset :].startswith(found.wanted)
        assert left[found.offset :].startswith(found.left)
        assert (found.wanted != found.left) == (found.bytes_lost > 0)


def test_a_copy_goes_its_own_way() -> None:
    disk, log = _log("posix")
    disk.write(log, 700, b"pending")
    disk.names.rename("/var/lib/log", "/var/lib/new")
    twin = disk.copy(random.Random(1))
    twin.power_loss(Chosen())
    assert twin.cached("/var/lib/log") == b"s" * 700
    assert disk.cached("/var/lib/new") == b"s" * 700 + b"pending"
    assert disk.cached("/var/lib/log") is None
