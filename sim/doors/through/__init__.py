"""Doors in pass-through form: around a real program, they count calls and do harm at a moment.

Each calls the real function. Where the plan has a rule for its calls, it counts them, and at the
chosen one leaves the program in the middle of it: half of the bytes written, then SIGKILL to its
own process, which ends librdkafka's threads as well; or an error number where the plan says so.
Nothing of the simulation is loaded, and only the doors for which the plan has a rule.

**Faithful**: names of doors, subjects, ordinals (over all incarnations, from when the moment is
armed) and `part` mean what they mean in a simulated world.

**Simplified**: clocks are those of Python's ``time`` module; what C code reads (``datetime.now``,
librdkafka's timers, lock timeouts) keeps the real time. `os.sendfile`, `mmap`, `aio` of
``confluent_kafka`` and its serializing clients are not counted. `part` of a sync is "before" (< 1)
or "after" (1): what the device holds of a half synced file cannot be chosen here. A path is
followed by ``/proc/self/fd``, so files need Linux.
"""
