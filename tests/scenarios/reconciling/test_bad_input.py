"""Bad input to `wavetank reconcile`: one clear line, the right exit code, no secret said."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scenarios.cli import wavetank

NOBODY = ("--bootstrap", "127.0.0.1:1", "--contact-points", "127.0.0.1", "--no-log")


def reconcile(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(
        wavetank, ["reconcile", *arguments], env=environ, catch_exceptions=False
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "kafka.bootstrap is not given: add --bootstrap"),
        (("--bootstrap", "a:1"), "cql.contact_points is not given: add --contact-points"),
        (NOBODY[:4], "no log is given: add --wal DIR"),
        ((*NOBODY, "--wal", "x"), "--no-log and --wal exclude each other"),
        ((*NOBODY[:4], "--wal", "/nowhere"), "--wal /nowhere is no directory"),
        ((*NOBODY, "--consistency", "MANY"), "cql.consistency = 'MANY'"),
        ((*NOBODY, "--max-age", "0"), "limits.max_age_s = 0.0"),
        ((*NOBODY, "--kafka-security", "TLS"), "kafka.security_protocol = 'TLS'"),
        ((*NOBODY, "--config", "/nowhere.toml"), "/nowhere.toml"),
        ((*NOBODY, "--waivers", "/nowhere.toml"), "waivers /nowhere.toml"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], says: str) -> None:
    done = reconcile(*arguments)

    assert done.exit_code == 2
    assert says in done.output
    assert done.output.count("\n") == 1


def test_a_broker_that_does_not_answer_is_infrastructure(tmp_path: Path) -> None:
    config = tmp_path / "reconcile.toml"
    config.write_text("[kafka]\ntimeout_ms = 300\n")

    done = reconcile(*NOBODY, "--config", str(config))

    assert done.exit_code == 75
    assert "Kafka at 127.0.0.1:1 did not let us list the topics" in done.output


def test_a_directory_that_is_no_log_is_refused(tmp_path: Path) -> None:
    done = reconcile(*NOBODY[:4], "--wal", str(tmp_path))

    assert done.exit_code == 2
    assert "it has no directory.json" in done.output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[[waiver]]\ncode = "STUCK"\nkey = "*"\nowner = "a"\nreason = "b"\n',
            "expires is missing",
        ),
        (
            '[[waiver]]\ncode = "STUCK"\nkey = "*"\nowner = "a"\nreason = "b"\nexpires = "soon"\n',
            "waiver.0.expires = 'soon'",
        ),
        (
            '[[waiver]]\ncode = ""\nkey = "*"\nowner = "a"\nreason = "b"\nexpires = 2999-01-01\n',
            "waiver.0.code = ''",
        ),
        ("[[waiver]]\ncode = \n", "is not TOML"),
        ("[[waver]]\n", "unknown key waver; did you mean waiver?"),
    ],
)
def test_a_waiver_that_is_not_whole_is_refused(tmp_path: Path, text: str, says: str) -> None:
    waivers = tmp_path / "waivers.toml"
    waivers.write_text(text)

    done = reconcile(*NOBODY, "--waivers", str(waivers))

    assert done.exit_code == 2
    assert says in done.output


def test_secrets_are_not_said(tmp_path: Path) -> None:
    config = tmp_path / "reconcile.toml"
    config.write_text("[kafka]\nsasl_password = 271828\n")
    odd = reconcile(*NOBODY, "--config", str(config))
    config.write_text('[kafka]\ntimeout_ms = 300\nsasl_password = "mellon"\n')
    options = ("--kafka-security", "SASL_PLAINTEXT", "--kafka-mechanism", "PLAIN")
    login = ("--kafka-user", "gandalf")

    refused = reconcile(*NOBODY, *options, *login, "--config", str(config))

    assert odd.exit_code == 2
    assert "271828" not in odd.output
    assert "a password must be text in quotes" in odd.output
    assert refused.exit_code == 75
    assert "mellon" not in refused.output
