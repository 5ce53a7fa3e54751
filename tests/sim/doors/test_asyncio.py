"""`asyncio`: the real library on a loop that sleeps in the kernel."""

import asyncio
import contextvars
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sim.doors.signals import deliver_signal
from sim.errors import SimulationEscape
from sim.kernel import MILLISECOND, SECOND

Run = Callable[[Callable[[], Any]], Any]
TICK = 0.01


def test_tasks_timeouts_and_groups_work(run: Run) -> None:
    async def fails() -> None:
        await asyncio.sleep(TICK)
        raise ValueError("one")

    async def main() -> list[Any]:
        seen: list[Any] = []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(TICK):
                await asyncio.sleep(1000)
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                sleeper = group.create_task(asyncio.sleep(1000))
                group.create_task(fails())
        seen.append((len(caught.value.exceptions), sleeper.cancelled()))
        seen.append(await asyncio.gather(*(asyncio.sleep(n * TICK, n) for n in (3, 1, 2))))
        done, pending = await asyncio.wait(
            [asyncio.ensure_future(asyncio.sleep(n * 5 * TICK, n)) for n in (2, 1)],
            return_when=asyncio.FIRST_COMPLETED,
        )
        seen.append([task.result() for task in done] + [len(pending)])
        for early in asyncio.as_completed([asyncio.sleep(n * 5 * TICK, n) for n in (2, 1)]):
            seen.append(await early)  # noqa: PERF401
        seen.append(asyncio.current_task() in asyncio.all_tasks())
        return seen

    assert run(lambda: asyncio.run(main())) == [(1, True), [3, 1, 2], [1, 1], 1, 2, True]


def test_threads_and_the_loop_wake_each_other(run: Run) -> None:
    def body() -> list[Any]:
        seen: list[Any] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            seen.append(await asyncio.to_thread(lambda: (time.sleep(TICK), 1)[1]))  # type: ignore[func-returns-value]
            event = asyncio.Event()
            threading.Timer(TICK, loop.call_soon_threadsafe, [event.set]).start()
            await event.wait()
            other = asyncio.run_coroutine_threadsafe
            answer = await asyncio.to_thread(
                lambda: other(asyncio.sleep(TICK, "from the loop"), loop).result()
            )
            seen.append(answer)

        asyncio.run(main())
        return seen

    assert run(body) == [1, "from the loop"]


def test_async_generators_and_context_variables_behave(run: Run) -> None:
    number = contextvars.ContextVar("number", default=0)
    closed: list[str] = []

    async def counting() -> AsyncIterator[int]:
        try:
            for count in range(100):
                await asyncio.sleep(0)
                yield count
        finally:
            closed.append("closed")

    async def task(value: int) -> int:
        number.set(value)
        await asyncio.sleep(TICK)
        return number.get()

    async def main() -> list[Any]:
        left_open = counting()
        first = await anext(left_open)
        found = await asyncio.gather(task(1), task(2))
        in_thread = await asyncio.to_thread(number.get)
        del left_open
        return [first, *found, in_thread, number.get()]

    assert run(lambda: asyncio.run(main())) == [0, 1, 2, 0, 0]
    assert closed == ["closed"]


def test_streams_carry_bytes_both_ways_and_end(arena: Any) -> None:
    def server() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
            writer.close()

        async def main() -> None:
            listening = await asyncio.start_server(serve, "0.0.0.0", 80)
            async with listening:
                await listening.serve_forever()

        asyncio.run(main())

    async def talk() -> list[Any]:
        await asyncio.sleep(1)
        reader, writer = await asyncio.open_connection("b", 80)
        writer.write(b"one\ntw")
        writer.write(b"o\n")
        seen: list[Any] = [await reader.readline(), await reader.readline()]
        seen.append(writer.get_extra_info("peername"))
        writer.write_eof()
        seen.append(await reader.read())
        writer.close()
        await writer.wait_closed()
        for port, host in ((81, "b"), (80, "nobody")):
            with pytest.raises(OSError) as error:
                await asyncio.open_connection(host, port)
            seen.append(type(error.value).__name__)
        return seen

    arena.launch("server", server, "b")
    found = arena.run(lambda: asyncio.run(talk()))
    assert found == [
        b"ONE\n",
        b"TWO\n",
        ("b", 80),
        b"",
        "ConnectionRefusedError",
        "gaierror",
    ]


