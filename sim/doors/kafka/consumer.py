"""`Consumer` behind the door: signatures, types, exceptions and callbacks as in Consumer.c.

**Faithful**: calls from several threads take turns, calls from within a callback do not wait.
"""

import weakref
from collections.abc import Callable
from typing import Any, Self

from sim.doors.kafka import arguments, lookups
from sim.doors.kafka.gate import Gate
from sim.doors.kafka.handle import simulated
from sim.doors.kafka.messages import outcome
from sim.doors.kafka.polling import Callback, Polling
from sim.kafka.client import codes
from sim.kafka.client.commits import Committed, Offset
from sim.kafka.client.configuration import configure
from sim.kafka.client.consumer import Consumer as Core
from sim.kafka.client.wheel import fail, real, text_of
from sim.process import running


class Consumer(Polling):
    """Stands for the real consumer."""

    __slots__ = ()
    _real = real.Consumer
    _closed_text = "Consumer closed"

    def __init__(self, *args: Any, **named: Any) -> None:
        config = arguments.configuration(args, named)
        process = running()
        self._callbacks: dict[str, Callback] = {}
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_value: object, exc_traceback: object) -> bool | None:
        self.close()
        return None

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

    def _mine(self, callback: Callback) -> Callback:
        """Let a callback of a real consumer see the stand-in."""
        me = weakref.ref(self)
        return lambda _, partitions: callback(me(), partitions)
