"""What two client libraries did with the same program, compared."""

from typing import Any, NamedTuple

from tests.conformance.kafka.plain import differences

# A time of the real library lies so far around the virtual one: a real machine is slower, and the
# real library looks at its timers when it wakes.
EARLIER_S, LATER_S = 0.3, 0.5

# Two members ask side by side, so it is compared what they ask, not in which order or how often,
# and of Fetches, which depend on whose offset was known first, only that there are some. How far a
# consumer has read ahead when the program goes on depends on both, too: the Fetches of one are
# among those of the other.
SIDE_BY_SIDE = {"two_subscribers"}


class Spot(NamedTuple):
    """Where two runs of a program differ: ``seen`` or ``asked``, and the key there."""

    program: str
    part: str
    key: str


# Threads of the real library race for a connection, and who loses waits for the next full second;
# a producer id is asked for every half second.
GRID_S = {
    Spot("broker_restarts", "seen", "reported_s"): 1.0,
    Spot("idempotent_producer_loses_an_answer", "seen", "first_s"): 0.5,
}

# Under **Simplified** in the module that is named.
LISTED: dict[Spot, str] = {
    Spot(
        "reader_through_a_restart", "asked", "OffsetForLeaderEpoch"
    ): "sim/kafka/client/fetcher.py",
}

Found = dict[Spot, tuple[Any, Any]]


def compare(program: str, ours: dict[str, Any], real: dict[str, Any]) -> Found:
    """Return where what our stand-in did differs from what librdkafka did."""
    found: Found = {}
    for part in ("seen", "asked"):
        for key in sorted({*ours[part], *real[part]} - {"ApiVersions"}):
            pair = ours[part].get(key), real[part].get(key)
            spot = Spot(program, part, key)
            if not _alike(spot, *pair):
                found[spot] = pair
    return found


def _alike(spot: Spot, ours: Any, real: Any) -> bool:
    program, _, key = spot
    if key.endswith("_s"):
        late = real - ours
        grid = GRID_S.get(spot, 0)
        return any(-EARLIER_S <= late + turn <= LATER_S for turn in (-grid, 0, grid))
    if program in SIDE_BY_SIDE and ours is not None and real is not None:
        if key == "Fetch":
            return bool(ours) == bool(real)
        return set(map(repr, ours)) == set(map(repr, real))
    if key == "Fetch" and ours and real:
        few, many = sorted((list(map(repr, each)) for each in (ours, real)), key=len)
        return set(few) <= set(many)
    return not differences(ours, real)


def unlisted(program: str, found: Found) -> list[str]:
    """Return, for people, what is not listed, and what is listed and is not there."""
    listed = {spot for spot in LISTED if spot.program == program}
    wrong = [
        f"{spot.program} {spot.part} {spot.key}: ours {pair[0]!r}, real {pair[1]!r}"
        for spot, pair in found.items()
        if spot not in listed
    ]
    return wrong + [f"{spot} is listed, and there is no difference" for spot in listed - {*found}]
