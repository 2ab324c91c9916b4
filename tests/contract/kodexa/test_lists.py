"""Pages, order and filters."""

from typing import Any

import pytest

from tests.contract.kodexa.requirements import covers
from tests.contract.kodexa.surface import Kodexa


async def ids(kodexa: Kodexa, **query: Any) -> list[str]:
    return [session["id"] for session in (await kodexa.page(**query))["content"]]


@covers("list.page", "list.one-based")
async def test_a_page_says_where_in_the_whole_it_is(kodexa: Kodexa) -> None:
    made = [(await kodexa.make())["id"] for _ in range(5)]
    expected = {1: (2, True, False), 2: (2, False, False), 3: (1, False, True), 4: (0, False, True)}
    for page, (count, first, last) in expected.items():
        found = await kodexa.page(page=page, pageSize=2, sort="id")
        assert [session["id"] for session in found.pop("content")] == made[page * 2 - 2 : page * 2]
        sort = {"empty": False, "sorted": True, "unsorted": False}
        offset = page * 2 - 2
        pageable = {"offset": offset, "pageNumber": page - 1, "pageSize": 2, "paged": True, "unpaged": False}
        assert found == {
            "number": page - 1,
            "size": 2,
            "numberOfElements": count,
            "totalElements": 5,
            "totalPages": 3,
            "first": first,
            "last": last,
            "empty": not count,
            "sort": sort,
            "pageable": pageable | {"sort": sort},
        }


@covers("list.page")
async def test_a_list_of_nothing_is_one_empty_page(kodexa: Kodexa) -> None:
    page = await kodexa.page()
    assert (page["content"], page["totalElements"], page["totalPages"]) == ([], 0, 0)
    assert (page["first"], page["last"], page["empty"], page["size"]) == (True, True, True, 20)
    assert page["sort"] == {"empty": True, "sorted": False, "unsorted": True}


@covers("list.limits")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("page", value) for value in ("0", "-1", "x", "", "1.5", "2147483648", "9" * 40, "+1", " 1")),
        *(("pageSize", value) for value in ("0", "1001", "-5", "ten", "")),
    ],
)
async def test_paging_that_is_out_of_range_is_refused_and_not_bent(
    kodexa: Kodexa, name: str, value: str
) -> None:
    failure = await kodexa.refused(400, "GET", params={name: value})
    assert list(failure["errors"]) == [name]


@covers("list.limits")
async def test_the_largest_pages_and_page_numbers_are_answered(kodexa: Kodexa) -> None:
    await kodexa.make()
    assert len(await ids(kodexa, pageSize=1000)) == 1
    far = await kodexa.page(page=2**31 - 1, pageSize=1000)
    assert (far["empty"], far["totalElements"], far["last"]) == (True, 1, True)
    await kodexa.refused(400, "GET", params=[("page", "1"), ("page", "2")])
    assert (await kodexa.ask("GET", params={"size": "-7", "unknown": "x"})).status_code == 200


@covers("list.sort")
async def test_a_list_is_sorted_by_any_field_in_either_direction(kodexa: Kodexa) -> None:
    for name, status, count in (("b", "X", 1), ("a", "Y", 10), ("c", "X", None)):
        kodexa.world.clock.advance(1)
        await kodexa.make(runtimeSessionId=name, status=status, metadata={"count": count})

    async def names(sort: str) -> str:
        return "".join(session["runtimeSessionId"] for session in (await kodexa.page(sort=sort))["content"])

    assert await names("createdOn") == await names("createdOn:ASC") == await names("") == "bac"
    assert await names("createdOn:desc") == "cab"
    assert await names("runtimeSessionId") == "abc"
    assert await names("status:asc;runtimeSessionId:desc") == "cba"
    assert await names(" status : desc ; createdOn : desc ") == "acb"
    assert await names("metadata.count:desc") == "abc"
    assert await names("metadata.count") == "bac"
    for field in (
        "id",
        "uuid",
        "changeSequence",
        "updatedOn",
        "agentRuntimeId",
        "expiresAt",
        "lastInvokedAt",
    ):
        assert sorted(await names(f"{field}:desc")) == ["a", "b", "c"]
    assert await names("organizationId") == "bac"


