"""The consumer: assignment, positions, messages and rebalances for the program's threads.

Source: rdkafka_assignment.c, rdkafka_partition.c, rdkafka_queue.c, Consumer.c. **Faithful**:
everything the program hears of goes through one queue, in order, and is served by `poll` and
`consume` alone; partitions that are taken away commit what is stored before new ones begin.
"""

from collections.abc import Iterable, Sequence

from sim.kafka.client import fetcher, starting
from sim.kafka.client.broker import Broker
from sim.kafka.client.client import Client, Throttle, Trouble
from sim.kafka.client.commits import Commits, Committed, stored_of
from sim.kafka.client.configuration import Callbacks, Settings
from sim.kafka.client.coordinator import Coordinator
from sim.kafka.client.failure import Failure
from sim.kafka.client.fetcher import Fetcher
from sim.kafka.client.group import Group
from sim.kafka.client.group_requests import Rebalance
from sim.kafka.client.inbox import Inbox
from sim.kafka.client.metadata import TopicView
from sim.kafka.client.tracked import Chunk, Tracked
from sim.kafka.client.values import OFFSET_INVALID, OFFSET_STORED
from sim.kafka.client.wheel import text_of
from sim.kernel import MILLISECOND
from sim.process import Process

_ASK_AGAIN = 500 * MILLISECOND


Event = Chunk | Rebalance | Committed | Trouble | Throttle | Failure


