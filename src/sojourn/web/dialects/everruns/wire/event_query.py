"""How a client asks for events."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

Sequence = Annotated[int, Meta(ge=0, le=2**53)]
Instant = Annotated[datetime, Meta(tz=True)]


class StreamQuery(Struct, kw_only=True):
    since_id: str | None = None
    after_sequence: Sequence | None = None
    types: list[str] = []
    exclude: list[str] = []


class EventsQuery(StreamQuery, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=1000)] | None = None
    before_sequence: Sequence | None = None
    around: str | None = None
    window: Annotated[int, Meta(ge=1, le=500)] | None = None
    from_ts: Instant | None = None
    to_ts: Instant | None = None
    turn_id: str | None = None
    exec_id: str | None = None
    trace_id: str | None = None
    tags: list[str] = []
    tool_name: str | None = None
    q: str | None = None
    order_desc: bool = False
