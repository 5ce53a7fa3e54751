"""What `wavetank backends` says when something is missing, taken, too small or mistyped."""

import json
import os
import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from scenarios.backends import ports, state
from scenarios.backends.base import Address
from scenarios.backends.identity import Identity
from scenarios.backends.state import ServerState, State
from scenarios.cli import wavetank

INFRASTRUCTURE, USAGE = 75, 2


class Place(NamedTuple):
    """A machine with nothing on PATH but what a test puts there."""

    path: Path
    folder: Path

    def has(self, tool: str, script: str) -> None:
        """Put a tool on PATH."""
        file = self.path / tool
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)

    def has_java(self) -> None:
        """Put a Java on PATH that is new enough, and runs nothing."""
        self.has("java", "echo 'openjdk version \"17.0.2\" 2022-01-18' >&2; [ $1 = -version ]")

    def run(self, *arguments: str) -> Result:
        """Run a command of `wavetank backends`."""
        done = CliRunner().invoke(wavetank, ["backends", *arguments, "--folder", str(self.folder)])
        assert "Traceback" not in done.output
        return done

    def up(self, *arguments: str) -> Result:
        """Run `wavetank backends up --kind jvm`, which is to fail and to start nothing."""
        done = self.run("up", "--kind", "jvm", *arguments)
        assert not list(self.folder.glob("*/process.json"))
        return done


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    path = tmp_path / "bin"
    path.mkdir()
    for tool in ("sh", "cat"):
        found = shutil.which(tool)
        assert found
        (path / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Place(path, tmp_path / "folder")


def test_without_java_it_says_what_to_install_and_leaves_nothing(place: Place) -> None:
    done = place.up()
    assert not place.folder.exists()
    assert done.exit_code == INFRASTRUCTURE
    assert "no `java` is on PATH" in done.output
    assert "openjdk-17" in done.output


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('openjdk version "11.0.2"', "11, too old"),
        ('java version "1.8.0_292"', "8, too old"),
        ('openjdk version "25" 2025-09-16', "25, too new"),
    ],
)
def test_a_wrong_java_is_refused_by_its_version(place: Place, said: str, found: str) -> None:
    place.has("java", f"echo '{said}' >&2")
    done = place.up()
    assert done.exit_code == INFRASTRUCTURE
    assert f"is Java {found}" in done.output


def test_a_java_that_says_no_version_is_named(place: Place) -> None:
    place.has("java", "echo 'cannot open shared object file'; exit 127")
    done = place.up()
    assert done.exit_code == INFRASTRUCTURE
    assert str(place.path / "java") in done.output
    assert "cannot open shared object file" in done.output


def test_without_maven_it_says_what_to_install(place: Place) -> None:
    place.has_java()
    done = place.up()
    assert done.exit_code == INFRASTRUCTURE
    assert "no `mvn` is on PATH" in done.output


def test_without_network_it_names_the_artefact_and_the_cache(place: Place, tmp_path: Path) -> None:
    place.has_java()
    place.has(
        "mvn",
        "echo '[ERROR] Failed to execute goal: Failed to read artifact descriptor for a:b:jar:1:"
        " Could not transfer artifact org.apache.kafka:kafka_2.13:pom:4.4.0 from/to central"
        " (somewhere): Connection refused -> [Help 1]'; exit 1",
    )
    done = place.up()
    assert done.exit_code == INFRASTRUCTURE
    assert "could not fetch org.apache.kafka:kafka_2.13:pom:4.4.0" in done.output
    assert "~/.m2/repository" in done.output
    assert "Connection refused" in done.output
    (lock,) = (tmp_path / "cache" / "wavetank" / "jvm").iterdir()
    assert lock.suffix == ".lock"  # nothing half fetched is left


def test_a_java_that_cannot_run_the_servers_is_quoted(place: Place) -> None:
    place.has(
        "java", 'case "$1" in -version) echo \'version "17.0.2"\';; *) echo no heap; exit 1; esac'
    )
    place.has(
        "mvn",
        'for a in "$@"; do case "$a" in -Djars=*) d="${a#-Djars=}"; esac; done;'
        f' {shutil.which("mkdir", path=os.defpath)} "$d/kafka" "$d/cassandra";'
        ' : > "$d/cassandra/jamm-1.jar"',
    )
    done = place.up()
    assert done.exit_code == INFRASTRUCTURE
    assert "no heap" in done.output


def test_a_taken_port_is_named(place: Place) -> None:
    place.has_java()
    with socket.create_server(("127.0.0.1", ports.free(1)[0])) as server:
        port = server.getsockname()[1]
        done = place.up("--kafka-port", str(port))
    assert done.exit_code == INFRASTRUCTURE
    assert f"port {port} of 127.0.0.1 is taken" in done.output


