"""What is deleted can be kept aside for evidence; programs never see it."""

from sim.disk import Disk


def test_a_deleted_file_is_kept_aside_if_somebody_wants_it_as_it_was_the_first_time() -> None:
    disk = Disk("ideal")
    disk.keeps = "/var/log/wal-"
    for name, content in (("wal-1", b"frames"), ("wal-1", b"again"), ("other", b"no")):
        path = f"/var/log/{name}"
        disk.put(path, content)
        disk.bury(path, disk.names.unlink(path))

    assert disk.kept == {"/var/log/wal-1": b"frames"}
    assert disk.cached_files("/var/log") == {}
