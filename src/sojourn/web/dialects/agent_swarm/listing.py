"""The list as bytes, kept from one request to the next: a row is encoded again only when it changed."""

from collections.abc import Sequence
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

_HEAD: Final = b'{"sessions":['
_TAIL: Final = b"]}"

_encode = msgspec.json.Encoder().encode


class Listed(msgspec.Struct, frozen=True):
    """`etag` is made from the rows, so that it is the same in every process."""

    body: bytes
    etag: bytes


class _Row(msgspec.Struct, frozen=True):
    """`data` shows `driven` under the name of `agent`. One digest a row spares hashing the whole list for each beat."""

    driven: DrivenSession
    agent: str
    data: bytes
    digest: bytes


@dataclass(slots=True)
class _Kept:
    """`rows` are those of `roster`, in its order, and `ids` theirs."""

    roster: Roster | None = None
    ids: list[SessionId] = field(default_factory=list[SessionId])
    rows: list[_Row] = field(default_factory=list[_Row])
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
    ids = [one.id for one in roster.sessions]
    known: Sequence[_Row | None] = kept.rows
    if ids != kept.ids:
        # The number that an id is hashes in a tenth of the time of the id itself.
        by_number = {row.driven.id.int: row for row in kept.rows}
        known = [by_number.get(id.int) for id in ids]
    kept.rows = [
        row if row is not None and (row.driven is one or row.driven == one) else _row(one, roster)
        for row, one in zip(known, roster.sessions, strict=True)
    ]
    kept.ids, kept.bodies, kept.roster = ids, {}, roster


def _row(driven: DrivenSession, roster: Roster) -> _Row:
    row = outbound.row(driven, roster)
    data = _encode(row)
    return _Row(driven, row.agent_id, data, sha256(data).digest())


def _list(kept: _Kept, agent: str | None) -> Listed:
    rows = kept.rows if agent is None else [row for row in kept.rows if row.agent == agent]
    digest = sha256(b"".join([row.digest for row in rows])).hexdigest()
    parts = [row.data for row in rows] or [b""]
    # Head and tail go with the first row and the last: half a megabyte is then copied once and not three times.
    parts[0] = _HEAD + parts[0]
    parts[-1] += _TAIL
    return Listed(b",".join(parts), f'"{digest[:32]}"'.encode())
