"""`python -m system PROGRAM --config FILE`."""

import argparse
import importlib
import os
import re
import sys

from system import launch
from system.config import PREFIX

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
    parser.add_argument(
        "--shard", type=shard, default={}, metavar="I/N", help="of ubscore and its init: which one"
    )
    chosen = parser.parse_args(arguments)
    if chosen.shard and chosen.program not in ("ubscore", "init"):
        parser.error(f"--shard is of ubscore and init; {chosen.program} has none")
    module, _, name = PROGRAMS[chosen.program].partition(":")
    program = getattr(importlib.import_module(module), name)
    return launch.main(program, chosen.config, {**os.environ, **chosen.shard})


def shard(text: str) -> dict[str, str]:
    """Return what `I/N` overrides in the configuration.

    >>> shard("2/4")
    {'WAVETANK_UBSCORE_SHARD': '2', 'WAVETANK_UBSCORE_SHARDS': '4'}
    """
    match = re.fullmatch(r"([1-9][0-9]*)/([1-9][0-9]*)", text, re.ASCII)
    if match is None or int(match[1]) > int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a shard like 2/4")
    return {f"{PREFIX}UBSCORE_SHARD": match[1], f"{PREFIX}UBSCORE_SHARDS": match[2]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
