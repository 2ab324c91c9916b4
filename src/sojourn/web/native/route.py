"""A route as data. The table of them in `routes.py` makes both the server and its OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar
from uuid import UUID

import msgspec

from sojourn.domain.actor import Actor
from sojourn.domain.errors import DomainError, NotFound
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import Principal
from sojourn.service.core import Services
from sojourn.service.results import Repeat
from sojourn.web.kit.auth import Scope
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Reply
from sojourn.web.kit.sse import Heart

Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_UUID_LENGTH: Final = 36


class Media(Enum):
    """Answers that are no JSON object of ours."""

    NONE = ""
    EVENTS = "text/event-stream"
    BYTES = "application/octet-stream"
    JSON = "application/json"
    LINES = "application/x-ndjson"


Answer = type[msgspec.Struct] | Media


class RawBody(msgspec.Struct, frozen=True):
    """A body that is bytes, and no JSON: at most as many as a file may have."""

    data: bytes


class StreamedBody(msgspec.Struct, frozen=True):
    """A body of JSON lines that the handler reads as it comes."""


@dataclass(frozen=True, slots=True)
class Server:
    """What handlers work with."""

    services: Services
    heart: Heart
    max_body_bytes: int


class Call(msgspec.Struct, Generic[Q, B], frozen=True):
    """One authenticated request, with everything in it understood.

    `expected_revision` is what `If-Match` asks for, `repeat` stands for its `Idempotency-Key`.
    """

    server: Server
    request: Request
    principal: Principal
    query: Q
    body: B
    expected_revision: int | None = None
    repeat: Repeat | None = None

    @property
    def services(self) -> Services:
        return self.server.services

    @property
    def org(self) -> OrgId:
        return self.principal.org

    @property
    def by(self) -> Actor:
        return Actor("human", self.principal.key)

    @property
    def session(self) -> SessionId:
        return SessionId(self.id("session"))

    def id(self, name: str) -> UUID:
        """The id in the path under that name; NotFound where it is none, as it is then the id of nothing."""
        text = self.request.params[name]
        if len(text) != _UUID_LENGTH:
            raise NotFound(name, text[:100])
        try:
            return msgspec.convert(text, UUID)
        except msgspec.ValidationError:
            raise NotFound(name, text) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[Q, B]):
    """`answers` gives what each status of success comes with, `errors` the situations that the operation may meet.

    What every route may meet (no key, a bad query, a bad body, …) is added by what it takes. `gathers` is the query
    field that takes the parameters `<gathers>.<key>`.
    """

    method: Method
    path: str
    operation: str
    summary: str
    scope: Scope
    handler: Callable[[Call[Q, B]], Awaitable[Reply]]
    query: type[Q]
    body: type[B]
    answers: Mapping[int, Answer]
    errors: tuple[type[DomainError], ...] = ()
    conditional: bool = False
    gathers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRoute:
    """A GET that needs no key and takes nothing."""

    path: str
    operation: str
    summary: str
    answer: Answer
    handler: Callable[[Request], Awaitable[Reply]]


AnyCall = Call[Any, Any]
AnyRoute = Route[Any, Any]
