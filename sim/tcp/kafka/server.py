"""The process of one broker: bind, lock, read what is on disk, serve until told to stop."""

import errno
from random import Random

from sim.kafka.cluster.broker import Broker
from sim.kafka.cluster.image import Node
from sim.machine import Record
from sim.tcp import process
from sim.tcp.kafka.codec import KafkaCodec
from sim.tcp.kafka.config import Config
from sim.tcp.kafka.directory import Directory
from sim.tcp.kafka.metadata import ImageFile
from sim.tcp.kafka.segments import Damaged
from sim.tcp.kafka.store import Store
from sim.tcp.process import Stop
from sim.tcp.shell import Shell


class BrokerProcess:
    """A broker with its directory, on a port."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.directory = Directory(config.directory)
        sync = config.fsync == "always"
        self.metadata = ImageFile(self.directory.path, config.all_brokers(), sync=sync)
        self.image = self.metadata.image
        self.broker = Broker(config.broker_id, self.image, config.cluster_settings(), Random())
        self.store = Store(self.directory, self.broker, sync=sync)
        self.port = 0

    async def start(self) -> Shell:
        """Begin to serve."""
        config = self.config
        self.directory.claim(self.image.cluster_id, str(config.broker_id))
        shell = Shell(self.broker, persist=self._persist)
        self.port = await bind(shell, config)
        self.image.nodes[config.broker_id] = Node(
            config.broker_id,
            config.advertised_host or config.host,
            config.advertised_port or self.port,
        )
        self.store.open()
        await shell.start()
        self._persist([])
        return shell

    def close(self) -> None:
        """Give the directory back."""
        self.store.close()
        self.directory.close()

    def _persist(self, records: list[Record]) -> None:
        # A topic is durable before what is in it, and gone before its files are.
        self.metadata.save()
        self.store.persist(records)
        self.store.bury()


async def bind(shell: Shell, config: Config) -> int:
    """Listen on the configured port; `Stop` if somebody else does."""
    try:
        return await shell.listen(
            config.host,
            config.port,
            lambda address: KafkaCodec(address, config.socket_request_max_bytes),
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Stop(f"{config.host}:{config.port} is taken by another process") from error
        raise Stop(f"cannot listen on {config.host}:{config.port}: {error}") from error


async def serve(path: str, *, die_with_parent: bool) -> None:
    """Serve as the file at `path` says until a signal comes; `Stop` if it cannot go on."""
    config = process.load(Config, path).checked()
    stopping = process.stopped_by_signal()
    if die_with_parent:
        process.die_with_parent(stopping)
    try:
        served = BrokerProcess(config)
        shell = await served.start()
    except Damaged as error:
        raise Stop(str(error)) from error
    except OSError as error:
        raise Stop(f"cannot use {config.directory}: {error}") from error
    process.ready(served.port, cluster_id=served.image.cluster_id, broker_id=config.broker_id)
    try:
        await shell.serve_until(stopping)
    except OSError as error:
        raise Stop(f"stopped, as nothing can be written any more: {error}") from error
    served.close()
