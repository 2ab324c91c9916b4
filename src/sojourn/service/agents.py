"""Agents: make, read, find, copy, update into a next version, and take out of use."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sojourn.domain.agent import Agent, AgentQuery, AgentSpec
from sojourn.domain.capability import Catalogue
from sojourn.domain.client_tools import check_client_tools
from sojourn.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, RevisionMismatch
from sojourn.domain.ids import AgentId, OrgId, uuid7
from sojourn.domain.runner_config import check_runner_config
from sojourn.ports import Clock, Reads, Store, Tx
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, once

DEFAULT_AGENT: Final = "default"
CACHED_VERSIONS: Final = 1_000
NAMED_SECONDS: Final = 5.0
# Of a copied agent's name: the copy's own stays within the 64 letters that some clients take.
LONGEST_STEM: Final = 54
MOST_COPIES: Final = 1_000


class Agents:
    def __init__(
        self, store: Store, clock: Clock, catalogue: Catalogue, allow_commands: bool = False
    ) -> None:
        """`allow_commands` lets clients name programs that then run on this machine."""
        self._store = store
        self._clock = clock
        self._catalogue = catalogue
        self._allow_commands = allow_commands
        self._named: dict[tuple[OrgId, AgentId | str], tuple[float, Agent]] = {}
        self._unknown: dict[tuple[OrgId, str], float] = {}
        # A version never changes, so its copy never goes stale.
        self._versions: dict[tuple[OrgId, AgentId, int], Agent] = {}

    async def create(
        self, org: OrgId, spec: AgentSpec, repeat: Repeat | None = None, id: AgentId | None = None
    ) -> Result[Agent]:
        agent = self._new(spec, id)

        async def verb(tx: Tx) -> Remembered:
            async def make() -> Remembered:
                await _insert(tx, org, agent)
                return Remembered({"agent": str(agent.id)})

            return await once(tx, org, repeat, agent.created_at, make)

        answer = await self._store.write(verb)
        if not answer.replayed:
            return Result(agent)
        return Result(await self.get(org, AgentId(UUID(answer.ids["agent"])), 1), replayed=True)

    def _new(self, spec: AgentSpec, id: AgentId | None = None) -> Agent:
        self._check(spec)
        now = self._clock.now()
        return Agent(id=id or AgentId(uuid7()), version=1, spec=spec, created_at=now, updated_at=now)

    def _check(self, spec: AgentSpec) -> None:
        check_client_tools("client_tools", spec.client_tools)
        self._catalogue.check(spec.runner, spec.tools, spec.capabilities)
        check_runner_config(spec, allow_commands=self._allow_commands)

    async def apply(
        self,
        org: OrgId,
        named: AgentId | str,
        spec: Callable[[AgentSpec | None], AgentSpec],
        repeat: Repeat | None = None,
    ) -> Result[Agent]:
        """Make the agent of that id or name as `spec` says, which is given the current one's if there is one.

        One that was archived is in use again; one that is as it should be already gets no new version.
        """
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def make() -> Remembered:
                found = await _lock(tx, org, named)
                if found is None:
                    made = self._new(spec(None), None if isinstance(named, str) else named)
                    if await tx.insert_agent(org, made):
                        return Remembered({"agent": str(made.id), "version": "1"})
                    # A rival was faster, and has committed: the insert waited for that.
                    found = await _lock(tx, org, named)
                    if found is None:
                        raise AlreadyExists("agent", made.spec.name)
                wanted = spec(found.spec)
                self._check(wanted)
                changed = found if wanted == found.spec else await _change(tx, org, found, wanted, now)
                if changed.archived_at is not None:
                    await tx.archive_agent(org, changed.id, None)
                return Remembered({"agent": str(changed.id), "version": str(changed.version)}, created=False)

            return await once(tx, org, repeat, now, make)

        answer = await self._store.write(verb)
        self._named.clear()
        agent = await self.get(org, AgentId(UUID(answer.ids["agent"])), int(answer.ids["version"]))
        return Result(agent, answer.created, answer.replayed)

    async def copy(
        self, org: OrgId, agent: AgentId, name: str | None = None, repeat: Repeat | None = None
    ) -> Result[Agent]:
        """A new agent like that one. Without a name it is called after it."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def make() -> Remembered:
                source = await tx.get_agent(org, agent)
                if source is None:
                    raise NotFound("agent", agent)
                called = name or await _free_name(tx, org, source.spec.name)
                made = self._new(replace(source.spec, name=called))
                await _insert(tx, org, made)
                return Remembered({"agent": str(made.id)})

            return await once(tx, org, repeat, now, make)

        answer = await self._store.write(verb)
        made = await self.get(org, AgentId(UUID(answer.ids["agent"])), 1)
        return Result(made, replayed=answer.replayed)

    async def archive(
        self, org: OrgId, agent: AgentId, archived: bool, repeat: Repeat | None = None
    ) -> Result[Agent]:
        """Take an agent out of use, or back into it. Its sessions go on. A second time changes nothing."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def make() -> Remembered:
                current = await tx.lock_agent(org, agent)
                if current is None:
                    raise NotFound("agent", agent)
                if archived and current.spec.name == DEFAULT_AGENT:
                    raise Conflict("The default agent stays in use: sessions that name no agent have it.")
                if archived != (current.archived_at is not None):
                    await tx.archive_agent(org, agent, now if archived else None)
                return Remembered({"agent": str(agent)}, created=False)

            return await once(tx, org, repeat, now, make)

        answer = await self._store.write(verb)
        self._named.clear()
        return Result(await self.get(org, agent), created=False, replayed=answer.replayed)

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

    async def pinned(self, org: OrgId, agent: AgentId, version: int) -> Agent:
        return await self.get_version(self._store.reads, org, agent, version)

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

    async def first_known(self, org: OrgId, names: Sequence[str]) -> str | None:
        """The first of the names that an agent in use has; a change is seen within NAMED_SECONDS."""
        for name in names:
            if self._unknown.get((org, name), 0.0) > time.monotonic():
                continue
            with suppress(InvalidRequest):
                if (await self.resolve(org, name)).archived_at is None:
                    return name
            if len(self._unknown) >= CACHED_VERSIONS:
                self._unknown.clear()
            self._unknown[org, name] = time.monotonic() + NAMED_SECONDS
        return None

    async def list(self, org: OrgId, query: AgentQuery) -> Sequence[Agent]:
        return await self._store.reads.list_agents(org, query)

    async def count(self, org: OrgId, query: AgentQuery) -> int:
        """How many the query selects, on all its pages."""
        return await self._store.reads.count_agents(org, query)

    async def update(
        self, org: OrgId, agent: AgentId, spec: AgentSpec, expected_version: int | None = None
    ) -> Agent:
        """Make the next version. Sessions keep the version that they were created with."""
        return await self.amend(org, agent, lambda _: spec, expected_version)

    async def amend(
        self,
        org: OrgId,
        agent: AgentId,
        change: Callable[[AgentSpec], AgentSpec],
        expected_version: int | None = None,
    ) -> Agent:
        """Make the next version as `change` says, which is given the current one's spec."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Agent:
            current = await tx.lock_agent(org, agent)
            if current is None:
                raise NotFound("agent", agent)
            if expected_version is not None and expected_version != current.version:
                raise RevisionMismatch(expected_version, current.version)
            wanted = change(current.spec)
            self._check(wanted)
            return await _change(tx, org, current, wanted, now)

        changed = await self._store.write(verb)
        self._named.clear()
        return changed


