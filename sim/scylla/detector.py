"""The failure detector: a peer that answered no echo for 20 s is taken for dead.

**Faithful** (Scylla's direct failure detector): every node asks every other every 2 s, an answer
proves both directions, and `failure_detector_timeout_in_ms` is 20 s; a crashed process is thus
taken for alive for up to 20 s, like a cut one; one that answers again is up at once.
**Simplified**: every answer counts as an echo; there is no gossip about third nodes, each trusts
what it saw; a node that starts takes its peers for alive until 20 s have passed.
"""

from sim.scylla.links import Links
from sim.scylla.machinery import Machinery
from sim.scylla.peers import PeerMessage, State

SECOND = 10**9
BEAT_NS = 2 * SECOND
DOWN_AFTER_NS = 20 * SECOND
_QUIET_NS = 3 * SECOND // 2  # an answer younger than this makes an echo needless

KEY = "echo"


class Detector:
    """What one node believes about the others."""

    def __init__(self, machinery: Machinery, links: Links, names: list[str]) -> None:
        self.machinery = machinery
        self.links = links
        self.names = names
        self.down_since: dict[str, int] = {}
        self._heard = dict.fromkeys(names, machinery.elapsed)

    def alive(self, name: str) -> bool:
        """Whether the node called `name` is believed to be up (this node itself always is)."""
        return name not in self.down_since

    def heard(self, name: str) -> bool:
        """Note an answer of `name`; True if it was believed to be down."""
        self._heard[name] = self.machinery.elapsed
        return self.down_since.pop(name, None) is not None

    def beat(self, state: State) -> list[str]:
        """Ask everybody who was quiet; return who is down as of now."""
        machinery = self.machinery
        now = machinery.elapsed
        newly_down = []
        for name in self.names:
            quiet = now - self._heard[name]
            if quiet > DOWN_AFTER_NS and name not in self.down_since:
                self.down_since[name] = now
                newly_down.append(name)
            if quiet >= _QUIET_NS:
                self.tell(name, state)
        machinery.alarm(KEY, now + BEAT_NS)
        return newly_down

    def tell(self, name: str, state: State) -> None:
        """Ask `name` for an echo, telling it our state."""
        self.links.ask(name, PeerMessage("Echo", self.machinery.new_id(), state), BEAT_NS)
