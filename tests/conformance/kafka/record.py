"""`make conformance-record`: ask a real broker, and write down what it answers."""

import tempfile
from pathlib import Path

import confluent_kafka

from tests.conformance.kafka import librdkafka, random_sequences, transcripts
from tests.conformance.kafka.arms import real
from tests.conformance.kafka.played import PROGRAMS
from tests.conformance.kafka.sequences import SEQUENCES
from tests.conformance.kafka.wire import play


def record_clients() -> None:
    """Run the programs with librdkafka, each in an interpreter without doors."""
    version = f"librdkafka {confluent_kafka.libversion()[0]}"
    transcripts.write("clients", version, {name: librdkafka.run(name) for name in PROGRAMS})


def main() -> None:
    """Record everything."""
    with (
        tempfile.TemporaryDirectory(prefix="wavetank-record-") as folder,
        real(Path(folder)) as arm,
    ):
        server = f"Apache Kafka {arm.version}"
        transcripts.write("wire", server, {name: play(arm, name) for name in SEQUENCES})
        drawn = random_sequences.all_drawn(random_sequences.SEED)
        notes = {
            name: {
                "operations": [list(operation) for operation in operations],
                "notes": random_sequences.play(arm, name, operations),
            }
            for name, operations in drawn.items()
        }
        record_clients()
        transcripts.write("random", server, notes, random_sequences.SEED)
        print(f"{len(SEQUENCES)} written and {len(drawn)} random sequences of {server}")


if __name__ == "__main__":
    main()
