"""The folder of a run with real processes goes, and of one that failed its logs stay."""

from pathlib import Path

import pytest

from scenarios.commands.live import living
from scenarios.errors import Infrastructure

SERVER = Path("servers", "kafka-1", "output.log")


def write(live: Path) -> Path:
    for name in (SERVER, Path("gateway-1", "stderr.2.log"), Path("ubscore-1", "data", "wal-1.log")):
        (live / name).parent.mkdir(parents=True)
        (live / name).write_text("last words")
    return live / SERVER


def test_of_a_run_that_the_machine_failed_the_logs_stay_where_the_error_says(
    tmp_path: Path,
) -> None:
    with pytest.raises(Infrastructure) as failed, living(tmp_path, "1-real") as live:
        raise Infrastructure(f"kafka-1 died; its log {write(live)} says why")

    kept = tmp_path / "1-real-failed"
    assert str(failed.value) == f"kafka-1 died; its log {kept / SERVER} says why"
    assert (kept / SERVER).read_text() == "last words"
    assert {file.name for file in kept.rglob("*.log")} == {"output.log", "stderr.2.log"}
    assert list(tmp_path.iterdir()) == [kept]


def test_an_error_that_names_no_log_says_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(Infrastructure) as failed, living(tmp_path, "1-real") as live:
        write(live)
        raise Infrastructure("not ready within 60 s")

    assert str(failed.value).endswith(f"all logs are in {tmp_path / '1-real-failed'}")


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ZeroDivisionError])
def test_of_any_other_run_nothing_stays(tmp_path: Path, error: type[BaseException] | None) -> None:
    try:
        with living(tmp_path, "1-real") as live:
            write(live)
            if error is not None:
                raise error
    except (KeyboardInterrupt, ZeroDivisionError):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_takes_no_copy_does_not_hide_what_went_wrong(tmp_path: Path) -> None:
    (tmp_path / "1-real-failed").write_text("a file of somebody's")

    with pytest.raises(Infrastructure, match=r"^kafka-1 died$"), living(tmp_path, "1-real") as live:
        write(live)
        raise Infrastructure("kafka-1 died")

    assert (tmp_path / "1-real-failed").read_text() == "a file of somebody's"
