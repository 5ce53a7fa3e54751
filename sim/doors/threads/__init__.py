"""``threading``, ``queue`` and ``concurrent.futures``: blocking takes virtual time.

The real modules run on stand-ins for what blocks or is global: locks, conditions, events, `local`,
and starting, joining and naming threads. Semaphore, Barrier, Timer, Queue, Future and
ThreadPoolExecutor are the real classes.

**Faithful**: whose turn it is, is a tie wherever the real one promises nothing; a dead process
holds no lock that somebody else could want; what threading keeps in globals is per process.
**Simplified**: threads are switched only where they block.
"""

import concurrent.futures.thread as pools
import threading

from sim.doors import names
from sim.doors.threads import exits, state, threads
from sim.doors.threads.conditions import Condition, Event, SimpleQueue
from sim.doors.threads.local import local
from sim.doors.threads.locks import Lock, RLock

names.LOCKS[type(names.allocate_lock())] = Lock
names.LOCKS[names.real_rlock] = RLock


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    counter = staticmethod(exits.executor_number)
    found: dict[str, object] = {
        "concurrent.futures.thread.ThreadPoolExecutor._counter": counter,
        "concurrent.futures.thread._shutdown": exits.Flag(pools._shutdown),
        "concurrent.futures._base.Future.__hash__": state.ordinal,
        "queue.SimpleQueue": SimpleQueue,
        "threading.Condition": Condition,
        "threading.Event": Event,
        "threading.Lock": Lock,
        "threading.RLock": RLock,
        "threading.Thread.__hash__": state.ordinal,
        "threading.Thread.is_alive": threads.is_alive,
        "threading.Thread.join": threads.join,
        "threading.Thread.start": threads.start,
        "threading._newname": threads.newname,
        "threading._register_atexit": threads.register_atexit,
        "threading.active_count": threads.active_count,
        "threading.current_thread": threads.current_thread,
        "threading.enumerate": threads.enumerate,
        "threading.excepthook": threads.excepthook,
        "threading.get_ident": threads.get_ident,
        "threading.get_native_id": threads.get_native_id,
        "threading.local": local,
        "threading.main_thread": threads.main_thread,
        "_thread.LockType": Lock,
        "_thread.RLock": RLock,
        "_thread._local": local,
        "_thread.allocate": Lock,
        "_thread.allocate_lock": Lock,
        "_thread.get_ident": threads.get_ident,
        "_thread.get_native_id": threads.get_native_id,
        "_thread.start_new": threads.start_new_thread,
        "_thread.start_new_thread": threads.start_new_thread,
    }
    return found


def install() -> None:
    """Let a program that sets ``threading.excepthook`` set only its own."""
    threading.__class__ = threads.Threading


__all__ = ["Condition", "Event", "Lock", "RLock", "SimpleQueue", "local", "stand_ins"]
