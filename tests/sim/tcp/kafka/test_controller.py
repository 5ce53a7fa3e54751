from random import Random
from typing import Any

from sim.kafka import entities
from sim.kafka.cluster.image import Image
from sim.kafka.cluster.settings import Settings
from sim.kafka.protocol import ZERO, Request, duration
from sim.machine import Effects, Message, Send, Timer
from sim.tcp.kafka.controller import ALIVE_NS, Controller
from sim.tcp.kafka.links import (
    Alive,
    Hello,
    LinkCodec,
)
from sim.tcp.kafka.member import Member, Replica
from sim.tcp.kafka.metadata import unknown

SECOND = 10**9
BROKERS = (1, 2)


def controller(local: int | None = None) -> Controller:
    return Controller(Image(unknown(BROKERS), Random(1)), Settings(), {}, local)


def hello(broker_id: int = 1, incarnation: str = "a", cluster_id: str | None = None) -> Hello:
    return Hello(broker_id, "127.0.0.1", 9000 + broker_id, incarnation, cluster_id)


def sent(effects: Effects) -> list[tuple[int, Message]]:
    return [(each.connection, each.message) for each in effects if isinstance(each, Send)]


def kinds(effects: Effects) -> list[str]:
    return [
        each.message.kind if isinstance(each, Send) else type(each).__name__ for each in effects
    ]


def test_who_registers_is_told_the_metadata_and_it_is_durable_before() -> None:
    machine = controller()

    first = list(machine.received(0, 10, hello(1)))
    second = list(machine.received(0, 20, hello(2)))

    assert kinds(first) == ["Record", "Welcome"]
    assert [connection for connection, _ in sent(second)] == [10, 20]
    assert machine.image.up == {1: True, 2: True}
    assert machine.image.nodes[2].port == 9002


def test_strangers_doubles_and_brokers_of_other_clusters_are_turned_away() -> None:
    machine = controller(local=2)
    machine.received(0, 10, hello(1))

    for stranger in (hello(3), hello(1, "b"), hello(2), hello(1, "a", "elsewhere")):
        effects = machine.received(0, 30, stranger)
        assert kinds(effects) == ["Unwelcome", "Disconnect"]
    assert kinds(machine.received(0, 40, Alive())) == ["Disconnect"]


def epoch(machine: Controller) -> int:
    return machine.image.topics["t"].partitions[0].leader_epoch


def led_by_1() -> Controller:
    machine = controller()
    machine.received(0, 10, hello(1))
    image = machine.image
    image.create_topic("t", image.check_topic("t", 1, 1, {}), 1, [1])
    return machine


def test_a_new_incarnation_raises_epochs_and_a_lost_connection_does_not() -> None:
    machine = led_by_1()

    machine.disconnected(0, 10)
    assert machine.image.up[1] is False
    machine.received(0, 11, hello(1, "a"))
    assert (machine.image.up[1], epoch(machine)) == (True, 0)
    machine.disconnected(0, 11)
    machine.received(0, 12, hello(1, "b"))

    assert (machine.image.up[1], epoch(machine)) == (True, 2)


def test_a_broker_that_reconnects_before_its_old_connection_is_missed_stays() -> None:
    machine = led_by_1()

    machine.received(0, 11, hello(1, "a"))
    machine.disconnected(0, 10)

    assert machine.image.up[1] is True


def test_a_silent_broker_is_given_up_and_comes_back_with_a_new_epoch() -> None:
    machine = led_by_1()

    machine.fired(3 * ALIVE_NS, "silence")
    assert machine.image.up[1] is True
    assert "Welcome" in kinds(machine.fired(3 * ALIVE_NS + 1, "silence"))
    assert machine.image.up[1] is False
    machine.received(5 * ALIVE_NS, 10, Alive())

    assert (machine.image.up[1], epoch(machine)) == (True, 2)


