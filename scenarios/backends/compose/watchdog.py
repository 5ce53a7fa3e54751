"""Runs a command when whoever started it is gone: ``python watchdog.py COMMAND...``.

Its standard input is a pipe of which only the starter has the other end: the pipe ends with the
starter, also with kill -9. One byte in it dismisses the watchdog.
"""

import os
import sys


def main(command: list[str]) -> None:
    """Wait for the end of standard input; become `command` if nothing came before it."""
    if not sys.stdin.buffer.read(1):
        os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
