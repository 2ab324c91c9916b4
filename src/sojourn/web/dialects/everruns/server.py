"""What the handlers of all resources share: the services, the stream's heart, and who asks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from urllib.parse import unquote_to_bytes

from sojourn.domain.actor import Actor
from sojourn.domain.errors import Unauthenticated
from sojourn.domain.ids import KeyId, OrgId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.service.core import Services
from sojourn.service.sessions import SessionChange
from sojourn.web.dialects.everruns import session_facet
from sojourn.web.dialects.everruns.capabilities import Capabilities
from sojourn.web.dialects.everruns.errors import InvalidChangeReason
from sojourn.web.dialects.everruns.log.stream import CYCLE_SECONDS
from sojourn.web.dialects.everruns.session_facet import DIALECT, SessionFacet
from sojourn.web.kit.auth import Scope, require
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.request import Request
from sojourn.web.kit.router import Endpoint
from sojourn.web.kit.sse import Heart

T = TypeVar("T")

Routes = list[tuple[str, str, Endpoint]]

LONGEST_REASON: Final = 1000
NO_CHANGE: Final = SessionChange()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. The tenant is the key's; `X-Org-Id` is not looked at."""

    org: OrgId
    key: KeyId

    @property
    def by(self) -> Actor:
        return Actor("human", self.key)


@dataclass(frozen=True, slots=True)
class Server:
    services: Services
    capabilities: Capabilities
    heart: Heart
    max_body_bytes: int
    # How long a stream lasts before its client is asked to come back.
    cycle_seconds: float = CYCLE_SECONDS

    async def caller(self, request: Request, scope: Scope) -> Caller:
        """Who asks, if their key is good and its role has the scope."""
        principal = await self.services.access.authenticate(_token(request))
        require(principal, scope)
        _check_reason(request)
        return Caller(principal.org, principal.key)

    async def amend(
        self,
        caller: Caller,
        session: SessionId,
        amended: Callable[[SessionFacet], SessionFacet],
        change: SessionChange = NO_CHANGE,
    ) -> SessionRecord:
        """Change a session and what is kept beside it of this dialect, from what that is under the session's lock."""

        def revised(record: SessionRecord) -> str:
            return session_facet.to_text(amended(session_facet.of_text(record.facet)))

        wanted = replace(change, revise=(DIALECT, revised))
        return await self.services.sessions.update(caller.org, session, wanted, caller.by)

    async def body(self, request: Request, type: JsonBody[T]) -> T:
        return type.decode(await read_body(request, self.max_body_bytes))


def _token(request: Request) -> str:
    """The credential of `Authorization`: the management client sends it bare, the agent client after `Bearer`."""
    header = (request.header(b"authorization") or "").strip()
    scheme, space, rest = header.partition(" ")
    token = rest.strip() if space and scheme.lower() == "bearer" else header
    if not token or " " in token:
        raise Unauthenticated
    return token


def _check_reason(request: Request) -> None:
    """Why somebody makes a change: percent-encoded UTF-8 of at most 1,000 characters."""
    header = request.header(b"everruns-change-reason")
    if header is None:
        return
    try:
        reason = unquote_to_bytes(header).decode().strip()
    except UnicodeDecodeError:
        raise InvalidChangeReason("must be percent-encoded UTF-8") from None
    if len(reason) > LONGEST_REASON:
        raise InvalidChangeReason(f"must not be longer than {LONGEST_REASON} characters")
