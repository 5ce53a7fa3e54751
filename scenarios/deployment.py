"""A deployment: which programs run where, what they are told, and who restarts what.

The same on both stages. Moments have short names here, so that a plan says ``wal.append`` and
means the right call at the right door of the right program.
"""

from dataclasses import dataclass
from zlib import crc32

from sim.moments import Moment

MILLISECOND, SECOND = 10**6, 10**9

DATA = "/var/lib/ubscore"
ENGINE_DATA = "/var/lib/engine"
DELIVERY_MS = 2_000  # how long every producer tries, on either stage: plans are drawn by it

# short name -> program, door, glob of the subject
_MOMENTS: dict[str, tuple[str, str, str]] = {
    "wal.append": ("ubscore", "os.write", f"{DATA}/*"),
    "wal.fsync": ("ubscore", "os.fsync", f"{DATA}*"),
    "wal.rename": ("ubscore", "os.rename", f"{DATA}/*"),
    "wal.unlink": ("ubscore", "os.unlink", f"{DATA}/*"),
    "wal.read": ("ubscore", "os.read", f"{DATA}/*"),
    "events.produce": ("ubscore", "kafka.produce", "balance.events"),
    "events.delivered": ("ubscore", "kafka.delivery", "balance.events"),
    "orders.produce": ("ubscore", "kafka.produce", "orders.validated"),
    "orders.delivered": ("ubscore", "kafka.delivery", "orders.validated"),
    "snapshot.write": ("ubscore", "os.write", f"{DATA}/snapshot-*"),
    "snapshot.fsync": ("ubscore", "os.fsync", f"{DATA}/snapshot-*"),
    "snapshot.rename": ("ubscore", "os.rename", f"{DATA}/snapshot-*"),
    "snapshot.unlink": ("ubscore", "os.unlink", f"{DATA}/snapshot-*"),
    "outputs.produce": ("engine", "kafka.produce", "engine.outputs"),
    "outputs.delivered": ("engine", "kafka.delivery", "engine.outputs"),
    "engine.write": ("engine", "os.write", f"{ENGINE_DATA}/*"),
    "engine.fsync": ("engine", "os.fsync", f"{ENGINE_DATA}*"),
    "engine.unlink": ("engine", "os.unlink", f"{ENGINE_DATA}/*"),
    "engine.rename": ("engine", "os.rename", f"{ENGINE_DATA}/*"),
    "orders.poll": ("engine", "kafka.poll", "*"),
    "operations.poll": ("ubscore", "kafka.poll", "*"),
    "operations.produce": ("gateway", "kafka.produce", "balance.operations"),
    "operations.delivered": ("gateway", "kafka.delivery", "balance.operations"),
    "ledger.insert": ("settlement", "cql.execute", "INSERT balance_ledger"),
    "settled.commit": ("settlement", "kafka.commit", "*"),
}


# role -> what a program of it logs when it has begun to work
READY = {"ubscore": "ready", "engine": "ready", "settlement": "assigned", "gateway": "started"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarts:
    """Who restarts a program that ended: after `delay_ns`, doubled up to `delay_ns_max`.

    A program that halted (exit code in `halts`) is for an operator, who starts it again
    `operator_ns` later; 0: it stays down.
    """

    delay_ns: int = 300 * MILLISECOND
    delay_ns_max: int = 3 * SECOND
    halts: tuple[int, ...] = (70,)
    operator_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Hosts by role. A program has the name of its host.

    `settings` are lines of TOML that a role is told besides, in the section of its name.

    Each of `cores` is a shard of UBSCore, each of `engines` an instance of the matching engine;
    without one nobody answers orders. `formats` is the format version agreed on in the beginning;
    0: the newest.
    """

    gateways: tuple[str, ...] = ("gateway-1",)
    cores: tuple[str, ...] = ("ubscore-1",)
    engines: tuple[str, ...] = ()
    settlements: tuple[str, ...] = ("settlement-1",)
    brokers: tuple[str, ...] = ("kafka-1", "kafka-2", "kafka-3")
    nodes: tuple[str, ...] = ("scylla-1", "scylla-2", "scylla-3")
    client: str = "client-1"
    partitions: int = 4
    restarts: Restarts = Restarts()
    disk: str = "posix"
    clock_skew_ms: int = 20
    settings: tuple[tuple[str, str], ...] = ()
    formats: int = 0

    @property
    def agreed(self) -> str:
        """What every program is told of formats."""
        return f"[formats]\nversion = {self.formats}\n" if self.formats else ""

    @property
    def core(self) -> str:
        """The first shard of UBSCore, which single faults are aimed at."""
        return self.cores[0]

    def gateways_of(self, client: str) -> tuple[str, ...]:
        """Return the gateways in the order in which a client tries them: each begins elsewhere."""
        turn = crc32(client.encode()) % len(self.gateways)
        return (*self.gateways[turn:], *self.gateways[:turn])

    @property
    def programs(self) -> tuple[str, ...]:
        """All programs under test."""
        return (*self.gateways, *self.cores, *self.settlements, *self.engines)

    @property
    def roles(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The programs by role, in the order in which they are started."""
        return (
            ("ubscore", self.cores),
            ("engine", self.engines),
            ("settlement", self.settlements),
            ("gateway", self.gateways),
        )

    @property
    def directories(self) -> tuple[tuple[str, str], ...]:
        """The programs that have a data directory, each with its role."""
        return (
            *((core, "ubscore") for core in self.cores),
            *((engine, "engine") for engine in self.engines),
        )

    @property
    def stores(self) -> tuple[str, ...]:
        """Hosts that keep something when power goes."""
        return (*self.cores, *self.engines, *self.brokers, *self.nodes)

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts of programs and servers."""
        return (*self.programs, *self.brokers, *self.nodes)

    def data(self, name: str) -> str:
        """Return how plans call the data directory of a program."""
        return ENGINE_DATA if name in self.engines else DATA

    def section(self, name: str, data: str) -> str:
        """Return what a shard or an instance is told of itself, with its data in `data`."""
        if name in self.engines:
            number, count = self.engines.index(name) + 1, len(self.engines)
            lines = _part("instance", number, count) + self.told("engine")
            return f'[engine]\ndata = "{data}"\nidle_ms = 500\n{lines}'
        number, count = self.cores.index(name) + 1, len(self.cores)
        lines = _part("shard", number, count) + self.told("ubscore")
        return f'[ubscore]\ndata = "{data}"\nidle_ms = 500\n{lines}'

    def told(self, role: str) -> str:
        """Return the settings of a role, as lines of its section."""
        return "".join(f"{line}\n" for name, line in self.settings if name == role)

    def program_of(self, name: str) -> str:
        """Return the role whose moment is called `name`."""
        return _MOMENTS[name][0]

    def name_of(self, moment: Moment) -> str:
        """Return the short name of a moment; its door and subject if it has none."""
        roles = dict(self.roles)
        for name, (role, door, subject) in _MOMENTS.items():
            if moment.process in roles[role] and (door, subject) == (moment.door, moment.subject):
                return name
        return f"{moment.door} {moment.subject}"

    def moment(self, role: str, name: str, ordinal: int = 1, *, part: float = 0.0) -> Moment:
        """Return the moment called `name` in the first program of `role`."""
        program, door, subject = _MOMENTS[name]
        assert program == role, f"{name} is a moment of {program}, not of {role}"
        (process, *_) = dict(self.roles)[role]
        return Moment(process, door, ordinal, part, subject)


def _part(what: str, number: int, count: int) -> str:
    return f"{what} = {number}\n{what}s = {count}\n" if count > 1 else ""
