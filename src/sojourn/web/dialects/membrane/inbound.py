"""Membrane's format in our values. Pure."""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from msgspec import UnsetType

from sojourn.domain.content import TextPart
from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.filter import All, Compare, FacetPath, Filter, FirstOf, Not, Position, SessionQuery, Word
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import Delivery, Json
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Policy
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity
from sojourn.service.results import UNSET as UNCHANGED
from sojourn.service.sessions import EndStatus, NewSession, SessionChange
from sojourn.web.dialects.membrane import facet, status, wire
from sojourn.web.dialects.membrane.facet import DIALECT, Facet
from sojourn.web.kit.values import check_free_form

IDLE_SECONDS: Final = 15 * 60.0
# A longer prompt is read from the session's first message.
KEPT_PROMPT: Final = 4_000
DEFAULT_ELEMENT: Final = "customer"

_ID: Final = re.compile(r"[0-9a-f]{32}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FALSE: Final = frozenset({"", "0", "false"})

_ENDING: Final[dict[wire.Status, EndStatus]] = {
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}


def session_id(text: str) -> SessionId:
    """NotFound for what is no 32 hexadecimal digits, as it is then the id of nothing."""
    if _ID.fullmatch(text) is None:
        raise NotFound("agent session", text[:100])
    return SessionId(UUID(text))


def is_true(text: str) -> bool:
    """The vendor's loose booleans: anything but `false`, `0` and nothing at all is true."""
    return text not in _FALSE


def new_session(
    new: wire.CreateAgentSession, workspace: str | None, tenant: str | None, providers: Collection[str]
) -> NewSession:
    """A model of a provider that is not among `providers` is recorded, and the agent's own does the work."""
    own = Facet(
        workspace_key=workspace,
        tenant_id=tenant,
        workspace_element_type=_given(new.workspace_element_type),
        workspace_element_id=_given(new.workspace_element_id),
        test_customer_id=_given(new.test_customer_id),
        is_external=_given(new.is_external),
        model_id=_given(new.model_id),
        agent_name=_given(new.agent_name),
        agent_harness_id=_given(new.agent_harness_id),
        prompt=new.prompt if len(new.prompt) <= KEPT_PROMPT else None,
    )
    return NewSession(
        policy=Policy(idle_timeout_seconds=IDLE_SECONDS),
        origin=DIALECT,
        facet=(DIALECT, facet.to_text(own)),
        message=content(new.prompt, new.prompt_attachments),
        overlay=None if isinstance(new.model_id, UnsetType) else _model(new.model_id, providers),
    )


def _model(model_id: str, providers: Collection[str]) -> Overlay | None:
    provider, _, name = model_id.partition("/")
    if provider not in providers:
        return None
    # The vendor writes Anthropic's versions with a point, their maker with a hyphen.
    return Overlay(model=f"{provider}/{name.replace('.', '-') if provider == 'anthropic' else name}")


def content(text: str, attachments: Sequence[wire.Attachment]) -> tuple[TextPart, ...]:
    """An attachment is a part of its own behind the text, marked so that it can be told from one."""
    return (TextPart(text), *(TextPart(attached(one)) for one in attachments))


ATTACHMENT: Final = "\n\n<attachment title="


def attached(attachment: wire.Attachment) -> str:
    data: Any = attachment.data
    text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    title = msgspec.json.encode(attachment.title).decode()
    return f"{ATTACHMENT}{title}>\n{text}\n</attachment>"


def delivery(record: SessionRecord) -> Delivery:
    """A message steers what runs. A turn that waits for an answer which no client of Membrane can give is replaced."""
    return "interrupt" if record.session.activity is Activity.WAITING else "steer"


def change(patch: wire.PatchAgentSession, max_bytes: int) -> SessionChange:
    """A worker's report: what it says is kept, and a word for an end ends the session."""
    if isinstance(patch.output, dict):
        check_free_form("output", patch.output, max_bytes, max_bytes)
    if isinstance(patch.error, wire.ErrorData):
        check_free_form("error", _plain(patch.error), max_bytes, max_bytes)
    return SessionChange(
        title=UNCHANGED if isinstance(patch.title, UnsetType) else patch.title,
        revise=(DIALECT, _revision(patch)),
        active_at=_activity(patch.last_activity_at),
        end=None if isinstance(patch.status, UnsetType) else _ENDING.get(patch.status),
    )


def _revision(patch: wire.PatchAgentSession) -> Callable[[SessionRecord], str]:
    error = _plain(patch.error) if isinstance(patch.error, wire.ErrorData) else None

    def revise(record: SessionRecord) -> str:
        before = facet.of_text(record.facet)
        after = msgspec.structs.replace(
            before,
            summary=_or(patch.summary, before.summary),
            error=before.error if error is None else error,
            error_turns=before.error_turns if error is None else record.session.turns,
            output=_or(patch.output, before.output),
            opencode_session_uuid=_or(patch.opencode_session_uuid, before.opencode_session_uuid),
            report=status.report(record.session, patch, before.report),
        )
        return facet.to_text(after)

    return revise


def _plain(error: wire.ErrorData) -> dict[str, Json]:
    return cast("dict[str, Json]", msgspec.to_builtins(error))


def _activity(value: str | float | UnsetType) -> datetime | None:
    if isinstance(value, UnsetType):
        return None
    if isinstance(value, str):
        return instant("lastActivityAt", value)
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        raise InvalidRequest("lastActivityAt", "is outside of the calendar") from None


def instant(field: str, text: str) -> datetime:
    if _INSTANT.fullmatch(text) is None:
        raise InvalidRequest(field, "must be an ISO 8601 instant that ends in Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(field, "is no instant of the calendar") from None


def page(query: wire.ListQuery, where: Filter, after: Position | None) -> SessionQuery:
    """Newest first, one more than asked for: it tells whether there is another page."""
    return SessionQuery(where=where, after=after, limit=query.limit + 1, facet=DIALECT)


def where(query: wire.ListQuery, workspace: str, tenant: str | None) -> Filter:
    """What the query selects of what the caller may see. `tenant` None sees all."""
    parts: list[Filter] = []
    if tenant is not None:
        parts.append(Compare(_TENANT, "eq", tenant))
    if not isinstance(query.status, UnsetType):
        parts.append(status.is_shown(query.status))
    if not isinstance(query.workspace_element_type, UnsetType):
        parts.append(Compare(_ELEMENT_TYPE, "eq", query.workspace_element_type))
    if not isinstance(query.workspace_element_id, UnsetType):
        parts.append(Compare(_element_id(workspace), "eq", query.workspace_element_id))
    if not isinstance(query.agent_harness_id, UnsetType):
        parts.append(Compare(_of("agentHarnessId"), "eq", query.agent_harness_id))
    if not isinstance(query.start_datetime, UnsetType):
        parts.append(Compare("created_at", "ge", instant("startDatetime", query.start_datetime)))
    if not isinstance(query.end_datetime, UnsetType):
        parts.append(Compare("created_at", "le", instant("endDatetime", query.end_datetime)))
    if not isinstance(query.is_external, UnsetType):
        external = Compare(FacetPath(DIALECT, ("isExternal",), "boolean"), "eq", "true")
        parts.append(external if is_true(query.is_external) else Not(external))
    return All(tuple(parts))


def _of(name: str) -> FacetPath:
    return FacetPath(DIALECT, (name,))


_TENANT: Final = _of("tenantId")
_ELEMENT_TYPE: Final = FirstOf((_of("workspaceElementType"), Word((), DEFAULT_ELEMENT)))


def _element_id(workspace: str) -> FirstOf:
    """As it is shown: the element's, else the tenant's, else the workspace's."""
    return FirstOf((_of("workspaceElementId"), _TENANT, _of("workspaceKey"), Word((), workspace)))


def _given(value: Any) -> Any:
    return None if isinstance(value, UnsetType) else value


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if isinstance(value, UnsetType) else value
