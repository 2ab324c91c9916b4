"""Answers that arrive while they are made, over a socket."""

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import quote

import httpx2
import pytest

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.turn import TurnStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.hub import Channel, Hub
from sojourn.web.app import build_app
from tests.contract.agentcore.hands import Hands
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import ARN, ID, SESSION, STREAM, AgentCore, as_answer, signed
from tests.support.databases import SqliteDatabase
from tests.support.world import World
from tests.web.served import BOUND_SECONDS, listening

INVOKE = f"/runtimes/{quote(ARN, safe='')}/invocations"
HELLO = b'{"prompt": "hello"}'


@pytest.fixture
def database(sqlite: SqliteDatabase) -> SqliteDatabase:
    """The way from the hub to the socket is the same whatever database stands behind the log."""
    return sqlite


@pytest.fixture
async def http(world: World, by_hand: AgentCore) -> AsyncGenerator[httpx2.AsyncClient]:
    headers = {"authorization": signed(by_hand.key), SESSION: ID}
    async with (
        listening(build_app(world.services)) as url,
        httpx2.AsyncClient(base_url=url, headers=headers, timeout=BOUND_SECONDS) as http,
    ):
        yield http


class Followers:
    """Says when somebody comes to follow a session, and when somebody goes."""

    def __init__(self, hub: Hub) -> None:
        self.came, self.went = asyncio.Event(), asyncio.Event()
        subscribe, unsubscribe = hub.subscribe, hub.unsubscribe

        def come(org: OrgId, session: SessionId) -> Channel:
            self.came.set()
            return subscribe(org, session)

        def go(org: OrgId, session: SessionId, channel: Channel) -> None:
            unsubscribe(org, session, channel)
            self.went.set()

        vars(hub).update(subscribe=come, unsubscribe=go)


@covers("stream.lines", "invoke.echo")
async def test_a_text_arrives_while_the_next_is_not_made_yet(http: httpx2.AsyncClient, hands: Hands) -> None:
    claiming = asyncio.create_task(start(hands))
    async with asyncio.timeout(BOUND_SECONDS):
        async with http.stream("POST", INVOKE, headers=STREAM, content=HELLO) as answer:
            assert (answer.status_code, answer.headers[SESSION]) == (200, ID)
            lines = answer.aiter_lines()
            assert await anext(lines) == 'data: "One"'
            turn = await claiming
            await hands.preview(turn, 3, " two")
            assert [await anext(lines), await anext(lines)] == ["", 'data: " two"']
            await hands.finish(turn, "One two three")
            assert [line async for line in lines] == ["", 'data: " three"', ""]


async def start(hands: Hands) -> ClaimedTurn:
    """Claim the turn and say its first word."""
    turn = await hands.claim()
    await hands.preview(turn, 0, "One")
    return turn


@covers("invoke.disconnect")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize("speaks", [False, True])
async def test_a_client_that_goes_leaves_its_turn_running_and_nothing_else(
    http: httpx2.AsyncClient, world: World, hands: Hands, accept: str, speaks: bool
) -> None:
    followers = Followers(world.services.hub)
    asking = asyncio.create_task(http.post(INVOKE, headers={"accept": accept}, content=HELLO))
    turn = await (start(hands) if speaks else hands.claim())
    async with asyncio.timeout(BOUND_SECONDS):
        await followers.came.wait()
        asking.cancel()
        await followers.went.wait()
    found = await world.services.turns.get(world.org, turn.session, turn.turn)
    assert found.status is TurnStatus.RUNNING
    await hands.finish(turn, "One two three")
    again = asyncio.create_task(http.post(INVOKE, content=HELLO))
    await hands.finish(await hands.claim(), "Four")
    assert as_answer(await again) == {"result": "Four"}
