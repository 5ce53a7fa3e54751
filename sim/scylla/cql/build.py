"""From the grammar's tree to a statement, in the order of the text (markers are numbered so)."""

from typing import Any

from lark import Token, Tree

from sim.scylla.cql.statements import (
    Batch,
    Call,
    Constant,
    CreateKeyspace,
    CreateTable,
    Delete,
    DropKeyspace,
    DropTable,
    Insert,
    Mapping,
    Marker,
    Relation,
    Select,
    Sequence,
    Statement,
    Term,
    Truncate,
    TypeName,
    Update,
    Use,
)
from sim.scylla.cql.tree import (
    Node,
    name_of,
    names_of,
    ordering_of,
    selector_of,
    table_of,
    trees,
    type_of,
    unquoted,
)
from sim.scylla.errors import Invalid, SyntaxFault

_CONSTANTS = {
    "integer": "integer",
    "decimal": "float",
    "string": "string",
    "uuid": "uuid",
    "blob": "blob",
}
_NO_CONDITIONS = "lightweight transactions (IF ...) are not modelled yet"


class Builder:
    """Builds one statement."""

    def __init__(self) -> None:
        self.markers = 0

    def statement(self, start: Node) -> Statement:
        """Return the statement under the root of a tree."""
        tree = start.children[0]
        assert isinstance(tree, Tree)
        built: Statement = getattr(self, f"_{tree.data}")(*tree.children)
        return built

    # data definition

    def _use(self, name: Node) -> Use:
        return Use(keyspace=name_of(name))

    def _truncate(self, table: Node) -> Truncate:
        return Truncate(table=table_of(table))

    def _drop_keyspace(self, if_exists: Node | None, name: Node) -> DropKeyspace:
        return DropKeyspace(name=name_of(name), if_exists=if_exists is not None)

    def _drop_table(self, if_exists: Node | None, table: Node) -> DropTable:
        return DropTable(name=table_of(table), if_exists=if_exists is not None)

    def _create_keyspace(self, guard: Node | None, name: Node, *properties: Node) -> CreateKeyspace:
        return CreateKeyspace(
            name=name_of(name),
            if_not_exists=guard is not None,
            properties=tuple(self._property(item) for item in properties),
        )

    def _create_table(self, guard: Node | None, table: Node, *rest: Node | None) -> CreateTable:
        *items, options = rest
        columns: list[tuple[str, TypeName]] = []
        keys: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        for item in items:
            assert item is not None
            if item.data == "primary_key":
                first, *others = item.children
                keys.append((names_of(first), tuple(map(name_of, others))))
                continue
            name, kind, static, inline = item.children
            if static is not None:
                raise Invalid("static columns are not modelled yet")
            columns.append((name_of(name), type_of(kind)))
            if inline is not None:
                keys.append(((name_of(name),), ()))
        if len(keys) != 1:
            wrong = "Multiple PRIMARY KEYs specified" if keys else "No PRIMARY KEY specified"
            raise Invalid(f"{wrong} (exactly one required)")
        ordering, properties = self._options(options)
        return CreateTable(
            name=table_of(table),
            if_not_exists=guard is not None,
            columns=tuple(columns),
            partition_key=keys[0][0],
            clustering_key=keys[0][1],
            ordering=ordering,
            properties=properties,
        )

    def _options(
        self, tree: Node | None
    ) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, Term], ...]]:
        ordering: tuple[tuple[str, bool], ...] = ()
        properties = []
        for option in trees(tree):
            if option.data == "property":
                properties.append(self._property(option))
            elif option.data == "clustering_order":
                ordering = tuple(ordering_of(item) for item in trees(option))
            else:
                raise Invalid("COMPACT STORAGE is not modelled")
        return ordering, tuple(properties)

    def _property(self, tree: Node) -> tuple[str, Term]:
        name, value = tree.children
        return name_of(name), self._term(value)

    # data

    def _batch(self, kind: Token | None, using: Node | None, *parts: Node) -> Batch:
        timestamp = self._timestamp(using)
        built: list[Any] = [getattr(Builder(), f"_{part.data}")(*part.children) for part in parts]
        return Batch(
            kind=str(kind).upper() if kind else "LOGGED",  # type: ignore[arg-type]
            parts=tuple(built),
            timestamp=timestamp,
            markers=self.markers + sum(part.markers for part in built),
        )

    def _insert(
        self, table: Node, names: Node, terms: Node, guard: Node | None, using: Node | None
    ) -> Insert:
        columns = names_of(names)
        values = tuple(self._term(term) for term in terms.children)
        if len(columns) != len(values):
            raise Invalid("Unmatched column names/values")
        timestamp = self._timestamp(using)
        if guard is not None:
            raise Invalid(_NO_CONDITIONS)
        return Insert(
            table=table_of(table),
            columns=columns,
            values=values,
            timestamp=timestamp,
            markers=self.markers,
        )

    def _update(self, table: Node, using: Node | None, *rest: Node | None) -> Update:
        *assignments, where, condition = rest
        timestamp = self._timestamp(using)
        pairs: list[tuple[str, Term]] = []
        for assignment in assignments:
            assert assignment is not None
            name, value = assignment.children
            if any(name_of(name) == other for other, _ in pairs):
                raise SyntaxFault(f"Multiple incompatible setting of column {name_of(name)}")
            pairs.append((name_of(name), self._term(value)))
        relations = self._relations(where)
        _refuse_condition(condition)
        return Update(
            table=table_of(table),
            assignments=tuple(pairs),
            where=relations,
            timestamp=timestamp,
            markers=self.markers,
        )

    def _delete(
        self,
        columns: Node | None,
        table: Node,
        using: Node | None,
        where: Node,
        condition: Node | None,
    ) -> Delete:
        timestamp = self._timestamp(using)
        relations = self._relations(where)
        _refuse_condition(condition)
        return Delete(
            table=table_of(table),
            columns=names_of(columns) if columns is not None else (),
            where=relations,
            timestamp=timestamp,
            markers=self.markers,
        )

    def _select(
        self,
        distinct: Node | None,
        selection: Node,
        table: Node,
        where: Node | None,
        order: Node | None,
        limit: Node | Token | None,
        filtering: Node | None,
    ) -> Select:
        if distinct is not None:
            raise Invalid("SELECT DISTINCT is not modelled yet")
        relations = self._relations(where)
        count = None if limit is None else _number(self._term(limit.children[0]))  # type: ignore[union-attr]
        if filtering is not None:
            raise Invalid("ALLOW FILTERING is not modelled yet")
        return Select(
            table=table_of(table),
            selectors=tuple(selector_of(tree) for tree in trees(selection)),
            where=relations,
            ordering=tuple(ordering_of(item) for item in trees(order)),
            limit=count,
            markers=self.markers,
        )

    def _timestamp(self, using: Node | None) -> Term | None:
        found: Term | None = None
        for part in trees(using):
            name, value = part.children
            term = self._term(value)
            if name_of(name) in {"ttl", "timeout"}:
                raise Invalid(f"USING {name_of(name).upper()} is not modelled yet")
            if name_of(name) != "timestamp" or isinstance(found, Marker):
                raise SyntaxFault(f"no viable alternative at input '{name_of(name)}'")
            found = _number(term)  # the last one counts
        return found

    def _relations(self, tree: Node | None) -> tuple[Relation, ...]:
        return tuple(self._relation(item) for item in trees(tree))

    def _relation(self, tree: Node) -> Relation:
        if tree.data == "token_relation":
            names, operator, term = tree.children
            return Relation("", str(operator), self._term(term), names_of(names))
        name = name_of(tree.children[0])
        if tree.data == "in_terms":
            terms = tree.children[1]
            found = terms.children if isinstance(terms, Tree) else []
            return Relation(name, "IN", tuple(self._term(term) for term in found))
        if tree.data == "in_marker":
            return Relation(name, "IN", self._term(tree.children[1]))
        return Relation(name, str(tree.children[1]), self._term(tree.children[2]))

    def _term(self, tree: Any) -> Term:
        kind, children = str(tree.data), tree.children
        if kind in _CONSTANTS:
            return Constant(_CONSTANTS[kind], unquoted(children[0]))  # type: ignore[arg-type]
        if kind in {"positional", "named"}:
            self.markers += 1
            return Marker(self.markers - 1, children[0][1:].lower() if children else "")
        if kind in {"true", "false"}:
            return Constant("boolean", kind)
        if kind == "null":
            return Constant("null", "")
        if kind == "function":
            return Call(name_of(children[0]), "")
        return self._collection(kind, children)

    def _collection(self, kind: str, children: list[Any]) -> Term:
        if children and children[0] is not None and children[0].data == "entry":
            return Mapping(
                tuple(
                    (self._term(entry.children[0]), self._term(entry.children[1]))
                    for entry in children
                )
            )
        terms = children[0].children if children and children[0] is not None else []
        items = tuple(self._term(term) for term in terms)
        return Sequence("list" if kind == "list" else "set", items)


def _number(term: Term) -> Term:
    if isinstance(term, Marker) or (isinstance(term, Constant) and term.kind == "integer"):
        return term
    raise SyntaxFault("no viable alternative at input: a whole number or a marker is due")


def _refuse_condition(condition: Node | None) -> None:
    if condition is not None:
        raise Invalid(_NO_CONDITIONS)