def test_a_disk_too_small_is_refused_before_anything_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.has_java()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 0, 2**20))
    done = place.up("--nodes", "3")
    assert done.exit_code == INFRASTRUCTURE
    assert "has 1 MiB free; 6 servers of kind jvm need" in done.output


def test_a_folder_that_cannot_be_made_is_named(place: Place) -> None:
    place.folder.write_text("a file", encoding="utf-8")
    done = place.run("up", "--kind", "jvm")
    assert done.exit_code in (INFRASTRUCTURE, USAGE)
    assert str(place.folder) in done.output


def test_data_of_another_shape_is_kept_and_named(place: Place) -> None:
    place.folder.mkdir()
    written = b'{"kind":"jvm","cluster":"00","brokers":{"kafka-1":{}},"nodes":{"scylla-1":{}}}'
    (place.folder / "layout.json").write_bytes(written)
    done = place.up("--nodes", "3")
    assert done.exit_code == USAGE
    assert "kind jvm with 1 broker and 1 node, not kind jvm with 3 brokers and 3" in done.output
    assert (place.folder / "layout.json").read_bytes() == written


def test_a_damaged_layout_is_named(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "layout.json").write_text("{", encoding="utf-8")
    done = place.up()
    assert done.exit_code == USAGE
    assert "layout.json is no layout" in done.output


def test_a_layout_that_lacks_an_address_is_named(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "layout.json").write_text(
        '{"kind":"jvm","cluster":"00","brokers":{"kafka-1":{}},"nodes":{"scylla-1":{}}}',
        encoding="utf-8",
    )
    done = place.up()
    assert done.exit_code == USAGE
    assert "gives kafka-1 no address for clients, brokers, controller" in done.output


def test_wiping_a_folder_of_somebody_else_deletes_nothing(place: Place) -> None:
    place.folder.mkdir()
    (place.folder / "thesis.txt").write_text("mine", encoding="utf-8")
    done = place.run("down", "--wipe")
    assert done.exit_code == USAGE
    assert (place.folder / "thesis.txt").exists()


def test_nothing_up_is_said(place: Place) -> None:
    assert place.run("status").exit_code == INFRASTRUCTURE
    assert place.run("down").exit_code == 0
    assert "nothing is up" in place.run("down").output
    assert not place.folder.exists()


def test_who_has_not_started_yet_is_not_said_to_have_ended(place: Place) -> None:
    here = Address("127.0.0.1", 1)
    server = ServerState(
        name="kafka-1", role="kafka", address=here, advertised=here, log="log", pid=None
    )
    owner = Identity.of(os.getpid())
    assert owner is not None
    seen = State(
        kind="jvm",
        phase="starting",
        owner=owner,
        bootstrap="127.0.0.1:1",
        contact_points=("127.0.0.1",),
        cql_port=1,
        replication=1,
        versions={},
        servers=(server,),
    )
    with state.owning(place.folder):
        state.write(place.folder, seen)
        done = place.run("status")
    assert done.exit_code == INFRASTRUCTURE
    assert "kafka-1   127.0.0.1:1       starting" in done.output


def test_an_unknown_server_is_answered_with_the_known_ones(place: Place) -> None:
    place.folder.mkdir()
    uses = ["clients", "brokers", "controller", "storage"]
    addresses = {use: {"host": "127.0.0.1", "port": 1} for use in uses}
    kept = {"brokers": {"kafka-1": addresses}, "nodes": {"scylla-1": addresses}}
    (place.folder / "layout.json").write_text(
        json.dumps({"kind": "jvm", "cluster": "00" * 16, **kept}), encoding="utf-8"
    )
    done = place.run("logs", "kafka-7")
    assert done.exit_code == USAGE
    assert "no server 'kafka-7'; it has kafka-1, scylla-1" in done.output


ENGINE_OFF = "Cannot connect to the Docker daemon. Is the docker daemon running?"


def test_without_docker_it_says_so(place: Place) -> None:
    done = place.run("up", "--kind", "compose")
    assert done.exit_code == INFRASTRUCTURE
    assert "no `docker` is on PATH" in done.output


def test_without_an_engine_docker_is_quoted(place: Place) -> None:
    place.has("docker", f"echo '{ENGINE_OFF}' >&2; exit 1")
    done = place.run("up", "--kind", "compose")
    assert done.exit_code == INFRASTRUCTURE
    assert "the engine does not answer" in done.output
    assert ENGINE_OFF in done.output


def test_without_the_compose_plugin_it_says_so(place: Place) -> None:
    place.has("docker", '[ "$1" = version ]')
    done = place.run("up", "--kind", "compose")
    assert done.exit_code == INFRASTRUCTURE
    assert "there is no `docker compose`" in done.output
