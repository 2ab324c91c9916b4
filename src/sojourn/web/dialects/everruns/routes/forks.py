"""Forks of sessions."""

import dataclasses
from typing import Final

from msgspec.structs import replace

from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.ids import AgentId
from sojourn.domain.overlay import NOTHING_ADDED, Overlay
from sojourn.domain.record import SessionRecord
from sojourn.service.forks import NewFork
from sojourn.service.results import UNSET
from sojourn.web.dialects.everruns import ids, inbound_sessions, session_facet
from sojourn.web.dialects.everruns.catalogue import Catalogue
from sojourn.web.dialects.everruns.locale import normalised
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.messages import message_of
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.log.sequences import sequence_of
from sojourn.web.dialects.everruns.presenter import Presenter
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.session_facet import DIALECT, SessionFacet
from sojourn.web.dialects.everruns.wire.event import Event
from sojourn.web.dialects.everruns.wire.fork import Fork
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_FORK: Final = JsonBody(Fork)
# What begins something that a message before it is no part of.
_BEGINNINGS: Final = frozenset({"input.message", "session.activated", "reason.started", "act.started"})


def routes(server: Server) -> Routes:
    return [("POST", "/sessions/{session}/fork", _Forks(server).fork)]


class _Forks:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._services = server.services
        self._catalogue = Catalogue(server.services)
        self._presenter = Presenter(server.services, server.capabilities)

    async def fork(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        data = await read_body(request, self._server.max_body_bytes)
        said = _FORK.decode(data)
        parent = await self._services.sessions.get(caller.org, session, DIALECT)
        if parent.session.open_turn is not None:
            raise WrongState("session", "in the middle of a turn", "be forked")
        new = NewFork(
            at=await self._at(parent, said.up_to_message_id),
            title=UNSET if said.title is None else said.title,
            tags=UNSET if said.tags is None else inbound_sessions.tags(said.tags),
            agent=await self._agent(caller, said.agent_id),
            origin=DIALECT,
            overlay=await self._overlay(caller, parent, said),
            facet=(DIALECT, session_facet.to_text(_facet(caller, parent, said))),
        )
        again = repeat(request, caller.key, "everruns.sessions.fork", data)
        result = await self._services.forks.fork(caller.org, session, new, caller.by, again)
        shown = await self._presenter.one(result.value, caller, request)
        return json_response(shown, 201, *replayed(result))

    async def _agent(self, caller: Caller, text: str | None) -> AgentId | None:
        if text is None:
            return None
        agent = AgentId(ids.parse("agent", text))
        return (await self._services.agents.get(caller.org, agent)).id

    async def _overlay(self, caller: Caller, parent: SessionRecord, said: Fork) -> Overlay:
        overlay = parent.overlay or NOTHING_ADDED
        if said.system_prompt is not None:
            overlay = dataclasses.replace(overlay, instructions=said.system_prompt)
        if said.model_id is not None:
            model = (await self._catalogue.model(caller.org, said.model_id)).name
            overlay = dataclasses.replace(overlay, model=model)
        return overlay

    async def _at(self, parent: SessionRecord, text: str | None) -> int | None:
        """The seq up to which the child shares its parent's log: that of a message, with all that belongs to it."""
        if text is None:
            return None
        id = ids.parse("message", text)
        events = await Log(self._services.feed, parent).between(cursors.START.sequence)
        for place, event in enumerate(events):
            message = message_of(event)
            if message is not None and message["id"] == text:
                return _end_of(events, place)
        raise NotFound("message", id)


def _facet(caller: Caller, parent: SessionRecord, said: Fork) -> SessionFacet:
    """The parent's, but for what is said otherwise and what is nobody else's: pins, secrets, the owner."""
    facet = session_facet.of_text(parent.facet)
    return replace(
        facet,
        owner=caller.key.hex,
        pins=[],
        secrets=[],
        workspace_id=None,
        goal=facet.goal if said.goal is None else said.goal,
        locale=facet.locale if said.locale is None else normalised(said.locale),
    )


def _end_of(events: list[Event], place: int) -> int:
    end = place
    while end + 1 < len(events) and events[end + 1].type not in _BEGINNINGS:
        end += 1
    return cursors.seq_of(sequence_of(events[end]))