class Consumer(Client):
    """A consumer in one incarnation of a program."""

    def __init__(self, process: Process, settings: Settings, callbacks: Callbacks) -> None:
        super().__init__(process, settings, callbacks)
        self.inbox: Inbox[Event] = Inbox(self.kernel)
        self.tracked: dict[tuple[str, int], Tracked] = {}  # all there ever were
        self.assignment: dict[tuple[str, int], Tracked] = {}
        self.coordinator = Coordinator(self)
        self.commits = Commits(self)
        self.group = Group(self)
        self.born = self.kernel.now
        self.polled_at = self.kernel.now
        self.polling = 0
        self.leaves = 0  # LeaveGroup requests under way
        self._fetchers: dict[int, Fetcher] = {}
        self._pending: list[Tracked] = []  # assigned, not begun
        self._removing = 0  # commits of removed partitions under way
        self._unknown_told: set[str] = set()
        self.process.after(0, self.coordinator.find)
        if settings.auto_commit and settings.auto_commit_interval:
            self.process.after(settings.auto_commit_interval, self.commits.auto_commit)

    # -- what the program does ------------------------------------------------------------------

    def assign(self, offsets: Sequence[tuple[str, int, int]]) -> None:
        """Replace the assignment; offsets may be logical."""
        self.unassign()
        self.incremental_assign(offsets)

    def incremental_assign(self, offsets: Iterable[tuple[str, int, int]]) -> None:
        """Add partitions to the assignment."""
        for topic, index, offset in offsets:
            tracked = self.track(topic, index)
            tracked.begin(offset)
            self.assignment[topic, index] = tracked
            self._pending.append(tracked)
        self.metadata.want(tracked.topic for tracked in self._pending)
        self.group.assigned()
        self.process.after(0, self.serve_assignment)

    def unassign(self) -> None:
        """Give all partitions up; what is stored of them is committed first."""
        self.incremental_unassign(list(self.assignment))

    def incremental_unassign(self, keys: Iterable[tuple[str, int]]) -> None:
        """Give these partitions up."""
        removed = []
        for key in keys:
            tracked = self.assignment.pop(key)
            removed.append(stored_of(tracked))
            tracked.stop()
        self._pending = [tracked for tracked in self._pending if tracked.assigned]
        self._removing += 1
        self.commits.commit_removed(removed, self._removed)
        self.group.unassigned()
        self.serve_assignment()

    def seek(self, key: tuple[str, int], offset: int) -> None:
        """Go on at another offset; what was fetched is dropped."""
        tracked = self.assignment[key]
        tracked.barrier()
        tracked.active = False
        if tracked not in self._pending:
            self.process.after(0, self._seek, tracked, tracked.version, offset)
        else:
            tracked.start = offset

    def pause(self, keys: Iterable[tuple[str, int]]) -> None:
        """Hand out nothing of these partitions."""
        for key in keys:
            tracked = self.track(*key)
            if not tracked.paused:
                tracked.hold(program=True)

    def resume(self, keys: Iterable[tuple[str, int]]) -> None:
        """Hand messages out again, from where it was stopped."""
        for key in keys:
            tracked = self.track(*key)
            if tracked.paused:
                tracked.go_on(program=True)
                self.process.after(0, self.kick, tracked.leader)

    def track(self, topic: str, index: int) -> Tracked:
        """Return what is known of a partition."""
        found = self.tracked.get((topic, index))
        if found is None:
            found = self.tracked[topic, index] = Tracked(topic, index)
            self._take_leader(found)
        return found

    def next_event(self, deadline: int | None) -> Event | None:
        """Return the next event, waiting up to `deadline`; a chunk stays until it is used up."""
        items = self.inbox.items
        while True:
            while items:
                event = items[0]
                if type(event) is Chunk:
                    tracked = event.tracked
                    if event.version == tracked.version and event.at < event.batch.count:
                        return event
                    items.popleft()
                    continue
                items.popleft()
                if type(event) is Failure and event.outdated:
                    continue
                return event
            if not self.inbox.wait(deadline):
                return None

    def take_record(self, chunk: Chunk) -> int:
        """Hand out the next record of a chunk: return its index."""
        at = chunk.at
        chunk.at = at + 1
        tracked = chunk.tracked
        tracked.queued -= 1
        tracked.queued_bytes -= chunk.bytes_each
        return at

    def note_poll(self) -> None:
        """Take note that the program asks for messages."""
        self.polled_at = self.kernel.now
        if self.group.subscription:
            self.group.poll_watch.begin()

    def terminate(self) -> None:
        """Begin to close: leave the group, or give up what was assigned by hand."""
        if self.group.subscription:
            self.group.unsubscribe()
        elif self.assignment:
            self.unassign()

    @property
    def terminated(self) -> bool:
        """Whether nothing is left to wait for before the connections are closed."""
        return (
            not self.assignment
            and self._removing == 0
            and self.commits.pending == 0
            and self.leaves == 0
            and self.group.state == "init"
        )

    # -- what happens ---------------------------------------------------------------------------

    def serve_assignment(self) -> None:
        """Begin partitions that were assigned, once those removed before are committed."""
        if self.closed:
            return
        self.inbox.stir()  # whoever closes looks whether all is over
        if self._removing:
            return
        self.group.removals_done()
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        query = []
        for tracked in pending:
            if tracked.start in {OFFSET_INVALID, OFFSET_STORED}:
                query.append((tracked, tracked.version))
            else:
                fetcher.start(self, tracked, tracked.start)
        if query:
            starting.from_committed(self, query)

    def failed(
        self, code: int, text: str, tracked: Tracked | None = None, offset: int = OFFSET_INVALID
    ) -> None:
        """Queue an error for `poll` to return."""
        version = tracked.version if tracked is not None else 0
        self.inbox.put(Failure(code, text or text_of(code), tracked, offset, version))

    def report(self, code: int, text: str) -> None:
        """Queue an error for `error_cb`."""
        self.inbox.put(Trouble(code, text))

    def throttle(self, event: Throttle) -> None:
        """Queue an event for `throttle_cb`."""
        self.inbox.put(event)

    def kick(self, leader: int) -> None:
        """Let the fetcher of a broker look for work."""
        broker = self.by_id.get(leader)
        if broker is None or self.closed:
            return
        found = self._fetchers.get(leader)
        if found is None:
            found = self._fetchers[leader] = Fetcher(self, broker)
        found.kick()

    def broker_up(self, broker: Broker) -> None:
        """Fetch, or let the group know."""
        super().broker_up(broker)
        if broker is self.coordinator.broker:
            self.coordinator.up()
        elif broker.node_id in self._fetchers:
            self.kick(broker.node_id)

    def broker_down(self, broker: Broker, *, first_time: bool) -> None:
        """Look for the coordinator anew, or connect again for the next fetch."""
        super().broker_down(broker, first_time=first_time)
        if broker is self.coordinator.broker:
            self.coordinator.drop()
        elif broker.node_id in self._fetchers:
            self.metadata.refresh(urgent=False)
            self.kick(broker.node_id)

    def broker_gone(self, broker: Broker) -> None:
        """Leave its partitions without leader until metadata name one."""
        self._fetchers.pop(broker.node_id, None)
        for tracked in self.tracked.values():
            if tracked.leader == broker.node_id:
                tracked.leader = -1

    def all_down(self) -> bool:
        """Whether every known broker was tried, and none is there, nor the coordinator."""
        return super().all_down() and not self.coordinator.ready

    def leaderless(self) -> bool:
        """Whether an assigned partition has no leader, or one that is being connected to."""
        leaders = [self.by_id.get(tracked.leader) for tracked in self.assignment.values()]
        return any(leader is None or leader.connecting for leader in leaders)

    def is_urgent(self, view: TopicView) -> bool:
        """Ask again soon for leaders; for missing topics only while there is nothing else."""
        if view.error and view.name in self.group.subscription:
            return self.group.state == "init"
        return not view.complete

    def topic_seen(self, view: TopicView) -> None:
        """Take leaders from metadata; tell of topics that do not exist, once."""
        for index in range(len(view.partitions)):
            tracked = self.tracked.get((view.name, index))
            if tracked is not None:
                self._take_leader(tracked)
        if view.error and view.name in self.group.subscription:
            if view.name not in self._unknown_told:
                self._unknown_told.add(view.name)
                text = f"Subscribed topic not available: {view.name}: {text_of(view.error)}"
                self.failed(view.error, text)
        elif not view.error:
            self._unknown_told.discard(view.name)
        self.group.topics_changed()

    def close(self) -> None:
        """Drop all connections."""
        super().close()
        self.coordinator.close()

    def _seek(self, tracked: Tracked, version: int, offset: int) -> None:
        if tracked.version == version and tracked.assigned:
            fetcher.start(self, tracked, offset)

    def _removed(self) -> None:
        self._removing -= 1
        self.serve_assignment()

    def _take_leader(self, tracked: Tracked) -> None:
        view = self.metadata.topics.get(tracked.topic)
        if view is None or tracked.index >= len(view.partitions):
            return
        partition = view.partitions[tracked.index]
        tracked.epoch = partition.epoch
        if partition.leader != tracked.leader:
            tracked.leader = partition.leader
            if tracked.active:
                self.kick(tracked.leader)
