"""Where everything stands at one moment of a run, in words, for somebody who debugs it."""

from scenarios.stages.town import Town, by_name
from sim.kernel import SECOND
from sim.trace import Entry
from system import topics

_ENTRIES, _LINES = 25, 4


def lines(town: Town) -> list[str]:
    """Describe programs, servers, topics, log and tables, and how it came to that."""
    kernel = town.world.kernel
    text = [f"{town.scenario.name}, seed {town.world.seed}, stopped at {kernel.now / SECOND:.6f} s"]
    text += ["", "programs"]
    for process in kernel.processes:
        state = "paused" if process.paused else "runs"
        if not process.alive:
            state = f"ended with {process.exit_code} at {(process.died_at or 0) / SECOND:.6f} s"
        text.append(f"  {process.label:<18}{state}")
        text += [f"      {line[:150]}" for line in process.stderr[-_LINES:]]
    text += ["", "servers"]
    for name in (*town.deployment.brokers, *town.deployment.nodes):
        server = town.world.server(name)
        state = "paused" if server.paused else "up" if server.alive else "down"
        text.append(f"  {name:<18}{state}, {server.crashes} crashes")
    text += ["", "topics: partition, log end, settled"]
    settled = town.kafka.committed("settlement")
    for topic in topics.ALL:
        for partition in range(town.deployment.partitions):
            commit = settled.get((topic, partition))
            end = town.kafka.end_offset(topic, partition)
            text.append(f"  {topic:<20}{partition:>3}{end:>8}{commit.offset if commit else '-':>8}")
    for core in town.deployment.cores:
        disk = town.world.hosts[core].disk
        assert disk is not None
        text += ["", f"log of {core}: file, bytes cached, bytes durable"]
        durable = by_name(disk.durable_files("/"))
        for name, content in by_name(disk.cached_files("/")).items():
            text.append(f"  {name:<44}{len(content):>9}{len(durable.get(name, b'')):>9}")
    rows = town.scylla.rows("wavetank.balance_ledger")
    text += ["", f"ledger: {len(rows)} rows", "", "the last things that happened"]
    kernel.trace.digest()
    return [*text, *map(_entry, (kernel.trace.kept or [])[-_ENTRIES:])]


def _entry(entry: Entry) -> str:
    at_ns, kind, fields = entry
    shown = " ".join(
        f"<{len(field)} bytes>" if isinstance(field, bytes) else str(field) for field in fields
    )
    return f"  {at_ns / SECOND:.6f}  {kind:<10}{shown[:120]}"
