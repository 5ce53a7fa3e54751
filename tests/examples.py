"""The examples in documents: each file named before a block of Python, and the block."""

import re

_EXAMPLE = re.compile(r"`([a-z0-9_/]+\.py)`:\n\n```python\n(.*?)```\n", flags=re.DOTALL)


def examples(text: str) -> list[tuple[str, str]]:
    """Return path and source of every file that a document has whole."""
    return _EXAMPLE.findall(text)