@covers("list.sort")
@pytest.mark.parametrize(
    "sort",
    [
        "nothing",
        "createdOn:up",
        "id;",
        ";",
        ":desc",
        "id:asc:desc",
        "createdOn,desc",
        "metadata",
        "metadata.",
        "a'b",
    ],
)
async def test_a_sort_by_what_is_no_field_is_refused(kodexa: Kodexa, sort: str) -> None:
    failure = await kodexa.refused(400, "GET", params={"sort": sort})
    assert list(failure["errors"]) == ["sort"]


@covers("list.stable")
async def test_equals_keep_their_order_and_newcomers_move_no_page(kodexa: Kodexa) -> None:
    made = [(await kodexa.make(status="SAME"))["id"] for _ in range(6)]
    for sort in ("status", "status:desc", ""):
        seen: list[str] = []
        for page in (1, 2, 3):
            seen += await ids(kodexa, page=page, pageSize=2, sort=sort)
        assert seen == made
    seen = await ids(kodexa, page=1, pageSize=3)
    await kodexa.make()
    assert seen + await ids(kodexa, page=2, pageSize=3) == made


@covers("list.query")
async def test_free_text_is_found_in_a_sessions_names(kodexa: Kodexa) -> None:
    for name in ("invoice-42", "Invoice-7", "100% done", "order"):
        await kodexa.make(runtimeSessionId=name, agentRuntimeId="agent of " + name)
    assert len(await kodexa.found(query="*")) == len(await kodexa.found(query="")) == 4
    assert await kodexa.found(query="invoice") == ["Invoice-7", "invoice-42"]
    assert await kodexa.found(query="in*42") == ["invoice-42"]
    assert await kodexa.found(query="agent of order") == ["order"]
    assert await kodexa.found(query="%") == ["100% done"]
    assert await kodexa.found(query="_") == []
    assert await kodexa.found(query="nothing") == []


async def three(kodexa: Kodexa) -> None:
    """Three sessions, a second apart, known by their runtimeSessionIds."""
    await kodexa.make(
        runtimeSessionId="a",
        agentRuntimeId="it's",
        status="ACTIVE",
        metadata={"n": 1, "text": "x", "deep": {"er": True}, "dashed-key": "5"},
        expiresAt="2031-01-01T00:00:00Z",
    )
    kodexa.world.clock.advance(1)
    await kodexa.make(
        runtimeSessionId="b",
        status="IDLE",
        metadata={"n": 2.5, "text": "y"},
        lastInvokedAt="2029-06-01T12:00:00Z",
    )
    kodexa.world.clock.advance(1)
    last = await kodexa.make(
        runtimeSessionId="c", status="WAITING_LONG", metadata={"n": "1", "deep": {"er": False}}
    )
    await kodexa.put(last["id"], last | {"agentRuntimeId": 'say "hi"'})


