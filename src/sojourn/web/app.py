"""The application: every surface at its place, and one answer for what is at none."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from sojourn.service.core import Services
from sojourn.web.dialects.agent_swarm.routes import AgentSwarm
from sojourn.web.dialects.agentcore.routes import build_agentcore
from sojourn.web.dialects.everruns.surface import PREFIXES as EVERRUNS
from sojourn.web.dialects.everruns.surface import build_everruns
from sojourn.web.dialects.kodexa import routes as kodexa
from sojourn.web.dialects.membrane import routes as membrane
from sojourn.web.kit.body import BODY_LIMIT
from sojourn.web.kit.request import REST
from sojourn.web.kit.sse import Heart
from sojourn.web.kit.surface import Surface
from sojourn.web.native.errors import PROBLEMS
from sojourn.web.native.meta import health
from sojourn.web.native.surface import build_native


@dataclass(frozen=True, slots=True)
class Mount:
    """A surface takes every path that is `prefix` or below it; the longest prefix wins.

    `keep` leaves the prefix on the path that the surface sees.
    """

    prefix: str
    app: ASGIApp
    keep: bool = False


def mounts(services: Services, heart: Heart, max_body_bytes: int) -> tuple[Mount, ...]:
    """Where each surface is. A new one is a line here."""
    return (
        Mount("/health", Surface([("GET", "/health", health)], PROBLEMS), keep=True),
        Mount("/sojourn/v1", build_native(services, heart, max_body_bytes)),
        Mount("/runtimes", build_agentcore(services, heart)),
        Mount("/api/active-sessions", AgentSwarm(services, max_body_bytes)),
        *_below(build_everruns(services, heart, max_body_bytes), *EVERRUNS),
        *_whole(kodexa.build_kodexa(services, max_body_bytes), kodexa.SESSIONS, kodexa.ME, kodexa.OVERVIEW),
        *_whole(membrane.build_membrane(services, heart, max_body_bytes), membrane.SESSIONS, membrane.SCREEN),
    )


def _below(app: ASGIApp, *prefixes: str) -> Iterable[Mount]:
    """A surface at several places, which sees its paths below them."""
    return (Mount(prefix, app) for prefix in prefixes)


def _whole(app: ASGIApp, *paths: str) -> Iterable[Mount]:
    """A surface at several places, which sees its paths whole."""
    return (Mount(path, app, keep=True) for path in paths)


class App:
    """Sends each request to its surface.

    Empty path segments in front of and within a mount's prefix do not count, so that a client's base URL may end in
    a slash. What follows the prefix is the surface's, as it came.
    """

    def __init__(self, services: Services, table: Iterable[Mount]) -> None:
        self._services = services
        self._mounts = sorted(table, key=lambda mount: len(mount.prefix), reverse=True)
        self._pattern = _pattern(self._mounts)
        self._nothing_here = Surface([], PROBLEMS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._app_for(scope)(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case _:
                # There is nothing here that speaks WebSocket; closing before accepting answers 403.
                await send({"type": "websocket.close", "code": 1000})

    def _app_for(self, scope: Scope) -> ASGIApp:
        raw: bytes = scope["raw_path"]
        found = self._pattern.match(raw)
        if found is None or found.lastindex is None:
            return self._nothing_here
        mount = self._mounts[found.lastindex - 1]
        scope[REST] = mount.prefix.encode() + raw[found.end() :] if mount.keep else raw[found.end() :]
        return mount.app

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                self.close_streams()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def close_streams(self) -> None:
        """End every stream, each with its surface's last word, and those that are asked for from now on.

        The server calls this before it waits for its connections to finish: the lifespan's own shutdown comes after
        that wait, which would be one for streams that nobody ends.
        """
        self._services.hub.close()


def _pattern(table: Sequence[Mount]) -> re.Pattern[bytes]:
    """One group per mount, in the order of the table."""
    groups = ["(" + mount.prefix.replace("/", "/+") + ")" for mount in table]
    return re.compile(f"(?:{'|'.join(groups)})(?=/|\\Z)".encode())


def build_app(services: Services, max_body_bytes: int = BODY_LIMIT) -> App:
    return App(services, mounts(services, Heart(), max_body_bytes))
