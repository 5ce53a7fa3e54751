"""A town: the world of one run, with everything the deployment names built and running.

Importing it hangs the doors; no library that a program uses may be imported earlier.
"""

from functools import partial
from typing import Self

from scenarios.deployment import DATA, DELIVERY_MS, SECOND, Deployment
from scenarios.keys import OPERATOR_KEY, key_hash
from scenarios.redeploy import SETTINGS
from scenarios.scenario import Scenario
from scenarios.stages.costs import Costs
from scenarios.stages.logs import whole
from scenarios.stages.sampling import Sampler
from scenarios.supervisor import Supervisor
from sim.disk import Disk
from sim.doors import install
from sim.doors.bodies import Body, Pool
from sim.host import Host, Server
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.process import Process, burying
from sim.scylla.cluster import Cluster as Nodes
from sim.world import World
from system import schema, topics

install.install()

KAFKA_PORT, CQL_PORT, HTTP_PORT = 9092, 9042, 3001

_TOPIC = {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}

_PROGRAMS = {
    "init ubscore": "system.ubscore.init:Init",
    "init engine": "system.engine.init:Init",
    "ubscore": "system.ubscore:UBSCore",
    "engine": "system.engine:Engine",
    "gateway": "system.gateway:Gateway",
    "settlement": "system.settlement:Settlement",
}

pool = Pool(("system", "scenarios.controls"))


class Town:
    """Hosts, servers and supervised programs of one run."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        keep_trace: bool = False,
        costs: Costs | None = None,
    ) -> None:
        self.costs = costs or Costs()
        self.costs.begin("world")
        self.scenario = scenario
        self.deployment: Deployment = scenario.deployment
        self.world = World(seed, epoch_ns=scenario.epoch_ns, keep_trace=keep_trace)
        self.world.kernel.births.append(install.attend)
        self.supervisor = Supervisor(self.world.kernel, self.deployment.restarts)
        self.programs = {**_PROGRAMS, **dict(scenario.programs)}
        self.bodies: list[Body] = []
        self.sampler: Sampler | None = None
        self._random = self.world.kernel.stream("town")
        self._build_hosts()
        self.kafka = self._build_kafka()
        self.scylla = self._build_scylla()

    def __enter__(self) -> Self:
        """Begin; the block is the run."""
        return self

    def __exit__(self, *_: object) -> None:
        """End everything that still runs, and keep the bodies for the next run."""
        self.costs.begin("close")
        self.world.close()
        self.scylla.forget()
        with burying():
            for process in self.world.kernel.processes:
                process.doors.clear()
            for body in self.bodies:
                pool.give_back(body)

    def start_servers(self) -> None:
        """Start brokers and nodes, with topics and tables in place."""
        for name in (*self.deployment.brokers, *self.deployment.nodes):
            self.world.server(name).start()
        for topic in topics.ALL:
            self.kafka.create_topic(topic, self.deployment.partitions, _TOPIC)

    def start_programs(self) -> None:
        """Make the data directories, then start every program under supervision."""
        roles = self.deployment.roles
        for name, role in self.deployment.directories:
            made = self._launch(name, self.world.hosts[name], f"init {role}", role)
            self.world.kernel.run(lambda made=made: not made.alive)  # type: ignore[misc]
            if made.exit_code:
                why = "".join(made.stderr)
                raise RuntimeError(f"init of {name} ended with {made.exit_code}: {why}")
        for role, names in roles:
            for name in names:
                host = self.world.hosts[name]
                start = partial(self._launch, name, host, role, role)
                self.supervisor.run(name, host, start)

    def data(self, core: str) -> dict[str, bytes]:
        """Return the files of a shard's log as a power loss would leave them, by name."""
        disk = self.world.hosts[core].disk
        assert disk is not None
        return whole(by_name(disk.durable_files(DATA)), by_name(disk.kept))

    def log_as_seen(self, core: str) -> dict[str, bytes]:
        """Return the files of a shard's log as processes see them now, by name."""
        disk = self.world.hosts[core].disk
        assert disk is not None
        return whole(by_name(disk.cached_files(DATA)), by_name(disk.kept))

    def _launch(self, name: str, host: Host, role: str, config: str) -> Process:
        path = self.programs[role]
        with self.costs.aside("bodies"):
            body = pool.take(path.partition(":")[0], "system.launch")
        self.bodies.append(body)
        program = body.get(path)
        if self.sampler is not None:
            program = self.sampler.noticing(name, program)
        main = body.get("system.launch:main")
        process = host.launch(name, lambda: main(program, f"{SETTINGS}/{config}.toml"))
        process.doors["body"] = body
        return process

    def _build_hosts(self) -> None:
        deployment = self.deployment
        skew = deployment.clock_skew_ms * 10**6
        for number, name in enumerate((*deployment.hosts, deployment.client)):
            offset = self._random.randint(-skew, skew)
            drift = self._random.randint(-20_000, 20_000)
            disk = None
            if name in deployment.programs:
                disk = Disk(deployment.disk, self.world.kernel.stream(f"{name}/disk"))
                if name in deployment.cores:
                    disk.keeps = f"{DATA}/wal-"
                for file, text in configs(deployment, name).items():
                    disk.put(f"{SETTINGS}/{file}", text.encode())
            self.world.add_host(
                name,
                address=f"10.0.{number // 200}.{number + 1}",
                disk=disk,
                clock_offset_ns=offset,
                clock_drift_ppb=drift,
            )

    def _build_kafka(self) -> Cluster:
        names = self.deployment.brokers
        nodes = [Node(number, name, KAFKA_PORT) for number, name in enumerate(names, 1)]
        cluster = Cluster(nodes, self.world.kernel.stream("kafka"))
        for host, broker in cluster.brokers.items():
            self.world.add_server(host, broker, KAFKA_PORT, "kafka")
        return cluster

    def _build_scylla(self) -> Nodes:
        hosts = self.world.hosts
        cluster = Nodes({name: hosts[name].address for name in self.deployment.nodes})
        cluster.observe(lambda: self.world.kernel.now)
        copies = min(schema.REPLICATION, len(cluster.nodes))
        cluster.execute_schema(";\n".join(schema.load(replication=copies)))
        for name, node in cluster.nodes.items():
            server = self.world.add_server(name, node, CQL_PORT, "cql")
            server.peers = cluster.peers()
        return cluster


