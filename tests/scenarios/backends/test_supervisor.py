"""The owner of a back end: what it starts is stopped with it, however it ends."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from scenarios.backends import state
from scenarios.backends.identity import Identity
from tests.scenarios.backends.small import Script, Small

ROOT = Path(__file__).parents[3]
LIMIT_S = 30


class Owner:
    """`small.py` run as a program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.backends.small", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read_until(self, text: str) -> str:
        assert self.process.stdout is not None
        said = ""
        while text not in said:
            line = self.process.stdout.readline()
            assert line, f"ended without {text!r}: {said}"
            said += line
        return said

    def servers(self) -> list[int]:
        seen = state.read(self.folder)
        assert seen is not None
        return [server.pid for server in seen.servers if server.pid]


@pytest.fixture
def owner(tmp_path: Path) -> Generator[Owner]:
    made = Owner(tmp_path / "backend")
    yield made
    made.process.kill()
    made.process.communicate()


def wait_for_end(pid: int) -> bool:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([watched], [], [], LIMIT_S)
    os.close(watched)
    return bool(ended)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_owner_that_is_told_to_stop_stops_its_servers(
    owner: Owner, number: signal.Signals
) -> None:
    owner.read_until("phase up")
    servers = owner.servers()
    assert len(servers) == 2
    owner.process.send_signal(number)
    owner.read_until("ended")
    assert owner.process.wait(LIMIT_S) == 0
    assert not any(Identity.of(pid) for pid in servers)
    assert state.read(owner.folder) is None
    assert not state.owned(owner.folder)


def test_the_servers_of_an_owner_that_is_killed_die_with_it(owner: Owner) -> None:
    owner.read_until("phase up")
    servers = owner.servers()
    owner.process.kill()
    owner.process.wait(LIMIT_S)  # its lock is free when the last of its threads has ended
    assert all(wait_for_end(pid) for pid in servers)
    owner.process.wait()
    assert not state.owned(owner.folder)


def test_an_owner_says_which_server_died_and_starts_it_again_when_asked(owner: Owner) -> None:
    owner.read_until("phase up")
    (broker, node) = owner.servers()
    os.kill(broker, signal.SIGKILL)
    said = owner.read_until("serving")
    assert "kafka-1 was killed (SIGKILL" in said
    assert owner.servers() == [node]
    owner.process.send_signal(signal.SIGUSR1)
    owner.read_until("starting kafka-1 again")
    owner.process.send_signal(signal.SIGTERM)
    owner.read_until("ended")


def test_an_owner_whose_servers_all_died_gives_up(owner: Owner) -> None:
    owner.read_until("phase up")
    for pid in owner.servers():
        os.kill(pid, signal.SIGKILL)
    assert owner.process.wait(LIMIT_S) != 0
    assert not state.owned(owner.folder)


def test_two_owners_of_one_folder_are_refused(owner: Owner) -> None:
    owner.read_until("phase up")
    second = Owner(owner.folder)
    assert second.process.wait(LIMIT_S) != 0
    second.process.communicate()
    assert len(owner.servers()) == 2


def test_a_server_that_a_crash_left_running_is_killed(tmp_path: Path) -> None:
    left = subprocess.Popen(["sleep", "600"])
    backend = Small(tmp_path, 1, 1)
    pretend(backend, Identity.of(left.pid))
    assert backend.sweep() == ["kafka-1"]
    assert left.wait(LIMIT_S) == -signal.SIGKILL


def test_a_foreign_process_that_has_the_number_of_a_dead_server_is_left_alone(
    tmp_path: Path,
) -> None:
    foreign = subprocess.Popen(["sleep", "600"])
    try:
        identity = Identity.of(foreign.pid)
        assert identity is not None
        backend = Small(tmp_path, 1, 1)
        for other in (
            msgspec.structs.replace(identity, started=identity.started - 1),
            msgspec.structs.replace(identity, boot="another"),
        ):
            pretend(backend, other)
            assert backend.sweep() == []
            assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def pretend(backend: Small, identity: Identity | None) -> None:
    folder = backend.folder / "kafka-1"
    folder.mkdir(exist_ok=True)
    (folder / "process.json").write_bytes(msgspec.json.encode(identity))


def test_if_one_server_does_not_start_none_is_left_running(tmp_path: Path) -> None:
    backend = Small(tmp_path, 1, 1)
    broker, node = backend.processes
    assert isinstance(node, Script)
    node.script = "echo 'no room left'; exit 3"
    with pytest.raises(Exception, match=r"scylla-1 .*exit code 3(.|\n)*no room left"):
        backend.up()
    assert not broker.alive
    assert not node.alive
