"""A Kafka broker as a state machine: requests in, responses, timers and state changes out.

**Faithful**: requests of one connection are served one at a time, in order, so that what comes
behind a parked Fetch or JoinGroup waits (`SocketServer.scala` mutes the channel); a throttled
connection is not read until its time is over (KIP-219); a crash takes connections, parked
fetches, joins under way and unused producer ids, and leaves logs, committed offsets and completed
generations; after it a coordinator says for a while that it is loading, and members have a new
session to be heard in.
**Simplified**: serving takes no time of its own (latency is the network's) and never runs out of
request slots; no ACLs, no SASL, no TLS; timers follow the host's wall clock.
"""

from collections.abc import Callable, Hashable
from random import Random
from typing import Any

from sim.kafka import entities
from sim.kafka.cluster import (
    commits,
    fetch,
    listing,
    markers,
    membership,
    metadata,
    offsets,
    produce,
    rebalance,
    topics,
)
from sim.kafka.cluster.image import Image
from sim.kafka.cluster.settings import Settings
from sim.kafka.cluster.state import MILLISECOND, Connection, State
from sim.kafka.protocol import Request
from sim.machine import Disconnect, Effect, Message

Ability = Callable[[State, int, int, Request], Any]

ABILITIES: dict[type, Ability] = {
    entities.ApiVersionsRequest: metadata.api_versions,
    entities.CreatePartitionsRequest: topics.create_partitions,
    entities.CreateTopicsRequest: topics.create_topics,
    entities.DeleteGroupsRequest: listing.delete_groups,
    entities.DeleteRecordsRequest: offsets.delete_records,
    entities.DeleteTopicsRequest: topics.delete_topics,
    entities.DescribeConfigsRequest: topics.describe_configs,
    entities.DescribeGroupsRequest: listing.describe_groups,
    entities.FetchRequest: fetch.fetch,
    entities.FindCoordinatorRequest: metadata.find_coordinator,
    entities.HeartbeatRequest: membership.heartbeat,
    entities.IncrementalAlterConfigsRequest: topics.alter_configs,
    entities.InitProducerIdRequest: metadata.init_producer_id,
    entities.JoinGroupRequest: membership.join,
    entities.LeaveGroupRequest: membership.leave,
    entities.ListGroupsRequest: listing.list_groups,
    entities.ListOffsetsRequest: offsets.list_offsets,
    entities.MetadataRequest: metadata.metadata,
    entities.OffsetCommitRequest: commits.commit,
    entities.OffsetFetchRequest: commits.committed,
    entities.OffsetForLeaderEpochRequest: offsets.end_of_epochs,
    entities.ProduceRequest: produce.produce,
    entities.SyncGroupRequest: membership.sync,
    entities.WriteTxnMarkersRequest: markers.write,
}


def _unmute(state: State, now_ns: int, connection: int) -> None:  # noqa: ARG001
    found = state.connections.get(connection)
    if found is not None:
        found.muted = False
        state.ready.append(connection)


def _retain(state: State, now_ns: int) -> None:
    state.timer(("retention",), now_ns + state.settings.log_retention_check_ms * MILLISECOND)
    now_ms = now_ns // MILLISECOND
    for (topic, partition), log in list(state.logs.items()):
        known = state.image.topics.get(topic)
        if known is None or known.topic_id != log.topic_id:
            del state.logs[topic, partition]
            continue
        log.config = known.config
        if log.retain(now_ms):
            state.record("log-start", topic, partition, log.start)


