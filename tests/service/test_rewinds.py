"""After a rewind a session is what a fork at that event is, and its log tells everything."""

from random import Random

import pytest

from sojourn.domain.errors import IdempotencyMismatch, InvalidRequest, SequenceMismatch, WrongState
from sojourn.domain.events import MessageAbandoned, ModelCalled, ProviderSessionLinked, SessionRewound
from sojourn.domain.ids import KeyId, SessionId, uuid7
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.transcript import Said
from sojourn.ports.turns import ClaimedTurn
from sojourn.service import rewinds
from sojourn.service.forks import NewFork
from sojourn.service.results import Repeat
from sojourn.store.where import Dialect
from tests.service.lives import on_random_logs
from tests.service.test_forks import snapshot
from tests.support.databases import Database
from tests.support.invariants import check_session
from tests.support.world import SOMEBODY, World

SEEDS: dict[Dialect, int] = {"sqlite": 6, "postgres": 2}
REWINDS = 6


async def rewind(world: World, session: SessionId, to: int) -> SessionRecord:
    return (await world.services.rewinds.rewind(world.org, session, to, SOMEBODY)).value


async def said(world: World, session: SessionId) -> list[str]:
    return [message.text for message in (await world.conversation(session)).messages]


async def talk(world: World, session: SessionId, text: str) -> int:
    """One turn that answers nothing; the seq of its end."""
    await world.send(session, text)
    await fail(world, await world.claim(session))
    return (await world.record(session)).session.next_seq - 1


async def fail(world: World, turn: ClaimedTurn) -> None:
    called = (await world.said(turn.session, ModelCalled))[-1]
    void = MessageAbandoned(message=called.message, call=called.call)
    await world.services.turns.settle(turn, (void,), error="no answer")


async def calm(world: World, session: SessionId) -> None:
    """Open and idle, whatever it was."""
    services, org = world.services, world.org
    await services.sessions.archive(org, session, False, SOMEBODY)
    if (await world.record(session)).session.status is not SessionStatus.OPEN:
        await world.send(session)
    for lease in await world.store.reads.list_presences(org, session):
        await services.presences.release(org, session, lease.holder, SOMEBODY)
    while (await world.record(session)).session.activity is not Activity.IDLE:
        turn = (await world.record(session)).session.open_turn
        assert turn is not None
        await services.turns.cancel(org, session, turn, SOMEBODY)


async def boundaries(world: World, session: SessionId) -> list[int]:
    """The seqs at which no turn is open."""
    found: list[int] = []
    is_open = False
    for entry in await world.log(session):
        if entry.type == "turn.queued":
            is_open = True
        elif entry.type in ("turn.completed", "turn.failed", "turn.cancelled", "turn.deferred"):
            is_open = False
        if not is_open:
            found.append(entry.seq)
    return found[:-1]


@pytest.mark.timeout(300)
def test_a_rewound_session_is_what_a_fork_at_that_event_is(database: Database) -> None:
    on_random_logs(
        database,
        SEEDS[database.dialect],
        lambda world, session, seed: rewind_often(world, session, Random(seed)),
    )


async def rewind_often(world: World, session: SessionId, random: Random) -> None:
    await calm(world, session)
    for number in range(REWINDS):
        to = random.choice(await boundaries(world, session))
        fork = (await world.services.forks.fork(world.org, session, NewFork(at=to), SOMEBODY)).value
        await rewind(world, session, to)
        await compare(world, session, fork.session.id)
        if random.random() < 0.7:
            await talk(world, session, f"on {number}")
    made = await snapshot(world, session)
    assert list(check_session(made)) == []


async def compare(world: World, session: SessionId, fork: SessionId) -> None:
    services, org = world.services, world.org
    mine, other = await world.conversation(session), await world.conversation(fork)
    assert (mine.messages, mine.context, mine.tokens) == (other.messages, other.context, other.tokens)
    assert mine.provider_session is None
    assert (await services.transcripts.read(org, session)).entries == (
        await services.transcripts.read(org, fork)
    ).entries
    areas = [
        [
            (file.path, file.sha256, file.size, file.readonly)
            for file in await world.store.reads.list_files(org, id)
        ]
        for id in (session, fork)
    ]
    assert areas[0] == areas[1]
    copy = (await services.forks.fork(org, session, NewFork(), SOMEBODY)).value.session.id
    assert (await world.conversation(copy)).messages == mine.messages


async def test_what_was_taken_back_comes_back_by_a_rewind_to_it(world: World) -> None:
    session = await world.new_session()
    first = await talk(world, session, "one")
    second = await talk(world, session, "two")
    await rewind(world, session, first)
    await talk(world, session, "three")
    assert await said(world, session) == ["one", "three"]
    await rewind(world, session, second)
    assert await said(world, session) == ["one", "two"]
    await rewind(world, session, 1)
    assert await said(world, session) == []
    types = [entry.type for entry in await world.log(session)]
    assert types.count("session.rewound") == 3
    assert types.count("input.received") == 3


