"""Metrics have names that Prometheus' own linter would take, a meaning, and few labels."""

import re
import shutil
import subprocess

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reports.observability import catalogue
from system.instruments import Described

EVERY = [
    pytest.param(one, id=f"{source}: {one.name}")
    for source, metrics in catalogue.described().items()
    for one in metrics
]
BASE_UNITS = ("seconds", "bytes", "records", "frames", "effects")
OTHER_UNITS = (
    "milliseconds", "microseconds", "nanoseconds", "ms", "us", "ns", "sec", "secs", "minutes",
    "hours", "days", "kilobytes", "kb", "mb", "megabytes", "bits", "percent",
)  # fmt: skip
KINDS = ("counter", "gauge", "histogram", "summary")


@pytest.mark.parametrize("one", EVERY)
def test_names_are_conventional(one: Described) -> None:
    words = one.name.split("_")

    assert re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", one.name)
    assert (words[-1] == "total") == (one.kind == "counter")
    assert not {"sum", "count", "bucket", "info"} & {words[-1]}
    assert not set(words) & set(OTHER_UNITS)
    assert not set(words) & set(KINDS)
    assert one.kind != "histogram" or words[-1] in BASE_UNITS


@pytest.mark.parametrize("one", EVERY)
def test_each_says_what_it_means(one: Described) -> None:
    assert one.meaning.endswith(".")
    assert one.meaning[0].isupper() or one.meaning[0].isdigit()
    assert not {"le", "quantile", "job", "instance"} & set(one.labels)
    assert not any(word in label for label in one.labels for word in ("user", "request", "amount"))


@pytest.mark.parametrize("source", catalogue.SOURCES)
def test_what_is_described_is_what_is_told(source: str) -> None:
    told = catalogue.SOURCES[source]()

    families = {
        family.name: family
        for family in text_string_to_metric_families(generate_latest(told.registry).decode())
        if not family.name.endswith("_created")
    }

    described = {one.name.removesuffix("_total"): one for one in told.described}
    assert families.keys() == described.keys()
    for name, one in described.items():
        assert (families[name].type, families[name].documentation) == (one.kind, one.meaning)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("source", catalogue.SOURCES)
def test_prometheus_own_linter_takes_them(source: str) -> None:
    told = generate_latest(catalogue.SOURCES[source]().registry)

    done = subprocess.run(
        ["promtool", "check", "metrics"], input=told, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
