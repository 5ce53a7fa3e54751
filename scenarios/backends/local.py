"""Back ends whose servers are processes of ours on this machine."""

import shutil
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import ClassVar

from scenarios.backends.base import Ability, Server
from scenarios.backends.layout import ANY, Layout, Ports
from scenarios.backends.processes import ProcessServer
from scenarios.backends.started import StartedBackend

# Of all servers at once: the last broker waits in vain for a quorum to allow its stopping.
_STOP_S = 10.0


class LocalBackend(StartedBackend):
    """Brokers and nodes as processes; `folder` holds all their data."""

    abilities: ClassVar[frozenset[Ability]] = frozenset(Ability)

    def __init__(self, folder: Path, brokers: int, nodes: int, chosen: Ports = ANY) -> None:
        super().__init__(folder, brokers, nodes, chosen)
        self.processes = (*self.make_brokers(self.layout), *self.make_nodes(self.layout))
        self.servers: tuple[Server, ...] = self.processes

    @abstractmethod
    def make_brokers(self, laid_out: Layout) -> Sequence[ProcessServer]:
        """Return the brokers, not running yet."""

    @abstractmethod
    def make_nodes(self, laid_out: Layout) -> Sequence[ProcessServer]:
        """Return the nodes, not running yet."""

    def start(self) -> None:
        """Start all servers and return when they serve; if one does not, none is left running."""
        start(self.processes)

    def down(self) -> None:
        """Stop all servers in order; their data stays in the folder."""
        with ThreadPoolExecutor(len(self.processes)) as pool:
            list(pool.map(lambda server: server.terminate(_STOP_S), self.processes))

    def kill(self) -> None:
        """Kill all servers without warning."""
        for server in self.processes:
            server.kill()

    def sweep(self) -> list[str]:
        """Kill what a crash of ours has left running in the folder; return the servers' names."""
        return [server.name for server in self.processes if server.sweep()]

    def show_logs(self, names: Sequence[str], lines: int, *, follow: bool) -> Sequence[str]:
        """Return the command that shows the last lines of the logs of the servers named."""
        paths = [str(self.server(name).log_path) for name in names]
        there = [path for path in paths if Path(path).exists()]
        return ("tail", "-v", "-n", str(lines), *(["-F"] if follow else []), *there)

    def wipe(self) -> None:
        """Delete the folders of all servers."""
        for server in self.processes:
            shutil.rmtree(server.folder, ignore_errors=True)


def start(servers: Sequence[ProcessServer]) -> None:
    """Start servers at once, return when they serve; if one does not, none is left running."""
    with ThreadPoolExecutor(len(servers)) as pool:
        try:
            for server in servers:
                server.launch()
            for each in as_completed([pool.submit(one.wait_until_joined) for one in servers]):
                each.result()
        except BaseException:
            for server in servers:
                server.kill()
            raise
