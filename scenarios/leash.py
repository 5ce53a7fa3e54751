"""Runs a command that dies with whoever started it: ``python leash.py PARENT COMMAND...``.

It asks the kernel for SIGKILL at its parent's death and becomes the command, so that the pid is
the command's own. The kernel means the parent's *thread*: start it from one that lives on.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` for as long as this process lives."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Become `command`; end at once if the parent is gone already."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if sys.platform == "linux":  # elsewhere nobody offers it: there it outlives a killed parent
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL):
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        return
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
