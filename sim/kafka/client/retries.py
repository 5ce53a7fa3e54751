"""What becomes of a batch that was refused or not answered: sent again, given up, or fatal.

Source: rdkafka_request.c (`rd_kafka_handle_Produce_error`), rdkafka_msg.c. **Faithful**: classes of
errors and whether they count against `retries`; a backoff that doubles up to
`retry.backoff.max.ms`, with 20 % jitter; a message whose time is over when its batch fails is not
sent again; after a fatal error nothing is.
**Simplified**: a batch that was to be sent again when the fatal error came is always reported as
purged; the library's threads race to it, and it may be taken for delivered with one behind it.
"""

from typing import TYPE_CHECKING

from sim.kafka.client import codes
from sim.kafka.client.idempotence import Judgement, judge, judge_idempotent
from sim.kafka.client.outgoing import Outgoing, Sent
from sim.kafka.client.wheel import text_of

if TYPE_CHECKING:
    from sim.kafka.client.producer import Producer

_EXPONENT_MAX = 20


def failed(producer: "Producer", queue: Outgoing, sent: Sent, code: int) -> None:
    """Do with a batch that was refused or not answered what its error calls for."""
    if producer.settings.idempotent:
        verdict = judge_idempotent(code, sent, queue, gapless=producer.settings.gapless)
    else:
        verdict = judge(code)
    if verdict.refresh:
        producer.metadata.refresh()
    if verdict.delivered:
        producer.delivered(queue, sent, -1, -1)
        return
    queue.draining = queue.draining or verdict.drain
    if verdict.bump:
        producer.identity.bump()
    if verdict.retry:
        _retry(producer, queue, sent, code, verdict)
        return
    producer.give_report(queue.topic, queue.index, sent.messages, code)
    if verdict.fatal:
        producer.die(code, f"ProduceRequest for {queue.topic} [{queue.index}]: {text_of(code)}")


def _retry(
    producer: "Producer", queue: Outgoing, sent: Sent, code: int, verdict: Judgement
) -> None:
    """Put messages back in the queue, to be sent again after a while; give up what is too old."""
    settings = producer.settings
    now = producer.kernel.now
    jitter = producer.random.uniform(0.8, 1.2)
    expired, given_up, again = [], [], []
    for message in sent.messages:
        if message.deadline <= now:
            expired.append(message)
            continue
        if verdict.counted and message.retries >= settings.retries:
            given_up.append(message)
            continue
        message.retries += verdict.counted
        exponent = min(max(message.retries - 1, 0), _EXPONENT_MAX)
        wait = int(settings.retry_backoff * 2**exponent * jitter)
        message.retry_at = now + min(wait, settings.retry_backoff_max)
        again.append(message)
    producer.undelivered(queue, expired, codes.MSG_TIMED_OUT)
    if given_up:
        timed_out = code in {codes.TIMED_OUT, codes.TIMED_OUT_QUEUE}
        last = codes.MSG_TIMED_OUT if timed_out else code
        producer.undelivered(queue, given_up, last)
    if producer.fatal is not None:
        producer.undelivered(queue, again, codes.PURGE_QUEUE)
        return
    queue.again(again)
