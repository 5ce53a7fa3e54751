"""``python -m sim.tcp cql --config FILE``: one server in this process."""

import argparse
import sys

from sim.tcp import process
from sim.tcp.cql import server


def main() -> int:
    """Run the server that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sim.tcp")
    parser.add_argument("server", choices=["cql"])
    parser.add_argument("--config", required=True)
    parser.add_argument("--die-with-parent", action="store_true")
    args = parser.parse_args()
    serving = server.serve(args.config, die_with_parent=args.die_with_parent)
    return process.run(args.server, serving)


if __name__ == "__main__":
    sys.exit(main())
