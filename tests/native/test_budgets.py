from typing import Any
from uuid import UUID

import httpx
import pytest

from sojourn.domain.events import ModelCalled
from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.ports.turns import Ready
from tests.native.asserting import NOWHERE, new_input, new_session, problem, value
from tests.unit.domain.make import answered
from tests.web.served import Served


async def new_budget(client: httpx.AsyncClient, session: str, **fields: Any) -> dict[str, Any]:
    body = {"currency": "usd", "limit": "10", **fields}
    return value(await client.post(f"/sessions/{session}/budgets", json=body), 201)


async def test_a_new_budget_has_all_of_its_limit_left(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session, limit="2.50", soft_limit=2, metadata={"team": "ops"})
    assert (budget["session"], budget["currency"], budget["status"]) == (session, "usd", "active")
    assert (budget["limit"], budget["soft_limit"], budget["balance"]) == ("2.50", "2", "2.50")
    assert budget["metadata"] == {"team": "ops"}
    assert value(await client.get(f"/budgets/{budget['id']}")) == budget
    types = [event["type"] for event in value(await client.get(f"/sessions/{session}/events"))["data"]]
    assert types == ["session.created", "budget.created"]


async def test_budgets_and_ledgers_are_listed_in_pages(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    budgets = [
        await new_budget(client, session, currency=currency) for currency in ("tokens", "usd", "turns")
    ]
    page = value(await client.get(f"/sessions/{session}/budgets", params={"limit": 2}))
    rest = value(await client.get(f"/sessions/{session}/budgets", params={"cursor": page["next_cursor"]}))
    assert [*page["data"], *rest["data"]] == budgets
    place = f"/budgets/{budgets[0]['id']}"
    for amount in ("1", "0.5", 3):
        value(await client.post(f"{place}/charge", json={"amount": amount, "description": "by hand"}))
    page = value(await client.get(f"{place}/ledger", params={"limit": 2}))
    rest = value(await client.get(f"{place}/ledger", params={"cursor": page["next_cursor"]}))
    assert [entry["amount"] for entry in (*page["data"], *rest["data"])] == ["1", "0.5", "3"]
    assert rest["next_cursor"] is None
    assert (rest["data"][0]["source"], rest["data"][0]["description"]) == ("charge", "by hand")
    stolen = await client.get(f"/budgets/{budgets[1]['id']}/ledger", params={"cursor": page["next_cursor"]})
    problem(stolen, 400, "invalid_request", "cursor")


async def test_the_budgets_of_all_sessions_are_listed_in_pages(client: httpx.AsyncClient) -> None:
    sessions = [(await new_session(client))["id"] for _ in range(2)]
    budgets = [await new_budget(client, session) for session in (*sessions, *sessions)]
    page = value(await client.get("/budgets", params={"limit": 3}))
    rest = value(await client.get("/budgets", params={"cursor": page["next_cursor"]}))
    assert [*page["data"], *rest["data"]] == budgets
    assert rest["next_cursor"] is None
    await client.delete(f"/sessions/{sessions[0]}")
    assert value(await client.get("/budgets"))["data"] == [budgets[1], budgets[3]]


async def test_a_budget_that_is_used_up_is_topped_up_and_says_so(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session)
    place = f"/budgets/{budget['id']}"
    checks = (f"{place}/check", f"/sessions/{session}/budget-check")
    assert [value(await client.get(check)) for check in checks] == [
        {"action": "continue", "budget": None},
        {"action": "continue", "budget": None},
    ]
    low = value(await client.post(f"{place}/charge", json={"amount": "8.5"}))
    assert low["status"] == "active"
    assert value(await client.get(checks[1])) == {"action": "warn", "budget": low}
    spent = value(await client.post(f"{place}/charge", json={"amount": 2}))
    assert (spent["status"], spent["balance"]) == ("exhausted", "-0.5")
    assert value(await client.get(checks[0])) == {"action": "stop", "budget": spent}
    more = value(await client.post(f"{place}/top-up", json={"amount": "5", "description": "more"}))
    assert (more["status"], more["balance"], more["limit"]) == ("active", "4.5", "10")
    events = value(await client.get(f"/sessions/{session}/events"))["data"]
    assert [event["type"] for event in events[1:]] == [
        "budget.created",
        "budget.warned",
        "budget.exhausted",
        "budget.changed",
        "budget.resumed",
    ]


async def test_a_paused_session_says_how_many_budgets_were_resumed(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session, soft_limit="1")
    value(await client.post(f"/budgets/{budget['id']}/charge", json={"amount": "1.01"}))
    assert value(await client.get(f"/sessions/{session}/budget-check"))["action"] == "pause"
    assert value(await client.post(f"/sessions/{session}/resume")) == {"resumed": 1}
    assert value(await client.post(f"/sessions/{session}/resume")) == {"resumed": 0}
    assert value(await client.get(f"/budgets/{budget['id']}"))["status"] == "active"


async def test_a_change_of_a_budget_leaves_out_what_it_does_not_name(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session, soft_limit="5", metadata={"a": 1})
    place = f"/budgets/{budget['id']}"
    value(await client.post(f"{place}/charge", json={"amount": "6"}))
    changed = value(await client.patch(place, json={"limit": "20"}))
    assert (changed["limit"], changed["soft_limit"], changed["balance"]) == ("20", "5", "14")
    assert (changed["status"], changed["metadata"]) == ("active", {"a": 1})
    changed = value(await client.patch(place, json={"soft_limit": None, "metadata": {}, "status": "paused"}))
    assert (changed["soft_limit"], changed["status"], changed["metadata"]) == (None, "paused", {})
    problem(await client.patch(place, json={"soft_limit": "21"}), 422, "invalid_request", "soft_limit")


async def test_a_deleted_budget_is_disabled_and_stays_to_be_read(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session)
    place = f"/budgets/{budget['id']}"
    assert (await client.delete(place)).status_code == 204
    assert value(await client.get(place))["status"] == "disabled"
    problem(await client.post(f"{place}/top-up", json={"amount": "1"}), 409, "wrong_state")
    assert value(await client.get(f"/sessions/{session}/budget-check"))["action"] == "continue"
    value(await client.patch(place, json={"status": "active"}))


@pytest.mark.parametrize(
    "amount", ["0", "0.0", 0, -1, "-1", 1.5, "1e3", "NaN", "", "5\n", "1000000000000.1", 10**12 + 1]
)
async def test_an_amount_is_a_positive_decimal_number(client: httpx.AsyncClient, amount: object) -> None:
    session = (await new_session(client))["id"]
    refused = await client.post(f"/sessions/{session}/budgets", json={"currency": "usd", "limit": amount})
    problem(refused, 422, "invalid_request", "limit")


async def test_what_a_turn_used_up_is_in_the_ledger_with_its_place(
    client: httpx.AsyncClient, served: Served
) -> None:
    session = (await new_session(client))["id"]
    tokens = await new_budget(client, session, currency="tokens", limit=1_000)
    sent = await new_input(client, session)
    turns = served.services.turns
    turn = await turns.claim(Ready(DEFAULT_ORG, SessionId(UUID(session))), "worker", ("model",))
    assert turn is not None
    (called,) = [
        entry.event for entry in await turns.entries_after(turn, 0) if isinstance(entry.event, ModelCalled)
    ]
    await turns.settle(turn, answered(called))
    (entry,) = value(await client.get(f"/budgets/{tokens['id']}/ledger"))["data"]
    assert (entry["source"], entry["turn"], entry["call"]) == ("model_call", sent["turn"], 1)
    events = value(await client.get(f"/sessions/{session}/events"))["data"]
    assert events[entry["seq"] - 1]["type"] == "model.completed"


async def test_another_organisations_budget_is_not_found(client: httpx.AsyncClient, served: Served) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session)
    async with await served.other_org() as stranger:
        for place in (f"/sessions/{session}", f"/budgets/{budget['id']}", f"/budgets/{NOWHERE}"):
            if place.startswith("/sessions"):
                problem(await stranger.get(f"{place}/budgets"), 404, "not_found")
                problem(await stranger.get(f"{place}/budget-check"), 404, "not_found")
                problem(await stranger.post(f"{place}/resume"), 404, "not_found")
                created = await stranger.post(f"{place}/budgets", json={"currency": "usd", "limit": 1})
                problem(created, 404, "not_found")
                continue
            for path in ("", "/ledger", "/check"):
                problem(await stranger.get(f"{place}{path}"), 404, "not_found")
            for path in ("/top-up", "/charge"):
                problem(await stranger.post(f"{place}{path}", json={"amount": 1}), 404, "not_found")
            problem(await stranger.patch(place, json={"limit": 1}), 404, "not_found")
            problem(await stranger.delete(place), 404, "not_found")
    assert value(await client.get(f"/budgets/{budget['id']}")) == budget


async def test_a_reporter_may_read_budgets_and_not_change_them(
    client: httpx.AsyncClient, served: Served
) -> None:
    session = (await new_session(client))["id"]
    budget = await new_budget(client, session)
    async with await served.other_role("reporter") as worker:
        value(await worker.get(f"/budgets/{budget['id']}"))
        top_up = await worker.post(f"/budgets/{budget['id']}/top-up", json={"amount": 1})
        problem(top_up, 403, "forbidden")
