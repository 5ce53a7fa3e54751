"""Topics and their configurations, metadata, coordinators, producer ids."""

from tests.conformance.kafka.requests import (
    alter,
    batch,
    coordinator,
    create,
    delete,
    describe,
    grow,
    metadata,
    produce,
    producer_id,
)
from tests.conformance.kafka.talk import Talk

SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3


def names_of_topics(talk: Talk, name: str) -> None:
    for wrong in ("", ".", "..", "a/b", "a b", "x" * 250, "caf\u00e9", "a\u0000"):
        talk.ask(create(wrong))
        talk.ask(metadata(wrong))
        talk.ask(delete(wrong))
    talk.ask(create(f"{name}.a"))
    talk.ask(create(f"{name}_a"))
    talk.ask(create("x" * 249, validate_only=True))


def making_topics(talk: Talk, name: str) -> None:
    talk.ask(create(name, 3))
    talk.settled(name, 3)
    talk.ask(metadata(name))
    talk.ask(create(name))
    talk.ask(create(f"{name}-twice", times=2))
    for partitions in (0, -1, -2):
        talk.ask(create(f"{name}-p{-partitions}", partitions))
    for replicas in (0, -1, -2, 2, 3):
        talk.ask(create(f"{name}-r{replicas}", replicas=replicas))
    talk.ask(create(f"{name}-checked", validate_only=True))
    talk.ask(metadata(f"{name}-checked"))


def chosen_brokers(talk: Talk, name: str) -> None:
    wrong: list[dict[int, tuple[int, ...]]] = [
        {0: (9,)},
        {0: ()},
        {1: (1,)},
        {0: (1,), 2: (1,)},
        {0: (1, 1)},
        {0: (-1,)},
    ]
    for assignments in wrong:
        talk.ask(create(name, -1, -1, assignments=assignments))
    talk.ask(create(name, 1, 1, assignments={0: (1,)}))
    talk.ask(create(name, 1, -1, assignments={0: (1,)}))
    talk.ask(create(name, -1, -1, assignments={0: (1,), 1: (1,)}))
    talk.settled(name, 2)
    talk.ask(metadata(name))


def configurations_of_new_topics(talk: Talk, name: str) -> None:
    for n, (key, value) in enumerate(
        [
            ("nonsense", "1"),
            ("retention.ms", "soon"),
            ("retention.ms", "-2"),
            ("retention.ms", None),
            ("retention.ms", " 5 "),
            ("retention.ms", ""),
            ("segment.bytes", "1"),
            ("segment.bytes", "14"),
            ("segment.bytes", "1048576"),
            ("min.insync.replicas", "0"),
            ("max.message.bytes", "-1"),
            ("message.timestamp.type", "Never"),
            ("cleanup.policy", "never"),
            ("compression.type", "zip"),
            ("segment.ms", "0"),
            ("unclean.leader.election.enable", "maybe"),
            ("min.cleanable.dirty.ratio", "2"),
            ("", "x"),
        ]
    ):
        talk.ask(create(f"{name}-{n}", config={key: value}))


def deleting_topics(talk: Talk, name: str) -> None:
    talk.ask(delete(name))
    talk.topic(name)
    talk.ask(delete(name, f"{name}-never"))
    talk.settled(name, 0)
    talk.ask(metadata(name))
    talk.ask(delete(name))
    talk.ask(create(name))
    talk.settled(name, 1)
    talk.ask(delete(name, name))
    talk.ask(delete())


def more_partitions(talk: Talk, name: str) -> None:
    talk.ask(grow(name, 3))
    talk.topic(name)
    for count in (0, 1, -1):
        talk.ask(grow(name, count))
    talk.ask(grow(name, 3, validate_only=True))
    talk.ask(grow(name, 3))
    talk.settled(name, 3)
    talk.ask(metadata(name))
    talk.ask(grow(name, 2))
    talk.ask(produce(name, batch(b"a"), partition=2))
    talk.ask(grow(name, 4, [(9,)]))
    talk.ask(grow(name, 4, [(1,), (1,)]))
    talk.ask(grow(name, 4, [(1,)]))