@covers("filter.guide", "filter.metadata")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status=='ACTIVE'", "a"),
        ("status!='ACTIVE'", "bc"),
        ("status>'B'", "bc"),
        ("status >= 'IDLE' and status < 'J'", "b"),
        ("status<='ACTIVE'", "a"),
        ("status=like='*_long'", "c"),
        ("status =like= 'idle'", "b"),
        ("status=in=('ACTIVE','IDLE')", "ab"),
        ("status=in=('NONE')", ""),
        ("agentRuntimeId is null", "b"),
        ("agentRuntimeId is not null", "ac"),
        (r"agentRuntimeId=='it\'s'", "a"),
        ("agentRuntimeId=='it''s'", "a"),
        ('agentRuntimeId=="it\'s"', "a"),
        (r'agentRuntimeId=="say \"hi\""', "c"),
        ("changeSequence==1", "c"),
        ("changeSequence < 1", "ab"),
        ("changeSequence=in=(0,1)", "abc"),
        ("expiresAt is not null", "a"),
        ("expiresAt > '2030-12-31'", "a"),
        ("lastInvokedAt >= '2029-06-01T12:00:00Z'", "b"),
        ("lastInvokedAt < '2029-06-01T12:00:00Z'", ""),
        ("createdOn >= '2030-01-01T00:00:01Z'", "bc"),
        ("createdOn > '2030-01-01T01:00:01+01:00'", "c"),
        ("createdOn =in= ('2030-01-01T00:00:00Z', '2030-01-01T00:00:02Z')", "ac"),
        ("metadata.n == 1", "a"),
        ("metadata.n == '1'", "c"),
        ("metadata.n > 1", "b"),
        ("metadata.n >= 1.0", "ab"),
        ("metadata.n =in= (1, '1')", "ac"),
        ("metadata.text =like= 'X'", "a"),
        ("metadata.deep.er == true", "a"),
        ("metadata.deep.er != TRUE", "c"),
        ("metadata.deep.er is null", "b"),
        ("metadata.dashed-key == '5'", "a"),
        ("metadata.deep is not null", "ac"),
        ("metadata.nothing.at.all is not null", ""),
    ],
)
async def test_each_comparison_of_the_guide_selects_what_it_says(
    kodexa: Kodexa, text: str, expected: str
) -> None:
    await three(kodexa)
    assert "".join(await kodexa.found(text)) == expected


@covers("filter.client", "filter.organization", "filter.precedence", "filter.all-hold")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["status: 'IDLE'"], "b"),
        (["status='IDLE'"], "b"),
        (["status: 'IDLE' AND runtimeSessionId: 'b'"], "b"),
        (["status='IDLE' OR runtimeSessionId: 'c'"], "bc"),
        (["organization.id: '00000000-0000-0000-0000-000000000001'"], "abc"),
        (["organization.id: 'another'"], ""),
        (["organizationId != 'another'"], "abc"),
        (["organizationId is null"], ""),
        (["organizationId is not null"], "abc"),
        (["organizationId =in= ('x')"], ""),
        (["runtimeSessionId=='a';status=='ACTIVE',runtimeSessionId=='b'"], "ab"),
        (["runtimeSessionId=='b',runtimeSessionId=='a';status=='IDLE'"], "b"),
        (["(runtimeSessionId=='b',runtimeSessionId=='a');status=='ACTIVE'"], "a"),
        (["runtimeSessionId=='c' or runtimeSessionId=='a' and status=='IDLE'"], "c"),
        (["((status=='IDLE'))"], "b"),
        (["runtimeSessionId=='a',runtimeSessionId=='b'", "status=='IDLE'"], "b"),
        (["status=='IDLE'", "", "  "], "b"),
    ],
)
async def test_filters_are_joined_and_spelled_as_either_source_does(
    kodexa: Kodexa, filters: list[str], expected: str
) -> None:
    await three(kodexa)
    assert "".join(await kodexa.found(*filters)) == expected


@covers("filter.instants")
async def test_an_instant_that_was_read_selects_its_session(kodexa: Kodexa) -> None:
    kodexa.world.clock.advance(0.0127)
    made = await kodexa.make(runtimeSessionId="one", expiresAt="2031-01-01T00:00:00.0009Z")
    kodexa.world.clock.advance(60)
    await kodexa.make(runtimeSessionId="two")
    for field in ("createdOn", "updatedOn", "expiresAt"):
        stamp = made[field]
        assert await kodexa.found(f"{field}=='{stamp}'") == ["one"]
        assert await kodexa.found(f"{field}<='{stamp}'") == ["one"]
        assert "one" in await kodexa.found(f"{field}>='{stamp}'")
        assert "one" not in await kodexa.found(f"{field}!='{stamp}'")
        assert "one" not in await kodexa.found(f"{field}>'{stamp}'")
        assert "one" not in await kodexa.found(f"{field}<'{stamp}'")


@covers("filter.guide")
async def test_a_session_is_selected_by_its_id(kodexa: Kodexa) -> None:
    made = [await kodexa.make(runtimeSessionId=name) for name in "ab"]
    first = made[0]["id"]
    assert await kodexa.found(f"id=='{first}'") == await kodexa.found(f"uuid: '{first.upper()}'") == ["a"]
    assert await kodexa.found(f"id>'{first}'") == ["b"]
    assert await kodexa.found(f"id=in=('{first}','{made[1]['id']}')") == ["a", "b"]


