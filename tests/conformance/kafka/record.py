"""`make conformance-record`: ask a real broker, and write down what it answers."""

import tempfile
from pathlib import Path

from tests.conformance.kafka import random_sequences, transcripts
from tests.conformance.kafka.arms import real
from tests.conformance.kafka.sequences import SEQUENCES
from tests.conformance.kafka.wire import play


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
        transcripts.write("random", server, notes, random_sequences.SEED)
        print(f"{len(SEQUENCES)} written and {len(drawn)} random sequences of {server}")


if __name__ == "__main__":
    main()