def test_who_connects_to_a_paused_server_that_then_stops_listening_is_reset(arena: Any) -> None:
    def server() -> None:
        async def main() -> None:
            listening = await asyncio.start_server(lambda *_: None, "0.0.0.0", 80)
            await asyncio.sleep(2)
            listening.close()
            await asyncio.sleep(10)

        asyncio.run(main())

    async def talk() -> tuple[str, float]:
        await asyncio.sleep(3)
        reader, _ = await asyncio.open_connection("b", 80)
        try:
            await reader.read()
        except ConnectionResetError:
            return "reset", round(time.monotonic(), 1)
        return "closed", time.monotonic()

    process = arena.launch("server", server, "b")
    arena.kernel.after(1 * SECOND, arena.kernel.pause, process)
    arena.kernel.after(5 * SECOND, arena.kernel.resume, process)
    assert arena.run(lambda: asyncio.run(talk())) == ("reset", 15.0)


class Recorder(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(len(data))

    def eof_received(self) -> None:
        self.told.append("eof")

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(type(error).__name__)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


def connected(arena: Any, client: Callable[[Recorder], Any]) -> Recorder:
    """Run `client` with its end of a connection; return the protocol at the server's end."""
    ends: list[Recorder] = []

    def server() -> None:
        async def main() -> None:
            def factory() -> Recorder:
                ends.append(Recorder())
                return ends[-1]

            server = await asyncio.get_running_loop().create_server(factory, "b", 80)
            await server.serve_forever()

        asyncio.run(main())

    async def main() -> None:
        await asyncio.sleep(0.1)
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(Recorder, "b", 80)
        await asyncio.sleep(0.1)
        ends.insert(0, protocol)
        await client(protocol)
        await asyncio.sleep(1)

    arena.launch("server", server, "b")
    arena.run(lambda: asyncio.run(main()))
    return ends[-1]


def test_a_peer_that_does_not_read_makes_the_writer_pause(arena: Any) -> None:
    async def client(mine: Recorder) -> None:
        mine.transport.set_write_buffer_limits(high=100_000)
        arena.server_end.transport.pause_reading()
        for _ in range(10):
            mine.transport.write(bytes(50_000))
        assert mine.told == ["made", "pause"]
        assert mine.transport.get_write_buffer_size() == 200_000
        await asyncio.sleep(1)
        assert mine.told == ["made", "pause"]
        there = arena.server_end.transport
        arena.kernel.after(0, there._loop.inject, there.resume_reading)
        await asyncio.sleep(1)
        assert mine.told == ["made", "pause", "resume"]
        mine.transport.close()
        assert mine.transport.is_closing()

    async def with_server_end(mine: Recorder) -> None:
        arena.server_end = _peer_of(mine)
        await client(mine)

    server = connected(arena, with_server_end)
    assert server.told[0] == "made"
    assert sum(size for size in server.told if isinstance(size, int)) == 500_000
    assert server.told[-2:] == ["eof", "NoneType"]


def _peer_of(mine: Recorder) -> Any:
    """Return the protocol at the other end."""
    return mine.transport._end.peer.on_message.__self__.get_protocol()


def test_an_abort_and_unread_data_reset_the_connection(arena: Any) -> None:
    async def client(mine: Recorder) -> None:
        mine.transport.write(b"x" * 10)
        await asyncio.sleep(0.1)
        mine.transport.pause_reading()
        _peer_of(mine).transport.write(b"never read")
        await asyncio.sleep(0.1)
        mine.transport.close()

    assert connected(arena, client).told == ["made", 10, "ConnectionResetError"]


def test_the_death_of_a_process_is_an_end_of_file_to_its_peers(arena: Any) -> None:
    async def client(mine: Recorder) -> None:
        arena.kernel.after(0, arena.kernel.kill, arena.world.living("server"))
        await asyncio.sleep(1)
        assert mine.told == ["made", "eof", "NoneType"]

    assert connected(arena, client).told == ["made"]


def test_a_callback_that_blocks_blocks_its_loop_and_no_other(arena: Any) -> None:
    def body() -> list[float]:
        ticks: list[float] = []

        async def ticking(blocks: bool) -> None:
            start = time.monotonic()
            if blocks:
                asyncio.get_running_loop().call_later(0.5, time.sleep, 2)
            for _ in range(3):
                await asyncio.sleep(1)
                ticks.append(round(time.monotonic() - start, 3))

        other = threading.Thread(target=asyncio.run, args=(ticking(False),))
        other.start()
        asyncio.run(ticking(True))
        other.join()
        return sorted(ticks)

    assert arena.run(body) == [1.0, 2.0, 2.5, 3.0, 3.5, 4.5]


def test_signal_handlers_of_a_loop_run_in_it(arena: Any) -> None:
    def body() -> list[Any]:
        async def main() -> list[Any]:
            loop = asyncio.get_running_loop()
            got: asyncio.Future[Any] = loop.create_future()
            loop.add_signal_handler(signal.SIGTERM, got.set_result, "terminated")
            found = [await got, time.monotonic()]
            assert loop.remove_signal_handler(signal.SIGTERM)
            return found

        return asyncio.run(main())

    process = arena.launch("body", body)
    arena.kernel.after(2 * SECOND, deliver_signal, process, signal.SIGTERM)
    arena.kernel.after(4 * SECOND, deliver_signal, process, signal.SIGTERM)
    arena.kernel.run(10 * SECOND)
    assert arena.results["body"] == ["terminated", 12.0]
    assert process.exit_code == 0


def test_an_interrupt_cancels_the_main_task(arena: Any) -> None:
    seen: list[str] = []

    async def main() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            seen.append("cancelled")

    process = arena.launch("body", lambda: asyncio.run(main()))
    arena.kernel.after(2 * SECOND, deliver_signal, process, signal.SIGINT)
    arena.kernel.run(10 * SECOND)
    assert seen == ["cancelled"]
    assert process.exit_code == -signal.SIGINT


def test_what_nobody_simulates_is_refused_by_name(make_arena: Any) -> None:
    async def subprocess() -> None:
        await asyncio.create_subprocess_exec("true")

    async def datagrams() -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("0.0.0.0", 9)
        )

    for main, name in ((subprocess, "subprocess"), (datagrams, "create_datagram_endpoint")):
        arena = make_arena()
        with pytest.raises(SimulationEscape, match=name):
            arena.run(lambda main=main: asyncio.run(main()))


