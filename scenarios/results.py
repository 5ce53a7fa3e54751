"""What one run came to: small enough to send by the ten thousand from workers to a campaign."""

from typing import Literal

import msgspec

Verdict = Literal["held", "broken", "unknown", "nondeterministic"]


class Broken(msgspec.Struct, frozen=True):
    """One break, short: the whole of it stands in the run's report."""

    invariant: str
    code: str
    text: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one seed.

    `planned` and `bitten` count fault kinds; `reached` names the ``sometimes`` goals; `error`
    says why there is no verdict. `killed` counts programs killed, by moment, `killed_starting`
    those that were not ready yet; `rows` are ledger rows that agree with every hop before them,
    and `moved` what they moved, up or down, per asset in raw integers.
    """

    scenario: str
    seed: int
    verdict: Verdict
    digest: str
    breaks: tuple[Broken, ...] = ()
    halts: tuple[str, ...] = ()
    planned: dict[str, int] = {}
    bitten: dict[str, int] = {}
    crashes: int = 0
    operations: int = 0
    killed: dict[str, int] = {}
    killed_starting: int = 0
    rows: int = 0
    moved: dict[int, int] = {}
    reached: tuple[str, ...] = ()
    events: int = 0
    virtual_ns: int = 0
    real_ns: int = 0
    error: str = ""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Result).decode
