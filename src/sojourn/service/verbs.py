"""What every verb does: lock the session's row, load a small state, decide, write. One transaction throughout."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sojourn.domain.actor import Actor
from sojourn.domain.ask import Ask
from sojourn.domain.commands import Command
from sojourn.domain.content import Usage, total
from sojourn.domain.decide import decide
from sojourn.domain.draft import Decision, State
from sojourn.domain.errand import Errand, ErrandId, Task
from sojourn.domain.errors import IdempotencyMismatch, NotFound
from sojourn.domain.events import Event, ModelCompleted, UsageRecorded
from sojourn.domain.file import File
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.fold import Conversation, Unfinished
from sojourn.domain.ids import EventId, OrgId, SessionId, uuid7
from sojourn.domain.kin import NO_KIN
from sojourn.domain.kinship import errands, on_deletion
from sojourn.domain.log import NewEvent, StoredEvent
from sojourn.domain.record import Recalled
from sojourn.domain.session import Session, SessionStatus
from sojourn.domain.webhook import Delivery, DeliveryId, ended
from sojourn.ports import Tx
from sojourn.service.codec import encode, put_large, read_entry, referred
from sojourn.service.hub import Hub
from sojourn.service.results import Repeat

NO_USAGE: Final = Usage()
# More than any turn's log holds between two reads; a longer one is read in pages of this.
PAGE: Final = 1000


async def lock(tx: Tx, org: OrgId, session: SessionId) -> State:
    state = await tx.lock_session(org, session)
    if state is None:
        raise NotFound("session", session)
    return state


async def carry_out(tx: Tx, state: State, command: Command, now: datetime) -> Decision:
    """Decide `command` on a locked state and write what follows."""
    decision = decide(state, command, now)
    before, after = state.session, decision.session
    await _write_rows(tx, before, decision)
    if decision.lease == "release":
        await tx.release_lease(after.org, after.id, "turn", None)
    void = await _close_waits(tx, state, decision)
    await append(tx, after.org, after.id, decision.first_seq, decision.events, now)
    if before.status is SessionStatus.OPEN and after.status is not SessionStatus.OPEN:
        await _announce_end(tx, after, now)
    if after.kin is not NO_KIN:
        for task in errands(state, decision, void):
            await leave_errand(tx, after, task, now)
    return decision


async def _write_rows(tx: Tx, before: Session, decision: Decision) -> None:
    after = decision.session
    org, session = after.org, after.id
    await tx.write_session(after, before.fence, usage_of(decision.events))
    await _write_queue(tx, org, session, decision)
    for ask in decision.asks:
        await tx.write_ask(org, session, ask)
    if decision.timers:
        await tx.write_timers(org, session, decision.timers)
    for budget in decision.budgets:
        await tx.write_budget(org, budget)
    if decision.entries:
        await tx.append_budget_entries(org, decision.entries)


async def leave_on_deletion(tx: Tx, session: Session, by: Actor, now: datetime) -> None:
    """A parent that waits for the session is told, and its own children are ended; they outlive it."""
    if session.kin is NO_KIN:
        return
    for task in on_deletion(session, by):
        await leave_errand(tx, session, task, now)


async def leave_errand(tx: Tx, session: Session, task: Task, now: datetime) -> None:
    """Have something done to another session, after the commit."""
    errand = Errand(org=session.org, id=ErrandId(uuid7()), session=session.id, task=task)
    await tx.insert_errand(errand, now)


async def _write_queue(tx: Tx, org: OrgId, session: SessionId, decision: Decision) -> None:
    # The settled or deferred turn stands before its successor, which the index of open turns requires.
    for deferred in decision.deferred:
        await tx.delete_turn(org, session, deferred)
    for turn in decision.turns:
        await tx.write_turn(org, session, turn)
    # The others make room before the moved input takes its rank.
    if decision.shift is not None:
        await tx.shift_inputs(org, session, decision.shift)
    for input in decision.inputs:
        await tx.write_input(org, session, input)
    if decision.marks:
        await tx.mark_inputs(org, session, decision.marks)


async def _announce_end(tx: Tx, session: Session, now: datetime) -> None:
    """Leave word for the organisation's webhooks, which are told after the commit."""
    for webhook in await tx.list_webhooks(session.org):
        delivery = Delivery(
            org=session.org,
            id=DeliveryId(uuid7()),
            session=session.id,
            type=webhook.type,
            ended=ended(session),
        )
        await tx.insert_delivery(delivery, now)


