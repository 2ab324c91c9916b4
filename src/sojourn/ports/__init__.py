"""The seams, by noun. Each has at least two implementations, or one and the client over HTTP."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sojourn.domain.ask import Ask
from sojourn.domain.content import Usage
from sojourn.domain.draft import InputMark, State
from sojourn.domain.filter import Expression, Filter, SessionQuery
from sojourn.domain.ids import AgentId, AskId, InputId, KeyId, OrgId, SessionId, TurnId
from sojourn.domain.input import Input, InputStatus
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.log import StoredEvent
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Timer, TimerKind
from sojourn.domain.queue import Shift
from sojourn.domain.record import DrivenSession, Lease, LeaseKind, Recalled, SessionRecord, Tombstone
from sojourn.domain.session import Session
from sojourn.domain.turn import Turn, TurnSpan
from sojourn.ports.budgets import BudgetReads, BudgetWrites
from sojourn.ports.errands import ErrandReads, ErrandWrites
from sojourn.ports.files import FileReads, FileWrites
from sojourn.ports.forks import ForkReads, ForkWrites
from sojourn.ports.glimpses import GlimpseReads
from sojourn.ports.memories import MemoryReads, MemoryWrites
from sojourn.ports.models import ModelReads, ModelWrites
from sojourn.ports.retention import RetentionWrites
from sojourn.ports.tenancy import TenancyReads, TenancyWrites
from sojourn.ports.turns import Ready
from sojourn.ports.webhooks import WebhookReads, WebhookWrites

T = TypeVar("T")


class Clock(Protocol):
    """Aware UTC instants that never go backwards within a process."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class DueTimer:
    org: OrgId
    session: SessionId
    kind: TimerKind


class Reads(
    TenancyReads,
    BudgetReads,
    ErrandReads,
    FileReads,
    ForkReads,
    GlimpseReads,
    MemoryReads,
    ModelReads,
    WebhookReads,
    Protocol,
):
    """Reads of committed state (or, inside a transaction, of its own)."""

    async def get_session(
        self, org: OrgId, session: SessionId, facet: str | None = None
    ) -> SessionRecord | None:
        """`facet` names the dialect whose facet the record brings along."""
        ...

    async def list_sessions(self, org: OrgId, query: SessionQuery) -> Sequence[SessionRecord]: ...
    async def count_sessions(self, org: OrgId, where: Filter) -> int: ...
    async def count_sessions_by(self, org: OrgId, where: Filter, by: Expression) -> Mapping[str, int]:
        """How many there are of each value of a text. Those without one are not counted."""
        ...

    async def find_session(self, org: OrgId, kind: str, value: str) -> SessionId | None: ...
    async def find_by_alias(self, org: OrgId, alias: str) -> SessionId | None:
        """The newest session of that alias. An alias of more than 256 characters is the name of none."""
        ...

    async def get_facet(self, org: OrgId, session: SessionId, dialect: str) -> str | None: ...
    async def get_overlay(self, org: OrgId, session: SessionId) -> Overlay | None: ...
    async def get_tombstone(self, org: OrgId, session: SessionId) -> Tombstone | None: ...
    async def get_input(self, org: OrgId, session: SessionId, input: InputId) -> Input | None: ...
    async def input_of_turn(self, org: OrgId, session: SessionId, turn: TurnId) -> Input | None:
        """The input whose own turn it is, unless a turn has read it."""
        ...

    async def list_inputs(
        self, org: OrgId, session: SessionId, status: InputStatus | None, after: int, limit: int
    ) -> Sequence[Input]: ...
    async def list_queue(
        self, org: OrgId, session: SessionId, after: tuple[int, int] | None, limit: int
    ) -> Sequence[Input]:
        """All queued inputs by `place`, that of an unclaimed turn too; `after` is the place of the last one seen."""
        ...

    async def get_turn(self, org: OrgId, session: SessionId, turn: TurnId) -> Turn | None: ...
    async def list_turns(
        self, org: OrgId, session: SessionId, after: TurnId | None, limit: int
    ) -> Sequence[Turn]: ...
    async def get_ask(self, org: OrgId, session: SessionId, ask: AskId) -> Ask | None: ...
    async def turn_spans(self, org: OrgId, sessions: Sequence[SessionId]) -> Mapping[SessionId, TurnSpan]:
        """Of each session that ever had a turn."""
        ...

    async def list_asks(
        self, org: OrgId, session: SessionId, open_only: bool, after: AskId | None = None, limit: int = 10_000
    ) -> Sequence[Ask]: ...
    async def events_after(
        self,
        org: OrgId,
        session: SessionId,
        after: int,
        limit: int,
        types: Sequence[str] = (),
        upto: int | None = None,
    ) -> Sequence[StoredEvent]: ...
    async def head_seqs(self, org: OrgId, sessions: Sequence[SessionId]) -> Mapping[SessionId, int]:
        """The seq of the last event of each session that exists."""
        ...

    async def list_presences(self, org: OrgId, session: SessionId) -> Sequence[Lease]: ...
    async def driven_sessions(
        self, org: OrgId, among: Sequence[SessionId] | None = None
    ) -> Sequence[DrivenSession]:
        """The open sessions with a presence, newest first; all of them, or those `among` the given."""
        ...

    async def ready_turns(self, runner: RunnerKind, now: datetime, limit: int) -> Sequence[Ready]:
        """Sessions of every organisation with a turn to claim; a hint, the claim itself decides."""
        ...

    async def ready_turns_of(
        self, org: OrgId, runner: RunnerKind, pool: str, agents: Sequence[AgentId], now: datetime, limit: int
    ) -> Sequence[Ready]:
        """As `ready_turns`, of one organisation, of `agents` if any are named and, for `external`, of a pool."""
        ...

    async def recall(self, org: OrgId, key: KeyId, operation: str, idempotency_key: str) -> Recalled | None:
        """What the request that had the idempotency key answered, None if there was none."""
        ...

    async def lapsed_leases(self, now: datetime, limit: int) -> Sequence[Lease]:
        """Turn leases whose holder was not heard of for their TTL; a hint, the reclaim itself decides."""
        ...

    async def lapsed_presences(self, now: datetime, limit: int) -> Sequence[Lease]:
        """Presences with a TTL whose holder was not heard of for that long; a hint, the release itself decides."""
        ...

    async def due_timers(self, now: datetime, limit: int) -> Sequence[DueTimer]: ...
    async def due_asks(self, now: datetime, limit: int) -> Sequence[tuple[OrgId, SessionId, AskId]]: ...
    async def due_inputs(self, now: datetime, limit: int) -> Sequence[tuple[OrgId, SessionId, InputId]]: ...


