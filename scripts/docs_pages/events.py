"""docs/reference/events.md: every type of event, from the classes that define them."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from types import UnionType
from typing import Any, Final, Literal, NewType, Union, get_args, get_origin, get_type_hints

from scripts.docs_pages.markdown import code, compose, prose, table
from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.events import EVENT_CLASSES, RUNNER_CLASSES, Event
from sojourn.domain.kin import Parent
from sojourn.domain.model_events import PlanStep
from sojourn.service.codec import INLINE_BYTES

# Records within events, each described once.
PARTS: Final = (Actor, Parent, PlanStep, TextPart, Usage)

_PLAIN: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    bool: "true or false",
    Decimal: "decimal string",
    datetime: "time",
    Any: "any JSON",
    type(None): "null",
}


def page() -> str:
    return compose(
        "Events",
        "src/sojourn/domain/events.py",
        "A session's log is a list of events. Around the `data` that this page describes, each has a `seq` (dense per"
        " session, from 1), an `id`, its `type`, the version `v` of its data, the time `at` which it was written and,"
        " where it belongs to one, its `turn`. Only `seq` orders events; `at` informs.",
        f"Data of more than {INLINE_BYTES // 1024} KB is kept beside the log, and `data` is then"
        ' `{"blob": {"sha256": …, "size": …}}`. Ids are UUIDs, times RFC 3339 in UTC. A client should pass over'
        " types that it does not know.",
        *(block for cls in EVENT_CLASSES for block in _event(cls)),
        "## Records within events",
        *(block for part in PARTS for block in _part(part)),
    )


def _event(cls: type[Event]) -> list[str]:
    said_by = "A runner may append it." if cls in RUNNER_CLASSES else "Only the server writes it."
    return [f"## {cls.type}", f"Version {cls.v}. {said_by}", *_body(cls)]


def _part(cls: type[object]) -> list[str]:
    return [f"### {cls.__name__}", *_body(cls)]


def _body(cls: type[Any]) -> list[str]:
    hints = get_type_hints(cls)
    rows = [[code(field.name), kind(hints[field.name])] for field in fields(cls)]
    # A dataclass without a docstring gets one from Python: its signature.
    written = "" if (cls.__doc__ or "").startswith(f"{cls.__name__}(") else prose(cls.__doc__)
    return [block for block in (written, table(["field", "type"], rows) if rows else "") if block]


def kind(hint: Any) -> str:
    """A type in the words of JSON."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, NewType):
        return f"{hint.__name__.removesuffix('Id').lower()} id"
    if isinstance(hint, type) and is_dataclass(hint):
        if hint not in PARTS:
            raise LookupError(f"{hint.__name__} is used by an event and described nowhere.")
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return _generic(get_origin(hint), get_args(hint))


def _generic(origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return " or ".join(code(f'"{value}"') for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(kind(argument) for argument in arguments)
    if origin is tuple:
        return f"list of {kind(arguments[0])}"
    if origin is dict:
        return "object"
    raise LookupError(f"{origin} has no words.")
