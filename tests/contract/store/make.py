"""Values for the store's verbs, each whole and sound; a test names what it cares about."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sojourn.domain.actor import ActorKind
from sojourn.domain.agent import Agent, AgentSpec
from sojourn.domain.ask import Ask
from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.draft import State
from sojourn.domain.file import File
from sojourn.domain.ids import (
    DEFAULT_ORG,
    AgentId,
    AskId,
    BudgetId,
    EventId,
    InputId,
    KeyId,
    OrgId,
    SessionId,
    TurnId,
    uuid7,
)
from sojourn.domain.input import Input, priority_of
from sojourn.domain.kinds import Delivery
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import Key, Lease, LeaseKind, SessionRecord, Tombstone
from sojourn.domain.session import Session
from sojourn.domain.turn import Turn, TurnStatus
from sojourn.ports import Store, Tx
from tests.support.clock import START

T = TypeVar("T")
ORG = DEFAULT_ORG
AGENT = AgentId(uuid7())
NO_USAGE = Usage()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def session_id() -> SessionId:
    return SessionId(uuid7())


def record(session: Session | None = None, **changes: Any) -> SessionRecord:
    base = SessionRecord(
        session=session or a_session(),
        origin="native",
        title=None,
        metadata={},
        tags=(),
        external_id=None,
        first_seq=1,
        usage=NO_USAGE,
    )
    return replace(base, **changes)


def a_session(created_at: datetime = START, **changes: Any) -> Session:
    base = Session(
        org=ORG,
        id=session_id(),
        agent=AGENT,
        agent_version=1,
        runner="model",
        created_at=created_at,
        opened_at=created_at,
        active_at=created_at,
        updated_at=created_at,
        next_seq=2,
    )
    return replace(base, **changes)


def event(
    session: SessionId, seq: int, tx: int = 1, data: str = "{}", type: str = "turn.resumed"
) -> StoredEvent:
    return StoredEvent(ORG, session, seq, EventId(uuid7()), type, 1, at(seq), None, tx, data)


def an_input(
    position: int, delivery: Delivery = "queue", text: str = "hello", sender: ActorKind = "human"
) -> Input:
    return Input(
        id=InputId(uuid7()),
        turn=TurnId(uuid7()),
        kind="message",
        delivery=delivery,
        content=(TextPart(text),),
        status="queued",
        position=position,
        rank=position,
        priority=priority_of(delivery, sender),
        received_at=at(position),
    )


def a_turn(**changes: Any) -> Turn:
    base = Turn(
        id=TurnId(uuid7()),
        input=InputId(uuid7()),
        runner="model",
        status=TurnStatus.QUEUED,
        first_seq=3,
        created_at=START,
    )
    return replace(base, **changes)


def an_ask(turn: TurnId, **changes: Any) -> Ask:
    base = Ask(id=AskId(uuid7()), turn=turn, kind="approval", prompt={"text": "May I?"}, created_at=START)
    return replace(base, **changes)


def a_budget(session: SessionId, **changes: Any) -> Budget:
    base = Budget(
        id=BudgetId(uuid7()),
        session=session,
        currency="tokens",
        limit=Decimal(10),
        balance=Decimal(10),
        created_at=START,
        updated_at=START,
    )
    return replace(base, **changes)


def a_budget_entry(budget: Budget, number: int = 1, **changes: Any) -> BudgetEntry:
    base = BudgetEntry(
        budget=budget.id,
        number=number,
        amount=Decimal(1),
        source="charge",
        session=budget.session,
        at=START,
    )
    return replace(base, **changes)


def a_lease(
    session: SessionId, kind: LeaseKind = "turn", holder: str = "worker/1", ttl_seconds: float | None = 15.0
) -> Lease:
    return Lease(
        org=ORG, session=session, kind=kind, holder=holder, ttl_seconds=ttl_seconds, last_seen_at=START
    )


def an_agent(name: str = "writer", **changes: Any) -> Agent:
    base = Agent(
        id=AgentId(uuid7()), version=1, spec=AgentSpec(name=name), created_at=START, updated_at=START
    )
    return replace(base, **changes)


def a_key(org: OrgId = ORG, token_hash: bytes = bytes(32)) -> Key:
    return Key(
        id=KeyId(uuid7()), org=org, name="first", role="admin", token_hash=token_hash, created_at=START
    )


def a_file(path: str, data: bytes = b"", seq: int = 2, **changes: Any) -> File:
    sha256 = hashlib.sha256(data).hexdigest()
    base = File(path=path, sha256=sha256, size=len(data), seq=seq, created_at=at(seq), updated_at=at(seq))
    return replace(base, **changes)


def a_tombstone(session: SessionId) -> Tombstone:
    return Tombstone(session, 7, at(9), KeyId(uuid7()))


async def insert_org(store: Store, org: OrgId = ORG) -> None:
    await store.write(lambda tx: tx.insert_org(org, "an organisation", START))


async def insert(store: Store, new: SessionRecord | None = None) -> Session:
    """A session in the store."""
    new = new or record()
    assert await store.write(lambda tx: tx.insert_session(new))
    return new.session


async def insert_all(store: Store, records: list[SessionRecord]) -> None:
    async def verb(tx: Tx) -> None:
        for one in records:
            assert await tx.insert_session(one)

    await store.write(verb)


async def locked(store: Store, session: SessionId) -> State:
    state = await store.write(lambda tx: tx.lock_session(ORG, session))
    assert state is not None
    return state


async def refused(store: Store, verb: Callable[[Tx], Awaitable[object]]) -> None:
    """Run a verb, then roll it back."""

    async def fails(tx: Tx) -> None:
        await verb(tx)
        raise Refused

    try:
        await store.write(fails)
    except Refused:
        return
    raise AssertionError("the verb was not rolled back")


class Refused(Exception):
    """Ends a verb whose writes are to be rolled back."""
