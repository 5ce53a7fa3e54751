"""What is made from the programs' metrics is committed as it would be made today."""

import pytest

from reports.observability.__main__ import ROOT, files

MADE = files()


@pytest.mark.parametrize("name", MADE)
def test_the_committed_file_is_the_one_that_is_made(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == MADE[name], "run `make observability`"
