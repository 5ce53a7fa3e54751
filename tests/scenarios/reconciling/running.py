"""A whole deployment for tests: a broker, a node, the four programs, and clients at work."""

import hashlib
import http.client
import json
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

from cassandra.cluster import Cluster
from click.testing import CliRunner, Result

from scenarios.cli import wavetank
from tests.sim.tcp.cql.cluster import Nodes
from tests.sim.tcp.kafka.served import Served
from tests.system.gateway.ports import free_port

KEY = "operator"
USERS = range(1001, 1009)
ASSETS = ("BTC", "USDT", "ETH")


def request_id() -> str:
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    rest = secrets.token_hex(9)
    return f"{stamp[:8]}-{stamp[8:]}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}"


def key_of(user: int) -> str:
    return f"key of {user}"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class Running:
    """Everything below one folder; leave the block and all of it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "ubscore"
        self.kafka = Served(folder / "kafka")
        self.nodes = Nodes(folder)
        self.nodes.start()
        self.cql_port = self.nodes.ports["db-1"]
        self.http_port = free_port()
        self.programs: dict[str, subprocess.Popen[bytes]] = {}
        self.busy = threading.Event()
        self.clients: list[threading.Thread] = []
        self.accepted = 0

    def __enter__(self) -> Self:
        try:
            self.make_keyspace()
            self.configure()
            self.once("setup")
            self.once("init", "init")
            self.once("init", "engine")
            for name in ("ubscore", "engine", "settlement", "gateway"):
                self.start(name)
            self.wait_for_gateway()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()
        for name in list(self.programs):
            self.kill(name)
        self.nodes.__exit__()
        self.kafka.__exit__()

    # -- the programs --------------------------------------------------------------------------

    def session(self) -> tuple[Any, Any]:
        cluster = Cluster([self.nodes.address], port=self.cql_port, protocol_version=4)
        return cluster, cluster.connect()

    def make_keyspace(self) -> None:
        """Make it before `setup` does: one node cannot hold three replicas."""
        self.cql(
            "CREATE KEYSPACE wavetank WITH replication ="
            " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
        )

    def cql(self, *statements: str) -> list[Any]:
        cluster, session = self.session()
        try:
            return [list(session.execute(text)) for text in statements]
        finally:
            cluster.shutdown()

    def configure(self) -> None:
        kafka = f'[kafka]\nbootstrap = "{self.kafka.bootstrap}"\n'
        scylla = f'[scylla]\ncontact_points = ["{self.nodes.address}"]\nport = {self.cql_port}\n'
        topics = "[topics]\npartitions = 4\nreplication = 1\nmin_insync = 1\n"
        keys = f'[[keys]]\nsha256 = "{_hash(KEY)}"\noperator = true\n'
        for user in USERS:
            keys += f'[[keys]]\nsha256 = "{_hash(key_of(user))}"\nuser_id = {user}\n'
        core = f'[ubscore]\ndata = "{self.data}"\nidle_ms = 50\nfile_bytes = 65536\n'
        work = "[settlement]\npoll_ms = 50\n"
        files = {
            "setup": kafka + scylla + topics,
            "init": kafka + core + topics,
            "engine": f'{kafka}{topics}[engine]\ndata = "{self.folder / "engine"}"\n',
            "ubscore": kafka + core + topics,
            "settlement": kafka + scylla + work,
            "gateway": f"{kafka}{scylla}{keys}[gateway]\nport = {self.http_port}\n",
        }
        for name, text in files.items():
            (self.folder / f"{name}.toml").write_text(text)

    def command(self, program: str, config: str = "") -> list[str]:
        path = self.folder / f"{config or program}.toml"
        return [sys.executable, "-m", "system", program, "--config", str(path)]

    def once(self, program: str, config: str = "") -> None:
        command = self.command(program, config)
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(self.command(name), stderr=log, stdout=log)

    def kill(self, name: str) -> None:
        process = self.programs.pop(name)
        process.kill()
        process.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def wait_for_gateway(self) -> None:
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            try:
                if self.ask("GET", "/readyz", None) == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.log("gateway") + self.log("ubscore"))

    # -- clients -------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any, key: str = KEY) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def transfer(self, number: int) -> None:
        out = number % 5 == 4
        body = {
            "request_id": request_id(),
            "user_id": USERS[number % len(USERS)],
            "asset": ASSETS[number % len(ASSETS)],
            "amount": "0.5" if out else "1.5",
        }
        status = self.ask("POST", "/transfer_out" if out else "/transfer_in", body)
        self.accepted += status == 202

    def order(self, number: int) -> None:
        user = USERS[number % len(USERS)]
        body = {
            "request_id": request_id(),
            "user_id": user,
            "symbol": "BTC_USDT",
            "side": ("buy", "sell")[number // len(USERS) % 2],
            "type": "limit",
            "time_in_force": "gtc",
            "price": f"{10 + number % 3}.00",
            "quantity": "0.001",
        }
        status = self.ask("POST", "/orders", body, key_of(user))
        self.accepted += status == 202

    def work(self, clients: int = 2) -> None:
        """Have clients send transfers and orders until `rest`."""
        self.busy.set()

        def serve(first: int) -> None:
            number = first
            while self.busy.is_set():
                if number % 3 == 2:
                    self.order(number)
                else:
                    self.transfer(number)
                number += clients

        self.clients = [threading.Thread(target=serve, args=(i,)) for i in range(clients)]
        for client in self.clients:
            client.start()

    def rest(self) -> None:
        self.busy.clear()
        for client in self.clients:
            client.join()
        self.clients = []

    def until_accepted(self, count: int) -> None:
        deadline_s = time.monotonic() + 30
        while self.accepted < count and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert self.accepted >= count, self.log("gateway")

    def until_settled(self) -> None:
        """Wait until every accepted transfer has its answer in `requests`."""
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            ((counted,),) = self.cql("SELECT count(*) FROM wavetank.requests")
            if counted[0] >= self.accepted:
                time.sleep(0.5)  # and its commit
                return
            time.sleep(0.1)
        raise AssertionError(self.log("settlement"))

    # -- reconciling ---------------------------------------------------------------------------

    def reconcile(self, *more: str) -> Result:
        """Reconcile with the log, unless `more` says otherwise."""
        log = () if "--no-log" in more else ("--wal", str(self.data))
        return self.reconcile_with(*log, *more)

    def reconcile_with(self, *more: str) -> Result:
        """Run the command in this process: nine tenths of a process of its own are imports."""
        arguments = [
            *("reconcile", "--bootstrap", self.kafka.bootstrap),
            *("--contact-points", self.nodes.address),
            *("--cql-port", str(self.cql_port)),
        ]
        return CliRunner().invoke(wavetank, [*arguments, *more], catch_exceptions=False)
