"""What many sessions said, at a glance: the first message, the last answer, the last error."""

from dataclasses import replace

from sojourn.domain.content import TextPart
from sojourn.domain.ids import OrgId, uuid7
from sojourn.domain.turn import TurnStatus
from sojourn.ports import Store
from tests.contract.store.make import ORG, a_turn, an_input, at, event, insert


async def test_the_first_message_the_last_answer_and_the_last_error_are_told(store: Store) -> None:
    silent, talking = (await insert(store)).id, (await insert(store)).id
    first = replace(an_input(position=2), content=(TextPart("first"), TextPart("more")))
    second = replace(an_input(position=5), content=(TextPart("second"),))
    result = replace(an_input(position=1), kind="tool_result")
    for input in (second, first, result):
        await store.write(lambda tx, input=input: tx.write_input(ORG, talking, input))
    events = [
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
    assert found[silent] == (silent, (), None, None)
    assert found[talking] == (talking, first.content, '{"n":2}', "a new fault")
    assert await store.reads.glimpses(ORG, []) == []
    assert await store.reads.glimpses(OrgId(uuid7()), [talking]) == []
