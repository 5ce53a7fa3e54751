"""CPU time of processes, from /proc: which program a load keeps busy."""

import os
from collections.abc import Iterable
from pathlib import Path

from reports.load import Machine, Usage

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the user and system time that a process has taken, 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _machine() -> tuple[float, float]:
    """Return the busy and the whole time of all cores since the machine started, in ticks."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        user, nice, system, idle, iowait, irq, softirq, steal = map(
            float, file.readline().split()[1:9]
        )
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + iowait


class Meter:
    """Adds up the CPU time of named processes; a name may have many lives."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], float] = {}
        self._last: dict[tuple[str, int], float] = {}
        self._machine: tuple[float, float] = (0.0, 0.0)
        self.running = False

    def begin(self, processes: Iterable[tuple[str, int]]) -> None:
        """Count from now."""
        self._first = {process: cpu_s(process[1]) for process in processes}
        self._last = dict(self._first)
        self._machine = _machine()
        self.running = True

    def look(self, processes: Iterable[tuple[str, int]]) -> None:
        """Take a reading: what a process took after its last one is not seen."""
        if not self.running:
            return
        for process in processes:
            self._last[process] = max(cpu_s(process[1]), self._last.get(process, 0.0))

    def machine(self) -> Machine | None:
        """Return what all processes of the machine took since `begin`."""
        busy, whole = (now - then for now, then in zip(_machine(), self._machine, strict=True))
        if not self.running or not whole:
            return None
        return Machine(cores=os.cpu_count() or 1, busy=busy / whole)

    def end(self) -> tuple[Usage, ...]:
        """Stop counting; return what each name took, the busiest first."""
        self.running = False
        total: dict[str, float] = {}
        for process, last in self._last.items():
            total[process[0]] = total.get(process[0], 0.0) + last - self._first.get(process, 0.0)
        found = [Usage(name=name, cpu_s=round(taken, 2)) for name, taken in total.items()]
        return tuple(sorted(found, key=lambda each: -each.cpu_s))
