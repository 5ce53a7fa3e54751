import signal

import pytest

from scenarios import endings


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (70, "ended with exit code 70"),
        (-signal.SIGSEGV, "died of SIGSEGV"),
        (-signal.SIGKILL, "was killed (SIGKILL; by the system, if memory had run out)"),
        (-40, "died of signal 40"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int, says: str) -> None:
    assert endings.told(code) == says
