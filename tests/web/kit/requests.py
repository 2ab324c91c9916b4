"""Requests without a server."""

from collections.abc import Sequence

from starlette.types import Message

from sojourn.web.kit.request import Request


def request_of(
    method: str = "GET",
    path: bytes = b"/",
    headers: Sequence[tuple[bytes, bytes]] = (),
    messages: Sequence[Message] = (),
    query: bytes = b"",
) -> Request:
    waiting = list(messages)

    async def receive() -> Message:
        return waiting.pop(0)

    scope = {"method": method, "raw_path": path, "headers": list(headers), "query_string": query}
    return Request(scope, receive)
