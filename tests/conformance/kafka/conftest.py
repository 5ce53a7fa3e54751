"""One broker of either arm for each module of tests."""

from collections.abc import Generator

import pytest

from tests.conformance.kafka.arms import ARMS, Arm


@pytest.fixture(scope="module", params=["ours", pytest.param("real", marks=pytest.mark.real)])
def arm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Arm]:
    """A broker to ask."""
    with ARMS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running
