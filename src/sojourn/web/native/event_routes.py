"""The routes of a session's log."""

from typing import Final

from sojourn.domain.errors import LimitExceeded, NotFound
from sojourn.web.native import event_wire, events, queries, wire
from sojourn.web.native.route import AnyRoute, Media, Route

EVENTS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/sessions/{session}/events",
        operation="list_events",
        summary="Read the log behind a seq",
        scope="sessions:read",
        handler=events.page,
        query=queries.EventList,
        body=wire.Nothing,
        answers={200: event_wire.Events},
        errors=(NotFound,),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/events/stream",
        operation="stream_events",
        summary="Follow the log behind a seq",
        scope="sessions:read",
        handler=events.stream,
        query=queries.EventStreamQuery,
        body=wire.Nothing,
        answers={200: Media.EVENTS},
        errors=(NotFound, LimitExceeded),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/blobs/{sha256}",
        operation="get_blob",
        summary="Read the data of an event that is too large for the log",
        scope="sessions:read",
        handler=events.blob,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: Media.JSON},
        errors=(NotFound,),
    ),
)
