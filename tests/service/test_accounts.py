"""A report of a worker outside is checked against its turn's log, of which only what is new is read."""

import pytest

from sojourn.domain import events as e
from sojourn.domain.commands import AppendEvents
from sojourn.domain.content import Usage
from sojourn.domain.draft import State
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import MessageId, uuid7
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.domain.reports import Account
from sojourn.ports import Reads, Tx
from sojourn.service.codec import read_entry
from sojourn.service.outside import accounts
from sojourn.service.outside.accounts import Accounts
from sojourn.service.verbs import carry_out
from tests.service.test_outside import claimed
from tests.support.world import World

CALLS = 6


class Lost(Exception):
    """A transaction that was not committed."""


def called(call: int, message: MessageId) -> e.ModelCalled:
    return e.ModelCalled(call=call, model="m", message=message)


def answer(call: int, message: MessageId) -> list[e.RunnerEvent]:
    return [
        e.MessageCompleted(message=message, call=call, text="x"),
        e.ModelCompleted(call=call, model="m", provider="p", usage=Usage(), finish_reason="stop"),
    ]


async def test_a_report_reads_no_more_of_the_log_however_long_its_turn_has_become(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    async def counted(reads: Reads, event: StoredEvent) -> LogEntry:
        read.append(event.seq)
        return await read_entry(reads, event)

    monkeypatch.setattr(accounts, "read_entry", counted)
    turn, turns = await claimed(world), world.services.outside_turns
    messages = [MessageId(uuid7()) for _ in range(CALLS)]
    for call, message in enumerate(messages, 1):
        await turns.append(turn, [], [called(call, message)], None, None)
        await turns.append(turn, answer(call, message), [], None, None)
    assert len(read) == len(set(read))
    # What was said long ago is known all the same.
    await turns.append(turn, [], [called(CALLS + 1, messages[0])], None, None)
    with pytest.raises(InvalidRequest, match="was said already"):
        await turns.append(turn, answer(CALLS + 1, messages[0]), [], None, None)


async def test_what_was_read_in_a_transaction_that_was_lost_is_read_anew(world: World) -> None:
    turn, kept = await claimed(world), Accounts()
    phantom, real = MessageId(uuid7()), MessageId(uuid7())

    async def locked(tx: Tx) -> State:
        state = await tx.lock_session(turn.org, turn.session)
        assert state is not None
        return state

    async def lost(tx: Tx) -> None:
        command = AppendEvents(events=(), intents=(called(1, phantom),))
        await carry_out(tx, await locked(tx), command, world.clock.now())
        account = await kept.read(tx, await locked(tx))
        assert account.progress.open_call == called(1, phantom)
        raise Lost

    async def read(tx: Tx) -> Account:
        return await kept.read(tx, await locked(tx))

    with pytest.raises(Lost):
        await world.store.write(lost)
    assert (await world.store.write(read)).progress.open_call is None
    with pytest.raises(Lost):
        await world.store.write(lost)
    # Its seq is another event's now.
    await world.services.turns.append(turn, (), (called(1, real),))
    assert (await world.store.write(read)).progress.open_call == called(1, real)
