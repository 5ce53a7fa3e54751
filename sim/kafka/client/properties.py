"""Configuration properties as the real library reads them: names, ranges, defaults, texts.

The library itself judges: a ``rd_kafka_conf_t`` is filled and read back, so an unknown name, a
wrong type or a value out of range fails with the library's own words. No client is made of it.
"""

import ctypes
from collections.abc import Iterable

from sim.kafka.client.wheel import fail, library

_INVALID_ARG = -186
_UNKNOWN, _INVALID = -2, -1
_TEXT = 512

_new = library.rd_kafka_conf_new
_new.restype = ctypes.c_void_p
_set = library.rd_kafka_conf_set
_set.argtypes = [
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_size_t,
]
_destroy = library.rd_kafka_conf_destroy
_destroy.argtypes = [ctypes.c_void_p]
_destroy.restype = None
_topic_level = library.rd_kafka_conf_get_default_topic_conf
_topic_level.argtypes = [ctypes.c_void_p]
_topic_level.restype = ctypes.c_void_p
_dumps = (library.rd_kafka_conf_dump, library.rd_kafka_topic_conf_dump)
for _dump in _dumps:
    _dump.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    _dump.restype = ctypes.POINTER(ctypes.c_char_p)
_dump_free = library.rd_kafka_conf_dump_free
_dump_free.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_size_t]
_dump_free.restype = None

# The same property under two names, as far as this package asks whether it was set.
ALIASES = {
    "linger.ms": "queue.buffering.max.ms",
    "acks": "request.required.acks",
    "max.in.flight": "max.in.flight.requests.per.connection",
    "retries": "message.send.max.retries",
    "delivery.timeout.ms": "message.timeout.ms",
    "bootstrap.servers": "metadata.broker.list",
    "max.partition.fetch.bytes": "fetch.message.max.bytes",
    "compression.type": "compression.codec",
}


def read(pairs: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return every property's value, in the library's spelling, after `pairs` were set.

    Raises `KafkaException` as the library does. Addresses and callbacks are left out.
    """
    conf = _new()
    text = ctypes.create_string_buffer(_TEXT)
    try:
        # Any property of a topic makes the library keep a default configuration for topics.
        _set(conf, b"request.timeout.ms", b"30000", text, _TEXT)
        for key, value in pairs:
            content = None if value is None else value.encode()
            if _set(conf, key.encode(), content, text, _TEXT):
                fail(_INVALID_ARG, text.value.decode())
        # Of a property with one name on both levels, the client's own counts.
        return _dumped(1, _topic_level(conf)) | _dumped(0, conf)
    finally:
        _destroy(conf)


def _dumped(level: int, conf: int) -> dict[str, str]:
    count = ctypes.c_size_t()
    table = _dumps[level](conf, ctypes.byref(count))
    values = {}
    for at in range(0, count.value, 2):
        key, value = table[at], table[at + 1]
        assert key is not None
        if not key.endswith((b"_cb", b"_conf", b"opaque")):
            values[key.decode()] = (value or b"").decode()
    _dump_free(table, count)
    return values


DEFAULTS = read(())
