"""Recording spans: OpenTelemetry's SDK and OTLP over HTTP, where `[tracing] endpoint` is set.

Sampling, batches, headers and resource attributes are set as everywhere, by the variables that
OpenTelemetry defines: OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_EXPORTER_OTLP_*, OTEL_SERVICE_NAME ...
A collector that does not answer costs spans, never requests.
"""

import logging
import secrets
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace

from system.config import Section
from system.errors import ConfigError

_LAST_SPANS_S = 2.0  # how long a stop waits for them


class Tracing(Section, frozen=True):
    """The section `[tracing]`: the collector's address as in http://127.0.0.1:4318; "" for none."""

    endpoint: str = ""


class Ids:
    """Ids of spans: those that follow from the trace context, see `system.tracing`."""

    def __init__(self) -> None:
        self._chosen = 0

    def choose(self, span_id: int) -> None:
        """Give the next span this id."""
        self._chosen = span_id

    def generate_span_id(self) -> int:
        """Return the id of a new span; one that nobody foretold is drawn."""
        chosen, self._chosen = self._chosen, 0
        return chosen or secrets.randbits(64)

    def generate_trace_id(self) -> int:
        """Return the id of a new trace; ours all have one already."""
        return secrets.randbits(128)

    def is_trace_id_random(self) -> bool:
        """Say that nothing is promised of the lower bits of such an id."""
        return False


@contextmanager
def recording(settings: Any, program: str, environ: Mapping[str, str]) -> Generator[None]:
    """Record and export spans while the block runs, if the program is told where to."""
    section = getattr(settings, "tracing", None)
    if section is None or not section.endpoint:
        yield
        return
    provider = _provider(section.endpoint, program, environ)
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        # A thread, because a collector that is away would hold up the end of the program.
        last = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(_LAST_SPANS_S)
        if last.is_alive():  # it must not write while the interpreter ends
            logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)


def _provider(endpoint: str, program: str, environ: Mapping[str, str]) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"tracing.endpoint = {endpoint!r}: {error.name} is not installed; install the extra"
            " otel (pip install '.[otel]'), or leave the endpoint away"
        ) from None
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(
            f"tracing.endpoint = {endpoint!r} is not an address like http://127.0.0.1:4318;"
            " change it there or in WAVETANK_TRACING_ENDPOINT"
        )
    named = {} if "OTEL_SERVICE_NAME" in environ else {"service.name": program}
    ids: Any = Ids()
    provider = TracerProvider(
        resource=Resource.create(named), id_generator=ids, shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
