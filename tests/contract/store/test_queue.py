from dataclasses import replace

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import TextPart
from sojourn.domain.draft import InputMark
from sojourn.domain.ids import InputId, OrgId, SessionId, TurnId, uuid7
from sojourn.domain.input import Input, Priority
from sojourn.domain.kinds import Json, RunnerKind
from sojourn.domain.queue import moved
from sojourn.domain.session import Session
from sojourn.domain.turn import TurnStatus
from sojourn.ports import Store
from sojourn.ports.turns import Ready
from tests.contract.store.make import (
    ORG,
    a_session,
    a_turn,
    an_agent,
    an_input,
    at,
    insert,
    insert_org,
    record,
    session_id,
)


@pytest.fixture
async def session(store: Store) -> Session:
    return await insert(store)


async def write(store: Store, session: Session, *inputs: Input) -> None:
    for input in inputs:
        await store.write(lambda tx, input=input: tx.write_input(ORG, session.id, input))


async def queue(store: Store, session: Session, steers_only: bool = False, limit: int = 100) -> list[Input]:
    return list(await store.write(lambda tx: tx.queued_inputs(ORG, session.id, steers_only, limit)))


async def test_an_input_reads_back_as_it_was_written(store: Store, session: Session) -> None:
    input = replace(an_input(2, "steer"), content=(TextPart("a\n"), TextPart("")), kind="tool_result")
    await write(store, session, input)
    assert await store.reads.get_input(ORG, session.id, input.id) == input
    assert await store.reads.get_input(ORG, session.id, InputId(uuid7())) is None
    assert await store.reads.get_input(ORG, session_id(), input.id) is None


async def test_interrupts_stand_before_what_came_earlier(store: Store, session: Session) -> None:
    first, steer, late, urgent = an_input(2), an_input(3, "steer"), an_input(4), an_input(9, "interrupt")
    await write(store, session, late, urgent, first, steer)
    assert await queue(store, session) == [urgent, first, steer, late]
    assert await queue(store, session, limit=2) == [urgent, first]
    assert await queue(store, session, steers_only=True) == [steer]


async def test_the_open_turns_own_input_is_not_behind_itself(store: Store, session: Session) -> None:
    own, other = an_input(2), an_input(3)
    await write(store, session, own, other)
    await store.write(lambda tx: tx.write_turn(ORG, session.id, a_turn(id=own.turn, input=own.id)))
    assert await queue(store, session) == [other]


async def test_a_mark_ends_an_inputs_wait(store: Store, session: Session) -> None:
    read, gone, left = an_input(2, "steer"), an_input(3), an_input(4)
    await write(store, session, read, gone, left)
    reader = TurnId(uuid7())
    marks = (InputMark(read.id, "delivered", reader), InputMark(gone.id, "withdrawn"))
    await store.write(lambda tx: tx.mark_inputs(ORG, session.id, marks))
    assert await queue(store, session) == [left]
    inputs = await store.reads.list_inputs(ORG, session.id, None, 0, 10)
    assert inputs == [
        replace(read, status="delivered", turn=reader),
        replace(gone, status="withdrawn"),
        left,
    ]


async def test_humans_stand_before_agents_and_those_before_what_a_schedule_says(
    store: Store, session: Session
) -> None:
    nightly, agent, human = an_input(2, sender="schedule"), an_input(3, sender="agent"), an_input(4)
    urgent = an_input(5, "interrupt", sender="schedule")
    await write(store, session, nightly, agent, human, urgent)
    assert await queue(store, session) == [urgent, human, agent, nightly]


async def test_the_queue_is_read_in_pages_with_the_input_of_the_open_turn(
    store: Store, session: Session
) -> None:
    own, urgent, gone, last = an_input(3), an_input(9, "interrupt"), an_input(4), an_input(5, sender="agent")
    await write(store, session, last, gone, own, urgent)
    await store.write(lambda tx: tx.write_turn(ORG, session.id, a_turn(id=own.turn, input=own.id)))
    await store.write(lambda tx: tx.mark_inputs(ORG, session.id, [InputMark(gone.id, "withdrawn")]))
    first = await store.reads.list_queue(ORG, session.id, None, 2)
    assert first == [urgent, own]
    assert await store.reads.list_queue(ORG, session.id, first[-1].place, 2) == [last]

    async def last_but(input: Input) -> Input | None:
        return await store.write(lambda tx: tx.last_queued(ORG, session.id, input.id))

    assert (await last_but(own), await last_but(last)) == (last, own)


