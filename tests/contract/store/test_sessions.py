from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.domain.agent import ClientTool
from sojourn.domain.content import Usage
from sojourn.domain.errors import LeaseLost
from sojourn.domain.filter import SessionQuery
from sojourn.domain.ids import OrgId, TurnId, uuid7
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Policy
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.turn import TurnStatus
from sojourn.ports import Store
from tests.contract.store.make import (
    NO_USAGE,
    ORG,
    a_session,
    a_turn,
    an_input,
    at,
    insert,
    locked,
    record,
    session_id,
)

# The surfaces refuse NUL and lone surrogates, so no store has to hold them.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


async def test_a_session_reads_back_as_it_was_inserted(store: Store) -> None:
    new = record(
        a_session(policy=Policy(idle_timeout_seconds=60, expires_at=at(99.123456))),
        origin="kodexa",
        title="A title",
        metadata={"colour": "green", "nested": {"a": [1, 2.5, None, True]}},
        tags=("b", "a"),
        external_id="order 7",
    )
    await insert(store, new)
    assert await store.reads.get_session(ORG, new.session.id) == new


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=st.dictionaries(texts, json_values, max_size=4))
async def test_metadata_comes_back_as_the_client_gave_it(store: Store, metadata: dict[str, object]) -> None:
    new = await insert(store, record(metadata=metadata))
    stored = await store.reads.get_session(ORG, new.id)
    assert stored is not None
    assert repr(stored.metadata) == repr(metadata)


async def test_a_session_that_is_not_there_reads_as_none(store: Store) -> None:
    assert await store.reads.get_session(ORG, session_id()) is None
    assert await store.write(lambda tx: tx.lock_session(ORG, session_id())) is None


async def test_a_taken_id_is_not_inserted_again(store: Store) -> None:
    first = record(title="first")
    await insert(store, first)
    assert not await store.write(lambda tx: tx.insert_session(replace(first, title="second")))
    assert await store.reads.get_session(ORG, first.session.id) == first


async def test_another_organisation_has_its_own_session_of_the_same_id(store: Store) -> None:
    mine = await insert(store)
    other = OrgId(uuid7())
    assert await store.reads.get_session(other, mine.id) is None
    assert await store.write(lambda tx: tx.lock_session(other, mine.id)) is None
    assert await store.reads.head_seqs(other, [mine.id]) == {}


async def test_every_field_of_the_small_state_is_written(store: Store) -> None:
    session = await insert(store)
    turn = a_turn()
    changed = replace(
        session,
        activity=Activity.BUSY,
        fence=3,
        next_seq=9,
        revision=2,
        open_turn=turn.id,
        turns=4,
        queued_inputs=5,
        presences=6,
        policy=Policy(max_turn_seconds=1.5),
        opened_at=at(1),
        active_at=at(2),
        updated_at=at(3),
        archived_at=at(4),
    )
    await store.write(lambda tx: tx.write_session(changed, 0, NO_USAGE))
    stored = await store.reads.get_session(ORG, session.id)
    assert stored is not None
    assert stored.session == changed

    ended = replace(
        changed,
        status=SessionStatus.EXPIRED,
        activity=Activity.IDLE,
        open_turn=None,
        ended_at=at(5),
        end_reason="idle",
    )
    await store.write(lambda tx: tx.write_session(ended, 3, NO_USAGE))
    stored = await store.reads.get_session(ORG, session.id)
    assert stored is not None
    assert stored.session == ended


async def test_usage_is_added_up_exactly(store: Store) -> None:
    session = await insert(store)
    usage = Usage(1, 2, 3, 4, Decimal("0.000000000003"))
    for _ in range(3):
        await store.write(lambda tx: tx.write_session(session, 0, usage))
    stored = await store.reads.get_session(ORG, session.id)
    assert stored is not None
    assert stored.usage == Usage(3, 6, 9, 12, Decimal("0.000000000009"))


async def test_a_write_under_an_old_fence_is_refused_and_changes_nothing(store: Store) -> None:
    session = await insert(store)
    await store.write(lambda tx: tx.write_session(replace(session, fence=1), 0, NO_USAGE))
    with pytest.raises(LeaseLost):
        await store.write(lambda tx: tx.write_session(replace(session, next_seq=99), 0, NO_USAGE))
    stored = await store.reads.get_session(ORG, session.id)
    assert stored is not None
    assert (stored.session.fence, stored.session.next_seq) == (1, 2)


