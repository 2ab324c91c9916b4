"""Handlers of the log: its pages, its stream, and the data that is too large for either."""

import re
from typing import Final, assert_never

import msgspec

from sojourn.domain.errors import NotFound
from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Gap, Preview
from sojourn.domain.log import StoredEvent
from sojourn.web.kit.paging import cut
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response
from sojourn.web.kit.sse import EventStream, Frames, frame, open_stream
from sojourn.web.native import event_wire, outbound, queries, wire
from sojourn.web.native.errors import PROBLEMS, document
from sojourn.web.native.route import Call

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SEQ: Final = re.compile(r"\d{1,18}", re.ASCII)


async def page(call: Call[queries.EventList, wire.Nothing]) -> Response:
    query = call.query
    rows = await call.services.feed.page(call.org, call.session, query.after, query.limit + 1, query.type)
    events, last = cut(rows, query.limit)
    cursor = None if last is None else str(last.seq)
    return json_response(event_wire.Events([outbound.event(event) for event in events], cursor))


async def stream(call: Call[queries.EventStreamQuery, wire.Nothing]) -> EventStream[FeedItem]:
    after = last_event_id(call.request)
    source = await call.services.feed.stream(
        call.org, call.session, call.query.after if after is None else after
    )
    return await open_stream(call.server.heart, source, encode, failed)


async def blob(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    sha256 = call.request.params["sha256"]
    if _SHA256.fullmatch(sha256) is None:
        raise NotFound("blob", sha256[:100])
    return Response(200, await call.services.feed.blob(call.org, call.session, bytes.fromhex(sha256)))


def last_event_id(request: Request) -> int | None:
    """The seq after which a client that lost its connection goes on."""
    text = request.header(b"last-event-id")
    if text is None:
        return None
    if _SEQ.fullmatch(text) is None:
        raise BadRequest("must be the id of an event of this stream", "Last-Event-ID")
    return int(text)


def encode_event(event: StoredEvent) -> bytes:
    return frame(event.type, msgspec.json.encode(outbound.event(event)), str(event.seq))


_FRAMES: Final = Frames(encode_event)


def encode(item: FeedItem) -> bytes:
    match item:
        case StoredEvent():
            return _FRAMES.of(item)
        case Preview(message=message, offset=offset, text=text):
            return _unnumbered("preview", event_wire.Preview(message, offset, text))
        case CaughtUp(seq):
            return _unnumbered("caught_up", event_wire.CaughtUp(seq))
        case Gap(first_seq):
            return _unnumbered("gap", event_wire.Gap(first_seq))
        case Closing(reason):
            return _unnumbered("closing", event_wire.Closing(reason))
        case _:
            assert_never(item)


def _unnumbered(event: str, data: msgspec.Struct) -> bytes:
    # Without an id the client's last one stands: it names the last event of the log.
    return frame(event, msgspec.json.encode(data))


def failed(error: Exception, request_id: str) -> bytes:
    """The last frame of a stream that the server cannot go on with; its client may ask again from its last id."""
    problem = PROBLEMS.describe(error, request_id)
    return frame("problem", msgspec.json.encode(document(problem)))
