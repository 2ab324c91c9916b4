"""What the vendor's agent client can do with one agent. Runs in the client's own environment."""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import asyncio
import json
import sys
from typing import Any

from everruns_sdk import AgentClient
from everruns_sdk.errors import ApiError, EverrunsError


async def failing(call: Any) -> list[Any]:
    try:
        await call
    except ApiError as error:
        return [type(error).__name__, error.status_code]
    return []


async def cancelled(agent: AgentClient, sleep: str) -> str:
    """What `run` says of a turn that somebody else cancels."""
    session = (await agent.create_session())["id"]
    running = asyncio.create_task(agent.run(sleep, session))
    async for event in agent.stream_events(session, after_sequence=0):
        if event.type == "turn.started":
            break
    await agent.cancel(session)
    try:
        await running
    except EverrunsError as error:
        return str(error)
    return ""


async def main(base: str, key: str, channel: str, sleep: str) -> dict[str, Any]:
    url = f"{base}/v1/channels/{channel}"
    async with AgentClient(url, key) as agent, AgentClient(url, "evr_ak_wrong") as wrong:
        card = await agent.card()
        reply = await agent.run("hello")
        session = (await agent.list_sessions())["data"][0]["id"]
        again = await agent.run("and again", session)
        made = [await agent.create_session("Order 42", idempotency_key="k") for _ in range(2)]
        view = await agent.get_session(session)
        first = await agent.list_sessions(limit=1)
        second = await agent.list_sessions(limit=1, page_token=first["next_page_token"])
        listed = [len((await agent.list_sessions())["data"]), len(first["data"]), len(second["data"])]
        alice = agent.for_end_user("alice")
        hers = await alice.create_session()
        message = await alice.send_message(hers["id"], "hi", idempotency_key="m")
        repeated = await alice.send_message(hers["id"], "hi", idempotency_key="m")
        events = await agent.list_events(session, limit=3)
        streamed = []
        async for event in agent.stream_events(session, after_sequence=0):
            streamed.append(event.type)
            if event.type == "session.idled":
                break
        return {
            "card": [card["name"], card["description"], card["streaming"]],
            "reply": reply,
            "again": again,
            "repeated": made[0]["id"] == made[1]["id"] and message["id"] == repeated["id"],
            "status": [view["status"], view["last_turn_status"]],
            "listed": listed,
            "mine": [len((await alice.list_sessions())["data"]), int(message["role"] == "user")],
            "hidden": await failing(alice.get_session(session)),
            "events": [event.type for event in events],
            "streamed": streamed,
            "failed": await cancelled(agent, sleep),
            "token": await failing(alice.runtime_token()),
            "wrong": await failing(wrong.card()),
        }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
