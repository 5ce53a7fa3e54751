"""What must not be imported: it costs time, and nobody needs it."""

import sys


def spare() -> None:
    """Keep kio from importing Hypothesis, which it does wherever it is installed.

    That costs half a second and leaves a folder ``.hypothesis`` wherever one happens to be. Who has
    imported it already keeps it.
    """
    sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]
