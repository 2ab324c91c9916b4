"""What is asked of the server in a round: sessions with inputs for their turns, decisions, replays and stops."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.chaos.client import AskOpened, Caller, Reader
from tests.chaos.meddling import ACTS, FAMILY_ACTS, REST_ACTS, Meddler
from tests.chaos.scripts import SCRIPTS

DELIVERIES = ("queue", "queue", "queue", "steer", "interrupt")
# Of a session that does not wait long: inputs lapse, and so do turns.
HASTY = {"max_queued_seconds": 0.5, "max_turn_seconds": 2.0}


@dataclass(frozen=True, slots=True)
class Load:
    """`agents` are those that sessions are drawn of."""

    sessions: int = 4
    inputs: int = 4
    replays: int = 2
    agents: Sequence[str] = ("scripted", "scripted", "parallel", "parallel", "family", "family", "program")
    hasty: float = 0.15
    meddles: float = 0.6


def verdicts(ask: AskOpened) -> list[dict[str, Any]]:
    """What somebody may decide of an ask."""
    deny = {"decision": "deny", "answer": {"reason": "not now"}}
    allow = {"decision": "allow"}
    match ask.kind:
        case "session":
            return [deny]
        case "approval" if "options" in ask.prompt:
            return [allow, allow, {**allow, "always": True}, deny]
        case "approval":
            key = f"{ask.prompt['arguments'].get('key', '')}-edited-{ask.id}"
            edited = {**allow, "answer": {"arguments": {"key": key}}}
            return [allow, allow, {**allow, "always": True}, edited, deny]
        case _:
            return [{"decision": "answer", "answer": "seen"}] * 2 + [deny]


async def decide_all(caller: Caller, reader: Reader, random: Random) -> None:
    """Decide what the session's turns ask. What a steer, an end or a cancel has decided before is refused.

    A session below decides by its own end, and somebody who does not want to wait for it.
    """
    while True:
        ask = await reader.next_ask()
        if ask.kind != "session" or random.random() < 0.15:
            body = random.choice(verdicts(ask))
            path = f"/sessions/{reader.session}/asks/{ask.id}/decide"
            await caller.try_make(path, body, f"decide-{ask.id}")


async def run_session(caller: Caller, random: Random, name: str, load: Load) -> Reader:
    """One session from its creation until all its turns have ended."""
    agent = random.choice(load.agents)
    body: dict[str, Any] = {"agent": agent, "title": name}
    if random.random() < load.hasty:
        body["policy"] = HASTY
    session = (await caller.make("/sessions", body, f"{name}-create"))["id"]
    if agent == "family":
        await _limit(caller, random, session, name)
    reader = Reader(caller, session)
    following = asyncio.create_task(reader.follow())
    deciding = asyncio.create_task(decide_all(caller, reader, Random(random.random())))
    try:
        await reader.live()
        await _send_all(caller, random, name, load, reader, agent)
        for done in random.sample(caller.witness.acknowledged, load.replays):
            await caller.replay(done)
    finally:
        following.cancel()
        deciding.cancel()
        await asyncio.wait([following, deciding])
    for task in (following, deciding):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    return reader


async def _limit(caller: Caller, random: Random, session: str, name: str) -> None:
    """A budget that the whole tree below uses up, large or small."""
    body = {"currency": random.choice(["turns", "tool_calls"]), "limit": random.choice(["2", "1000", "1000"])}
    await caller.make(f"/sessions/{session}/budgets", body, f"{name}-budget")


async def _send_all(
    caller: Caller, random: Random, name: str, load: Load, reader: Reader, agent: str
) -> None:
    inputs: list[str] = []
    script = SCRIPTS[agent]
    for number in range(load.inputs):
        key = f"{name}-{number}"
        body = {"content": script(random, key), "delivery": random.choice(DELIVERIES)}
        sent = await caller.make(f"/sessions/{reader.session}/inputs", body, key)
        inputs.append(sent["id"])
        if random.random() < load.meddles:
            meddler = Meddler(caller, random, sent, key, script(random, f"{key}-edited"))
            await random.choice(FAMILY_ACTS if agent == "family" else ACTS)(meddler)
            if random.random() < 0.3:
                await reader.settled(inputs)
                await random.choice(REST_ACTS)(replace(meddler, key=f"{key}-rest"))
        if random.random() < 0.5:
            await reader.settled(inputs)
    await reader.settled(inputs)
