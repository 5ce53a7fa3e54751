"""Decisions: whatever comes in, nothing is minted, lost, negative or done twice."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from system.records import MAX_AMOUNT, LedgerRow, Rejected, decode_event
from system.ubscore import image
from system.ubscore.decide import decide
from system.ubscore.state import Balance, State
from system.ubscore.terms import Terms
from system.wal import frames, packing
from system.wal.frames import CommandFrame
from tests.system.small_kafka import NOW_MS
from tests.system.ubscore.commands import arrival, operation, request_id

TERMS = Terms(shard=1, shards=2, horizon_ms=1000)
HUGE = MAX_AMOUNT // 2

COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "withdraw"]),
        st.integers(1, 3),  # user
        st.integers(1, 2),  # asset
        st.sampled_from([1, 2, 5, HUGE - 3, HUGE, HUGE + 1]),
        st.integers(0, 6),  # request key: often repeated, with the same or another body
        st.integers(0, 4000),  # milliseconds the broker's clock moves
    ),
    max_size=40,
)


def play(commands: list[tuple[str, int, int, int, int, int]]) -> tuple[State, list[CommandFrame]]:
    state = State()
    made: list[CommandFrame] = []
    now_ms = NOW_MS
    offsets: dict[int, int] = defaultdict(int)
    for kind, user, asset, amount, key, pause_ms in commands:
        now_ms += pause_ms // 10
        command = operation(kind, user, asset, amount, request_id(NOW_MS + key * 100, key))
        come = arrival(command, 0, appended_ms=now_ms, now_ms=now_ms)
        source = come.source
        come = arrival(command, offsets[source.partition], appended_ms=now_ms, now_ms=now_ms)
        offsets[source.partition] += 1
        frame = decide(state, TERMS, come)
        state.apply(len(made) + 1, frame)
        made.append(frame)
    return state, made


@settings(max_examples=200, deadline=None)
@given(commands=COMMANDS)
def test_nothing_is_minted_lost_negative_or_done_twice(
    commands: list[tuple[str, int, int, int, int, int]],
) -> None:
    state, made = play(commands)
    net: dict[int, int] = defaultdict(int)
    rows: dict[tuple[int, int], list[LedgerRow]] = defaultdict(list)
    effects: dict[tuple[int, str], int] = defaultdict(int)
    numbers: dict[int, int] = defaultdict(int)
    for frame in made:
        assert (frame.decision == "duplicate") == (not frame.outputs)
        for output in frame.outputs:
            numbers[output.partition] += 1
            assert output.n == numbers[output.partition]
            event = decode_event(output.value)
            if isinstance(event, LedgerRow):
                net[event.asset_id] += event.delta_avail
                rows[event.user_id, event.asset_id].append(event)
                effects[event.user_id, event.request_id] += 1
            else:
                assert isinstance(event, Rejected)
                assert not frame.legs
    assert all(count == 1 for count in effects.values())
    for key, chain in rows.items():
        assert [row.seq for row in chain] == list(range(1, len(chain) + 1))
        assert chain[-1].avail == sum(row.delta_avail for row in chain)
        assert min(row.avail for row in chain) >= 0
        assert state.balances[key] == Balance(chain[-1].avail, 0, len(chain))
    for asset, total in net.items():
        assert total == sum(
            b.avail + b.frozen for (_, a), b in state.balances.items() if a == asset
        )
        assert total == state.net[asset] <= TERMS.net_max


@settings(max_examples=100, deadline=None)
@given(commands=COMMANDS)
def test_the_fold_of_the_frames_is_the_live_state(
    commands: list[tuple[str, int, int, int, int, int]],
) -> None:
    live, made = play(commands)
    folded = State()
    for lsn, frame in enumerate(made, 1):
        kind, _, payload = frames.kind_of(frame)
        data = packing.pack(kind, payload, lsn=lsn, generation=1, previous=0, synced_lsn=0)
        read = packing.unpack("f", data, 0)
        assert read is not None
        folded.apply(lsn, read.body)
    assert image.encode(folded) == image.encode(live)


def test_the_same_request_again_is_a_duplicate_and_another_body_is_rejected_once() -> None:
    state = State()
    key = request_id(NOW_MS, 1)
    first, other = (operation("deposit", 1, 1, amount, key) for amount in (5, 6))
    decisions = []
    for offset, command in enumerate([first, first, other, other, first]):
        frame = decide(state, TERMS, arrival(command, offset))
        state.apply(offset + 1, frame)
        decisions.append((frame.decision, frame.reason))
    assert decisions == [
        ("accepted", None),
        ("duplicate", None),
        ("rejected", "request_id_reused"),
        ("duplicate", None),
        ("duplicate", None),
    ]
    assert state.balance(1, 1).avail == 5


def test_a_key_is_remembered_until_the_horizon_and_expired_afterwards() -> None:
    state = State()
    command = operation("deposit", 1, 1, 5, request_id(NOW_MS, 1))
    reasons = []
    for offset, after_ms in enumerate([0, 1000, 1001, 0]):
        late = NOW_MS + after_ms
        frame = decide(state, TERMS, arrival(command, offset, appended_ms=late, now_ms=late))
        state.apply(offset + 1, frame)
        reasons.append(frame.reason or frame.decision)
    assert reasons == ["accepted", "duplicate", "expired", "expired"]
    assert state.balance(1, 1).avail == 5


def test_a_longer_horizon_later_does_not_bring_forgotten_keys_back() -> None:
    state = State()
    late = NOW_MS + 5000
    first = operation("deposit", 1, 1, 5, request_id(NOW_MS, 1))
    newer = operation("deposit", 1, 1, 5, request_id(late, 2))
    for offset, (command, at) in enumerate([(first, NOW_MS), (newer, late)]):
        state.apply(offset, decide(state, TERMS, arrival(command, offset, at, at)))
    longer = Terms(shard=1, shards=2, horizon_ms=10**9)
    assert decide(state, longer, arrival(first, 2, late, late)).reason == "expired"


def test_a_broker_clock_far_ahead_expires_nothing_early() -> None:
    state = State()
    ahead = NOW_MS + 10**9
    first = operation("deposit", 1, 1, 5, request_id(NOW_MS, 1))
    frame = decide(state, TERMS, arrival(first, 0, appended_ms=ahead))
    assert frame.time_ms == NOW_MS + 5 * 60 * 1000


def test_every_refusal_has_its_reason_and_changes_nothing() -> None:
    state = State()
    half = TERMS.net_max
    plan = [
        ("withdraw", 1, 1, 1, "unknown_account"),
        ("deposit", 1, 1, half, None),
        ("deposit", 1, 1, 1, "overflow"),
        ("deposit", 2, 2, 1, None),
        ("withdraw", 1, 1, half + 1, "insufficient_balance"),
        ("withdraw", 1, 2, 1, "insufficient_balance"),
        ("withdraw", 1, 1, half, None),
        ("deposit", 1, 1, half, None),
    ]
    for number, (kind, user, asset, amount, reason) in enumerate(plan):
        before = dict(state.balances)
        command = operation(kind, user, asset, amount, request_id(NOW_MS, number))
        frame = decide(state, TERMS, arrival(command, number))
        state.apply(number + 1, frame)
        assert frame.reason == reason
        assert reason is None or state.balances == before
