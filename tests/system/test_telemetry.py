"""Spans reach a collector where one is named; whatever is wrong with that is said, or harmless."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from system import exits, telemetry
from system.config import Section
from system.errors import ConfigError
from system.telemetry import Tracing, recording
from tests.system.gateway.ports import free_port

PROGRAM = """
import sys
from opentelemetry.trace import SpanKind
from system import launch, tracing
from system.config import Section
from system.telemetry import Tracing

class Settings(Section, frozen=True):
    tracing: Tracing = Tracing()

class Program:
    name, Config = "traced", Settings
    def __init__(self, settings): pass
    def stop(self): pass
    def run(self):
        way = tracing.taking(None, 1001, "key")
        tracing.record("traced", "work", SpanKind.INTERNAL, way, tracing.clock(), {"n": 1}, "why")
        print(way.context)
        return 0

sys.exit(launch.main(Program, sys.argv[1]))
"""


class Settings(Section, frozen=True):
    tracing: Tracing = Tracing()


@contextmanager
def collector() -> Generator[tuple[int, list[bytes]]]:
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append(self.path.encode() + b"\n" + body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port, taken
        finally:
            server.shutdown()
            thread.join()


def run(directory: Path, endpoint: str, **environ: str) -> subprocess.CompletedProcess[str]:
    config = directory / "c.toml"
    config.write_text(f'[tracing]\nendpoint = "{endpoint}"\n')
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OTEL_EXPORTER_OTLP_COMPRESSION": "none", **environ},
    )


def test_spans_arrive_at_the_collector_before_the_program_ends(tmp_path: Path) -> None:
    with collector() as (port, taken):
        done = run(tmp_path, f"http://127.0.0.1:{port}/", OTEL_RESOURCE_ATTRIBUTES="site=a")

    assert done.returncode == exits.OK, done.stderr
    ((path, _, body),) = [one.partition(b"\n") for one in taken]
    assert path == b"/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    said = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert (said["service.name"], said["site"]) == ("traced", "a")
    (span,) = resource.scope_spans[0].spans
    assert f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01" == done.stdout.strip()
    assert (span.name, span.status.message) == ("work", "why")


def test_a_collector_that_is_away_costs_spans_and_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, f"http://127.0.0.1:{free_port()}")

    assert done.returncode == exits.OK
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["level"] for line in lines} == {"warning", "info"}
    assert lines[-1]["event"] == "ended"


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        ("127.0.0.1:4318", "is not an address like http://127.0.0.1:4318"),
        ("http://127.0.0.1:4318", "install the extra otel"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(
    endpoint: str, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "extra" in names:
        module = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
        monkeypatch.setitem(sys.modules, module, None)
    settings = msgspec.convert({"tracing": {"endpoint": endpoint}}, Settings)

    with pytest.raises(ConfigError, match=names), recording(settings, "p", {}):
        raise AssertionError("it began")


def test_a_collector_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, released = threading.Event(), threading.Event()

    class Hangs:
        def shutdown(self) -> None:
            asked.set()
            released.wait()

    monkeypatch.setattr(telemetry, "_provider", lambda *_: Hangs())
    monkeypatch.setattr(telemetry, "_LAST_SPANS_S", 0.01)
    monkeypatch.setattr(trace, "set_tracer_provider", lambda _: None)
    settings = msgspec.convert({"tracing": {"endpoint": "http://127.0.0.1:4318"}}, Settings)

    with recording(settings, "p", {}):
        pass

    assert asked.wait(10)
    released.set()
    assert logging.getLogger("opentelemetry").level == logging.CRITICAL
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)


def test_without_an_endpoint_the_sdk_is_not_even_loaded() -> None:
    code = "import sys, system.launch; sys.exit('opentelemetry.sdk' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
