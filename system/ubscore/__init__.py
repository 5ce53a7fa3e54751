"""UBSCore: the user balance service core, the single source of truth about balances."""

from system.ubscore.core import UBSCore

__all__ = ["UBSCore"]
