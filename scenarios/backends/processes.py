"""Servers that are processes of ours: started on a leash, signalled, waited for, never orphaned."""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from scenarios import endings
from scenarios.backends.base import Address, Role, Server
from scenarios.backends.identity import Identity
from scenarios.errors import Infrastructure
from scenarios.leash import leashed

STOP_S = 30.0
_POLL_S = 0.02

# The kernel kills a leashed process when the thread that started it ends: this one never does.
_starter = ThreadPoolExecutor(1, "backends")


class Child:
    """One process of ours; its output is appended to the file `log`."""

    def __init__(self, command: Sequence[str], folder: Path, log: Path) -> None:
        self.command = tuple(command)
        self._process = _starter.submit(self._spawn, folder, log).result()

    def _spawn(self, folder: Path, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                leashed(self.command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us, who then stop it
            )

    @property
    def pid(self) -> int:
        """The process id; the command's own, because the leash becomes the command."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def send(self, number: int) -> None:
        """Send a signal, if it still runs."""
        self._process.send_signal(number)

    def end(self, number: int, timeout_s: float = STOP_S) -> int:
        """Send a signal that ends it; kill it if it has not ended in time."""
        self.send(number)
        self.send(signal.SIGCONT)
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            return self._process.wait()


class ProcessServer(Server):
    """A server that is one process; a subclass says with which command, and when it serves."""

    def __init__(self, name: str, role: Role, address: Address, folder: Path) -> None:
        super().__init__(name, role, address)
        self.folder = folder
        self.log_path = folder / "output.log"
        self.data = folder / "data"
        self._child: Child | None = None
        self._log_from = 0  # where in its log the words of its present life begin

    def command(self) -> Sequence[str]:
        """Write what the server reads at start, and return its command."""
        raise NotImplementedError

    def wait_until_served(self) -> None:
        """Return when it serves; raise `Infrastructure` if it dies before."""
        raise NotImplementedError

    def wait_until_joined(self) -> None:
        """Return when it serves, and those that it needs for it do so, too."""
        self.wait_until_served()

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._child.pid if self._child and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether it runs; a paused server is alive."""
        return self._child is not None and self._child.code is None

    @property
    def ending(self) -> str:
        """How its process ended, if it has."""
        code = self._child.code if self._child is not None else None
        return "" if code is None else endings.told(code)

    def launch(self) -> None:
        """Start the process without waiting for it to serve."""
        if self.alive:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        assert self.log_path is not None
        self._log_from = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._child = Child(self.command(), self.folder, self.log_path)
        identity = Identity.of(self._child.pid)
        self._kept.write_bytes(msgspec.json.encode(identity))

    @property
    def _kept(self) -> Path:
        return self.folder / "process.json"

    def sweep(self) -> bool:
        """Kill it if a starter that is gone has left it running; return whether it did.

        Another process, which has its number by now, is left alone.
        """
        if self.alive or not self._kept.exists():
            return False
        with suppress(msgspec.DecodeError):  # half written: it did not outlive its starter
            left = msgspec.json.decode(self._kept.read_bytes(), type=Identity | None)
            return left is not None and left.kill()
        return False

    def start(self) -> None:
        """Start it, again on the same folder and address; return when it serves."""
        self.launch()
        self.wait_until_served()

    def kill(self) -> None:
        """Kill it without warning (SIGKILL); return when it is dead."""
        if self._child:
            self._child.end(signal.SIGKILL)

    def terminate(self, timeout_s: float = STOP_S) -> None:
        """Stop it in order (SIGTERM), kill it if that takes too long; return when it has ended."""
        if self._child:
            self._child.end(signal.SIGTERM, timeout_s)

    def pause(self) -> None:
        """Stop it from running (SIGSTOP); it keeps its connections."""
        if self._child:
            self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one run on (SIGCONT)."""
        if self._child:
            self._child.send(signal.SIGCONT)

    def said(self, words: str) -> bool:
        """Whether its log has had `words` since it was last launched."""
        assert self.log_path is not None
        with self.log_path.open("rb") as log:
            log.seek(self._log_from)
            return words.encode() in log.read()

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Return when `condition` holds; raise `Infrastructure` if it dies or takes too long."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check_alive()
            if time.monotonic() > deadline:
                raise Infrastructure(
                    f"{self.name} at {self.address} does not serve after {timeout_s:.0f} s;"
                    f" its log {self.log_path} ends in\n{self.tail()}"
                )
            time.sleep(_POLL_S)

    def check_alive(self) -> None:
        """Raise `Infrastructure` with the last lines of its log if it has ended."""
        if self.ending:
            raise Infrastructure(
                f"{self.name} at {self.address} {self.ending};"
                f" its log {self.log_path} ends in\n{self.tail()}"
            )
