"""Bounds: what the numbers of a record may be."""

from typing import Any


def demand(record: Any, least: float, most: float | None, *names: str) -> None:
    """Demand that the fields `names` lie between `least` and `most` (None: any above)."""
    for name in names:
        value = getattr(record, name)
        if not value >= least or (most is not None and value > most):
            to = "or more" if most is None else f"to {most}"
            raise ValueError(f"{name}={value!r}: it must be {least} {to}")
