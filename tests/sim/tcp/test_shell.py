import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Any

import pytest

from sim.machine import Cancel, Dial, Disconnect, Effect, Effects, Message, Record, Send, Timer
from sim.tcp.codec import Codec, Malformed
from sim.tcp.shell import Shell


class Line:
    def __init__(self, text: str) -> None:
        self.kind = self.text = text

    def fingerprint(self) -> bytes:
        return self.text.encode()


class Lines(Codec):
    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.rest = b""

    def decode(self, data: bytes) -> Iterable[Message]:
        *whole, self.rest = (self.rest + data).split(b"\n")
        for line in whole:
            if line == b"nonsense":
                raise Malformed("nonsense")
            yield Line(line.decode())

    def encode(self, message: Message) -> bytes:
        return message.kind.encode() + b"\n"


class Named(Lines):
    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.peer = None
        self.greeting = b"it is me\n"

    def decode(self, data: bytes) -> Iterable[Message]:
        for message in super().decode(data):
            if self.peer is None:
                self.peer = message.kind
            else:
                yield message


class Echo:
    """Answers each line; some lines are commands."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.client = 0

    def started(self, now_ns: int) -> Effects:
        return [Timer("never", now_ns), Cancel("never")]

    def crashed(self, *, power_loss: bool) -> None:
        raise AssertionError

    def connected(self, now_ns: int, connection: int, peer: str) -> Effects:
        self.log.append(f"connected {peer}")
        return []

    def dialled(self, now_ns: int, tag: Hashable, connection: int | None) -> Effects:
        effects: list[Effect] = [Send(self.client, Line(f"dialled {tag} {connection is not None}"))]
        if connection is not None:
            effects.append(Send(connection, Line("hello")))
        return effects

    def received(self, now_ns: int, connection: int, message: Message) -> Effects:
        self.log.append(message.kind)
        match message.kind.split():
            case ["later"]:
                return [Timer(("say", connection), now_ns + 1_000_000)]
            case ["keep", what]:
                return [Record("kept", what), Send(connection, message)]
            case ["dial", peer]:
                self.client = connection
                return [Dial(peer, "tag")]
            case ["bye"]:
                return [Send(connection, message), Disconnect(connection)]
            case ["defect"]:
                raise ZeroDivisionError
        return [Send(connection, message)]

    def disconnected(self, now_ns: int, connection: int) -> Effects:
        self.log.append("disconnected")
        return []

    def fired(self, now_ns: int, key: Hashable) -> Effects:
        assert isinstance(key, tuple)
        return [Send(key[1], Line("now"))]


Ask = Callable[[bytes], Awaitable[bytes]]


def served(talk: Callable[[Shell, Ask], Awaitable[None]], **options: Any) -> Echo:
    """Let `talk` speak with a served echo; return the echo."""
    echo = Echo()

    async def main() -> None:
        shell = Shell(echo, **options)
        port = await shell.listen("127.0.0.1", 0, Lines)
        await shell.start()

        async def ask(data: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer

        await asyncio.wait_for(talk(shell, ask), 10)
        await shell.stop()

    asyncio.run(main())
    return echo


def test_messages_timers_and_a_machines_own_goodbye() -> None:
    async def talk(shell: Shell, ask: Ask) -> None:
        assert await ask(b"one\ntwo\nthr") == b"one\ntwo\n"
        assert await ask(b"one\nbye\ntwo\n") == b"one\nbye\n"

    echo = served(talk)

    assert echo.log == [
        "connected 127.0.0.1",
        "one",
        "two",
        "disconnected",
        "connected 127.0.0.1",
        "one",
        "bye",
        "two",
    ]


def test_a_timer_fires_once_its_time_has_come() -> None:
    async def talk(shell: Shell, ask: Ask) -> None:
        reader, writer = await asyncio.open_connection(*shell_address(shell))
        writer.write(b"later\n")
        assert await reader.readline() == b"now\n"
        writer.close()

    served(talk)


def shell_address(shell: Shell) -> tuple[str, int]:
    address: tuple[str, int] = shell._servers[0].sockets[0].getsockname()
    return address


@pytest.mark.parametrize("line", [b"nonsense\n", b"defect\n"])
def test_who_breaks_the_protocol_or_the_machine_loses_one_connection(line: bytes) -> None:
    async def talk(shell: Shell, ask: Ask) -> None:
        assert await ask(b"one\n" + line + b"two\n") == b"one\n"
        assert await ask(b"three\n") == b"three\n"

    assert "two" not in served(talk).log


def test_nothing_is_said_before_it_is_durable_and_one_round_is_persisted_at_once() -> None:
    kept: list[list[Any]] = []

    async def talk(shell: Shell, ask: Ask) -> None:
        assert await ask(b"keep 1\nkeep 2\nfree\n") == b"keep 1\nkeep 2\nfree\n"

    served(talk, persist=lambda records: kept.append([record.fields for record in records]))

    assert kept == [[("1",), ("2",)]]


def test_a_shell_that_cannot_persist_dies_without_a_word() -> None:
    def full(records: list[Record]) -> None:
        raise OSError("disk full")

    async def talk(shell: Shell, ask: Ask) -> None:
        assert await ask(b"one\nkeep 1\nfree\n") in (b"", b"one\n")
        with pytest.raises(OSError, match="disk full"):
            await shell.failure

    async def tolerant(shell: Shell, ask: Ask) -> None:
        try:
            await talk(shell, ask)
        except ConnectionResetError:
            with pytest.raises(OSError, match="disk full"):
                await shell.failure

    served(tolerant, persist=full)


def test_machines_dial_each_other_by_name() -> None:
    other = Echo()

    async def talk(shell: Shell, ask: Ask) -> None:
        peer = Shell(other)
        port = await peer.listen("127.0.0.1", 0, Named)
        await peer.start()
        shell.route = lambda name: ("127.0.0.1", port if name == "peer" else 1, Named)
        reader, writer = await asyncio.open_connection(*shell_address(shell))
        writer.write(b"dial peer\n")
        assert await reader.readline() == b"dialled tag True\n"
        writer.write(b"dial nobody\n")
        assert await reader.readline() == b"dialled tag False\n"
        writer.close()
        until = time.monotonic() + 5
        while "hello" not in other.log and time.monotonic() < until:
            await asyncio.sleep(0.01)
        await peer.stop()

    served(talk)

    assert other.log == ["connected it is me", "hello"]
