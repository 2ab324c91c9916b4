"""Harnesses, models and capabilities: read only, and derived from what the server has."""

from typing import Final

import msgspec
from msgspec import UNSET

from sojourn.web.dialects.everruns import harnesses, ids, links, outbound_agents, wire
from sojourn.web.dialects.everruns.catalogue import Catalogue
from sojourn.web.dialects.everruns.links import base_of
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_SEARCH: Final = Query(wire.Search)
_CAPABILITIES: Final = Query(wire.CapabilityList)
_MODELS: Final = Query(wire.ModelList)


def routes(server: Server) -> Routes:
    catalogue = _Catalogue(server)
    return [
        ("GET", "/capabilities", catalogue.capabilities),
        ("GET", "/capabilities/{capability}", catalogue.capability),
        ("GET", "/harnesses", catalogue.harnesses),
        ("GET", "/harnesses/{harness}", catalogue.harness),
        ("GET", "/harness-examples", catalogue.harness_examples),
        ("GET", "/models", catalogue.models),
        ("GET", "/models/{model}", catalogue.model),
    ]


class _Catalogue:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._catalogue = Catalogue(server.services)

    async def capabilities(self, request: Request) -> Response:
        await self._server.caller(request, "agents:read")
        query, base = _CAPABILITIES.read(request.query_string), base_of(request)
        found = [
            outbound_agents.capability(each, base)
            for each in self._server.capabilities
            if _holds(query.search, each.vendor.id, each.vendor.name, each.description)
        ]
        around = links.neighbours(base, "capabilities", msgspec.structs.asdict(query), len(found))
        data = found[query.offset : query.offset + query.limit]
        return json_response(
            wire.Page(data=data, total=len(found), offset=query.offset, limit=query.limit, **around)
        )

    async def capability(self, request: Request) -> Response:
        await self._server.caller(request, "agents:read")
        found = self._server.capabilities.get(request.params["capability"])
        return json_response(outbound_agents.capability(found, base_of(request)))

    async def harnesses(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        query, base = _SEARCH.read(request.query_string), base_of(request)
        since = await self._catalogue.since(caller.org)
        found = [
            outbound_agents.harness(runner, since, base)
            for runner, each in harnesses.HARNESSES.items()
            if _holds(query.search, each.name, each.title, each.description)
        ]
        return json_response(wire.Items(found))

    async def harness(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        runner = harnesses.runner_of_id(ids.parse("harness", request.params["harness"]))
        return json_response(
            outbound_agents.harness(runner, await self._catalogue.since(caller.org), base_of(request))
        )

    async def harness_examples(self, request: Request) -> Response:
        await self._server.caller(request, "agents:read")
        # Harnesses are built in, so there is nothing to begin one from.
        return json_response(list[wire.Harness]())

    async def models(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        query, base = _MODELS.read(request.query_string), base_of(request)
        known = () if query.favorites_only == "true" else await self._catalogue.models(caller.org)
        since = await self._catalogue.since(caller.org)
        found = [outbound_agents.model(each, since, base) for each in known]
        return json_response(wire.Items([each for each in found if query.source in (UNSET, each.source)]))

    async def model(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        known = await self._catalogue.model(caller.org, request.params["model"])
        return json_response(
            outbound_agents.model(known, await self._catalogue.since(caller.org), base_of(request))
        )


def _holds(search: str, *texts: str) -> bool:
    return any(search.lower() in text.lower() for text in texts)
