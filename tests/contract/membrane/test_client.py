"""The vendor's own client, unpatched, against a real server: its schemas judge every answer."""

from typing import Any

from tests.contract.membrane.requirements import covers

Lived = dict[str, Any]


@covers("client.script")
async def test_the_acceptance_script_ends_as_it_should(lived: Lived) -> None:
    assert (lived["created"]["status"], lived["created"]["agentName"]) == ("queued", "membrane")
    assert (lived["waited"]["status"], lived["waited"]["state"]) == ("running", "idle")
    assert lived["waited"]["summary"] == "echo: hello"
    assert [one["id"] for one in lived["page"]["items"]] == [lived["created"]["id"]]
    assert lived["interrupted"] == {"interrupted": False}
    assert (lived["stopped"]["status"], lived["stopped"]["state"]) == ("cancelled", "idle")
    assert lived["unknown"]["badRequest"]
    assert lived["unknown"]["key"] == "not_found"
    roles = [(one["role"], one["info"]["role"]) for one in lived["messages"]]
    assert roles == [("user", "user"), ("assistant", "assistant")]


@covers("client.script", "wait.timeout", "interrupt.running", "patch.fields", "message.resume")
async def test_a_life_with_every_call_passes_the_vendors_schemas(lived: Lived) -> None:
    made = lived["external"]
    assert (made["workspaceElementType"], made["workspaceElementId"], made["isExternal"]) == (
        "connector",
        "c1",
        True,
    )
    assert (lived["busy"]["status"], lived["busy"]["state"]) == ("running", "busy")
    assert (lived["steered"]["status"], lived["steered"]["state"]) == ("running", "busy")
    assert lived["cut"] == {"interrupted": True}
    assert lived["afterCut"]["state"] == "idle"
    reported = lived["reported"]
    assert (reported["status"], reported["title"], reported["summary"]) == ("failed", "Renamed", "Done")
    assert (reported["output"], reported["error"]["message"]) == ({"n": 1}, "boom")
    assert (lived["resumed"]["status"], lived["resumed"]["state"]) == ("queued", "busy")
    assert (lived["resumedEnd"]["status"], lived["resumedEnd"]["state"]) == ("running", "idle")


@covers("list.cursor", "tenant.isolated", "auth.pat")
async def test_the_client_pages_through_its_tenants_sessions(lived: Lived) -> None:
    assert len(lived["ids"]) == len(set(lived["ids"])) == 5
    assert lived["ids"][-2:] == [lived["external"]["id"], lived["created"]["id"]]
    assert lived["otherTenant"]["key"] == "not_found"
    assert lived["otherList"] == {"items": []}
    assert lived["wholeWorkspace"] == lived["byKey"] == 5


@covers("error.body", "client.script")
async def test_every_failure_is_one_of_the_clients_own_errors(lived: Lived) -> None:
    names = ("unknown", "otherTenant", "noPrompt", "badLimit", "wrongSecret", "noSuchCall")
    for failure in (lived[name] for name in names):
        assert failure["typed"], failure
    assert lived["wrongSecret"]["key"] == "not_authenticated"


@covers("client.polls")
async def test_the_polling_loops_come_to_their_ends(lived: Lived) -> None:
    assert (lived["polled"]["state"], lived["polled"]["summary"]) == ("idle", "echo: build it")
    assert "error" not in lived["polled"]
    said = lived["polledMessages"][-1]
    assert "".join(part["text"] for part in said["parts"] if part["type"] == "text") == "echo: build it"
    assert lived["emptyStart"] == 400
    assert lived["polledStop"]["status"] == "cancelled"
