import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sim.tcp import process
from sim.tcp.kafka.config import Config
from tests.sim.tcp.kafka.served import Served, outcome
from tests.sim.tcp.kafka.wire import Client


def test_topics_come_go_and_come_back_with_their_files(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with Served(path) as broker, Client(broker.ready["port"]) as client:
        assert client.create("t", 2) == client.create("gone", 1) == "none"
        assert client.produce("t", 1, b"a", b"b") == client.produce("gone", 0, b"x") == "none"
        assert client.delete("gone") == "none"
        assert client.create("gone", 1) == "none"
        assert client.fetch("gone", 0) == ("none", [])
        broker.kill()
        (path / "stray-0").mkdir()
        (path / "stray-0" / "partition.metadata").write_text(f"version: 0\ntopic_id: {'7' * 32}\n")

        broker.start()

        with Client(broker.ready["port"]) as again:
            assert again.fetch("t", 1, 0) == ("none", [b"a", b"b"])
            assert again.fetch("gone", 0) == ("none", [])
            assert again.create("t", 1) == "topic_already_exists"
        directories = sorted(each.name for each in path.iterdir() if each.is_dir())
        assert directories == ["gone-0", f"stray-0.{'7' * 32}-stray", "t-0", "t-1"]
        assert "set aside" in broker.log()
        assert broker.end() == 0


def test_a_damaged_partition_is_not_led_and_the_others_are(tmp_path: Path) -> None:
    path = tmp_path / "data"
    with Served(path) as broker:
        with Client(broker.ready["port"]) as client:
            client.create("t", 2)
            for partition in (0, 1, 0, 1):
                assert client.produce("t", partition, b"value") == "none"
        broker.kill()
        file = path / "t-0" / f"{0:020}.log"
        file.write_bytes(file.read_bytes().replace(b"value", b"eulav", 1))

        broker.start()

        with Client(broker.ready["port"]) as client:
            assert client.produce("t", 0, b"more") == "kafka_storage_error"
            assert client.fetch("t", 0) == ("kafka_storage_error", [])
            assert client.fetch("t", 1) == ("none", [b"value", b"value"])
        assert "t-0 is not served" in broker.log()
        assert "damaged at byte 0" in broker.log()


def test_nobody_gets_a_port_or_a_directory_that_is_taken(tmp_path: Path) -> None:
    with Served(tmp_path / "a") as broker:
        taken, elsewhere = broker.ready["port"], tmp_path / "b"

        assert outcome(elsewhere, port=taken) == (
            75,
            f"kafka ERROR 127.0.0.1:{taken} is taken by another process\n",
        )
        code, said = outcome(tmp_path / "a")
        assert (code, said.count("\n")) == (75, 1)
        assert "in use by another process" in said
        broker.end()
    code, said = outcome(tmp_path / "a", broker_id=2, brokers=[1, 2])
    assert (code, said.count("\n")) == (75, 1)
    assert "was made for the brokers [1], not for [1, 2]" in said
    file = tmp_path / "a" / "meta.properties"
    file.write_text(file.read_text().replace("cluster.id=", "cluster.id=X"))
    code, said = outcome(tmp_path / "a")
    assert (code, said.count("\n")) == (75, 1)
    assert "belongs to cluster.id X" in said


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"directori": "x"}, "unknown field `directori`"),
        ({"settings": {"num_partition": 1}}, "there is no 'num_partition'"),
        ({"settings": {"num_partitions": True}}, "int is wanted"),
        ({"port": 70000}, "no port has this number"),
        ({"brokers": [2, 3]}, "broker_id = 1 is not among"),
        ({"host": "0.0.0.0"}, "wants an advertised_host"),
        ({"controller": "nowhere"}, "host:port is wanted"),
    ],
)
def test_a_mistaken_configuration_is_named(
    tmp_path: Path, options: dict[str, Any], why: str
) -> None:
    file = tmp_path / "broker.json"
    file.write_text(json.dumps({"directory": "d"} | options))

    with pytest.raises(process.Stop, match=why) as stop:
        process.load(Config, str(file)).checked()
    assert stop.value.exit_code == 2


def test_a_full_disk_ends_the_broker_and_what_it_answered_is_kept(tmp_path: Path) -> None:
    path, kept = tmp_path / "data", 0
    with Served(path) as broker, Client(broker.ready["port"]) as client:
        resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
        client.create("t", 1)
        with pytest.raises((AssertionError, OSError)):
            while client.produce("t", 0, b"%d" % kept, b"x" * 900) == "none":
                kept += 1
        assert broker.process.wait(10) == 75
        assert "cannot go on" in broker.log()
        broker.process.stdout.close()  # type: ignore[union-attr]

        broker.start()

        with Client(broker.ready["port"]) as again:
            error, values = again.fetch("t", 0)
        assert error == "none"
        assert values[: 2 * kept : 2] == [b"%d" % i for i in range(kept)]
        assert kept > 10


def test_a_broker_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    file = tmp_path / "broker.json"
    file.write_text(json.dumps({"directory": str(tmp_path / "data")}))
    command = [sys.executable, "-m", "sim.tcp", "kafka", "--config", str(file), "--die-with-parent"]
    code = f"import subprocess, time; subprocess.Popen({command!r}); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = json.loads(parent.stdout.readline())["pid"]
    os.kill(pid, signal.SIGSTOP)

    parent.kill()
    parent.wait()
    parent.stdout.close()

    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and not dead(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def dead(pid: int) -> bool:
    """Whether a process has ended, though nobody has waited for it."""
    try:
        return ") Z" in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
