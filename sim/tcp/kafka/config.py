"""The configuration of one broker's process, and how it is written for one.

A cluster is one broker by default. For several, every process is given the same `brokers`; one of
them (or a process of its own with `role = "controller"`) has a `controller_port`, the others name
it as `controller`.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from sim.kafka.cluster.settings import Settings
from sim.tcp.process import misused


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one process is told; only `directory` has no default.

    `broker_id`, `host` and `port` (0: any) say who it is and where it listens; clients are told
    `advertised_host` and `advertised_port` instead where these are set. `directory` is made if it
    is missing and belongs to this broker from then on. `brokers` are the ids of all brokers of the
    cluster, empty for this one alone. `controller` is the "host:port" of the process that keeps
    the metadata; empty if it is this one, which then takes other brokers on `controller_port`
    (None: nobody). `fsync` says whether an answer waits for the device or, as Kafka's, only for
    the operating system. `settings` are those of `sim.kafka.cluster.settings.Settings` by name.
    """

    directory: str
    role: Literal["broker", "controller"] = "broker"
    broker_id: int = 1
    host: str = "127.0.0.1"
    port: int = 0
    advertised_host: str = ""
    advertised_port: int = 0
    brokers: tuple[int, ...] = ()
    controller: str = ""
    controller_port: int | None = None
    fsync: Literal["never", "always"] = "never"
    socket_request_max_bytes: int = 104_857_600
    settings: dict[str, int | bool] = {}

    @property
    def name(self) -> str:
        """The process's name in its log lines."""
        return "kafka-controller" if self.role == "controller" else f"kafka-{self.broker_id}"

    def controller_address(self) -> tuple[str, int]:
        """Return where the controller is, if it is elsewhere."""
        host, _, port = self.controller.rpartition(":")
        return host, int(port)

    def all_brokers(self) -> tuple[int, ...]:
        """Return the ids of the cluster's brokers."""
        return self.brokers or (self.broker_id,)

    def checked(self) -> "Config":
        """Return this if it makes sense; else `Stop` says what does not."""
        _check_settings(self.settings)
        for name in ("port", "advertised_port", "controller_port"):
            port = getattr(self, name) or 0
            if not 0 <= port <= 65_535:
                raise misused(f"{name} = {port}: no port has this number")
        anywhere = self.host in ("", "0.0.0.0", "::")
        if self.role == "broker" and anywhere and not self.advertised_host:
            raise misused(f'host = "{self.host}" wants an advertised_host that clients can reach')
        if self.broker_id < 0 or min(self.all_brokers()) < 0:
            raise misused("the ids of brokers are not negative")
        if self.role == "broker" and self.broker_id not in self.all_brokers():
            raise misused(f"broker_id = {self.broker_id} is not among brokers = {self.brokers}")
        if self.role == "controller" and (self.controller_port is None or not self.brokers):
            raise misused('role = "controller" wants a controller_port and the ids of the brokers')
        if self.controller and self.controller_port is not None:
            raise misused("controller and controller_port: the metadata is here or elsewhere")
        if self.controller and not self.controller.rpartition(":")[2].isdigit():
            raise misused(f'controller = "{self.controller}": host:port is wanted')
        return self

    def cluster_settings(self) -> Settings:
        """Return the settings of the brokers."""
        chosen: dict[str, Any] = dict(self.settings)
        return Settings(**chosen)

    def write(self, path: Path) -> None:
        """Write the file that `python -m sim.tcp kafka --config` reads."""
        path.write_text(json.dumps(msgspec.to_builtins(self), indent=1) + "\n")


def _check_settings(settings: dict[str, int | bool]) -> None:
    known = {field.name: field.type for field in dataclasses.fields(Settings)}
    for name, value in settings.items():
        if name not in known:
            raise misused(f"settings: there is no {name!r}; there are {', '.join(known)}")
        if type(value) is not known[name]:
            wanted = getattr(known[name], "__name__", known[name])
            raise misused(f"settings: {name} = {value!r}: {wanted} is wanted")
