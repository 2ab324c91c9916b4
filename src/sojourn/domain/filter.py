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
    "alias",
    "created_at",
    "updated_at",
    "active_at",
    "ended_at",
    "archived_at",
    "revision",
    "turns",
    "stated_status",
    "forked_from",
    "parent",
    "invoked_at",
    "last_turn",
    "last_turn_asks",
    "open_questions",
    "fence",
    "ended_activity",
]
Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "like", "is_null", "not_null"]
Value = str | int | float | datetime | SessionId | AgentId | None

# What a path must lead to. Anything else there counts as nothing at all; `any` is for `is_null` and `not_null`.
Kind = Literal["text", "number", "boolean", "any"]


@dataclass(frozen=True, slots=True)
class FacetPath:
    """The value at a path in a dialect's facet. No segment holds a quotation mark or a backslash.

    A boolean is compared as the text `true` or `false`.
    """

    dialect: str
    path: tuple[str, ...]
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class MetadataPath:
    """The value at a path in the metadata, as for FacetPath."""

    path: tuple[str, ...]
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Word:
    """The word of the first of `cases` whose condition holds, or `otherwise`."""

    cases: "tuple[tuple[Filter, str], ...]"
    otherwise: str


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of `parts` that is not null. All are of one kind."""

    parts: "tuple[Expression, ...]"


Expression = Field | FacetPath | MetadataPath | Word | FirstOf


@dataclass(frozen=True, slots=True)
class Compare:
    """`invoked_at` is when a session that ever ran was last active, `last_turn` the status of its newest turn."""

    field: Expression
    op: Operator
    value: Value = None


@dataclass(frozen=True, slots=True)
class Same:
    """Both are there and equal."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    field: Expression
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


Filter = Compare | Same | OneOf | HasTag | MetadataIs | All | AnyOf | Not

EVERYTHING: Final = All(())
NEWEST_FIRST: Final[Literal["desc"]] = "desc"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order (created_at, id): the last row of the page before."""

    created_at: datetime
    id: SessionId


Direction = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """Pages follow `after`, or for dialects that number them `offset`.

    `sort` replaces the order by (created_at, id): nulls are last, and the id breaks ties, in ascending order.
    `facet` names the dialect whose facets the records bring along.
    """

    where: Filter = EVERYTHING
    after: Position | None = None
    order: Direction = NEWEST_FIRST
    limit: int = 20
    sort: tuple[tuple[Expression, Direction], ...] = ()
    offset: int = 0
    facet: str | None = None