def by_name(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the log files among `files`, without their folder."""
    names = {path.rpartition("/")[2]: content for path, content in files.items()}
    return {name: content for name, content in names.items() if name.endswith(".log")}


def configs(deployment: Deployment, name: str) -> dict[str, str]:
    """Return the configuration files of a host's program, by name."""
    bootstrap = ",".join(f"{broker}:{KAFKA_PORT}" for broker in deployment.brokers)
    kafka = f'[kafka]\nbootstrap = "{bootstrap}"\ndelivery_timeout_ms = {DELIVERY_MS}\n'
    points = ", ".join(f'"{node}"' for node in deployment.nodes)
    scylla = f"[scylla]\ncontact_points = [{points}]\n"
    counts, agreed = f"[topics]\npartitions = {deployment.partitions}\n", deployment.agreed
    if name in deployment.cores:
        return {"ubscore.toml": f"{kafka}{deployment.section(name, DATA)}{counts}{agreed}"}
    if name in deployment.engines:
        section = deployment.section(name, deployment.data(name))
        return {"engine.toml": f"{kafka}{section}{counts}{agreed}"}
    if name in deployment.settlements:
        told = deployment.told("settlement")
        section = f"[settlement]\n{told}" if told else ""
        return {"settlement.toml": f"{kafka}{scylla}{section}{agreed}"}
    keys = f'[[keys]]\nsha256 = "{key_hash(OPERATOR_KEY)}"\noperator = true\n'
    section = f'[gateway]\nhost = "0.0.0.0"\n{deployment.told("gateway")}'
    return {"gateway.toml": f"{kafka}{scylla}{keys}{section}{agreed}"}


__all__ = ["SECOND", "Server", "Town", "configs", "pool"]
