"""A session is the same one for the runtime's clients and for those of every other dialect."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

import httpx2
import pytest

from sojourn.domain.ids import SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.session import SessionStatus
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import AgentCore, as_answer, as_failure
from tests.contract.matrix.voice import Voice
from tests.contract.matrix.voices import VOICES
from tests.web.served import BOUND_SECONDS, open_served

# Membrane's clients send keys that begin like this.
KEY = "pat-agentcore-9b1e"
SPEAKERS = {speak.name: speak for speak in VOICES}


@pytest.fixture
async def agentcore(tmp_path: Path) -> AsyncGenerator[AgentCore]:
    async with open_served(tmp_path, bootstrap_key=KEY, default_model="sim/script") as served:
        transport = httpx2.ASGITransport(served.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
            yield AgentCore(served.services, http, KEY)


@pytest.fixture(params=SPEAKERS)
def voice(request: pytest.FixtureRequest, agentcore: AgentCore) -> Voice:
    return SPEAKERS[request.param](agentcore.http, KEY)


async def until_idle(agentcore: AgentCore, id: UUID, turns: int) -> None:
    """Return once so many turns of the session have ended."""
    feed = await agentcore.services.feed.follow(agentcore.org, SessionId(id), 0)
    async with asyncio.timeout(BOUND_SECONDS), aclosing(feed):
        async for item in feed:
            turns -= isinstance(item, StoredEvent) and item.type == "turn.completed"
            if not turns:
                return


@covers("shared.by-id", "invoke.held-up")
async def test_what_another_dialect_made_is_invoked_and_stopped_by_its_id(
    agentcore: AgentCore, voice: Voice
) -> None:
    id = await voice.create()
    record = await agentcore.services.sessions.get(agentcore.org, SessionId(id))
    answer = as_answer(await agentcore.invoke("a word", str(id)))
    if record.session.presences:
        assert answer == {"result": "", "waiting": []}
    else:
        assert answer == {"result": "echo: a word"}
        if "read" in voice.can:
            assert {"a word", "echo: a word"} <= set(await voice.said(id))
    assert (await agentcore.stop(str(id))).status_code == 200
    record = await agentcore.services.sessions.get(agentcore.org, SessionId(id))
    assert record.session.status is SessionStatus.COMPLETED
    as_failure(await agentcore.stop(str(id)), "ResourceNotFoundException")


@covers("shared.natively", "shared.kodexa", "invoke.reopen")
async def test_what_was_made_here_is_shown_used_and_ended_through_every_other_dialect(
    agentcore: AgentCore, voice: Voice
) -> None:
    await agentcore.said("first")
    id = (await agentcore.record()).session.id
    is_shown = voice.name != "agent-swarm"
    assert (await voice.word(id) is not None) is is_shown
    if "list" in voice.can:
        assert (id in await voice.listed()) is is_shown
    if "message" in voice.can:
        await voice.message(id, "second")
        await until_idle(agentcore, id, 2)
    if "read" in voice.can:
        assert {"first", "echo: first"} <= set(await voice.said(id))
    if "end" in voice.can and is_shown:
        await voice.end(id)
        assert (await agentcore.record()).session.status is not SessionStatus.OPEN
    assert await agentcore.said("third") == "echo: third"
    assert (await agentcore.record()).session.id == id
