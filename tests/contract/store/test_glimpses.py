"""What many sessions said, at a glance: the first input, the last answer, the last error."""

from dataclasses import replace

from sojourn.domain.ids import OrgId, uuid7
from sojourn.domain.turn import TurnStatus
from sojourn.ports import Store
from tests.contract.store.make import ORG, a_turn, at, event, insert


async def test_the_first_input_the_last_answer_and_the_last_error_are_told(store: Store) -> None:
    silent, talking = (await insert(store)).id, (await insert(store)).id
    events = [
        event(talking, 5, data='{"i":2}', type="input.received"),
        event(talking, 1, data='{"i":1}', type="input.received"),
        event(talking, 2, data='{"n":1}', type="message.completed"),
        event(talking, 3, data='{"n":2}', type="message.completed"),
        event(talking, 4, data='{"n":3}', type="model.completed"),
    ]
    await store.write(lambda tx: tx.append_events(events))
    ended = {"status": TurnStatus.FAILED, "ended_at": at(1), "reason": "error"}
    for number, error in ((1, "an old fault"), (2, "a new fault")):
        turn = replace(a_turn(), first_seq=number, error=error, **ended)
        await store.write(lambda tx, turn=turn: tx.write_turn(ORG, talking, turn))
    found = {glimpse[0]: glimpse for glimpse in await store.reads.glimpses(ORG, [silent, talking])}
    assert found[silent] == (silent, None, None, None, False)
    assert found[talking] == (talking, '{"i":1}', '{"n":2}', "a new fault", False)
    await store.write(lambda tx: tx.mark_rewound(ORG, talking))
    assert [glimpse[4] for glimpse in await store.reads.glimpses(ORG, [talking])] == [True]
    assert await store.reads.glimpses(ORG, []) == []
    assert await store.reads.glimpses(OrgId(uuid7()), [talking]) == []
