"""Counts."""

from msgspec import Struct


class TypeCount(Struct):
    event_type: str
    count: int


class EventsSummary(Struct, kw_only=True):
    total: int
    turn_count: int
    error_count: int
    first_ts: str | None
    last_ts: str | None
    by_type: list[TypeCount]