async def test_an_input_is_found_by_its_turn_until_a_turn_has_read_it(store: Store, session: Session) -> None:
    waiting, gone, read = an_input(3), an_input(4), an_input(5)
    await write(store, session, waiting, gone, read)
    marks = [InputMark(gone.id, "withdrawn"), InputMark(read.id, "delivered", read.turn)]
    await store.write(lambda tx: tx.mark_inputs(ORG, session.id, marks))
    found = [await store.reads.input_of_turn(ORG, session.id, one.turn) for one in (waiting, gone, read)]
    assert [None if one is None else (one.id, one.status) for one in found] == [
        (waiting.id, "queued"),
        (gone.id, "withdrawn"),
        None,
    ]


async def test_a_shift_moves_the_ranks_of_what_is_queued_and_a_moved_input_gets_its_place(
    store: Store, session: Session
) -> None:
    inputs = [an_input(position) for position in (2, 3, 5, 8)]
    gone = an_input(4)
    await write(store, session, *inputs, gone)
    await store.write(lambda tx: tx.mark_inputs(ORG, session.id, [InputMark(gone.id, "withdrawn")]))
    at, shift = moved(inputs[3], inputs[1], None)
    assert shift is not None
    await store.write(lambda tx: tx.shift_inputs(ORG, session.id, shift))
    await write(store, session, at)
    order = [inputs[0], at, shift.over(inputs[1]), shift.over(inputs[2])]
    assert await queue(store, session) == order
    assert await store.reads.get_input(ORG, session.id, gone.id) == replace(gone, status="withdrawn")


async def test_a_turn_that_is_none_any_more_leaves_its_input_in_the_queue(
    store: Store, session: Session
) -> None:
    own = an_input(2)
    await write(store, session, own)
    await store.write(lambda tx: tx.write_turn(ORG, session.id, a_turn(id=own.turn, input=own.id)))
    await store.write(lambda tx: tx.delete_turn(ORG, session.id, own.turn))
    assert await queue(store, session) == [own]
    assert await store.reads.get_turn(ORG, session.id, own.turn) is None


async def test_an_edit_changes_content_revision_and_place_only(store: Store, session: Session) -> None:
    input = an_input(2)
    edited = replace(input, content=(TextPart("other"),), revision=1, priority=Priority.AGENT, rank=7)
    await write(store, session, input, replace(edited, position=77))
    assert await store.reads.get_input(ORG, session.id, input.id) == edited


async def test_inputs_are_paged_by_position_and_picked_by_status(store: Store, session: Session) -> None:
    inputs = [an_input(position) for position in (9, 2, 5)]
    await write(store, session, *inputs)
    await store.write(lambda tx: tx.mark_inputs(ORG, session.id, [InputMark(inputs[1].id, "withdrawn")]))
    page = await store.reads.list_inputs(ORG, session.id, None, 2, 1)
    assert [input.position for input in page] == [5]
    waiting = await store.reads.list_inputs(ORG, session.id, "queued", 0, 10)
    assert [input.position for input in waiting] == [5, 9]


async def test_a_turn_reads_back_as_it_was_last_written(store: Store, session: Session) -> None:
    turn = a_turn()
    changed = replace(
        turn,
        status=TurnStatus.RETRYING,
        attempt=2,
        stalled=1,
        faults=3,
        parked=False,
        open_asks=1,
        not_before=at(5),
        worker="w",
        agent_version=4,
        started_at=at(1),
    )
    closed = replace(
        changed, status=TurnStatus.FAILED, not_before=None, ended_at=at(6), reason="error", error="why"
    )
    for state in (turn, changed, replace(changed, status=TurnStatus.WAITING, parked=True), closed):
        await store.write(lambda tx, state=state: tx.write_turn(ORG, session.id, state))
        assert await store.reads.get_turn(ORG, session.id, turn.id) == state


