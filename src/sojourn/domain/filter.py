"""The closed filter expression that every list compiles to, and the page that a list returns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sojourn.domain.ids import AgentId, SessionId

Field = Literal[
    "id",
    "status",
    "activity",
    "agent",
    "origin",
    "title",
    "external_id",
    "created_at",
    "updated_at",
    "active_at",
    "ended_at",
    "archived_at",
]
Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "like", "is_null", "not_null"]
Value = str | int | datetime | SessionId | AgentId | None


@dataclass(frozen=True, slots=True)
class Compare:
    field: Field
    op: Operator
    value: Value = None


@dataclass(frozen=True, slots=True)
class OneOf:
    field: Field
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str


@dataclass(frozen=True, slots=True)
class MetadataIs:
    """A top-level key of the metadata has this string value."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class All:
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


Filter = Compare | OneOf | HasTag | MetadataIs | All | AnyOf | Not

EVERYTHING: Final = All(())
NEWEST_FIRST: Final[Literal["desc"]] = "desc"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order (created_at, id): the last row of the page before."""

    created_at: datetime
    id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    where: Filter = EVERYTHING
    after: Position | None = None
    order: Literal["asc", "desc"] = NEWEST_FIRST
    limit: int = 20
