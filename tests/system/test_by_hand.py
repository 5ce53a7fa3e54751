"""A deployment started by hand, line by line as the document says it."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from scenarios.leash import leashed
from system.gateway.app import OPENAPI
from tests.scenarios.commanding import ROOT
from tests.system.gateway.ports import free_port

DOCUMENT = (ROOT / "system/README.md").read_text(encoding="utf-8")
START, ASK = re.findall(r"```sh\n(.*?)```\n", DOCUMENT, flags=re.DOTALL)
# what nobody can stop any more, because we were killed, ends by itself
ENDED = f"while kill -0 {os.getpid()}; do sleep 1; done; kill -KILL 0"
# how long a second is depends on the machine: here it ends when the row has settled
SETTLED = """until [[ "$(BALANCES)" == *avail* ]]; do sleep 0.1; done"""
_PATIENCE_S = 60


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, str]]:
    """One broker and one node; yields what the document has in place of their addresses."""
    command = (sys.executable, "-m", "scenarios", "backends", "up", "--folder", str(tmp_path / "s"))
    up = subprocess.Popen(leashed(command), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert up.stdout is not None
    said, node = "", None
    while node is None:
        line = up.stdout.readline()
        assert line, said
        said += line
        node = re.search(r"contact points \S+ port (\d+)", said)
    broker = re.search(r"bootstrap.servers (\S+)", said)
    assert broker
    yield {"127.0.0.1:9092": broker[1], "9042": node[1], "3001": str(free_port())}
    up.terminate()
    up.communicate(timeout=_PATIENCE_S)


def told(script: str, names: dict[str, str]) -> str:
    """Return a script of the document with the addresses as they are here."""
    for name, value in names.items():
        script = script.replace(name, value)
    tools = (
        f'python() {{ "{sys.executable}" "$@"; }}\ncurl() {{ python -m tests.system.curl "$@"; }}'
    )
    return f"set -e\n{tools}\n{script}"


def wait_until_ready(port: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("the gateway never became ready")


def bash(script: str, servers: dict[str, str], directory: Path) -> subprocess.Popen[str]:
    environment = {"PYTHONPATH": str(ROOT), "WAVETANK_GATEWAY_PORT": servers["3001"]}
    return subprocess.Popen(
        ["bash", "-c", told(script, servers)],
        cwd=directory,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_what_the_document_says_serves_a_deposit(servers: dict[str, str], tmp_path: Path) -> None:
    settled = SETTLED.replace("BALANCES", ASK.splitlines()[-1])
    running = bash(f"{START}\n({ENDED}) 2>/dev/null &\nwait", servers, tmp_path)
    try:
        wait_until_ready(servers["3001"])
        asking = bash(ASK.replace("sleep 1", settled), servers, tmp_path)
        asked, _ = asking.communicate(timeout=_PATIENCE_S)
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.communicate(timeout=_PATIENCE_S)

    assert '"status":"accepted"' in asked
    assert '"avail":"1.50000000"' in asked
    for program in ("ubscore", "engine", "settlement", "gateway"):
        deadline = time.monotonic() + _PATIENCE_S
        log = tmp_path / f"{program}.log"
        while '"event":"ended","exit_code":0' not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


def test_the_table_of_routes_is_what_the_gateway_describes() -> None:
    table = {
        f"{method} {re.sub('{.*?}', '{}', path)}"
        for method, path in re.findall(r"`(GET|POST|DELETE) (/[^`]*)`", DOCUMENT)
    }
    described = {
        f"{method.upper()} {re.sub('{.*?}', '{}', path)}"
        for path, methods in msgspec.json.decode(OPENAPI)["paths"].items()
        for method in methods
    }

    assert table == described | {"GET /openapi.json"}
