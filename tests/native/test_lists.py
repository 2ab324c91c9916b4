"""Filters, order and pages of the lists."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from sojourn.domain.ids import DEFAULT_ORG
from sojourn.web.native.inbound import session_filter
from sojourn.web.native.queries import SessionList
from sojourn.web.native.sessions import CURSORS, SessionPlace
from tests.native.asserting import new_input, new_session, problem, value
from tests.web.served import Served


async def titles(client: httpx.AsyncClient, **query: Any) -> list[str]:
    page = value(await client.get("/sessions", params={"order": "asc", **query}))
    return [session["title"] for session in page["data"]]


async def read_all(client: httpx.AsyncClient, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    """Every page, by its cursor."""
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = value(await client.get(path, params={**query, **cursor}))
        pages.append(page["data"])
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_give_every_session_once_in_the_order_asked_for(
    client: httpx.AsyncClient, order: str
) -> None:
    made = [(await new_session(client, title=str(number)))["id"] for number in range(7)]
    pages = await read_all(client, "/sessions", limit=3, order=order)
    assert [len(page) for page in pages] == [3, 3, 1]
    ids = [session["id"] for page in pages for session in page]
    assert ids == (made if order == "asc" else made[::-1])


async def test_a_list_that_ends_with_a_full_page_has_no_further_cursor(client: httpx.AsyncClient) -> None:
    for _ in range(4):
        await new_session(client)
    assert [len(page) for page in await read_all(client, "/sessions", limit=2)] == [2, 2]


async def test_sessions_are_selected_by_each_of_the_filters(client: httpx.AsyncClient) -> None:
    await client.post("/agents", json={"name": "clerk"})
    a = await new_session(client, title="a", tags=["x", "y"], metadata={"customer": "acme", "n": 1})
    b = await new_session(client, title="b", tags=["x"], external_id="order/2", agent="clerk")
    c = await new_session(client, title="c", metadata={"customer": "zeta", "dotted.key": "v"})
    await client.post(f"/sessions/{b['id']}/end", json={"status": "failed"})
    await new_input(client, c["id"])
    assert await titles(client) == ["a", "b", "c"]
    assert await titles(client, status="failed") == ["b"]
    assert await titles(client, status=["failed", "open"]) == ["a", "b", "c"]
    assert await titles(client, activity="queued") == ["c"]
    assert await titles(client, tag="x") == ["a", "b"]
    assert await titles(client, tag=["x", "y"]) == ["a"]
    assert await titles(client, agent="clerk") == ["b"]
    assert await titles(client, agent=b["agent"]["id"]) == ["b"]
    assert await titles(client, agent="nobody") == []
    assert await titles(client, external_id="order/2") == ["b"]
    assert await titles(client, alias="order/2") == []
    assert await titles(client, **{"metadata.customer": "acme"}) == ["a"]
    assert await titles(client, **{"metadata.customer": "acme", "metadata.n": "1"}) == []
    assert await titles(client, **{"metadata.dotted.key": "v"}) == ["c"]
    assert await titles(client, created_after=a["created_at"]) == ["b", "c"]
    assert await titles(client, created_before=c["created_at"]) == ["a", "b"]


async def test_archived_sessions_are_listed_only_where_they_are_asked_for(client: httpx.AsyncClient) -> None:
    await new_session(client, title="shown")
    hidden = await new_session(client, title="hidden")
    await client.post(f"/sessions/{hidden['id']}/archive")
    assert await titles(client) == ["shown"]
    assert await titles(client, archived="true") == ["hidden"]
    assert await titles(client, archived="any") == ["shown", "hidden"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=%D9%A5", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=closed", "status"),
        ("order=up", "order"),
        ("archived=yes", "archived"),
        ("created_after=yesterday", "created_after"),
        ("created_after=2026-01-01T00:00:00", "created_after"),
        ("created_before=9999-12-31T23:59:59-10:00", "created_before"),
        ("sort=title", "sort"),
        ("metadata=acme", "metadata"),
        ("cursor=!", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("tag=%ff", None),
        ("tag=a%00b", None),
        ("&".join(["tag=x"] * 300), None),
    ],
)
async def test_a_query_that_cannot_be_read_names_its_parameter(
    client: httpx.AsyncClient, query: str, field: str | None
) -> None:
    problem(await client.get(f"/sessions?{query}"), 400, "invalid_request", field)


async def test_a_cursor_whose_instant_is_of_no_time_zone_is_refused(client: httpx.AsyncClient) -> None:
    place = SessionPlace(datetime(2030, 1, 1), UUID(int=1))  # noqa: DTZ001 - which is the point
    filter = session_filter(SessionList(), ())
    forged = CURSORS.write(place, DEFAULT_ORG, "desc", filter)
    problem(await client.get("/sessions", params={"cursor": forged}), 400, "invalid_request", "cursor")


async def test_a_cursor_counts_only_in_the_list_that_it_comes_from(
    client: httpx.AsyncClient, served: Served
) -> None:
    session, other = await new_session(client), await new_session(client)
    for _ in range(3):
        await new_input(client, session["id"])
    await client.post("/agents", json={"name": "clerk"})

    async def cursor_of(path: str, **query: Any) -> str:
        return value(await client.get(path, params={"limit": 1, **query}))["next_cursor"]

    sessions = await cursor_of("/sessions")
    agents = await cursor_of("/agents")
    inputs = await cursor_of(f"/sessions/{session['id']}/inputs")
    refused = [
        ("/sessions", {"cursor": agents}),
        ("/sessions", {"cursor": sessions, "order": "asc"}),
        ("/sessions", {"cursor": sessions, "tag": "x"}),
        ("/agents", {"cursor": sessions}),
        (f"/sessions/{other['id']}/inputs", {"cursor": inputs}),
        (f"/sessions/{session['id']}/inputs", {"cursor": inputs, "status": "queued"}),
        (f"/sessions/{session['id']}/turns", {"cursor": inputs}),
    ]
    for path, query in refused:
        problem(await client.get(path, params=query), 400, "invalid_request", "cursor")
    async with await served.other_org() as stranger:
        problem(
            await stranger.get("/sessions", params={"cursor": sessions}), 400, "invalid_request", "cursor"
        )
    value(await client.get("/sessions", params={"cursor": sessions, "limit": 50}))


async def test_inputs_agents_and_turns_are_paged_too(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    sent = [(await new_input(client, session["id"], str(number)))["id"] for number in range(5)]
    pages = await read_all(client, f"/sessions/{session['id']}/inputs", limit=2)
    assert [[row["id"] for row in page] for page in pages] == [sent[:2], sent[2:4], sent[4:]]
    made = [value(await client.post("/agents", json={"name": f"a{n}"}), 201)["id"] for n in range(3)]
    agents = await read_all(client, "/agents", limit=2)
    assert [row["id"] for page in agents for row in page][1:] == made
    turns = await read_all(client, f"/sessions/{session['id']}/turns", limit=1)
    assert [len(page) for page in turns] == [1]
