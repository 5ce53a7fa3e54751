"""The settings of a cluster's brokers, named as in `server.properties`; defaults of Kafka 4.0."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator sets for all brokers. Times in ms."""

    auto_create_topics: bool = False  # Kafka's default is true; a ledger wants a typo to fail
    num_partitions: int = 1
    broker_session_timeout_ms: int = 9_000
    group_initial_rebalance_delay_ms: int = 3_000
    group_min_session_timeout_ms: int = 6_000
    group_max_session_timeout_ms: int = 1_800_000
    offset_metadata_max_bytes: int = 4_096
    offsets_retention_ms: int = 604_800_000
    offsets_retention_check_ms: int = 600_000
    log_retention_check_ms: int = 300_000
    producer_id_expiration_check_ms: int = 600_000
    group_load_ms: int = 50  # how long a coordinator reads its log after a restart
