"""The connection: what uvicorn does with one, and what is answered to bytes that are no request."""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sojourn.web.kit.cork import Cork
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import new_request_id
from sojourn.web.native.errors import PROBLEMS

NO_REQUEST: Final = BadRequest("This is not HTTP, or its first line or a header is too long.")


class Protocol(HttpToolsProtocol):
    """Answers leave with one system call instead of two, and a refusal by the parser is a problem like any other."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(Cork(transport, self.loop))

    def send_400_response(self, msg: str) -> None:
        # The parser gives up before there is a path, so no surface can be asked for its own shape.
        id = new_request_id()
        problem = PROBLEMS.answer(NO_REQUEST, id)
        media_type = problem.media_type or b""
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\n"
            b"connection: close\r\n\r\n"
        )
        self.transport.write(head % (media_type, len(problem.body), id.encode()) + problem.body)
        self.transport.close()
