"""One broker as a client sees it: a connection that comes and goes, requests waiting and in flight.

Source: rdkafka_broker.c. **Faithful**: at most `max.in.flight` requests on their way, the next
ones wait in a queue of their own; answers come in order; when the connection ends, requests in
flight and waiting fail with `_TRANSPORT`; a request that is not answered in time fails and takes
the connection with it, noticed on a grid of one second; reconnects are held off by a doubled
interval with jitter of -25 % to +50 %; an error is not reported again within 30 s.
**Simplified**: no ApiVersions exchange, TLS or SASL when a connection opens.
"""

import errno
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.connection import End
from sim.kafka.client import codes
from sim.kafka.protocol import Request, Response
from sim.kernel import SECOND
from sim.timer import Timer

if TYPE_CHECKING:
    from sim.kafka.client.client import Client

Answered = Callable[[int, Any], None]  # error code and the body of the response, or None

_SAME_ERROR_QUIET = 30 * SECOND


class Call:
    """One request, who waits for its answer, and until when."""

    __slots__ = ("answered", "body", "correlation_id", "deadline", "sent", "silent")

    def __init__(self, body: Any, answered: Answered, deadline: int, *, silent: bool) -> None:
        self.body = body  # an entity, perhaps as a `Repeated`
        self.answered = answered
        self.deadline = deadline
        self.silent = silent  # the broker will not answer (acks=0)
        self.sent = False
        self.correlation_id = 0


