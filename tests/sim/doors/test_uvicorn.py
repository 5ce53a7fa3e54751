"""A real HTTP server on simulated connections: uvicorn, unchanged, with its fastest parser."""

import asyncio
import signal
import time
from typing import Any

import pytest
import uvicorn

# What uvicorn imports by name when it starts; programs have it all before a world begins.
import uvicorn.lifespan.on
import uvicorn.loops.asyncio
import uvicorn.protocols.http.h11_impl
import uvicorn.protocols.http.httptools_impl

from sim.doors.signals import deliver_signal
from sim.kernel import SECOND

REQUEST = b"POST /echo HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body = (await receive())["body"]
    await asyncio.sleep(0.05)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body + str(scope["client"][0]).encode()})


def serve(http: Any) -> None:
    config = uvicorn.Config(
        app, host="0.0.0.0", port=3001, http=http, loop="asyncio", ws="none", log_config=None
    )
    uvicorn.Server(config).run()


async def talk(requests: int) -> list[bytes]:
    reader, writer = await asyncio.open_connection("b", 3001)
    answers = []
    for _ in range(requests):
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: Mon, 02 Mar 2026 09:00:01 GMT\r\n")
        size = await reader.readline()
        answers.append((await reader.readexactly(int(size, 16) + 7))[:-7])
    writer.close()
    return answers


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_uvicorn_answers_in_several_worlds_of_one_interpreter(make_arena: Any, http: Any) -> None:
    def client() -> list[bytes]:
        time.sleep(1)
        return asyncio.run(talk(3))

    def once() -> tuple[Any, str]:
        arena = make_arena(4)
        arena.launch("server", lambda: serve(http), "b")
        return arena.run(client), arena.digest()

    first = once()
    assert first[0] == [b"helloa"] * 3
    assert once() == first


def test_uvicorn_stops_gracefully_when_told_to(arena: Any) -> None:
    answers: list[bytes] = []

    def client() -> None:
        time.sleep(1)
        answers.extend(asyncio.run(talk(1)))

    server = arena.launch("server", lambda: serve("httptools"), "b")
    arena.launch("client", client)
    arena.kernel.after(1_020_000_000, deliver_signal, server, signal.SIGTERM)
    arena.kernel.run(5 * SECOND)
    assert answers == [b"helloa"]
    assert server.exit_code == -signal.SIGTERM  # it raises the signal again once it is done


def test_a_server_killed_in_the_middle_of_a_request_is_an_end_of_file(arena: Any) -> None:
    def client() -> str:
        time.sleep(1)
        with pytest.raises(asyncio.IncompleteReadError):
            asyncio.run(talk(1))
        return "cut off"

    server = arena.launch("server", lambda: serve("httptools"), "b")
    arena.kernel.after(1_020_000_000, arena.kernel.kill, server)
    assert arena.run(client) == "cut off"
    assert server.stderr == []


def test_an_idle_server_costs_one_event_a_tick(arena: Any) -> None:
    arena.launch("server", lambda: serve("httptools"), "b")
    arena.kernel.run(SECOND)
    before = arena.kernel.events
    arena.kernel.run(101 * SECOND)
    assert arena.kernel.events - before <= 1010
