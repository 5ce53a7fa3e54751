"""``python -m scenarios.program MODULE:CLASS --config FILE``: runs a program that replaces another.

`python -m system` knows the deployment's own programs only; this launches any other class, such
as a planted bug, in the same way.
"""

import argparse
import importlib
import sys

from system import launch


def main(arguments: list[str]) -> int:
    """Load the class and run it; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.program", description=__doc__)
    parser.add_argument("program", metavar="MODULE:CLASS")
    parser.add_argument("--config", required=True, metavar="FILE", help="its TOML file")
    chosen = parser.parse_args(arguments)
    module, _, name = chosen.program.partition(":")
    return launch.main(getattr(importlib.import_module(module), name), chosen.config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
