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
    "created_at": "s.created_at",
    "updated_at": "s.updated_at",
    "active_at": "s.active_at",
    "ended_at": "s.ended_at",
    "archived_at": "s.archived_at",
}

_TEXTS: Final[frozenset[f.Field]] = frozenset({"origin", "title", "external_id"})

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
        case f.Compare():
            return _compare(where, bind, dialect)
        case f.OneOf(field, values):
            return _one_of(_COLUMNS[field], values, bind)
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


def _compare(where: f.Compare, bind: Binder, dialect: Dialect) -> str:
    column = _COLUMNS[where.field]
    match where.op:
        case "is_null":
            return f"{column} IS NULL"
        case "not_null":
            return f"{column} IS NOT NULL"
        case "like":
            # SQLite's LIKE takes ASCII letters of either case for the same.
            word = "ILIKE" if dialect == "postgres" else "LIKE"
            return f"{column} {word} {bind(where.value)} ESCAPE '\\'"
        case _:
            # Texts are ordered as SQLite does it, by their code points, and not by the database's locale.
            is_text = dialect == "postgres" and where.field in _TEXTS and where.op not in ("eq", "ne")
            order = ' COLLATE "C"' if is_text else ""
            return f"{column} {_OPERATORS[where.op]} {bind(where.value)}{order}"


def _one_of(column: str, values: Sequence[f.Value], bind: Binder) -> str:
    if len(values) == 1:
        return f"{column} = {bind(values[0])}"
    return f"{column} IN ({', '.join(bind(value) for value in values)})" if values else "FALSE"


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
