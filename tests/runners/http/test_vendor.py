"""The vendor's client, Sojourn between, and an app of the vendor's own library behind it."""

import asyncio
import json
from pathlib import Path

from sojourn.client import Client
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.runners.http.process import AppProcess

SESSION = "a-session-of-the-runtime-0123456789"


async def test_the_vendors_client_reaches_the_vendors_app_through_a_session(
    process: AppProcess, library: Path, tmp_path: Path
) -> None:
    settings = {"SOJOURN_PRIVATE_AGENTS": "true"}
    async with (
        ServerProcess(tmp_path / "data", **settings) as server,
        Client(server.url, server.key) as client,
    ):
        await client.create_agent(name="My_agent", runner="http", runner_config={"url": process.url})
        vendor = await asyncio.create_subprocess_exec(
            *(str(library), "-I", str(Path(__file__).with_name("vendor_client.py")), server.url, server.key),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(BOUND_SECONDS):
            out, said = await vendor.communicate()
        assert vendor.returncode == 0, said.decode()
        (session,) = [session async for session in client.list_sessions()]
        turns = [turn async for turn in client.list_turns(session.id)]
        log = (await client.events_page(session.id, limit=200)).data
    seen = json.loads(out)
    assert seen["answer"] == {"result": "you said: hello"}
    assert seen["beside"] == {"result": "you said: {}"}
    assert "".join(seen["stream"]) == "abc"
    assert seen["error"] == "The app answered 500: no such thing"
    assert [turn.status for turn in turns] == ["completed", "completed", "completed", "failed"]
    invoked = [await process.told("invoked") for _ in turns]
    assert {each["session"] for each in invoked} == {SESSION}
    assert [each["payload"] for each in invoked[:2]] == [
        {"prompt": "hello"},
        {"prompt": "{}", "customer": {"id": 7.5}, "tags": ["a", None]},
    ]
    # The log says what the app was given, as it was written.
    received = [event.data["payload"] for event in log if event.type == "input.received"]
    assert received[:2] == ["{}", '{"customer":{"id": 7.5},"tags":["a", null]}']