def what_configurations_say(talk: Talk, name: str) -> None:
    talk.ask(create(name, config={"retention.ms": "1000", "segment.ms": "5000"}))
    talk.settled(name, 1)
    for key in (
        "retention.ms",
        "segment.ms",
        "max.message.bytes",
        "message.timestamp.type",
        "cleanup.policy",
        "min.insync.replicas",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "segment.bytes",
        "retention.bytes",
        "compression.type",
        "flush.ms",
        "nonsense",
    ):
        talk.ask(describe(name, key))
    talk.ask(describe(name))
    talk.ask(describe(name, "retention.ms", synonyms=True))
    talk.ask(describe(name, "segment.bytes", synonyms=True))
    talk.ask(describe(f"{name}-never"))
    talk.ask(describe(""))
    talk.ask(describe("a/b"))
    talk.ask(describe(name, kind=99))
    talk.ask(describe("99", kind=4))
    talk.ask(describe("one", kind=4))


def changing_configurations(talk: Talk, name: str) -> None:
    talk.topic(name)
    for change in (
        ("retention.ms", SET, "1000"),
        ("retention.ms", SET, "soon"),
        ("retention.ms", SET, None),
        ("retention.ms", APPEND, "1"),
        ("retention.ms", SUBTRACT, "1"),
        ("retention.ms", 9, "1"),
        ("nonsense", SET, "1"),
        ("nonsense", DELETE, None),
        ("segment.ms", DELETE, None),
        ("cleanup.policy", SET, "never"),
        ("retention.ms", DELETE, None),
    ):
        talk.ask(alter(name, change))
    talk.ask(alter(name, ("segment.ms", SET, "7"), validate_only=True))
    talk.ask(alter(name, ("segment.ms", SET, "7"), ("segment.ms", DELETE, None)))
    talk.ask(alter(name, ("segment.ms", SET, "8"), ("nonsense", SET, "1")))
    talk.ask(alter(name))
    talk.ask(alter(f"{name}-never", ("segment.ms", SET, "8")))
    talk.ask(alter("", ("segment.ms", SET, "8")))
    talk.ask(alter("a/b", ("segment.ms", SET, "8")))
    talk.ask(alter(name, ("segment.ms", SET, "8"), kind=99))
    talk.settle(
        lambda quietly: (
            not [
                config
                for config in quietly(describe(name, "retention.ms", "segment.ms"))
                .results[0]
                .configs
                if config.config_source == 1
            ]
        )
    )
    talk.ask(describe(name, "retention.ms", "segment.ms"))


def metadata_of_topics(talk: Talk, name: str) -> None:
    talk.topic(name, 2)
    talk.ask(metadata())
    talk.ask(metadata(name))
    talk.ask(metadata(name, "nowhere"))
    talk.ask(metadata(name, name))
    talk.ask(metadata("nowhere", create=True))
    (mine,) = [t for t in talk.ask(metadata(everything=True)).topics if t.name == name]
    talk.notes.pop()  # of other talks, too
    assert len(mine.partitions) == 2


def coordinators(talk: Talk, name: str) -> None:
    for key, kind in ((name, 0), ("", 0), (name, 2), (name, 9)):
        talk.ask(coordinator(key, kind))


def producer_ids(talk: Talk, name: str) -> None:
    for _ in range(3):
        talk.ask(producer_id())
    talk.ask(producer_id(producer=5, epoch=3))
    talk.ask(producer_id(producer=-1, epoch=3))
    talk.ask(producer_id(producer=5, epoch=-1))


def transactions(talk: Talk, name: str) -> None:
    talk.ask(coordinator(name, 1))
    talk.ask(producer_id(name))
    talk.ask(producer_id(""))
