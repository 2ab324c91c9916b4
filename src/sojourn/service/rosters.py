"""Who drives what from outside: the list that a client of presences asks for all the time.

In a process that alone writes to its store the roster is kept in memory, and a beat costs it one entry of a dict. It
stays true without locks, because every commit is told here, on the event loop, before its writer is answered: a
session that a commit may have changed is read again before the next roster is given out. Whether that read sees the
commit or something later, it is never older than what any client was told.
"""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sojourn.domain.ids import AgentId, OrgId, SessionId
from sojourn.domain.record import DrivenSession
from sojourn.ports import Reads
from sojourn.service.agents import Agents
from sojourn.service.hub import Hub

# More changed sessions than this are not read one by one: the whole roster is read again.
MOST_TOUCHED: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The driven sessions of an organisation, newest first. The same object stands until something in it changes.

    `agent_names` gives the names of their agents, by agent and version.
    """

    sessions: Sequence[DrivenSession]
    agent_names: Mapping[tuple[AgentId, int], str]


@dataclass(slots=True, eq=False)
class _Kept:
    """`touched` are sessions to read again, `beats` the latest beats that `sessions` do not show yet."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    roster: Roster | None = None
    sessions: dict[SessionId, DrivenSession] = field(default_factory=dict[SessionId, DrivenSession])
    agent_names: dict[tuple[AgentId, int], str] = field(default_factory=dict[tuple[AgentId, int], str])
    touched: set[SessionId] = field(default_factory=set[SessionId])
    beats: dict[SessionId, datetime] = field(default_factory=dict[SessionId, datetime])

    def is_current(self) -> bool:
        return self.roster is not None and not self.touched and not self.beats


class Rosters:
    """`is_shared` says that other processes write to the same store: then every roster is read from it."""

    def __init__(self, reads: Reads, agents: Agents, hub: Hub, is_shared: bool) -> None:
        self._reads = reads
        self._agents = agents
        self._is_shared = is_shared
        self._kept: dict[OrgId, _Kept] = {}
        self._shared: dict[OrgId, Roster] = {}
        if not is_shared:
            hub.connect_rosters(self.touch)

    async def read(self, org: OrgId) -> Roster:
        if self._is_shared:
            return await self._read_shared(org)
        kept = self._kept.get(org)
        if kept is None:
            # Known from before its first read on, so that what changes meanwhile is not missed.
            kept = self._kept[org] = _Kept()
        if kept.roster is not None and kept.is_current():
            return kept.roster
        async with kept.lock:
            roster = kept.roster
            if roster is None or not kept.is_current():
                roster = await self._refresh(org, kept)
        return roster

    async def _read_shared(self, org: OrgId) -> Roster:
        sessions = await self._reads.driven_sessions(org)
        roster = self._shared.get(org)
        # The store gives the same list again where nothing has changed.
        if roster is None or roster.sessions is not sessions:
            roster = self._shared[org] = Roster(sessions, await self._names(org, sessions))
        return roster

    def touch(self, org: OrgId, session: SessionId) -> None:
        """A commit may have changed what the roster says of the session."""
        kept = self._kept.get(org)
        if kept is None:
            return
        kept.touched.add(session)
        if len(kept.touched) > MOST_TOUCHED and not kept.lock.locked():
            # Nobody has asked for long, or much has changed: forget it, rather than note what has.
            del self._kept[org]

    def beat(self, org: OrgId, session: SessionId, at: datetime) -> None:
        """A committed beat."""
        kept = self._kept.get(org)
        if kept is not None:
            kept.beats[session] = at

    async def _refresh(self, org: OrgId, kept: _Kept) -> Roster:
        touched, kept.touched = kept.touched, set()
        beats, kept.beats = kept.beats, {}
        whole = kept.roster is None or len(touched) > MOST_TOUCHED
        # A failure on the way leaves no roster, so that the next reader starts afresh.
        kept.roster = None
        if whole:
            found = await self._reads.driven_sessions(org)
            kept.sessions = {one.id: one for one in found}
            kept.agent_names = await self._names(org, found)
        elif touched:
            found = await self._reads.driven_sessions(org, list(touched))
            kept.sessions = _merged(kept.sessions, touched, found)
            kept.agent_names = kept.agent_names | await self._names(org, found)
        for session, at in beats.items():
            known = kept.sessions.get(session)
            if known is not None and known.last_seen_at < at:
                kept.sessions[session] = replace(known, last_seen_at=at)
        kept.roster = Roster(tuple(kept.sessions.values()), kept.agent_names)
        return kept.roster

    async def _names(self, org: OrgId, sessions: Sequence[DrivenSession]) -> dict[tuple[AgentId, int], str]:
        names: dict[tuple[AgentId, int], str] = {}
        for one in sessions:
            place = (one.agent, one.agent_version)
            if place not in names:
                agent = await self._agents.get_version(self._reads, org, *place)
                names[place] = agent.spec.name
        return names


def _merged(
    sessions: dict[SessionId, DrivenSession], touched: Set[SessionId], found: Sequence[DrivenSession]
) -> dict[SessionId, DrivenSession]:
    """`sessions`, newest first, with what was `found` of those `touched` in place of what was known of them.

    Nearly always what is new is newer than the rest, and then nothing is sorted: a dict that is copied keeps its
    order and the hashes of its keys, which are half the cost of a roster.
    """
    for id in touched - {one.id for one in found}:
        sessions.pop(id, None)
    new: list[DrivenSession] = []
    for one in found:
        if one.id in sessions:
            sessions[one.id] = one
        else:
            new.append(one)
    newest = next(iter(sessions.values()), None)
    merged = {one.id: one for one in new} | sessions
    if not new or newest is None or _place(new[-1]) > _place(newest):
        return merged
    return {one.id: one for one in sorted(merged.values(), key=_place, reverse=True)}


def _place(one: DrivenSession) -> tuple[datetime, SessionId]:
    return (one.created_at, one.id)
