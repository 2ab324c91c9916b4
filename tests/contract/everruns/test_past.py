"""Sessions of whose log something is gone: taken back, withdrawn, or cut."""

import asyncio
from contextlib import aclosing
from uuid import UUID

import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.ids import SessionId
from sojourn.domain.policy import Policy
from sojourn.service.changes import SessionChange
from sojourn.service.inputs import NewInput
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import BOUND_SECONDS, SOMEBODY, Everruns, Json

KEYED = {"idempotency-key": "once"}


def session_of(id: str) -> SessionId:
    return SessionId(UUID(id.removeprefix("session_")))


def spoken(text: str) -> Json:
    return {"message": {"content": [{"type": "text", "text": text}]}}


async def texts(everruns: Everruns, id: str) -> list[str]:
    messages = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    return [part["text"] for message in messages for part in message["content"] if part["type"] == "text"]


async def change(everruns: Everruns, id: str, policy: Policy) -> None:
    await everruns.services.sessions.update(
        everruns.org, session_of(id), SessionChange(policy=policy), SOMEBODY
    )


async def cut(everruns: Everruns, id: str) -> None:
    """Its log, by its policy; the session has ended before."""
    await change(everruns, id, Policy(retain_log_seconds=0.000_001))
    await everruns.services.sessions.end(everruns.org, session_of(id), "completed", None, SOMEBODY)
    await everruns.services.upkeep.tick()
    assert (await everruns.services.sessions.get(everruns.org, session_of(id))).first_seq > 1


@covers("messages.cut", "events.cut")
async def test_a_log_that_was_cut_tells_and_counts_what_is_left(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    path = f"/sessions/{id}/messages"
    answer = await everruns.ask("POST", path, json=spoken("hello"), headers=KEYED)
    assert answer.status_code == 201, answer.text
    before = await everruns.until(id, "session.idled")
    assert (await everruns.read(f"/sessions/{id}/events/summary"))["total"] == len(before)
    await cut(everruns, id)
    assert await everruns.events(id) == []
    assert (await everruns.read(f"/sessions/{id}/events/summary"))["total"] == 0
    assert await texts(everruns, id) == []
    await everruns.refused(404, "POST", path, json=spoken("hello"), headers=KEYED)
    await everruns.refused(409, "POST", path, json=spoken("again"))
    for query in ({"since_id": before[0]["id"]}, {"after_sequence": 0}, {"limit": 5}):
        assert await everruns.events(id, **query) == []


@covers("events.cut")
@pytest.mark.parametrize("place", [0, -1])
async def test_a_stream_from_what_is_gone_goes_on_behind_it(everruns: Everruns, place: int) -> None:
    id = (await everruns.make())["id"]
    await everruns.say(id, "soon forgotten")
    known = (await everruns.until(id, "session.idled"))[place]["id"]
    await cut(everruns, id)
    await change(everruns, id, Policy(reopen="always"))
    await everruns.say(id, "a new beginning")
    seen: list[str] = []
    async with asyncio.timeout(BOUND_SECONDS), aclosing(everruns.stream(id, since_id=known)) as frames:
        async for frame in frames:
            seen.append(frame.event)
            if frame.event == "session.idled":
                break
    assert seen.count("input.message") == seen.count("turn.completed") == 1
    assert await texts(everruns, id) == ["a new beginning", "echo: a new beginning"]


@covers("messages.gone")
async def test_a_message_that_was_withdrawn_is_no_message_any_more(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"sleep": 60})
    await everruns.until(id, "output.message.started")
    new = NewInput(content=(TextPart("never mind"),))
    inputs = everruns.services.inputs
    waiting = (await inputs.send(everruns.org, session_of(id), new, SOMEBODY)).value
    assert "never mind" in await texts(everruns, id)
    await inputs.withdraw(everruns.org, session_of(id), waiting.id, SOMEBODY)
    assert "never mind" not in await texts(everruns, id)
    told = await everruns.events(id, types="input.message")
    assert "never mind" in str(told)


@covers("messages.gone")
async def test_a_message_is_taken_back_with_its_turn_though_it_came_before(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.say(id, "first")
    await everruns.until(id, "session.idled")
    head = (await everruns.services.sessions.get(everruns.org, session_of(id))).session.next_seq - 1
    await everruns.say(id, "second")
    await everruns.until(id, "session.idled", times=2)
    # Behind its receipt, and before its turn read it.
    await everruns.services.rewinds.rewind(everruns.org, session_of(id), head + 1, SOMEBODY)
    assert await texts(everruns, id) == ["first", "echo: first"]
