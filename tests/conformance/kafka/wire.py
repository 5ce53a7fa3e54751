"""The body of the wire's conformance: play a sequence on an arm, compare the notes."""

import json
from collections.abc import Sequence

from tests.conformance.kafka.arms import Arm
from tests.conformance.kafka.listed import Place, listed
from tests.conformance.kafka.plain import Plain, differences
from tests.conformance.kafka.sequences import SEQUENCES, topic_of
from tests.conformance.kafka.talk import Talk

Notes = list[list[Plain]]


def play(arm: Arm, sequence: str) -> Notes:
    """Return the notes of a sequence as JSON holds them."""
    with Talk(arm.port, arm.restart) as talk:
        SEQUENCES[sequence](talk, topic_of(sequence))
        return as_json(talk.notes)


def as_json(notes: Sequence[object]) -> Notes:
    """Return notes as they come back from a file."""
    found: Notes = json.loads(json.dumps([list(note) for note in notes]))  # type: ignore[call-overload]
    return found


def compare(sequence: str, notes: Notes, expected: Notes) -> dict[Place, tuple[Plain, Plain]]:
    """Return where the notes of two arms differ."""
    asked = [[note[:2] for note in each] for each in (notes, expected)]
    assert asked[0] == asked[1], f"{sequence}: what is asked depends on the answers"
    return {
        Place(sequence, n, path): pair
        for n, (one, other) in enumerate(zip(notes, expected, strict=True))
        for path, pair in differences(one[2], other[2]).items()
    }


def unlisted(sequence: str, found: dict[Place, tuple[Plain, Plain]]) -> list[str]:
    """Return, for people, each difference that is not listed and each listed one that is not there.

    A listed path stands for all below it.
    """
    wrong, left = [], set(listed(sequence))
    for place, (one, other) in found.items():
        covering = {
            each
            for each in listed(sequence)
            if each.note == place.note and place.path.startswith(each.path)
        }
        left -= covering
        if not covering:
            wrong.append(f"{sequence}[{place.note}]{place.path}: ours {one!r}, real {other!r}")
    return wrong + [f"{place} is listed, and there is no difference" for place in sorted(left)]
