import json
import subprocess
import sys


def test_the_real_librdkafka_finds_a_cluster_it_can_live_with() -> None:
    command = [sys.executable, "-m", "tests.sim.kafka.cluster.real_client"]
    output = subprocess.run(command, capture_output=True, timeout=90, check=True).stdout

    seen = json.loads(output.splitlines()[-1])
    apis = set(seen.pop("apis"))
    reports = seen.pop("reports")
    assert seen == {
        "as sent": [True, True, True],  # each value once and in order: retries were recognised
        "bad config": "INVALID_CONFIG",
        "below the start": "_AUTO_OFFSET_RESET",
        "brokers": 3,
        "committed": [[40, "why"], [100, None], [-1001, None]],
        "described": "LogAppendTime",
        "groups": [["fresh", "EMPTY"], ["g", "EMPTY"]],
        "left": ["t"],
        "long metadata": "OFFSET_METADATA_TOO_LARGE",
        "lost": 0,  # of the Produce responses that were to be lost
        "low": [10],
        "members": [1, 2],
        "newest": [True],
        "tombstone": ["b'\\xd0\\xba'", None, 2],
        "topics": {"late": 1, "t": 3},
        "twice": "TOPIC_ALREADY_EXISTS",
        "two replicas": "INVALID_REPLICATION_FACTOR",
        "unflushed": 0,
        "watermarks": [0, 100],
        "ends": [100, 100, 100],
    }
    assert sum(count for _, _, count in reports) == 301
    assert all(delivered for delivered, _, _ in reports)
    assert apis >= {"Produce", "Fetch", "JoinGroup", "SyncGroup", "OffsetCommit", "Heartbeat"}