async def _lock(tx: Tx, org: OrgId, named: AgentId | str) -> Agent | None:
    if not isinstance(named, str):
        return await tx.lock_agent(org, named)
    found = await tx.find_agent(org, named)
    return None if found is None else await tx.lock_agent(org, found.id)


async def _insert(tx: Tx, org: OrgId, agent: Agent) -> None:
    if not await tx.insert_agent(org, agent):
        named = await tx.find_agent(org, agent.spec.name)
        raise AlreadyExists("agent", agent.id if named is None else agent.spec.name)


async def _change(tx: Tx, org: OrgId, current: Agent, spec: AgentSpec, now: datetime) -> Agent:
    """The next version of a locked agent."""
    if spec.name != current.spec.name and await tx.find_agent(org, spec.name) is not None:
        raise AlreadyExists("agent", spec.name)
    changed = replace(current, version=current.version + 1, spec=spec, updated_at=now)
    await tx.insert_agent_version(org, changed)
    return changed


async def _free_name(tx: Tx, org: OrgId, name: str) -> str:
    stem = f"{name[:LONGEST_STEM].rstrip('-')}-copy"
    for number in range(1, MOST_COPIES):
        called = stem if number == 1 else f"{stem}-{number}"
        if await tx.find_agent(org, called) is None:
            return called
    raise AlreadyExists("agent", stem)
