"""Pages, their order, and what selects."""

from typing import Any

import pytest

from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import WORKSPACE, Membrane


@covers("list.order", "list.cursor")
async def test_a_cursor_leads_through_every_session_once_and_the_newest_is_first(membrane: Membrane) -> None:
    made: list[str] = []
    for number in range(7):
        membrane.world.clock.advance(number % 2)
        made.insert(0, (await membrane.make(str(number)))["id"])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = await membrane.page(**query)
        seen += [session["id"] for session in page["items"]]
        if "cursor" not in page:
            break
        assert len(page["items"]) == 3
        query["cursor"] = page["cursor"]
    assert seen == made
    # A page that is just full is the last one, too.
    assert "cursor" not in await membrane.page(limit=7)
    assert await membrane.page(status="failed") == {"items": []}


@covers("list.order")
async def test_a_page_has_a_hundred_sessions_unless_more_are_asked_for(on_sqlite: Membrane) -> None:
    for _ in range(101):
        await on_sqlite.make()
    assert len(await on_sqlite.ids()) == 100
    assert len(await on_sqlite.ids(limit=1000)) == 101


@covers("list.limit", "list.bad-filters", "error.issues")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "1001", "5.5", "abc", "", "-1", "99999999999999999999999")),
        *(("cursor", value) for value in ("", "abc", "%", "é", "AAAA")),
        ("workspaceElementType", "bogus"),
        ("status", "expired"),
        ("status", ""),
        ("startDatetime", "2026-03-01"),
        ("startDatetime", "2026-03-01T10:00:00+00:00"),
        ("endDatetime", "2026-02-30T10:00:00Z"),
        ("endDatetime", "0000-01-01T10:00:00Z"),
    ],
)
async def test_a_parameter_that_cannot_be_is_refused_and_never_clamped(
    on_sqlite: Membrane, name: str, value: str
) -> None:
    failure = await on_sqlite.refused(400, "GET", params={name: value})
    assert failure["type"] == "bad_request"
    assert failure["data"]["issues"][0]["path"] == [name]


@covers("list.limit")
async def test_a_cursor_of_another_selection_is_refused(on_sqlite: Membrane) -> None:
    for _ in range(2):
        await on_sqlite.make()
    cursor = (await on_sqlite.page(limit=1))["cursor"]
    await on_sqlite.refused(400, "GET", params={"cursor": cursor, "status": "queued"})
    await on_sqlite.seen_as("umbrella").refused(400, "GET", params={"cursor": cursor})
    await on_sqlite.refused(400, "GET", params=[("limit", "1"), ("limit", "2")])


@covers("list.filters", "shape.defaults")
async def test_each_filter_selects_by_what_is_shown(membrane: Membrane) -> None:
    world, client = membrane.world, membrane.seen_as()
    plain = (await membrane.make("plain"))["id"]
    world.clock.advance(10)
    flow = (await client.make("flow", workspaceElementType="flow", workspaceElementId="f1", isExternal=True))[
        "id"
    ]
    world.clock.advance(10)
    harness = (await client.make("harness", agentHarnessId="h1", isExternal=False))["id"]
    elsewhere = (await world.new_session()).hex

    async def found(**query: Any) -> set[str]:
        return set(await client.ids(**query))

    assert await found(workspaceElementType="flow") == {flow}
    assert await found(workspaceElementType="customer") == {plain, harness, elsewhere}
    assert await found(workspaceElementType="external-event-type") == set()
    assert await found(workspaceElementId="acme") == {plain}
    assert await found(workspaceElementId="f1") == {flow}
    assert await found(workspaceElementId=WORKSPACE) == {harness, elsewhere}
    assert await found(agentHarnessId="h1") == {harness}
    assert await found(isExternal="true") == await found(isExternal="1") == {flow}
    assert await found(isExternal="yes") == {flow}
    for no in ("false", "0", ""):
        assert await found(isExternal=no) == {plain, harness, elsewhere}
    middle = (await client.get(flow))["createdAt"]
    assert await found(startDatetime=middle) == {flow, harness, elsewhere}
    assert await found(endDatetime=middle) == {plain, flow}
    assert await found(startDatetime=middle, endDatetime=middle) == {flow}
    assert await found(status="queued", unknown="x") == {plain, flow, harness, elsewhere}
    assert await found(status="queued", workspaceElementType="flow") == {flow}


@covers("list.filters", "shape.no-null")
async def test_a_title_and_a_summary_stand_in_the_list_as_in_the_session(membrane: Membrane) -> None:
    made = await membrane.make("p" * 9000)
    page = await membrane.page()
    assert page["items"] == [await membrane.get(made["id"])]
    assert page["items"][0]["prompt"] == "p" * 9000
