"""The compose back end without an engine: its file, and what it asks of Docker.

`docker` is a script here, which writes down what it is asked and answers as Docker does.
"""

import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios.backends import kafka_wire
from scenarios.backends.base import Address
from scenarios.backends.compose.backend import Compose
from scenarios.backends.compose.engine import FILE
from scenarios.errors import Infrastructure

ROOT = Path(__file__).parents[3]

DOCKER = """
printf '%s\\n' "$*" >> "$ASKED"
env | grep -E '^(KAFKA|SCYLLA|CQL|VOTERS|CLUSTER|REPLICATION)' >> "$ASKED.env"
case "$*" in
*" ps "*) cat "$CONTAINERS" ;;
*" up "*) exit "${UP:-0}" ;;
*" logs "*) echo 'scylla-1 | no space left on device' ;;
esac
"""
HEALTHY = "".join(
    f'{{"Service": "{name}", "State": "running", "Health": "healthy"}}\n'
    for name in ("kafka-1", "scylla-1")
)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tool = tmp_path / "bin" / "docker"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh{DOCKER}", encoding="utf-8")
    tool.chmod(0o755)
    containers = tmp_path / "containers"
    containers.write_text(HEALTHY, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("CONTAINERS", str(containers))
    monkeypatch.setattr(kafka_wire, "warm", lambda *_, **__: None)
    return tmp_path / "asked"


def questions(asked: Path) -> list[str]:
    """Return what Compose was asked, without what is said each time."""
    lines = asked.read_text(encoding="utf-8").splitlines()
    return [line.rpartition(" wavetank-")[2].partition(" ")[2] for line in lines if " -p " in line]


def variables(asked: Path) -> Mapping[str, str]:
    lines = asked.with_name("asked.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_up_waits_for_health_and_down_keeps_the_volumes(asked: Path, tmp_path: Path) -> None:
    with Compose(tmp_path / "folder", 1, 1) as backend:
        assert all(server.alive for server in backend.servers)
    assert not any(server.alive for server in backend.servers)
    said = questions(asked)
    assert said[0].startswith("up --detach --wait")
    assert said[-1] == "down"


def test_three_of_each_take_the_profile_and_know_each_other(asked: Path, tmp_path: Path) -> None:
    backend = Compose(tmp_path / "folder", 3, 3)
    proxy = Address("127.0.0.1", 29_092)
    backend.up({"kafka-2": proxy, "scylla-3": Address("127.0.1.3", backend.cql_port)})
    backend.down()
    assert any("--profile three up " in line for line in questions(asked))
    given = variables(asked)
    assert given["VOTERS"] == "1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093"
    assert given["REPLICATION"] == "3"
    assert given["KAFKA_1"] == str(backend.brokers[0].address)
    assert given["KAFKA_2"] == str(proxy)
    assert given["KAFKA_2_PORT"] == str(backend.brokers[1].address.port)
    assert given["SCYLLA_3"] == "127.0.1.3"
    assert given["CQL_PORT"] == str(backend.cql_port)


def test_a_server_is_killed_paused_and_started_by_its_name(asked: Path, tmp_path: Path) -> None:
    with Compose(tmp_path / "folder", 1, 1) as backend:
        node = backend.server("scylla-1")
        for harm in (node.pause, node.resume, node.kill, node.start, node.terminate):
            harm()
    said = [line for line in questions(asked) if "scylla-1" in line]
    assert said == [
        "pause scylla-1",
        "unpause scylla-1",
        "kill --signal SIGKILL scylla-1",
        "up --detach --wait --no-deps scylla-1",
        "stop scylla-1",
    ]


def test_containers_that_do_not_become_healthy_are_removed_and_quoted(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UP", "1")
    ill = HEALTHY.replace("healthy", "unhealthy")
    (tmp_path / "containers").write_text(ill, encoding="utf-8")
    with pytest.raises(Infrastructure, match="no space left on device"):
        Compose(tmp_path / "folder", 1, 1).up()
    assert questions(asked)[-1] == "down"


def test_containers_that_a_crash_left_are_removed_before_the_next_start(
    asked: Path, tmp_path: Path
) -> None:
    backend = Compose(tmp_path / "folder", 1, 1)
    backend.folder.mkdir()
    (backend.folder / "watchdog.log").touch()
    assert backend.sweep() == ["kafka-1", "scylla-1"]
    assert questions(asked)[-1] == "down"


def test_wiping_deletes_the_volumes_of_this_project_only(asked: Path, tmp_path: Path) -> None:
    backend = Compose(tmp_path / "folder", 1, 1)
    backend.wipe()
    assert f"-p wavetank-{backend.layout.cluster[:8]} down --volumes" in asked.read_text()


_OWNER = """
import sys
from pathlib import Path
from scenarios.backends.compose.backend import Compose
backend = Compose(Path(sys.argv[1]), 1, 1)
backend.folder.mkdir()
backend.start()
print("up", flush=True)
sys.stdin.read()
"""


def test_containers_are_removed_when_their_owner_is_killed(asked: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "removed")
    with (tmp_path / "bin" / "docker").open("a", encoding="utf-8") as tool:
        tool.write(f'case "$*" in *" down") echo > {tmp_path / "removed"} ;; esac\n')
    with subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path / "folder")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        owner.kill()
    removed = os.open(tmp_path / "removed", os.O_RDONLY | os.O_NONBLOCK)
    ready, _, _ = select.select([removed], [], [], 30)
    os.close(removed)
    assert ready


@pytest.fixture(scope="module")
def composition() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_every_image_is_pinned_to_a_full_version(composition: Any) -> None:
    for name, service in composition["services"].items():
        assert service["image"].rpartition(":")[2].count(".") == 2, name


def test_every_service_has_a_health_check_a_volume_and_ports_of_this_machine_only(
    composition: Any,
) -> None:
    services = {
        name: service
        for name, service in composition["services"].items()
        if service.get("profiles") != ["observability"]  # those are clients of nobody here
    }
    assert len(services) == 6
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        (volume,) = service["volumes"]
        assert volume.startswith(f"{name}:/var/lib/"), name
        assert name in composition["volumes"]
        assert all(port.startswith("127.0.0.") for port in service["ports"]), name
        assert (service.get("profiles") == ["three"]) == (not name.endswith("-1")), name


def test_every_node_syncs_its_commit_log_before_it_answers(composition: Any) -> None:
    nodes = [one for name, one in composition["services"].items() if name.startswith("scylla")]
    assert len(nodes) == 3
    assert all("--commitlog-sync batch" in node["command"] for node in nodes)


def test_brokers_differ_in_their_number_and_their_addresses_only(composition: Any) -> None:
    for i in (1, 2, 3):
        settings = composition["services"][f"kafka-{i}"]["environment"]
        assert settings["KAFKA_NODE_ID"] == i
        advertised = settings["KAFKA_ADVERTISED_LISTENERS"]
        assert f"${{KAFKA_{i}:-" in advertised
        assert advertised.endswith(f"BROKERS://kafka-{i}:9094")
