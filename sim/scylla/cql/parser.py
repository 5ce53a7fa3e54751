"""The parser: CQL text to a statement, once per text.

**Faithful**: errors carry the class and the shape of Scylla's messages (``line 1:41 no viable
alternative at input 'x'``); names fold to lower case unless quoted; reserved words need quotes.
**Simplified**: what the grammar lacks is refused by name, never ignored: lightweight
transactions, ALTER, types, indexes, views, functions, roles, TTL, static columns, JSON, DISTINCT,
GROUP BY, ALLOW FILTERING, tuples in WHERE, token() elsewhere.
"""

import re
from functools import lru_cache
from importlib.resources import files

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput

from sim.scylla.cql.build import Builder
from sim.scylla.cql.statements import Statement
from sim.scylla.errors import CqlError, Invalid, SyntaxFault

_CACHED_TEXTS = 4096

# Good CQL that nobody models yet: how such a statement begins, and what it is called.
_NOT_MODELLED = tuple(
    (re.compile(begin, re.IGNORECASE), name)
    for begin, name in (
        (r"alter\b", "ALTER"),
        (r"(create|drop)\s+(custom\s+)?index\b", "indexes"),
        (r"(create|alter|drop|prune)\s+materialized\b", "materialized views"),
        (r"(create|alter|drop)\s+type\b", "user-defined types"),
        (r"(create|drop)\s+(or\s+replace\s+)?(function|aggregate)\b", "user-defined functions"),
        (r"(create|alter|drop)\s+(role|user)\b", "roles"),
        (r"(grant|revoke|list)\b", "permissions"),
        (r"desc(ribe)?\b", "DESCRIBE"),
        (r"select\s+json\b|insert\s+into\s+\S+\s+json\b", "JSON"),
    )
)
_PIECE = re.compile(
    r"--[^\n]*|//[^\n]*|/\*.*?\*/"
    r"|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$\$.*?\$\$"
    r"|;",
    re.DOTALL,
)


def parse(text: str) -> Statement:
    """Return the statement, or raise what a node answers to text it does not take."""
    found = _parse(text)
    if isinstance(found, CqlError):
        raise type(found)(found.message)
    return found


def split(script: str) -> list[str]:
    """Return the statements of a script; strings, quoted names and comments may hold ``;``."""
    statements, start, kept = [], 0, ""
    for piece in _PIECE.finditer(script):
        if piece[0] == ";" or piece[0][:2] in {"--", "//", "/*"}:
            kept += script[start : piece.start()]
            start = piece.end()
        if piece[0] == ";":
            statements.append(kept.strip())
            kept = ""
    statements.append((kept + script[start:]).strip())
    return [statement for statement in statements if statement]


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    """Build the tables when the first statement comes: 70 ms, once per interpreter."""
    text = files("sim.scylla.cql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=_CACHED_TEXTS)
def _parse(text: str) -> Statement | CqlError:
    for begin, name in _NOT_MODELLED:
        if begin.match(text.lstrip()):
            return Invalid(f"not modelled yet: {name}")
    try:
        return Builder().statement(_grammar().parse(text))
    except UnexpectedInput as error:
        return _syntax(error)
    except CqlError as error:
        return error.with_traceback(None)


def _syntax(error: UnexpectedInput) -> SyntaxFault:
    if isinstance(error, UnexpectedCharacters):
        seen = error.char
    else:
        token = getattr(error, "token", None)
        seen = str(token) if isinstance(token, Token) and token else "<EOF>"
    line, column = max(error.line, 1), max(error.column - 1, 0)
    return SyntaxFault(f"line {line}:{column} no viable alternative at input '{seen}'")
