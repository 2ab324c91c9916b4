from typing import Any

import pytest

from sojourn.domain.ids import SessionId
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.sdk import Sdk
from tests.contract.everruns.surface import Everruns, Json, absent, id_of
from tests.contract.everruns.waits import turn_over, until

REQUIRED = {
    "id",
    "organization_id",
    "subject_type",
    "subject_id",
    "currency",
    "limit",
    "balance",
    "status",
    "created_at",
    "updated_at",
}


def as_budget(value: Any) -> Json:
    assert set(value) >= REQUIRED
    assert None not in value.values()
    return value


async def create(everruns: Everruns, session: SessionId, **said: Any) -> Json:
    body = {
        "subject_type": "session",
        "subject_id": id_of("session", session),
        "currency": "usd",
        "limit": 10,
    }
    answer = await everruns.ask("POST", "/budgets", json=body | said)
    assert answer.status_code == 201, answer.text
    return as_budget(answer.json())


async def act(everruns: Everruns, method: str, path: str, **body: Any) -> Json:
    answer = await everruns.ask(method, path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@covers("budget.create", "budget.amounts")
async def test_a_new_budget_has_all_of_its_limit_left(everruns: Everruns) -> None:
    session = await everruns.native()
    budget = await create(everruns, session, limit=2.1, soft_limit=1, metadata={"team": "ops"})
    assert (budget["limit"], budget["balance"], budget["soft_limit"]) == (2.1, 2.1, 1.0)
    assert (budget["subject_type"], budget["subject_id"]) == ("session", id_of("session", session))
    assert (budget["status"], budget["metadata"]) == ("active", {"team": "ops"})
    assert await everruns.read(f"/budgets/{budget['id']}") == budget
    natively = (await everruns.services.budgets.list(everruns.org, session, None, 10))[0]
    assert str(natively.limit) == "2.1"


@covers("budget.amounts")
@pytest.mark.parametrize("limit", [0, -1, 1e13, 1e-13, "5", True, None, 1e308])
async def test_an_amount_is_a_positive_number(everruns: Everruns, limit: Any) -> None:
    session = id_of("session", await everruns.native())
    body = {"subject_type": "session", "subject_id": session, "currency": "usd", "limit": limit}
    await everruns.refused(400, "POST", "/budgets", json=body)
    await everruns.refused(400, "POST", "/budgets", json=body | {"limit": 1, "soft_limit": 2})
    await everruns.refused(400, "POST", "/budgets", json=body | {"limit": 1, "currency": "shells"})


@covers("budget.subject", "budget.period")
async def test_budgets_are_of_sessions_and_not_renewed(everruns: Everruns) -> None:
    session = id_of("session", await everruns.native())
    body = {"subject_type": "session", "subject_id": session, "currency": "usd", "limit": 1}
    for subject in ("agent", "user", "org", "planet"):
        problem = await everruns.refused(400, "POST", "/budgets", json=body | {"subject_type": subject})
        assert problem["code"] == "budget_subject_not_supported"
    problem = await everruns.refused(400, "POST", "/budgets", json=body | {"period": {"type": "duration"}})
    assert problem["code"] == "budget_period_not_supported"
    problem = await everruns.refused(404, "POST", "/budgets", json=body | {"subject_id": absent("session")})
    assert problem["code"] == "session_not_found"
    await everruns.refused(400, "POST", "/budgets", json=body | {"subject_id": "x"})


@covers("budget.list")
async def test_lists_of_budgets_are_bare_arrays(everruns: Everruns) -> None:
    sessions = [await everruns.native() for _ in range(2)]
    budgets = [await create(everruns, session) for session in sessions]
    assert await everruns.read("/budgets") == budgets
    assert await everruns.read("/budgets", params={"subject_type": "session"}) == budgets
    one = {"subject_type": "session", "subject_id": budgets[1]["subject_id"]}
    assert await everruns.read("/budgets", params=one) == budgets[1:]
    assert await everruns.read(f"/sessions/{budgets[0]['subject_id']}/budgets") == budgets[:1]
    assert await everruns.read("/budgets", params={"subject_type": "agent"}) == []
    assert await everruns.read("/budgets", params={"subject_id": absent("session")}) == []
    await everruns.refused(400, "GET", "/budgets", params={"subject_id": "x"})
    await everruns.refused(404, "GET", f"/sessions/{absent('session')}/budgets")


@covers("budget.change", "budget.delete")
async def test_a_change_leaves_what_it_does_not_name(everruns: Everruns) -> None:
    budget = await create(everruns, await everruns.native(), soft_limit=5, metadata={"a": 1})
    place = f"/budgets/{budget['id']}"
    changed = await act(everruns, "PATCH", place, limit=20)
    assert (changed["limit"], changed["balance"], changed["soft_limit"]) == (20.0, 20.0, 5.0)
    assert changed["metadata"] == {"a": 1}
    assert "soft_limit" not in await act(everruns, "PATCH", place, soft_limit=None)
    assert (await act(everruns, "PATCH", place, status="paused"))["status"] == "paused"
    assert (await act(everruns, "PATCH", place, status="active", metadata={}))["metadata"] == {}
    await everruns.refused(400, "PATCH", place, json={"status": "exhausted"})
    for _ in range(2):
        assert (await everruns.ask("DELETE", place)).status_code == 204
    assert (await everruns.read(place))["status"] == "disabled"
    problem = await everruns.refused(404, "DELETE", f"/budgets/{absent('bdgt')}")
    assert problem["code"] == "budget_not_found"
    await everruns.refused(400, "GET", "/budgets/x")


@covers("budget.top-up", "budget.ledger", "budget.repeat")
async def test_top_ups_are_in_the_ledger_with_what_was_metered(everruns: Everruns) -> None:
    session = await everruns.native()
    budget = await create(everruns, session, currency="tokens", limit=10_000)
    await everruns.send(session, "hello")
    await turn_over(everruns, session)
    place = f"/budgets/{budget['id']}"
    body, headers = {"amount": 1.5, "description": "more"}, {"idempotency-key": "k"}
    answers = [await everruns.ask("POST", f"{place}/top-up", json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["idempotent-replayed"] == "true"
    newest, used = await everruns.read(f"{place}/ledger")
    assert (newest["amount"], newest["meter_source"], newest["description"]) == (-1.5, "top_up", "more")
    assert (used["meter_source"], used["ref_type"]) == ("llm_tokens", "turn")
    assert used["session_id"] == id_of("session", session)
    assert {"id", "budget_id", "created_at"} <= set(used)
    now = await everruns.read(place)
    assert now["balance"] == 10_000 - used["amount"] + 1.5
    assert await everruns.read(f"{place}/ledger", params={"limit": 1, "offset": 1}) == [used]
    assert await everruns.read(f"{place}/ledger", params={"offset": 2}) == []
    for wrong in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        await everruns.refused(400, "GET", f"{place}/ledger", params=wrong)
    for amount in (0, -1, "x"):
        await everruns.refused(400, "POST", f"{place}/top-up", json={"amount": amount})


@covers("budget.check", "budget.resume", "budget.stops", "budget.paused")
async def test_a_session_is_paused_resumed_and_stopped_by_its_budget(everruns: Everruns) -> None:
    session = await everruns.native()
    place = f"/sessions/{id_of('session', session)}"
    assert await everruns.read(f"{place}/budget-check") == {"action": "continue"}
    budget = await create(everruns, session, currency="turns", limit=3, soft_limit=1)
    check = f"/budgets/{budget['id']}/check"
    assert await everruns.read(check) == {"action": "continue"}
    seq = 0
    for told in ("turn.completed", "budget.paused"):
        await everruns.send(session, "hello")
        seq = await until(everruns, session, told, after=seq)
    # A turn that is asked for now waits until somebody resumes.
    await everruns.send(session, "hello")
    seq = await until(everruns, session, "turn.waiting", after=seq)
    shown = await everruns.read(place)
    assert (shown["status"], shown["activity"]) == ("idle", "paused")
    for word in ("paused", "running"):
        listed = (await everruns.read("/sessions", params={"status": word}))["data"]
        assert [each["id"] for each in listed] == ([shown["id"]] if word == "paused" else [])
    assert (await everruns.read(f"/channels/default{place}"))["status"] == "idle"
    paused = await everruns.read(f"{place}/budget-check")
    assert (paused["action"], paused["budget_id"]) == ("pause", budget["id"])
    assert (paused["error_code"], paused["currency"]) == ("budget_paused", "turns")
    resumed = await act(everruns, "POST", f"{place}/resume")
    assert resumed == {"session_id": id_of("session", session), "resumed_budgets": 1}
    assert (await act(everruns, "POST", f"{place}/resume"))["resumed_budgets"] == 0
    seq = await turn_over(everruns, session, seq)
    await everruns.send(session, "hello")
    await turn_over(everruns, session, seq)
    assert (await everruns.read(check))["action"] == "stop"
    events = (await everruns.read(f"{place}/events"))["data"]
    types = [event["type"] for event in events]
    told = [type for type in types if type.startswith("budget.")]
    assert told == ["budget.paused", "budget.resumed", "budget.exhausted"]
    sealed = events[types.index("turn.sealed")]
    assert sealed["data"]["reason"] == "budget"
    said = events[types.index("budget.paused")]["data"]
    assert {"budget_id", "balance", "limit", "currency", "soft_limit"} <= set(said)


@covers("budget.org")
async def test_a_budget_is_its_organisations_and_a_workers_key_changes_none(everruns: Everruns) -> None:
    budget = await create(everruns, await everruns.native())
    place, other, worker = (
        f"/budgets/{budget['id']}",
        await everruns.other_org(),
        await everruns.role("reporter"),
    )
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/ledger"), ("GET", "/check")):
        await other.refused(404, method, place + path, content=b"{}")
    await other.refused(404, "POST", f"{place}/top-up", json={"amount": 1})
    await other.refused(404, "POST", f"/sessions/{budget['subject_id']}/resume", json={})
    assert await other.read("/budgets") == []
    assert await worker.read(place) == budget
    await worker.refused(403, "PATCH", place, json={})
    await worker.refused(403, "POST", f"{place}/top-up", json={"amount": 1})


@covers("budget.client")
async def test_the_vendors_client_budgets_a_session(everruns: Everruns, sdk: Sdk) -> None:
    session = await everruns.native()
    lived = await sdk.lives("vendor_budgets.py", id_of("session", session))
    assert lived["made"]["limit"] == 5.0
    assert lived["of_session"] == lived["listed"] == lived["all"] == [lived["made"]["id"]]
    assert (lived["changed"], lived["topped"]) == ([6.0, 6.0], 8.5)
    assert lived["ledger"] == [[-2.5, "top_up", "more"]]
    assert lived["checks"] == ["continue", "continue"]
    assert lived["resumed"] == 0
    assert lived["deleted"] == "disabled"
    assert lived["refused"] == [400, "budget_subject_not_supported"]
