"""Matching: pairs the effects of two neighbouring hops and returns what does not pair.

Amounts of the result are "later hop minus earlier hop": their sum is exactly the difference of
the two hops' control totals, in every asset and in the count.
"""

from typing import NamedTuple

from reports.reconcile.codes import Kind
from reports.reconcile.hops import Item


class Mismatch(NamedTuple):
    """Something that two hops do not agree on."""

    kind: Kind
    before: Item | None
    after: Item | None

    @property
    def item(self) -> Item:
        """The effect it is about."""
        item = self.before or self.after
        assert item is not None
        return item

    @property
    def amount(self) -> int:
        """What the later hop has too much (+) or too little (-)."""
        after = self.after.delta if self.after else 0
        return after - (self.before.delta if self.before else 0)

    @property
    def surplus(self) -> int:
        """How many effects the later hop has too many (+) or too few (-)."""
        return (self.after is not None) - (self.before is not None)


def match(before: list[Item], after: list[Item], *, hashed: bool, seq: bool) -> list[Mismatch]:
    """Pair two hops by request key (with the body's hash if both sides know it)."""
    first, second = 1, 4 if seq else 3
    if hashed:
        left = {item.key: item[first:second] for item in before}
        right = {item.key: item[first:second] for item in after}
        if left == right and len(left) == len(before) and len(right) == len(after):
            return []
    return _match_slowly(before, after, hashed=hashed, seq=seq)


def _match_slowly(
    before: list[Item], after: list[Item], *, hashed: bool, seq: bool
) -> list[Mismatch]:
    groups: dict[tuple[int, str, str], tuple[list[Item], list[Item]]] = {}
    for side, items in enumerate((before, after)):
        for item in items:
            key = item.key if hashed else (item.key[0], item.key[1], "")
            groups.setdefault(key, ([], []))[side].append(item)
    found: list[Mismatch] = []
    for key in sorted(groups):
        left, right = groups[key]
        if len(left) == len(right) == 1 and _same(left[0], right[0], seq=seq):
            continue
        found += _group(left, right, seq=seq)
    return found


def _same(left: Item, right: Item, *, seq: bool) -> bool:
    equal = left.asset_id == right.asset_id and left.delta == right.delta
    return equal and (not seq or left.seq == right.seq)


def _group(left: list[Item], right: list[Item], *, seq: bool) -> list[Mismatch]:
    """Pair what is equal, then what is alike, and call the rest by its name."""
    left, right = list(left), list(right)
    known = bool(left)
    found: list[Mismatch] = []
    for strict in (True, False):
        for item in list(left):
            other = next((o for o in right if _alike(item, o, strict=strict, seq=seq)), None)
            if other is None:
                continue
            left.remove(item)
            right.remove(other)
            if not strict:
                kind: Kind = "altered" if item.delta != other.delta else "moved"
                found.append(Mismatch(kind, item, other))
    found += [Mismatch("missing", item, None) for item in left]
    found += [Mismatch("duplicate" if known else "orphan", None, item) for item in right]
    return found


def _alike(left: Item, right: Item, *, strict: bool, seq: bool) -> bool:
    return _same(left, right, seq=seq) if strict else left.asset_id == right.asset_id
