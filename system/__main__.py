"""`python -m system PROGRAM --config FILE`."""

import argparse
import importlib
import sys

from system import launch

PROGRAMS = {
    "gateway": "system.gateway:Gateway",
    "ubscore": "system.ubscore:UBSCore",
    "engine": "system.engine:Engine",
    "settlement": "system.settlement:Settlement",
    "init": "system.ubscore.init:Init",
    "engine-init": "system.engine.init:Init",
    "setup": "system.setup:Setup",
}


def main(arguments: list[str]) -> int:
    """Parse the command line, load the one program it names, and run it."""
    parser = argparse.ArgumentParser(prog="python -m system", description=__doc__)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--config", required=True, metavar="FILE", help="its TOML file")
    chosen = parser.parse_args(arguments)
    module, _, name = PROGRAMS[chosen.program].partition(":")
    return launch.main(getattr(importlib.import_module(module), name), chosen.config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
