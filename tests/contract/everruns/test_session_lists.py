from datetime import datetime, timedelta

from sojourn.domain.agent import AgentSpec
from sojourn.service.sessions import NewSession
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, absent, as_session, id_of

NONSENSE = [
    "limit=0",
    "limit=101",
    "limit=x",
    "offset=-1",
    "order=title",
    "status=busy",
    "source=x",
    "mine=1",
    "created_after=yesterday",
    "created_before=2026-01-01",
    "agent_id=agent_1",
    "limit=1&limit=2",
]


async def titles(everruns: Everruns, **query: object) -> list[str]:
    page = await everruns.read("/sessions", params=query)
    return [as_session(session).get("title", "") for session in page["data"]]


@covers("list.page", "list.order")
async def test_sessions_are_listed_newest_first_in_pages(everruns: Everruns) -> None:
    for number in range(5):
        await everruns.make(title=f"s{number}")
    first = await everruns.read("/sessions", params={"limit": 2})
    assert [session["title"] for session in first["data"]] == ["s4", "s3"]
    assert (first["total"], first["offset"], first["limit"]) == (5, 0, 2)
    assert "prev_url" not in first
    answer = await everruns.http.get(first["next_url"], headers={"authorization": everruns.key})
    second = answer.json()
    assert [session["title"] for session in second["data"]] == ["s2", "s1"]
    answer = await everruns.http.get(second["prev_url"], headers={"authorization": everruns.key})
    assert answer.json() == first
    last = await everruns.read("/sessions", params={"offset": 4, "limit": 2})
    assert (len(last["data"]), last["total"]) == (1, 5)
    assert "next_url" not in last
    behind = await everruns.read("/sessions", params={"offset": 9})
    assert (behind["data"], behind["total"], behind["limit"]) == ([], 5, 20)


@covers("list.refused")
async def test_what_no_list_can_be_is_refused(everruns: Everruns) -> None:
    for query in NONSENSE:
        await everruns.refused(400, "GET", f"/sessions?{query}")
        if "limit" not in query and "offset" not in query:
            await everruns.refused(400, "GET", f"/sessions/facets?{query}")


@covers("list.search")
async def test_every_word_of_a_search_occurs_in_the_title(everruns: Everruns) -> None:
    for title in ("Debug LOGIN issue", "login 100%_done", "Something else"):
        await everruns.make(title=title)
    await everruns.make()
    assert await titles(everruns, search="login") == ["login 100%_done", "Debug LOGIN issue"]
    assert await titles(everruns, search="issue  debug") == ["Debug LOGIN issue"]
    assert await titles(everruns, search="%_") == ["login 100%_done"]
    assert await titles(everruns, search="\\") == []
    assert len(await titles(everruns, search="")) == 4
    await everruns.make(title="Для ЖИЛЛЯ")
    assert await titles(everruns, search="жилля для") == ["Для ЖИЛЛЯ"]


@covers("list.filters")
async def test_lists_are_narrowed_by_agent_source_owner_and_time(everruns: Everruns) -> None:
    agent = (await everruns.services.agents.create(everruns.org, AgentSpec(name="clerk"))).value
    id = id_of("agent", agent.id)
    first = await everruns.make(title="clerk's", agent_id=id)
    await everruns.make(title="chat", source="chat")
    await everruns.native(NewSession(title="native"))
    assert await titles(everruns, agent_id=id) == ["clerk's"]
    assert await titles(everruns, agent_id=absent("agent")) == []
    assert await titles(everruns, source="chat,slack") == ["chat"]
    assert await titles(everruns, source="api") == ["native", "clerk's"]
    assert await titles(everruns, mine="true") == ["chat", "clerk's"]
    assert await titles(await everruns.role("member"), mine="true") == []
    at = datetime.fromisoformat(first["created_at"])
    later = (at + timedelta(microseconds=1)).isoformat()
    assert await titles(everruns, created_after=later) == ["native", "chat"]
    assert await titles(everruns, created_before=later) == ["clerk's"]
    assert await titles(everruns, created_after=first["created_at"]) == ["native", "chat", "clerk's"]
    assert await titles(everruns, created_before=first["created_at"]) == []


@covers("list.activity", "stats", "facets")
async def test_sessions_are_selected_and_counted_by_what_they_do(everruns: Everruns) -> None:
    done, failed, runs = [await everruns.make(title=title) for title in ("done", "failed", "runs")]
    await everruns.make(title="new", source="chat")
    await everruns.play(done["id"], {"say": "two words"})
    await everruns.play(failed["id"], {"error": "fatal"})
    for session in (done, failed):
        await everruns.until(session["id"], "session.idled")
    await everruns.play(runs["id"], {"sleep": 30})
    await everruns.until(runs["id"], "output.message.started")
    for activity, found in (
        ("completed", "done"),
        ("failed", "failed"),
        ("running", "runs"),
        ("idle", "new"),
    ):
        assert await titles(everruns, status=activity) == [found]
    assert await titles(everruns, status="paused") == []
    assert await titles(everruns, status="idle,failed", order="last_activity") == ["failed", "new"]
    assert await everruns.read("/sessions/stats") == {
        "total": 4,
        "started": 1,
        "active": 1,
        "idle": 2,
        "waiting_for_tool_results": 0,
    }
    facets = await everruns.read("/sessions/facets")
    assert (facets["total"], facets["active_now"], facets["failed_today"]) == (4, 1, 1)
    by_activity = {one["value"]: one["count"] for one in facets["by_activity"]}
    assert by_activity == {"running": 1, "paused": 0, "failed": 1, "completed": 1, "idle": 1}
    by_source = {one["value"]: one["count"] for one in facets["by_source"] if one["count"]}
    assert by_source == {"api": 3, "chat": 1}
    assert facets["by_agent"] == [{"value": done["agent_id"], "count": 4}]
    assert facets["tokens_today"] > 0
    assert (await everruns.read("/sessions/facets?status=failed"))["total"] == 1
    await everruns.ask("POST", f"/sessions/{runs['id']}/cancel", json={})


@covers("list.org")
async def test_a_list_holds_only_its_own_organisation(everruns: Everruns) -> None:
    await everruns.make(title="ours")
    other = await everruns.other_org()
    assert await titles(other) == []
    assert (await other.read("/sessions/stats"))["total"] == 0
