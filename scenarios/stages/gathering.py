"""Gathering evidence: what a run left in topics, logs and tables, and what could be seen of it."""

import json
import platform
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from reports.evidence import (
    About,
    AccountRow,
    Commit,
    Damage,
    Dump,
    Evidence,
    FaultReceipt,
    LogImage,
    LogLine,
    OwedHalt,
    RequestRow,
    Restart,
    Row,
    TopicRecord,
)
from scenarios.clients import History
from scenarios.deployment import DATA, SECOND
from scenarios.nemesis import Injection, Nemesis
from scenarios.stages.town import Town
from scenarios.token import Token
from sim.doors.processes import deliver_signal
from sim.machine import Record
from system.records import EVENTS, OPERATIONS

_DUMP = f"{DATA}/balances.json"
_VERSIONS = ("simpy", "greenlet", "confluent-kafka", "cassandra-driver")

RunUntil = Callable[[Callable[[], Any], int], bool]


@dataclass(slots=True)
class Log:
    """What was noted while the run went on. All times in ns since the start of the world."""

    began_ns: int = 0
    healed_ns: int = 0
    quiescent_ns: int | None = None
    ended_ns: int = 0
    commits: list[Commit] = field(default_factory=list)
    writes: dict[tuple[Any, ...], dict[str, int]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    dumps: list[Dump] = field(default_factory=list)
    restarts: list[Restart] = field(default_factory=list)

    def watch(self, town: Town) -> None:
        """Note every state change that brokers and nodes report."""
        kernel = town.world.kernel

        def observe(host: str, change: Record) -> None:
            self.kinds[change.kind] += 1
            if change.kind == "commit":
                group, topic, partition, offset, _, note, _ = change.fields
                self.commits.append(
                    Commit(
                        group=str(group),
                        topic=str(topic),
                        partition=int(partition or 0),
                        offset=int(offset or 0),
                        metadata=str(note),
                        at_ns=kernel.now,
                    )
                )

        for host in town.world.hosts.values():
            for server in host.servers:
                server.observer = observe
