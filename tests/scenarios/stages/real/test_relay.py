"""A relay passes bytes on unchanged, holds what is cut, and loses a connection with a message."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scenarios.backends import ports
from scenarios.backends.base import Address
from scenarios.stages.real.proxies.framing import Plain
from scenarios.stages.real.proxies.relay import Link, Relay
from scenarios.stages.real.proxies.weather import Fate, Passage, Weather

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Weather, list[bytes]], Awaitable[Any]]


async def _echo(heard: list[bytes], reader: asyncio.StreamReader, writer: Any) -> None:
    while data := await reader.read(1 << 16):
        heard.append(data)
        writer.write(data)
    writer.close()


def play(talk: Talk) -> Any:
    """Let a client talk over a relay to a server that repeats what it hears."""

    async def main() -> Any:
        weather, heard = Weather(), list[bytes]()
        behind, before = (Address("127.0.0.1", port) for port in ports.free(2))
        server = await asyncio.start_server(
            lambda r, w: _echo(heard, r, w), behind.host, behind.port
        )
        relay = Relay(Link("client", "server", before, lambda: behind, Plain), weather)
        await relay.open()
        reader, writer = await asyncio.open_connection(before.host, before.port)
        try:
            return await talk(reader, writer, weather, heard)
        finally:
            writer.close()
            await relay.close()
            server.close()
            assert not relay.defects

    return asyncio.run(main())


def test_bytes_pass_unchanged_and_in_order() -> None:
    sent = bytes(range(256)) * 2000

    async def talk(reader: Any, writer: Any, *_: Any) -> bytes:
        writer.write(sent)
        return await reader.readexactly(len(sent))  # type: ignore[no-any-return]

    assert play(talk) == sent


def test_one_direction_is_held_until_the_cut_heals() -> None:
    async def talk(reader: Any, writer: Any, weather: Weather, heard: list[bytes]) -> Any:
        with weather.cut(lambda p: (p.source, p.target) == ("server", "client")) as tally:
            writer.write(b"hello")
            while not tally.held:
                await asyncio.sleep(0.001)
            while not heard:
                await asyncio.sleep(0.001)
            early = reader._buffer[:]
        return early, await reader.readexactly(5), tally.held

    assert play(talk) == (b"", b"hello", 1)


def test_a_lost_answer_takes_its_connection_along_after_the_server_has_heard() -> None:
    def lose(passage: Passage) -> Fate:
        return Fate(lost=passage.source == "server")

    async def talk(reader: Any, writer: Any, weather: Weather, heard: list[bytes]) -> list[bytes]:
        with weather.rule(lose):
            writer.write(b"hello")
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(5)
        return heard

    assert play(talk) == [b"hello"]


def test_a_lost_request_is_never_heard() -> None:
    def lose(passage: Passage) -> Fate:
        return Fate(lost=passage.source == "client")

    async def talk(reader: Any, writer: Any, weather: Weather, heard: list[bytes]) -> list[bytes]:
        with weather.rule(lose):
            writer.write(b"hello")
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(5)
        return heard

    assert play(talk) == []


def test_delayed_messages_do_not_overtake_each_other() -> None:
    delays = iter((30_000_000, 0, 0, 0, 0, 0, 0, 0))

    def slow(passage: Passage) -> Fate:
        return Fate(next(delays, 0) if passage.source == "client" else 0)

    async def talk(reader: Any, writer: Any, weather: Weather, heard: list[bytes]) -> bytes:
        with weather.rule(slow):
            for word in (b"one", b"two"):
                writer.write(word)
                await writer.drain()
                await asyncio.sleep(0.002)
            return await reader.readexactly(6)  # type: ignore[no-any-return]

    assert play(talk) == b"onetwo"
