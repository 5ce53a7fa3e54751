"""What `python -m sim.tcp kafka` is made of."""

from sim.tcp import process
from sim.tcp.kafka.config import Config
from sim.tcp.kafka.serve import main as serve

__all__ = ["load", "serve"]


def load(path: str) -> Config:
    """Read a configuration."""
    return process.load(Config, path).checked()
