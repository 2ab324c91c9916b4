"""Reading bodies: bounded, as JSON, into typed values."""

from typing import BinaryIO, Final, Generic, TypeVar

import msgspec

from sojourn.domain.kinds import Json
from sojourn.web.kit.refusals import BadRequest, BodyTooLarge, ClientGone
from sojourn.web.kit.request import Request
from sojourn.web.kit.values import invalid, refuse_nul

T = TypeVar("T")

BODY_LIMIT: Final = 8 * 1024 * 1024


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, of at most `limit` bytes."""
    _refuse_length(request, limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        chunk, has_more = await _next_chunk(request, size, limit)
        size += len(chunk)
        chunks.append(chunk)
        if not has_more:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def spool_body(request: Request, file: BinaryIO, limit: int) -> None:
    """Write the body, of at most `limit` bytes, to a file as it comes."""
    _refuse_length(request, limit)
    size = 0
    while True:
        chunk, has_more = await _next_chunk(request, size, limit)
        size += len(chunk)
        file.write(chunk)
        if not has_more:
            return


def _refuse_length(request: Request, limit: int) -> None:
    """Before a byte of it is read, if it says how long it is."""
    length = request.header(b"content-length")
    if length is not None and (len(length) > 18 or not length.isdecimal() or int(length) > limit):
        raise BodyTooLarge(limit)


async def _next_chunk(request: Request, size: int, limit: int) -> tuple[bytes, bool]:
    """What follows the first `size` bytes of a body, and whether that is not all."""
    message = await request.receive()
    if message["type"] != "http.request":
        raise ClientGone
    chunk: bytes = message.get("body", b"")
    # A chunked body tells no length before it ends.
    if size + len(chunk) > limit:
        raise BodyTooLarge(limit)
    return chunk, message.get("more_body", False)


class JsonBody(Generic[T]):
    """Decodes bodies into `T`; a wrong value is an InvalidRequest that names its field."""

    def __init__(self, type: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(type)

    def decode(self, body: bytes) -> T:
        """An empty body is read as an empty object."""
        try:
            value = self._decoder.decode(body or b"{}")
        except msgspec.ValidationError as error:
            raise invalid(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise unreadable(error) from None
        except RecursionError:
            raise BadRequest(TOO_DEEP) from None
        # A NUL can only come escaped: a raw one is no JSON. The escape may itself be escaped, so look closer.
        if b"\\u0000" in body:
            refuse_nul(parse_json(body))
        return value


TOO_DEEP: Final = "The body is nested too deeply."


def unreadable(error: Exception) -> BadRequest:
    return BadRequest(f"The body is not JSON: {error}.")


def parse_json(body: bytes) -> Json:
    """Any JSON, without a type."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(error) from None
    except RecursionError:
        raise BadRequest(TOO_DEEP) from None
