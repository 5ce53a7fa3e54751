"""Plans that promise to catch a bug for real are tried on as many servers as there are."""

from scenarios import catalog
from scenarios.commands.promising import Search
from scenarios.stages.real.counterpart import Setting
from tests.scenarios.stages.real.test_counterparts import Ours, servers

_BUG = "s9_consistency_one"


def test_a_stale_replica_hangs_on_nodes_that_are_not_there() -> None:
    deployment = catalog.find(_BUG).deployment

    three = Search(_BUG, Setting.of(deployment, Ours(servers(3))), seeds=1, jobs=1)
    one = Search(_BUG, Setting.of(deployment, Ours(servers(1))), seeds=1, jobs=1)

    (likely,) = three
    assert list(one) == []
    (hopeless,) = one.tried
    assert not likely.hangs_on
    assert likely.caught
    assert "Crash(scylla): no program or server is called scylla-2" in hopeless.hangs_on
    assert not hopeless.caught
