"""How processes of ours ended, in words."""

import signal

_SIGNALS = {each.value: each.name for each in signal.Signals}  # most real-time ones have no name


def told(code: int) -> str:
    """Say what became of a process, from its exit code; negative is a signal."""
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL; by the system, if memory had run out)"
    if code < 0:
        return f"died of {_SIGNALS.get(-code, f'signal {-code}')}"
    return f"ended with exit code {code}"
