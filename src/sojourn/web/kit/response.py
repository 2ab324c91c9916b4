"""Answers with a body that is known at once. Streams are in `sse.py`."""

from typing import Final, Protocol

import msgspec
from starlette.types import Send

from sojourn.web.kit.request import Request

Header = tuple[bytes, bytes]
JSON: Final = b"application/json"


class Reply(Protocol):
    """What a handler returns: something that writes itself to the client."""

    async def write(self, request: Request, send: Send) -> None: ...


class Response(msgspec.Struct, frozen=True):
    """A complete answer. `media_type` None goes with an empty body.

    A msgspec struct, because one is made for every request: it costs a fifth of a frozen dataclass.
    """

    status: int
    body: bytes = b""
    media_type: bytes | None = JSON
    headers: tuple[Header, ...] = ()

    async def write(self, request: Request, send: Send) -> None:
        headers = [(b"x-request-id", request.id.encode()), *self.headers]
        if self.media_type is not None:
            headers.append((b"content-type", self.media_type))
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


NO_CONTENT: Final = Response(204, media_type=None)

_ENCODER: Final = msgspec.json.Encoder()


def json_response(value: object, status: int = 200, *headers: Header) -> Response:
    return Response(status, _ENCODER.encode(value), JSON, headers)
