import asyncio
import json
from contextlib import aclosing
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from sojourn.client import Client, Conflict, Event, InvalidRequest, NotFound, TurnClosed
from tests.cli.command import run
from tests.client.server import BOUND_SECONDS, ServerProcess

# A model that asks for the time five times before it answers.
SCRIPT = json.dumps([{"call": {"name": "current_time", "arguments": {}}}] * 5 + [{"say": "done"}])


async def of_a_looping_agent(client: Client) -> UUID:
    agent = await client.create_agent(name="looping", model="sim/script", tools=["current_time"])
    return (await client.create_session(agent=agent.id)).id


async def test_a_budget_is_made_read_changed_and_disabled(client: Client) -> None:
    session = (await client.create_session()).id
    made = await client.create_budget(
        session, currency="usd", limit=Decimal("1e1"), soft_limit=Decimal("1e-12"), metadata={"a": 1}
    )
    assert (made.limit, made.soft_limit, made.balance) == (Decimal(10), Decimal("1e-12"), Decimal(10))
    assert await client.get_budget(made.id) == made
    changed = await client.update_budget(made.id, limit=20, soft_limit=None, status="paused")
    assert (changed.limit, changed.soft_limit, changed.status) == (Decimal(20), None, "paused")
    assert (await client.check_budget(made.id)).action == "pause"
    assert await client.resume_session(session) == 1
    assert (await client.check_budgets(session)).action == "continue"
    await client.disable_budget(made.id)
    assert [budget.status async for budget in client.list_budgets(session, page_size=1)] == ["disabled"]
    with pytest.raises(Conflict):
        await client.top_up_budget(made.id, 1)
    with pytest.raises(NotFound):
        await client.get_budget(uuid4())
    with pytest.raises(InvalidRequest):
        await client.create_budget(session, currency="usd", limit=0)


async def test_a_loop_of_tools_is_stopped_by_its_budget_and_goes_on_after_a_top_up(
    client: Client, server: ServerProcess
) -> None:
    session = await of_a_looping_agent(client)
    budget = await client.create_budget(session, currency="tool_calls", limit=3)
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session, SCRIPT)) as parts:
        closed = [part async for part in parts][-1]
    assert isinstance(closed, TurnClosed)
    assert (closed.status, closed.reason) == ("failed", "budget")
    charges = [
        (entry.source, entry.amount, entry.call) async for entry in client.list_budget_entries(budget.id, 2)
    ]
    assert charges == [("tool_call", Decimal(1), call) for call in (1, 2, 3)]
    shown = await run("sessions", "show", str(session), "--data-dir", server.data_dir)
    assert "exhausted  0 of 3 tool_calls left" in shown.out
    await client.charge_budget(budget.id, Decimal("0.5"), "by hand")
    assert (await client.top_up_budget(budget.id, Decimal("9.5"))).balance == Decimal(9)
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session, SCRIPT)) as parts:
        closed = [part async for part in parts][-1]
    assert isinstance(closed, TurnClosed)
    assert (closed.status, closed.reason) == ("completed", "end_turn")


async def test_a_session_waits_at_its_soft_limit_until_it_is_resumed(client: Client) -> None:
    session = await of_a_looping_agent(client)
    await client.create_budget(session, currency="tool_calls", limit=100, soft_limit=1)
    sent = await client.send(session, SCRIPT)
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session)) as items:
        async for item in items:
            if isinstance(item, Event) and item.type == "turn.waiting":
                assert (await client.get_session(session)).activity == "waiting"
                assert await client.resume_session(session) == 1
            elif isinstance(item, Event) and item.type == "turn.completed":
                break
    assert (await client.get_turn(session, sent.turn)).attempt == 2
