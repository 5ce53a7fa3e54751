"""``python -m sim.tcp SERVER --config FILE``: one server in one process, on real ports."""

import argparse
import importlib
import sys

from sim import lean
from sim.tcp import process

SERVERS = {"cql": "sim.tcp.cql.server", "kafka": "sim.tcp.kafka.server"}


def main() -> int:
    """Run the server that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sim.tcp", description=__doc__)
    parser.add_argument("server", choices=SERVERS)
    parser.add_argument("--config", required=True, metavar="FILE", help="TOML, or JSON if named so")
    parser.add_argument(
        "--die-with-parent",
        action="store_true",
        help="end when the process that started this one is gone",
    )
    args = parser.parse_args()
    lean.spare()
    server = importlib.import_module(SERVERS[args.server])
    return process.run(args.server, server.serve(args.config, die_with_parent=args.die_with_parent))


if __name__ == "__main__":
    sys.exit(main())