async def test_turns_are_listed_in_the_order_in_which_they_began(store: Store, session: Session) -> None:
    turns = [
        a_turn(first_seq=seq, status=TurnStatus.COMPLETED, reason="end_turn", ended_at=at(1))
        for seq in (30, 3, 12)
    ]
    for turn in turns:
        await store.write(lambda tx, turn=turn: tx.write_turn(ORG, session.id, turn))
    listed = await store.reads.list_turns(ORG, session.id, None, 10)
    assert [turn.first_seq for turn in listed] == [3, 12, 30]
    page = await store.reads.list_turns(ORG, session.id, listed[0].id, 1)
    assert [turn.first_seq for turn in page] == [12]


async def test_ready_are_the_claimable_turns_of_a_runner_whose_time_has_come(store: Store) -> None:
    await insert_org(store)
    turns = {
        "ready": a_turn(),
        "later": a_turn(status=TurnStatus.RETRYING, not_before=at(100)),
        "due": a_turn(status=TurnStatus.RETRYING, not_before=at(10)),
        "running": a_turn(status=TurnStatus.RUNNING),
        "foreign": a_turn(runner="acp"),
        "closed": a_turn(status=TurnStatus.COMPLETED, reason="end_turn", ended_at=at(1)),
    }
    names: dict[object, str] = {}
    for name, turn in turns.items():
        session = await insert(store)
        names[session.id] = name
        await store.write(lambda tx, turn=turn, session=session: tx.write_turn(ORG, session.id, turn))

    async def ready(seconds: float, limit: int = 10) -> list[str]:
        found = await store.reads.ready_turns("model", at(seconds), limit)
        assert all(isinstance(one, Ready) and one.org == ORG for one in found)
        return [names[one.session] for one in found]

    assert await ready(10) == ["ready", "due"]
    assert await ready(100) == ["ready", "due", "later"]
    assert await ready(100, limit=1) == ["ready"]
    assert await ready(-1) == []


async def test_due_are_the_queued_inputs_whose_time_is_over(store: Store, session: Session) -> None:
    await insert_org(store)
    due, later, read = (replace(an_input(seq), expires_at=at(seq)) for seq in (2, 3, 4))
    await write(store, session, later, due, read, an_input(5))
    await store.write(
        lambda tx: tx.mark_inputs(ORG, session.id, [InputMark(read.id, "delivered", read.turn)])
    )
    assert await store.reads.due_inputs(at(1), 10) == []
    assert await store.reads.due_inputs(at(2), 10) == [(ORG, session.id, due.id)]
    assert [input for _, _, input in await store.reads.due_inputs(at(9), 10)] == [due.id, later.id]
    assert len(await store.reads.due_inputs(at(9), 1)) == 1


async def test_ready_turns_of_a_pool_and_of_agents_are_found_by_themselves(store: Store) -> None:
    await insert_org(store)
    configs: dict[str, dict[str, Json]] = {"gpu": {"pool": "gpu"}, "plain": {}}
    agents = {
        name: an_agent(name, spec=AgentSpec(name=name, runner="external", runner_config=config))
        for name, config in configs.items()
    }
    names: dict[SessionId, str] = {}
    for name, agent in agents.items():
        await store.write(lambda tx, agent=agent: tx.insert_agent(ORG, agent))
        session = await insert(store, record(a_session(agent=agent.id, runner="external")))
        names[session.id] = name
        turn = a_turn(runner="external")
        await store.write(lambda tx, turn=turn, session=session: tx.write_turn(ORG, session.id, turn))

    async def ready(runner: RunnerKind, pool: str, *of: str) -> list[str]:
        chosen = [agents[name].id for name in of]
        found = await store.reads.ready_turns_of(ORG, runner, pool, chosen, at(10), 10)
        return [names[one.session] for one in found]

    assert await ready("external", "gpu") == ["gpu"]
    assert await ready("external", "default") == ["plain"]
    assert await ready("external", "other") == []
    assert await ready("external", "gpu", "plain") == []
    assert await ready("external", "gpu", "gpu", "plain") == ["gpu"]
    assert await ready("model", "gpu", "gpu") == []
    assert await store.reads.ready_turns_of(OrgId(uuid7()), "external", "gpu", [], at(10), 10) == []
