"""A worker: reads seeds, one a line, and answers each with one line of JSON.

It is a process of its own, so that a crash of the interpreter costs one seed and names it.
Arguments: the scenario; then, for twins, what shall be different about this process.
"""

import argparse
import sys
import time

_DATE_OFFSET = 400 * 86_400.0


def main(arguments: list[str] | None = None) -> int:
    """Serve seeds until standard input ends."""
    options = _parser().parse_args(arguments)
    if options.other_date:
        _shift_the_date()
    ballast = [bytes(index % 977) for index in range(options.ballast)]
    from scenarios import catalog, results  # noqa: PLC0415 - the doors come first
    from scenarios.stages import simulated  # noqa: PLC0415

    scenario = catalog.find(options.scenario)
    for seed in range(options.after):
        simulated.run(scenario, 1_000_000 + seed)
    for line in sys.stdin:
        result = simulated.run_safely(scenario, int(line), fresh=options.fresh)
        sys.stdout.buffer.write(results.encode(result) + b"\n")
        sys.stdout.buffer.flush()
    del ballast
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenarios.worker")
    parser.add_argument("scenario")
    parser.add_argument("--after", type=int, default=0, help="run so many other seeds first")
    parser.add_argument("--ballast", type=int, default=0, help="allocate so many objects first")
    parser.add_argument("--other-date", action="store_true", help="live 400 days later")
    parser.add_argument("--fresh", action="store_true", help="load the programs anew every time")
    return parser


def _shift_the_date() -> None:
    """Replace the real clock before the doors remember it as the real one."""
    real_time, real_time_ns = time.time, time.time_ns
    time.time = lambda: real_time() + _DATE_OFFSET
    time.time_ns = lambda: real_time_ns() + int(_DATE_OFFSET) * 10**9


if __name__ == "__main__":
    sys.exit(main())