class Broker:
    """A broker: known by address at first, by id once metadata told it."""

    def __init__(self, client: "Client", host: str, port: int, node_id: int = -1) -> None:
        self.client = client
        self.host = host
        self.port = port
        self.node_id = node_id
        self.label = ""  # instead of the address in messages
        self.down_reported = False
        self.reconnect_at = 0
        self.tried = False  # to connect to
        self.gone = False  # given up for good
        self.waiting: deque[Call] = deque()
        self.queue: deque[Call] = deque()
        self._end: End | None = None
        self._attempt = 0
        self._connecting = False
        self._connect_timer: Timer | None = None
        self._backoff = client.settings.reconnect_backoff
        self._born = client.kernel.now
        self._up_at = 0
        self._correlation = 0
        self._scan: Timer | None = None
        self._scan_at = 0
        self._last_error = (0, "", 0)

    @property
    def name(self) -> str:
        """What the broker is called in messages."""
        if self.label:
            return self.label
        node = "bootstrap" if self.node_id < 0 else str(self.node_id)
        return f"{self.host}:{self.port}/{node}"

    @property
    def up(self) -> bool:
        """Whether there is a connection."""
        return self._end is not None

    @property
    def connecting(self) -> bool:
        """Whether a connection is being made, or will be when it may."""
        return self._connecting

    def request(
        self, body: Any, answered: Answered, timeout_ns: int | None = None, *, silent: bool = False
    ) -> Call:
        """Send a request as soon as possible; `answered` is called from the loop."""
        client = self.client
        limit = client.settings.socket_timeout if timeout_ns is None else timeout_ns
        call = Call(body, answered, client.kernel.now + limit, silent=silent)
        if self.gone:
            client.process.after(0, answered, codes.TRANSPORT_UNSENT, None)
            return call
        self.queue.append(call)
        self._watch(call.deadline)
        if self._end is not None:
            self._pump()
        else:
            self.connect()
        return call

    def connect(self) -> None:
        """Connect, unless connected, connecting or held off; then as soon as allowed."""
        client = self.client
        if self._end is not None or self._connecting or client.closed or self.gone:
            return
        self._connecting = self.tried = True
        wait = self.reconnect_at - client.kernel.now
        if wait > 0:
            client.process.after(wait, self._dial, self._attempt)
        else:
            self._dial(self._attempt)

    def close(self) -> list[Call]:
        """Close the connection for good; return the requests that will not be answered."""
        self.gone = True
        self._connecting = False
        self._attempt += 1
        calls = [*self.waiting, *self.queue]
        self.waiting.clear()
        self.queue.clear()
        for timer in (self._scan, self._connect_timer):
            if timer is not None:
                timer.cancel()
        end, self._end = self._end, None
        if end is not None:
            end.close()
        return calls

    def _dial(self, attempt: int) -> None:
        if attempt != self._attempt or self.client.closed:
            return
        self._attempt += 1
        attempt = self._attempt
        client = self.client
        since = client.kernel.now
        self._update_backoff(since)
        process = client.process

        def connected(end: End) -> None:
            if attempt == self._attempt and not client.closed:
                self._opened(end)
            else:
                end.close()

        def failed(error: OSError) -> None:
            if attempt == self._attempt and not client.closed:
                what = error.strerror or str(error)
                code = codes.RESOLVE if error.errno == errno.ENOENT else codes.TRANSPORT
                after = (client.kernel.now - since) // 1_000_000
                where = f"Connect to {self.host}:{self.port} failed"
                self._fail(code, f"{where}: {what} (after {after}ms in state CONNECT)")

        self._connect_timer = process.after(
            client.settings.connect_timeout,
            lambda: failed(OSError(0, "Connection setup timed out")),
        )
        network = process.host.network
        network.connect(
            process.host.name, self.host, self.port, connected, failed, process, "kafka"
        )

    def _update_backoff(self, now: int) -> None:
        settings, random = self.client.settings, self.client.random
        if self.reconnect_at + settings.reconnect_backoff_max < now:
            self._backoff = settings.reconnect_backoff
        wait = int(self._backoff * random.uniform(0.75, 1.5))
        self.reconnect_at = now + min(wait, settings.reconnect_backoff_max)
        self._backoff = min(self._backoff * 2, settings.reconnect_backoff_max)

    def _opened(self, end: End) -> None:
        self._connecting = False
        if self._connect_timer is not None:
            self._connect_timer.cancel()
        self._end = end
        self._up_at = self.client.kernel.now
        self.down_reported = False
        end.on_message = self._received
        end.on_close = self._closed
        self._pump()
        self.client.metadata.connected(self)
        self.client.broker_up(self)

    def _pump(self) -> None:
        queue, waiting, end = self.queue, self.waiting, self._end
        limit = self.client.settings.max_in_flight
        while queue and len(waiting) < limit and end is not None:
            call = queue.popleft()
            self._correlation += 1
            call.correlation_id = self._correlation
            call.sent = True
            message = Request(self._correlation, self.client.settings.client_id, call.body)
            end.send(message, message.size)
            if call.silent:
                call.answered(codes.NONE, None)
            else:
                waiting.append(call)

    def _received(self, response: Response) -> None:
        waiting = self.waiting
        if not waiting or waiting[0].correlation_id != response.correlation_id:
            return
        call = waiting.popleft()
        if self.queue:
            self._pump()
            self.client.broker_room(self)
        if self.client.callbacks.throttle is not None:
            self.client.throttled(self, response.body)
        call.answered(codes.NONE, response.body)

    def _closed(self, error: OSError | None) -> None:
        after = (self.client.kernel.now - self._up_at) // 1_000_000
        reason = "Disconnected" if error is None else f"Receive failed: {error.strerror}"
        self._fail(codes.TRANSPORT, f"{reason} (after {after}ms in state UP)")

    def _fail(self, code: int, text: str) -> None:
        """End the connection, or the attempt to have one; all requests fail."""
        self._attempt += 1
        self._connecting = False
        if self._connect_timer is not None:
            self._connect_timer.cancel()
        end, self._end = self._end, None
        if end is not None:
            end.close()
        calls = [*self.waiting, *self.queue]
        self.waiting.clear()
        self.queue.clear()
        first_time = not self.down_reported
        self.down_reported = True
        self._report(code, text)
        self.client.broker_down(self, first_time=first_time)
        for call in calls:
            call.answered(codes.TRANSPORT if call.sent else codes.TRANSPORT_UNSENT, None)

    def _report(self, code: int, text: str) -> None:
        now = self.client.kernel.now
        last_code, last_text, last_at = self._last_error
        shape = text.partition(" (after")[0]
        if (code, shape) != (last_code, last_text) or now - last_at > _SAME_ERROR_QUIET:
            self._last_error = (code, shape, now)
            self.client.report(code, f"{self.name}: {text}")

    def _watch(self, deadline: int) -> None:
        """Look for overdue requests at the first full second, since birth, after `deadline`."""
        at = next_full_second(self._born, deadline)
        scan = self._scan
        if scan is not None and scan.pending:
            if self._scan_at <= at:
                return
            scan.cancel()
        self._scan_at = at
        self._scan = self.client.process.after(at - self.client.kernel.now, self._look_for_overdue)

    def _look_for_overdue(self) -> None:
        now = self.client.kernel.now
        late = [call for call in self.queue if call.deadline <= now]
        for call in late:
            self.queue.remove(call)
            call.answered(codes.TIMED_OUT_QUEUE, None)
        overdue = [call for call in self.waiting if call.deadline <= now]
        for call in overdue:
            self.waiting.remove(call)
            call.answered(codes.TIMED_OUT, None)
        if overdue:
            self._fail(codes.MSG_TIMED_OUT, f"{len(overdue)} request(s) timed out: disconnect")
        rest = [call.deadline for calls in (self.waiting, self.queue) for call in calls]
        if rest:
            self._watch(min(rest))


def next_full_second(born: int, at: int) -> int:
    """Return the first full second since `born` that is not before `at`."""
    return born - (born - at) // SECOND * SECOND