def test_coroutines_of_the_dead_are_closed_behind_the_fence(arena: Any) -> None:
    seen: list[str] = []

    async def tidy(number: int) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            seen.append(f"{number} ends")
            time.sleep(1)
            seen.append("slept")

    async def main() -> None:
        tasks = [asyncio.create_task(tidy(number)) for number in range(3)]
        await asyncio.wait(tasks)

    process = arena.launch("body", lambda: asyncio.run(main()))
    arena.kernel.run(50 * MILLISECOND)
    arena.kernel.kill(process)
    arena.kernel.run(1000 * SECOND)
    assert sorted(seen) == ["0 ends", "1 ends", "2 ends"]
    assert process.stderr == []


def test_names_of_tasks_and_the_order_of_sets_do_not_depend_on_the_past(make_arena: Any) -> None:
    async def main() -> list[str]:
        async def work(number: int) -> int:
            await asyncio.sleep(TICK)
            return number

        tasks = {asyncio.create_task(work(number)) for number in range(40)}
        done, _ = await asyncio.wait(tasks)
        names = [task.get_name() for task in tasks]
        return names + [task.get_name() for task in done] + [str(n.result()) for n in done]

    def once() -> tuple[list[str], str]:
        arena = make_arena(5)
        return arena.run(lambda: asyncio.run(main())), arena.digest()

    first = once()
    ballast = [object() for _ in range(1234)]
    assert once() == first
    assert "Task-2" in first[0]
    del ballast
