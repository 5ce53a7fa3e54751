"""The compose back end: one container for each broker and node, one volume for its data."""

import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from scenarios.backends.base import Ability, Role, Server
from scenarios.backends.compose.engine import FILE, Container, Engine
from scenarios.backends.layout import ANY, Ports, kafka_id
from scenarios.backends.started import StartedBackend
from scenarios.errors import Infrastructure

READY_S = 300
_AGE_S = 1.0  # how old what we know of the containers may be


class ContainerServer(Server):
    """A server in a container of `backend`."""

    def __init__(self, backend: "Compose", name: str, role: Role) -> None:
        uses = {**backend.layout.brokers, **backend.layout.nodes}[name]
        super().__init__(name, role, uses["clients"])
        self._backend = backend
        self.log_path = backend.folder / name / "output.log"

    @property
    def alive(self) -> bool:
        """Whether its container runs; a paused one does."""
        return self._backend.state(self.name) in ("running", "paused")

    def start(self) -> None:
        """Start its container again; return when it is healthy."""
        self._backend.do("up", "--detach", "--wait", "--no-deps", self.name)

    def kill(self) -> None:
        """Kill what runs in its container (SIGKILL)."""
        self._signal("kill", "--signal", "SIGKILL")

    def terminate(self) -> None:
        """Stop its container in order."""
        self._signal("stop")

    def pause(self) -> None:
        """Freeze its container; it keeps its connections."""
        self._signal("pause")

    def resume(self) -> None:
        """Let a frozen container run on."""
        self._signal("unpause")

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        return self._backend.do("logs", "--no-color", "--tail", str(lines), self.name)

    def _signal(self, *command: str) -> None:
        if self.alive:
            self._backend.do(*command, self.name)


class Compose(StartedBackend):
    """Kafka's brokers and ScyllaDB's nodes; `folder` holds their addresses, volumes their data."""

    kind: ClassVar[str] = "compose"
    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability) - {Ability.FILES}
    broker_uses: ClassVar[Sequence[str]] = ("clients",)
    node_uses: ClassVar[Sequence[str]] = ("clients",)
    disk_mib: ClassVar[int] = 1500

    def __init__(self, folder: Path, brokers: int, nodes: int, chosen: Ports = ANY) -> None:
        super().__init__(folder, brokers, nodes, chosen)
        servers = [(name, Role.KAFKA) for name in self.layout.brokers]
        servers += [(name, Role.CQL) for name in self.layout.nodes]
        self.servers = tuple(ContainerServer(self, name, role) for name, role in servers)
        project = f"wavetank-{self.layout.cluster[:8]}"
        self._engine = Engine(project, {}, "three" if brokers > 1 else "")
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._seen: dict[str, Container] = {}
        self._seen_s = float("-inf")

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software: the tags of its image."""
        images = dict(re.findall(r"image: (\S+):(\S+)", FILE.read_text(encoding="utf-8")))
        return {"Apache Kafka": images["apache/kafka"], "ScyllaDB": images["scylladb/scylla"]}

    def prepare(self) -> None:
        """Make sure that Docker can be used."""
        self._engine.check()

    def start(self) -> None:
        """Start all containers; return when they are healthy."""
        self._engine.variables = self._variables()
        self._watchdog = self._engine.watch(self.folder / "watchdog.log")
        self.say("starting containers; the first time their images are pulled, about 1 GB")
        try:
            self.do("up", "--detach", "--wait", "--wait-timeout", str(READY_S))
        except Infrastructure as error:
            why = f"{error}\n{self._last_words()}"
            self.down()
            raise Infrastructure(why) from None
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Stop and remove the containers; their volumes stay."""
        if self._watchdog is not None:
            self.do("down")
            self._dismiss()

    def kill(self) -> None:
        """Kill and remove all containers; their volumes stay."""
        if self._watchdog is not None:
            self.do("kill")
            self.down()

    def sweep(self) -> list[str]:
        """Remove the containers that a crash of ours has left; return the servers' names."""
        if self._watchdog is not None or not (self.folder / "watchdog.log").exists():
            return []
        self._engine.check()
        left = [each.service for each in self._engine.containers()]
        if left:
            self.do("down")
        return left

    def show_logs(self, names: Sequence[str], lines: int, *, follow: bool) -> Sequence[str]:
        """Return the command that shows the last lines of the logs of the servers named."""
        self._engine.check()
        flags = ["--follow"] if follow else []
        return self._engine.command("logs", "--tail", str(lines), *flags, *names)

    def wipe(self) -> None:
        """Delete the volumes."""
        self._engine.check()
        self.do("down", "--volumes")
        (self.folder / "watchdog.log").unlink(missing_ok=True)

    def do(self, *arguments: str) -> str:
        """Do something to the containers."""
        self._seen_s = float("-inf")
        return self._engine.do(*arguments)

    def state(self, name: str) -> str:
        """Return the state of a container, such as ``running``; empty if there is none."""
        if self._watchdog is None:
            return ""
        if time.monotonic() - self._seen_s > _AGE_S:
            self._seen = {each.service: each for each in self._engine.containers()}
            self._seen_s = time.monotonic()
        return self._seen[name].state if name in self._seen else ""

    def _last_words(self) -> str:
        ill = [one for one in self._engine.containers() if one.health != "healthy"]
        return "\n".join(self.server(one.service).tail() for one in ill)

    def _dismiss(self) -> None:
        assert self._watchdog is not None
        self._watchdog.send_signal(signal.SIGKILL)
        self._watchdog.communicate()
        self._watchdog = None

    def _variables(self) -> dict[str, str]:
        """Return what compose.yaml leaves open."""
        voters = [f"{i}@{broker.name}:9093" for i, broker in enumerate(self.brokers, 1)]
        found = {
            "CLUSTER_ID": kafka_id(self.layout.cluster),
            "VOTERS": ",".join(voters),
            "REPLICATION": str(self.replication),
            "MIN_INSYNC": str(self.min_insync),
            "CQL_PORT": str(self.nodes[0].address.port),
        }
        for i, broker in enumerate(self.brokers, 1):
            found[f"KAFKA_{i}"] = str(broker.advertised)
            found[f"KAFKA_{i}_PORT"] = str(broker.address.port)
        for i, node in enumerate(self.nodes, 1):
            found[f"SCYLLA_{i}"] = node.advertised.host
        return found
