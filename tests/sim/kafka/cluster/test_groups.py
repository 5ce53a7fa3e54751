from sim.kafka.cluster.settings import Settings
from sim.kafka.entities import DeleteTopicsRequest, LeaveGroupRequest, OffsetFetchRequest
from sim.kafka.protocol import duration
from tests.sim.kafka.cluster.bench import Bench, join_request, sync_request

Joined = tuple[int, str]  # connection, member id


def ask_in(bench: Bench, session_ms: int = 10_000, rebalance_ms: int = 60_000) -> Joined:
    """Ask for a member id and join with it, on a new connection."""
    connection, member = bench.connect(), ""
    for expected in ("member_id_required", None):
        request = join_request(member, session_ms=session_ms, rebalance_ms=rebalance_ms)
        bench.send(connection, request)
        if expected is not None:
            refusal = bench.answers[connection].pop()
            assert refusal.error_code.name == expected
            member = refusal.member_id
    return connection, member


def settled(members: int = 2, **timeouts: int) -> tuple[Bench, list[Joined]]:
    """A stable group in generation 1; the first member leads."""
    bench = Bench()
    joined = [ask_in(bench, **timeouts) for _ in range(members)]
    bench.pass_ms(6_000)
    share = {member: member.encode() for _, member in joined}
    for connection, member in reversed(joined):
        bench.send(connection, sync_request(member, 1, share if member == joined[0][1] else {}))
    for connection, member in joined:
        assert bench.answers[connection].pop().assignment == member.encode()
        bench.answers[connection].clear()
    return bench, joined


def test_a_first_generation_waits_for_latecomers_and_its_leader_sees_all() -> None:
    bench = Bench()
    first, leader = ask_in(bench)
    bench.pass_ms(2_000)
    second, follower = ask_in(bench)
    bench.pass_ms(1_500)
    assert bench.answers[first] == []  # put off once more, because somebody came
    bench.pass_ms(3_000)

    told_leader, told_follower = bench.answers[first][0], bench.answers[second][0]
    assert (told_leader.generation_id, told_leader.leader) == (1, leader)
    assert [member.member_id for member in told_leader.members] == [leader, follower]
    assert (told_follower.leader, told_follower.members) == (leader, ())
    assert leader.startswith("c-")


def test_a_newcomer_makes_everybody_join_again() -> None:
    bench, [(first, leader), (second, follower)] = settled()
    third, newcomer = ask_in(bench)

    assert bench.heartbeat(leader, 1) == "rebalance_in_progress"
    assert bench.commit(5, leader, 1) == "none"  # before it joins again
    bench.send(first, join_request(leader))
    bench.send(second, join_request(follower))

    generations = [bench.answers[c][-1].generation_id for c in (first, second, third)]
    assert generations == [2, 2, 2]
    assert bench.commit(6, leader, 2) == "rebalance_in_progress"
    assert bench.commit(6, leader, 1) == "illegal_generation"
    assert bench.commit(6, newcomer + "?", 2) == "unknown_member_id"
    assert bench.commit(6) == "unknown_member_id"  # no generation, group not empty
    assert bench.committed() == (5, "")


def test_who_stays_away_is_out_after_the_rebalance_timeout() -> None:
    bench, [(first, leader), (_, follower)] = settled(rebalance_ms=8_000)
    ask_in(bench, rebalance_ms=8_000)
    bench.send(first, join_request(leader, rebalance_ms=8_000))
    bench.pass_ms(8_000)

    assert len(bench.answers[first][-1].members) == 2
    assert bench.heartbeat(follower, 2) == "unknown_member_id"


def test_a_silent_member_is_out_after_its_session_and_others_hear_of_it() -> None:
    bench, [(_, leader), (_, follower)] = settled(session_ms=10_000)
    bench.pass_ms(8_000)
    assert bench.heartbeat(leader, 1) == "none"
    bench.pass_ms(8_000)

    assert bench.heartbeat(leader, 1) == "rebalance_in_progress"
    assert bench.heartbeat(follower, 1) == "unknown_member_id"