def _expire_producers(state: State, now_ns: int) -> None:
    check_ms = state.settings.producer_id_expiration_check_ms
    state.timer(("producers",), now_ns + check_ms * MILLISECOND)
    for log in state.logs.values():
        log.producers.expire(now_ns // MILLISECOND)


def _note_starts(state: State, now_ns: int) -> None:  # noqa: ARG001
    state.starts_moved = False
    for log in state.logs.values():
        log.kept = log.start
    state.record("log-starts")


def _loaded(state: State, now_ns: int) -> None:  # noqa: ARG001
    state.loading = False


_ALARMS: dict[str, Callable[..., None]] = {
    "expiry": commits.expire_commits,
    "fetch": fetch.fetch_timeout,
    "join": rebalance.join_timeout,
    "loaded": _loaded,
    "pending": rebalance.pending_timeout,
    "producers": _expire_producers,
    "retention": _retain,
    "session": rebalance.session_timeout,
    "starts": _note_starts,
    "sync": rebalance.sync_timeout,
    "unmute": _unmute,
}


class Broker:
    """One broker; see `sim.machine.Machine` for how it is driven."""

    def __init__(self, broker_id: int, image: Image, settings: Settings, random: Random) -> None:
        self.state = State(broker_id, image, settings, random)
        self.abilities = ABILITIES
        image.on_deletion.append(self._topic_deleted)

    def started(self, now_ns: int) -> list[Effect]:
        """Begin, or come back with what the disk has kept."""
        state = self.state
        state.image.broker_started(state.broker_id)
        state.reload(now_ns)
        loaded_ns = now_ns
        if state.groups:
            # A timer, not a time of day: the wall clock may step while the coordinator loads.
            loaded_ns += state.settings.group_load_ms * MILLISECOND
            state.loading = True
            state.timer(("loaded",), loaded_ns)
        for group in state.groups.values():
            for member in group.members.values():
                rebalance.hear(member, now_ns)
                member.heard = False
                deadline = loaded_ns + member.session_ms * MILLISECOND
                state.timer(("session", group.name, member.member_id), deadline)
        settings = state.settings
        state.timer(("retention",), now_ns + settings.log_retention_check_ms * MILLISECOND)
        check_ms = settings.producer_id_expiration_check_ms
        state.timer(("producers",), now_ns + check_ms * MILLISECOND)
        state.timer(("expiry",), now_ns + settings.offsets_retention_check_ms * MILLISECOND)
        return self._effects(now_ns)

    def crashed(self, *, power_loss: bool) -> None:  # noqa: ARG002  (the log survives both)
        """Forget what was in memory."""
        self.state.forget()
        self.state.image.broker_crashed(self.state.broker_id)

    def connected(self, now_ns: int, connection: int, peer: str) -> list[Effect]:  # noqa: ARG002
        """Take a connection from a client on `peer`."""
        self.state.connections[connection] = Connection(peer)
        return []

    def dialled(
        self,
        now_ns: int,  # noqa: ARG002
        tag: Hashable,
        connection: int | None,  # noqa: ARG002
    ) -> list[Effect]:
        """Never happens: a broker with one replica of everything dials nobody."""
        raise AssertionError(f"nobody dialled for {tag}")

    def received(self, now_ns: int, connection: int, message: Message) -> list[Effect]:
        """Serve a request, now or when those before it on its connection are done."""
        assert isinstance(message, Request)
        state = self.state
        found = state.connections.get(connection)
        if found is None:  # closed by the broker; the network had more
            return []
        if found.current is not None or found.muted:
            found.waiting.append(message)
            return []
        self._serve(now_ns, connection, found, message)
        return self._effects(now_ns)

    def disconnected(self, now_ns: int, connection: int) -> list[Effect]:
        """Drop a connection; a JoinGroup that waits on it goes on waiting, as in Kafka."""
        self.state.close(connection)
        fetch.unpark(self.state, connection)
        return self._effects(now_ns)

    def fired(self, now_ns: int, key: Hashable) -> list[Effect]:
        """Do what a timer was set for."""
        assert isinstance(key, tuple)
        _ALARMS[key[0]](self.state, now_ns, *key[1:])
        return self._effects(now_ns)

    def _topic_deleted(self, name: str) -> None:
        if self.state.image.up[self.state.broker_id]:
            commits.forget_topic(self.state, name)

    def _serve(self, now_ns: int, connection: int, found: Connection, message: Request) -> None:
        found.current = message
        ability = self.abilities.get(type(message.body))
        if ability is None:  # Kafka, too, closes on an API it does not know
            self.state.effects.append(Disconnect(connection))
            self.state.close(connection)
            return
        body = ability(self.state, now_ns, connection, message)
        if body is not None:
            self.state.answer(connection, body, found.throttle_ms)

    def _effects(self, now_ns: int) -> list[Effect]:
        state = self.state
        while state.ready:
            connection = state.ready.pop(0)
            found = state.connections.get(connection)
            if found is None or found.current is not None:
                continue
            if found.throttle_ms:
                until = now_ns + found.throttle_ms * MILLISECOND
                found.throttle_ms = 0
                state.timer(("unmute", connection), until)
            elif found.waiting and not found.muted:
                self._serve(now_ns, connection, found, found.waiting.popleft())
        effects, state.effects = state.effects, []
        return effects
