"""Compiles the closed filter expression of `domain/filter.py` to a condition, with every value as a parameter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, Protocol, assert_never
from uuid import UUID

from sojourn.domain import filter as f
from sojourn.store.rows import to_micros

Dialect = Literal["sqlite", "postgres"]

_COLUMNS: Final[dict[f.Field, str]] = {
    "id": "s.id",
    "status": "s.status",
    "activity": "s.activity",
    "agent": "s.agent",
    "origin": "s.origin",
    "title": "s.title",
    "external_id": "s.external_id",
    "alias": "s.alias",
    "created_at": "s.created_at",
    "updated_at": "s.updated_at",
    "active_at": "s.active_at",
    "ended_at": "s.ended_at",
    "archived_at": "s.archived_at",
    "revision": "s.revision",
    "turns": "s.turns",
    "stated_status": "s.stated_status",
    "forked_from": "s.forked_from",
    "parent": "s.parent",
    "last_turn": (
        "(SELECT t.status FROM turns t WHERE t.org = s.org AND t.session = s.id"
        " ORDER BY t.first_seq DESC LIMIT 1)"
    ),
    "last_turn_asks": (
        "(SELECT t.open_asks FROM turns t WHERE t.org = s.org AND t.session = s.id"
        " ORDER BY t.first_seq DESC LIMIT 1)"
    ),
    "open_questions": (
        "(SELECT count(*) FROM asks a WHERE a.org = s.org AND a.session = s.id"
        " AND a.status = 'open' AND a.kind <> 'session')"
    ),
    "fence": "s.fence",
    "ended_activity": "s.ended_activity",
    "invoked_at": "(CASE WHEN s.turns > 0 THEN s.active_at END)",
}

_TEXTS: Final[frozenset[f.Field]] = frozenset({"origin", "title", "external_id", "alias", "stated_status"})
_NULLABLE: Final[frozenset[f.Field]] = frozenset(
    {
        "title",
        "external_id",
        "alias",
        "ended_at",
        "archived_at",
        "stated_status",
        "forked_from",
        "parent",
        "invoked_at",
        "last_turn",
        "last_turn_asks",
        "ended_activity",
    }
)

_OPERATORS: Final[dict[f.Operator, str]] = {
    "eq": "=",
    "ne": "<>",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
}


class Binder(Protocol):
    """Takes a value and returns its placeholder."""

    def __call__(self, value: object) -> str: ...


class NumberedBinder:
    """Placeholders `?1`, `?2`, … or `$1`, `$2`, … and the values behind them, in order."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect: Final = dialect
        self._prefix = "?" if dialect == "sqlite" else "$"
        self.values: list[object] = []

    def __call__(self, value: object) -> str:
        match value:
            case datetime():
                self.values.append(to_micros(value))
            case UUID():
                self.values.append(value.bytes)
            case _:
                self.values.append(value)
        return f"{self._prefix}{len(self.values)}"


def condition(where: f.Filter, bind: Binder, dialect: Dialect) -> str:
    match where:
        case f.Compare() | f.Same():
            return _compare(where, bind, dialect)
        case f.OneOf(field, values):
            return _one_of(expression(field, bind, dialect), values, bind) if values else "FALSE"
        case f.HasTag(tag):
            return f"EXISTS (SELECT 1 FROM tags g WHERE g.org = s.org AND g.session = s.id AND g.tag = {bind(tag)})"
        case f.MetadataIs():
            return _metadata(where, bind, dialect)
        case f.All() | f.AnyOf():
            return _joined(where, bind, dialect)
        case f.Not(part):
            return f"NOT COALESCE({condition(part, bind, dialect)}, FALSE)"
        case _:
            assert_never(where)


def expression(of: f.Expression, bind: Binder, dialect: Dialect) -> str:
    """The SQL of a value of the session `s`."""
    match of:
        case f.FacetPath(name, path, kind):
            value = _at("f.data", path, kind, bind, dialect)
            of_session = f"f.org = s.org AND f.session = s.id AND f.dialect = {bind(name)}"
            return f"(SELECT {value} FROM facets f WHERE {of_session})"
        case f.MetadataPath(path, kind):
            return _at("s.metadata", path, kind, bind, dialect)
        case f.Word():
            return _word(of, bind, dialect)
        case f.FirstOf(parts):
            return f"COALESCE({', '.join(expression(part, bind, dialect) for part in parts)})"
        case _:
            return _COLUMNS[of]


def order(of: f.Expression, direction: f.Direction, bind: Binder, dialect: Dialect) -> str:
    """The SQL to sort by, alike in both databases: nulls last, texts by their code points."""
    text = expression(of, bind, dialect) + (_CODE_POINTS if _is_text(of, dialect) else "")
    is_column = not isinstance(of, f.FacetPath | f.MetadataPath | f.Word | f.FirstOf)
    # Where nothing is null, saying so would keep Postgres from reading an index backwards.
    nulls = "" if is_column and of not in _NULLABLE else " NULLS LAST"
    return f"{text} {'DESC' if direction == 'desc' else 'ASC'}{nulls}"