def test_members_that_do_not_sync_are_put_out() -> None:
    bench = Bench()
    first, leader = ask_in(bench, rebalance_ms=20_000, session_ms=60_000)
    ask_in(bench, rebalance_ms=20_000, session_ms=60_000)
    bench.pass_ms(6_000)
    bench.send(first, sync_request(leader, 1, {leader: b"all"}))
    bench.pass_ms(9_000)
    bench.heartbeat(leader, 1)
    bench.pass_ms(9_000)

    assert bench.heartbeat(leader, 1) == "none"
    bench.pass_ms(3_000)
    assert bench.heartbeat(leader, 1) == "rebalance_in_progress"


def test_a_join_whose_answer_was_lost_gets_the_same_answer_again() -> None:
    bench, [_, (_, follower)] = settled()
    connection = bench.connect()
    bench.send(connection, join_request(follower))

    again = bench.answers[connection][0]
    assert (again.error_code.name, again.generation_id) == ("none", 1)


def test_leaving_empties_the_group_and_then_anybody_may_commit() -> None:
    bench, [(_, leader), (_, follower)] = settled()
    assert bench.commit(7, follower, 1, "note") == "none"
    for member in (follower, leader):
        bench.ask(LeaveGroupRequest(group_id="g", member_id=member))

    assert bench.commit(3, metadata="rewound") == "none"
    assert bench.committed() == (3, "rewound")
    assert bench.commit(3, metadata="x" * 4097) == "offset_metadata_too_large"


def test_a_crash_of_the_coordinator_keeps_the_generation_and_the_commits() -> None:
    bench, [(_, leader), (_, follower)] = settled(session_ms=10_000)
    bench.commit(9, leader, 1, "kept")
    bench.crash()

    assert bench.heartbeat(leader, 1) == "coordinator_load_in_progress"
    bench.pass_ms(100)
    assert bench.heartbeat(leader, 1) == "none"
    assert bench.committed() == (9, "kept")
    bench.pass_ms(9_950)
    assert bench.heartbeat(leader, 1) == "rebalance_in_progress"  # the other was never heard of
    assert bench.heartbeat(follower, 1) == "unknown_member_id"


def test_a_crash_in_the_middle_of_a_rebalance_goes_back_to_the_last_generation() -> None:
    bench, [(first, leader), (second, follower)] = settled()
    third, newcomer = ask_in(bench)
    for connection, member in ((first, leader), (second, follower)):
        bench.send(connection, join_request(member))
    assert bench.answers[third][-1].generation_id == 2
    bench.crash()
    bench.pass_ms(100)

    assert bench.heartbeat(leader, 2) == "illegal_generation"
    assert bench.heartbeat(newcomer, 2) == "unknown_member_id"
    assert bench.heartbeat(follower, 1) == "none"


def test_offsets_of_an_empty_group_are_forgotten_after_their_retention() -> None:
    bench = Bench()
    assert bench.commit(1) == "none"
    bench.pass_ms(Settings().offsets_retention_ms - 1_000_000)
    assert bench.committed() == (1, "")
    bench.pass_ms(2_000_000)

    assert bench.committed() == (-1, "")
    assert bench.cluster.groups() == []


def test_deleting_a_topic_deletes_the_offsets_committed_for_it() -> None:
    bench = Bench()
    bench.commit(5)
    bench.ask(DeleteTopicsRequest(topic_names=("t",), timeout=duration(1_000)))

    assert bench.committed() == (-1, "")


def test_a_group_is_served_only_by_its_coordinator() -> None:
    bench = Bench()
    bench.broker.state.image.nodes = {1: bench.broker.state.image.nodes[1]}
    bench.broker.state.broker_id = 2

    answer = bench.ask(OffsetFetchRequest(group_id="g", topics=None))

    assert answer.error_code.name == "not_coordinator"


def test_a_group_that_nobody_has_joined_yet_survives_a_crash() -> None:
    bench = Bench()
    bench.ask(join_request("", session_ms=10_000, rebalance_ms=10_000))
    before = bench.cluster.groups()
    bench.crash()

    assert bench.cluster.groups() == before
    assert len(before) == 1
