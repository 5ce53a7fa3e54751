import re

import pytest

from scenarios.errors import UsageError
from scenarios.load import told


def test_settings_are_lines_of_their_sections() -> None:
    texts = (
        "settlement.concurrency=128",
        "gateway.in_flight_max = 10",
        "ubscore.dump_at_start=true",
    )

    assert told.told(texts) == (
        ("settlement", "concurrency = 128"),
        ("gateway", "in_flight_max = 10"),
        ("ubscore", "dump_at_start = true"),
    )


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (("settlement",), "write SECTION.KEY=VALUE"),
        (("concurrency=1",), "write SECTION.KEY=VALUE"),
        (("kafka.linger_ms=1",), "the sections are gateway, ubscore, engine, settlement"),
        (("settlement.concurency=1",), "keys of [settlement] are accounts_max, batch_max"),
        (("settlement.group=x",), "keys of [settlement] are"),
        (("settlement.concurrency=0",), "Expected `int` >= 1"),
        (("settlement.concurrency=many",), "Expected `int`"),
        (("settlement.batch_max=1", "settlement.batch_max=2"), "is there twice"),
    ],
)
def test_what_no_program_takes_is_refused(texts: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        told.told(texts)


def test_what_is_set_counts_before_what_the_deployment_says() -> None:
    before = (("ubscore", "batch = 1"), ("engine", "batch = 1"))

    assert told.over(before, (("ubscore", "batch = 9"),)) == (
        ("engine", "batch = 1"),
        ("ubscore", "batch = 9"),
    )
