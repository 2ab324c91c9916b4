"""Kodexa's JSON, with its own spelling: camel case, instants in UTC with milliseconds.

Source: developer.kodexa.ai, `orchestrator-agent-sessions`; the page is Spring Data's `Page`.
"""

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

Instant = Annotated[datetime, Meta(tz=True)]


class Said(Struct, rename="camel", kw_only=True):
    """What a client may say of a session. Null means absent, and fields that are not here are ignored."""

    agent_runtime_id: str | None = None
    runtime_session_id: str | None = None
    status: str | None = None
    metadata: dict[str, Any] | None = None
    expires_at: Instant | None = None
    last_invoked_at: Instant | None = None


class NewSession(Said):
    """An `id` that is no UUID is ignored, so any JSON may stand there."""

    id: Any = None


class ChangedSession(Said):
    change_sequence: int | None = None


class OrchestratorAgentSession(Struct, rename="camel", kw_only=True):
    id: str
    uuid: str
    change_sequence: int
    created_on: str
    updated_on: str
    agent_runtime_id: str | None
    runtime_session_id: str | None
    organization_id: str
    status: str
    metadata: dict[str, Any]
    expires_at: str | None
    last_invoked_at: str | None


class ListQuery(Struct, rename="camel"):
    """`page` counts from 1; `sort` is `field[:asc|desc]`, joined by `;`; every `filter` has to hold."""

    page: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 1
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 20
    sort: str = ""
    query: str = "*"
    filter: list[str] = []


class Sort(Struct):
    empty: bool
    sorted: bool
    unsorted: bool


class Pageable(Struct, rename="camel"):
    offset: int
    page_number: int
    page_size: int
    paged: bool
    unpaged: bool
    sort: Sort


class Page(Struct, rename="camel", kw_only=True):
    """`number` counts from 0, as Spring's does, though the parameter `page` counts from 1."""

    content: list[OrchestratorAgentSession]
    number: int
    size: int
    number_of_elements: int
    total_elements: int
    total_pages: int
    first: bool
    last: bool
    empty: bool
    sort: Sort
    pageable: Pageable


class User(Struct, rename="camel", kw_only=True):
    """The holder of a key, as far as a key says who that is."""

    id: str
    uuid: str
    change_sequence: int
    first_name: str
    activated: bool
    platform_admin: bool
    organization_id: str


class Overview(Struct, rename="camel", kw_only=True):
    name: str
    version: str
    release: str
    environment: str
    description: str


class Failure(Struct, rename="camel", kw_only=True):
    """Spring's error body. `errors` maps fields to what is wrong with them; the client prints it for a 400."""

    timestamp: str
    status: int
    error: str
    message: str
    path: str
    request_id: str
    errors: dict[str, str] | UnsetType = UNSET
