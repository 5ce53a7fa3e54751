"""What a consumer hands out and whom it calls back: `poll`, `consume` and `close` of Consumer.c.

**Faithful**: callbacks run only here, in the caller's thread; partitions are assigned or given back
after a rebalance callback that did not do it itself; offsets are stored when messages are handed
out, those of a batch all at once.
"""

from collections.abc import Callable
from typing import Any

from sim.doors.kafka import arguments
from sim.doors.kafka.assigning import Assigning
from sim.doors.kafka.handle import simulated
from sim.doors.kafka.messages import failure, message_of, outcome
from sim.kafka.client.commits import Committed
from sim.kafka.client.consumer import Consumer as Core
from sim.kafka.client.failure import Failure
from sim.kafka.client.group_requests import Rebalance
from sim.kafka.client.inbox import deadline
from sim.kafka.client.tracked import Chunk
from sim.kafka.client.values import OFFSET_INVALID, result
from sim.kafka.client.wheel import error_of
from sim.kernel import SECOND
from sim.process import running

Callback = Callable[[Any, list[Any]], Any]


class Polling(Assigning):
    """A consumer as far as it serves events."""

    __slots__ = ("_callbacks",)

    _callbacks: dict[str, Callback]  # of rebalances, by their names

    def poll(self, timeout: float = -1) -> Any:
        """Return the next message or error, None if there is none in time."""
        core = self._core
        if not simulated(core):
            return self._open().poll(timeout)
        process = running()
        until = deadline(core.kernel, arguments.seconds(timeout))
        with self._gate:
            core.note_poll()
            core.polling += 1
            try:
                while True:
                    event = core.next_event(until)
                    if event is None:
                        if timeout == 0:
                            core.pause_if_spinning()
                        return None
                    if type(event) is Chunk:
                        return self._hand_out(process, event)
                    if type(event) is Failure:
                        return failure(event)
                    self._serve(event)
                    core = self._open()
            finally:
                core.polling -= 1
                core.note_poll()

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Any]:
        """Return up to `num_messages`, waiting for all of them or `timeout`."""
        core = self._core
        if not simulated(core):
            return self._open().consume(num_messages, timeout)  # type: ignore[no-any-return]
        running()
        wanted = arguments.integer(num_messages)
        if not 0 <= wanted <= 1_000_000:
            raise ValueError("num_messages must be between 0 and 1000000 (1M)")
        until = deadline(core.kernel, arguments.seconds(timeout))
        with self._gate:
            core.note_poll()
            core.polling += 1
            try:
                return self._collect(core, wanted, until)
            finally:
                core.polling -= 1
                core.note_poll()

    def close(self) -> None:
        """Give everything up, commit, leave the group."""
        core = self._core
        if not simulated(core):
            if core is not None:
                core.close()
            return
        running()
        with self._gate:
            core.terminate()
            while not core.terminated:
                event = core.next_event(core.kernel.now)
                if event is None:
                    core.inbox.wait(core.kernel.now + SECOND)
                elif type(event) is Chunk:
                    core.inbox.items.popleft()
                elif type(event) is not Failure:
                    self._serve(event)
            core.close()
            self._core = None

    def _collect(self, core: Core, wanted: int, until: int | None) -> list[Any]:
        """Collect messages; those of partitions that are taken away meanwhile are left out."""
        found: list[tuple[Any, Any]] = []  # message, chunk
        while len(found) < wanted:
            event = core.next_event(until)
            if event is None:
                break
            if type(event) is Chunk:
                found.append((message_of(event, core.take_record(event)), event))
            elif type(event) is Failure:
                found.append((failure(event), None))
            else:
                self._serve(event)
                found = [(m, c) for m, c in found if c is None or c.version == c.tracked.version]
        for message, chunk in found:
            if chunk is not None:
                store = core.settings.auto_store
                epoch = chunk.batch.leader_epoch
                chunk.tracked.handed_out(message.offset(), epoch, store=store)
        return [message for message, _ in found]

    def _hand_out(self, process: Any, chunk: Chunk) -> Any:
        core: Core = self._core
        strike = None
        if process is not None and process.moments:
            strike = process.strike("kafka.poll", chunk.tracked.topic)
            if strike is not None and strike.part < 0.5:
                strike.hit()
                strike = None
        message = message_of(chunk, core.take_record(chunk))
        offset = chunk.batch.base_offset + chunk.at - 1
        chunk.tracked.handed_out(offset, chunk.batch.leader_epoch, store=core.settings.auto_store)
        if strike is not None:
            strike.hit()
        return message

    def _serve(self, event: Any) -> None:
        if type(event) is Rebalance:
            self._rebalance(event)
        elif type(event) is Committed:
            callback = self._core.callbacks.commit
            if callback is not None:
                error = error_of(event.code) if event.code else None
                callback(error, [outcome(offset) for offset in event.offsets])
        else:
            self._serve_common(event)

    def _rebalance(self, event: Rebalance) -> None:
        """Call the program back, then do what it should have done and did not."""
        names: tuple[str, ...] = ("on_assign",)
        if not event.assign:
            names = ("on_lost", "on_revoke") if event.lost else ("on_revoke",)
        callback = next((self._callbacks[n] for n in names if n in self._callbacks), None)
        self._rebalanced = False
        try:
            if callback is not None:
                callback(self, [result(t, i, OFFSET_INVALID) for t, i in event.partitions])
        finally:
            core = self._core
            if core is not None and not self._rebalanced and core.process.alive:
                if event.assign:
                    core.assign([(t, i, OFFSET_INVALID) for t, i in event.partitions])
                else:
                    core.unassign()
