"""`Consumer` behind the door: signatures, types, exceptions and callbacks as in Consumer.c.

**Faithful**: callbacks run only inside `poll`, `consume` and `close`, in the caller's thread;
partitions are assigned or given back after a rebalance callback that did not do it itself; calls
from several threads take turns, calls from within a callback do not wait; offsets are stored when
messages are handed out, those of a batch all at once.
"""

import weakref
from collections.abc import Callable
from typing import Any, Self

from sim.doors.kafka import arguments, lookups
from sim.doors.kafka.assigning import Assigning
from sim.doors.kafka.gate import Gate
from sim.doors.kafka.handle import simulated
from sim.doors.kafka.messages import failure, message_of, outcome
from sim.kafka.client import codes
from sim.kafka.client.commits import Committed, Offset
from sim.kafka.client.configuration import configure
from sim.kafka.client.consumer import Consumer as Core
from sim.kafka.client.failure import Failure
from sim.kafka.client.group_requests import Rebalance
from sim.kafka.client.inbox import deadline
from sim.kafka.client.tracked import Chunk
from sim.kafka.client.values import OFFSET_INVALID, result
from sim.kafka.client.wheel import error_of, fail, real, text_of
from sim.kernel import SECOND
from sim.process import running

_Callback = Callable[[Any, list[Any]], Any]
_CREATE_TIME, _LOG_APPEND_TIME = 1, 2


class Consumer(Assigning):
    """Stands for the real consumer."""

    __slots__ = ("_callbacks",)
    _real = real.Consumer
    _closed_text = "Consumer closed"

    def __init__(self, *args: Any, **named: Any) -> None:
        config = arguments.configuration(args, named)
        process = running()
        self._callbacks: dict[str, _Callback] = {}
        self._rebalanced = False
        if process is None:
            self._core = real.Consumer(config)
            return
        if "group.id" not in config:
            raise ValueError("Failed to create consumer: group.id must be set")
        self._core = Core(process, *configure("consumer", config))
        self._gate = Gate(process.kernel)

    def subscribe(
        self,
        topics: list[str],
        on_assign: Any = ...,
        on_revoke: Any = ...,
        on_lost: Any = ...,
    ) -> None:
        """Subscribe to topics, instead of those before."""
        core = self._open()
        given = {"on_assign": on_assign, "on_revoke": on_revoke, "on_lost": on_lost}
        callbacks = {name: callback for name, callback in given.items() if callback is not ...}
        if not simulated(core):
            core.subscribe(topics, **{n: self._mine(c) for n, c in callbacks.items()})
            return
        with self._gate:
            if not isinstance(topics, list):
                raise TypeError("expected list of topic unicode strings")
            for name, callback in callbacks.items():
                if not callable(callback):
                    raise TypeError(f"{name} expects a callable")
            if not topics or not all(map(str, topics)):
                fail(codes.INVALID_ARG, f"Failed to set subscription: {text_of(codes.INVALID_ARG)}")
            self._callbacks = callbacks
            core.group.subscribe([str(topic) for topic in topics])

    def unsubscribe(self) -> None:
        """Leave the group, or give up what was assigned."""
        core = self._open()
        if not simulated(core):
            core.unsubscribe()
            return
        with self._gate:
            core.group.unsubscribe()

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

    def store_offsets(self, message: Any = None, offsets: list[Any] | None = None) -> None:
        """Store offsets for the next commit."""
        core = self._open()
        if not simulated(core):
            core.store_offsets(message, offsets)
            return
        with self._gate:
            wanted = lookups.offsets_of(message, offsets, "store")
            if wanted is None:
                raise ValueError("expected either message or offsets")
            if core.settings.auto_store:
                text = text_of(codes.INVALID_ARG)
                fail(codes.INVALID_ARG, f"StoreOffsets failed: {text}")
            lookups.store(core, wanted)

    def commit(
        self,
        message: Any = None,
        offsets: list[Any] | None = None,
        asynchronous: bool = True,
    ) -> Any:
        """Commit a message, offsets, or what is stored."""
        core = self._open()
        if not simulated(core):
            return core.commit(message=message, offsets=offsets, asynchronous=asynchronous)
        with self._gate:
            wanted = lookups.offsets_of(message, offsets, "commit")
            return self._commit(core, wanted, asynchronous=bool(asynchronous))

    def memberid(self) -> str | None:
        """Return the id the coordinator gave, None before it did."""
        core = self._open()
        if not simulated(core):
            return core.memberid()  # type: ignore[no-any-return]
        running()
        return core.group.member_id or None

    def consumer_group_metadata(self) -> Any:
        """Return who this is in its group, for a transactional producer."""
        core = self._open()
        if not simulated(core):
            return core.consumer_group_metadata()
        running()
        group, settings = core.group, core.settings
        generation = group.generation.to_bytes(4, "little", signed=True)
        instance = b"\1"
        if settings.instance_id:
            instance = b"\0" + settings.instance_id.encode() + b"\0"
        names = settings.group_id.encode() + b"\0" + group.member_id.encode() + b"\0"
        return b"CGMDv2:" + generation + names + instance

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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_value: object, exc_traceback: object) -> bool | None:
        self.close()
        return None

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

    def _commit(self, core: Core, wanted: list[Offset] | None, *, asynchronous: bool) -> Any:
        process = core.process
        strike = None
        if process.moments:
            topics = [offset.topic for offset in wanted or ()] or [t for t, _ in core.assignment]
            strike = process.strike("kafka.commit", topics[0] if topics else "")
            if strike is not None and strike.part < 0.5:
                strike.hit()
                strike = None

        def start(done: Callable[..., None]) -> None:
            if wanted is None:
                core.commits.commit_stored(done)
            else:
                core.commits.commit(wanted, done)

        if asynchronous:
            start(lambda code, offsets: core.inbox.put(Committed(code, offsets)))
            if strike is not None:
                strike.hit()
            return None
        code, offsets = core.call(start, -1)
        if strike is not None:
            strike.hit()
        if code:
            fail(code, f"Commit failed: {text_of(code)}")
        return [outcome(offset) for offset in offsets]

    def _mine(self, callback: _Callback) -> _Callback:
        """Let a callback of a real consumer see the stand-in."""
        me = weakref.ref(self)
        return lambda _, partitions: callback(me(), partitions)
