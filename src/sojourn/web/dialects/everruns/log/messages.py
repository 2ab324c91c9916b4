"""The messages of a conversation, as the events tell them. Pure."""

from collections.abc import Iterable

from sojourn.domain.events import InputReceived
from sojourn.domain.kinds import Json
from sojourn.domain.log import StoredEvent
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors, payloads
from sojourn.web.dialects.everruns.wire.event import Data, Event


def messages(events: Iterable[Event]) -> list[Data]:
    return [message for event in events if (message := message_of(event)) is not None]


def message_of(event: Event) -> Data | None:
    """The message that an event is about, if it makes one complete."""
    match event.type, event.data:
        case "input.message" | "output.message.completed", {"message": dict(message)}:
            return _placed(message, event)
        case "tool.completed", data:
            # Results have no message of their own with us, so theirs has the digits of the event.
            id = "message_" + event.id.removeprefix("event_")
            part: Data = {"type": "tool_result", "tool_call_id": data["tool_call_id"]}
            part |= {"result": _text(data["result"])} if "result" in data else {"error": data.get("error")}
            content: list[Json] = [part]
            result: Data = {"id": id, "role": "tool_result", "content": content, "created_at": event.ts}
            return _placed(result, event)
        case _:
            return None


def _placed(message: Data, event: Event) -> Data:
    placed: Data = {**message, "session_id": event.session_id}
    if isinstance(event.sequence, int):
        placed["sequence"] = event.sequence
    return placed


def _text(result: Json) -> str:
    """A result is told as parts of text."""
    parts = result if isinstance(result, list) else []
    return "".join(text for part in parts if isinstance(part, dict) and isinstance(text := part["text"], str))


def of_input(stored: StoredEvent, received: InputReceived) -> Data:
    """A message from a user, as its event tells it."""
    message = payloads.input_message(received, stored.at)
    return message | {
        "session_id": ids.text("session", stored.session),
        "sequence": cursors.sequence(stored.seq),
    }
