"""The leaves of the grammar's tree: names, types and literals as plain values."""

from collections.abc import Iterator
from typing import Any

from lark import Token, Tree

from sim.scylla.cql.statements import Name, Selector, TypeName
from sim.scylla.errors import Invalid, SyntaxFault

Node = Tree[Token]

# Reserved words of CQL 3.3 that may not be names without quotes.
_RESERVED_WORDS = """add allow alter and any apply asc authorize batch begin by columnfamily create
    default delete desc describe drop entries execute from full grant if in index inet infinity
    insert into is keyspace limit materialized mbean modify nan norecursive not null of on or order
    password primary rename replace revoke schema scylla_clustering_bound select set table to
    token truncate unlogged unset update use using view where with"""
RESERVED = frozenset(_RESERVED_WORDS.split())


def trees(tree: Node | None) -> Iterator[Node]:
    """Yield the children that are trees."""
    for child in tree.children if tree is not None else ():
        assert isinstance(child, Tree)
        yield child


def name_of(tree: Any) -> str:
    """Return a name, folded to lower case unless quoted."""
    token = tree.children[0]
    if token.type == "QUOTED":
        return str(token)[1:-1].replace('""', '"')
    name = token.lower()
    if name in RESERVED:
        raise SyntaxFault(
            f"line {token.line}:{token.column - 1} no viable alternative at input '{token}'"
        )
    return str(name)


def names_of(tree: Any) -> tuple[str, ...]:
    """Return the names in a list of names."""
    return tuple(name_of(child) for child in tree.children)


def table_of(tree: Node) -> Name:
    """Return a table's name."""
    first, second = tree.children
    if second is None:
        return Name(None, name_of(first))
    return Name(name_of(first), name_of(second))


def type_of(tree: Any) -> TypeName:
    """Return a type as written."""
    first, *parameters = tree.children
    if not isinstance(first, Tree):
        raise Invalid(f"custom types are not modelled: {first}")
    inner = [item for item in parameters if isinstance(item, Tree)]
    name = "set" if str(first.children[0]).lower() == "set" else name_of(first)
    return TypeName(name, tuple(map(type_of, inner)))


def ordering_of(tree: Any) -> tuple[str, bool]:
    """Return a column and whether it is descending."""
    name, direction = tree.children
    return name_of(name), direction is not None and str(direction).lower() == "desc"


def selector_of(tree: Any) -> Selector:
    """Return one selector of a SELECT."""
    what, alias = tree.children
    as_name = name_of(alias) if alias is not None else ""
    if what.data != "call":
        return Selector("", name_of(what), as_name)
    function, argument = what.children[0], what.children[1] if len(what.children) > 1 else None
    inner = name_of(argument) if isinstance(argument, Tree) else str(argument or "")
    return Selector(name_of(function), inner, as_name)


def unquoted(token: Token) -> str:
    """Return the text of a literal."""
    if token.type == "STRING":
        return token[2:-2] if token.startswith("$$") else token[1:-1].replace("''", "'")
    return str(token)
