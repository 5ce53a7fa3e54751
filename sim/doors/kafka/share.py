"""`ShareConsumer` behind the door: the real one outside a world, refused inside."""

from typing import Any

from sim.errors import Unmodelled
from sim.kafka.client.wheel import real
from sim.process import running


class ShareConsumer:
    """Stands for the consumer of share groups (KIP-932), which nobody simulates."""

    def __new__(cls, *args: Any, **named: Any) -> Any:
        """Return the real one, outside a world."""
        if running() is not None:
            raise Unmodelled("ShareConsumer is not modelled: there are no share groups")
        return real.ShareConsumer(*args, **named)