class Tx(
    Reads,
    TenancyWrites,
    BudgetWrites,
    ErrandWrites,
    FileWrites,
    ForkWrites,
    RetentionWrites,
    MemoryWrites,
    ModelWrites,
    WebhookWrites,
    Protocol,
):
    """One transaction. It has committed when the store's `write` returns, and changed nothing when that raises."""

    async def lock_session(self, org: OrgId, session: SessionId, wait: bool = True) -> State | None:
        """The session's row lock and small state. None if there is none, or (`wait` False) another holds it.

        The state's `head` is loaded when inputs are queued, its `budgets` when it has some.
        """
        ...

    async def insert_session(self, record: SessionRecord) -> bool:
        """False if the id is taken."""
        ...

    async def insert_ref(self, org: OrgId, kind: str, value: str, session: SessionId) -> bool:
        """Give the session an outside name that is unique in its kind. False if another session has it."""
        ...

    async def delete_ref(self, org: OrgId, kind: str, value: str) -> None: ...
    async def move_ref(self, org: OrgId, kind: str, value: str, old: SessionId, new: SessionId) -> bool:
        """Give a name of `old` to `new`. False if `old` does not have it any more."""
        ...

    async def write_session(self, session: Session, fence: int, usage: Usage) -> None:
        """Write the small state and add `usage`. LeaseLost unless the row's fence is still `fence`."""
        ...

    async def describe_session(self, record: SessionRecord, tags_before: Sequence[str]) -> None:
        """Write what a client says of a session: title, metadata, tags, overlay."""
        ...

    async def write_alias(self, org: OrgId, session: SessionId, alias: str | None) -> None: ...
    async def lock_alias(self, org: OrgId, alias: str) -> None:
        """Wait for every other transaction that has locked the alias; what is read after this is what it left."""
        ...

    async def write_facet(self, org: OrgId, session: SessionId, dialect: str, data: str) -> None: ...
    async def append_events(self, events: Sequence[StoredEvent]) -> None: ...
    async def write_turn(self, org: OrgId, session: SessionId, turn: Turn) -> None: ...
    async def delete_turn(self, org: OrgId, session: SessionId, turn: TurnId) -> None: ...
    async def write_input(self, org: OrgId, session: SessionId, input: Input) -> None: ...
    async def shift_inputs(self, org: OrgId, session: SessionId, shift: Shift) -> None: ...
    async def last_queued(self, org: OrgId, session: SessionId, other_than: InputId) -> Input | None:
        """The last of all queued inputs but that one."""
        ...

    async def mark_inputs(self, org: OrgId, session: SessionId, marks: Sequence[InputMark]) -> None: ...
    async def queued_inputs(
        self, org: OrgId, session: SessionId, steers_only: bool, limit: int
    ) -> Sequence[Input]:
        """In the order of the queue, without the open turn's own input."""
        ...

    async def write_ask(self, org: OrgId, session: SessionId, ask: Ask) -> None: ...
    async def void_asks(self, org: OrgId, session: SessionId, turn: TurnId) -> None: ...
    async def write_timers(self, org: OrgId, session: SessionId, timers: Sequence[Timer]) -> None: ...
    async def acquire_lease(self, lease: Lease) -> bool:
        """True if it is new, False if that holder had it already and it is renewed."""
        ...

    async def insert_lease(self, lease: Lease) -> None:
        """A new session's: it was last seen when `lease` says, by whatever clock."""
        ...

    async def renew_lease(
        self, org: OrgId, session: SessionId, kind: LeaseKind, holder: str, now: datetime
    ) -> bool:
        """False if that holder has no such lease."""
        ...

    async def renew_presence(
        self, org: OrgId, session: SessionId, holder: str, ttl_seconds: float | None, now: datetime
    ) -> bool:
        """Renew it with the TTL that it has from now on. False if that holder has none."""
        ...

    async def renew_presence_of(
        self, org: OrgId, kind: str, value: str, holder: str, now: datetime
    ) -> SessionId | None:
        """The session of that outside name, if `holder` has a presence on it, which is then renewed."""
        ...

    async def release_quiet_presence(
        self, org: OrgId, session: SessionId, holder: str, now: datetime, quiet_seconds: float
    ) -> bool:
        """False if that holder has none, or was heard of within `quiet_seconds`."""
        ...

    async def release_lease(self, org: OrgId, session: SessionId, kind: LeaseKind, holder: str | None) -> int:
        """How many leases went; `holder` None releases every one of the kind."""
        ...

    async def boot_leases(self, boot: str) -> Sequence[Lease]:
        """Turn leases of embedded workers of any other boot than this."""
        ...

    async def refresh_leases(self, now: datetime) -> None:
        """One fresh TTL for every lease that expires."""
        ...

    async def delete_session(self, record: SessionRecord, tombstone: Tombstone) -> None:
        """Remove the session's row, names and leases, and leave the tombstone; its history is purged later."""
        ...

    async def purge_deleted(self, now: datetime, limit: int) -> int:
        """Remove some history of deleted sessions; how many rows went, 0 when nothing is left to remove."""
        ...

    async def reserve_key(
        self, org: OrgId, key: KeyId, operation: str, idempotency_key: str, now: datetime
    ) -> Recalled | None:
        """Take the idempotency key for this transaction, or recall what the request that had it answered.

        Waits for a transaction that holds the same key.
        """
        ...

    async def remember(
        self, org: OrgId, key: KeyId, operation: str, idempotency_key: str, recalled: Recalled, now: datetime
    ) -> None: ...
    async def forget_before(self, cutoff: datetime, limit: int) -> int:
        """Remove some of the idempotency records that are older; how many went, 0 when none is left."""
        ...

    async def next_tx(self, org: OrgId, session: SessionId) -> int:
        """The number that orders this transaction's events of a locked session among those of other sessions.

        Within one session it never falls.
        """
        ...


