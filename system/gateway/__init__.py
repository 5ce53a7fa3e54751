"""The gateway: HTTP in front of the exchange."""

from system.gateway.program import Gateway

__all__ = ["Gateway"]
