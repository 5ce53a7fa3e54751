"""Servers that demand TLS and credentials: reached with them, and refused in one line without."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scenarios.backends.remote import Remote, read
from scenarios.stages.real import preparing
from tests.scenarios.backends.secured import PASSWORD, USER, Secured, certificate
from tests.scenarios.commanding import wavetank

pytestmark = pytest.mark.real

USAGE, INFRASTRUCTURE = 2, 75


class Place(NamedTuple):
    """Secured servers, and a folder for configurations of their clients."""

    servers: Secured
    folder: Path

    def config(
        self, *, kafka: dict[str, str] | None = None, cql: dict[str, str] | None = None
    ) -> tuple[str, str]:
        """Return files as programs and as `reconcile` have them, right but for what is given."""
        trusted = str(self.servers.certificate.pem)
        brokers = {
            "bootstrap": self.servers.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_username": USER,
            "sasl_password": PASSWORD,
            "ssl_ca": trusted,
        }
        nodes = {"username": USER, "password": PASSWORD, "ssl_ca": trusted}
        lines = [
            "[kafka]",
            *(f'{key} = "{value}"' for key, value in {**brokers, **(kafka or {})}.items()),
            "[SECTION]",
            f'contact_points = ["{self.servers.contact_points[0]}"]',
            f"port = {self.servers.cql_port}",
            *(f'{key} = "{value}"' for key, value in {**nodes, **(cql or {})}.items()),
        ]
        files = []
        for section in ("scylla", "cql"):
            path = self.folder / f"{section}.toml"
            path.write_text("\n".join(lines).replace("SECTION", section), encoding="utf-8")
            files.append(str(path))
        return files[0], files[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not all(shutil.which(tool) for tool in ("java", "mvn", "keytool")):
        pytest.skip("needs Java 17 and Maven")
    with Secured(tmp_path_factory.mktemp("secured")) as servers:
        made = Place(servers, tmp_path_factory.mktemp("clients"))
        with Remote(read(made.config()[0], {}, {})) as reached:
            preparing.prepare(reached, reached.keyspace, 4, ())
        yield made


def test_with_tls_and_credentials_a_run_holds_and_reconciles(place: Place, tmp_path: Path) -> None:
    programs, reconciling = place.config()

    status = wavetank("backends", "status", "--config", programs)
    run = wavetank(
        *("run", "nine_deposits", "--stage", "real", "--config", programs),
        *("--runs", str(tmp_path)),
    )
    reconciled = wavetank("reconcile", "--config", reconciling, "--no-log")

    assert status.returncode == 0, status.stderr
    assert "they answer" in status.stdout
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"--stage real --config {programs}" in run.stdout  # the command to run it again
    assert reconciled.returncode == 0, reconciled.stdout + reconciled.stderr
    assert "9 ledger rows" in reconciled.stdout
    (kept,) = tmp_path.glob("nine_deposits/*")
    written = [path for path in kept.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if PASSWORD.encode() in path.read_bytes()]


_REFUSED = {
    "Kafka's password is wrong": (
        {"sasl_password": "wrong"},
        {},
        "no broker answers at",
        "invalid credentials with SASL mechanism SCRAM-SHA-512",
    ),
    "nobody vouches for the broker": (
        {"ssl_ca": "OTHER"},
        {},
        "no broker answers at",
        "broker certificate could not be verified",
    ),
    "a plain client at the broker's TLS port": (
        {"security_protocol": "PLAINTEXT"},
        {},
        "no broker answers at",
        "does its listener speak security_protocol = 'PLAINTEXT'?",
    ),
    "the database's password is wrong": (
        {},
        {"password": "wrong"},
        "no database node answers at",
        "Bad credentials",
    ),
    "the database is told no name": (
        {},
        {"username": "", "password": ""},
        "no database node answers at",
        "requires authentication",
    ),
    "nobody vouches for the node": (
        {},
        {"ssl_ca": "OTHER"},
        "no database node answers at",
        "certificate verify failed",
    ),
    "a plain client at the node's TLS port": (
        {},
        {"ssl_ca": ""},
        "no database node answers at",
        "",
    ),
}


@pytest.mark.parametrize("what", _REFUSED)
def test_what_is_refused_is_said_in_one_line(what: str, place: Place, tmp_path: Path) -> None:
    kafka, cql, which, why = _REFUSED[what]
    other = str(certificate(tmp_path, "other").pem)
    programs, reconciling = place.config(
        kafka={key: value.replace("OTHER", other) for key, value in kafka.items()},
        cql={key: value.replace("OTHER", other) for key, value in cql.items()},
    )
    commands = [
        ("backends", "status", "--config", programs),
        ("run", "nine_deposits", "--stage", "real", "--config", programs, "--runs", str(tmp_path)),
        ("reconcile", "--config", reconciling, "--no-log"),
    ]

    for command in commands:
        done = wavetank(*command)

        assert done.returncode == INFRASTRUCTURE, done.stdout + done.stderr
        (line,) = done.stderr.splitlines()
        assert which in line or command[0] == "reconcile", line
        assert why in line, line
        assert len(line) < 500, line


@pytest.mark.parametrize("section", ["kafka", "cql"])
def test_a_certificate_file_that_is_not_there_is_named(section: str, place: Place) -> None:
    nowhere = {"ssl_ca": "/not/there.pem"}
    programs, reconciling = place.config(
        kafka=nowhere if section == "kafka" else {}, cql=nowhere if section == "cql" else {}
    )
    commands = [
        ("backends", "status", "--config", programs),
        ("run", "nine_deposits", "--stage", "real", "--config", programs),
        ("reconcile", "--config", reconciling, "--no-log"),
    ]

    for command in commands:
        done = wavetank(*command)

        assert done.returncode == USAGE, done.stdout + done.stderr
        (line,) = done.stderr.splitlines()
        assert "/not/there.pem" in line, line
