"""A program that a worker runs on another machine than the server's."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

from sojourn.client import Client, Event
from sojourn.client.types import Json
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.client.worker import WorkerProcess

SECRET = "sk-very-secret"
PROGRAM = str(Path(__file__).with_name("agent.py"))
TURNS = (
    "key\nsay hello\nthink hm\nplan do it\nrun t1\nwrite a.txt hello\nsay bye",
    "half\nstart t2\nask t3\nfinish t2\nsay end",
)


async def test_a_worker_without_a_database_runs_a_program_and_has_its_permissions_asked_for(
    tmp_path: Path,
) -> None:
    settings = {"SOJOURN_ALLOW_COMMANDS": "true"}
    async with (
        ServerProcess(tmp_path / "data", SOJOURN_WORKER_CAPACITY="0", **settings) as server,
        Client(server.url, server.key) as client,
    ):
        await client.put_secret("acme", SECRET)
        key = await client.create_key("w", "worker", secrets=["acme"])
        config = program(ACME_KEY="secret://acme")
        assert key.token is not None
        agent = await client.create_agent(name="program", runner="acp", runner_config=config)
        session = await client.create_session(agent=agent.id)
        config = program(ACME_KEY="secret://acme", OTHER="secret://withheld")
        withheld = await client.create_agent(name="withheld", runner="acp", runner_config=config)
        failing = await client.create_session(agent=withheld.id)
        async with WorkerProcess(server, key.token, "--runner", "acp", **settings):
            for text in TURNS:
                await client.send(session.id, text)
            types = await said(client, session.id, len(TURNS))
            await client.send(failing.id, "say never")
            assert "turn.failed" in await said(client, failing.id, 1)
        assert types.count("turn.completed") == len(TURNS)
        assert (
            types.count("tool.started") == types.count("tool.completed") == types.count("tool.requested") > 2
        )
        assert types.count("ask.decided") == 1
        assert await client.read_file(session.id, "a.txt") == b"hello"
        log = repr((await client.events_page(session.id)).data)
        assert f"a key of {len(SECRET)} characters" in log
        assert SECRET not in log
        failed = (await client.events_page(failing.id)).data[-1].data["error"]
        assert "OTHER cannot be set: The worker's key is not given secret://withheld" in str(failed)


def program(**env: Json) -> dict[str, Json]:
    return {"command": [sys.executable, PROGRAM], "env": env}


async def said(client: Client, session: UUID, turns: int) -> list[str]:
    """The types of what the log says until so many turns are over; whatever is asked is allowed."""
    types: list[str] = []
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session)) as items:
        async for item in items:
            if not isinstance(item, Event):
                continue
            types.append(item.type)
            if item.type == "ask.opened":
                await client.decide_ask(session, UUID(str(item.data["ask"])), decision="allow")
            turns -= item.type in ("turn.completed", "turn.failed")
            if not turns:
                break
    return types
