"""The controller: keeps the metadata of a cluster of several processes and tells the brokers.

**Faithful** (KIP-500, KIP-590, KIP-631): one authority for topics, leader epochs and blocks of
producer ids; what it answers is durable; a broker that registers with a new incarnation raises the
leader epochs of its partitions, one that comes back in the same does so only if it was given up;
a second process with the id of a living broker is turned away; clients talk to brokers only, which
forward what is the controller's to do.
**Simplified**: one process, no quorum: while it is down nothing changes. A session ends with its
connection, or when nothing was heard of the broker for `_SILENCE_NS`; the other brokers go on to
name it as leader for the rest of broker.session.timeout.ms.
"""

import io
from collections.abc import Hashable
from random import Random

from kio.serial import entity_reader, entity_writer

from sim.kafka.cluster.broker import ABILITIES
from sim.kafka.cluster.image import Image, Node
from sim.kafka.cluster.settings import Settings
from sim.kafka.cluster.state import State
from sim.kafka.protocol import Request
from sim.machine import Disconnect, Effect, Effects, Message, Record, Send, Timer
from sim.tcp.kafka.links import Alive, Answer, Ask, Hello, Ids, Unwelcome, WantIds, Welcome
from sim.tcp.kafka.metadata import snapshot
from sim.tcp.kafka.versions import RANGES

ALIVE_NS = 1_000_000_000  # how often brokers say that they are there
_SILENCE_NS = 3 * ALIVE_NS


class Controller:
    """A `sim.machine.Machine` around the image."""

    def __init__(
        self,
        image: Image,
        settings: Settings,
        incarnations: dict[int, str],
        local: int | None = None,
    ) -> None:
        self.image = image
        self.incarnations = incarnations  # of each broker, the last one
        self._local = local  # the broker in this process, if there is one
        self._state = State(-1, image, settings, Random())
        self._members: dict[int, int] = {}  # connection -> broker
        self._heard: dict[int, int] = {}  # connection -> when
        self._told = -1  # the version that all members know

    def started(self, now_ns: int) -> Effects:
        """Begin."""
        return [Timer("silence", now_ns + ALIVE_NS)]

    def crashed(self, *, power_loss: bool) -> None:  # noqa: ARG002
        """Forget the sessions."""
        self._members.clear()
        self._heard.clear()

    def connected(self, now_ns: int, connection: int, peer: str) -> Effects:  # noqa: ARG002
        """Wait for a `Hello`."""
        return []

    def dialled(
        self,
        now_ns: int,  # noqa: ARG002
        tag: Hashable,
        connection: int | None,  # noqa: ARG002
    ) -> Effects:
        """Never happens: brokers dial."""
        raise AssertionError(f"nobody dialled for {tag}")

    def received(self, now_ns: int, connection: int, message: Message) -> Effects:
        """Serve a broker."""
        if isinstance(message, Hello):
            return self._register(now_ns, connection, message)
        broker_id = self._members.get(connection)
        if broker_id is None:
            return [Disconnect(connection)]
        self._heard[connection] = now_ns
        effects: list[Effect] = []
        if isinstance(message, Alive):
            if not self.image.up[broker_id]:
                self.image.broker_started(broker_id)
        elif isinstance(message, Ask):
            effects.append(Send(connection, self._answer(now_ns, message)))
        elif isinstance(message, WantIds):
            block = self.image.producer_ids()
            effects.append(Send(connection, Ids(block.start, block.stop)))
        return self.publish() + effects

    def disconnected(self, now_ns: int, connection: int) -> Effects:  # noqa: ARG002
        """End the session of a broker."""
        self._heard.pop(connection, None)
        broker_id = self._members.pop(connection, None)
        if broker_id is not None and broker_id not in self._members.values():
            self.image.broker_crashed(broker_id)
        return self.publish()

    def fired(self, now_ns: int, key: Hashable) -> Effects:  # noqa: ARG002
        """Give up brokers that say nothing."""
        for connection, broker_id in self._members.items():
            if now_ns - self._heard[connection] > _SILENCE_NS and self.image.up[broker_id]:
                self.image.broker_crashed(broker_id)
        return [*self.publish(), Timer("silence", now_ns + ALIVE_NS)]

    def publish(self) -> list[Effect]:
        """Tell all members of the metadata if it has changed; it is durable before."""
        if self._told == self.image.version:
            return []
        self._told = self.image.version
        state = snapshot(self.image, self.incarnations)
        told: list[Effect] = [Send(connection, Welcome(state)) for connection in self._members]
        return [Record("metadata", self._told), *told]

    def _register(self, now_ns: int, connection: int, hello: Hello) -> Effects:
        broker_id, image = hello.broker_id, self.image
        why = self._objection(hello)
        if why:
            return [Send(connection, Unwelcome(why)), Disconnect(connection)]
        if self.incarnations.get(broker_id) != hello.incarnation:
            self.incarnations[broker_id] = hello.incarnation
            image.broker_started(broker_id)
        else:
            image.up[broker_id] = True
        image.nodes[broker_id] = Node(broker_id, hello.host, hello.port)
        image.version += 1
        self._members[connection] = broker_id
        self._heard[connection] = now_ns
        return self.publish()

    def _objection(self, hello: Hello) -> str:
        broker_id, cluster_id = hello.broker_id, self.image.cluster_id
        if broker_id not in self.image.nodes:
            return f"broker {broker_id} is not one of this cluster's {sorted(self.image.nodes)}"
        if hello.cluster_id not in (None, cluster_id):
            return f"its directory belongs to cluster {hello.cluster_id}, this one is {cluster_id}"
        again = self.incarnations.get(broker_id) == hello.incarnation
        if broker_id == self._local or (broker_id in self._members.values() and not again):
            return f"a broker {broker_id} is running already"
        return ""

    def _answer(self, now_ns: int, ask: Ask) -> Answer:
        api = RANGES[ask.key].api
        body, _ = entity_reader(api.request)(ask.body, 0)
        state = self._state
        answer = ABILITIES[api.request](state, now_ns, -1, Request(0, None, body))
        state.effects.clear()
        out = io.BytesIO()
        entity_writer(api.response)(out, answer)
        return Answer(ask.number, out.getvalue())