async def _close_waits(tx: Tx, state: State, decision: Decision) -> Sequence[Ask]:
    """The asks of a turn that has ended are void; those of them that waited for other sessions."""
    session = decision.session
    void: Sequence[Ask] = ()
    if session.status is not SessionStatus.OPEN and state.session.presences:
        await tx.release_lease(session.org, session.id, "presence", None)
    if state.turn is not None and state.turn.open_asks and session.open_turn != state.turn.id:
        if session.kin.children:
            left = await tx.list_asks(session.org, session.id, open_only=True)
            void = [ask for ask in left if ask.kind == "session"]
        await tx.void_asks(session.org, session.id, state.turn.id)
    return void


async def append(
    tx: Tx, org: OrgId, session: SessionId, first_seq: int, events: Sequence[NewEvent], now: datetime
) -> None:
    if not events:
        return
    number = await tx.next_tx(org, session)
    stored: list[StoredEvent] = []
    uses: list[tuple[int, bytes]] = []
    for seq, new in enumerate(events, first_seq):
        event = new.event
        data = await put_large(tx, org, encode(event))
        id = EventId(uuid7())
        stored.append(StoredEvent(org, session, seq, id, event.type, event.v, now, new.turn, number, data))
        if (sha256 := referred(data)) is not None:
            uses.append((seq, sha256))
        if isinstance(event, FileWritten) and event.sha256 is not None:
            uses.append((seq, bytes.fromhex(event.sha256)))
        await _change_area(tx, org, session, event, seq, now)
    await tx.append_events(stored)
    await tx.use_blobs(org, session, uses)


async def _change_area(tx: Tx, org: OrgId, session: SessionId, event: Event, seq: int, now: datetime) -> None:
    match event:
        case FileWritten(path=path, sha256=sha256, size=size, readonly=readonly):
            file = File(
                path=path,
                sha256=sha256,
                size=size,
                seq=seq,
                created_at=now,
                updated_at=now,
                readonly=readonly,
            )
            await tx.write_file(org, session, file)
        case FileDeleted(path=path):
            await tx.delete_file(org, session, path)
        case _:
            pass


def usage_of(events: Sequence[NewEvent]) -> Usage:
    """What the events add to the session's account."""
    usages = [new.event.usage for new in events if isinstance(new.event, ModelCompleted | UsageRecorded)]
    return total(usages) if usages else NO_USAGE


async def unfinished(tx: Tx, state: State) -> Unfinished:
    """What the open turn has begun and not ended, from its part of the log."""
    if state.turn is None or state.turn.attempt == 0:
        return Unfinished()
    session = state.session
    conversation = Conversation()
    after = state.turn.first_seq - 1
    while events := await tx.events_after(session.org, session.id, after, PAGE, TURN_EVENTS):
        conversation.extend([await read_entry(tx, event) for event in events if event.turn == state.turn.id])
        after = events[-1].seq
    return conversation.progress.unfinished()


async def stopped(tx: Tx, state: State, hub: Hub) -> Unfinished:
    """What the open turn leaves behind when it is stopped on purpose: the text written so far stays."""
    left = await unfinished(tx, state)
    partial = hub.partial(state.session.org, state.session.id)
    return left if partial is None else left.keeping(*partial)


# What tells how far a turn got, and nothing of what was said in it.
TURN_EVENTS: Final = (
    "turn.started",
    "model.called",
    "model.completed",
    "message.abandoned",
    "tool.requested",
    "tool.started",
    "tool.completed",
)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an idempotency record keeps of an answer: the ids to render it from, and whether it made them."""

    ids: dict[str, str]
    created: bool = True
    replayed: bool = False


async def once(
    tx: Tx, org: OrgId, repeat: Repeat | None, now: datetime, verb: Callable[[], Awaitable[Remembered]]
) -> Remembered:
    """Run `verb`, or recall what it answered to the same request before. A failing verb records nothing."""
    if repeat is None:
        return await verb()
    place = (org, repeat.key, repeat.operation, repeat.idempotency_key)
    recalled = await tx.reserve_key(*place, now)
    if recalled is not None:
        if recalled.request_hash != repeat.request_hash:
            raise IdempotencyMismatch(repeat.idempotency_key)
        return Remembered(dict(recalled.ids), recalled.status == 201, replayed=True)
    answer = await verb()
    await tx.remember(*place, Recalled(repeat.request_hash, 201 if answer.created else 200, answer.ids), now)
    return answer
