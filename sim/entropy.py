"""One seed, many named streams: a draw from one never disturbs another."""

import random
from hashlib import blake2b


class Streams:
    """Names random streams so that one more draw here cannot reshuffle there.

    >>> Streams(7).stream("disk").random() == Streams(7).stream("disk").random()
    True
    >>> Streams(7).stream("disk").random() == Streams(7).stream("network").random()
    False
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """Return the stream called `name`; the same object each time, its draws go on."""
        found = self._streams.get(name)
        if found is None:
            digest = blake2b(f"{self.seed}/{name}".encode(), digest_size=16).digest()
            found = self._streams[name] = random.Random(int.from_bytes(digest))
        return found
