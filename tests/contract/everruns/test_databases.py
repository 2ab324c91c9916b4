"""What is compiled to SQL: the lists and counts, over each database in turn."""

import httpx2

from sojourn.web.app import build_app
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, id_of
from tests.support.world import World


@covers("list.databases")
async def test_lists_and_counts_are_the_same_over_either_database(world: World) -> None:
    key = await world.services.access.issue_key(world.org, "everruns", "admin")
    transport = httpx2.ASGITransport(build_app(world.services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
        everruns = Everruns(world.services, http, key)
        first = await everruns.make(title="First word", source="chat", tags=["a"])
        await everruns.make(title="second")
        turn = await world.claimed()
        await world.services.turns.settle(turn, (), "error", "It failed.")
        failed = id_of("session", turn.session)

        async def found(**query: object) -> list[str]:
            return [session["id"] for session in (await everruns.read("/sessions", params=query))["data"]]

        assert len(await found()) == 3
        assert await found(search="word FIRST", source="chat", mine="true", status="idle") == [first["id"]]
        assert await found(status="failed", order="last_activity") == [failed]
        assert await found(status="running,paused,completed") == []
        assert len(await found(agent_id=first["agent_id"], created_after="2020-01-01T00:00:00Z")) == 3
        assert await found(created_before="2020-01-01T00:00:00Z") == []
        stats = await everruns.read("/sessions/stats")
        assert (stats["total"], stats["started"], stats["idle"]) == (3, 2, 1)
        facets = await everruns.read("/sessions/facets")
        assert (facets["total"], facets["failed_today"]) == (3, 1)
        assert facets["by_agent"] == [{"value": first["agent_id"], "count": 3}]
        page = await everruns.read("/sessions", params={"limit": 1, "offset": 1})
        assert (page["total"], len(page["data"])) == (3, 1)
        shown = await everruns.get(failed)
        assert (shown["activity"], shown["preview"]) == ("failed", "hello")
        events = await everruns.events(failed, limit=3)
        assert [event["type"] for event in events] == [
            "output.message.completed",
            "turn.failed",
            "session.idled",
        ]
        secrets = f"/sessions/{failed}/storage/secrets"
        assert (await everruns.ask("PUT", secrets, json={"secrets": {"A": "b"}})).status_code == 200
        assert (await everruns.ask("PUT", f"/sessions/{failed}/pin")).status_code == 204
        assert (await everruns.ask("POST", f"/sessions/{failed}/fork", json={})).status_code == 201
        assert (await everruns.ask("DELETE", f"/sessions/{failed}")).status_code == 204
