"""Apache Kafka and Apache Cassandra that demand TLS and credentials of their clients."""

import ssl
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from scenarios.backends import kafka_wire
from scenarios.backends.jvm import cassandra, kafka
from scenarios.backends.jvm.backend import Jvm
from scenarios.backends.jvm.cassandra import CassandraServer
from scenarios.backends.jvm.kafka import KafkaServer
from scenarios.backends.layout import Layout, kafka_id

USER, PASSWORD = "exchange", "right horse"
_STORE_PASSWORD = "keystore"
_ROLES_S = 60.0


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 that signs itself; clients trust `pem`."""

    store: Path
    pem: Path


def certificate(folder: Path, name: str) -> Certificate:
    """Make a certificate with the tool that comes with Java."""
    made = Certificate(folder / f"{name}.p12", folder / f"{name}.pem")
    store = ("-keystore", str(made.store), "-storepass", _STORE_PASSWORD, "-alias", name)
    _keytool(
        *("-genkeypair", *store, "-storetype", "PKCS12", "-keyalg", "RSA", "-keysize", "2048"),
        *("-dname", f"CN={name}", "-ext", "SAN=ip:127.0.0.1", "-validity", "2"),
    )
    _keytool("-exportcert", *store, "-rfc", "-file", str(made.pem))
    return made


def _keytool(*arguments: str) -> None:
    subprocess.run(("keytool", *arguments), check=True, capture_output=True, timeout=60)


class _Kafka(KafkaServer):
    """Clients come by TLS with SCRAM; brokers and tests have a plain listener of their own."""

    certificate: Certificate

    def configure(self) -> Path:
        path = super().configure()
        text = path.read_text(encoding="utf-8").replace("CLIENTS:PLAINTEXT", "CLIENTS:SASL_SSL")
        listener, scram = "listener.name.clients", "org.apache.kafka.common.security.scram"
        text += (
            f"{listener}.ssl.keystore.type=PKCS12\n"
            f"{listener}.ssl.keystore.location={self.certificate.store}\n"
            f"{listener}.ssl.keystore.password={_STORE_PASSWORD}\n"
            f"{listener}.ssl.key.password={_STORE_PASSWORD}\n"
            f"{listener}.sasl.enabled.mechanisms=SCRAM-SHA-512\n"
            f"{listener}.scram-sha-512.sasl.jaas.config={scram}.ScramLoginModule required;\n"
        )
        path.write_text(text, encoding="utf-8")
        return path

    def wait_until_served(self) -> None:
        self.wait_for(
            lambda: kafka_wire.lists(self.seat.brokers, self.seat.id), timeout_s=kafka.READY_S
        )

    def let_in(self) -> None:
        """Give the user a password."""
        admin = AdminClient({"bootstrap.servers": str(self.seat.brokers), "log_level": 0})
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted = UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())
        for done in admin.alter_user_scram_credentials([wanted]).values():
            done.result(timeout=30)


class _Cassandra(CassandraServer):
    """Clients come by TLS with a name and a password."""

    certificate: Certificate

    def _configure(self) -> Path:
        path = super()._configure()
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        settings |= {
            "authenticator": "PasswordAuthenticator",
            "authorizer": "CassandraAuthorizer",
            "client_encryption_options": {
                "enabled": True,
                "optional": False,
                "keystore": str(self.certificate.store),
                "keystore_password": _STORE_PASSWORD,
            },
        }
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    def wait_until_served(self) -> None:
        """Return when the first role is there, and another can be made."""
        self.wait_for(self._let_in, cassandra.READY_S + _ROLES_S)

    wait_until_joined = wait_until_served

    def _let_in(self) -> bool:
        cluster = Cluster(
            [self.address.host],
            port=self.address.port,
            auth_provider=PlainTextAuthProvider("cassandra", "cassandra"),
            ssl_context=_trusting(self.certificate),
            protocol_version=4,
        )
        try:
            cluster.connect().execute(
                f"CREATE ROLE IF NOT EXISTS {USER} WITH PASSWORD = '{PASSWORD}'"
                " AND LOGIN = true AND SUPERUSER = true"
            )
        except NoHostAvailable:
            time.sleep(0.5)
            return False
        finally:
            cluster.shutdown()
        return True


def _trusting(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate.pem))
    context.check_hostname = False
    return context


class Secured(Jvm):
    """One of each; `certificate` is what they show."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = certificate(folder, "servers")
        super().__init__(folder, 1, 1)

    def make_brokers(self, laid_out: Layout) -> Sequence[KafkaServer]:
        ((_, uses),) = laid_out.brokers.items()
        seat = kafka.Seat(1, uses["clients"], uses["brokers"], uses["controller"])
        broker = _Kafka(seat, [seat], kafka_id(laid_out.cluster), self.folder / seat.name)
        broker.certificate = self.certificate
        return [broker]

    def make_nodes(self, laid_out: Layout) -> Sequence[CassandraServer]:
        ((_, uses),) = laid_out.nodes.items()
        seat = cassandra.Seat(1, uses["clients"], uses["storage"])
        node = _Cassandra(seat, [seat], self.folder / seat.name)
        node.certificate = self.certificate
        return [node]

    def warm(self) -> None:
        (broker,) = self.brokers
        assert isinstance(broker, _Kafka)
        broker.let_in()
        kafka_wire.warm({1: broker.seat.brokers}, 90.0, transactions=False)