class Store(Protocol):
    """Two databases behind the same verbs. `StoreUnavailable` where the database cannot be reached or written."""

    @property
    def reads(self) -> Reads: ...
    @property
    def applied(self) -> Sequence[str]: ...  # the names of the migrations that opening it has applied

    async def write(self, verb: "Callable[[Tx], Awaitable[T]]") -> T:
        """Run one verb in one transaction and return after its commit is durable and has been published.

        The verb awaits nothing but its `Tx`: SQLite runs it on the writer's thread, without an event loop, together
        with others in one commit. Postgres may run it twice, after a serialisation failure.
        """
        ...

    def on_errands(self, told: Callable[[], None]) -> None:
        """Have `told` called after every commit of this process that has left an errand."""
        ...

    async def time(self) -> datetime:
        """By the clock that all processes which share the store can ask: the database's own, if it has one."""
        ...

    async def close(self) -> None: ...


class Secrets(Protocol):
    """Secrets that the server must read, sealed in the store. No event, agent, facet or answer holds one.

    Those of a session (`domain.record.session_secret` names them) go when it is deleted.
    """

    async def put(self, org: OrgId, name: str, value: str) -> None: ...
    async def get(self, org: OrgId, name: str) -> str | None: ...
    async def remove(self, org: OrgId, name: str) -> bool:
        """False if there is none."""
        ...


class Published(Protocol):
    """Told of every commit, in order, before the verb's caller is answered."""

    def __call__(self, events: Sequence[StoredEvent]) -> None: ...
