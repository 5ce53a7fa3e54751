"""The brokers that a client knows: those it was told of at first, then those the cluster names.

Source: rdkafka_broker.c, rdkafka.c (`rd_kafka_1s_tmr_cb`) of librdkafka 2.16, and what it logs.
**Faithful**: a client connects to one of the bootstrap servers as soon as it exists, and asks for
metadata as soon as a connection is up; brokers that metadata do not name are given up, bootstrap
servers among them, and their connections end; when the last broker is down, all are forgotten and
the bootstrap servers are tried again (KIP-899); while there is no connection at all, some broker
is tried on a grid of one second, twice within `reconnect.backoff.ms` / 2 at most.
**Simplified**: a request that any broker may answer waits for the connection, instead of being
made again once there is one; having gone back to the bootstrap servers, librdkafka sometimes tries
one at once, which depends on how its threads race: here the next full second always comes first
(broker_restarts in tests/conformance/kafka).
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sim.kafka.client import codes
from sim.kafka.client.broker import Broker, next_full_second
from sim.kernel import MILLISECOND, SECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.client import Client

_QUIET_MIN, _QUIET_MAX = 11 * MILLISECOND, SECOND


class Brokers:
    """Who can be asked, and the connection to the cluster that is kept up."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._known: list[Broker] = []
        self.by_id: dict[int, Broker] = {}
        self._born = client.kernel.now
        self._quiet_until = 0
        self._later: Timer | None = None
        self._tick: Timer | None = None
        self._bootstrap()

    def __iter__(self) -> Iterator[Broker]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def up(self) -> Broker | None:
        """Return one that is connected, at random."""
        return self._pick([broker for broker in self._known if broker.up])

    def some(self) -> Broker:
        """Return one that is connected, at random; else one that can be tried."""
        if not self._known:
            self.add("no-bootstrap-servers-configured", 9092)
        now = self._client.kernel.now
        ready = self.up() or self._pick([b for b in self._known if b.reconnect_at <= now])
        return ready or min(self._known, key=lambda broker: broker.reconnect_at)

    def add(self, host: str, port: int, node_id: int = -1) -> Broker:
        """Take note of a broker; one of an id may have moved."""
        broker = self.by_id.get(node_id)
        if broker is None:
            broker = Broker(self._client, host, port, node_id)
            self._known.append(broker)
            if node_id >= 0:
                self.by_id[node_id] = broker
        broker.host, broker.port = host, port
        return broker

    def named(self, listed: Iterable[Any]) -> None:
        """Take the brokers that metadata name; give up the others, unless there are none."""
        named = {int(each.node_id): each for each in listed}
        for node_id, each in named.items():
            self.add(each.host, each.port, node_id)
        if named:
            self._forget([broker for broker in self._known if broker.node_id not in named])
        if self.up() is None:
            self.watch()

    def begin_again(self) -> None:
        """Forget all brokers; go back to the bootstrap servers."""
        self._forget(list(self._known))
        self._bootstrap()
        self.watch()

    def connect(self) -> None:
        """Connect to some broker, if there is no connection and none is being made."""
        client = self._client
        if client.closed or any(broker.up or broker.connecting for broker in self._known):
            return
        now = client.kernel.now
        if now < self._quiet_until:
            if self._later is None or not self._later.pending:
                self._later = client.process.after(self._quiet_until - now, self.connect)
            return
        quiet = min(max(client.settings.reconnect_backoff // 2, _QUIET_MIN), _QUIET_MAX)
        self._quiet_until = now + quiet
        untried = [broker for broker in self._known if not broker.tried]
        found = self._pick(untried) or self._pick(self._known)
        if found is not None:
            found.connect()

    def watch(self) -> None:
        """Look at the next full second whether there is a connection, and again until there is."""
        now = self._client.kernel.now
        if self._tick is None or not self._tick.pending:
            at = next_full_second(self._born, now + 1)
            self._tick = self._client.process.after(at - now, self._look)

    def _look(self) -> None:
        client = self._client
        if client.closed:
            return
        lost = client.metadata.seek_leaders()
        if not any(broker.up for broker in self._known):
            self.connect()
            lost = True
        if lost:
            self.watch()

    def _bootstrap(self) -> None:
        for host, port in self._client.settings.bootstrap:
            self.add(host, port)

    def _pick(self, brokers: list[Broker]) -> Broker | None:
        if not brokers:
            return None
        return brokers[int(self._client.random.random() * len(brokers))]

    def _forget(self, brokers: list[Broker]) -> None:
        for broker in brokers:
            self._known.remove(broker)
            if self.by_id.get(broker.node_id) is broker:
                del self.by_id[broker.node_id]
            self._client.broker_gone(broker)
            for call in broker.close():
                code = codes.TRANSPORT if call.sent else codes.TRANSPORT_UNSENT
                self._client.process.after(0, call.answered, code, None)
