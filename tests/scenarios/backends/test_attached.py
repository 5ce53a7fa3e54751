"""Servers that another process keeps up: used by one run at a time, and left as they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.backends import attached, state
from scenarios.backends.attached import AttachedBackend
from scenarios.backends.base import Address
from scenarios.backends.identity import Identity
from scenarios.backends.state import ServerState, State
from scenarios.errors import Infrastructure


def server(pid: int | None) -> ServerState:
    address = Address("127.0.0.1", 9092)
    return ServerState(
        name="kafka-1", role="kafka", address=address, advertised=address, log="log", pid=pid
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A back end that this very process keeps up."""
    with state.owning(tmp_path):
        keep(tmp_path, os.getpid())
        yield tmp_path


def keep(folder: Path, pid: int | None) -> None:
    owner = Identity.of(os.getpid())
    assert owner is not None
    seen = State(
        kind="embedded",
        phase="up",
        owner=owner,
        bootstrap="127.0.0.1:9092",
        contact_points=("127.0.0.1",),
        cql_port=9042,
        replication=2,
        versions={"ours": "1"},
        servers=(server(pid),),
    )
    state.write(folder, seen)


def found(folder: Path) -> AttachedBackend:
    backend = attached.find(folder)
    assert backend is not None
    return backend


def test_what_is_up_is_found_with_its_kind_and_its_servers(folder: Path) -> None:
    backend = found(folder)

    assert (backend.kind, dict(backend.versions)) == ("embedded", {"ours": "1"})
    assert backend.server("kafka-1").alive
    assert backend.bootstrap == "127.0.0.1:9092"
    assert (backend.replication, backend.min_insync) == (2, 1)


def test_nothing_is_found_where_nobody_keeps_anything_up(tmp_path: Path) -> None:
    assert attached.find(tmp_path) is None


def test_one_run_at_a_time(folder: Path) -> None:
    with found(folder), pytest.raises(Infrastructure, match="another run uses the servers"):
        found(folder).up()
    with found(folder):
        pass


def test_a_server_that_has_ended_is_named(folder: Path) -> None:
    keep(folder, None)

    backend = found(folder)
    with pytest.raises(Infrastructure, match=r"kafka-1 in .* has ended"):
        backend.up()
    backend.down()
