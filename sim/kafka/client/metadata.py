"""What a client knows of the cluster, and how it comes to know it.

Source: rdkafka_metadata.c, rdkafka_topic.c. **Faithful**: only topics in use are asked for; a
missing topic or leader, or one that did not answer, is asked for again after 100 ms, then at
doubled intervals up to 1 s, and each full second while a leader cannot be reached; all topics in
use every `topic.metadata.refresh.interval.ms`; a new connection is asked only about topics that
are not known yet; a leader of an older epoch is ignored.
**Simplified**: what is known does not expire before the next refresh, nor are the bootstrap
servers gone back to for its age (`metadata.recovery.rebootstrap.trigger.ms`).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.kafka.client import codes
from sim.kafka.client.broker import Broker
from sim.kafka.entities import MetadataRequest, MetadataRequestTopic, MetadataResponse
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.client import Client

_UNAVAILABLE = frozenset(
    {codes.LEADER_NOT_AVAILABLE, codes.UNKNOWN_TOPIC_OR_PART, codes.REPLICA_NOT_AVAILABLE}
)


class PartitionView(NamedTuple):
    """One partition in the last metadata."""

    leader: int
    epoch: int
    replicas: tuple[int, ...]
    isrs: tuple[int, ...]
    error: int


class TopicView(NamedTuple):
    """One topic in the last metadata."""

    name: str
    error: int
    partitions: tuple[PartitionView, ...]

    @property
    def complete(self) -> bool:
        """Whether every partition has a leader."""
        return self.error == 0 and all(p.leader >= 0 for p in self.partitions)


class Metadata:
    """The cache and its refreshes."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self.cluster_id: str | None = None
        self.controller_id = -1
        self.origin = (-1, "")  # id and name of the broker that answered last
        self.topics: dict[str, TopicView] = {}
        self._wanted: dict[str, int] = {}  # topic -> since when
        self._asked: frozenset[str] | None = None  # topics of the request in flight
        self._again = False
        self._urgent = False  # a leader did not answer, and nobody was asked since
        self._patient: list[Callable[[], None]] = []  # who waits for a connection
        self._fast: Timer | None = None
        self._fast_wait = 0
        self._slow: Timer | None = None

    def want(self, names: Iterable[str]) -> None:
        """Keep these topics known from now on."""
        new = [name for name in names if name not in self._wanted]
        if new:
            self._wanted.update(dict.fromkeys(new, self._client.kernel.now))
            self.refresh()

    def wanted_since(self, name: str) -> int:
        """Return when somebody first asked for the topic."""
        return self._wanted.get(name, 0)

    def refresh(self, *, urgent: bool = True) -> None:
        """Ask now, or once more when the answer under way has come; if `urgent`, until it has."""
        client = self._client
        if client.closed:
            return
        self._urgent = self._urgent or urgent
        if self._asked is not None:
            self._again = True
            return
        broker = client.brokers.up()
        if broker is not None:
            self._ask(broker)
            return
        client.brokers.connect()
        if self._urgent:
            self._soon()

    def connected(self, broker: Broker) -> None:
        """Ask a new connection, unless all topics are known or being asked for."""
        patient, self._patient = self._patient, []
        for go_on in patient:
            go_on()
        known = self._wanted and all(self._is_known(name) for name in self._wanted)
        if self._asked is None and not known:
            self._ask(broker)

    def seek_leaders(self) -> bool:
        """Ask if leaders are out of reach, and somebody can be asked; return whether they are."""
        lost = self._client.leaderless()
        if lost and self._client.brokers.up() is not None:
            self.refresh(urgent=False)
        return lost

    def fetch(
        self, names: tuple[str, ...] | None, answered: Callable[[int, Any], None], timeout: int
    ) -> None:
        """Ask for some topics or all of them (None) once there is a connection; show the answer."""
        client = self._client
        until = client.kernel.now + timeout
        broker = client.brokers.up()

        def again() -> None:
            left = until - client.kernel.now
            if left > 0:
                self.fetch(names, answered, left)
            else:
                answered(codes.TIMED_OUT, None)

        if broker is None:
            self._patient.append(again)
            client.brokers.connect()
            return
        asked = broker

        def take(code: int, response: Any) -> None:
            if response is not None:
                self._take(asked, response, everything=names is None)
            elif asked.gone:
                again()
                return
            answered(code, response)

        broker.request(_request(names, client.settings.auto_create), take, timeout)

    def _ask(self, broker: Broker) -> None:
        self._cancel_fast()
        names = tuple(self._wanted)
        self._asked = frozenset(names)
        request = _request(names, self._client.settings.auto_create)
        broker.request(request, partial(self._answered, broker))

    def _answered(self, broker: Broker, _: int, response: MetadataResponse | None) -> None:
        asked, self._asked = self._asked, None
        again, self._again = self._again, False
        if response is not None:
            self._urgent = False
            self._take(broker, response, everything=False)
        new = again and asked is not None and not asked.issuperset(self._wanted)
        if new:
            self.refresh()
        elif again or self._urgent or self._incomplete():
            self._soon()
        else:
            self._fast_wait = 0
        self._plan_slow()

    def _take(self, broker: Broker, response: MetadataResponse, *, everything: bool) -> None:
        client = self._client
        self.origin = (broker.node_id, broker.name)
        self.cluster_id = response.cluster_id
        self.controller_id = response.controller_id
        client.brokers.named(response.brokers)
        changed = []
        for topic in response.topics:
            old = self.topics.get(topic.name)
            view = _view(topic, old)
            if view != old:
                self.topics[topic.name] = view
            if topic.name in self._wanted or not everything:
                changed.append(view)
        for view in changed:
            client.topic_seen(view)
        client.metadata_came()

    def _is_known(self, name: str) -> bool:
        return name in self.topics and not self.topics[name].error

    def _incomplete(self) -> bool:
        topics, urgent = self.topics, self._client.is_urgent
        return any(name not in topics or urgent(topics[name]) for name in self._wanted)

    def _soon(self) -> None:
        settings = self._client.settings
        first = settings.metadata_fast
        self._fast_wait = min(self._fast_wait * 2 or first, max(settings.retry_backoff_max, first))
        wait = int(self._fast_wait * self._client.random.uniform(0.8, 1.2))
        if self._fast is None or not self._fast.pending:
            self._fast = self._client.process.after(wait, self.refresh)

    def _cancel_fast(self) -> None:
        if self._fast is not None:
            self._fast.cancel()

    def _plan_slow(self) -> None:
        interval = self._client.settings.metadata_refresh
        if self._slow is not None:
            self._slow.cancel()
        if interval > 0 and self._wanted:
            self._slow = self._client.process.after(interval, self._refresh_slowly)

    def _refresh_slowly(self) -> None:
        self.refresh(urgent=False)


def _request(names: tuple[str, ...] | None, auto_create: bool) -> MetadataRequest:
    topics = None
    if names is not None:
        topics = tuple(MetadataRequestTopic(topic_id=None, name=name) for name in names)
    return MetadataRequest(
        topics=topics,
        allow_auto_topic_creation=auto_create,
        include_topic_authorized_operations=False,
    )


def _view(topic: Any, old: TopicView | None) -> TopicView:
    partitions = []
    for partition in sorted(topic.partitions, key=lambda p: p.partition_index):
        index = partition.partition_index
        view = PartitionView(
            int(partition.leader_id),
            int(partition.leader_epoch),
            tuple(map(int, partition.replica_nodes)),
            tuple(map(int, partition.isr_nodes)),
            int(partition.error_code),
        )
        if old is not None and index < len(old.partitions):
            known = old.partitions[index]
            if 0 <= view.epoch < known.epoch:
                view = known
        partitions.append(view)
    return TopicView(str(topic.name), int(topic.error_code), tuple(partitions))
