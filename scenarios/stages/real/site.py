"""The site of a run: where its programs keep configuration, data and logs, and what they are told.

etc/NAME.toml             configuration of each program
NAME/stderr.N.log         what incarnation N wrote to standard error
NAME/data                 the data directory of UBSCore or the engine
NAME/kept                 second names of UBSCore's log files, which it may delete
NAME/doors.json           the rules of its doors, with board and notes, if the plan has any
"""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from scenarios.backends.base import Address
from scenarios.deployment import DELIVERY_MS, Deployment
from scenarios.keys import OPERATOR_KEY, key_hash
from scenarios.stages.logs import whole

KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Site:
    """The folder of a run while it goes on."""

    root: Path

    def config(self, name: str) -> Path:
        """Return where the configuration of a program is."""
        return self.root / "etc" / f"{name}.toml"

    def home(self, name: str) -> Path:
        """Return the folder of a program, made if it is not there."""
        home = self.root / name
        home.mkdir(parents=True, exist_ok=True)
        return home

    def data(self, core: str) -> Path:
        """Return the data directory of a program."""
        return self.root / core / "data"

    def stderr(self, name: str, incarnation: int) -> Path:
        """Return where an incarnation's standard error goes."""
        return self.home(name) / f"stderr.{incarnation}.log"

    def keep_log(self, core: str) -> None:
        """Give every file of UBSCore's log a second name, so that it outlives its deletion."""
        kept = self.home(core) / KEPT
        kept.mkdir(exist_ok=True)
        there = {entry.name: entry.inode() for entry in os.scandir(kept)}
        for entry in os.scandir(self.data(core)):
            if entry.name.endswith(".log") and there.get(entry.name) != entry.inode():
                with suppress(FileNotFoundError):  # it has gone meanwhile
                    (kept / entry.name).unlink(missing_ok=True)
                    os.link(entry.path, kept / entry.name)

    def log_files(self, core: str) -> dict[str, bytes]:
        """Return the files of UBSCore's log by name: as they are now, or were when they went."""
        return whole(_log_files(self.data(core)), _log_files(self.home(core) / KEPT))

    def real_path(self, name: str, path: str, called: str) -> Path:
        """Return where a path of a plan lies here; plans call the data directory `called`."""
        return Path(path.replace(called, str(self.data(name)), 1))

    def write_config(self, name: str, text: str) -> None:
        """Write the configuration of a program."""
        path = self.config(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it may hold credentials
        path.write_text(text, encoding="utf-8")


def _log_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.log"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a program is told of the world: where it finds servers, and what they are like."""

    brokers: tuple[Address, ...]
    nodes: tuple[Address, ...]
    datacenter: str
    keyspace: str
    group: str
    gateway_port: int
    metrics_port: int  # 0: nobody asks
    replication: int
    min_insync: int
    kafka_keys: Mapping[str, str]  # TLS and SASL, credentials
    scylla_keys: Mapping[str, str]

    def kafka(self) -> str:
        """Return the section about Kafka."""
        bootstrap = ",".join(map(str, self.brokers))
        return (
            f'[kafka]\nbootstrap = "{bootstrap}"\ndelivery_timeout_ms = {DELIVERY_MS}\n'
            f"{_lines(self.kafka_keys)}"
        )

    def scylla(self) -> str:
        """Return the section about the database."""
        points = ", ".join(f'"{node.host}"' for node in self.nodes)
        return (
            f"[scylla]\ncontact_points = [{points}]\nport = {self.nodes[0].port}\n"
            f'keyspace = "{self.keyspace}"\ndatacenter = "{self.datacenter}"\n'
            f"{_lines(self.scylla_keys)}"
        )


def _lines(keys: Mapping[str, str]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


def without_secrets(config: bytes) -> bytes:
    """Return a configuration file as it may be kept: its passwords are hidden.

    >>> without_secrets(b'password = "secret"\\nport = 1\\n')
    b'password = "***"\\nport = 1\\n'
    """
    return re.sub(rb'(?m)^(\w*password) = ".*"$', rb'\1 = "***"', config)


def config_of(
    role: str, name: str, around: Surroundings, deployment: Deployment, data: Path
) -> str:
    """Return the configuration file of the program of `role` called `name`."""
    told = deployment.told(role)
    port = around.metrics_port
    metrics = f"[metrics]\nport = {port}\n" if port and role != "gateway" else ""
    if role == "settlement":
        section = f'[settlement]\ngroup = "{around.group}"\n{told}'
        return f"{around.kafka()}{around.scylla()}{metrics}{section}{deployment.agreed}"
    if role == "gateway":
        keys = f'[[keys]]\nsha256 = "{key_hash(OPERATOR_KEY)}"\noperator = true\n'
        http = f'[gateway]\nhost = "127.0.0.1"\nport = {around.gateway_port}\n{told}'
        return f"{around.kafka()}{around.scylla()}{keys}{http}{deployment.agreed}"
    topics = (
        f"[topics]\npartitions = {deployment.partitions}\nreplication = {around.replication}\n"
        f"min_insync = {around.min_insync}\n{deployment.agreed}"
    )
    return f"{around.kafka()}{metrics}{deployment.section(name, str(data))}{topics}"
