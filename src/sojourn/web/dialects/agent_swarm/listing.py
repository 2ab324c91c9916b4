"""The list as bytes, kept from one request to the next: a row is encoded again only when it changed."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import DrivenSession
from sojourn.service.rosters import Roster
from sojourn.web.dialects.agent_swarm import outbound

# What is kept beyond this many organisations, or lists of single agents, is made anew when it is asked for.
_MOST_ORGS: Final = 100
_MOST_BODIES: Final = 16

_encode = msgspec.json.Encoder().encode


class Listed(msgspec.Struct, frozen=True):
    """`etag` is made from the body, so that it is the same in every process."""

    body: bytes
    etag: bytes


@dataclass(slots=True)
class _Kept:
    """`rows` holds the session that each row was encoded from, the agent that it shows, and its bytes."""

    roster: Roster | None = None
    rows: dict[SessionId, tuple[DrivenSession, str, bytes]] = field(
        default_factory=dict[SessionId, tuple[DrivenSession, str, bytes]]
    )
    bodies: dict[str | None, Listed] = field(default_factory=dict[str | None, Listed])


class Listing:
    def __init__(self) -> None:
        self._kept: dict[OrgId, _Kept] = {}

    def read(self, org: OrgId, roster: Roster, agent: str | None) -> Listed:
        """The rows of one agent, or of all."""
        kept = self._kept.get(org)
        if kept is None:
            if len(self._kept) >= _MOST_ORGS:
                self._kept.clear()
            kept = self._kept[org] = _Kept()
        if kept.roster is not roster:
            _catch_up(kept, roster)
        listed = kept.bodies.get(agent)
        if listed is None:
            if len(kept.bodies) >= _MOST_BODIES:
                kept.bodies.clear()
            listed = kept.bodies[agent] = _list(kept, agent)
        return listed


def _catch_up(kept: _Kept, roster: Roster) -> None:
    """Encode what is new. What did not change is the same object, or an equal one."""
    before, kept.rows, kept.bodies = kept.rows, {}, {}
    for driven in roster.sessions:
        known = before.get(driven.id)
        if known is None or (known[0] is not driven and known[0] != driven):
            row = outbound.row(driven, roster)
            known = (driven, row.agent_id, _encode(row))
        kept.rows[driven.id] = known
    kept.roster = roster


def _list(kept: _Kept, agent: str | None) -> Listed:
    rows = [data for _, shown, data in kept.rows.values() if agent is None or shown == agent]
    body = b'{"sessions":[' + b",".join(rows) + b"]}"
    return Listed(body, b'"' + sha256(body).hexdigest()[:32].encode() + b'"')
