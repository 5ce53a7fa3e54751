"""`threading`, `queue` and `concurrent.futures`: the same bodies run for real and simulated."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, as_completed, wait
from typing import Any

import pytest

from sim.kernel import SECOND

Run = Callable[[Callable[[], Any]], Any]

SHARED_LOCK = threading.Lock()  # made outside, as libraries make theirs at import
SHARED_RLOCK = threading.RLock()
SHARED_CONDITION = threading.Condition()
TICK = 0.01


def spawn(*targets: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_lock_bars_all_but_one(run: Run) -> None:
    def body() -> int:
        lock, most, inside = threading.Lock(), [0], [0]

        def worker() -> None:
            for _ in range(3):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    time.sleep(TICK / 10)
                    inside[0] -= 1

        spawn(*[worker] * 4)
        assert not lock.locked()
        return most[0]

    assert run(body) == 1


def test_a_lock_can_be_tried_and_waited_for_a_while(run: Run) -> None:
    def body() -> list[Any]:
        lock, seen = threading.Lock(), []
        lock.acquire()

        def other() -> None:
            seen.append(lock.acquire(blocking=False))
            seen.append(lock.acquire(timeout=TICK))
            with pytest.raises(ValueError, match="non-blocking"):
                lock.acquire(False, 1)
            with pytest.raises(ValueError, match="timeout value must be"):
                lock.acquire(True, -3)

        spawn(other)
        lock.release()
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            lock.release()
        return seen

    assert run(body) == [False, False]


def test_an_rlock_belongs_to_a_thread(run: Run) -> None:
    def body() -> list[Any]:
        lock, seen = threading.RLock(), []

        def other() -> None:
            seen.append(lock.acquire(blocking=False))
            with pytest.raises(RuntimeError, match="un-acquired"):
                lock.release()

        with lock, lock:
            spawn(other)
        spawn(lambda: seen.append(lock.acquire(blocking=False)))
        return seen

    assert run(body) == [False, True]


def test_a_condition_lets_an_rlock_go_however_often_it_was_taken(run: Run) -> None:
    def body() -> list[str]:
        condition, seen = threading.Condition(), []

        def waiter() -> None:
            with condition, condition:
                condition.wait()
                seen.append("woken")

        thread = threading.Thread(target=waiter)
        thread.start()
        time.sleep(TICK)
        with condition:
            condition.notify()
            seen.append("notified")
        thread.join()
        with condition:
            assert condition.wait(TICK) is False
        with pytest.raises(RuntimeError, match="un-acquired"):
            condition.notify()
        return seen

    assert run(body) == ["notified", "woken"]


def test_events_semaphores_barriers_and_timers_do_what_they_do(run: Run) -> None:
    def body() -> list[Any]:
        event = threading.Event()
        seen: list[Any] = []
        assert event.wait(TICK) is False
        threading.Timer(TICK, event.set).start()
        seen.append(event.wait(10))
        places = threading.BoundedSemaphore(2)
        assert [places.acquire(), places.acquire()] == [True, True]
        seen.append(places.acquire(timeout=TICK))
        places.release(2)
        with pytest.raises(ValueError):
            places.release()
        barrier = threading.Barrier(3)
        spawn(*[lambda: seen.append(barrier.wait())] * 3)
        cancelled = threading.Timer(TICK, seen.append, ["never"])
        cancelled.start()
        cancelled.cancel()
        cancelled.join()
        return [seen[0], seen[1], sorted(seen[2:])]

    assert run(body) == [True, False, [0, 1, 2]]


def test_queues_keep_their_order_and_their_bounds(run: Run) -> None:
    def body() -> list[Any]:
        tasks: queue.Queue[int] = queue.Queue(maxsize=2)
        done: queue.SimpleQueue[int] = queue.SimpleQueue()

        def worker() -> None:
            while (number := tasks.get()) >= 0:
                done.put(number * number)
                tasks.task_done()

        thread = threading.Thread(target=worker, daemon=True)
        thread.start()
        for number in (1, 2, 3, 4, -1):
            tasks.put(number, timeout=10)
        found = [done.get(timeout=10) for _ in range(4)]
        with pytest.raises(queue.Empty):
            done.get(timeout=TICK)
        with pytest.raises(queue.Empty):
            done.get_nowait()
        thread.join()
        tallest: queue.PriorityQueue[int] = queue.PriorityQueue()
        for number in (3, 1, 2):
            tallest.put(number)
        return [*found, tallest.get(), queue.LifoQueue().qsize()]

    assert run(body) == [1, 4, 9, 16, 1, 0]


def later(number: int) -> int:
    time.sleep(number * TICK)
    return number


def test_executors_run_on_simulated_threads(run: Run) -> None:
    def body() -> list[Any]:
        with ThreadPoolExecutor(2) as pool:
            order = list(pool.map(later, [3, 1, 2]))
            futures = [pool.submit(time.sleep, n * 5 * TICK) for n in (3, 1)]
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            assert done == {futures[1]}
            assert list(as_completed(futures)) == [futures[1], futures[0]]
            error = pool.submit(int, "x").exception()
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(int)
        return [order, type(error)]

    assert run(body) == [[3, 1, 2], ValueError]


def test_locals_are_of_one_thread_and_begin_anew_in_each(run: Run) -> None:
    class Mine(threading.local):
        number = 1

        def __init__(self, start: int) -> None:
            self.count = start

    def body() -> list[Any]:
        mine, seen = Mine(5), []
        mine.count += 1
        mine.extra = 1

        def other() -> None:
            seen.append((mine.count, mine.number, hasattr(mine, "extra")))

        spawn(other)
        del mine.extra
        with pytest.raises(AttributeError):
            del mine.extra
        return [*seen, mine.count, mine.__dict__]

    assert run(body) == [(5, 1, False), 6, {"count": 6}]


def test_threads_have_names_identities_and_a_main_thread(run: Run) -> None:
    def body() -> list[Any]:
        seen: list[Any] = []

        def other() -> None:
            me = threading.current_thread()
            seen.extend([me.name, me.ident == threading.get_ident(), me.is_alive(), me.daemon])
            seen.append(me in threading.enumerate())

        thread = threading.Thread(target=other, name="other")
        assert not thread.is_alive()
        with pytest.raises(RuntimeError):
            thread.join()
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match="once"):
            thread.start()
        main = threading.main_thread()
        with pytest.raises(RuntimeError, match="current"):
            threading.current_thread().join()
        return [*seen, thread.is_alive(), main is threading.current_thread(), main.name]

    assert run(body) == ["other", True, True, False, True, False, True, "MainThread"]


def test_waiting_takes_virtual_time_only(arena: Any) -> None:
    def body() -> tuple[float, bool, float]:
        start = time.monotonic()
        nobody = threading.Event().wait(3600)
        thread = threading.Thread(target=time.sleep, args=(7,))
        thread.start()
        thread.join(timeout=5)
        assert thread.is_alive()
        return time.monotonic() - start, nobody, threading.active_count()

    assert arena.run(body, limit=10**15) == (3605.0, False, 2)


def test_counters_start_anew_in_every_process(make_arena: Any) -> None:
    def body() -> tuple[Any, ...]:
        with ThreadPoolExecutor(1) as pool:
            worker = pool.submit(threading.current_thread).result().name
        return threading.Thread().name, worker, threading.get_ident()

    first, second = make_arena().run(body), make_arena().run(body)
    assert first == second
    assert first[:2] == ("Thread-1", "ThreadPoolExecutor-0_0")


@pytest.mark.parametrize("lock", [SHARED_LOCK, SHARED_RLOCK, SHARED_CONDITION])
def test_the_dead_hold_no_lock_that_others_need(arena: Any, lock: Any) -> None:
    def holder() -> None:
        with lock:
            time.sleep(60)

    def heir() -> float:
        time.sleep(5)
        with lock:
            return time.monotonic()

    victim = arena.launch("holder", holder)
    arena.launch("waits in vain", lock.acquire).spawn(int)
    arena.kernel.after(3 * SECOND, arena.kernel.kill, victim)
    assert arena.run(heir) == 15.0  # ten seconds after its host's boot, the world began
    with lock:
        assert arena.results["waits in vain"] is True


def test_two_processes_hold_one_library_lock_at_once(arena: Any) -> None:
    def body() -> list[float]:
        seen = []
        for _ in range(2):
            with SHARED_LOCK, SHARED_RLOCK:
                time.sleep(1)
            seen.append(time.monotonic())
        return seen

    arena.launch("one", body)
    arena.launch("other", body)
    arena.kernel.run(3 * SECOND)
    assert arena.results == {"one": [11.0, 12.0], "other": [11.0, 12.0]}


def test_who_gets_a_lock_is_drawn_from_the_seed(make_arena: Any) -> None:
    def body() -> tuple[int, ...]:
        lock, order = threading.Lock(), []

        def worker(number: int) -> None:
            time.sleep(number * TICK)
            with lock:
                order.append(number)

        with lock:
            threads = [threading.Thread(target=worker, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(1)
        for thread in threads:
            thread.join()
        return tuple(order)

    def once(seed: int) -> tuple[Any, str]:
        arena = make_arena(seed)
        return arena.run(body), arena.digest()

    assert once(3) == once(3)
    assert len({once(seed)[0] for seed in range(12)}) > 5


def test_an_error_in_a_thread_goes_to_the_process_s_standard_error(arena: Any) -> None:
    hooked: list[Any] = []

    def hook(args: Any) -> None:
        hooked.append((args.thread.name, args.exc_type))

    def body() -> None:
        thread = threading.Thread(target=lambda: 1 / 0, name="wrong")
        thread.start()
        thread.join()
        threading.excepthook = hook
        spawn(lambda: vars(threading)["none"])

    real = threading.excepthook
    process = arena.launch("body", body)
    arena.kernel.run(SECOND)

    assert process.exit_code == 0
    assert process.stderr[0] == "Exception in thread wrong:"
    assert process.stderr[-1] == "ZeroDivisionError: division by zero"
    assert hooked == [("Thread-1 (<lambda>)", KeyError)]
    assert threading.excepthook is real


def test_the_dead_run_their_finally_blocks_and_touch_nothing(arena: Any) -> None:
    touched: list[str] = []

    def tidy(name: str) -> None:
        try:
            with SHARED_LOCK:
                time.sleep(60)
        finally:
            touched.append(f"{name} starts")
            time.sleep(0)
            touched.append(f"{name} was allowed to sleep")

    def body() -> None:
        pool = ThreadPoolExecutor(2)
        for number in range(3):
            pool.submit(tidy, f"pool {number}")
        threading.Thread(target=tidy, args=("thread",), daemon=True).start()
        tidy("main")

    process = arena.launch("body", body)
    arena.kernel.run(SECOND)
    arena.kernel.kill(process)
    arena.kernel.run(100 * SECOND)

    assert "main starts" in touched
    assert not [line for line in touched if "allowed" in line]
    assert process.stderr == []


def test_a_process_waits_for_its_threads_but_not_for_daemons_or_idle_pools(arena: Any) -> None:
    def body() -> None:
        ThreadPoolExecutor(2).submit(time.sleep, 2)
        threading.Thread(target=time.sleep, args=(5,)).start()
        threading.Thread(target=time.sleep, args=(50,), daemon=True).start()

    arena.run(body)
    assert arena.kernel.now == 5 * SECOND
