"""The native API's own format: one struct per JSON object, from which its OpenAPI schemas are made.

Times are RFC 3339 in UTC, ids are dashed UUIDs, durations are seconds, money is a decimal string.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from sojourn.domain.file import MAX_PATH

Name = Annotated[str, Meta(max_length=1000)]
# Four bytes a letter, and an index of Postgres holds no more than 2,704 of them.
AgentName = Annotated[str, Meta(min_length=1, max_length=500)]
Description = Annotated[str, Meta(max_length=10_000)]
Tag = Annotated[str, Meta(min_length=1, max_length=200)]
Tags = Annotated[list[Tag], Meta(max_length=64)]
ExternalId = Annotated[str, Meta(min_length=1, max_length=500)]
Holder = Annotated[str, Meta(min_length=1, max_length=200)]
Path = Annotated[str, Meta(min_length=1, max_length=MAX_PATH)]
Object = Annotated[
    dict[str, Any],
    Meta(description="At most 64 KiB of JSON, 64 levels deep.", extra_json_schema={"maxProperties": 64}),
]
# A billion seconds are 31 years: far enough, and no sum of dates overflows.
Seconds = Annotated[float, Meta(gt=0, le=1_000_000_000)]
Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]

RunnerKind = Literal["model", "acp", "http", "external"]


class Nothing(Struct, forbid_unknown_fields=True):
    """An empty object."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """Lifecycle limits; null is none, or for a new session as its agent or its organisation has it.

    A session is ended when it was idle for `idle_timeout_seconds`, and `max_lifetime_seconds` after it was made or
    reopened; `retain_seconds` after its end it is deleted, and `retain_log_seconds` after it its log is cut: the record
    and the turns are left, and it has ended for good. `reopen` says whether an ended session may be opened again,
    a number up to how many seconds after its end; null is `always`. A turn is cancelled `max_turn_seconds` after its
    first claim, whether it runs or waits; a runner that has to start something is given up `max_start_seconds` after a
    claim (null is 300). An input that nobody has read is withdrawn `max_queued_seconds` after it came.
    """

    idle_timeout_seconds: Seconds | None = None
    max_lifetime_seconds: Seconds | None = None
    max_turn_seconds: Seconds | None = None
    max_start_seconds: Seconds | None = None
    max_queued_seconds: Seconds | None = None
    reopen: Literal["always", "never"] | Seconds | None = None
    retain_log_seconds: Seconds | None = None
    retain_seconds: Seconds | None = None


class TextPart(Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    text: str


Content = Annotated[str, Meta(min_length=1)] | Annotated[list[TextPart], Meta(min_length=1, max_length=1000)]


class Me(Struct):
    """The organisation and the key that a request is made with."""

    org: UUID
    key: UUID
    role: Literal["admin", "member", "reporter", "worker"]


class Health(Struct):
    status: Literal["ok"]
    version: str


class Problem(Struct, omit_defaults=True):
    """RFC 9457. `field` names the part of the request that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None
