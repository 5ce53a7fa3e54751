"""A broker whose controller is another process: it registers, follows the metadata, forwards.

**Faithful** (KIP-590, `NodeToControllerChannelManager.scala`, `RPCProducerIdManager.java`): what is
the controller's is forwarded and, when the connection is lost, forwarded again; REQUEST_TIMED_OUT
if no answer comes in the time that the client gave; producer ids come in blocks, the next one
fetched ahead, and COORDINATOR_LOAD_IN_PROGRESS says that there is none yet; while the controller is
away a broker goes on with the metadata that it has.
**Simplified**: topics that clients make by asking for their metadata are forwarded once and not
remembered.
"""

import io
from collections.abc import Callable, Hashable
from random import Random
from typing import Any, NamedTuple

import msgspec
from kio.serial import entity_reader, entity_writer

from sim.kafka import entities
from sim.kafka.cluster.broker import ABILITIES, Broker
from sim.kafka.cluster.configs import TopicConfig
from sim.kafka.cluster.image import Image, Node, Topic, refused
from sim.kafka.cluster.settings import Settings
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import ErrorCode
from sim.kafka.protocol import Request, duration, milliseconds
from sim.machine import Dial, Effect, Message, Send, Timer
from sim.tcp.kafka import refusals
from sim.tcp.kafka.controller import ALIVE_NS
from sim.tcp.kafka.links import Alive, Answer, Ask, Hello, Ids, Unwelcome, WantIds, Welcome
from sim.tcp.kafka.metadata import ImageState, restore
from sim.tcp.kafka.versions import RANGES

CONTROLLER = "controller"
_REDIAL_NS = 250 * MILLISECOND
_REQUEST_TIMEOUT_MS = 30_000  # request.timeout.ms of brokers
_ALIVE, _REDIAL, _FORWARD = "alive", "redial", "forward"


class Replica(Image):
    """The image as the controller last told it; what would change it is noted or refused."""

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__(nodes, Random())
        self.cluster_id = ""
        self.block: range | None = None
        self.wanted: dict[str, int] = {}  # topics to be made, and their partitions

    def broker_started(self, broker_id: int) -> None:
        """Leave it to the controller, which has seen this broker register."""

    def broker_crashed(self, broker_id: int) -> None:
        """Leave it to the controller, which sees the session end."""

    def producer_ids(self) -> range:
        """Take the block that was fetched ahead."""
        block, self.block = self.block, None
        if block is None:
            raise refused(ErrorCode.coordinator_load_in_progress, "no producer ids yet")
        return block

    def create_topic(
        self,
        name: str,
        config: TopicConfig,
        partitions: int,
        leaders: tuple[int, ...] = (),  # type: ignore[override]  # noqa: ARG002
    ) -> Topic:
        """Note that a client wants a topic to be made."""
        self.wanted[name] = partitions
        return Topic(name, None, config)  # type: ignore[arg-type]


class _Forwarded(NamedTuple):
    """A request that the controller is to answer; connection -1: nobody waits for it."""

    connection: int
    correlation_id: int
    key: int
    body: Any


