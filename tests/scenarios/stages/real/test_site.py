"""The folder of a run: where plans' paths lie, and what is kept of a log that was cut."""

from pathlib import Path

from scenarios.stages.real.site import Site
from system.wal.reader import file_name


def log(site: Site, generation: int, first: int, content: bytes) -> Path:
    path = site.data("ubscore-1") / file_name(generation, first)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_log_outlives_the_deletion_of_its_files(tmp_path: Path) -> None:
    site = Site(tmp_path)
    first = log(site, 1, 1, b"one")
    site.keep_log("ubscore-1")
    with first.open("ab") as file:
        file.write(b" and more")
    second = log(site, 1, 30, b"two")
    site.keep_log("ubscore-1")

    first.unlink()

    assert site.log_files("ubscore-1") == {first.name: b"one and more", second.name: b"two"}


def test_a_name_that_is_used_again_is_kept_anew(tmp_path: Path) -> None:
    site = Site(tmp_path)
    lost = log(site, 2, 1, b"lost with the power")
    site.keep_log("ubscore-1")
    lost.rename(tmp_path / "aside")  # so that the new file has another inode
    again = log(site, 2, 1, b"again")
    site.keep_log("ubscore-1")
    last = log(site, 2, 30, b"two")

    again.unlink()

    assert site.log_files("ubscore-1") == {again.name: b"again", last.name: b"two"}


def test_what_a_newer_generation_covers_is_not_brought_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    old = log(site, 1, 1, b"torn")
    site.keep_log("ubscore-1")
    old.unlink()
    new = log(site, 2, 1, b"whole")

    assert site.log_files("ubscore-1") == {new.name: b"whole"}


def test_a_plan_s_path_lies_in_the_data_directory_of_its_program(tmp_path: Path) -> None:
    found = Site(tmp_path).real_path("engine-1", "/var/lib/engine/snap", "/var/lib/engine")

    assert found == tmp_path / "engine-1" / "data" / "snap"
