"""A worker: reads seeds, one a line, and answers each with one line of JSON.

It is a process of its own, so that a crash of the interpreter costs one seed and names it.
Arguments: the scenario; then, for twins, what shall be different about this process.
"""

import argparse
import os
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from sim import lean

OUT_OF_MEMORY = 70  # the exit code of a worker that could not get memory

_DATE_OFFSET = 400 * 86_400.0


def main(arguments: list[str] | None = None) -> int:
    """Serve seeds until nobody asks any more; a lack of memory ends the process at once."""
    options = _parser().parse_args(arguments)
    lean.spare()
    try:
        _serve(options, _take_standard_output())
    except BrokenPipeError:  # who asked is gone, and nobody reads what we would say
        os._exit(0)
    except MemoryError:  # whatever is half done in here is of no use to the next seed
        os._exit(OUT_OF_MEMORY)
    return 0


def _serve(options: argparse.Namespace, answers: BinaryIO) -> None:
    if options.other_date:
        _shift_the_date()
    ballast = [bytes(index % 977) for index in range(options.ballast)]
    from scenarios import catalog, results  # noqa: PLC0415 - the doors come first
    from scenarios.stages import simulated  # noqa: PLC0415
    from scenarios.stages.unseen import as_seen_for_real  # noqa: PLC0415

    scenario = catalog.find(options.scenario)
    for seed in range(options.after):
        simulated.run(scenario, 1_000_000 + seed)
    plan = _plan(scenario, options)
    if options.servers:
        scenario = _on_servers(scenario, options.servers)
    watch = _Watch(options)
    for line in sys.stdin:
        result = simulated.run_safely(
            scenario,
            int(line),
            plan=plan,
            fresh=options.fresh,
            prepare=watch.prepare,
            seen=as_seen_for_real if options.as_real else lambda evidence: evidence,
        )
        watch.write()
        answers.write(results.encode(result) + b"\n")
    del ballast


def _plan(scenario: Any, options: argparse.Namespace) -> Any:
    """Return the plan that every seed is to have; None if each draws its own."""
    if options.plan_of is None:
        return None
    left_out = {int(word) for word in options.without.split(",") if word}
    drawn = enumerate(scenario.plan_of(options.plan_of))
    return tuple(step for number, step in drawn if number not in left_out)


def _on_servers(scenario: Any, servers: str) -> Any:
    """Return the scenario with other brokers and nodes; its plan was drawn for its own."""
    brokers, nodes = (tuple(names.split(",")) for names in servers.split("/"))
    deployment = replace(scenario.deployment, brokers=brokers, nodes=nodes)
    return replace(scenario, deployment=deployment)


def _take_standard_output() -> BinaryIO:
    """Return standard output for answers alone; what anybody prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenarios.worker")
    parser.add_argument("scenario")
    parser.add_argument("--after", type=int, default=0, help="run so many other seeds first")
    parser.add_argument("--ballast", type=int, default=0, help="allocate so many objects first")
    parser.add_argument("--other-date", action="store_true", help="live 400 days later")
    parser.add_argument("--fresh", action="store_true", help="load the programs anew every time")
    parser.add_argument("--plan-of", type=int, metavar="SEED", help="its plan for every seed")
    parser.add_argument("--without", default="", metavar="N,N", help="but for these steps of it")
    parser.add_argument("--servers", default="", metavar="BROKERS/NODES", help="instead of its own")
    parser.add_argument("--as-real", action="store_true", help="judge what the real stage sees")
    parser.add_argument("--trace", metavar="FILE", help="write the trace of the last run there")
    parser.add_argument("--stop-at", type=int, metavar="N", help="note the stack at entry N")
    parser.add_argument("--stack", metavar="FILE", help="where to write that stack")
    return parser


class _Watch:
    """Keeps the trace of a run, or the stack at one entry of it, for a comparison of twins."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.trace: Any = None

    def prepare(self, town: Any) -> None:
        """Look at a world before anything happens in it."""
        self.trace = town.world.kernel.trace
        if self.options.trace:
            self.trace.kept = []
        if self.options.stop_at is not None:
            self.trace.stop_at = self.options.stop_at
            self.trace.stopped = self.stopped

    def stopped(self) -> None:
        """Write down who made the entry."""
        from sim.process import outside  # noqa: PLC0415 - not before the doors

        with outside():
            Path(self.options.stack).write_text("".join(traceback.format_stack(limit=25)))

    def write(self) -> None:
        """Write the trace, one entry a line."""
        if self.options.trace and self.trace is not None:
            self.trace.digest()
            Path(self.options.trace).write_text("\n".join(map(repr, self.trace.kept)))


def _shift_the_date() -> None:
    """Replace the real clock before the doors remember it as the real one."""
    real_time, real_time_ns = time.time, time.time_ns
    time.time = lambda: real_time() + _DATE_OFFSET
    time.time_ns = lambda: real_time_ns() + int(_DATE_OFFSET) * 10**9


if __name__ == "__main__":
    sys.exit(main())
