"""Sessions of agents behind HTTP, over the native surface."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import msgspec

from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart
from sojourn.domain.feed import FeedItem, Preview
from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.log import StoredEvent
from sojourn.service.inputs import NewInput
from tests.web.served import Served

BOUND_SECONDS = 30.0
CLOSING = frozenset({"turn.completed", "turn.failed", "turn.cancelled"})


async def new_agent(served: Served, url: str, **config: Json) -> str:
    """The name of a new agent of an app."""
    listed = (await served.client.get("agents")).json()["data"]
    name = f"app-{len(listed)}"
    body = {"name": name, "runner": "http", "runner_config": {"url": url, **config}}
    made = await served.client.post("agents", json=body)
    assert made.status_code == 201, made.text
    return name


async def new_session(served: Served, agent: str, **session: Any) -> SessionId:
    made = await served.client.post("sessions", json={"agent": agent, **session})
    assert made.status_code == 201, made.text
    return SessionId(UUID(made.json()["id"]))


async def say(served: Served, agent: str, prompt: str, **session: Any) -> SessionId:
    """A new session that was told something."""
    made = await new_session(served, agent, **session)
    await more(served, made, prompt)
    return made


async def more(served: Served, session: SessionId, prompt: str) -> None:
    new = NewInput(content=(TextPart(prompt),))
    await served.services.inputs.send(DEFAULT_ORG, session, new, Actor("human"))


async def watch(served: Served, session: SessionId) -> AsyncGenerator[FeedItem]:
    """All that happens in a session from its beginning; whoever asks before it does misses no preview."""
    return await served.services.feed.follow(DEFAULT_ORG, session, 0)


async def read_to(feed: AsyncGenerator[FeedItem], is_last: Callable[[FeedItem], bool]) -> list[FeedItem]:
    seen: list[FeedItem] = []
    async with asyncio.timeout(BOUND_SECONDS):
        async for item in feed:
            seen.append(item)
            if is_last(item):
                return seen
    raise AssertionError("the feed ended")


def is_shown(item: FeedItem) -> bool:
    return isinstance(item, Preview)


def is_end(item: FeedItem) -> bool:
    return isinstance(item, StoredEvent) and item.type in CLOSING


async def until(served: Served, session: SessionId, type: str) -> list[FeedItem]:
    """All that is seen of a session up to the first event of a type."""
    async with aclosing(await watch(served, session)) as feed:
        return await read_to(feed, lambda item: isinstance(item, StoredEvent) and item.type == type)


async def ended(served: Served, session: SessionId) -> list[FeedItem]:
    async with aclosing(await watch(served, session)) as feed:
        return await read_to(feed, is_end)


def said(items: Sequence[FeedItem], type: str) -> list[dict[str, Any]]:
    """The data of the events of a type."""
    events = [item for item in items if isinstance(item, StoredEvent) and item.type == type]
    return [msgspec.json.decode(event.data) for event in events]


def types(items: Sequence[FeedItem]) -> list[str]:
    return [item.type for item in items if isinstance(item, StoredEvent)]


def previewed(items: Sequence[FeedItem]) -> str:
    return "".join(item.text for item in items if isinstance(item, Preview))
