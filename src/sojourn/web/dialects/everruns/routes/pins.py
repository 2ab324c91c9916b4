"""Pins: each key has its own."""

from msgspec.structs import replace

from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.dialects.everruns.session_facet import SessionFacet
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response


def routes(server: Server) -> Routes:
    async def pin(request: Request) -> Response:
        return await put(request, is_pinned=True)

    async def unpin(request: Request) -> Response:
        return await put(request, is_pinned=False)

    async def put(request: Request, is_pinned: bool) -> Response:
        caller = await server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        await server.amend(caller, session, lambda facet: pinned(facet, caller.key.hex, is_pinned))
        return NO_CONTENT

    return [
        ("PUT", "/sessions/{session}/pin", pin),
        ("DELETE", "/sessions/{session}/pin", unpin),
    ]


def pinned(facet: SessionFacet, key: str, is_pinned: bool) -> SessionFacet:
    others = [pin for pin in facet.pins if pin != key]
    return replace(facet, pins=[*others, key] if is_pinned else others)
