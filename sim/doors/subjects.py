"""What moments call a CQL statement, in a simulated world and around a real program alike."""

import re

_SUBJECT = re.compile(
    r"\s*(?:(INSERT)\s+INTO|(UPDATE)|(SELECT|DELETE)\b.*?\bFROM|(\w+).*?)\s+(?:[\w\"]+\.)?\"?(\w+)",
    re.IGNORECASE | re.DOTALL,
)


def subject_of(text: str) -> str:
    """Return verb and table of a statement.

    >>> subject_of("INSERT INTO wavetank.balance_ledger (user_id) VALUES (?)")
    'INSERT balance_ledger'
    """
    match = _SUBJECT.match(text)
    if match is None:
        return text.split(maxsplit=1)[0].upper() if text.split() else ""
    verb = next(word for word in match.groups()[:4] if word)
    return f"{verb.upper()} {match[5]}"
