"""``python -m scenarios`` is ``wavetank``."""

from scenarios.cli import main

main()
