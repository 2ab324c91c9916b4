import asyncio
import json
import signal
from typing import Any

from sojourn.client import Client
from tests.cli.command import PROGRAM
from tests.client.server import BOUND_SECONDS, ServerProcess, environment


async def test_following_a_log_loses_and_repeats_nothing_when_the_server_is_killed(
    server: ServerProcess,
) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session()
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, "tail", str(session.id), "-f", "--json", "--data-dir", str(server.data_dir)),
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(BOUND_SECONDS):
            await client.send(session.id, "before")
            events += await until_turn_ends(process.stdout)
            await server.kill()
            await server.start()
            await client.send(session.id, "afterwards")
            events += await until_turn_ends(process.stdout)
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert err.decode().splitlines() == ["server gone, reconnecting…", "server back, nothing was missed"]
    assert process.returncode == 0


async def until_turn_ends(out: asyncio.StreamReader) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] != "turn.completed":
        events.append(json.loads(await out.readline()))
    return events
