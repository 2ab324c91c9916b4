"""What Everruns' events say, from ours. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from sojourn.domain.content import ToolStatus, Usage
from sojourn.domain.events import InputReceived, ToolCompleted, ToolRequested
from sojourn.domain.kinds import Json
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.session_facet import DIALECT
from sojourn.web.dialects.everruns.wire.event import Data

PREVIEW: Final = 200
SHOWN: Final = ("controls", "metadata", "external_actor", "addressed_participant_id")

# The model answered, but the worker that was to tell is gone: all that is known is that it is no success.
TOOL_STATUS: Final[Mapping[ToolStatus, str]] = {
    "done": "success",
    "error": "error",
    "unknown": "error",
    "cancelled": "cancelled",
}


def preview(text: str) -> str:
    return text[:PREVIEW]


def millis(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))


def text_parts(text: str) -> list[Json]:
    return [{"type": "text", "text": text}] if text else []


def input_message(received: InputReceived, at: datetime) -> Data:
    """With what its client said of it, if that was one of Everruns'."""
    content: list[Json] = [{"type": "text", "text": part.text} for part in received.content]
    said = input_facet(received)
    given = said.get("content")
    made = message(received.input, "user", given if isinstance(given, list) else content, at)
    return made | {name: said[name] for name in SHOWN if name in said}


def input_facet(received: InputReceived) -> Data:
    said = received.facets.get(DIALECT)
    return said if isinstance(said, dict) else {}


def message(id: UUID, role: str, content: list[Json], at: datetime) -> Data:
    return {
        "id": ids.text("message", id),
        "role": role,
        "content": content,
        "created_at": stamp(at),
    }


def tool_call(tool: ToolRequested) -> Data:
    return {"id": tool.id, "name": tool.name, "arguments": arguments(tool.arguments)}


def arguments(text: str) -> Json:
    """What a model wrote is an object, unless it wrote nonsense, which is shown as it is."""
    try:
        return msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"_raw": text}


def tool_result(done: ToolCompleted) -> Data:
    is_success = done.status == "done"
    data: Data = {
        "tool_call_id": done.id,
        "tool_name": done.name,
        "success": is_success,
        "status": TOOL_STATUS[done.status],
    }
    if is_success:
        data["result"] = text_parts(done.output)
    else:
        data["error"] = done.output or done.status
    return data


def usage(used: Usage) -> Data:
    """The buckets are disjoint: `input_tokens` leaves out what was read from a cache or written to one."""
    data: Data = {"input_tokens": uncached(used), "output_tokens": used.output_tokens}
    if used.cache_read_tokens:
        data["cache_read_tokens"] = used.cache_read_tokens
    if used.cache_write_tokens:
        data["cache_creation_tokens"] = used.cache_write_tokens
    if used.cost_usd is not None:
        data["estimated_cost_usd"] = data["effective_cost_usd"] = float(used.cost_usd)
    return data


def uncached(used: Usage) -> int:
    return max(0, used.input_tokens - used.cache_read_tokens - used.cache_write_tokens)


def added(one: Usage, other: Usage) -> Usage:
    costs = [used.cost_usd for used in (one, other) if used.cost_usd is not None]
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cache_read_tokens + other.cache_read_tokens,
        one.cache_write_tokens + other.cache_write_tokens,
        sum(costs, Decimal(0)) if costs else None,
    )
