"""The stream of a session: hints of what changed, and the words of an answer as they are written."""

import re
from typing import Final, assert_never

import msgspec

from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Gap, Preview
from sojourn.domain.log import StoredEvent
from sojourn.web.dialects.membrane.errors import PROBLEMS, body
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.sse import frame

_SEQ: Final = re.compile(r"\d{1,18}", re.ASCII)


class Changed(msgspec.Struct):
    type: str


class Delta(msgspec.Struct, rename={"message_id": "messageID"}):
    """`offset` counts characters."""

    message_id: str
    offset: int
    text: str


class Reason(msgspec.Struct):
    reason: str


def last_event_id(request: Request) -> int:
    """The seq after which a reader goes on; 0, the beginning, for a new one."""
    text = request.header(b"last-event-id")
    if text is None:
        return 0
    if _SEQ.fullmatch(text) is None:
        raise BadRequest("must be the id of an event of this stream", "Last-Event-ID")
    return int(text)


def encode(item: FeedItem) -> bytes:
    match item:
        case StoredEvent(type=type, seq=seq):
            return frame("changed", msgspec.json.encode(Changed(type)), str(seq))
        case Preview(message=message, offset=offset, text=text):
            return frame("delta", msgspec.json.encode(Delta(f"msg_{message.hex}", offset, text)))
        case CaughtUp():
            return frame("caught_up", b"{}")
        case Gap():
            return frame("gap", b"{}")
        case Closing(reason=reason):
            return frame("closing", msgspec.json.encode(Reason(reason)))
        case _:
            assert_never(item)


def failed(error: Exception, request_id: str) -> bytes:
    """The last frame of a stream that the server cannot go on with; its reader may ask again from its last id."""
    return frame("problem", msgspec.json.encode(body(PROBLEMS.describe(error, request_id))))
