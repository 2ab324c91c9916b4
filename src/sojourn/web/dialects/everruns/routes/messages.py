"""The messages of a session, and what a client sends to it."""

from dataclasses import replace
from typing import Final

from sojourn.web.dialects.everruns import ids, inbound_messages
from sojourn.web.dialects.everruns.catalogue import Catalogue
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.sender import Sender
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.dialects.everruns.wire.event import Messages
from sojourn.web.dialects.everruns.wire.message import NewMessage
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_NEW: Final = JsonBody(NewMessage)


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
        self._sender = Sender(server.services)

    async def page(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        record = await self._services.sessions.get(caller.org, session)
        return json_response(Messages(await Log(self._services.feed, record).messages()))

    async def create(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        data = await read_body(request, self._server.max_body_bytes)
        said = _NEW.decode(data)
        new = inbound_messages.new_input(said)
        if said.controls is not None and said.controls.model_id is not None:
            model = await self._catalogue.model(caller.org, said.controls.model_id)
            new = replace(new, model=model.name)
        again = inbound_messages.repeat(said, session, caller.key)
        if again is None:
            again = repeat(request, caller.key, inbound_messages.OPERATION, data)
        return await self._sender.send(caller, session, new, again)
