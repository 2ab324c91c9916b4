"""Events and messages. What an event says is an object of its type's own shape, so its members are plain JSON here."""

from msgspec import UNSET, Struct, UnsetType

from sojourn.domain.kinds import Json

Data = dict[str, Json]


class Context(Struct, kw_only=True, omit_defaults=True):
    """An `exec_id` is of one model call and the tools that it asked for, a `trace_id` of one turn."""

    turn_id: str | UnsetType = UNSET
    input_message_id: str | UnsetType = UNSET
    exec_id: str | UnsetType = UNSET
    trace_id: str | UnsetType = UNSET


class Event(Struct, kw_only=True):
    """`sequence` is absent on what is never stored: deltas."""

    id: str
    type: str
    ts: str
    session_id: str
    context: Context
    data: Data
    sequence: int | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class Events(Struct):
    data: list[Event]


class Messages(Struct):
    data: list[Data]