@covers("filter.limits")
async def test_the_filters_of_a_list_are_limited_together_and_not_each(kodexa: Kodexa) -> None:
    made = await kodexa.make(lastInvokedAt="2029-06-01T12:00:00Z")
    instant = "'2029-06-01T12:00:00Z'"
    half = " or ".join([f"id=='{made['id']}'"] * 50)
    values = f"id=in=({','.join([repr(made['id'])] * 250)})"
    instants = f"lastInvokedAt=in=({','.join([instant] * 50)})"
    for allowed, more in (
        (half, "id is not null"),
        (values, "status=='x'"),
        (instants, f"expiresAt>{instant}"),
    ):
        assert await kodexa.page(filter=[allowed, allowed]) == await kodexa.page()
        failure = await kodexa.refused(400, "GET", params={"filter": [allowed, allowed, more]})
        assert list(failure["errors"]) == ["filter"]


@covers("filter.refused")
@pytest.mark.parametrize(
    "text",
    [
        *("nothing=='x'", "metadata=='x'", "metadata.=='x'", "org.id: 'x'", "Status=='x'"),
        *("status", "status==", "=='x'", "status=='x", "status==x", "status=='x' and", "status=='x' 'y'"),
        *(
            "(status=='x'",
            "status=='x')",
            "()",
            "status=='x';;id is null",
            "status is",
            "status is not",
            "and",
        ),
        *(
            "status=in='x'",
            "status=in=()",
            "status=in=('x'",
            "status=in=('x',)",
            "status=like=5",
            "status==5",
        ),
        *("status ~ 'x'", "status === 'x'", "status=out=('x')", "status=='x' xor id is null", "status==null"),
        *(
            "createdOn=='soon'",
            "createdOn==5",
            "createdOn=='9999-12-31T23:59:59.9999Z'",
            "createdOn=like='2'",
        ),
        *("createdOn=='0001-01-01T00:00:00+14:00'", "changeSequence=='1'", "changeSequence==1.5"),
        *("changeSequence==99999999999999999999", "changeSequence==true", "id=='x'", "id=like='0*'"),
        *(
            "metadata.n==1e999",
            "metadata.deep.er>true",
            "metadata.n=like=5",
            "organizationId>'a'",
            "' or 1=1 --",
        ),
        *("(" * 40 + "id is null" + ")" * 40, " or ".join(["id is null"] * 101)),
        "status=in=(" + ",".join(["'x'"] * 501) + ")",
    ],
)
async def test_a_filter_that_means_nothing_is_refused_by_name(kodexa: Kodexa, text: str) -> None:
    failure = await kodexa.refused(400, "GET", params={"filter": text})
    assert list(failure["errors"]) == ["filter"]


async def test_the_largest_filter_that_is_allowed_is_answered(kodexa: Kodexa) -> None:
    await three(kodexa)
    values = ",".join(f"'{number}'" for number in range(499))
    assert await kodexa.found(f"status=in=({values},'IDLE')") == ["b"]
    instants = ",".join(f"'2029-01-01T00:00:{number % 60:02}Z'" for number in range(500))
    assert await kodexa.found(f"createdOn=in=({instants})") == []
    many = " or ".join(["status=='NONE'"] * 99 + ["metadata.n==1"])
    assert await kodexa.found("(" * 31 + many + ")" * 31) == ["a"]


async def test_metadata_that_no_path_can_read_stops_no_other_from_being_read(kodexa: Kodexa) -> None:
    await three(kodexa)
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": deep}
    odd = {'"': 1, "\\": 2, "$": 3, "": 4, "n": [1], "big": 10**40, "text": {"x": 1}}
    await kodexa.make(runtimeSessionId="d", metadata=odd | {"deep": deep})
    assert await kodexa.found("metadata.n==1") == ["a"]
    assert await kodexa.found("metadata.text=='x'") == ["a"]
    assert await kodexa.found("metadata.big > 5") == ["d"]
