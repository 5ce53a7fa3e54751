"""Conservation: per asset, what came in minus what went out, against what everybody holds."""

import msgspec

from reports.case import Case
from system.records import LedgerRow


class Conserved(msgspec.Struct, frozen=True, kw_only=True):
    """One asset: accepted deposits and withdrawals, and the total each source arrives at."""

    asset_id: int
    deposits: int
    withdrawals: int
    holdings: dict[str, int]

    @property
    def expected(self) -> int:
        """What all accounts together must hold."""
        return self.deposits - self.withdrawals


def conservation(case: Case) -> list[Conserved]:
    """Add up every asset in every source that can be read."""
    deposits, withdrawals = _decided(case)
    sources = {"events topic": _events(case), "ledger": _ledger(case)}
    if case.log_readable:
        sources = {"log": _log(case), **sources}
    assets = sorted(deposits.keys() | withdrawals.keys() | set().union(*sources.values()))
    return [
        Conserved(
            asset_id=asset,
            deposits=deposits.get(asset, 0),
            withdrawals=withdrawals.get(asset, 0),
            holdings={name: sums.get(asset, 0) for name, sums in sources.items()},
        )
        for asset in assets
    ]


def _decided(case: Case) -> tuple[dict[int, int], dict[int, int]]:
    """Sum the accepted commands as the operations topic words them, not the legs."""
    accepted = {d.key for d in case.decisions if d.accepted}
    if not case.log_readable:
        accepted = {
            (e.user_id, e.request_id, e.body_hash)
            for p in case.published
            if isinstance(e := p.event, LedgerRow)
        }
    deposits: dict[int, int] = {}
    withdrawals: dict[int, int] = {}
    for source in case.inputs:
        if source.transfer and source.key in accepted:
            accepted.discard(source.key)
            if not source.delta:
                continue  # an order or a cancel: it moves nothing into the system or out of it
            side = deposits if source.delta > 0 else withdrawals
            asset = source.asset_id
            side[asset] = side.get(asset, 0) + abs(source.delta)
    return deposits, withdrawals


def _log(case: Case) -> dict[int, int]:
    sums: dict[int, int] = {}
    for step in case.steps:
        for leg in step.frame.legs:
            delta = leg.delta_avail + leg.delta_frozen
            sums[leg.asset_id] = sums.get(leg.asset_id, 0) + delta
    return sums


def _events(case: Case) -> dict[int, int]:
    """Take each account's balance after its last event: that is what readers are told."""
    last: dict[tuple[int, int], LedgerRow] = {}
    for published in case.published:
        event = published.event
        if isinstance(event, LedgerRow):
            known = last.get((event.user_id, event.asset_id))
            if known is None or event.seq > known.seq:
                last[event.user_id, event.asset_id] = event
    sums: dict[int, int] = {}
    for row in last.values():
        sums[row.asset_id] = sums.get(row.asset_id, 0) + row.avail + row.frozen
    return sums


def _ledger(case: Case) -> dict[int, int]:
    sums: dict[int, int] = {}
    for (_, asset), rows in case.rows.items():
        sums[asset] = sums.get(asset, 0) + rows[-1].avail + rows[-1].frozen
    return sums
