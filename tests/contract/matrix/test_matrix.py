"""A session that was made through one dialect is the same session through every other of its organisation."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.filter import Compare, SessionQuery
from sojourn.domain.ids import DEFAULT_ORG, OrgId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Policy
from sojourn.domain.record import SessionRecord
from sojourn.service.changes import SessionChange
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from tests.contract.matrix.voice import Voice
from tests.contract.matrix.voices import VOICES
from tests.support.world import SOMEBODY
from tests.web.served import BOUND_SECONDS, open_served

KEY = "pat-matrix-5a1f"
OTHER_KEY = "pat-other-77c2"
# What the simulated model takes for an order to do nothing for a minute.
LONG = '[{"sleep": 60}]'


@dataclass(frozen=True)
class House:
    """A server with a worker, and the voices of two organisations that speak to it."""

    services: Services
    voices: list[Voice]
    strangers: list[Voice]

    def voice(self, name: str) -> Voice:
        [found] = [voice for voice in self.voices if voice.name == name]
        return found

    async def record(self, id: UUID) -> SessionRecord:
        return await self.services.sessions.get(DEFAULT_ORG, SessionId(id))

    async def child_of(self, parent: UUID) -> UUID:
        """The session that the parent has started, once there is one."""
        query = SessionQuery(where=Compare("parent", "eq", SessionId(parent)))
        async with asyncio.timeout(BOUND_SECONDS):
            while not (found := await self.services.sessions.list(DEFAULT_ORG, query)):
                await self.services.errands.do_due()
        return found[0].session.id

    async def until(self, id: UUID, happened: Callable[[str], bool], after: int = 0) -> int:
        """Return the seq of the first event of such a type once it is in the log."""
        feed = await self.services.feed.follow(DEFAULT_ORG, SessionId(id), after)
        async with asyncio.timeout(BOUND_SECONDS), aclosing(feed) as items:
            async for item in items:
                if isinstance(item, StoredEvent) and happened(item.type):
                    return item.seq
        raise AssertionError("the feed ended")


def closes(type: str) -> bool:
    return type in {"turn.completed", "turn.failed", "turn.cancelled"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_served(tmp_path, bootstrap_key=KEY, default_model="sim/script") as served:
        other = OrgId(uuid7())
        await served.services.access.ensure_org(other, "other")
        await served.services.agents.ensure_default(other)
        await served.services.access.ensure_key(other, "other", "admin", OTHER_KEY)
        transport = httpx2.ASGITransport(served.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
            voices = [speak(http, KEY) for speak in VOICES]
            yield House(served.services, voices, [speak(http, OTHER_KEY) for speak in VOICES])


NAMES = [voice.name for voice in VOICES]
READABLE = [voice.name for voice in VOICES if "get" in voice.can]


@pytest.mark.parametrize("maker", NAMES)
async def test_what_one_dialect_made_is_found_and_listed_through_every_other(
    house: House, maker: str
) -> None:
    id = await house.voice(maker).create()
    is_driven = (await house.record(id)).session.presences > 0
    for voice in house.voices:
        is_shown = is_driven or voice.name != "agent-swarm"
        if "get" in voice.can:
            assert (await voice.word(id) is not None) is is_shown, voice.name
        if "list" in voice.can:
            assert (id in await voice.listed()) is is_shown, voice.name


@pytest.mark.parametrize("maker", NAMES)
async def test_a_message_through_any_dialect_is_answered_and_read_through_all(
    house: House, maker: str
) -> None:
    for sender in house.voices:
        if "message" not in sender.can:
            continue
        id = await house.voice(maker).create()
        record = await house.record(id)
        head = record.session.next_seq - 1
        text = f"a word through {sender.name}"
        await sender.message(id, text)
        expected = {text}
        if not record.session.presences:
            # A session that is driven elsewhere keeps the message for whoever drives it.
            await house.until(id, closes, head)
            expected.add(f"echo: {text}")
        for reader in house.voices:
            if "read" in reader.can and not record.session.presences:
                assert expected <= set(await reader.said(id)), (sender.name, reader.name)
        assert expected <= set(await house.voice("native").said(id))


@pytest.mark.parametrize("maker", NAMES)
async def test_a_running_turn_is_interrupted_through_every_dialect_that_can(house: House, maker: str) -> None:
    for stopper in house.voices:
        if "interrupt" not in stopper.can:
            continue
        id = await house.voice(maker).create()
        record = await house.record(id)
        if record.session.presences:
            continue
        await house.voice("native").message(id, LONG)
        head = await house.until(id, lambda type: type == "model.called", record.session.next_seq - 1)
        await stopper.interrupt(id)
        await house.until(id, lambda type: type == "turn.cancelled", head)
        after = (await house.record(id)).session
        assert (after.status, after.activity) == ("open", "idle"), stopper.name


@pytest.mark.parametrize("maker", NAMES)
async def test_a_session_is_ended_through_every_dialect_that_can(house: House, maker: str) -> None:
    for ender in house.voices:
        if "end" not in ender.can:
            continue
        id = await house.voice(maker).create()
        if ender.name == "agent-swarm" and not (await house.record(id)).session.presences:
            continue
        await ender.end(id)
        assert (await house.record(id)).session.status in {"completed", "cancelled"}, ender.name
        words = {voice.name: await voice.word(id) for voice in house.voices if "get" in voice.can}
        assert words["agent-swarm"] is None
        assert all(word is not None for name, word in words.items() if name != "agent-swarm")


@pytest.mark.parametrize("maker", READABLE)
async def test_a_dialect_s_own_fields_come_back_as_they_were_whatever_the_others_did(
    house: House, maker: str
) -> None:
    owner = house.voice(maker)
    for other in house.voices:
        id = await owner.create()
        before = await owner.facet(id)
        assert before
        if "message" in other.can:
            await other.message(id, "hello")
        if "message" in other.can and not (await house.record(id)).session.presences:
            await house.until(id, closes)
        if "get" in other.can:
            await other.word(id)
        assert await owner.facet(id) == before, other.name


@pytest.mark.parametrize("maker", NAMES)
async def test_another_organisation_finds_a_session_through_no_dialect(house: House, maker: str) -> None:
    id = await house.voice(maker).create()
    for voice in house.strangers:
        if "get" in voice.can:
            assert await voice.word(id) is None, voice.name
        if "list" in voice.can:
            assert id not in await voice.listed()


async def test_the_organisations_of_this_test_are_two(house: House) -> None:
    for voice in house.strangers:
        id = await voice.create()
        if "get" in voice.can:
            assert await voice.word(id) is not None
        assert await house.voice("native").word(id) is None


async def test_what_was_taken_back_and_what_was_withdrawn_is_said_in_no_dialect(house: House) -> None:
    id = await house.voice("native").create()
    heads = [(await house.record(id)).session.next_seq - 1]
    for text in ("first", "second"):
        await house.voice("native").message(id, text)
        heads.append(await house.until(id, closes, heads[-1]))
    # Behind the receipt of the second message, and before its turn has read it.
    await house.services.rewinds.rewind(DEFAULT_ORG, SessionId(id), heads[1] + 1, SOMEBODY)
    await house.voice("native").message(id, LONG)
    await house.until(id, lambda type: type == "model.called", heads[-1])
    new = NewInput(content=(TextPart("never mind"),))
    inputs = house.services.inputs
    waiting = (await inputs.send(DEFAULT_ORG, SessionId(id), new, SOMEBODY)).value
    readers = [voice for voice in house.voices if "read" in voice.can and voice.name != "native"]
    assert [await voice.said(id) for voice in readers] == [["first", "echo: first", LONG, "never mind"]] * 2
    await inputs.withdraw(DEFAULT_ORG, SessionId(id), waiting.id, SOMEBODY)
    assert [await voice.said(id) for voice in readers] == [["first", "echo: first", LONG]] * 2


@pytest.mark.parametrize("name", [voice.name for voice in VOICES if "message" in voice.can])
async def test_a_message_to_a_session_that_ended_for_good_is_refused_in_every_dialect(
    house: House, name: str
) -> None:
    id = await house.voice(name).create()
    sessions = house.services.sessions
    change = SessionChange(policy=Policy(reopen="never"))
    await sessions.update(DEFAULT_ORG, SessionId(id), change, SOMEBODY)
    await sessions.end(DEFAULT_ORG, SessionId(id), "completed", None, SOMEBODY)
    before = await house.record(id)
    with pytest.raises(AssertionError, match="for good by its policy"):
        await house.voice(name).message(id, "once more")
    assert await house.record(id) == before


async def test_what_a_session_has_started_is_read_and_ended_through_every_dialect(house: House) -> None:
    """Everruns ends nothing; what its cancel stops stops the same."""
    overlay = SessionChange(overlay=Overlay(tools=("sessions",)))
    for stopper in house.voices:
        if stopper.name == "agent-swarm":
            continue
        parent = await house.voice("native").create()
        await house.services.sessions.update(DEFAULT_ORG, SessionId(parent), overlay, SOMEBODY)
        call = {"name": "run_session", "arguments": {"agent": "default", "message": LONG}}
        head = (await house.record(parent)).session.next_seq - 1
        await house.voice("native").message(parent, json.dumps([{"call": call}]))
        await house.until(parent, lambda type: type == "turn.waiting", head)
        child = await house.child_of(parent)
        await house.until(child, lambda type: type == "model.called")
        for reader in house.voices:
            if "read" in reader.can:
                assert LONG in await reader.said(child), reader.name
        await (stopper.end if "end" in stopper.can else stopper.interrupt)(parent)
        await house.until(child, lambda type: type == "turn.cancelled")
        assert (await house.record(parent)).session.activity == "idle", stopper.name


async def test_a_session_whose_log_was_cut_is_shown_in_every_dialect_and_says_nothing(house: House) -> None:
    id = await house.voice("native").create()
    head = (await house.record(id)).session.next_seq - 1
    await house.voice("native").message(id, "soon forgotten")
    await house.until(id, closes, head)
    sessions = house.services.sessions
    change = SessionChange(policy=Policy(retain_log_seconds=0.000_001))
    await sessions.update(DEFAULT_ORG, SessionId(id), change, SOMEBODY)
    await sessions.end(DEFAULT_ORG, SessionId(id), "completed", None, SOMEBODY)
    await house.services.upkeep.tick()
    assert (await house.record(id)).first_seq > 1
    for voice in house.voices:
        if "get" in voice.can and voice.name != "agent-swarm":
            assert await voice.word(id) is not None, voice.name
        if "read" in voice.can:
            assert await voice.said(id) == [], voice.name
