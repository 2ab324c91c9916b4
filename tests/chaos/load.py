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
# Of one that is ended by time, in the middle of its work if need be; whoever sends to it opens it again.
FLEETING = {"idle_timeout_seconds": 0.3, "max_lifetime_seconds": 1.5, "max_start_seconds": 1.0}
# Of one that is not kept once it has ended.
RETIRING: tuple[dict[str, Any], ...] = (
    {"retain_log_seconds": 0.3},
    {"retain_log_seconds": 0.2, "retain_seconds": 1.0},
    {"retain_seconds": 0.6},
    {"retain_log_seconds": 0.3, **FLEETING},
)


RETAINED = frozenset({"retain_log_seconds", "retain_seconds"})


@dataclass(frozen=True, slots=True)
class Load:
    """`agents` are those that sessions are drawn of."""

    sessions: int = 4
    inputs: int = 4
    replays: int = 2
    agents: Sequence[str] = ("scripted", "scripted", "parallel", "parallel", "family", "family", "program")
    hasty: float = 0.15
    fleeting: float = 0.1
    retiring: float = 0.3
    retirements: Sequence[dict[str, Any]] = RETIRING
    meddles: float = 0.6

    def policy(self, random: Random) -> dict[str, Any]:
        drawn = random.random()
        if drawn < self.retiring:
            return random.choice(self.retirements)
        if drawn < self.retiring + self.fleeting:
            return FLEETING
        return HASTY if drawn < self.retiring + self.fleeting + self.hasty else {}


# Of sessions that last for as long as they are worked on.
STEADY = Load(hasty=0, fleeting=0, retiring=0)


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
    policy = load.policy(random)
    body: dict[str, Any] = {"agent": agent, "title": name, "policy": policy}
    session = (await caller.make("/sessions", body, f"{name}-create"))["id"]
    is_leaving = not RETAINED.isdisjoint(policy)
    if is_leaving:
        caller.witness.leaving.add(session)
    if agent == "family" and not is_leaving:
        await _limit(caller, random, session, name)
    reader = Reader(caller, session)
    following = asyncio.create_task(reader.follow())
    deciding = asyncio.create_task(decide_all(caller, reader, Random(random.random())))
    try:
        await reader.live()
        await _send_all(caller, random, name, load, reader, agent)
        if is_leaving:
            await caller.try_do(f"/sessions/{session}/end", {"status": "completed"}, f"{name}-leave")
            await reader.left(is_deleted="retain_seconds" in policy)
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
        sent = await _send(caller, reader.session, body, key)
        if sent is None:
            break
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


async def _send(caller: Caller, session: str, body: dict[str, Any], key: str) -> dict[str, Any] | None:
    """None where the session has gone meanwhile, or has ended for good."""
    path = f"/sessions/{session}/inputs"
    if session in caller.witness.leaving:
        return await caller.try_make(path, body, key)
    return await caller.make(path, body, key)
