"""Launching a program: configuration, signals, and errors turned into exit codes."""

import logging
import os
import signal
import traceback
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import msgspec

from system import config, exits, metrics_file, telemetry
from system.errors import Stop
from system.log import Libraries, Log


class Program(Protocol):
    """What can be launched."""

    name: ClassVar[str]
    Config: ClassVar[type[msgspec.Struct]]

    def run(self) -> int:
        """Serve until stopped; return the exit code."""

    def stop(self) -> None:
        """Ask `run` to end gracefully; called by a signal handler, so it only sets a flag."""


def main(program: type[Any], config_path: str, environ: Mapping[str, str] | None = None) -> int:
    """Run `program` with the configuration in `config_path`; return its exit code.

    `environ`, by default the process's own, overrides what stands in the file.
    """
    environ = os.environ if environ is None else environ
    lines = Log(program.name)
    lines.info("starting", config=config_path)
    logging.getLogger().addHandler(Libraries(lines))
    textfile = ""
    try:
        settings = config.load(program.Config, config_path, environ)
        textfile = metrics_file.begin(settings)
        with telemetry.recording(settings, program.name, environ):
            instance = program(settings)
            _listen(instance)
            code: int = instance.run()
    except Stop as stop:
        lines.error("stopped", reason=stop.reason, detail=stop.message, exit_code=stop.exit_code)
        metrics_file.tell(textfile, program.name, stop.reason, lines)
        return stop.exit_code
    except Exception:  # noqa: BLE001 - the last resort: logged as one line
        lines.error("defect", traceback=traceback.format_exc(), exit_code=exits.FAULT)
        metrics_file.tell(textfile, program.name, "defect", lines)
        return exits.FAULT
    lines.info("ended", exit_code=code)
    return code


def _listen(instance: Program) -> None:
    signal.signal(signal.SIGTERM, lambda *_: instance.stop())
    signal.signal(signal.SIGINT, lambda *_: instance.stop())
    dump = getattr(instance, "dump", None)
    if dump is not None:
        signal.signal(signal.SIGUSR1, lambda *_: dump())
