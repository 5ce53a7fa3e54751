"""A disk: a page cache over durable sectors, which a power loss leaves as real drives do.

**Faithful**: writes are visible at once and durable when synced; of what is not synced a power
loss keeps any part: of each sector the old or any newer content (torn within a sector in profile
``weak``), the size before its data (as zeros or garbage) where the profile allows, directory
operations in order or in any subset, replaced files and unlinked ones back again. A sync covers
what was written before it began. A failed sync marks pages clean that are not durable, keeps
them readable until power fails, and is reported once to each open file. Space runs out in the
middle of a write. Bad sectors and flipped bits stay until written over. Two processes may write
one file.
**Simplified**: nothing becomes durable by itself (un-synced data may survive a power loss, but
is never certain to); of one file, sizes survive in order. Holes take space, directories none.
A drive does not lie about flushing, misdirect or lose acknowledged writes; neighbours of a
written sector stay intact. Bad sectors hide behind no cache. Times of files survive. Everything
belongs to one user. No symbolic links, quotas or extended attributes. A sector that is written
to before an undecided one of it was read is decided then.
Sources: see `sim.disk.profile`.
"""

from sim.disk.chance import Chance, Chosen, Drawn
from sim.disk.damage import BYTES_KEPT, Damage, FileDamage, Interrupted
from sim.disk.disk import Disk
from sim.disk.inode import Inode
from sim.disk.profile import PAGE, PROFILES, SECTOR, Profile
from sim.disk.trouble import Rule

__all__ = [
    "BYTES_KEPT",
    "PAGE",
    "PROFILES",
    "SECTOR",
    "Chance",
    "Chosen",
    "Damage",
    "Disk",
    "Drawn",
    "FileDamage",
    "Inode",
    "Interrupted",
    "Profile",
    "Rule",
]
