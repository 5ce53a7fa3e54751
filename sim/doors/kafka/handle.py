"""What the stand-ins for producer, consumer and admin client have in common."""

import importlib
from typing import Any

from sim.doors.kafka.metadata import cluster_metadata
from sim.errors import Unmodelled
from sim.kafka.client import codes
from sim.kafka.client.client import Client, Throttle, Trouble
from sim.kafka.client.wheel import KafkaException, error_of, fail, text_of
from sim.process import running


def simulated(core: Any) -> bool:
    """Whether a stand-in acts in a world; otherwise it hands on to a real object."""
    return isinstance(core, Client)


class Handle:
    """A stand-in over a simulated client, a real object, or nothing once closed."""

    __slots__ = ("__weakref__", "_core")

    _core: Any
    _closed_text = "Handle has been closed"

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        """Ask the cluster for metadata."""
        core = self._open("Handle has been closed")
        if not simulated(core):
            return core.list_topics(topic, timeout)
        running()
        limit = timeout if timeout >= 0 else 2**31 / 1000
        wanted = (topic,) if topic else None
        try:
            code, response = core.call(
                lambda done: core.metadata.fetch(wanted, done, int(limit * 1_000_000_000)), limit
            )
        except KafkaException:
            code, response = codes.TRANSPORT, None
        if code or response is None:
            shown = codes.TRANSPORT if code in {0, codes.TRANSPORT_UNSENT} else code
            fail(shown, f"Failed to get metadata: {text_of(shown)}")
        return cluster_metadata(response, core)

    def cluster_id(self, timeout: float = -1) -> str:
        """Return the id of the cluster."""
        core = self._open("Handle has been closed")
        if not simulated(core):
            return core.cluster_id(timeout)  # type: ignore[no-any-return]
        running()
        if core.metadata.cluster_id is None:
            try:
                self.list_topics("", timeout)
            except KafkaException:
                fail(
                    codes.TIMED_OUT,
                    "Failed to retrieve cluster id: Local: Timed out. The broker must support "
                    "KIP-78 (>= 0.10.1) for the cluster id to be available.",
                )
        return str(core.metadata.cluster_id)

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Refuse: no credentials are simulated."""
        core = self._open("Handle has been closed")
        if not simulated(core):
            core.set_sasl_credentials(username, password)
            return
        raise Unmodelled("set_sasl_credentials is not modelled: connections are plaintext")

    def __del__(self) -> None:
        core: Any = getattr(self, "_core", None)
        if simulated(core) and core.process.alive:
            core.close()  # as in reality: what was not delivered is gone without a word

    def _open(self, text: str | None = None) -> Any:
        if self._core is None:
            raise RuntimeError(text or self._closed_text)
        return self._core

    def _serve_common(self, event: Trouble | Throttle) -> None:
        """Call `error_cb` or `throttle_cb`; a fatal error is raised."""
        callbacks = self._core.callbacks
        if type(event) is Throttle:
            # The wheel imports the stand-in, so the stand-in asks for the wheel's class late.
            kind = importlib.import_module("confluent_kafka").ThrottleEvent
            callbacks.throttle(kind(event.broker, event.node_id, event.milliseconds / 1000))
            return
        assert isinstance(event, Trouble)
        error = error_of(event.code, event.text, fatal=event.fatal)
        if event.fatal:
            raise KafkaException(error)
        if callbacks.error is not None:
            callbacks.error(error)