async def test_an_ended_session_is_idle_by_constraint(store: Store) -> None:
    session = await insert(store)
    broken = replace(session, status=SessionStatus.FAILED, ended_at=at(1), activity=Activity.BUSY)
    with pytest.raises(Exception, match=r"(?i)check"):
        await store.write(lambda tx: tx.write_session(broken, 0, NO_USAGE))
    assert (await locked(store, session.id)).session == session


async def test_what_a_client_says_of_a_session_is_replaced_whole(store: Store) -> None:
    session = await insert(store, record(title="old", metadata={"a": 1}, tags=("x", "y")))
    overlay = Overlay(instructions="Be brief.", tools=("files",))
    described = record(session, title="new", metadata={"b": 2}, tags=("y", "z"), overlay=overlay)
    await store.write(lambda tx: tx.describe_session(described, tags_before=("x", "y")))
    stored = await store.reads.get_session(ORG, session.id)
    assert stored == replace(described, session=replace(session, overlaid=True))


async def test_what_a_session_adds_to_its_agent_reads_back_and_its_lock_says_that_it_is_there(
    store: Store,
) -> None:
    tool = ClientTool(name="look", description="Looks.", parameters={"type": "object", "properties": {}})
    overlay = Overlay(instructions="Be brief.", model="sim/echo", tools=("files",), client_tools=(tool,))
    plain, overlaid = await insert(store), record(a_session(overlaid=True), overlay=overlay)
    await insert(store, overlaid)
    assert await store.reads.get_session(ORG, overlaid.session.id) == overlaid
    assert overlaid in await store.reads.list_sessions(ORG, SessionQuery())
    assert await store.reads.get_overlay(ORG, overlaid.session.id) == overlay
    assert (await locked(store, overlaid.session.id)).session == overlaid.session
    assert await store.reads.get_overlay(ORG, plain.id) is None
    assert await store.reads.get_overlay(ORG, session_id()) is None
    await store.write(lambda tx: tx.describe_session(replace(overlaid, overlay=None), tags_before=()))
    assert not (await locked(store, overlaid.session.id)).session.overlaid


async def test_a_lock_brings_the_open_turn_and_the_head_of_the_queue(store: Store) -> None:
    session = await insert(store)
    own, second, third = an_input(2), an_input(4), an_input(3)
    turn = a_turn(id=own.turn, input=own.id, status=TurnStatus.RUNNING, attempt=1)
    for one in (own, second, third):
        await store.write(lambda tx, one=one: tx.write_input(ORG, session.id, one))
    await store.write(lambda tx: tx.write_turn(ORG, session.id, turn))
    busy = replace(session, open_turn=turn.id, activity=Activity.BUSY, queued_inputs=2)
    await store.write(lambda tx: tx.write_session(busy, 0, NO_USAGE))
    state = await locked(store, session.id)
    assert (state.session, state.turn, state.head) == (busy, turn, third)


async def test_facets_are_kept_whole_by_dialect(store: Store) -> None:
    session = await insert(store)
    text = '{"z": 1, "a": {"b": "\\u0000"}}'
    await store.write(lambda tx: tx.write_facet(ORG, session.id, "kodexa", "{}"))
    await store.write(lambda tx: tx.write_facet(ORG, session.id, "kodexa", text))
    assert await store.reads.get_facet(ORG, session.id, "kodexa") == text
    assert await store.reads.get_facet(ORG, session.id, "membrane") is None


async def test_heads_are_told_of_the_sessions_that_exist(store: Store) -> None:
    session = await insert(store, record(a_session(next_seq=8)))
    assert await store.reads.head_seqs(ORG, [session.id, session_id()]) == {session.id: 7}
    assert await store.reads.head_seqs(ORG, []) == {}


async def test_two_open_turns_are_refused_by_constraint(store: Store) -> None:
    session = await insert(store)
    await store.write(lambda tx: tx.write_turn(ORG, session.id, a_turn()))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda tx: tx.write_turn(ORG, session.id, a_turn(id=TurnId(uuid7()))))
    closed = a_turn(status=TurnStatus.COMPLETED, reason="end_turn", ended_at=at(1))
    await store.write(lambda tx: tx.write_turn(ORG, session.id, closed))
    assert len(await store.reads.list_turns(ORG, session.id, None, 10)) == 2
