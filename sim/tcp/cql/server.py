"""A CQL node as a process: its ports, its links, its data directory."""

import asyncio
import gc
import os
from pathlib import Path

from sim.machine import Record
from sim.scylla.node import Node
from sim.tcp import process
from sim.tcp.codec import MakeCodec
from sim.tcp.cql.config import Config, ring
from sim.tcp.cql.frames import Conversation
from sim.tcp.cql.links import Link
from sim.tcp.cql.storage.directory import FORMAT, Directory, Stamp
from sim.tcp.cql.storage.frames import Corrupt
from sim.tcp.cql.storage.journal import Journal
from sim.tcp.cql.storage.snapshots import Snapshots
from sim.tcp.shell import Route, Shell

_REAP_S = 0.2


async def serve(path: str, *, die_with_parent: bool) -> None:
    """Serve as the file at `path` says until a signal comes; `process.Stop` if it cannot go on."""
    config = process.load(Config, path)
    stop = process.stopped_by_signal()
    if die_with_parent:
        process.die_with_parent(stop)
    names = tuple(sorted(member.name for member in config.members))
    stamp = Stamp(FORMAT, config.cluster, config.name, names)
    directory = Directory(Path(config.data), stamp)
    server = _Server(config, directory)
    try:
        await server.start()
        await server.shell.serve_until(stop)
    except Corrupt as error:
        raise process.Stop(str(error)) from error
    except OSError as error:
        place = error.filename or config.data
        raise process.Stop(f"cannot keep data in {place}: {error.strerror}") from error
    finally:
        server.close()


class _Server:
    """What belongs together while a node runs."""

    def __init__(self, config: Config, directory: Directory) -> None:
        self.config = config
        self.directory = directory
        self.node = self._node(config.me.port)
        self.shell = Shell(self.node, route=self._route)
        self.journal: Journal | None = None
        self.snapshots: Snapshots | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._synced = 0.0

    async def start(self) -> None:
        """Bind the ports, recover, serve, and say so."""
        config, shell = self.config, self.shell
        port = await self._listen(config.client_place, Conversation)
        peer_port = await self._listen(config.peer_place, self._link)
        if not config.me.port:
            shell.machine = self.node = self._node(port)
        self.journal = Journal(self.directory.path, self.node, config.commitlog)
        gc.freeze()  # what was recovered stays: no use in looking for garbage there
        self.snapshots = Snapshots(self.directory, self.node, self.journal)
        shell.persist = self._persist
        await shell.start()
        self._tick()
        process.ready(port, peer_port=peer_port, name=config.name)

    def close(self) -> None:
        """Let go of what is still held, and sync what was acknowledged."""
        self.shell.abort()
        if self._timer is not None:
            self._timer.cancel()
        if self.snapshots is not None:
            self.snapshots.stop()
        if self.journal is not None and not self.shell.failure.done():
            self.journal.log.sync()

    def _node(self, port: int) -> Node:
        config = self.config
        # The journal syncs; what the node itself would do for ``periodic`` is for simulated disks.
        return Node(config.name, ring(config, port), config.cluster, "batch")

    async def _listen(self, place: tuple[str, int], codec: MakeCodec) -> int:
        host, port = place
        try:
            return await self.shell.listen(host, port, codec)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise process.Stop(f"cannot listen on {host}:{port}: {why}") from error

    def _link(self, _: str) -> Link:
        return Link(self.node, self.config.cluster)

    def _route(self, peer: str) -> Route:
        member = next(each for each in self.config.members if each.name == peer)
        return (
            member.peer_address,
            member.peer_port,
            lambda _: Link(self.node, self.config.cluster, dialled=peer),
        )

    def _persist(self, records: list[Record]) -> None:
        assert self.journal is not None
        assert self.snapshots is not None
        self.journal.persist(records)
        if self.snapshots.due():
            self.snapshots.begin()

    def _tick(self) -> None:
        """Look after children, and sync a periodic log, again and again."""
        assert self.journal is not None
        assert self.snapshots is not None
        self.snapshots.reap()
        period = self.config.commitlog.sync_period_in_ms / 1000
        loop = asyncio.get_running_loop()
        if loop.time() >= self._synced + period:
            self._synced = loop.time()
            try:
                self.journal.log.sync()
            except OSError as error:
                self.shell.fail(error)
                return
        self._timer = loop.call_later(min(_REAP_S, period), self._tick)
