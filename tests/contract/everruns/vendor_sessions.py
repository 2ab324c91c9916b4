"""What the vendor's client can do with sessions, messages and events. Runs in the client's own environment."""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import asyncio
import json
import sys
from typing import Any

from everruns_sdk import Everruns
from everruns_sdk.errors import ApiError
from everruns_sdk.models import AgentCapabilityConfig, ContentPart, Controls, InitialFile, ToolDefinition
from everruns_sdk.sse import EventStream, StreamOptions

CLOCK = json.dumps([{"call": {"name": "current_time", "arguments": {}}}, {"say": "it is late"}])
WORDS = json.dumps([{"say": " ".join(f"word{number}" for number in range(100))}])
LONG = json.dumps([{"sleep": 30}, {"say": "never"}])


async def failing(call: Any) -> list[Any]:
    try:
        await call
    except ApiError as error:
        return [type(error).__name__, error.status_code, error.code, error.message]
    return []


async def with_tools(client: Everruns) -> dict[str, Any]:
    """A round trip of a tool that runs here, in the way of the client's own cookbook."""
    tool = ToolDefinition(type="client_side", name="add", description="Adds", parameters={"type": "object"})
    session = await client.sessions.create(tools=[tool])
    calls = [{"call": {"name": "add", "arguments": {"a": 2, "b": 3}}}, {"say": "it is five"}]
    await client.messages.create(session.id, json.dumps(calls))
    stream, accepted = client.events.stream(session.id), []
    waiting = None
    async for event in stream:
        if event.type == "tool.call_requested":
            waiting = (await client.sessions.get(session.id)).status
            results = [
                ContentPart.make_tool_result(call.id, {"sum": call.arguments["a"] + call.arguments["b"]})
                for call in event.tool_calls()
            ]
            answer = await client.messages.create_tool_results(session.id, results)
            accepted.append([answer.accepted, answer.status])
        if event.type in ("turn.completed", "turn.failed"):
            break
    await stream.aclose()
    roles = [message.role for message in await client.messages.list(session.id)]
    return {"accepted": accepted, "end": event.type, "roles": roles, "waiting": waiting}


async def streamed(stream: EventStream, until: str = "turn.completed") -> list[Any]:
    found = []
    async for event in stream:
        found.append(event)
        if event.type == until:
            break
    await stream.aclose()
    return found


async def main(base: str, cut: str, key: str) -> dict[str, Any]:
    """`cut` is a base URL behind which every connection breaks after some bytes of an answer."""
    async with Everruns(api_key=key, base_url=base) as client:
        sessions, messages, events = client.sessions, client.messages, client.events
        session = await sessions.create(
            title="Debug login issue",
            locale="uk-UA",
            tags=["urgent"],
            capabilities=[AgentCapabilityConfig(ref="current_time", config={})],
            tools=[ToolDefinition(name="open", description="Opens", parameters={"type": "object"})],
            initial_files=[InitialFile(path="/a.md", content="Hello")],
            parallel_tool_calls=True,
        )
        # As in the client's own examples: the stream is opened after the message was sent, without a cursor.
        sent = await messages.create(session.id, CLOCK, Controls(error_disclosure="standard"))
        first = await streamed(events.stream(session.id), "session.idled")
        await messages.create(session.id, WORDS)
        resumed = await streamed(events.stream(session.id, since_id=first[-1].id), "session.idled")
        narrow = await streamed(events.stream(session.id, types=["turn.started", "turn.completed"]))
        calm = await streamed(
            EventStream(client, session.id, StreamOptions.exclude_deltas()), "session.idled"
        )
        listed = await events.list(session.id, limit=3, exclude=["session.idled"])
        got = await sessions.get(session.id)
        await sessions.pin(session.id)
        pinned = (await sessions.get(session.id)).is_pinned
        await sessions.unpin(session.id)
        await sessions.set_secrets(session.id, {"TOKEN": "s3cret"})
        stopped = await sessions.create()
        await messages.create(stopped.id, LONG)
        await streamed(events.stream(stopped.id), "output.message.started")
        await sessions.cancel(stopped.id)
        await sessions.cancel(stopped.id)
        cancelled = await streamed(events.stream(stopped.id), "turn.cancelled")
        async with Everruns(api_key=key, base_url=cut) as unlucky:
            whole = await sessions.create()
            await messages.create(whole.id, WORDS)
            await streamed(events.stream(whole.id), "session.idled")
            pieces = unlucky.events.stream(whole.id, exclude=["output.message.delta"])
            pieced = await streamed(pieces, "session.idled")
            expected = await events.list(whole.id)
        exported = await sessions.export(session.id)
        await sessions.delete(stopped.id)
        return {
            "session": session.model_dump(exclude_none=True),
            "tools": await with_tools(client),
            "sent": sent.model_dump(exclude_none=True),
            "first": [event.type for event in first],
            "second": [event.type for event in resumed],
            "text": "".join(e.data["delta"] for e in resumed if e.type == "output.message.delta"),
            "narrow": [event.type for event in narrow],
            "calm": [event.type for event in calm],
            "listed": [event.type for event in listed],
            "status": got.status,
            "usage": got.usage.output_tokens if got.usage else None,
            "pinned": [pinned, (await sessions.get(session.id)).is_pinned],
            "cancelled": cancelled[-1].data["reason"],
            "pieced": [event.id for event in pieced] == [event.id for event in expected],
            "messages": [message.role for message in await messages.list(session.id)],
            "export": [json.loads(line)["role"] for line in exported.splitlines()],
            "list": [one.id for one in await sessions.list(search="login")] == [session.id],
            "budgets": [await sessions.budgets(session.id), (await sessions.budget_check(session.id)).action],
            "resume": (await sessions.resume(session.id)).resumed_budgets,
            "gone": await failing(sessions.get(stopped.id)),
            "bad": await failing(sessions.get("sess_123")),
            "no_key": await failing(Everruns(api_key="wrong", base_url=base).sessions.list()),
            "not_waiting": await failing(events.list(session.id, types=["nonsense"])),
            "unknown_agent": await failing(sessions.create(agent_name="nobody")),
        }


print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[3], sys.argv[2]))))
