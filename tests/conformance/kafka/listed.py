"""The differences that stay, each under **Simplified** in the module that is named.

A key is the sequence, the number of the note in it, and the beginning of the path in the answer.
A difference that is listed and is not there any more fails its test, as one that is not listed.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """Where two answers differ."""

    sequence: str
    note: int
    path: str


_PRODUCE = "sim/kafka/cluster/produce.py"
_CONFIGS = "sim/kafka/cluster/configs.py"
_TOPICS = "sim/kafka/cluster/topics.py"
_MEMBERSHIP = "sim/kafka/cluster/membership.py"
_METADATA = "sim/kafka/cluster/metadata.py"

_PART = ".responses[0].partition_responses[0]"

LISTED: dict[Place, str] = {
    Place("produce.bytes_that_are_no_batch", 0, f"{_PART}.error_message"): _PRODUCE,
    Place("produce.bytes_that_are_no_batch", 3, f"{_PART}.error_code"): _PRODUCE,
    Place("produce.fewer_replicas_than_wanted", 0, ""): _PRODUCE,
    Place("produce.fewer_replicas_than_wanted", 1, ""): _PRODUCE,
    Place("groups.static_members", 0, ""): _MEMBERSHIP,
    Place("admin.configurations_of_new_topics", 7, ""): _CONFIGS,
    Place("admin.what_configurations_say", 6, ".results[0].configs[0].config_source"): _TOPICS,
    Place("admin.what_configurations_say", 14, ".results[0].configs"): _TOPICS,
    Place("admin.what_configurations_say", 15, ".results[0].configs[0].synonyms"): _TOPICS,
    Place("admin.what_configurations_say", 16, ".results[0].configs[0].synonyms"): _TOPICS,
    Place("admin.transactions", 0, ""): _METADATA,
    Place("admin.transactions", 1, ".error_code"): _METADATA,
}  # fmt: skip


def listed(sequence: str) -> list[Place]:
    """Return the listed differences of a sequence."""
    return [place for place in LISTED if place.sequence == sequence]
