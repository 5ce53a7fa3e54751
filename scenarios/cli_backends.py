"""The part of the command line that starts and stops servers: ``wavetank backends``."""

import sys
from pathlib import Path

import click

from scenarios.cli_options import folder_option, port


@click.group()
def backends() -> None:
    """Start and stop servers on real ports that speak Kafka's protocol and CQL.

    \b
    embedded  our own brokers and CQL nodes, one process each; needs nothing but Python
    jvm       real Apache Kafka and Apache Cassandra; needs Java 17 and Maven
    compose   Apache Kafka and ScyllaDB in containers; needs Docker

    \b
    What the embedded kind cannot do, and refuses:
    Kafka     more than one replica of a partition, transactions, compaction, static members,
              the group protocol of KIP-848, TLS, SASL, ACLs
    CQL       lightweight transactions, logged batches of several partitions, ALTER, user-defined
              types, indexes, views, functions, roles, TTL, static columns, JSON,
              ALLOW FILTERING, TLS, credentials
    """


@backends.command("up")
@click.option(
    "--kind",
    type=click.Choice(["embedded", "jvm", "compose"]),
    help="Which servers (default: those of the folder, else embedded).",
)
@click.option("--nodes", type=click.Choice(["1", "3"]), help="Brokers, and nodes (default: 1).")
@click.option("--kafka-port", type=port, help="Of the first broker (default: a free one).")
@click.option("--cql-port", type=port, help="Of all nodes (default: a free one).")
@click.option("--detach", is_flag=True, help="Return when the servers serve, and leave them up.")
@folder_option
def backends_up(
    kind: str | None,
    nodes: str | None,
    kafka_port: int | None,
    cql_port: int | None,
    folder: Path,
    *,
    detach: bool,
) -> None:
    """Start servers and stay until Ctrl-C, which stops them; their data stays in the folder.

    Started again in the same folder, they find their data and have the same addresses. If they
    are up already, those that have ended are started again.
    """
    from scenarios.backends.layout import Ports  # noqa: PLC0415
    from scenarios.commands import backends as commands  # noqa: PLC0415

    count, ports = int(nodes) if nodes else None, Ports(kafka=kafka_port, cql=cql_port)
    sys.exit(commands.up(kind, count, folder, ports, detach=detach))


@backends.command("down")
@click.option("--wipe", is_flag=True, help="Delete the servers' data as well.")
@folder_option
def backends_down(folder: Path, *, wipe: bool) -> None:
    """Stop the servers, or what a crash has left of them."""
    from scenarios.commands import backends as commands  # noqa: PLC0415

    sys.exit(commands.down(folder, wipe=wipe))


@backends.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--bootstrap", metavar="HOST:PORT,...", help="Brokers that others run.")
@click.option("--contact-points", metavar="HOST,...", help="Nodes that others run.")
@click.option("--cql-port", type=port, help="Of those nodes (default: 9042).")
@click.option(
    "--config", "config_path", metavar="FILE", help="Those servers as a program's file has them."
)
@folder_option
def backends_status(
    folder: Path,
    bootstrap: str | None,
    contact_points: str | None,
    cql_port: int | None,
    config_path: str | None,
    *,
    as_json: bool,
) -> None:
    """Show the servers and their addresses; exit 75 unless all of them are up.

    Or ask servers that others run: with TLS and SASL as [kafka] and [scylla] of FILE say.
    """
    from scenarios.commands import backends as commands  # noqa: PLC0415

    given = {
        ("kafka", "bootstrap"): bootstrap,
        ("scylla", "contact_points"): contact_points.split(",") if contact_points else None,
        ("scylla", "port"): cql_port,
    }
    if config_path or any(given.values()):
        sys.exit(commands.remote_status(config_path, given))
    sys.exit(commands.status(folder, as_json=as_json))


@backends.command("logs")
@click.argument("servers", nargs=-1, metavar="[SERVER]...")
@click.option("--lines", "-n", type=click.IntRange(1), default=20, show_default=True)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@folder_option
def backends_logs(servers: tuple[str, ...], lines: int, folder: Path, *, follow: bool) -> None:
    """Show the last lines of the servers' logs."""
    from scenarios.commands import backends as commands  # noqa: PLC0415

    sys.exit(commands.logs(folder, servers, lines, follow=follow))