class Pair:
    """A member and its controller, with nothing but this between them."""

    def __init__(self) -> None:
        self.controller = controller()
        self.member = Member(1, Replica(unknown(BROKERS)), Settings(auto_create_topics=True))
        self.member.register_as(self.controller.image.nodes[1]._replace(port=9001), "a", None)
        self.opened: list[bool] = []
        self.member.opened = lambda: self.opened.append(True)
        self.answers: list[Any] = []
        self.linked = False
        self.timers: list[Any] = []

    def link(self) -> None:
        self.linked = True
        self.carry(self.member.dialled(0, "controller", 5))

    def cut(self) -> None:
        self.linked = False
        self.carry(self.member.disconnected(0, 5))
        self.controller.disconnected(0, 50)

    def carry(self, effects: Effects) -> None:
        for effect in effects:
            if isinstance(effect, Timer):
                self.timers.append(effect.key)
            elif isinstance(effect, Send) and effect.connection == 5:
                if self.linked:
                    replies = self.controller.received(0, 50, through(effect.message))
                    for _, message in sent(replies):
                        self.carry(self.member.received(0, 5, through(message)))
            elif isinstance(effect, Send):
                answer: Any = effect.message
                self.answers.append(answer.body)

    def ask(self, body: Any) -> None:
        self.carry(self.member.received(0, 7, Request(1, "c", body)))


def through(message: Message) -> Message:
    """Return a message as it is after a link."""
    codec = LinkCodec("")
    data = codec.encode(message)
    assert list(codec.decode(data[:3])) == []
    (found,) = codec.decode(data[3:])
    assert found == message
    return found


def creation() -> entities.CreateTopicsRequest:
    topic = entities.CreatableTopic(
        name="t", num_partitions=2, replication_factor=1, assignments=(), configs=()
    )
    return entities.CreateTopicsRequest(
        topics=(topic,), timeout=duration(1000), validate_only=False
    )


def test_what_is_the_controllers_is_forwarded_and_known_before_it_is_answered() -> None:
    pair = Pair()
    pair.link()
    pair.member.connected(0, 7, "client")

    pair.ask(creation())

    assert pair.opened == [True]
    assert [topic.error_code.name for topic in pair.answers.pop().topics] == ["none"]
    assert list(pair.member.state.image.topics) == ["t"]
    pair.ask(entities.DeleteTopicsRequest(topic_names=("t",), timeout=duration(1000)))
    assert [each.error_code.name for each in pair.answers.pop().responses] == ["none"]
    assert not pair.member.state.image.topics


def test_a_forwarded_request_survives_the_loss_of_the_link_or_times_out() -> None:
    pair = Pair()
    pair.link()
    pair.member.connected(0, 7, "client")
    pair.cut()

    pair.ask(creation())
    assert pair.answers == []
    pair.link()
    assert [topic.error_code.name for topic in pair.answers.pop().topics] == ["none"]
    pair.cut()
    pair.ask(creation())
    pair.carry(pair.member.fired(0, pair.timers[-1]))

    assert [topic.error_code.name for topic in pair.answers.pop().topics] == ["request_timed_out"]


def test_a_controller_that_has_lost_its_directory_turns_its_brokers_away() -> None:
    pair, why = Pair(), list[str]()
    pair.member.unwelcome = why.append
    pair.link()
    pair.member.connected(0, 7, "client")
    pair.ask(creation())
    pair.cut()
    pair.controller = Controller(Image(unknown(BROKERS), Random(2)), Settings(), {})

    pair.link()

    assert ["belongs to cluster" in each for each in why] == [True]
    assert list(pair.member.state.image.topics) == ["t"]


def test_producer_ids_come_in_blocks_fetched_ahead() -> None:
    pair = Pair()
    pair.member.connected(0, 7, "client")
    body = entities.InitProducerIdRequest(
        transactional_id=None, transaction_timeout=ZERO, producer_id=-1, producer_epoch=-1
    )
    pair.link()

    for _ in range(1001):
        pair.ask(body)

    found = [answer.producer_id for answer in pair.answers]
    assert found == list(range(1001))
    pair.cut()
    pair.member.state.producer_ids.clear()
    for _ in range(2):
        pair.member.state.producer_ids.clear()
        pair.ask(body)
    assert pair.answers[-1].error_code is entities.ErrorCode.coordinator_load_in_progress


def test_topics_that_clients_ask_for_are_made_by_the_controller() -> None:
    pair = Pair()
    pair.link()
    pair.member.connected(0, 7, "client")
    wanted = entities.MetadataRequestTopic(name="wanted", topic_id=None)

    for _ in range(2):
        pair.ask(
            entities.MetadataRequest(
                topics=(wanted,),
                allow_auto_topic_creation=True,
                include_topic_authorized_operations=False,
            )
        )

    errors = [answer.topics[0].error_code.name for answer in pair.answers]
    assert errors == ["unknown_topic_or_partition", "none"]
