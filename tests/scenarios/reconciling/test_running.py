"""A deployment of real programs on real ports, reconciled while clients are at work."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cassandra.cluster import Session
from confluent_kafka.admin import AdminClient

from scenarios.reconciling.settings import Kafka
from system.directory import DataDirectory
from system.ubscore.cluster import Shard
from tests.scenarios.reconciling.running import Running


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    with Running(tmp_path_factory.mktemp("deployment")) as deployment:
        yield deployment


def test_it_reconciles_while_traffic_flows_and_again_at_rest(running: Running) -> None:
    running.work()
    running.until_accepted(100)
    flowing = running.reconcile("--json", "-")
    running.rest()
    running.until_settled()

    resting = running.reconcile("--json", "-")

    assert flowing.exit_code == 0, flowing.output
    found = json.loads(flowing.stdout)
    assert found["verdict"] == "held"
    assert found["breaks"] == []
    assert found["read"]["operations"] >= 100
    assert resting.exit_code == 0, resting.output
    found = json.loads(resting.stdout)
    assert found["read"]["operations"] == running.accepted
    assert {line["kind"] for line in found["orders"]} >= {"lock", "trade_debit", "fee"}
    assert {way["effects"] for way in found["in_flight"]} == {0}


def test_a_row_that_was_lost_is_named_with_its_amount_and_can_be_waived(running: Running) -> None:
    lost = "WHERE user_id = 1002 AND asset_id = 2 AND seq = 1"
    ((row,),) = running.cql(f"SELECT ref_id, delta_avail FROM wavetank.balance_ledger {lost}")
    running.cql(f"DELETE FROM wavetank.balance_ledger {lost}")
    waivers = running.folder / "waivers.toml"
    waivers.write_text(
        f'[[waiver]]\ncode = "*"\nkey = "{row.ref_id}"\nowner = "ledger team"\n'
        'reason = "row restored on Monday"\nexpires = 2999-12-31\n'
        '[[waiver]]\ncode = "HOLE"\nkey = "user 1002 USDT*"\nowner = "ledger team"\n'
        'reason = "the same row"\nexpires = 2000-01-01\n'
    )
    pages = running.folder / "pages"

    done = running.reconcile(
        *("--waivers", str(waivers), "--json", str(pages / "found.json")),
        *("--csv", str(pages), "--html", str(pages / "page.html")),
        *("--prom", str(pages / "reconcile.prom")),
    )

    assert done.exit_code == 1, done.output
    found = json.loads((pages / "found.json").read_text())
    (waived,) = found["waived"]
    assert waived["code"] == "NOT_SETTLED"
    assert waived["amount"] == str(-row.delta_avail)
    assert {b["code"] for b in found["breaks"]} >= {"HOLE"}
    assert "expired waiver: HOLE" in done.stdout
    assert (pages / "breaks.csv").read_text().startswith("invariant,code,where")
    assert "NOT_SETTLED" in (pages / "page.html").read_text()
    assert 'reconcile_breaks{code="HOLE"} ' in (pages / "reconcile.prom").read_text()


def test_nobody_notices_the_reader(
    running: Running, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    quiet, execute = Kafka.client, Session.execute
    statements: set[str] = set()

    def heard(self: Kafka) -> dict[str, Any]:
        return {**quiet(self), "debug": "protocol", "log_level": 7}

    def noted(self: Any, statement: Any, *arguments: Any, **more: Any) -> Any:
        statements.add(getattr(statement, "query_string", statement))
        return execute(self, statement, *arguments, **more)

    monkeypatch.setattr(Kafka, "client", heard)
    monkeypatch.setattr(Session, "execute", noted)
    admin = AdminClient({"bootstrap.servers": running.kafka.bootstrap, "log_level": 0})
    groups = {group.group_id for group in admin.list_consumer_groups().result().valid}
    files = sorted(path.name for path in Path(running.data).iterdir())

    running.reconcile("--no-log")

    asked = set(re.findall(r"Sent (\w+)Request", capfd.readouterr().err))
    assert asked == {
        *("ApiVersion", "Metadata", "FindCoordinator"),
        *("OffsetFetch", "ListOffsets", "Fetch"),
    }
    assert statements
    assert all(statement.startswith("SELECT ") for statement in statements)
    after = {group.group_id for group in admin.list_consumer_groups().result().valid}
    assert after == groups
    assert not any(name.startswith("wavetank") for name in after)
    assert sorted(path.name for path in Path(running.data).iterdir()) == files


def test_a_log_of_another_cluster_is_refused(running: Running, tmp_path: Path) -> None:
    own = DataDirectory(str(running.data), Shard).owner()
    DataDirectory(str(tmp_path), Shard).seal(msgspec.structs.replace(own, cluster_id="elsewhere"))

    done = running.reconcile("--wal", str(tmp_path / "."))
    foreign = running.reconcile_with("--wal", str(tmp_path))

    assert done.exit_code == 2
    assert "are both of shard 1: give one" in done.output
    assert foreign.exit_code == 2
    assert "belongs to Kafka cluster 'elsewhere'" in foreign.output


def test_tables_of_another_version_are_named(running: Running) -> None:
    running.cql(
        "CREATE KEYSPACE elder WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}",
        "CREATE TABLE elder.requests (user_id bigint, request_id uuid, PRIMARY KEY (user_id))",
    )

    elder = running.reconcile("--keyspace", "elder")

    assert elder.exit_code == 2
    assert "keyspace elder is of another schema version (tables requests differ)" in elder.output


def test_a_wrong_keyspace_and_a_dead_database_say_so(running: Running) -> None:
    wrong = running.reconcile("--keyspace", "wavetonk")
    running.nodes.kill("db-1")

    dead = running.reconcile()

    assert wrong.exit_code == 2
    assert "is keyspace 'wavetonk' right?" in wrong.output
    assert dead.exit_code == 75
    assert f"no database node answers at {running.nodes.address}" in dead.output