_CODE_POINTS: Final = ' COLLATE "C"'


def _is_text(of: f.Expression, dialect: Dialect) -> bool:
    """Whether it is a text that Postgres would order by the database's locale, and SQLite by code points."""
    if dialect == "sqlite":
        return False
    match of:
        case f.FacetPath() | f.MetadataPath():
            return of.kind != "number"
        case f.Word():
            return True
        case f.FirstOf(parts):
            return _is_text(parts[0], dialect)
        case _:
            return of in _TEXTS


def _at(document: str, path: Sequence[str], kind: f.Kind, bind: Binder, dialect: Dialect) -> str:
    """The value at a path of a JSON document; null where it is not of its kind."""
    if dialect == "postgres":
        place = f"{document}::jsonb #> {bind(list(path))}::text[]"
        value = f"({place} #>> '{{}}')"
        if kind == "any":
            return value
        word, cast = {"text": ("string", ""), "number": ("number", "::numeric"), "boolean": ("boolean", "")}[
            kind
        ]
        return f"CASE WHEN jsonb_typeof({place}) = '{word}' THEN {value}{cast} END"
    place = bind("$" + "".join(f'."{part}"' for part in path))
    value, type = f"json_extract({document}, {place})", f"json_type({document}, {place})"
    match kind:
        case "any":
            return value
        case "text":
            return f"CASE WHEN {type} = 'text' THEN {value} END"
        case "number":
            return f"CASE WHEN {type} IN ('integer', 'real') THEN {value} END"
        case "boolean":
            return f"CASE WHEN {type} IN ('true', 'false') THEN {type} END"


def _word(of: f.Word, bind: Binder, dialect: Dialect) -> str:
    # A parameter in the branch of a CASE gives Postgres no type to go by.
    cast = "::text" if dialect == "postgres" else ""
    whens = [f"WHEN {condition(where, bind, dialect)} THEN {bind(word)}{cast}" for where, word in of.cases]
    otherwise = f"{bind(of.otherwise)}{cast}"
    return f"CASE {' '.join(whens)} ELSE {otherwise} END" if whens else otherwise


def _compare(where: f.Compare | f.Same, bind: Binder, dialect: Dialect) -> str:
    if isinstance(where, f.Same):
        return f"{expression(where.left, bind, dialect)} = {expression(where.right, bind, dialect)}"
    left = expression(where.field, bind, dialect)
    match where.op:
        case "is_null":
            return f"{left} IS NULL"
        case "not_null":
            return f"{left} IS NOT NULL"
        case "like":
            return like(left, str(where.value), bind, dialect)
        case _:
            # Texts are ordered as SQLite does it, by their code points, and not by the database's locale.
            is_ordered = where.op not in ("eq", "ne") and _is_text(where.field, dialect)
            by = _CODE_POINTS if is_ordered else ""
            text = f"{left} {_OPERATORS[where.op]} {bind(where.value)}{by}"
            return f"({text} AND {_IN_INDEX})" if _is_indexed_alias(where) else text


def like(text: str, pattern: str, bind: Binder, dialect: Dialect) -> str:
    """That the SQL text is like the pattern, whatever the case of their letters."""
    if dialect == "postgres":
        return f"{text} ILIKE {bind(pattern)} ESCAPE '\\'"
    # SQLite's LIKE takes only ASCII letters of either case for the same; it needs no help with a pattern of those.
    if pattern.isascii():
        return f"{text} LIKE {bind(pattern)} ESCAPE '\\'"
    return f"lower_unicode({text}) LIKE {bind(pattern.lower())} ESCAPE '\\'"


# The condition of the index of aliases, in its own words: without it no database takes the index.
_IN_INDEX: Final = "length(s.alias) <= 256"


def _is_indexed_alias(where: f.Compare) -> bool:
    is_text = isinstance(where.value, str) and len(where.value) <= 256
    return where.field == "alias" and where.op == "eq" and is_text


def _one_of(left: str, values: Sequence[f.Value], bind: Binder) -> str:
    if len(values) == 1:
        return f"{left} = {bind(values[0])}"
    return f"{left} IN ({', '.join(bind(value) for value in values)})"


def _metadata(where: f.MetadataIs, bind: Binder, dialect: Dialect) -> str:
    key, value = where.key, where.value
    if dialect == "postgres":
        name = bind(key)
        is_text = f"json_typeof(s.metadata -> {name}::text) = 'string'"
        return f"({is_text} AND s.metadata ->> {name}::text = {bind(value)})"
    # json_each compares the key as a string; a path expression would read dots and quotes in it.
    return (
        "EXISTS (SELECT 1 FROM json_each(s.metadata) m"
        f" WHERE m.key = {bind(key)} AND m.type = 'text' AND m.value = {bind(value)})"
    )


def _joined(where: f.All | f.AnyOf, bind: Binder, dialect: Dialect) -> str:
    parts, is_all = where.parts, isinstance(where, f.All)
    if not parts:
        return "TRUE" if is_all else "FALSE"
    word = " AND " if is_all else " OR "
    return "(" + word.join(condition(part, bind, dialect) for part in parts) + ")"
