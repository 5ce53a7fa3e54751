"""The process of a broker, of the controller, or of both: bind, lock, read what is there, serve."""

import asyncio
import errno
import uuid
from collections.abc import Coroutine
from random import Random
from typing import Any

from sim.kafka.cluster.broker import Broker
from sim.kafka.cluster.image import Node
from sim.machine import Record
from sim.tcp import process
from sim.tcp.codec import MakeCodec
from sim.tcp.kafka.codec import KafkaCodec
from sim.tcp.kafka.config import Config
from sim.tcp.kafka.controller import Controller
from sim.tcp.kafka.directory import Directory
from sim.tcp.kafka.links import LinkCodec
from sim.tcp.kafka.member import Member, Replica
from sim.tcp.kafka.metadata import ImageFile, unknown
from sim.tcp.kafka.segments import Damaged
from sim.tcp.kafka.store import Store
from sim.tcp.process import Stop
from sim.tcp.shell import Route, Shell

_REGISTRATION_S = 60  # initial.broker.registration.timeout.ms


async def serve(path: str, *, die_with_parent: bool) -> None:
    """Serve as the file at `path` says until a signal comes; `Stop` if it cannot go on."""
    config = process.load(Config, path).checked()
    stopping = process.stopped_by_signal()
    if die_with_parent:
        process.die_with_parent(stopping)
    directory = Directory(config.directory)
    try:
        served: _Authority | _Follower = (
            _Follower(config, directory) if config.controller else _Authority(config, directory)
        )
        if await _unless(stopping, served.start()):
            await _serve_until(stopping, served.shells)
        served.close()
    except Damaged as error:
        raise Stop(str(error)) from error
    except OSError as error:
        where, why = error.filename or config.directory, error.strerror or error
        raise Stop(f"cannot go on: {where}: {why}") from error
    finally:
        directory.close()


class _Authority:
    """The controller, and in most cases a broker beside it that shares its image."""

    def __init__(self, config: Config, directory: Directory) -> None:
        self.config = config
        self.shells: list[Shell] = []
        self._directory = directory
        sync = config.fsync == "always"
        self._file = ImageFile(directory.path, config.all_brokers(), sync=sync)
        self._store: Store | None = None
        self._controller: tuple[Controller, Shell] | None = None
        name = str(config.broker_id) if config.role == "broker" else config.role
        self._file.save()  # the cluster has its id before the directory is the cluster's
        directory.claim(self._file.image.cluster_id, name)

    async def start(self) -> None:
        """Begin to serve, and say so."""
        config, ports = self.config, {}
        if config.role == "broker":
            ports["port"] = await self._start_broker()
        if config.controller_port is not None:
            ports["controller_port"] = await self._start_controller(config.controller_port)
        self._persist([])
        port = ports.pop("port", ports.get("controller_port", 0))
        process.ready(port, name=config.name, cluster_id=self._file.image.cluster_id, **ports)

    def close(self) -> None:
        """Give the files back."""
        if self._store is not None:
            self._store.close()

    async def _start_broker(self) -> int:
        config, image = self.config, self._file.image
        broker = Broker(config.broker_id, image, config.cluster_settings(), Random())
        shell = Shell(broker, persist=self._persist)
        port = await _listen(shell, config.host, config.port, _kafka(config))
        image.nodes[config.broker_id] = _node(config, port)
        sync = config.fsync == "always"
        self._store = Store(self._directory, broker, sync=sync)
        self._store.open()
        self.shells.append(shell)
        await shell.start()
        return port

    async def _start_controller(self, port: int) -> int:
        config, file = self.config, self._file
        local = config.broker_id if config.role == "broker" else None
        settings = config.cluster_settings()
        controller = Controller(file.image, settings, file.incarnations, local)
        shell = Shell(controller, persist=self._persist)
        port = await _listen(shell, config.host, port, LinkCodec)
        self._controller = controller, shell
        self.shells.append(shell)
        await shell.start()
        return port

    def _persist(self, records: list[Record]) -> None:
        # A topic is durable before what is in it, and gone before its files are.
        changed = self._file.save()
        if self._store is not None:
            self._store.persist(records)
            self._store.bury()
        if changed and self._controller is not None:
            controller, shell = self._controller
            shell.carry_out(controller.publish())


class _Follower:
    """A broker whose controller is elsewhere."""

    def __init__(self, config: Config, directory: Directory) -> None:
        self.config = config
        self.shells: list[Shell] = []
        self._directory = directory
        self._image = Replica(unknown(config.all_brokers()))
        self._opened = asyncio.Event()
        self._store: Store | None = None

    async def start(self) -> None:
        """Register, read what is on disk, begin to serve and say so."""
        config, directory = self.config, self._directory
        route: Route = (*config.controller_address(), LinkCodec)
        member = Member(config.broker_id, self._image, config.cluster_settings())
        shell = Shell(member, persist=self._persist, route=lambda _: route)
        port = await _listen(shell, config.host, config.port, _kafka(config))
        member.register_as(_node(config, port), uuid.uuid4().hex, directory.owner())
        member.opened = lambda: self._open(shell)
        member.unwelcome = lambda why: shell.fail(Stop(f"the controller refuses: {why}"))
        self._store = Store(directory, member, sync=config.fsync == "always")
        self.shells.append(shell)
        shell.begin()
        opened = asyncio.ensure_future(self._opened.wait())
        waiting: list[asyncio.Future[object]] = [opened, shell.failure]  # type: ignore[list-item]
        await asyncio.wait(waiting, timeout=_REGISTRATION_S, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if shell.failure.done():
            shell.failure.result()
        if not self._opened.is_set():
            raise Stop(f"the controller at {config.controller} has not answered")
        await shell.accept()
        process.ready(port, name=config.name, cluster_id=self._image.cluster_id)

    def close(self) -> None:
        """Give the files back."""
        if self._store is not None:
            self._store.close()

    def _open(self, shell: Shell) -> None:
        assert self._store is not None
        try:
            self._directory.claim(self._image.cluster_id, str(self.config.broker_id))
            self._store.open()
        except (Stop, Damaged, OSError) as error:
            shell.fail(error)
            return
        self._opened.set()

    def _persist(self, records: list[Record]) -> None:
        assert self._store is not None
        self._store.persist(records)
        self._store.bury()


def _kafka(config: Config) -> MakeCodec:
    return lambda address: KafkaCodec(address, config.socket_request_max_bytes)


def _node(config: Config, port: int) -> Node:
    host = config.advertised_host or config.host
    return Node(config.broker_id, host, config.advertised_port or port)


async def _listen(shell: Shell, host: str, port: int, codec: MakeCodec) -> int:
    try:
        return await shell.listen(host, port, codec)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Stop(f"{host}:{port} is taken by another process") from error
        raise Stop(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


async def _unless(stopping: asyncio.Event, start: Coroutine[Any, Any, None]) -> bool:
    """Await `start` unless `stopping` is set before; return whether it ended."""
    stopped, started = asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(start)
    await asyncio.wait({stopped, started}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if started.done():
        started.result()
        return True
    started.cancel()
    return False


async def _serve_until(stopping: asyncio.Event, shells: list[Shell]) -> None:
    """Serve until `stopping` is set or a shell fails; then stop all of them."""
    serving = [asyncio.ensure_future(shell.serve_until(stopping)) for shell in shells]
    done, others = await asyncio.wait(serving, return_when=asyncio.FIRST_EXCEPTION)
    for other in others:
        other.cancel()
    for each in done:
        each.result()
