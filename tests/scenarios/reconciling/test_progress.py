"""Progress: a line on a terminal that vanishes, and nothing anywhere else."""

import io

from scenarios.reconciling.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_who_watches_sees_how_far_it_has_come() -> None:
    terminal = Terminal()
    seconds = iter(range(100))
    progress = Progress(terminal, lambda: float(next(seconds)))

    passed = list(progress.over("balance.events/0", iter(range(2_500)), 2_500))
    progress.done()

    assert passed == list(range(2_500))
    assert "reading balance.events/0: 1,000 of 2,500" in terminal.getvalue()
    assert "reading balance.events/0: 2,000 of 2,500" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_elsewhere_nothing_is_written() -> None:
    file = io.StringIO()
    progress = Progress(file)

    assert list(progress.over("requests", iter(range(5_000)))) == list(range(5_000))
    progress.done()

    assert file.getvalue() == ""
