"""How processes of ours ended, in words."""

import signal


def told(code: int) -> str:
    """Say what became of a process, from its exit code; negative is a signal."""
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL; by the system, if memory had run out)"
    if code < 0:
        return f"died of {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
