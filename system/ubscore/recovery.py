"""Recovery: what the log adds to a snapshot, and what of it Kafka has not acknowledged."""

from collections.abc import Callable

from system.errors import Halt
from system.log import Log
from system.outbox import Outbox
from system.ubscore.state import State
from system.wal.frames import AnyBody, AnyFrame
from system.wal.reader import Contents


def replay(
    contents: Contents,
    state: State,
    outbox: Outbox,
    fold: Callable[[int, AnyBody], None],
    keep: Callable[[int, AnyFrame], None],
) -> None:
    """Fold the frames behind the snapshot; of those before it keep what is not acknowledged.

    Halts if the log ends before the snapshot, or begins behind what must be published again.
    """
    covered = state.lsn
    if contents.last_lsn < covered:
        raise Halt(
            "log_damaged",
            f"the log ends at LSN {contents.last_lsn}, but the snapshot holds LSN {covered}:"
            " frames that were synced are gone; restore the directory from its disk",
        )
    outbox.acknowledged(state.mark)
    for frame in contents.frames:
        if frame.lsn > covered:
            fold(frame.lsn, frame.body)
        elif frame.lsn > state.mark.lsn:
            body = frame.body
            if isinstance(body, AnyFrame):
                keep(frame.lsn, body)
    if contents.last_lsn == covered:
        outbox.keep(covered, ())
    first = contents.headers[0].first_lsn
    if first > state.mark.lsn + 1:
        raise Halt(
            "log_gap",
            f"the log begins at LSN {first}, but outputs are acknowledged only up to LSN"
            f" {state.mark.lsn}: what lies between cannot be published again",
        )


def refuse_newer(contents: Contents, newest: int) -> None:
    """Halt at a frame of a format version that the deployment has not agreed on."""
    for frame in contents.frames:
        if frame.format > newest:
            raise Halt(
                "log_version",
                f"{frame.file} offset {frame.offset} (LSN {frame.lsn}): the frame has"
                f" format version {frame.format}, this deployment has agreed on {newest};"
                " set formats.version",
            )


def say(contents: Contents, log: Log, lsn: int) -> None:
    """Warn of what a crash tore off."""
    torn = contents.torn
    if torn is not None:
        log.warning("torn_tail", file=torn.file, offset=torn.offset, bytes=torn.size, lsn=lsn)
