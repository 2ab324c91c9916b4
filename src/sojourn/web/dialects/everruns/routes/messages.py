"""The messages of a session, and what a client sends to it."""

from collections.abc import Sequence
from typing import Final

from sojourn.domain.events import InputReceived, TurnQueued, TurnResumed
from sojourn.domain.ids import SessionId
from sojourn.domain.input import Input
from sojourn.domain.log import StoredEvent
from sojourn.service.results import Result
from sojourn.web.dialects.everruns import ids, inbound_messages
from sojourn.web.dialects.everruns.catalogue import Catalogue
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.messages import messages, of_input
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.wire.event import Data, Messages
from sojourn.web.dialects.everruns.wire.message import NewMessage
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_NEW: Final = JsonBody(NewMessage)
# More than a transaction that receives an input says of it.
_LOOKED_AT: Final = 64


def routes(server: Server) -> Routes:
    messages = _Messages(server)
    return [
        ("GET", "/sessions/{session}/messages", messages.page),
        ("POST", "/sessions/{session}/messages", messages.create),
    ]


class _Messages:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._services = server.services
        self._catalogue = Catalogue(server.services)

    async def page(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        record = await self._services.sessions.get(caller.org, session)
        events = await Log(self._services.feed, record).between(cursors.START.sequence)
        return json_response(Messages(messages(events)))

    async def create(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        data = await read_body(request, self._server.max_body_bytes)
        said = _NEW.decode(data)
        new = inbound_messages.new_input(said)
        if said.controls is not None and said.controls.model_id is not None:
            await self._catalogue.model(caller.org, said.controls.model_id)
        again = inbound_messages.repeat(said, session, caller.key)
        if again is None:
            again = repeat(request, caller.key, inbound_messages.OPERATION, data)
        result = await self._services.inputs.send(caller.org, session, new, caller.by, again)
        message = await self._sent(caller, session, result)
        return json_response(message, 201, *replayed(result))

    async def _sent(self, caller: Caller, session: SessionId, result: Result[Input]) -> Data:
        """The message as the log tells it, with what became of it."""
        feed, input = self._services.feed, result.value
        rows = await feed.page(caller.org, session, input.position - 1, _LOOKED_AT)
        received = (await feed.read(rows[0])).event
        assert isinstance(received, InputReceived), "the position of an input is where it was received"
        message = of_input(rows[0], received)
        message["delivery"] = "duplicate" if result.replayed else _delivery(input, rows)
        return message


def _delivery(input: Input, rows: Sequence[StoredEvent]) -> str:
    """What the rows of the log from the input's own on say of it, as far as they belong to its transaction."""
    for row in rows[1:]:
        if row.tx != rows[0].tx or row.type == InputReceived.type:
            break
        if row.type == TurnQueued.type and row.turn == input.turn:
            return "started"
        if row.type == TurnResumed.type:
            return "resumed"
    return "steered"
