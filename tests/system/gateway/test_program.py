"""The gateway as a whole: a real HTTP server, and the real client library against a broker."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from system import database, exits
from system.config import load
from system.errors import ConfigError, Unreachable
from system.gateway import Gateway
from system.records import OPERATIONS, Deposit, decode_operation
from tests.system.broker import broker, consumed
from tests.system.gateway.asking import OPERATOR, USER, config, new_key, transfer
from tests.system.gateway.ports import free_port
from tests.system.tables import Tables

PATIENCE_S = 10.0


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Tables:
    found = Tables()
    monkeypatch.setattr(database, "connect", lambda _, retry: found)
    return found


@contextmanager
def serving(gateway: Gateway) -> Generator[http.client.HTTPConnection]:
    """Run a gateway in a thread, yield a connection to it, stop it."""
    codes: list[int] = []
    thread = Thread(target=lambda: codes.append(gateway.run()))
    thread.start()
    connection = http.client.HTTPConnection(gateway.http.host, gateway.http.port, PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.connect()
            break
        except OSError:
            assert time.monotonic() < deadline, "the gateway does not listen"
            time.sleep(0.01)
    with closing(connection):
        yield connection
        gateway.stop()
        thread.join(PATIENCE_S)
    assert codes == [exits.OK]


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, key: str, body: bytes = b""
) -> tuple[int, dict[str, object]]:
    connection.request(method, path, body, {"authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def test_a_deposit_goes_from_http_to_kafka_and_the_gateway_stops_gracefully(
    tables: Tables,
) -> None:
    with broker() as (bootstrap, producer):
        producer.list_topics(OPERATIONS, timeout=5)  # the mock broker creates it
        gateway = Gateway(config(bootstrap, port=free_port()))
        key = new_key()
        with serving(gateway) as connection:
            accepted = ask(connection, "POST", "/transfer_in", OPERATOR, transfer(request_id=key))
            ready = ask(connection, "GET", "/readyz", USER)
            unknown = ask(connection, "GET", f"/requests/{key}", USER)
            too_long = ask(connection, "POST", "/transfer_in", OPERATOR, b" " * 5_000)
        ((name, value, headers),) = consumed(bootstrap, OPERATIONS, 1)

    assert accepted == (202, {"request_id": key, "status": "accepted"})
    assert ready == (200, {"status": "ready"})
    assert unknown[0] == 404
    assert (too_long[0], too_long[1]["reason"]) == (413, "body_too_long")
    operation = decode_operation(value)
    assert isinstance(operation, Deposit)
    assert (name, operation.request_id, operation.amount) == (b"1001", key, 10**12)
    assert "traceparent" in headers
    assert tables.closed


def test_a_port_that_is_taken_is_refused_with_a_remedy(tables: Tables) -> None:
    with broker() as (bootstrap, producer), closing(socket.create_server(("127.0.0.1", 0))) as one:
        producer.list_topics(OPERATIONS, timeout=5)
        port = one.getsockname()[1]

        with pytest.raises(ConfigError, match=f"gateway.port = {port}: cannot listen there"):
            Gateway(config(bootstrap, port=port)).run()

    assert tables.closed


def test_a_kafka_without_the_topic_is_refused_with_a_remedy(tables: Tables) -> None:
    with broker() as (bootstrap, _), pytest.raises(Unreachable, match="python -m system setup"):
        Gateway(config(bootstrap)).run()


@pytest.mark.parametrize("program", ["gateway", "settlement"])
def test_without_a_database_it_exits_69_naming_the_address(tmp_path: Path, program: str) -> None:
    port = free_port()
    file = tmp_path / f"{program}.toml"
    keys = f'[[keys]]\nsha256 = "{"a" * 64}"\noperator = true\n' if program == "gateway" else ""
    file.write_text(
        '[kafka]\nbootstrap = "127.0.0.1:1"\n'
        f'[scylla]\ncontact_points = ["127.0.0.1"]\nport = {port}\n{keys}'
    )

    ended = subprocess.run(
        [sys.executable, "-m", "system", program, "--config", str(file)],
        capture_output=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
        timeout=30,
        check=False,
    )

    line = json.loads(ended.stderr.splitlines()[-1])
    assert (ended.returncode, line["reason"]) == (69, "unreachable")
    assert f"no database node answers at 127.0.0.1:{port}" in line["detail"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("", "keys is missing"),
        (f'[[keys]]\nsha256 = "{"a" * 64}"', "either user_id or operator = true"),
        (f'[[keys]]\nsha256 = "{"a" * 64}"\nuser_id = 1', "user 1 is the fee account"),
        ('[[keys]]\nsha256 = "secret"\noperator = true', "keys.0.sha256 = 'secret'"),
    ],
)
def test_a_wrong_key_configuration_is_refused(tmp_path: Path, keys: str, why: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'[kafka]\nbootstrap = "kafka-1:9092"\n[scylla]\ncontact_points = ["scylla-1"]\n{keys}\n'
    )

    with pytest.raises(ConfigError, match=why):
        load(Gateway.Config, str(file), {})
