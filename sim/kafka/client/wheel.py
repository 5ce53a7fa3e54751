"""The real C module of `confluent_kafka`, loaded under a name of its own.

Its value types (`KafkaError`, `KafkaException`, `Message` ...) are used as they are, and its
library checks configurations. ``confluent_kafka.cimpl`` itself may then be a stand-in.
"""

import ctypes
import importlib.util
import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

__all__ = [
    "KafkaError",
    "KafkaException",
    "Message",
    "error_of",
    "fail",
    "library",
    "real",
    "text_of",
]

_NAME = "confluent_kafka.cimpl"


def _load() -> ModuleType:
    imported = sys.modules.get(_NAME)
    if imported is not None and getattr(imported, "__file__", None):
        return imported
    package = importlib.util.find_spec("confluent_kafka")
    if package is None or package.origin is None:
        raise ImportError("confluent_kafka is not installed")
    files = sorted(Path(package.origin).parent.glob("cimpl*.so"))
    if not files:
        raise ImportError(f"no C module stands beside {package.origin}")
    # The last part of the name must be that of the module's init function.
    loader = ExtensionFileLoader("sim.kafka.client.cimpl", str(files[0]))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


real = _load()
library = ctypes.CDLL(real.__file__)

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, KafkaException, Message
else:
    KafkaError = real.KafkaError
    KafkaException = real.KafkaException
    Message = real.Message

library.rd_kafka_err2str.argtypes = [ctypes.c_int]
library.rd_kafka_err2str.restype = ctypes.c_char_p

_texts: dict[int, str] = {}


def text_of(code: int) -> str:
    """Return what the library says about an error code.

    >>> text_of(-184)
    'Local: Queue full'
    """
    found = _texts.get(code)
    if found is None:
        found = _texts[code] = library.rd_kafka_err2str(code).decode()
    return found


def fail(code: int, text: str | None = None, *, retriable: bool = False) -> NoReturn:
    """Raise the library's exception for an error code."""
    raise KafkaException(error_of(code, text, retriable=retriable))


def error_of(
    code: int, text: str | None = None, *, fatal: bool = False, retriable: bool = False
) -> KafkaError:
    """Return the library's error for a code."""
    return KafkaError(code, text if text is not None else text_of(code), fatal, retriable)
