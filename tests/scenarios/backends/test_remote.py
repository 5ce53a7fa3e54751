"""Servers that others run: asked, never harmed, reached with TLS and SASL as programs are told."""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scenarios.backends import ports, remote
from scenarios.backends.embedded.backend import Embedded
from scenarios.backends.remote import Remote
from scenarios.cli import wavetank
from scenarios.errors import Infrastructure, UsageError

SECURE = """
[ubscore]
data = "/not/of/interest"
[kafka]
bootstrap = "k1:9092,k2:9093"
security_protocol = "SASL_SSL"
sasl_username = "wavetank"
ssl_ca = "/etc/ca.pem"
[scylla]
contact_points = ["s1"]
username = "reader"
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Generator[Embedded]:
    with Embedded(tmp_path_factory.mktemp("theirs"), 1, 1) as backend:
        yield backend


def servers(backend: Embedded) -> Mapping[tuple[str, str], Any]:
    return {
        ("kafka", "bootstrap"): backend.bootstrap,
        ("scylla", "contact_points"): list(backend.contact_points),
        ("scylla", "port"): backend.cql_port,
    }


def test_they_say_their_versions_and_are_left_as_they_are(theirs: Embedded) -> None:
    backend = Remote(remote.read(None, servers(theirs), {}))
    with backend:
        assert backend.bootstrap == theirs.bootstrap
        assert backend.contact_points == theirs.contact_points
        assert len(backend.versions) == 2
        assert not backend.abilities
        for server in backend.servers:
            for harm in (server.kill, server.terminate, server.pause, server.resume, server.start):
                with pytest.raises(UsageError, match="run by others"):
                    harm()
    assert all(server.alive for server in theirs.servers)


def test_the_command_line_says_that_they_answer(theirs: Embedded) -> None:
    options = ["--bootstrap", theirs.bootstrap, "--contact-points", theirs.contact_points[0]]
    command = ["backends", "status", *options, "--cql-port", str(theirs.cql_port)]
    done = CliRunner().invoke(wavetank, command)
    assert done.exit_code == 0
    assert "they answer" in done.output


def test_addresses_where_nobody_listens_are_named(theirs: Embedded) -> None:
    nowhere = f"127.0.0.1:{ports.free(1)[0]}"
    short = {("kafka", "connect_timeout_ms"): 500, ("scylla", "connect_timeout_ms"): 500}
    no_broker = {**servers(theirs), **short, ("kafka", "bootstrap"): nowhere}
    with pytest.raises(Infrastructure, match=f"no broker answers at {nowhere}.*[Rr]efused"):
        Remote(remote.read(None, no_broker, {})).up()
    no_node = {**servers(theirs), **short, ("scylla", "port"): ports.free(1)[0]}
    with pytest.raises(Infrastructure, match="no database node answers"):
        Remote(remote.read(None, no_node, {})).up()


def test_tls_and_sasl_go_through_to_the_clients_and_the_programs(tmp_path: Path) -> None:
    file, ca = tmp_path / "program.toml", tmp_path / "ca.pem"
    ca.touch()
    file.write_text(SECURE.replace("/etc/ca.pem", str(ca)), encoding="utf-8")
    environ = {"WAVETANK_KAFKA_SASL_PASSWORD": "k", "WAVETANK_SCYLLA_PASSWORD": "s"}
    backend = Remote(remote.read(str(file), {}, environ))
    assert dict(backend.kafka_options) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "wavetank",
        "sasl.password": "k",
        "ssl.ca.location": str(ca),
    }
    assert dict(backend.kafka_keys) == {
        "security_protocol": "SASL_SSL",
        "sasl_username": "wavetank",
        "sasl_password": "k",
        "ssl_ca": str(ca),
    }
    assert dict(backend.scylla_keys) == {"username": "reader", "password": "s"}
    assert [str(each.address) for each in backend.servers] == ["k1:9092", "k2:9093", "s1:9042"]


@pytest.mark.parametrize("section", ["kafka", "scylla"])
def test_a_ca_that_cannot_be_read_is_named(section: str, theirs: Embedded, tmp_path: Path) -> None:
    given = {**servers(theirs), (section, "ssl_ca"): str(tmp_path / "none.pem")}
    if section == "kafka":
        given[section, "security_protocol"] = "SSL"
    with pytest.raises(UsageError, match=r"none\.pem.*name (a )?readable PEM file"):
        Remote(remote.read(None, given, {})).up()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[kafka]\nbootstrap = 'k:1'", "scylla is missing"),
        (
            "[kafka]\nbootstrap = 'k:1'\nsasl_password = 7\n[scylla]\ncontact_points = ['s']",
            "not shown",
        ),
        ("[kafka]\nsecurity_protocol = 'TLS'\nbootstrap = 'k:1'", "security_protocol = 'TLS'"),
        ("[kafka]\nbootstrap = 'k:x'\n[scylla]\ncontact_points = ['s']", "'k:x' is no address"),
    ],
)
def test_mistakes_are_named_and_secrets_are_not_shown(
    text: str, expected: str, tmp_path: Path
) -> None:
    file = tmp_path / "program.toml"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(wavetank, ["backends", "status", "--config", str(file)])
    assert done.exit_code == 2
    assert expected in done.output
