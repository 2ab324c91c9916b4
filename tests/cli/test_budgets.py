import asyncio
import json

from sojourn.client import Client
from sojourn.client.tool_types import Overlay
from tests.cli.command import run
from tests.client.server import ServerProcess

CALLS = json.dumps([{"call": {"name": "current_time"}}, {"call": {"name": "current_time"}}, {"say": "done"}])


async def test_a_piped_chat_says_that_it_waits_for_a_budget_and_goes_on_once_that_is_resumed(
    server: ServerProcess,
) -> None:
    where = ("--data-dir", server.data_dir)
    async with Client(server.url, server.key) as client:
        session = await client.create_session(overlay=Overlay(tools=["current_time"]))
        added = await run("budgets", "add", "last", "10", "tool_calls", "--soft", "1", *where)
        [budget] = [budget async for budget in client.list_budgets(session.id)]
        assert added.out == f"added {budget.id}: 10 of 10 tool_calls left (active)\n"
        chat = asyncio.create_task(run("chat", str(session.id), *where, stdin=f"{CALLS}\n"))
        async for item in client.stream(session.id, 0):
            if getattr(item, "type", None) == "budget.paused":
                break
        resumed = await run("budgets", "resume", "last", *where)
        assert resumed.out == "1 paused budget resumed\n"
        talked = await chat
        # The two messages that only call tools say nothing.
        assert (talked.status, talked.out) == (0, "done\n")
        assert talked.err == (
            "waiting for a budget that has reached its soft limit; to go on: sojourn budgets resume\n"
        )
        tail = (await run("tail", "last", *where)).out
        assert "8 of 10 tool_calls left · by human" in tail
        assert "parked · for a budget" in tail


async def test_budgets_are_listed_raised_topped_up_and_disabled_and_their_ledger_is_read(
    server: ServerProcess,
) -> None:
    where = ("--data-dir", server.data_dir)
    async with Client(server.url, server.key) as client:
        session = await client.create_session()
        assert (await run("budgets", *where)).err == "No budgets.\n"
        [budget] = (await run("budgets", "add", "last", "0.50", "usd", *where, "--json")).objects
        assert (budget["session"], budget["limit"]) == (str(session.id), "0.50")
        id = budget["id"]
        assert (
            await run("budgets", "raise", id, "2", *where)
        ).out == f"limited {id}: 2 of 2 usd left (active)\n"
        topped = await run("budgets", "top-up", id, "1.5", "--description", "for May", *where)
        assert topped.out == f"topped up {id}: 3.5 of 2 usd left (active)\n"
        await run("chat", "last", "-m", "hello", *where)
        ledger = (await run("budgets", "ledger", id, *where)).out
        assert "-1.5" in ledger
        assert "for May" in ledger
        assert "unknown" in ledger
        assert (
            await run("budgets", "rm", id, *where)
        ).out == f"disabled {id}: 3.5 of 2 usd left (disabled)\n"
        listed = (await run("budgets", "ls", "last", *where)).out
        assert "disabled" in listed
        for amount in ("0", "-1", "NaN", "much"):
            refused = await run("budgets", "add", "last", *where, "--", amount, "usd")
            assert refused.status == 2
        assert len([one async for one in client.list_budgets(session.id)]) == 1
