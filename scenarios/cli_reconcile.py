"""The part of the command line that reconciles what somebody runs: ``wavetank reconcile``."""

import sys
from typing import Any

import click


@click.command()
@click.option("--config", "config_path", metavar="FILE", help="TOML; options come on top of it.")
@click.option("--bootstrap", metavar="HOST:PORT,...", help="The brokers.")
@click.option("--contact-points", metavar="HOST,...", help="Nodes of the database.")
@click.option("--wal", multiple=True, metavar="DIR", help="UBSCore's data directory, each shard's.")
@click.option("--no-log", is_flag=True, help="Reconcile without the logs; they are elsewhere.")
@click.option("--group", help="Whose committed offsets are the cut (default settlement).")
@click.option("--cql-port", type=click.IntRange(1, 65535), help="Of all nodes (default 9042).")
@click.option("--keyspace", help="Where the tables are (default wavetank).")
@click.option("--datacenter", help="The nodes' (default datacenter1).")
@click.option("--consistency", help="Of all reads (default LOCAL_QUORUM).")
@click.option("--cql-user", help="A role that may SELECT; password in $WAVETANK_CQL_PASSWORD.")
@click.option("--cql-ca", metavar="FILE", help="TLS to the database, checked against this CA.")
@click.option("--kafka-security", help="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.")
@click.option("--kafka-mechanism", help="Of SASL (default SCRAM-SHA-512).")
@click.option("--kafka-user", help="Of SASL; password in $WAVETANK_KAFKA_SASL_PASSWORD.")
@click.option("--kafka-ca", metavar="FILE", help="The CA of the brokers' certificates.")
@click.option("--max-age", type=float, metavar="S", help="Older things are stuck (default 60).")
@click.option("--rate", type=int, help="Rows of the database a second (default 20000).")
@click.option("--topic-rate", type=int, help="Records of Kafka a second (default 200000).")
@click.option("--log-rate", type=int, help="Megabytes of logs a second (default 100).")
@click.option("--breaks", type=int, help="How many breaks are listed (default 1000).")
@click.option("--accounts", type=int, help="Accounts kept in memory (default 1000000).")
@click.option("--waivers", metavar="FILE", help="TOML: breaks somebody has answered for.")
@click.option("--json", metavar="FILE", help="Write JSON; - for standard output.")
@click.option("--csv", metavar="DIR", help="Write tables.")
@click.option("--html", metavar="FILE", help="Write a page.")
@click.option("--prom", metavar="FILE", help="Write metrics for a textfile collector.")
def reconcile(
    config_path: str | None,
    waivers: str | None,
    json: str | None,
    csv: str | None,
    html: str | None,
    prom: str | None,
    *,
    no_log: bool,
    **options: Any,
) -> None:
    """Reconcile a deployment that runs, while it runs, without disturbing it.

    Reads topics, logs and tables up to a cut that it finds itself: no group is joined, no offset
    is committed, every statement is a SELECT. Exit code 0: reconciled; 1: breaks; 2: usage;
    3: something could not be read, or there is nothing; 75: nobody answers.
    """
    from scenarios.commands import reconciling  # noqa: PLC0415

    points = options["contact_points"]
    named = {
        ("kafka", "bootstrap"): options["bootstrap"],
        ("kafka", "group"): options["group"],
        ("kafka", "security_protocol"): options["kafka_security"],
        ("kafka", "sasl_mechanism"): options["kafka_mechanism"],
        ("kafka", "sasl_username"): options["kafka_user"],
        ("kafka", "ssl_ca"): options["kafka_ca"],
        ("cql", "contact_points"): points.split(",") if points else None,
        ("cql", "port"): options["cql_port"],
        ("cql", "keyspace"): options["keyspace"],
        ("cql", "datacenter"): options["datacenter"],
        ("cql", "consistency"): options["consistency"],
        ("cql", "username"): options["cql_user"],
        ("cql", "ssl_ca"): options["cql_ca"],
        ("log", "directories"): list(options["wal"]) or None,
        ("limits", "max_age_s"): options["max_age"],
        ("limits", "rate"): options["rate"],
        ("limits", "topic_rate"): options["topic_rate"],
        ("limits", "log_rate"): options["log_rate"],
        ("limits", "breaks"): options["breaks"],
        ("limits", "accounts"): options["accounts"],
    }
    wanted = reconciling.Wanted(json=json, csv=csv, html=html, prom=prom)
    sys.exit(reconciling.run(config_path, named, waivers, wanted, no_log=no_log))
