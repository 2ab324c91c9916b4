"""Agents: make, read, find, and update into a next version."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from sojourn.domain.agent import Agent, AgentSpec
from sojourn.domain.errors import AlreadyExists, InvalidRequest, NotFound, RevisionMismatch
from sojourn.domain.ids import AgentId, OrgId, uuid7
from sojourn.ports import Clock, Reads, Store, Tx
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, once

DEFAULT_AGENT: Final = "default"
CACHED_VERSIONS: Final = 1_000
NAMED_SECONDS: Final = 5.0


class Agents:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._named: dict[tuple[OrgId, AgentId | str], tuple[float, Agent]] = {}
        # A version never changes, so its copy never goes stale.
        self._versions: dict[tuple[OrgId, AgentId, int], Agent] = {}

    async def create(self, org: OrgId, spec: AgentSpec, repeat: Repeat | None = None) -> Result[Agent]:
        now = self._clock.now()
        agent = Agent(id=AgentId(uuid7()), version=1, spec=spec, created_at=now, updated_at=now)

        async def verb(tx: Tx) -> Remembered:
            async def make() -> Remembered:
                if not await tx.insert_agent(org, agent):
                    raise AlreadyExists("agent", spec.name)
                return Remembered({"agent": str(agent.id)})

            return await once(tx, org, repeat, now, make)

        answer = await self._store.write(verb)
        if not answer.replayed:
            return Result(agent)
        return Result(await self.get(org, AgentId(UUID(answer.ids["agent"])), 1), replayed=True)

    async def ensure_default(self, org: OrgId) -> None:
        if await self._store.reads.find_agent(org, DEFAULT_AGENT) is None:
            # Another process that starts at the same moment makes it too.
            with suppress(AlreadyExists):
                await self.create(org, AgentSpec(name=DEFAULT_AGENT, tools=("current_time", "files")))

    async def get(self, org: OrgId, agent: AgentId, version: int | None = None) -> Agent:
        found = await self._store.reads.get_agent(org, agent, version)
        if found is None:
            raise NotFound("agent" if version is None else f"version {version} of agent", agent)
        return found

    async def find(self, org: OrgId, name: str) -> Agent:
        """The current version of the agent of that name."""
        found = await self._store.reads.find_agent(org, name)
        if found is None:
            raise NotFound("agent", name)
        return found

    async def get_version(self, reads: Reads, org: OrgId, agent: AgentId, version: int) -> Agent:
        """A pinned version, from memory if it was read before. `reads` may be a transaction's."""
        place = (org, agent, version)
        found = self._versions.get(place)
        if found is None:
            found = await reads.get_agent(org, agent, version)
            if found is None:
                raise NotFound(f"version {version} of agent", agent)
            if len(self._versions) >= CACHED_VERSIONS:
                self._versions.clear()
            self._versions[place] = found
        return found

    async def resolve(self, org: OrgId, agent: AgentId | str | None) -> Agent:
        """The current version of the agent that a client named by id or name, or of the organisation's default.

        An update made in another process is seen within NAMED_SECONDS.
        """
        named = agent or DEFAULT_AGENT
        kept = self._named.get((org, named))
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        if isinstance(named, str):
            found = await self._store.reads.find_agent(org, named)
        else:
            found = await self._store.reads.get_agent(org, named)
        if found is None:
            raise InvalidRequest("agent", f"there is no agent {agent}")
        if len(self._named) >= CACHED_VERSIONS:
            self._named.clear()
        self._named[org, named] = (time.monotonic() + NAMED_SECONDS, found)
        return found

    async def list(self, org: OrgId, after: AgentId | None, limit: int) -> Sequence[Agent]:
        return await self._store.reads.list_agents(org, after, limit)

    async def update(
        self, org: OrgId, agent: AgentId, spec: AgentSpec, expected_version: int | None = None
    ) -> Agent:
        """Make the next version. Sessions keep the version that they were created with."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Agent:
            current = await tx.lock_agent(org, agent)
            if current is None:
                raise NotFound("agent", agent)
            if expected_version is not None and expected_version != current.version:
                raise RevisionMismatch(expected_version, current.version)
            if spec.name != current.spec.name and await tx.find_agent(org, spec.name) is not None:
                raise AlreadyExists("agent", spec.name)
            changed = replace(current, version=current.version + 1, spec=spec, updated_at=now)
            await tx.insert_agent_version(org, changed)
            return changed

        changed = await self._store.write(verb)
        self._named.clear()
        return changed
