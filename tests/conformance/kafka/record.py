"""`make conformance-record`: ask a real broker, and write down what it answers."""

import tempfile
from pathlib import Path

from tests.conformance.kafka import transcripts
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
        print(f"{len(SEQUENCES)} sequences of {server}: {transcripts.path('wire')}")


if __name__ == "__main__":
    main()
