"""Secrets of a session: written, named, taken away, and never read back."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import session_secret
from sojourn.web.dialects.everruns import ids, session_facet, wire
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.dialects.everruns.session_facet import DIALECT, SecretName, SessionFacet
from sojourn.web.kit.body import JsonBody
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response, json_response

MOST: Final = 100
LONGEST_NAME: Final = 255

Value = Annotated[str, Meta(max_length=65_536)]


class NewSecrets(Struct):
    secrets: Annotated[dict[str, Value], Meta(max_length=MOST)]


class Stored(Struct):
    count: int


_NEW: Final = JsonBody(NewSecrets)


def routes(server: Server) -> Routes:
    secrets = _Secrets(server)
    path = "/sessions/{session}/storage/secrets"
    return [
        ("GET", "/sessions/{session}/storage/keys", secrets.keys),
        ("GET", path, secrets.names),
        ("PUT", path, secrets.put),
        ("DELETE", path + "/{name}", secrets.delete),
    ]


class _Secrets:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions = server.services.sessions
        self._secrets = server.services.secrets
        self._clock = server.services.clock

    async def names(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        facet = await self._facet(caller.org, session)
        return json_response(wire.Items(sorted(facet.secrets, key=lambda secret: secret.name)))

    async def keys(self, request: Request) -> Response:
        """Agents here store files and no other values, so there are no keys of any."""
        caller = await self._server.caller(request, "sessions:read")
        await self._facet(caller.org, ids.session(request.params["session"]))
        return json_response(wire.Items[str]([]))

    async def put(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        said = (await self._server.body(request, _NEW)).secrets
        _check(said)
        facet = await self._facet(caller.org, session)
        if len(said.keys() | {secret.name for secret in facet.secrets}) > MOST:
            raise InvalidRequest("secrets", f"a session must not have more than {MOST}")
        for name, value in said.items():
            await self._secrets.put(caller.org, session_secret(session, name), value)
        now = stamp(self._clock.now())
        try:
            await self._server.amend(caller, session, lambda facet: with_names(facet, said, now))
        except NotFound:
            # It was deleted in between, and nothing else would ever take these away.
            await self._remove(caller.org, session, said)
            raise
        return json_response(Stored(len(said)))

    async def delete(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session, name = ids.session(request.params["session"]), request.params["name"]
        facet = await self._facet(caller.org, session)
        if all(secret.name != name for secret in facet.secrets):
            raise NotFound("secret", name)
        await self._remove(caller.org, session, (name,))
        await self._server.amend(caller, session, lambda facet: without_name(facet, name))
        return NO_CONTENT

    async def _facet(self, org: OrgId, session: SessionId) -> SessionFacet:
        return session_facet.of_text((await self._sessions.get(org, session, DIALECT)).facet)

    async def _remove(self, org: OrgId, session: SessionId, names: Iterable[str]) -> None:
        for name in names:
            await self._secrets.remove(org, session_secret(session, name))


def _check(said: Mapping[str, str]) -> None:
    for name in said:
        if not 0 < len(name) <= LONGEST_NAME or "/" in name or not name.isprintable():
            raise InvalidRequest(
                "secrets", f"a name must be 1 to {LONGEST_NAME} printable characters without a slash"
            )


def with_names(facet: SessionFacet, names: Iterable[str], now: str) -> SessionFacet:
    known = {secret.name: secret for secret in facet.secrets}
    for name in names:
        before = known.get(name)
        known[name] = SecretName(name, now if before is None else before.created_at, now)
    return replace(facet, secrets=list(known.values()))


def without_name(facet: SessionFacet, name: str) -> SessionFacet:
    return replace(facet, secrets=[secret for secret in facet.secrets if secret.name != name])
