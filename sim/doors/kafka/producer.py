"""`Producer` behind the door: signatures, types, exceptions and callbacks as in Producer.c.

**Faithful**: delivery reports reach callbacks only inside `poll`, `flush`, `purge` and `close`, in
the caller's thread; an exception of a callback ends the call and leaves the rest for the next;
the message of a report has no headers.
"""

from collections.abc import Callable
from typing import Any, NoReturn, Self

from sim.doors.kafka import arguments
from sim.doors.kafka.handle import Handle, simulated
from sim.kafka.client import codes
from sim.kafka.client.client import Throttle, Trouble
from sim.kafka.client.configuration import configure
from sim.kafka.client.inbox import deadline
from sim.kafka.client.producer import Producer as Core
from sim.kafka.client.topics import Report
from sim.kafka.client.wheel import KafkaException, Message, error_of, fail, real, text_of
from sim.process import running

_NOT_CONFIGURED = -145
_DONE = 0.5  # from this part on a call counts as done before a fault
_CREATE_TIME, _LOG_APPEND_TIME = 1, 2


class Producer(Handle):
    """Stands for the real producer."""

    __slots__ = ()
    _real = real.Producer
    _closed_text = "Producer has been closed"

    def __init__(self, *args: Any, **named: Any) -> None:
        config = arguments.configuration(args, named)
        process = running()
        if process is None:
            self._core = real.Producer(config)
        else:
            self._core = Core(process, *configure("producer", config))

    def produce(  # noqa: PLR0913, PLR0917  (the real signature)
        self,
        topic: str,
        value: str | bytes | None = None,
        key: str | bytes | None = None,
        partition: int = -1,
        callback: Callable[..., Any] | None = None,
        on_delivery: Callable[..., Any] | None = None,
        timestamp: int = 0,
        headers: Any = None,
    ) -> None:
        """Hand over a message; the report comes by `poll` or `flush`."""
        core = self._core
        if type(core) is not Core:
            report = callback or on_delivery  # a `callback` of None would silence the other
            self._open().produce(topic, value, key, partition, report, None, timestamp, headers)
            return
        process = running()
        if type(topic) is not str or partition != -1 or type(timestamp) is not int:
            topic = arguments.topic_name(topic)
            partition, timestamp = arguments.integer(partition), arguments.wide(timestamp)
        if type(value) is not bytes:
            value = arguments.payload(value, 2)
        if type(key) is not bytes:
            key = arguments.payload(key, 3)
        pairs = () if headers is None else arguments.headers(headers)
        callback = callback or on_delivery or core.callbacks.delivery
        if process is not None and process.moments:
            strike = process.strike("kafka.produce", topic)
            if strike is not None:
                if strike.part >= _DONE:
                    core.produce(topic, value, key, partition, callback, timestamp, pairs)
                strike.hit()
                if strike.part >= _DONE:
                    return
        code = core.produce(topic, value, key, partition, callback, timestamp, pairs)
        if code:
            _refuse(code)

    def produce_batch(
        self,
        topic: str,
        messages: list[dict[str, Any]],
        partition: int = -1,
        callback: Callable[..., Any] | None = None,
        on_delivery: Callable[..., Any] | None = None,
    ) -> int:
        """Hand over many messages; return how many were taken, mark the others."""
        core = self._core
        if not simulated(core):
            return self._open().produce_batch(topic, messages, partition, callback or on_delivery)  # type: ignore[no-any-return]
        running()
        arguments.topic_name(topic)
        if not isinstance(messages, list):
            raise TypeError("messages must be a list")
        usual = callback or on_delivery or core.callbacks.delivery
        taken = 0
        for index, message in enumerate(messages):
            value, key, where, own = _of_batch(message, index, partition)
            code = core.produce(topic, value, key, where, own or usual, 0, ())
            if code:
                message["_error"] = error_of(code, f"Message failed: {text_of(code)}")
            else:
                taken += 1
        return taken

    def poll(self, timeout: float = -1) -> int:
        """Serve events, waiting up to `timeout` for the first; return how many."""
        core = self._core
        if not simulated(core):
            return self._open().poll(timeout)  # type: ignore[no-any-return]
        running()
        until = deadline(core.kernel, arguments.seconds(timeout))
        event = core.next_event(until)
        if event is None:
            if timeout == 0:
                core.pause_if_spinning()
            return 0
        served = 1
        waiting = len(core.inbox.items)
        self._serve(event)
        while waiting > 0 and core.inbox.items:
            waiting -= 1
            served += 1
            self._serve(core.inbox.items.popleft())
        return served

    def flush(self, timeout: float = -1) -> int:
        """Send everything now and serve reports; return how many messages are left."""
        core = self._core
        if not simulated(core):
            return self._open().flush(timeout)  # type: ignore[no-any-return]
        running()
        until = deadline(core.kernel, arguments.seconds(timeout))
        core.flushing += 1
        core.serve_all()
        try:
            while core.inbox.items or core.count:
                event = core.next_event(until)
                if event is None:
                    if timeout == 0:
                        core.pause_if_spinning()
                    break
                self._serve(event)
        finally:
            core.flushing -= 1
        return len(self)

    def purge(self, in_queue: bool = True, in_flight: bool = True, blocking: bool = True) -> None:
        """Give up messages; their reports come by `poll`."""
        core = self._core
        if not simulated(core):
            self._open().purge(in_queue, in_flight, blocking)
            return
        running()
        core.purge(in_queue=bool(in_queue), in_flight=bool(in_flight))

    def close(self) -> bool:
        """Flush, then drop the client."""
        core = self._core
        if simulated(core):
            self.flush(-1)
            core.close()
            self._core = None
        elif core is not None:
            core.close()
        return True

    def init_transactions(self, timeout: float = -1) -> None:
        """Refuse, as there is no transactional.id."""
        self._transactional("init_transactions", timeout)

    def begin_transaction(self) -> None:
        """Refuse, as there is no transactional.id."""
        self._transactional("begin_transaction")

    def commit_transaction(self, timeout: float = -1) -> None:
        """Refuse, as there is no transactional.id."""
        self._transactional("commit_transaction", timeout)

    def abort_transaction(self, timeout: float = -1) -> None:
        """Refuse, as there is no transactional.id."""
        self._transactional("abort_transaction", timeout)

    def send_offsets_to_transaction(
        self, positions: Any, group_metadata: Any, timeout: float = -1
    ) -> None:
        """Refuse, as there is no transactional.id."""
        self._transactional("send_offsets_to_transaction", positions, group_metadata, timeout)

    def __len__(self) -> int:
        core = self._core
        if core is None:
            return 0
        if not simulated(core):
            return len(core)
        return int(core.count) + len(core.inbox.items)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, exc_value: object, exc_traceback: object) -> bool | None:
        self.close()
        return None

    def _transactional(self, name: str, *args: Any) -> None:
        core = self._open()
        if not simulated(core):
            getattr(core, name)(*args)
            return
        fail(_NOT_CONFIGURED, "The Transactional API requires transactional.id to be configured")

    def _serve(self, event: Report | Trouble | Throttle) -> None:
        if type(event) is Report:
            self._deliver(event)
        else:
            assert not isinstance(event, Report)
            self._serve_common(event)

    def _deliver(self, report: Report) -> None:
        """Call back for every message of a report; what an exception leaves over comes again."""
        core: Core = self._core
        process = core.process
        error = error_of(report.code) if report.code else None
        messages = report.messages
        offset = report.offset
        while messages:
            message = messages.popleft()
            core.served(message)
            at = offset
            if offset >= 0:
                offset += 1
            callback = message.callback
            if callback is None or (error is None and core.callbacks.only_error):
                continue
            append = report.append_time
            stamp = (_LOG_APPEND_TIME, append) if append >= 0 else (_CREATE_TIME, message.timestamp)
            seen = Message(
                topic=report.topic,
                partition=report.partition,
                offset=at,
                key=message.key,
                value=message.value,
                error=error,
                timestamp=stamp,
                latency=(core.kernel.now - message.enqueued) / 1_000_000_000,
            )
            if process.moments:
                strike = process.strike("kafka.delivery", report.topic)
                if strike is not None:
                    if strike.part >= _DONE:
                        callback(error, seen)
                    strike.hit()
                    if strike.part >= _DONE:
                        continue
            try:
                callback(error, seen)
            except BaseException:
                if messages:
                    core.inbox.items.appendleft(report._replace(offset=offset))
                raise


def _of_batch(message: Any, index: int, partition: int) -> tuple[Any, Any, int, Any]:
    if not isinstance(message, dict):
        raise TypeError(f"Message at index {index} must be a dict")
    parts = []
    for name in ("value", "key"):
        content = message.get(name)
        if content is not None and not isinstance(content, bytes | str):
            raise TypeError(f"Message {name} at index {index} must be bytes or str")
        parts.append(content.encode() if isinstance(content, str) else content)
    if "timestamp" in message:
        raise NotImplementedError("Message timestamps are not currently supported in batch mode")
    where = message.get("partition", partition)
    if not isinstance(where, int):
        raise TypeError(f"Message partition at index {index} must be int")
    return parts[0], parts[1], where, message.get("callback") or message.get("on_delivery")


def _refuse(code: int) -> NoReturn:
    if code == codes.QUEUE_FULL:
        raise BufferError(text_of(code))
    raise KafkaException(error_of(code, f"Unable to produce message: {text_of(code)}"))
