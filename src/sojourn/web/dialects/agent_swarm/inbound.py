"""From agent-swarm's requests to what the service takes. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes
from uuid import UUID

import msgspec

from sojourn.domain.errors import Unauthenticated
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.record import STALE_AFTER, DrivenSession
from sojourn.service.driven import Sweep
from sojourn.service.names import Name
from sojourn.service.rosters import Roster
from sojourn.service.sessions import NewSession
from sojourn.web.dialects.agent_swarm import wire
from sojourn.web.dialects.agent_swarm.fields import Fields

# The presence of every session made here is held under one name: any key of the organisation may beat it.
HOLDER: Final = wire.DIALECT

_SCHEME: Final = "Bearer "
_LONGEST_AGE_MINUTES: Final = 100 * 366 * 24 * 60
_LARGEST_INTEGER: Final = 2**53 - 1
# A database's clock may be ahead of this process's. The sweep itself goes by the database's; this is only a choice
# of those that are worth looking at.
_CLOCK_SLACK_SECONDS: Final = 60
# Longer task ids than this do not fit an index entry of every database.
_LONGEST_PLAIN_BYTES: Final = 500
_DIGEST: Final = "sha256:"
_TITLE_CHARACTERS: Final = 200

_decode_facet = msgspec.json.Decoder(wire.Facet).decode


def token(authorization: str | None) -> str:
    """The scheme counts as it is written, and spaces around the key do not."""
    if authorization is None or not authorization.startswith(_SCHEME):
        raise Unauthenticated
    found = authorization.removeprefix(_SCHEME).strip()
    if not found:
        raise Unauthenticated
    return found


def segments(path: bytes) -> list[bytes]:
    """Empty segments do not count, wherever they are."""
    return [segment for segment in path.split(b"/") if segment]


def text(segment: bytes) -> str | None:
    """A segment, percent-decoded; None for what is no text and so the name of nothing."""
    try:
        found = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in found else found


def session_id(segment: bytes) -> SessionId | None:
    """An id in the form in which this API gives it: dashed, in lower case."""
    found = text(segment)
    if found is None or len(found) != 36:
        return None
    try:
        id = UUID(found)
    except ValueError:
        return None
    return SessionId(id) if str(id) == found else None


def task_name(task: str) -> Name:
    """The name of the session of a task. A text of any length is a task id, so the long ones go by their digest."""
    data = task.encode()
    if len(data) > _LONGEST_PLAIN_BYTES or task.startswith(_DIGEST):
        return Name("taskId", _DIGEST + sha256(data).hexdigest())
    return Name("taskId", task)


def name_of(facet: str) -> Name | None:
    task = read_facet(facet).task_id
    return None if task is None else task_name(task)


def read_facet(facet: str) -> wire.Facet:
    return _decode_facet(facet)


def facet_of(driven: DrivenSession) -> wire.Facet | None:
    """None for a session that was made elsewhere."""
    if driven.origin != wire.DIALECT or driven.facet is None:
        return None
    return _decode_facet(driven.facet)


def agent_filter(query: bytes) -> str | None:
    """The last `agentId` counts, an empty one for none; every other parameter is ignored."""
    if not query:
        return None
    given = dict(parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True))
    return given.get("agentId") or None


def is_known(etag: bytes, if_none_match: str | None) -> bool:
    """Whether the client has the answer already (RFC 9110 section 13.1.2)."""
    if if_none_match is None:
        return False
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in known or etag.decode() in known


def new_facet(body: Json) -> wire.Facet:
    fields = Fields(body)
    facet = wire.Facet(
        agent_id=fields.text("agentId"),
        trigger_type=fields.text("triggerType"),
        task_id=fields.optional_text("taskId"),
        inbox_message_id=fields.optional_text("inboxMessageId"),
        task_description=fields.optional_text("taskDescription"),
        runner_session_id=fields.optional_text("runnerSessionId"),
        runtime_instance_id=fields.optional_text("runtimeInstanceId"),
    )
    fields.check()
    return facet


def new_session(facet: wire.Facet) -> NewSession:
    """The agent is the organisation's default: agent-swarm's agents are its own, and run elsewhere."""
    title = None if facet.task_description is None else facet.task_description[:_TITLE_CHARACTERS]
    return NewSession(
        title=title or None,
        origin=wire.DIALECT,
        facet=(wire.DIALECT, msgspec.json.encode(facet).decode()),
        name=None if facet.task_id is None else task_name(facet.task_id),
        driver=HOLDER,
    )


def provider_session_id(body: Json) -> str:
    fields = Fields(body)
    found = fields.text("providerSessionId")
    fields.check()
    return found


def with_provider_session(facet: str, id: str) -> str:
    changed = msgspec.structs.replace(read_facet(facet), provider_session_id=id)
    return msgspec.json.encode(changed).decode()


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Everything of one agent, or, where `agent` is None, what was quiet for longer than `max_age_minutes`."""

    agent: str | None
    max_age_minutes: int | None


def cleanup(body: Json) -> Cleanup:
    fields = Fields(body)
    agent = fields.optional_text("agentId")
    age = fields.optional_integer("maxAgeMinutes", 0, _LONGEST_AGE_MINUTES)
    fields.check()
    return Cleanup(agent or None, age)


def sweep(wanted: Cleanup) -> Sweep:
    if wanted.agent is not None:
        return Sweep(holder=HOLDER, reason="agent_cleanup", quiet_seconds=None)
    age = wanted.max_age_minutes
    quiet_seconds = STALE_AFTER.total_seconds() if age is None else age * 60.0
    return Sweep(holder=HOLDER, reason="stale", quiet_seconds=quiet_seconds)


def swept(wanted: Cleanup, roster: Roster, now: datetime) -> list[SessionId]:
    """Those that the sweep has to look at. Only sessions that were made here are ever among them."""
    quiet_seconds = sweep(wanted).quiet_seconds
    if quiet_seconds is None:
        facets = ((one.id, facet_of(one)) for one in roster.sessions)
        return [id for id, facet in facets if facet is not None and facet.agent_id == wanted.agent]
    since = now - timedelta(seconds=quiet_seconds - _CLOCK_SLACK_SECONDS)
    return [one.id for one in roster.sessions if one.origin == wire.DIALECT and one.last_seen_at < since]


def orphans_of(body: Json) -> str:
    """The agent whose orphaned tasks are asked for."""
    fields = Fields(body)
    agent = fields.text("agentId")
    fields.optional_integer("minAgeSeconds", 1, _LARGEST_INTEGER)
    fields.check()
    return agent
