"""Metrics over HTTP: off unless a port is configured, and a taken port is named."""

import socket
import threading
import urllib.request
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry, Counter

from system.errors import ConfigError
from system.metrics_http import Listen, serving
from tests.system.gateway.ports import free_port


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    Counter("things", "Things seen", registry=found).inc(3)
    return found


def test_a_registry_is_served_while_the_program_works() -> None:
    port = free_port()

    with serving(registry(), Listen(port=port)):
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)
        with closing(answer):
            text = answer.read().decode()

    assert "things_total 3.0" in text
    assert answer.headers["content-type"].startswith("text/plain")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_without_a_port_there_is_no_thread() -> None:
    before = threading.active_count()

    with serving(registry(), Listen()):
        assert threading.active_count() == before


def test_a_port_that_is_taken_is_refused_with_a_remedy() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as one:
        port = one.getsockname()[1]
        refused = pytest.raises(ConfigError, match=f"metrics.port = {port}: cannot listen there")
        with refused, serving(registry(), Listen(port=port)):
            pass
