"""Copies a topic to another one and to a rotating audit file; ordinary threads and globals."""

import argparse
import atexit
import logging
import os
import queue
import signal
import tempfile
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer

log = logging.getLogger("audit")
seen: dict[bytes, int] = {}
work: "queue.Queue[Message | None]" = queue.Queue(maxsize=100)
stopping = threading.Event()
lock = threading.Lock()
written = 0


def stop(*_: Any) -> None:
    """End the main loop."""
    stopping.set()


def stamp(message: Message) -> bytes:
    """Return a line with the time and an id."""
    now = datetime.now().isoformat()  # noqa: DTZ005
    return b"%s %s %s" % (now.encode(), uuid.uuid4().hex.encode(), message.value() or b"")


def rotate(path: Path, limit: int) -> None:
    """Move a full file aside and leave a note of when."""
    if path.exists() and path.stat().st_size > limit:
        path.rename(path.with_suffix(f".{len(list(path.parent.glob('audit.*.log'))) + 1}.log"))
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(datetime.now().isoformat())  # noqa: DTZ005
        os.replace(name, path.parent / "rotated")


def writer(path: Path, limit: int, producer: Producer, topic: str) -> None:
    """Take messages off the queue: to the file first, then onwards."""
    global written
    with ThreadPoolExecutor(2) as pool:
        while (message := work.get()) is not None:
            line = pool.submit(stamp, message).result()
            rotate(path, limit)
            with path.open("ab") as file:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            producer.produce(topic, line, message.key())
            producer.poll(0)
            with lock:
                written += 1
                seen[message.value() or b""] = seen.get(message.value() or b"", 0) + 1


def main(argv: list[str]) -> int:
    """Run until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--into", default="copies")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    atexit.register(lambda: log.info("bye after %d", written))
    signal.signal(signal.SIGTERM, stop)
    options.folder.mkdir(parents=True, exist_ok=True)
    log.info("started with %d seen", len(seen))
    producer = Producer({"bootstrap.servers": options.servers})
    consumer = Consumer(
        {
            "bootstrap.servers": options.servers,
            "group.id": f"audit-{options.into}",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["t"])
    path = options.folder / "audit.log"
    thread = threading.Thread(target=writer, args=(path, options.limit, producer, options.into))
    thread.start()
    while not stopping.is_set():
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            work.put(message)
    work.put(None)
    thread.join()
    producer.flush()
    consumer.close()
    return 0
