"""The matching engine: order books, and nothing about balances."""

from system.engine.program import Engine

__all__ = ["Engine"]
