"""What is asked of the server in a round: sessions with inputs, scripts for their turns, replays and stops."""

import asyncio
import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.chaos.client import Caller, Reader
from tests.chaos.tools import CLIENT_TOOL, NAMES, REFUSES

DELIVERIES = ("queue", "queue", "queue", "steer", "interrupt")


@dataclass(frozen=True, slots=True)
class Load:
    sessions: int = 4
    inputs: int = 4
    replays: int = 2


def tool_call(random: Random, key: str) -> dict[str, Any]:
    name = random.choice([*NAMES, *NAMES, REFUSES, "write_file", "is-missing", CLIENT_TOOL])
    match name:
        case "write_file":
            arguments = {"path": "a.txt", "content": key}
        case _ if name == CLIENT_TOOL:
            # Nothing that is done here: a client looks.
            arguments = {"at": key}
        case _:
            arguments = {"key": key}
    return {"name": name, "arguments": arguments}


async def decide_all(caller: Caller, reader: Reader, random: Random) -> None:
    """Decide whatever the session's turns ask. What a steer, an end or a cancel has decided before is refused."""
    while True:
        ask, kind = await reader.next_ask()
        yes = {"decision": "allow"} if kind == "approval" else {"decision": "answer", "answer": "seen"}
        body = random.choice([yes, yes, {"decision": "deny"}])
        await caller.try_make(f"/sessions/{reader.session}/asks/{ask}/decide", body, f"decide-{ask}")


def simulated(random: Random, key: str) -> str:
    """A script of `sim/script`."""
    steps: list[dict[str, Any]] = []
    for call in range(1, random.randint(1, 4)):
        steps += random.choice([[], [], [{"sleep": 0.005}], [{"error": "transient"}]])
        steps.append({"call": tool_call(random, f"{key}/{call}/0")})
    return json.dumps([*steps, {"say": f"{key} is done"}])


def parallel(random: Random, key: str) -> str:
    """A script of the model that calls tools side by side."""
    steps: list[list[dict[str, Any]] | str] = [
        [tool_call(random, f"{key}/{call}/{index}") for index in range(random.randint(1, 4))]
        for call in range(1, random.randint(2, 4))
    ]
    return json.dumps([*steps, f"{key} is done with it"])


async def interfere(caller: Caller, random: Random, sent: dict[str, Any], key: str, text: str) -> None:
    """Somebody changes his mind. What he is told depends on how far the turn has got; what he does must not harm."""
    session = f"/sessions/{sent['session']}"
    match random.choice(["cancel", "withdraw", "edit", "end", "describe"]):
        case "cancel":
            await caller.ask("POST", f"{session}/turns/{sent['turn']}/cancel", {}, f"{key}-cancel")
        case "withdraw":
            await caller.ask("DELETE", f"{session}/inputs/{sent['id']}")
        case "edit":
            await caller.ask("PATCH", f"{session}/inputs/{sent['id']}", {"content": text})
        case "end":
            await caller.ask("POST", f"{session}/end", {"status": "completed"}, f"{key}-end")
        case _:
            await caller.ask("PATCH", session, {"title": key, "tags": [key]})


async def run_session(caller: Caller, random: Random, name: str, load: Load) -> Reader:
    """One session from its creation until all its turns have ended."""
    agent, script = random.choice([("scripted", simulated), ("parallel", parallel)])
    session = (await caller.make("/sessions", {"agent": agent, "title": name}, f"{name}-create"))["id"]
    reader = Reader(caller, session)
    following = asyncio.create_task(reader.follow())
    deciding = asyncio.create_task(decide_all(caller, reader, Random(random.random())))
    try:
        await reader.live()
        inputs: list[str] = []
        for number in range(load.inputs):
            key = f"{name}-{number}"
            body = {"content": script(random, key), "delivery": random.choice(DELIVERIES)}
            sent = await caller.make(f"/sessions/{session}/inputs", body, key)
            inputs.append(sent["id"])
            if random.random() < 0.2:
                await interfere(caller, random, sent, key, script(random, f"{key}-edited"))
            if random.random() < 0.5:
                await reader.settled(inputs)
        await reader.settled(inputs)
        for done in random.sample(caller.witness.acknowledged, load.replays):
            await caller.replay(done)
    finally:
        following.cancel()
        deciding.cancel()
        await asyncio.wait([following, deciding])
    return reader
