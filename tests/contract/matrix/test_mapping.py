"""Each dialect's word for each state of a session that was made elsewhere."""

from collections.abc import AsyncGenerator

import httpx2
import pytest

from sojourn.web.app import build_app
from tests.contract.matrix.mapping import WORDS
from tests.contract.matrix.states import STATES
from tests.contract.matrix.voice import Voice
from tests.contract.matrix.voices import VOICES
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.world import World, open_world


@pytest.fixture
async def world(sqlite: SqliteDatabase, clock: HandClock) -> AsyncGenerator[World]:
    """What a dialect shows is made from records, which are the same whatever database they came from."""
    async with open_world(sqlite, clock) as world:
        yield world


@pytest.fixture
async def voices(world: World) -> AsyncGenerator[list[Voice]]:
    transport = httpx2.ASGITransport(build_app(world.services))
    key = await world.services.access.issue_key(world.org, "matrix", "admin")
    async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
        yield [speak(http, key) for speak in VOICES]


@pytest.mark.parametrize("state", STATES)
async def test_each_dialect_has_its_word_for_each_state(
    world: World, voices: list[Voice], state: str
) -> None:
    session = await STATES[state](world)
    shown = {voice.name: await voice.word(session) for voice in voices if "get" in voice.can}
    assert shown == {name: words[state] for name, words in WORDS.items()}


def test_no_state_lacks_a_word_in_any_dialect() -> None:
    assert {name: list(words) for name, words in WORDS.items()} == {name: list(STATES) for name in WORDS}