class Member(Broker):
    """One broker of several."""

    def __init__(
        self,
        broker_id: int,
        image: Replica,
        settings: Settings,
    ) -> None:
        super().__init__(broker_id, image, settings, Random())
        self.abilities = ABILITIES | dict.fromkeys(refusals.BY_REQUEST, self._forward)
        self.opened: Callable[[], None] = lambda: None  # called when the metadata is known
        self.unwelcome: Callable[[str], None] = lambda _: None
        self._hello: Hello | None = None
        self._replica = image
        self._link: int | None = None
        self._known = False
        self._asked_ids = False
        self._number = 0
        self._forwarded: dict[int, _Forwarded] = {}

    def register_as(self, node: Node, incarnation: str, cluster_id: str | None) -> None:
        """Say who this is: a new incarnation with every process, of the cluster it was in."""
        self._hello = Hello(*node, incarnation, cluster_id)

    def started(self, now_ns: int) -> list[Effect]:  # noqa: ARG002
        """Look for the controller; serving begins when it has told the metadata."""
        return [Dial(CONTROLLER, CONTROLLER)]

    def dialled(self, now_ns: int, tag: Hashable, connection: int | None) -> list[Effect]:
        """Register, or try again soon."""
        if tag != CONTROLLER:
            return super().dialled(now_ns, tag, connection)
        if connection is None:
            return [Timer((_REDIAL,), now_ns + _REDIAL_NS)]
        assert self._hello is not None
        self._link = connection
        again = [self._ask(connection, number) for number in self._forwarded]
        return [
            Send(connection, self._hello),
            *again,
            Timer((_ALIVE,), now_ns + ALIVE_NS),
            *self._want(),
        ]

    def received(self, now_ns: int, connection: int, message: Message) -> list[Effect]:
        """Take what a client asks, or what the controller says."""
        if connection == self._link:
            return self._told(now_ns, message)
        return super().received(now_ns, connection, message) + self._want()

    def disconnected(self, now_ns: int, connection: int) -> list[Effect]:
        """Lose a client, or the controller: dial it again."""
        if connection != self._link:
            return super().disconnected(now_ns, connection)
        self._link = None
        self._asked_ids = False
        return [Timer((_REDIAL,), now_ns + _REDIAL_NS)]

    def fired(self, now_ns: int, key: Hashable) -> list[Effect]:
        """Do what a timer was set for."""
        assert isinstance(key, tuple)
        if key[0] == _REDIAL:
            return [Dial(CONTROLLER, CONTROLLER)]
        if key[0] == _ALIVE:
            if self._link is None:
                return []
            return [Send(self._link, Alive()), Timer((_ALIVE,), now_ns + ALIVE_NS)]
        if key[0] == _FORWARD:
            return self._timed_out(now_ns, key[1])
        return super().fired(now_ns, key)

    def _told(self, now_ns: int, message: Message) -> list[Effect]:
        if isinstance(message, Welcome):
            self._join(message.image)
            self.state.record("metadata", self._replica.version)
            if not self._known:
                self._known = True
                self.opened()
                return super().started(now_ns)
        elif isinstance(message, Answer):
            self._answered(message)
        elif isinstance(message, Ids):
            self._replica.block = range(message.first, message.end)
            self._asked_ids = False
        elif isinstance(message, Unwelcome):
            self.unwelcome(message.why)
        return self._effects(now_ns)

    def _join(self, image: ImageState) -> None:
        """Take the metadata; a controller of another cluster turns this broker away from now on."""
        assert self._hello is not None
        restore(self._replica, image)
        self._hello = msgspec.structs.replace(self._hello, cluster_id=image.cluster_id)

    def _forward(self, state: State, now_ns: int, connection: int, request: Request) -> None:
        body = request.body
        key = type(body).__api_key__
        number = self._note(_Forwarded(connection, request.correlation_id, key, body))
        timeout = getattr(body, "timeout", None)
        timeout_ms = _REQUEST_TIMEOUT_MS if timeout is None else milliseconds(timeout)
        state.timer((_FORWARD, number), now_ns + timeout_ms * MILLISECOND)
        if self._link is not None:
            state.effects.append(self._ask(self._link, number))

    def _note(self, forwarded: _Forwarded) -> int:
        self._number += 1
        self._forwarded[self._number] = forwarded
        return self._number

    def _ask(self, link: int, number: int) -> Send:
        forwarded = self._forwarded[number]
        out = io.BytesIO()
        entity_writer(type(forwarded.body))(out, forwarded.body)
        return Send(link, Ask(number, forwarded.key, out.getvalue()))

    def _answered(self, answer: Answer) -> None:
        forwarded = self._forwarded.pop(answer.number, None)
        if forwarded is not None and forwarded.connection >= 0:
            self.state.cancel((_FORWARD, answer.number))
            body, _ = entity_reader(RANGES[forwarded.key].api.response)(answer.body, 0)
            self._reply(forwarded, body)

    def _timed_out(self, now_ns: int, number: int) -> list[Effect]:
        forwarded = self._forwarded.pop(number, None)
        if forwarded is not None:
            refuse = refusals.BY_REQUEST[type(forwarded.body)]
            self._reply(forwarded, refuse(forwarded.body, ErrorCode.request_timed_out))
        return self._effects(now_ns)

    def _reply(self, forwarded: _Forwarded, body: Any) -> None:
        found = self.state.connections.get(forwarded.connection)
        current = None if found is None else found.current
        if current is not None and current.correlation_id == forwarded.correlation_id:
            self.state.answer(forwarded.connection, body)

    def _want(self) -> list[Effect]:
        """Ask for producer ids ahead, and for topics that clients want."""
        if self._link is None:
            return []
        effects: list[Effect] = []
        if self._replica.block is None and not self._asked_ids:
            self._asked_ids = True
            effects.append(Send(self._link, WantIds()))
        wanted, self._replica.wanted = self._replica.wanted, {}
        for name, partitions in wanted.items():
            body = _creation(name, partitions)
            number = self._note(_Forwarded(-1, -1, type(body).__api_key__, body))
            effects.append(self._ask(self._link, number))
        return effects


def _creation(name: str, partitions: int) -> entities.CreateTopicsRequest:
    topic = entities.CreatableTopic(
        name=name, num_partitions=partitions, replication_factor=1, assignments=(), configs=()
    )
    return entities.CreateTopicsRequest(
        topics=(topic,), timeout=duration(_REQUEST_TIMEOUT_MS), validate_only=False
    )
