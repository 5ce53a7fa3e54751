from hypothesis import given
from hypothesis import strategies as st

from sim.kafka.batch import Batch
from tests.sim.kafka.cluster.bench import START_MS, Bench, batch

PID = 7
DAY_MS = 86_400_000


def send(bench: Bench, sequence: int, value: bytes = b"x", epoch: int = 0) -> tuple[str, int]:
    answer = bench.produce(batch(value, pid=PID, epoch=epoch, sequence=sequence))
    return answer.error_code.name, answer.base_offset


@given(st.data())
def test_retries_lost_and_reordered_leave_no_hole_and_no_duplicate(data: st.DataObject) -> None:
    """A producer with five requests in flight; any may be lost before or after the append."""
    bench = Bench()
    values = [b"%d" % i for i in range(12)]
    assert send(bench, 0, values[0]) == ("none", 0)  # before it any sequence is taken, see below
    unacked = list(range(len(values)))
    for _ in range(200):
        if not unacked:
            break
        window = [i for i in unacked if i < unacked[0] + 5]
        for i in data.draw(st.permutations(window)):
            fate = data.draw(st.sampled_from(["arrives", "request lost", "answer lost", "crash"]))
            if fate == "request lost":
                continue
            if fate == "crash":
                bench.crash()
            error, offset = send(bench, i, values[i])
            assert error in ("none", "out_of_order_sequence_number")
            if error == "none":
                assert offset == i
                if fate == "arrives":
                    unacked.remove(i)

    written = bench.values()
    assert written == values[: len(written)]
    assert unacked or written == values


def test_the_last_five_batches_are_known_and_an_older_one_is_out_of_order() -> None:
    bench = Bench()
    for sequence in range(6):
        assert send(bench, sequence) == ("none", sequence)

    assert send(bench, 1) == ("none", 1)
    assert send(bench, 0) == ("out_of_order_sequence_number", -1)
    assert send(bench, 7) == ("out_of_order_sequence_number", -1)
    assert bench.cluster.end_offset("t", 0) == 6


def test_the_answer_to_a_duplicate_bears_the_originals_time() -> None:
    bench = Bench()
    first = bench.produce(batch(b"x", pid=PID, epoch=0, sequence=0))
    again = bench.produce(batch(b"x", pid=PID, epoch=0, sequence=0))

    assert first.log_append_time is None
    assert again.log_append_time.timestamp() * 1000 == START_MS


def test_an_old_epoch_is_refused_and_a_new_one_starts_at_zero() -> None:
    bench = Bench()
    assert send(bench, 0, epoch=1) == ("none", 0)

    assert send(bench, 1, epoch=0) == ("invalid_producer_epoch", -1)
    assert send(bench, 1, epoch=2) == ("out_of_order_sequence_number", -1)
    assert send(bench, 0, epoch=2) == ("none", 1)


def test_an_unknown_producer_may_start_anywhere_so_a_forgotten_batch_is_written_twice() -> None:
    bench = Bench({"retention.ms": "-1"})
    assert send(bench, 41) == ("none", 0)
    bench.pass_ms(DAY_MS + 600_000)

    assert send(bench, 41) == ("none", 1)


def test_sequences_wrap() -> None:
    bench = Bench()
    last = Batch(tuple((None, b"%d" % i, (), START_MS) for i in range(3)), PID, 0, 2**31 - 2)
    assert last.last_sequence == 0
    assert bench.produce(last).error_code.name == "none"

    assert send(bench, 1) == ("none", 3)


def test_of_what_is_known_of_a_producer_only_its_last_batch_survives_a_restart() -> None:
    bench = Bench()
    for sequence in range(3):
        send(bench, sequence)
    assert send(bench, 1) == ("none", 1)
    bench.crash()

    assert send(bench, 2) == ("none", 2)
    assert send(bench, 1) == ("out_of_order_sequence_number", -1)
    assert send(bench, 4) == ("out_of_order_sequence_number", -1)
    assert send(bench, 3) == ("none", 3)


def test_a_restart_forgets_producers_who_are_idle_by_the_times_of_their_batches() -> None:
    bench = Bench({"retention.ms": "-1"})
    assert send(bench, 0) == ("none", 0)
    bench.now_ms += DAY_MS
    bench.crash()

    assert send(bench, 0) == ("none", 1)


def test_each_broker_gives_out_producer_ids_of_its_own() -> None:
    bench = Bench()
    blocks = [bench.cluster.image.producer_ids() for _ in range(2)]

    assert blocks[0][-1] < blocks[1][0]


def test_after_a_batch_without_an_epoch_any_sequence_is_taken() -> None:
    bench = Bench()
    assert send(bench, 0, epoch=-1) == ("none", 0)
    assert send(bench, 0, epoch=-1) == ("none", 0)  # the same again
    assert send(bench, 7, epoch=-1) == ("none", 1)
    assert send(bench, 3) == ("none", 2)
    assert send(bench, 9) == ("out_of_order_sequence_number", -1)
