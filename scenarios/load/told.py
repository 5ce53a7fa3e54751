"""What programs are told besides: ``settlement.gather_ms=10``, checked as the program will."""

import json
from collections.abc import Iterable
from typing import Any, get_type_hints

import msgspec

from scenarios.errors import UsageError
from system.engine.settings import Matching
from system.gateway.config import Http
from system.settlement.config import Work
from system.ubscore.settings import Core

Told = tuple[tuple[str, str], ...]  # role, and a line of its section

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "gateway": Http,
    "ubscore": Core,
    "engine": Matching,
    "settlement": Work,
}
_OURS = frozenset(  # what the deployment itself says
    ("host", "port", "group", "data", "shard", "shards", "instance", "instances", "idle_ms")
)


def told(texts: Iterable[str]) -> Told:
    """Read settings from a command line; each may stand there once."""
    lines = {}
    for text in texts:
        role, key, line = _read(text)
        if (role, key) in lines:
            raise UsageError(f"--set {role}.{key} is there twice")
        lines[role, key] = line
    return tuple((role, line) for (role, _), line in lines.items())


def over(before: Told, more: Told) -> Told:
    """Return what a deployment tells its programs, where `more` counts before that."""
    keys = {(role, _key(line)) for role, line in more}
    return (*((role, line) for role, line in before if (role, _key(line)) not in keys), *more)


def _read(text: str) -> tuple[str, str, str]:
    name, equals, value = text.partition("=")
    role, dot, key = name.strip().partition(".")
    if not (equals and dot):
        raise UsageError(f"--set {text}: write SECTION.KEY=VALUE: settlement.concurrency=128")
    if role not in SECTIONS:
        raise UsageError(f"--set {text}: the sections are {', '.join(SECTIONS)}")
    types = get_type_hints(SECTIONS[role], include_extras=True)
    known = sorted(types.keys() - _OURS)
    if key not in known:
        raise UsageError(f"--set {text}: keys of [{role}] are {', '.join(known)}")
    try:
        found: Any = msgspec.convert(value.strip(), types[key], strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"--set {text}: {error}") from None
    return role, key, f"{key} = {json.dumps(found)}"


def _key(line: str) -> str:
    return line.partition("=")[0].strip()
