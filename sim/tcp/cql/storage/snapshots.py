"""Snapshots: a forked child writes down all that the node is, while the node serves on."""

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from sim.scylla.node import Node
from sim.tcp.cql.storage.directory import Directory
from sim.tcp.cql.storage.entries import Entry, encode, snapshot
from sim.tcp.cql.storage.frames import Writing
from sim.tcp.cql.storage.journal import Journal, snapshot_path

LOG = logging.getLogger(__name__)

_ENTRIES_PER_FRAME = 256
_PR_SET_PDEATHSIG = 1


class Snapshots:
    """Makes a snapshot whenever the log has grown by its limit, and by what the last one had."""

    def __init__(self, directory: Directory, node: Node, journal: Journal) -> None:
        self._directory = directory
        self._node = node
        self._journal = journal
        self._child = 0
        self._number = 0

    def due(self) -> bool:
        """Whether it is time for one."""
        journal = self._journal
        limit = max(journal.settings.bytes_max, journal.snapshot_bytes)
        return not self._child and journal.since_snapshot > limit

    def begin(self) -> None:
        """Begin the next log, and have a child write what came before it."""
        self._number = self._journal.rotate()
        now_ns = time.time_ns()
        parent = os.getpid()
        try:
            self._child = os.fork()
        except OSError as error:
            LOG.warning("no snapshot %d, the commit log is kept: %s", self._number, error.strerror)
            return
        if not self._child:
            _in_child(parent, lambda: self._write(now_ns))

    def reap(self, options: int = os.WNOHANG) -> None:
        """Take note of a child that has ended."""
        if not self._child:
            return
        pid, status = os.waitpid(self._child, options)
        if pid:
            self._child = 0
            if status:
                LOG.warning("snapshot %d failed; the commit log is kept", self._number)
            else:
                self._journal.forget(self._number)

    def stop(self) -> None:
        """Give up a snapshot under way."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            self._child = 0

    def _write(self, now_ns: int) -> None:
        self._directory.unlock()
        path = snapshot_path(self._directory.path, self._number)
        file = Writing(path, self._number)
        some: list[Entry] = []
        for entry in snapshot(self._node, now_ns):
            some.append(entry)
            if len(some) == _ENTRIES_PER_FRAME:
                file.append(encode(some))
                file.flush()
                some = []
        file.append(encode(some))
        file.publish()


def _in_child(parent: int, work: Callable[[], None]) -> None:
    """Do `work` and end, whatever happens: nothing of the parent's may go on here."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            work()
            code = 0
    finally:
        os._exit(code)  # no exit handler of the parent's may run here
