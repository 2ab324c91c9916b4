"""The services over one database, without a worker or upkeep of their own: the test is the worker and the time."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from sojourn.domain.actor import Actor
from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import TextPart
from sojourn.domain.events import Event
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import DEFAULT_ORG, OrgId, SessionId
from sojourn.domain.input import Input
from sojourn.domain.kinds import Delivery
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.domain.record import SessionRecord
from sojourn.ports import Store
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.runners.model.catalogue import catalogue_of
from sojourn.runners.model.memory import MemoryOpener
from sojourn.runners.model.tools import BUILT_IN
from sojourn.service.claims import LEASE_TTL_SECONDS, LeaseTerms
from sojourn.service.codec import read_entry
from sojourn.service.core import Choices, Services, build_services
from sojourn.service.hub import Hub
from sojourn.service.inputs import NewInput
from sojourn.service.sessions import NewSession
from sojourn.store.secrets import SealedSecrets, SealingKey
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.invariants import check_invariants

SOMEBODY = Actor("human")
# The name of the tools that a test brings, which the catalogue knows.
TOOLSET = "of-the-test"
E = TypeVar("E", bound=Event)


@dataclass
class World:
    database: Database
    store: Store
    services: Services
    clock: HandClock
    published: list[StoredEvent] = field(default_factory=list[StoredEvent])
    org: OrgId = DEFAULT_ORG

    async def new_session(self, new: NewSession | None = None) -> SessionId:
        made = await self.services.sessions.create(self.org, new or NewSession(), SOMEBODY)
        return made.value.session.id

    async def send(self, session: SessionId, text: str = "hello", delivery: Delivery = "queue") -> Input:
        new = NewInput(content=(TextPart(text),), delivery=delivery)
        return (await self.services.inputs.send(self.org, session, new, SOMEBODY)).value

    async def claim(self, session: SessionId, worker: str = "worker") -> ClaimedTurn:
        turn = await self.services.turns.claim(Ready(self.org, session), worker, ("model", "acp"))
        assert turn is not None
        return turn

    async def claimed(self, text: str = "hello") -> ClaimedTurn:
        """A claimed turn of a new session."""
        session = await self.new_session()
        await self.send(session, text)
        return await self.claim(session)

    async def record(self, session: SessionId) -> SessionRecord:
        return await self.services.sessions.get(self.org, session)

    async def log(self, session: SessionId) -> Sequence[LogEntry]:
        events = await self.store.reads.events_after(self.org, session, 0, 10_000)
        return [await read_entry(self.store.reads, event) for event in events]

    async def types(self, session: SessionId) -> list[str]:
        return [entry.type for entry in await self.log(session)]

    async def said(self, session: SessionId, kind: type[E]) -> list[E]:
        """The events of one type, in the order of the log."""
        return [entry.event for entry in await self.log(session) if isinstance(entry.event, kind)]

    async def conversation(self, session: SessionId) -> Conversation:
        return Conversation().extend(await self.log(session))

    async def problems(self) -> list[str]:
        """What of the invariants is broken."""
        return await check_invariants(self.store.reads, self.database.query, self.org)


@asynccontextmanager
async def open_world(
    database: Database,
    clock: HandClock,
    terms: LeaseTerms | None = None,
    private_webhooks: bool = False,
) -> AsyncGenerator[World]:
    hub = Hub()
    published: list[StoredEvent] = []

    def publish(events: Sequence[StoredEvent]) -> None:
        published.extend(events)
        hub.publish(events)

    store = await database.open(clock, publish)
    terms = terms or LeaseTerms(LEASE_TTL_SECONDS, None)
    secrets = SealedSecrets(store, clock, SealingKey("a key for tests", database.directory))
    services = build_services(
        store,
        secrets,
        hub,
        clock,
        terms,
        Choices(
            default_model="sim/echo",
            is_shared=database.dialect == "postgres",
            catalogue=catalogue_of({**BUILT_IN, TOOLSET: ()}, [MemoryOpener().kind]),
            private_webhooks=private_webhooks,
            allow_commands=True,
        ),
    )
    await services.access.ensure_org(DEFAULT_ORG, "default")
    await services.agents.ensure_default(DEFAULT_ORG)
    if await store.reads.find_agent(DEFAULT_ORG, "spawning") is None:
        await services.agents.create(
            DEFAULT_ORG, AgentSpec(name="spawning", runner="acp", runner_config={"agent": "opencode"})
        )
    try:
        yield World(database, store, services, clock, published)
    finally:
        hub.close()
        await store.close()
