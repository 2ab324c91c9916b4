"""What was said, as opencode's messages."""

from typing import Any

from sojourn.domain.content import Usage
from sojourn.domain.events import (
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
)
from sojourn.domain.ids import MessageId, uuid7
from sojourn.ports.turns import ClaimedTurn
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import Membrane, of
from tests.support.world import SOMEBODY

PARTS = {
    "text": {"text"},
    "tool": {"callID", "tool", "state"},
    "step-start": set[str](),
    "step-finish": {"reason", "cost", "tokens"},
}


def as_message(session: str, message: dict[str, Any]) -> dict[str, Any]:
    """What opencode's types ask for, and both places of id and role."""
    assert set(message) == {"id", "role", "info", "parts"}
    info = message["info"]
    assert (info["id"], info["role"], info["sessionID"]) == (message["id"], message["role"], session)
    assert isinstance(info["time"]["created"], int)
    if message["role"] == "assistant":
        assert {"parentID", "modelID", "providerID", "mode", "path", "cost", "tokens"} <= set(info)
    ids = [part["id"] for part in message["parts"]]
    assert len(ids) == len(set(ids))
    for part in message["parts"]:
        assert (part["messageID"], part["sessionID"]) == (message["id"], session)
        common = {"id", "sessionID", "messageID", "type"}
        assert set(part) - {"synthetic", "time"} == common | PARTS[part["type"]]
    return message


async def told(membrane: Membrane, id: str) -> list[dict[str, Any]]:
    return [as_message(id, message) for message in await membrane.messages(id)]


def text(message: dict[str, Any]) -> str:
    """As the vendor's clients put it together."""
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


async def called(membrane: Membrane, turn: ClaimedTurn) -> ModelCalled:
    return (await membrane.world.said(turn.session, ModelCalled))[-1]


def answer(call: ModelCalled, said: str) -> list[RunnerEvent]:
    usage = Usage(input_tokens=7, output_tokens=5, cache_read_tokens=3)
    return [
        MessageCompleted(message=call.message, call=call.call, text=said),
        ModelCompleted(call=call.call, model="m", provider="p", usage=usage, finish_reason="stop"),
    ]


@covers("messages.shape", "messages.tools")
async def test_a_turn_with_tools_is_told_step_by_step(membrane: Membrane) -> None:
    world = membrane.world
    id = (await membrane.make("do it"))["id"]
    turn = await world.claim(of(id))
    world.clock.advance(1)
    call = await called(membrane, turn)
    arguments = ('{"q": 1}', "[2]", "no json", "")
    requests = [
        ToolRequested(call=1, index=index, id=f"c{index}", name=f"tool{index}", arguments=text)
        for index, text in enumerate(arguments)
    ]
    await world.services.turns.append(turn, [*answer(call, "I look."), *requests])
    states = await tool_states(membrane, id)
    assert [state["status"] for state in states] == ["pending"] * 4
    assert [state["input"] for state in states] == [{"q": 1}, {"value": [2]}, {"raw": "no json"}, {}]
    world.clock.advance(1)
    await world.services.turns.append(turn, [ToolStarted(call=1, index=index) for index in range(3)])
    world.clock.advance(1)
    results = [
        ToolCompleted(
            call=1, index=index, id=f"c{index}", name=f"tool{index}", status=status, output=f"o{index}"
        )
        for index, status in enumerate(("done", "error"))
    ]
    await world.services.turns.append(turn, results)
    done, failed, running, pending = await tool_states(membrane, id)
    assert (done["status"], done["output"], done["title"]) == ("completed", "o0", "tool0")
    assert done["time"]["end"] - done["time"]["start"] == 1000
    assert (failed["status"], failed["error"]) == ("error", "o1")
    assert (running["status"], pending["status"]) == ("running", "pending")
    user, assistant = await told(membrane, id)
    assert (user["role"], text(user), text(assistant)) == ("user", "do it", "I look.")
    types = [part["type"] for part in assistant["parts"]]
    assert types == ["step-start", "text", "tool", "tool", "tool", "tool", "step-finish"]
    info = assistant["info"]
    assert info["parentID"] == user["id"]
    assert (info["modelID"], info["providerID"]) == ("m", "p")
    assert info["tokens"] == {"input": 7, "output": 5, "reasoning": 0, "cache": {"read": 3, "write": 0}}
    assert info["time"]["completed"] - user["info"]["time"]["created"] == 1000


async def tool_states(membrane: Membrane, id: str) -> list[dict[str, Any]]:
    (assistant,) = [one for one in await told(membrane, id) if one["role"] == "assistant"]
    return [part["state"] for part in assistant["parts"] if part["type"] == "tool"]


@covers("messages.waiting")
async def test_what_nobody_has_read_stands_at_the_end_and_a_withdrawn_input_nowhere(
    membrane: Membrane,
) -> None:
    world = membrane.world
    id = (await membrane.make("first"))["id"]
    assert [text(one) for one in await told(membrane, id)] == ["first"]
    turn = await world.claim(of(id))
    later = await world.send(of(id), "later")
    unwanted = await world.send(of(id), "unwanted")
    await world.services.inputs.withdraw(world.org, of(id), unwanted.id, SOMEBODY)
    await world.services.turns.append(turn, answer(await called(membrane, turn), "one"))
    shown = await told(membrane, id)
    assert [text(one) for one in shown] == ["first", "one", "later"]
    assert shown[-1]["id"] == f"msg_{later.id.hex}"
    await world.services.turns.settle(turn, [])
    second = await world.claim(of(id))
    await world.services.turns.settle(second, answer(await called(membrane, second), "two"))
    assert [text(one) for one in await told(membrane, id)] == ["first", "one", "later", "two"]


@covers("messages.errors")
async def test_an_answer_that_failed_or_was_interrupted_says_so(membrane: Membrane) -> None:
    world = membrane.world
    id = (await membrane.make())["id"]
    turn = await world.claim(of(id))
    call = await called(membrane, turn)
    world.services.turns.preview(turn, call.message, 0, "half a word")
    writing = (await told(membrane, id))[-1]
    assert text(writing) == "half a word"
    assert "completed" not in writing["info"]["time"]
    await membrane.ask("POST", f"/{id}/interrupt")
    interrupted = (await told(membrane, id))[-1]
    assert interrupted["info"]["error"]["name"] == "MessageAbortedError"
    assert text(interrupted) == "half a word"
    await world.send(of(id))
    failing = await world.claim(of(id))
    await world.services.turns.settle(failing, [], "error", "No such model.")
    failed = (await told(membrane, id))[-1]
    assert failed["info"]["error"] == {"name": "UnknownError", "data": {"message": "No such model."}}


@covers("messages.shape")
async def test_a_long_log_is_told_whole(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    id = (await on_sqlite.make("x" * 40_000))["id"]
    turn = await world.claim(of(id))
    call = await called(on_sqlite, turn)
    for number in range(1, 600):
        following = ModelCalled(call=number + 1, model="m", message=MessageId(uuid7()))
        await world.services.turns.append(turn, answer(call, str(number)), [following])
        call = following
    shown = await told(on_sqlite, id)
    assert len(shown) == 601
    assert text(shown[0]) == "x" * 40_000
    assert [text(one) for one in shown[1:-1]] == [str(number) for number in range(1, 600)]
