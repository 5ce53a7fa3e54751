"""The dump: balances as JSON, for operators who compare them with the ledger."""

import os

import msgspec

from system.log import Log
from system.ubscore.state import State

_encode = msgspec.json.Encoder().encode


def render(state: State, shard: int) -> bytes:
    """Return the state as of its LSN; accounts, partitions and numbers in order."""
    content = {
        "shard": shard,
        "lsn": state.lsn,
        "epoch": state.epoch.counter,
        "epoch_bits": state.epoch.bits,
        "balances": [
            {
                "user_id": user_id,
                "asset_id": asset_id,
                "avail": balance.avail,
                "frozen": balance.frozen,
                "seq": balance.seq,
            }
            for (user_id, asset_id), balance in sorted(state.balances.items())
        ],
        "positions": [
            {"topic": topic, "partition": partition, "next_offset": position.next_offset}
            for (topic, partition), position in sorted(state.positions.items())
        ],
        "outputs": [
            {"topic": topic, "partition": partition, "n": n}
            for (topic, partition), n in sorted(state.numbers.items())
        ],
    }
    return _encode(content)


def write(path: str, content: bytes, log: Log) -> None:
    """Put the dump in place whole. It is a convenience: failing to write it stops nothing."""
    try:
        with open(path + ".tmp", "wb") as file:
            file.write(content)
        os.rename(path + ".tmp", path)
    except OSError as error:
        log.warning("dump_failed", path=path, detail=str(error))
    else:
        log.info("dumped", path=path, bytes=len(content))
