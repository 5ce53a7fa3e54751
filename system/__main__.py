"""`python -m system PROGRAM --config FILE`."""

import argparse
import gc
import importlib
import os
import re
import sys
from collections.abc import Mapping

from system import config, launch
from system.config import PREFIX
from system.errors import ConfigError

PROGRAMS = {
    "gateway": "system.gateway:Gateway",
    "ubscore": "system.ubscore:UBSCore",
    "engine": "system.engine:Engine",
    "settlement": "system.settlement:Settlement",
    "init": "system.ubscore.init:Init",  # or the engine's: the file says whose
    "setup": "system.setup:Setup",
}


_ENGINE_INIT = "system.engine.init:Init"


def main(arguments: list[str]) -> int:
    """Parse the command line, load the one program it names, and run it."""
    parser = argparse.ArgumentParser(prog="python -m system", description=__doc__)
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--config", required=True, metavar="FILE", help="its TOML file")
    parser.add_argument(
        "--shard", type=shard, default={}, metavar="I/N", help="of ubscore and its init: which one"
    )
    chosen = parser.parse_args(arguments)
    path = PROGRAMS[chosen.program]
    if chosen.program == "init" and _is_of_engine(chosen.config, os.environ):
        path = _ENGINE_INIT
    whose = path.partition(":")[0].split(".")[1]
    if chosen.shard and whose != "ubscore":
        parser.error(f"--shard is of ubscore and its init; {whose} has none")
    module, _, name = path.partition(":")
    program = getattr(importlib.import_module(module), name)
    gc.freeze()  # what is loaded by now stays: looking for garbage in it takes its time
    return launch.main(program, chosen.config, {**os.environ, **chosen.shard})


def _is_of_engine(path: str, environ: Mapping[str, str]) -> bool:
    """Say whose directory a file is about; what is wrong with it, UBSCore's `init` will say."""
    try:
        tables = config.read(path)
    except ConfigError:
        return False
    told = any(name.startswith(f"{PREFIX}ENGINE_") for name in environ)
    return "engine" in tables or (told and "ubscore" not in tables)


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