async def test_a_rewound_session_is_told_of_at_a_glance_as_it_stands(world: World) -> None:
    session = await world.new_session()
    first = await talk(world, session, "one")
    await talk(world, session, "two")
    await rewind(world, session, first)
    record = await world.record(session)
    glimpse = (await world.services.transcripts.glimpses(world.org, [record]))[session]
    assert (glimpse.prompt, glimpse.answer, glimpse.error) == ("one", None, "no answer")
    await rewind(world, session, 1)
    copy = (await world.services.forks.fork(world.org, session, NewFork(), SOMEBODY)).value
    for each in (await world.record(session), copy):
        found = (await world.services.transcripts.glimpses(world.org, [each]))[each.session.id]
        assert (found.prompt, found.answer, found.error) == (None, None, None)


async def test_a_rewind_within_a_turn_or_beyond_the_log_is_refused(world: World) -> None:
    session = await world.new_session()
    end = await talk(world, session, "one")
    for to in (0, end, end + 1):
        with pytest.raises(InvalidRequest, match=f"1 to {end - 1}"):
            await rewind(world, session, to)
    for to in range(3, end):
        with pytest.raises(InvalidRequest, match="began behind event 2"):
            await rewind(world, session, to)
    assert (await rewind(world, session, 2)).session.next_seq == end + 2


async def test_only_an_idle_open_session_is_rewound(world: World) -> None:
    session = await world.new_session()
    await talk(world, session, "one")
    await world.send(session, "two")
    with pytest.raises(WrongState, match="queued"):
        await rewind(world, session, 1)
    turn = await world.claim(session)
    with pytest.raises(WrongState, match="busy"):
        await rewind(world, session, 1)
    await fail(world, turn)
    await world.services.presences.hold(world.org, session, "laptop", None)
    with pytest.raises(WrongState, match="busy"):
        await rewind(world, session, 1)
    await world.services.presences.release(world.org, session, "laptop", SOMEBODY)
    await world.services.sessions.archive(world.org, session, True, SOMEBODY)
    with pytest.raises(WrongState, match="archived"):
        await rewind(world, session, 1)
    await world.services.sessions.archive(world.org, session, False, SOMEBODY)
    await world.services.sessions.end(world.org, session, "completed", None, SOMEBODY)
    with pytest.raises(WrongState, match="completed"):
        await rewind(world, session, 1)


async def test_a_rewind_happens_once_and_only_if_nothing_happened_since(world: World) -> None:
    session = await world.new_session()
    end = await talk(world, session, "one")
    again = world.services.rewinds.rewind
    with pytest.raises(SequenceMismatch):
        await again(world.org, session, 1, SOMEBODY, expected_seq=end - 1)
    repeat = Repeat(KeyId(uuid7()), "rewind", "once", b"h")
    first = await again(world.org, session, 1, SOMEBODY, end, repeat)
    second = await again(world.org, session, 1, SOMEBODY, end, repeat)
    assert (first.replayed, second.replayed) == (False, True)
    with pytest.raises(IdempotencyMismatch):
        await again(world.org, session, 1, SOMEBODY, end, Repeat(repeat.key, "rewind", "once", b"other"))
    assert len(await world.said(session, SessionRewound)) == 1


async def test_a_rewind_voids_the_session_of_a_program_that_was_told_more(world: World) -> None:
    session = await world.new_session()
    await world.send(session, "one")
    turn = await world.claim(session)
    linked = ProviderSessionLinked(kind="acp", agent="a", provider_session="p", cwd="/")
    await world.services.turns.append(turn, (linked,))
    await fail(world, turn)
    assert (await world.conversation(session)).provider_session == linked
    await rewind(world, session, 1)
    # Whoever kept the program by that entry sees that it is not to be gone on with.
    rewound = await world.conversation(session)
    assert (rewound.provider_session, rewound.linked_seq) == (None, rewound.seq)


async def test_too_many_files_for_one_transaction_are_left_to_a_fork(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await world.new_session()
    for path in ("a", "b/c", "d"):
        await world.services.files.write(world.org, session, path, b"1")
    await talk(world, session, "one")
    monkeypatch.setattr(rewinds, "MAX_RESTORED", 2)
    with pytest.raises(InvalidRequest, match="fork the session"):
        await rewind(world, session, 1)
    await rewind(world, session, 3)
    paths = [file.path for file in await world.store.reads.list_files(world.org, session)]
    assert paths == ["a", "b/c"]


async def test_a_message_of_the_transcript_follows_what_was_kept(world: World) -> None:
    session = await world.new_session()
    first = await talk(world, session, "one")
    await talk(world, session, "two")
    await rewind(world, session, first)
    await talk(world, session, "three")
    entries = (await world.services.transcripts.read(world.org, session)).entries
    assert [one.content[0].text for one in entries if isinstance(one, Said)] == ["one", "three"]
